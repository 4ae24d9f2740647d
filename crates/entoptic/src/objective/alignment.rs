use burn::tensor::Tensor;

use super::{Objective, Step, measure::Measure};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// Minus the mean squared difference between images that are near each other in the batch, so that they look alike.
///
/// Images `d` apart, up to 4, count `1 / decay_ratio^d`.
///
/// **Sign**: negative already, a penalty to add.
///
/// ```
/// use entoptic::objective::{Objective, alignment, channel_interpolate};
///
/// let aligned = channel_interpolate(("fire5", 20), ("fire6", 3)) + 0.1 * alignment("fire3", 5.0);
/// let text = "channel_interpolate(fire5, 20, fire6, 3) + 0.1*alignment(fire3, decay_ratio=5)";
/// assert_eq!(text.parse::<Objective>()?, aligned);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::BatchTooSmall`] for a batch of one.
///
/// # Reference
/// [Differentiable Image Parameterizations](https://distill.pub/2018/differentiable-parameterizations), Mordvintsev
/// et al., 2018; `objectives.alignment` in Lucid.
pub fn alignment(layer: impl Into<String>, decay_ratio: f64) -> Objective {
    Objective::of(Alignment { layer: layer.into(), decay_ratio })
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "alignment",
    usage: "alignment(layer, decay_ratio=2)",
    about: "Minus the mean squared difference between images that are near each other in the batch, so that they look alike.",
    example: "channel_interpolate(fire5, 20, fire6, 3) + 0.1*alignment(fire3)",
    read: |arguments| {
        let layer = arguments.required::<String>("layer")?;
        Ok(alignment(layer, arguments.optional("decay_ratio")?.unwrap_or(DECAY_RATIO)))
    },
};

/// Lucid, `objectives.py`.
const DECAY_RATIO: f64 = 2.0;

/// How far apart images can be that are compared; Lucid, `objectives.py`.
const FURTHEST: usize = 4;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Alignment {
    layer: String,
    decay_ratio: f64,
}

impl Measure for Alignment {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let a = step.map(&self.layer)?;
        let n = a.dims()[0];
        if n < 2 {
            return Err(Error::BatchTooSmall { objective: ENTRY.name, batch: n, needed: 2 });
        }
        let mut value = Tensor::zeros([1], &a.device());
        for d in (1..=FURTHEST).take_while(|&d| d < n) {
            let pairs = n - d;
            let differences = a.clone().narrow(0, 0, pairs) - a.clone().narrow(0, d, pairs);
            let weight = pairs as f64 / self.decay_ratio.powi(d as i32);
            value = value - differences.powi_scalar(2).mean().mul_scalar(weight);
        }
        Ok(value)
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.layer).unless(&DECAY_RATIO, "decay_ratio", &self.decay_ratio)
    }
}
