use burn::tensor::Tensor;
use entoptic_network::Wanted;

use super::{Objective, Step, measure::Measure};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// Activation of one channel at a position, the center if none is given; mean over images.
///
/// The center is `[h / 2, w / 2]`; [`neuron_at`] gives another position.
///
/// ```
/// use entoptic::objective::{Objective, neuron};
///
/// assert_eq!("neuron(fire5, 20)".parse::<Objective>()?, neuron("fire5", 20));
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::NoSuchChannel`] if `channel` is not below `c`.
///
/// # Reference
/// `objectives.neuron` in Lucid.
pub fn neuron(layer: impl Into<String>, channel: usize) -> Objective {
    Objective::of(Neuron { layer: layer.into(), channel, position: None })
}

/// Activation of one channel at `position` `[y, x]`, mean over images.
///
/// ```
/// use entoptic::objective::{Objective, neuron, neuron_at};
///
/// assert_eq!("neuron(fire5, 20)".parse::<Objective>()?, neuron("fire5", 20));
/// assert_eq!("neuron(fire5, 20, [3, 4])".parse::<Objective>()?, neuron_at("fire5", 20, [3, 4]));
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::NoSuchChannel`] if `channel` is not below `c`; [`Error::NoSuchPosition`] if
/// `position` is not inside `[h, w]`.
///
/// # Reference
/// `objectives.neuron` in Lucid, whose `x` is our `y`: it counts rows.
pub fn neuron_at(layer: impl Into<String>, channel: usize, position: [usize; 2]) -> Objective {
    Objective::of(Neuron { layer: layer.into(), channel, position: Some(position) })
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "neuron",
    usage: "neuron(layer, channel, position=[y, x])",
    about: "Activation of one channel at a position, the center if none is given; mean over images.",
    example: "neuron(fire5, 20, [3, 4])",
    read: |arguments| {
        let (layer, channel) = (arguments.required::<String>("layer")?, arguments.required("channel")?);
        Ok(match arguments.optional("position")? {
            Some(position) => neuron_at(layer, channel, position),
            None => neuron(layer, channel),
        })
    },
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Neuron {
    layer: String,
    channel: usize,
    /// `[y, x]`; the center if there is none.
    position: Option<[usize; 2]>,
}

impl Measure for Neuron {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn wanted(&self) -> Vec<Wanted> {
        vec![Wanted::channel(&self.layer, self.channel).at(self.position)]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        Ok(step.neuron(&self.layer, self.channel, self.position)?.mean())
    }

    fn write(&self) -> Call {
        let call = Call::new(ENTRY.name).argument(&self.layer).argument(&self.channel);
        match &self.position {
            Some(position) => call.argument(position),
            None => call,
        }
    }
}
