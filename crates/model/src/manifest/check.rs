//! What hands have written into a manifest, checked.

use super::{Input, Labels, Manifest};
use crate::error::nearest;

/// The longest side of an image, in pixels.
const LONGEST_SIDE: usize = 4096;

/// All fields that can be guessed.
const FIELDS: [&str; 10] = [
    "name",
    "input.size",
    "input.range",
    "input.mean",
    "input.std",
    "input.channels",
    "output.probabilities",
    "output.logits",
    "output.labels",
    "layers.show",
];

impl Manifest {
    /// Whether all that it says can be.
    ///
    /// # Errors
    /// What cannot, in one line.
    pub fn check(&self) -> Result<(), String> {
        if self.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return Err("name is empty".into());
        }
        if let Some(sha256) = &self.file.sha256
            && (sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()))
        {
            return Err(format!("file.sha256 is `{sha256}`, not 64 digits of 0-9 and a-f"));
        }
        if let Some(guess) = self.guessed.iter().find(|guess| !FIELDS.contains(&guess.field.as_str())) {
            let known = nearest(&guess.field, FIELDS.into_iter());
            let known = if known.is_empty() { FIELDS.map(str::to_owned).to_vec() } else { known };
            return Err(format!("guessed names `{}`, which is no field such as `{}`", guess.field, known.join("`, `")));
        }
        match &self.output.labels {
            Some(Labels::List(list)) if list.is_empty() => return Err("output.labels is empty".into()),
            Some(Labels::File(name)) if name.is_empty() || name == ".." || name.contains(['/', '\\']) => {
                return Err(format!("output.labels is `{name}`, which is no file beside the model"));
            }
            _ => {}
        }
        self.input.check()
    }
}

impl Input {
    fn check(&self) -> Result<(), String> {
        match self.size {
            Some([h, w]) if h == 0 || w == 0 => return Err(format!("input.size is [{h}, {w}], an image of no pixels")),
            Some([h, w]) if h.max(w) > LONGEST_SIDE => {
                return Err(format!("input.size is [{h}, {w}]; {LONGEST_SIDE} pixels a side are the most"));
            }
            _ => {}
        }
        let finite = |name: &str, values: &[f32]| match values.iter().all(|value| value.is_finite()) {
            true => Ok(()),
            false => Err(format!("input.{name} is {values:?}, not finite")),
        };
        match (self.range, self.mean, self.std) {
            (Some(_), Some(_), _) => Err("input has range and mean; one of both says what colors become".into()),
            (Some(_), _, Some(_)) => Err("input has range and std; one of both says what colors become".into()),
            (Some(range @ [low, high]), None, None) => {
                finite("range", &range)?;
                match low < high {
                    true => Ok(()),
                    false => Err(format!("input.range is [{low}, {high}]; black comes first, and is less")),
                }
            }
            (None, Some(mean), Some(std)) => {
                finite("mean", &mean)?;
                finite("std", &std)?;
                match std.iter().all(|&std| std > 0.0) {
                    true => Ok(()),
                    false => Err(format!("input.std is {std:?}; colors are divided by it, so it is more than 0")),
                }
            }
            (None, Some(_), None) => Err("input has mean, but no std".into()),
            (None, None, Some(_)) => Err("input has std, but no mean".into()),
            (None, None, None) => Ok(()),
        }
    }
}
