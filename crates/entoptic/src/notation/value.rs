//! What an argument can be, read and written.

use std::fmt;

use winnow::{Parser, token::any};

use super::syntax::{Input, Parsed, fail, name, peek, starts_name, take, unsigned};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Name(String),
    List(Vec<Value>),
    /// From, and to.
    Range(f64, f64),
}

impl Value {
    /// The next value of a call that is used as `usage` says.
    pub fn parse(usage: &str, input: &mut Input<'_>) -> Parsed<Self> {
        match peek(input)? {
            (Some('['), _) => {
                any.void().parse_next(input)?;
                Ok(Self::List(separated("]", input, |input| Self::parse(usage, input))?))
            }
            (Some('-' | '.' | '0'..='9'), _) => {
                let from = signed(input)?;
                Ok(match take("..", input)? {
                    true => Self::Range(from, signed(input)?),
                    false => Self::Number(from),
                })
            }
            (Some(c), _) if starts_name(c) || c == '"' => Ok(Self::Name(name(input)?)),
            (_, at) => fail(at, format!("`{usage}`")),
        }
    }
}

/// What stands between commas, up to and with `close`.
pub(super) fn separated<'a, T>(
    close: &str,
    input: &mut Input<'a>,
    mut item: impl FnMut(&mut Input<'a>) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    let mut items = Vec::new();
    if take(close, input)? {
        return Ok(items);
    }
    loop {
        items.push(item(input)?);
        if take(close, input)? {
            return Ok(items);
        }
        if !take(",", input)? {
            let (_, at) = peek(input)?;
            return fail(at, format!("`,` or `{close}`"));
        }
    }
}

fn signed(input: &mut Input<'_>) -> Parsed<f64> {
    let negative = take("-", input)?;
    let number = unsigned(input)?;
    Ok(if negative { -number } else { number })
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => Number(*number).fmt(f),
            Self::Name(name) => Name(name).fmt(f),
            Self::Range(from, to) => write!(f, "{}..{}", Number(*from), Number(*to)),
            Self::List(values) => {
                f.write_str("[")?;
                comma_separated(values, f)?;
                f.write_str("]")
            }
        }
    }
}

pub(super) fn comma_separated(items: &[impl fmt::Display], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
    }
    Ok(())
}

/// A number in the fewest digits that are read as the same one.
pub(crate) struct Number(pub f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number) = self;
        match number.abs() {
            0.0 => f.write_str("0"),
            1e-5..1e16 => write!(f, "{number}"),
            _ => write!(f, "{number:e}"),
        }
    }
}

/// A name as it is, or quoted where it needs to be.
pub(crate) struct Name<'a>(pub &'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        if name.starts_with(starts_name) && name.chars().all(in_name) {
            return f.write_str(name);
        }
        write!(f, "\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

pub(super) fn in_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '/' | '.')
}
