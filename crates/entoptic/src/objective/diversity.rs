use burn::tensor::Tensor;

use super::{Objective, Step, measure::Measure, style::gram};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// How alike the images of a batch are in style: the mean over images of the summed cosines of their Gram matrices.
///
/// **Sign**: positive for images that are alike, a penalty to subtract.
///
/// ```
/// use entoptic::objective::{Objective, channel, diversity};
///
/// let facets = channel("fire5", 20) - 100.0 * diversity("fire5");
/// assert_eq!("fire5:20 - 100*diversity(fire5)".parse::<Objective>()?, facets);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::BatchTooSmall`] for a batch of one.
///
/// # Reference
/// [Feature Visualization](https://distill.pub/2017/feature-visualization), Olah et al., 2017;
/// `objectives.diversity` in Lucid.
pub fn diversity(layer: impl Into<String>) -> Objective {
    Objective::of(Diversity { layer: layer.into() })
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "diversity",
    usage: "diversity(layer)",
    about: "How alike the images of a batch are in style: the mean over images of the summed cosines of their Gram matrices.",
    example: "fire5:20 - 100*diversity(fire5)",
    read: |arguments| Ok(diversity(arguments.required::<String>("layer")?)),
};

/// The least squared length that is divided by; `tf.nn.l2_normalize` in Lucid, `objectives.py`.
const EPSILON: f64 = 1e-10;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Diversity {
    layer: String,
}

impl Measure for Diversity {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let grams = gram(step.map(&self.layer)?); // [n, c, c]
        let [n, c, _] = grams.dims();
        if n < 2 {
            return Err(Error::BatchTooSmall { objective: ENTRY.name, batch: n, needed: 2 });
        }
        let grams = grams.reshape([n, c * c]);
        let squares = grams.clone().powi_scalar(2).sum_dim(1); // [n, 1]
        let unit = grams / squares.clamp_min(EPSILON).sqrt();
        // Of each pair twice, and of no image with itself.
        let cosines = unit.clone().matmul(unit.transpose()); // [n, n]
        let own = Tensor::<2>::eye(n, &cosines.device());
        Ok((cosines.clone() - cosines * own).sum().div_scalar(n as f64))
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.layer)
    }
}
