use burn::tensor::Tensor;
use entoptic_network::Wanted;

use super::{Objective, Step, measure::Measure};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// Mean activation of one channel, over images and positions.
///
/// ```
/// use entoptic::objective::{Objective, channel};
///
/// assert_eq!("channel(fire5, 20)".parse::<Objective>()?, channel("fire5", 20));
/// assert_eq!("fire5:20".parse::<Objective>()?, channel("fire5", 20));
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
/// [Feature Visualization](https://distill.pub/2017/feature-visualization), Olah et al., 2017;
/// `objectives.channel` in Lucid.
pub fn channel(layer: impl Into<String>, channel: usize) -> Objective {
    Objective::of(Channel { layer: layer.into(), channel })
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "channel",
    usage: "channel(layer, channel)",
    about: "Mean activation of one channel, over images and positions.",
    example: "channel(fire5, 20)",
    read: |arguments| Ok(channel(arguments.required::<String>("layer")?, arguments.required("channel")?)),
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Channel {
    layer: String,
    channel: usize,
}

impl Measure for Channel {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn wanted(&self) -> Vec<Wanted> {
        vec![Wanted::channel(&self.layer, self.channel)]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        Ok(step.channel(&self.layer, self.channel)?.mean())
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.layer).argument(&self.channel)
    }
}
