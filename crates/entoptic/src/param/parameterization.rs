//! How variables become an image, by name.

use std::{fmt, str::FromStr};

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{Cppn, CppnActivation, Param, constant, fourier, level_sizes, lowres, maco, pixel, pyramid, unit_ball};
use crate::{
    Error,
    notation::{Argument, Arguments, Call, Entry, Parsed, SyntaxError, Value, kept_as_text, read},
};

/// How variables become an image.
///
/// It has a text form that parses back; the [`CATALOG`] lists what there is:
///
/// ```
/// use entoptic::param::{CATALOG, Parameterization};
///
/// let smooth = Parameterization::Fourier { decay_power: 1.5 };
/// assert_eq!(smooth.to_string(), "fourier(1.5)");
/// assert_eq!("fourier(decay_power=1.5)".parse::<Parameterization>()?, smooth);
/// for entry in CATALOG {
///     entry.example.parse::<Parameterization>()?;
/// }
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Parameterization {
    /// Waves, each scaled by `1 / frequency^decay_power` so that images start out as natural ones do: smooth. See
    /// [`fft_image`](super::fft_image).
    Fourier {
        /// 1 in Lucid; more is smoother.
        decay_power: f64,
    },
    /// Every pixel is a variable. See [`pixel_image`](super::pixel_image).
    Pixel,
    /// A sum of coarser and coarser images. See [`laplacian_pyramid_image`](super::laplacian_pyramid_image).
    Pyramid {
        /// How many; 4 in Lucid.
        levels: usize,
    },
    /// One coarse image, interpolated. See [`lowres_tensor`](super::lowres_tensor).
    Lowres {
        /// How many pixels of a side there are for each number.
        factor: usize,
    },
    /// A network over the coordinates of pixels. See [`Cppn`]; its channels are those of the image.
    Cppn(Cppn),
    /// Waves as strong as natural images', of which only the phases are free. See [`maco`].
    Maco,
    /// What differs little from a photo, or from gray. See [`unit_ball`].
    Ball {
        /// What a difference is measured by.
        norm: BallNorm,
        /// How much it can be: for L2 of a whole batch, for L∞ of a single value.
        radius: f64,
    },
}

/// What a difference between images is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BallNorm {
    /// The Euclidean norm over all values.
    L2,
    /// The largest difference of one value; every value moves equally fast.
    LInf,
}

/// What the parameterizations are called.
pub const CATALOG: &[Entry<Parameterization>] = &[
    Entry {
        name: "fourier",
        usage: "fourier(decay_power=1)",
        about: "Waves, each scaled by `1 / frequency^decay_power` so that images start out as natural ones do: smooth.",
        example: "fourier(1.5)",
        read: |arguments| {
            Ok(Parameterization::Fourier { decay_power: arguments.optional("decay_power")?.unwrap_or(1.0) })
        },
    },
    Entry {
        name: "pixel",
        usage: "pixel",
        about: "Every pixel is a variable.",
        example: "pixel",
        read: |_| Ok(Parameterization::Pixel),
    },
    Entry {
        name: "pyramid",
        usage: "pyramid(levels=4)",
        about: "A sum of coarser and coarser images.",
        example: "pyramid(3)",
        read: |arguments| Ok(Parameterization::Pyramid { levels: arguments.optional("levels")?.unwrap_or(LEVELS) }),
    },
    Entry {
        name: "lowres",
        usage: "lowres(factor=8)",
        about: "One coarse image, interpolated.",
        example: "lowres(4)",
        read: |arguments| Ok(Parameterization::Lowres { factor: arguments.optional("factor")?.unwrap_or(FACTOR) }),
    },
    Entry {
        name: "cppn",
        usage: "cppn(hidden_channels=24, layers=8, activation=composite|unbiased|relu|abs, normalize=false)",
        about: "A network over the coordinates of pixels.",
        example: "cppn(activation=unbiased)",
        read: |arguments| Ok(Parameterization::Cppn(cppn(arguments)?)),
    },
    Entry {
        name: "maco",
        usage: "maco",
        about: "Waves as strong as natural images', of which only the phases are free.",
        example: "maco",
        read: |_| Ok(Parameterization::Maco),
    },
    Entry {
        name: "ball",
        usage: "ball(norm=l2|l_inf, radius=number)",
        about: "What differs little from a photo, or from gray.",
        example: "ball(l_inf, 0.03)",
        read: |arguments| {
            let norm = arguments.required("norm")?;
            Ok(Parameterization::Ball { norm, radius: arguments.required("radius")? })
        },
    },
];

/// Lucid, `spatial.py`.
const LEVELS: usize = 4;

/// As coarse as the coarsest level of a pyramid.
const FACTOR: usize = 8;

fn cppn(arguments: &mut Arguments) -> Parsed<Cppn> {
    let default = Cppn::new();
    Ok(Cppn {
        channels: default.channels,
        hidden_channels: arguments.optional("hidden_channels")?.unwrap_or(default.hidden_channels),
        layers: arguments.optional("layers")?.unwrap_or(default.layers),
        activation: arguments.optional("activation")?.unwrap_or(default.activation),
        normalize: arguments.optional("normalize")?.unwrap_or(default.normalize),
    })
}

impl Parameterization {
    /// Waves as in Lucid.
    pub fn fourier() -> Self {
        Self::Fourier { decay_power: 1.0 }
    }

    /// Whether its values are in `0..=1` as they are, and colors if there are three channels.
    pub(super) fn is_valid(&self) -> bool {
        matches!(self, Self::Cppn(_) | Self::Maco | Self::Ball { .. })
    }

    /// Values `[n, c, h, w]`, whose first variables have standard deviation `sd` where they are random and free.
    pub(super) fn param(&self, shape @ [n, c, h, w]: [usize; 4], sd: f64) -> Param {
        match self {
            Self::Fourier { decay_power } => fourier::param(shape, sd, *decay_power),
            Self::Pixel => pixel::param(shape, sd),
            Self::Pyramid { levels } => {
                pyramid::param(shape, level_sizes([h, w], *levels).expect("levels were checked"), sd)
            }
            Self::Lowres { factor } => lowres::param(shape, [n, c, h.div_ceil(*factor), w.div_ceil(*factor)], sd),
            Self::Cppn(cppn) => cppn.clone().with_channels(c).param(n, [h, w]),
            Self::Maco => maco::param(n, [h, w]),
            Self::Ball { .. } => {
                let gray = Tensor::full(shape, 0.5, &burn::tensor::Device::flex());
                self.around(&gray)
            }
        }
    }

    /// Free values that start as `values` `[n, c, h, w]`, if its variables can be found for them.
    pub(super) fn starting_at(&self, values: Tensor<4>) -> Option<Param> {
        let shape @ [n, c, h, w] = values.dims();
        let param = self.param(shape, 0.0);
        let first = match self {
            Self::Fourier { decay_power } => {
                fourier::inverse([h, w], *decay_power, &values.device())(values.reshape([n * c, h, w]))
            }
            // The coarser levels of a pyramid start at nothing.
            Self::Pixel | Self::Pyramid { .. } => values.reshape([-1]),
            Self::Lowres { .. } | Self::Cppn(_) | Self::Maco | Self::Ball { .. } => return None,
        };
        Some(param.with_first(first))
    }

    /// Images in a ball around `photos`.
    ///
    /// # Panics
    /// If it is no ball.
    pub(super) fn around(&self, photos: &Tensor<4>) -> Param {
        let Self::Ball { norm, radius } = *self else { panic!("only a ball is around something") };
        let shape = photos.dims();
        let difference = match norm {
            BallNorm::L2 => unit_ball::l2(shape),
            BallNorm::LInf => unit_ball::l_inf(shape, true),
        };
        (constant(photos) + radius * difference).map(shape, |images| images.clamp(0.0, 1.0))
    }

    /// Whether there are such images of `[n, c, h, w]`.
    pub(super) fn check(&self, [_, c, h, w]: [usize; 4]) -> Result<(), Error> {
        let wrong = |what, value: String, accepted| Err(Error::out_of_range(what, value, accepted));
        match self {
            Self::Fourier { decay_power } if !decay_power.is_finite() => {
                wrong("the decay power", decay_power.to_string(), "it is a number such as 1 or 1.5")
            }
            Self::Pyramid { levels } => level_sizes([h, w], *levels).map(drop),
            Self::Lowres { factor: 0 } => wrong("the factor", "0".into(), "it is 1 or more"),
            Self::Cppn(cppn) => cppn.check(),
            Self::Maco if c != 3 => {
                wrong("the channels of maco", c.to_string(), "its magnitudes are those of colors: 3, without alpha")
            }
            Self::Ball { radius, .. } if !(*radius as f32).is_finite() || *radius <= 0.0 => {
                wrong("the radius", radius.to_string(), "it is above 0, such as 0.03")
            }
            _ => Ok(()),
        }
    }

    /// The text, as a call.
    fn write(&self) -> Call {
        match self {
            Self::Fourier { decay_power: 1.0 } => Call::new("fourier"),
            Self::Fourier { decay_power } => Call::new("fourier").argument(decay_power),
            Self::Pixel => Call::new("pixel"),
            Self::Pyramid { levels } => Call::new("pyramid").argument(levels),
            Self::Lowres { factor } => Call::new("lowres").argument(factor),
            Self::Cppn(cppn) => {
                let default = Cppn::new();
                Call::new("cppn")
                    .unless(&default.hidden_channels, "hidden_channels", &cppn.hidden_channels)
                    .unless(&default.layers, "layers", &cppn.layers)
                    .unless(&default.activation, "activation", &cppn.activation)
                    .unless(&default.normalize, "normalize", &cppn.normalize)
            }
            Self::Maco => Call::new("maco"),
            Self::Ball { norm, radius } => Call::new("ball").argument(norm).argument(radius),
        }
    }
}

impl fmt::Display for Parameterization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write().fmt(f)
    }
}

impl FromStr for Parameterization {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        read(text, "a param", CATALOG)
    }
}

kept_as_text!(Parameterization);

/// The activations' names.
const ACTIVATIONS: [(&str, CppnActivation); 4] = [
    ("composite", CppnActivation::Composite),
    ("unbiased", CppnActivation::CompositeUnbiased),
    ("relu", CppnActivation::ReluNormalized),
    ("abs", CppnActivation::Abs),
];

impl Argument for CppnActivation {
    const FORM: &'static str = "`composite`, `unbiased`, `relu` or `abs`";

    fn from_value(value: Value) -> Option<Self> {
        let name = String::from_value(value)?;
        ACTIVATIONS.iter().find(|(known, _)| *known == name).map(|(_, activation)| *activation)
    }

    fn to_value(&self) -> Value {
        let named = ACTIVATIONS.iter().find(|(_, activation)| activation == self);
        Value::Name(named.expect("every activation has a name").0.into())
    }
}

impl Argument for BallNorm {
    const FORM: &'static str = "`l2` or `l_inf`";

    fn from_value(value: Value) -> Option<Self> {
        match String::from_value(value)?.as_str() {
            "l2" => Some(Self::L2),
            "l_inf" => Some(Self::LInf),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Name(match self {
            Self::L2 => "l2".into(),
            Self::LInf => "l_inf".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    fn parameterizations() -> impl Strategy<Value = Parameterization> {
        let number = || prop_oneof![-10.0..10.0f64, Just(1.0), Just(0.0), Just(1e-12)];
        let activation = (0..4usize).prop_map(|i| ACTIVATIONS[i].1);
        let cppn = (0..99usize, 0..99usize, activation, any::<bool>());
        prop_oneof![
            number().prop_map(|decay_power| Parameterization::Fourier { decay_power }),
            Just(Parameterization::Pixel),
            (0..99usize).prop_map(|levels| Parameterization::Pyramid { levels }),
            (0..99usize).prop_map(|factor| Parameterization::Lowres { factor }),
            cppn.prop_map(|(hidden_channels, layers, activation, normalize)| {
                Parameterization::Cppn(Cppn { channels: 3, hidden_channels, layers, activation, normalize })
            }),
            Just(Parameterization::Maco),
            (prop_oneof![Just(BallNorm::L2), Just(BallNorm::LInf)], number())
                .prop_map(|(norm, radius)| Parameterization::Ball { norm, radius }),
        ]
    }

    /// What names and arguments are made of, in any order.
    fn any_text() -> impl Strategy<Value = String> {
        let pieces =
            ["fourier", "cppn", "ball", "(", ")", ",", "=", "[", "]", "\"", "..", "-", ".5", "9", "l2", " ", "é"];
        proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
            #![proptest_config(ProptestConfig::with_cases(1_000))]

            #[test]
            fn what_is_printed_parses_back(parameterization in parameterizations()) {
                let text = parameterization.to_string();
                prop_assert_eq!(text.parse::<Parameterization>().unwrap(), parameterization, "{}", text);
            }

            #[test]
    fn no_text_makes_the_parser_panic(text in any_text()) {
                if let Err(error) = text.parse::<Parameterization>() {
                    error.caret();
                }
            }
        }
}
