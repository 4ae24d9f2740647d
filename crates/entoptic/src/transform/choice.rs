use std::ops::RangeInclusive;

use rand::RngExt;

use crate::{
    Error,
    chance::Rng,
    notation::{Argument, Value},
};

/// The numbers that a transform draws one of.
///
/// ```
/// use entoptic::transform::random_scale;
///
/// assert_eq!(random_scale([0.9, 1.0, 1.1]).to_string(), "scale([0.9, 1, 1.1])");
/// assert_eq!(random_scale(0.9..=1.1).to_string(), "scale(0.9..1.1)");
/// assert_eq!(random_scale(0.5).to_string(), "scale(0.5)");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// These, each as likely; one that stands there twice is twice as likely.
    OneOf(Vec<f64>),
    /// All between two, each as likely.
    Within(RangeInclusive<f64>),
}

impl Choice {
    /// One of them: one draw.
    pub(super) fn draw(&self, rng: &mut Rng) -> f64 {
        match self {
            Self::OneOf(numbers) => numbers[rng.random_range(0..numbers.len())],
            Self::Within(range) => rng.random_range(range.clone()),
        }
    }

    /// The smallest and the largest of them.
    pub(super) fn ends(&self) -> [f64; 2] {
        match self {
            Self::OneOf(numbers) => [
                numbers.iter().copied().fold(f64::INFINITY, f64::min),
                numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ],
            Self::Within(range) => [*range.start(), *range.end()],
        }
    }

    /// Whether there is one, and all of them are numbers; `what` they are.
    pub(super) fn check(&self, what: &'static str) -> Result<(), Error> {
        let [from, to] = self.ends();
        let numbers = match self {
            Self::OneOf(numbers) => numbers.iter().all(|number| number.is_finite()),
            Self::Within(_) => from.is_finite() && to.is_finite(),
        };
        match numbers && from <= to {
            true => Ok(()),
            false => {
                Err(Error::out_of_range(what, self.to_value(), "there is one number or more, or a range such as 1..2"))
            }
        }
    }
}

impl From<f64> for Choice {
    fn from(number: f64) -> Self {
        Self::OneOf(vec![number])
    }
}

impl<const N: usize> From<[f64; N]> for Choice {
    fn from(numbers: [f64; N]) -> Self {
        Self::OneOf(numbers.into())
    }
}

impl From<Vec<f64>> for Choice {
    fn from(numbers: Vec<f64>) -> Self {
        Self::OneOf(numbers)
    }
}

impl From<RangeInclusive<f64>> for Choice {
    fn from(range: RangeInclusive<f64>) -> Self {
        Self::Within(range)
    }
}

impl FromIterator<f64> for Choice {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        Self::OneOf(numbers.into_iter().collect())
    }
}

impl Argument for Choice {
    const FORM: &'static str = "a number, a range such as `0.9..1.1` or a list of numbers in brackets";

    fn from_value(value: Value) -> Option<Self> {
        Some(match value {
            Value::Number(number) => Self::OneOf(vec![number]),
            Value::Range(..) => Self::Within(Argument::from_value(value)?),
            _ => Self::OneOf(Argument::from_value(value)?),
        })
    }

    fn to_value(&self) -> Value {
        match self {
            Self::OneOf(numbers) if numbers.len() == 1 => numbers[0].to_value(),
            Self::OneOf(numbers) => numbers.to_value(),
            Self::Within(range) => range.to_value(),
        }
    }
}
