use burn::tensor::Tensor;

use super::{INPUT, Objective, Step, measure::Measure};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// How much neighbors differ: the sum of the absolute differences down and across, over images, channels and positions.
///
/// The layer is `input` for the images themselves. Lucid has one value for each image, and adds them up when it
/// optimizes.
///
/// **Sign**: positive, a penalty to subtract.
///
/// ```
/// use entoptic::objective::{Objective, channel, total_variation};
///
/// let smooth = channel("fire5", 20) - 0.25 * total_variation("input");
/// assert_eq!("fire5:20 - 0.25*total_variation(input)".parse::<Objective>()?, smooth);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`
/// - value: `[1]`
///
/// # Reference
/// `objectives.total_variation` in Lucid; `tf.image.total_variation`.
pub fn total_variation(layer: impl Into<String>) -> Objective {
    Objective::of(TotalVariation { layer: layer.into() })
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "total_variation",
    usage: "total_variation(layer=input)",
    about: "How much neighbors differ: the sum of the absolute differences down and across, over images, channels and positions.",
    example: "fire5:20 - 0.001*total_variation(input)",
    read: |arguments| Ok(total_variation(arguments.optional("layer")?.unwrap_or_else(|| INPUT.to_owned()))),
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct TotalVariation {
    layer: String,
}

impl Measure for TotalVariation {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let a = step.map(&self.layer)?;
        let differences = |axis: usize| {
            let count = a.dims()[axis] - 1;
            match count {
                0 => Tensor::zeros([1], &a.device()),
                _ => (a.clone().narrow(axis, 1, count) - a.clone().narrow(axis, 0, count)).abs().sum(),
            }
        };
        Ok(differences(2) + differences(3))
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.layer)
    }
}
