//! What nobody said.

use serde::{Deserialize, Serialize};

/// A field of a manifest that nobody gave and the file does not say.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Guess {
    /// Which, such as `input.range`.
    pub field: String,
    /// Why it is guessed to be so; empty for a guess that was read from a manifest.
    pub reason: String,
}

impl Guess {
    /// A guess of this field.
    pub fn new(field: &str, reason: impl Into<String>) -> Self {
        Self { field: field.to_owned(), reason: reason.into() }
    }

    /// Whether it was read from a manifest, where whoever doubts it can change it.
    pub fn is_written(&self) -> bool {
        self.reason.is_empty()
    }
}

impl PartialEq for Guess {
    /// Guesses of the same field are the same: reasons are for people.
    fn eq(&self, other: &Self) -> bool {
        self.field == other.field
    }
}

impl From<String> for Guess {
    fn from(field: String) -> Self {
        Self { field, reason: String::new() }
    }
}

impl From<Guess> for String {
    fn from(guess: Guess) -> Self {
        guess.field
    }
}
