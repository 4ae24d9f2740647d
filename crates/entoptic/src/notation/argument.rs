//! The types an argument can have.

use std::ops::RangeInclusive;

use super::{syntax::LARGEST_WHOLE, value::Value};
use crate::array::Array;

/// What is read from an argument's value and written as one.
///
/// A type with a text of its own, such as one of some names, implements it where it is defined.
pub(crate) trait Argument: Sized {
    /// What its text looks like, for errors: "a whole number".
    const FORM: &'static str;

    /// It, if `value` is one.
    fn from_value(value: Value) -> Option<Self>;

    /// The value that is read as it.
    fn to_value(&self) -> Value;
}

impl Argument for f64 {
    const FORM: &'static str = "a number";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(*self)
    }
}

impl Argument for f32 {
    const FORM: &'static str = "a number";

    fn from_value(value: Value) -> Option<Self> {
        f64::from_value(value).map(|number| number as f32).filter(|number| number.is_finite())
    }

    /// 0.1 rather than 0.10000000149011612: the shortest number that is this one in single precision.
    fn to_value(&self) -> Value {
        let short = self.to_string().parse::<f64>().ok().filter(|short| *short as f32 == *self);
        Value::Number(short.unwrap_or(f64::from(*self)))
    }
}

impl Argument for usize {
    const FORM: &'static str = "a whole number";

    fn from_value(value: Value) -> Option<Self> {
        let number = f64::from_value(value)?;
        let whole = number >= 0.0 && number.fract() == 0.0 && number <= LARGEST_WHOLE as f64;
        whole.then_some(number as usize)
    }

    fn to_value(&self) -> Value {
        Value::Number(*self as f64)
    }
}

impl Argument for bool {
    const FORM: &'static str = "`true` or `false`";

    fn from_value(value: Value) -> Option<Self> {
        String::from_value(value)?.parse().ok()
    }

    fn to_value(&self) -> Value {
        Value::Name(self.to_string())
    }
}

impl Argument for String {
    const FORM: &'static str = "a name";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Name(name) => Some(name),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Name(self.clone())
    }
}

impl Argument for RangeInclusive<f64> {
    const FORM: &'static str = "a range such as `0.9..1.1`";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Range(from, to) if from <= to => Some(from..=to),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Range(*self.start(), *self.end())
    }
}

/// A position `[y, x]`, or a size `[h, w]`.
impl Argument for [usize; 2] {
    const FORM: &'static str = "two whole numbers in brackets";

    fn from_value(value: Value) -> Option<Self> {
        Vec::from_value(value)?.try_into().ok()
    }

    fn to_value(&self) -> Value {
        self.to_vec().to_value()
    }
}

impl<T: Argument> Argument for Vec<T> {
    const FORM: &'static str = "a list in brackets";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::List(values) => values.into_iter().map(T::from_value).collect(),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::List(self.iter().map(T::to_value).collect())
    }
}

/// Numbers in nested lists of equal lengths, such as a vector `[c]` or a mask `[h, w]`.
impl Argument for Array {
    const FORM: &'static str = "numbers in brackets";

    fn from_value(value: Value) -> Option<Self> {
        let parts = match value {
            Value::List(parts) => parts,
            number => return f32::from_value(number).map(|number| Self { shape: vec![], values: vec![number] }),
        };
        let count = parts.len();
        let mut parts = parts.into_iter().map(Self::from_value);
        let Some(first) = parts.next() else {
            return Some(Self { shape: vec![0], values: vec![] });
        };
        let Self { mut shape, mut values } = first?;
        for part in parts {
            let mut part = part.filter(|part| part.shape == shape)?;
            values.append(&mut part.values);
        }
        shape.insert(0, count);
        Some(Self { shape, values })
    }

    fn to_value(&self) -> Value {
        nested(&self.shape, &self.values)
    }
}

fn nested(shape: &[usize], values: &[f32]) -> Value {
    match shape {
        [] => values[0].to_value(),
        [0, ..] => Value::List(vec![]),
        [count, inner @ ..] => {
            let size = values.len() / count;
            Value::List((0..*count).map(|i| nested(inner, &values[i * size..][..size])).collect())
        }
    }
}
