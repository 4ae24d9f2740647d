//! Distances of all activations from a constant.

use burn::tensor::Tensor;

use super::{INPUT, Objective, Step, measure::Measure};
use crate::{
    Error,
    notation::{Arguments, Call, Entry, Parsed},
};

/// Sum of the absolute differences from a constant, over images, channels and positions.
///
/// The layer is `input` for the images themselves, whose middle gray is 0.5.
///
/// **Sign**: positive, a penalty to subtract.
///
/// ```
/// use entoptic::objective::{Objective, channel, l1};
///
/// let pale = channel("fire5", 20) - 0.05 * l1("input", 0.5);
/// assert_eq!("fire5:20 - 0.05*l1(input, constant=0.5)".parse::<Objective>()?, pale);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`
/// - value: `[1]`
///
/// # Reference
/// `objectives.L1` in Lucid.
pub fn l1(layer: impl Into<String>, constant: f64) -> Objective {
    Objective::of(Norm { layer: layer.into(), constant, power: Power::One })
}

/// Square root of the sum of the squared differences from a constant, over images, channels and positions.
///
/// `epsilon` is added to the sum, which keeps the gradient finite where there is no difference; Lucid's is
/// [`L2_EPSILON`](super::L2_EPSILON).
///
/// **Sign**: positive, a penalty to subtract.
///
/// ```
/// use entoptic::objective::{L2_EPSILON, Objective, channel, l2};
///
/// let pale = channel("fire5", 20) - 0.5 * l2("input", 0.5, L2_EPSILON);
/// assert_eq!("fire5:20 - 0.5*l2(input, constant=0.5)".parse::<Objective>()?, pale);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`
/// - value: `[1]`
///
/// # Reference
/// `objectives.L2` in Lucid.
pub fn l2(layer: impl Into<String>, constant: f64, epsilon: f64) -> Objective {
    Objective::of(Norm { layer: layer.into(), constant, power: Power::Two { epsilon } })
}

/// What is added under the root in [`l2`]; Lucid, `objectives.py`.
pub const L2_EPSILON: f64 = 1e-6;

pub(super) const L1_ENTRY: Entry<Objective> = Entry {
    name: "l1",
    usage: "l1(layer=input, constant=0)",
    about: "Sum of the absolute differences from a constant, over images, channels and positions.",
    example: "fire5:20 - 0.001*l1(input, constant=0.5)",
    read: |arguments| {
        let (layer, constant) = layer_and_constant(arguments)?;
        Ok(l1(layer, constant))
    },
};

pub(super) const L2_ENTRY: Entry<Objective> = Entry {
    name: "l2",
    usage: "l2(layer=input, constant=0, epsilon=1e-6)",
    about: "Square root of the sum of the squared differences from a constant, over images, channels and positions.",
    example: "fire5:20 - 0.01*l2(input, constant=0.5)",
    read: |arguments| {
        let (layer, constant) = layer_and_constant(arguments)?;
        Ok(l2(layer, constant, arguments.optional("epsilon")?.unwrap_or(L2_EPSILON)))
    },
};

fn layer_and_constant(arguments: &mut Arguments) -> Parsed<(String, f64)> {
    let layer = arguments.optional("layer")?.unwrap_or_else(|| INPUT.to_owned());
    Ok((layer, arguments.optional("constant")?.unwrap_or(0.0)))
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Norm {
    layer: String,
    constant: f64,
    power: Power,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Power {
    One,
    Two { epsilon: f64 },
}

impl Measure for Norm {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let differences = step.map(&self.layer)?.sub_scalar(self.constant);
        Ok(match self.power {
            Power::One => differences.abs().sum(),
            Power::Two { epsilon } => differences.powi_scalar(2).sum().add_scalar(epsilon).sqrt(),
        })
    }

    fn write(&self) -> Call {
        let call = |entry: &Entry<Objective>| {
            Call::new(entry.name).argument(&self.layer).unless(&0.0, "constant", &self.constant)
        };
        match &self.power {
            Power::One => call(&L1_ENTRY),
            Power::Two { epsilon } => call(&L2_ENTRY).unless(&L2_EPSILON, "epsilon", epsilon),
        }
    }
}
