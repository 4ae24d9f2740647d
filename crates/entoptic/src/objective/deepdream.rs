use burn::tensor::Tensor;

use super::{Objective, Step, measure::Measure};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// Mean square of a layer's activations: what excites it, it excites more.
///
/// ```
/// use entoptic::objective::{Objective, deepdream};
///
/// assert_eq!("deepdream(fire5)".parse::<Objective>()?, deepdream("fire5"));
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`
/// - value: `[1]`
///
/// # Reference
/// [Inceptionism](https://research.google/blog/inceptionism-going-deeper-into-neural-networks/), Mordvintsev et al.,
/// 2015; `objectives.deepdream` in Lucid.
pub fn deepdream(layer: impl Into<String>) -> Objective {
    Objective::of(DeepDream { layer: layer.into() })
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "deepdream",
    usage: "deepdream(layer)",
    about: "Mean square of a layer's activations: what excites it, it excites more.",
    example: "deepdream(fire5)",
    read: |arguments| Ok(deepdream(arguments.required::<String>("layer")?)),
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct DeepDream {
    layer: String,
}

impl Measure for DeepDream {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let a = step.map(&self.layer)?;
        Ok((a.clone() * a).mean())
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.layer)
    }
}
