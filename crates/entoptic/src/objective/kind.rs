//! The kinds of objectives.

use super::{
    alignment::Alignment, blur::Blur, boundary::Boundary, channel::Channel, class_logit::ClassLogit, custom::Custom,
    deepdream::DeepDream, direction::Direction, diversity::Diversity, dot_compare::DotCompare, input_diff::InputDiff,
    interpolate::Interpolate, layer::Layer, measure::Measure, neuron::Neuron, norm::Norm, style::Style,
    total_variation::TotalVariation, whitened::Whitened,
};
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
