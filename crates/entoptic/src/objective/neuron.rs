use burn::tensor::Tensor;

use super::{Objective, Step, check_channel, measure::Measure};
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

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let activations = step.map(&self.layer)?;
        let [_, c, _, _] = activations.dims();
        check_channel(&self.layer, self.channel, c)?;
        Ok(at_position(activations, &self.layer, self.position)?.narrow(1, self.channel, 1).mean())
    }

    fn write(&self) -> Call {
        let call = Call::new(ENTRY.name).argument(&self.layer).argument(&self.channel);
        match &self.position {
            Some(position) => call.argument(position),
            None => call,
        }
    }
}

/// The activations `[n, c, 1, 1]` at a position, the center if there is none.
pub(super) fn at_position(
    activations: Tensor<4>,
    layer: &str,
    position: Option<[usize; 2]>,
) -> Result<Tensor<4>, Error> {
    let [_, _, h, w] = activations.dims();
    let [y, x] = position.unwrap_or([h / 2, w / 2]);
    if y >= h || x >= w {
        return Err(Error::NoSuchPosition { layer: layer.to_owned(), position: [y, x], size: [h, w] });
    }
    Ok(activations.narrow(2, y, 1).narrow(3, x, 1))
}
