//! One notation for all that has a text form: objectives, transforms, params, optimizers.
//!
//! ```text
//! call     = name ["(" [argument ("," argument)*] ")"]
//! argument = [key "="] value
//! value    = number | number ".." number | name | "[" [value ("," value)*] "]"
//! ```
//!
//! A name stands as it is when it is made of letters, digits, `_`, `/` and `.` and starts with no digit; any other name
//! is quoted. What can be called stands in a catalog of [`Entry`]s, which read [`Arguments`]; [`Call`] writes the text.

mod argument;
mod arguments;
mod call;
mod entry;
mod lucid;
mod syntax;
mod value;

pub(crate) use self::{
    argument::Argument,
    arguments::Arguments,
    call::Call,
    entry::{call, named, read, unknown},
    syntax::{Input, Parsed, fail, name, parse, peek, starts_name, take, unsigned, whole_number},
    value::{Number, Value},
};
pub use self::{entry::Entry, syntax::SyntaxError};

/// What serde needs to keep a type as its text: `#[serde(try_from = "String", into = "String")]`.
macro_rules! kept_as_text {
    ($type:ty) => {
        impl TryFrom<String> for $type {
            type Error = $crate::SyntaxError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}
pub(crate) use kept_as_text;

#[cfg(test)]
mod tests;
