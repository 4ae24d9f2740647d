//! In which numbers a network multiplies.

use std::{fmt, str::FromStr};

use entoptic_kernels as kernels;
use serde::{Deserialize, Serialize};

use crate::Error;

/// In which numbers convolutions multiply; sums, and all other operations, are in single precision.
///
/// ```
/// use entoptic_network::Precision;
///
/// assert_eq!("bf16".parse::<Precision>()?, Precision::Bf16);
/// assert_eq!(Precision::default().to_string(), "f32");
/// # Ok::<(), entoptic_network::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// Factors of 8 bits' precision, where the CPU has instructions for them: pictures look the same, but are not.
    Bf16,
}

impl Precision {
    /// Whether this machine can.
    ///
    /// # Errors
    /// [`Error::NoBf16`].
    pub fn check(self) -> Result<(), Error> {
        self.on_this_cpu().map(drop)
    }

    /// The instructions for it.
    pub(crate) fn on_this_cpu(self) -> Result<kernels::Precision, Error> {
        match self {
            Self::F32 => Ok(kernels::Precision::F32),
            Self::Bf16 => kernels::Bf16::best().map(kernels::Precision::Bf16).map_err(|_| Error::NoBf16),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}

impl FromStr for Precision {
    type Err = Error;

    /// # Errors
    /// [`Error::NotAPrecision`].
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            _ => Err(Error::NotAPrecision { text: text.to_owned() }),
        }
    }
}
