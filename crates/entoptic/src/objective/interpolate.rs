use burn::tensor::{Tensor, TensorData};
use entoptic_network::Wanted;

use super::{Objective, Step, measure::Measure};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// From one channel to another along the batch: the first image is for the first alone, the last for the second alone.
///
/// Image `i` of `n` counts the second `i / (n - 1)` and the first the rest; the value is the sum over images. It takes
/// two images or more: Lucid's is no number for one.
///
/// ```
/// use entoptic::objective::{Objective, channel_interpolate};
///
/// let objective = channel_interpolate(("fire5", 20), ("fire6", 3));
/// assert_eq!("channel_interpolate(fire5, 20, fire6, 3)".parse::<Objective>()?, objective);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::NoSuchChannel`] if a channel is not below its layer's `c`; [`Error::BatchTooSmall`]
/// for a batch of one.
///
/// # Reference
/// `objectives.channel_interpolate` in Lucid.
pub fn channel_interpolate(
    (first_layer, first): (impl Into<String>, usize),
    (second_layer, second): (impl Into<String>, usize),
) -> Objective {
    Objective::of(Interpolate { first: (first_layer.into(), first), second: (second_layer.into(), second) })
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "channel_interpolate",
    usage: "channel_interpolate(layer1, channel1, layer2, channel2)",
    about: "From one channel to another along the batch: the first image is for the first alone, the last for the second alone.",
    example: "channel_interpolate(fire5, 20, fire6, 3)",
    read: |arguments| {
        let first = (arguments.required::<String>("layer1")?, arguments.required("channel1")?);
        Ok(channel_interpolate(first, (arguments.required::<String>("layer2")?, arguments.required("channel2")?)))
    },
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Interpolate {
    first: (String, usize),
    second: (String, usize),
}

impl Measure for Interpolate {
    fn layers(&self) -> Vec<&str> {
        vec![&self.first.0, &self.second.0]
    }

    fn wanted(&self) -> Vec<Wanted> {
        [&self.first, &self.second].map(|(layer, channel)| Wanted::channel(layer, *channel)).into()
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        // One mean for each image, [n].
        let means = |(layer, channel): &(String, usize)| -> Result<Tensor<1>, Error> {
            let activations = step.channel(layer, *channel)?;
            let [n, _, _, _] = activations.dims();
            Ok(activations.mean_dims(&[1, 2, 3]).reshape([n]))
        };
        let (first, second) = (means(&self.first)?, means(&self.second)?);
        let [n] = first.dims();
        if n < 2 {
            return Err(Error::BatchTooSmall { objective: ENTRY.name, batch: n, needed: 2 });
        }
        let weights: Vec<f32> = (0..n).map(|i| i as f32 / (n - 1) as f32).collect();
        let weights = Tensor::<1>::from_data(TensorData::new(weights, [n]), &step.device());
        Ok((first.clone() + weights * (second - first)).sum())
    }

    fn write(&self) -> Call {
        let ((first_layer, first), (second_layer, second)) = (&self.first, &self.second);
        Call::new(ENTRY.name).argument(first_layer).argument(first).argument(second_layer).argument(second)
    }
}
