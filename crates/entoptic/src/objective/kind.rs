//! The kinds of objectives.

use std::fmt::Debug;

use burn::tensor::Tensor;

use super::{
    Given, Step, alignment::Alignment, blur::Blur, boundary::Boundary, channel::Channel, class_logit::ClassLogit,
    custom::Custom, deepdream::DeepDream, direction::Direction, diversity::Diversity, dot_compare::DotCompare,
    input_diff::InputDiff, interpolate::Interpolate, layer::Layer, neuron::Neuron, norm::Norm, style::Style,
    total_variation::TotalVariation, whitened::Whitened,
};
use crate::{Error, notation::Call, param::Param};

/// What an objective is made of: something that can be measured at a step.
pub(super) trait Measure: Debug {
    /// The layers it reads.
    fn layers(&self) -> Vec<&str>;

    /// Its value; whatever it reads and is not there is an error.
    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error>;

    /// Its text.
    fn write(&self) -> Call;

    /// The numbers it was given.
    fn given(&self) -> Vec<&Given> {
        Vec::new()
    }

    /// The same, to be replaced.
    fn given_mut(&mut self) -> Vec<&mut Given> {
        Vec::new()
    }

    /// The params it reads.
    fn params(&self) -> Vec<Param> {
        self.given().into_iter().filter_map(Given::param).cloned().collect()
    }
}

macro_rules! kinds {
    ($($kind:ident),* $(,)?) => {
        #[derive(Debug, Clone, PartialEq)]
        pub(super) enum Kind {
            $($kind($kind),)*
        }

        impl Kind {
            pub fn measure(&self) -> &dyn Measure {
                match self {
                    $(Self::$kind(kind) => kind,)*
                }
            }

            pub fn measure_mut(&mut self) -> &mut dyn Measure {
                match self {
                    $(Self::$kind(kind) => kind,)*
                }
            }
        }

        $(impl From<$kind> for Kind {
            fn from(kind: $kind) -> Self {
                Self::$kind(kind)
            }
        })*
    };
}

kinds![
    Alignment,
    Blur,
    Boundary,
    Channel,
    ClassLogit,
    Custom,
    DeepDream,
    Direction,
    Diversity,
    DotCompare,
    InputDiff,
    Interpolate,
    Layer,
    Neuron,
    Norm,
    Style,
    TotalVariation,
    Whitened,
];
