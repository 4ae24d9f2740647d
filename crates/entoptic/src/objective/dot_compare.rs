use burn::tensor::Tensor;

use super::{Objective, Step, direction::LEAST_COSINE, measure::Measure, root::root};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// How much one image's activations are like another's: their dot product, as they are and where they are.
///
/// The first image of the batch is the reference; the other is image 1, or the one chosen with
/// [`Objective::batch`]. With a reference that stays as it is this is feature inversion; with `cossim_pow` above 0 it
/// is multiplied by that power of the dot product divided by the length of the image's activations (which counts as
/// 0.1 where it is less), and the image becomes a caricature.
///
/// ```
/// use entoptic::objective::{Objective, dot_compare};
///
/// assert_eq!("dot_compare(fire5, batch=1)".parse::<Objective>()?, dot_compare("fire5", 0.0).batch(1));
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`, of two images or more
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::BatchTooSmall`] for a batch of one.
///
/// # Reference
/// `dot_compare` in Lucid, `recipes/caricature.py`.
pub fn dot_compare(layer: impl Into<String>, cossim_pow: f64) -> Objective {
    Objective::of(DotCompare { layer: layer.into(), cossim_pow })
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "dot_compare",
    usage: "dot_compare(layer, cossim_pow=0)",
    about: "How much one image's activations are like another's: their dot product, as they are and where they are.",
    example: "dot_compare(fire5, cossim_pow=1, batch=1)",
    read: |arguments| {
        let layer = arguments.required::<String>("layer")?;
        Ok(dot_compare(layer, arguments.optional("cossim_pow")?.unwrap_or(0.0)))
    },
};

/// Added to the length before it divides; Lucid, `recipes/caricature.py`.
const EPSILON: f64 = 1e-6;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct DotCompare {
    layer: String,
    cossim_pow: f64,
}

impl Measure for DotCompare {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let activations = step.all_images(&self.layer)?;
        let n = activations.dims()[0];
        let image = step.image().unwrap_or(1);
        if image >= n {
            return Err(Error::BatchTooSmall { objective: ENTRY.name, batch: n, needed: image + 1 });
        }
        let (reference, own) = (activations.clone().narrow(0, 0, 1), activations.narrow(0, image, 1));
        let dot = (reference * own.clone()).sum();
        if self.cossim_pow == 0.0 {
            return Ok(dot);
        }
        let length = root(own.powi_scalar(2).sum()).add_scalar(EPSILON);
        Ok(dot.clone() * (dot / length).clamp_min(LEAST_COSINE).powf_scalar(self.cossim_pow))
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.layer).unless(&0.0, "cossim_pow", &self.cossim_pow)
    }
}
