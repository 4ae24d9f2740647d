//! A call, written so that it parses back.

use std::fmt;

use super::{
    argument::Argument,
    value::{Value, comma_separated},
};

/// A call as text: `name`, or `name(argument, key=argument)`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    name: &'static str,
    arguments: Vec<Written>,
}

#[derive(Debug, Clone, PartialEq)]
struct Written {
    keyword: Option<&'static str>,
    value: Value,
}

impl Call {
    pub fn new(name: &'static str) -> Self {
        Self { name, arguments: Vec::new() }
    }

    /// The next argument by position.
    pub fn argument(self, value: &impl Argument) -> Self {
        self.with(None, value)
    }

    /// An argument by keyword.
    pub fn keyword(self, keyword: &'static str, value: &impl Argument) -> Self {
        self.with(Some(keyword), value)
    }

    /// An argument by keyword, if there is one.
    pub fn optional<T: Argument>(self, keyword: &'static str, value: Option<&T>) -> Self {
        match value {
            Some(value) => self.keyword(keyword, value),
            None => self,
        }
    }

    /// An argument by keyword, left out where it is its default.
    pub fn unless<T: Argument + PartialEq>(self, default: &T, keyword: &'static str, value: &T) -> Self {
        self.optional(keyword, Some(value).filter(|value| *value != default))
    }

    fn with(mut self, keyword: Option<&'static str>, value: &impl Argument) -> Self {
        self.arguments.push(Written { keyword, value: value.to_value() });
        self
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.arguments.is_empty() {
            return Ok(());
        }
        f.write_str("(")?;
        comma_separated(&self.arguments, f)?;
        f.write_str(")")
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.keyword {
            Some(keyword) => write!(f, "{keyword}={}", self.value),
            None => self.value.fmt(f),
        }
    }
}
