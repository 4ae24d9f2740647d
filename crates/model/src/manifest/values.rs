//! The values that colors become, in the two ways people write them.

use super::Input;
use crate::Preprocessing;

/// What colors in `0..=1` become.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values {
    /// Black becomes the first, white the second.
    Range([f32; 2]),
    /// `(x - mean) / std`, for red, green and blue.
    Normalized {
        /// What is subtracted.
        mean: [f32; 3],
        /// What it is then divided by.
        std: [f32; 3],
    },
}

impl Values {
    /// What a manifest says of them.
    pub(super) fn of(input: &Input) -> Option<Self> {
        match (input.range, input.mean, input.std) {
            (Some(range), ..) => Some(Self::Range(range)),
            (None, Some(mean), Some(std)) => Some(Self::Normalized { mean, std }),
            _ => None,
        }
    }

    /// Writes them into a manifest.
    pub fn write(self, input: &mut Input) {
        (input.range, input.mean, input.std) = match self {
            Self::Range(range) => (Some(range), None, None),
            Self::Normalized { mean, std } => (None, Some(mean), Some(std)),
        };
    }

    /// How images are prepared, as RGB.
    pub fn preprocessing(self) -> Preprocessing {
        match self {
            Self::Range([low, high]) => Preprocessing::range(low, high),
            Self::Normalized { mean, std } => Preprocessing { mean, std, bgr: false },
        }
    }
}

impl From<Preprocessing> for Values {
    /// A range where all colors have the same.
    fn from(Preprocessing { mean, std, .. }: Preprocessing) -> Self {
        if mean != [mean[0]; 3] || std != [std[0]; 3] {
            return Self::Normalized { mean, std };
        }
        // What a range has lost on its way to mean and deviation, a few units in the last place.
        let rounded = |value: f64| ((value * 1e4).round() / 1e4) as f32 + 0.0; // and no -0
        let [mean, std] = [f64::from(mean[0]), f64::from(std[0])];
        Self::Range([rounded(-mean / std), rounded((1.0 - mean) / std)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_survive_being_mean_and_deviation() {
        for range in [[0.0, 1.0], [-1.0, 1.0], [-117.0, 138.0], [0.0, 255.0], [-2.5, 7.25]] {
            let preprocessing = Preprocessing::range(range[0], range[1]);
            assert_eq!(Values::from(preprocessing), Values::Range(range));
            assert!(!format!("{:?}", Values::from(preprocessing)).contains("-0.0"));
        }
        let Preprocessing { mean, std, .. } = Preprocessing::IMAGENET;
        assert_eq!(Values::from(Preprocessing::IMAGENET), Values::Normalized { mean, std });
    }
}
