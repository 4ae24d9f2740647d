use burn::config::Config;

use super::{Image, Param, fourier, pixel};
use crate::Error;

/// How variables become an image.
#[derive(Config, Debug, PartialEq)]
pub enum Parameterization {
    /// Waves, each scaled by `1 / frequency^decay_power` so that images start out as natural ones do: smooth.
    Fourier {
        /// 1 in Lucid; more is smoother.
        decay_power: f64,
    },
    /// Every pixel is a variable.
    Pixel,
}

impl Parameterization {
    /// Waves as in Lucid.
    pub fn fourier() -> Self {
        Self::Fourier { decay_power: 1.0 }
    }

    /// Free values `[n, c, h, w]`, whose first variables have standard deviation `sd`.
    pub fn param(&self, shape: [usize; 4], sd: f64) -> Param {
        match *self {
            Self::Fourier { decay_power } => fourier::param(shape, sd, decay_power),
            Self::Pixel => pixel::param(shape, sd),
        }
    }

    pub(super) fn check(&self, _image: &Image) -> Result<(), Error> {
        match self {
            Self::Fourier { decay_power } if !decay_power.is_finite() => Err(Error::OutOfRange {
                what: "the decay power",
                value: decay_power.to_string(),
                accepted: "it is a number such as 1 or 1.5",
            }),
            _ => Ok(()),
        }
    }
}
