use burn::tensor::{Tensor, activation};

use super::{Objective, Step, measure::Measure};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// Mean positive activation of a whole layer: whatever excites it, in any channel and anywhere.
///
/// [`deepdream`](super::deepdream) squares activations, and so prefers a few strong ones to many weak ones.
///
/// ```
/// use entoptic::objective::{Objective, layer};
///
/// assert_eq!("layer(fire5)".parse::<Objective>()?, layer("fire5"));
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`
/// - value: `[1]`
pub fn layer(layer: impl Into<String>) -> Objective {
    Objective::of(Layer { layer: layer.into() })
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "layer",
    usage: "layer(layer)",
    about: "Mean positive activation of a whole layer: whatever excites it, in any channel and anywhere.",
    example: "layer(fire5)",
    read: |arguments| Ok(layer(arguments.required::<String>("layer")?)),
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    layer: String,
}

impl Measure for Layer {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        Ok(activation::relu(step.map(&self.layer)?).mean())
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.layer)
    }
}
