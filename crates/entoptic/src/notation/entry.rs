//! What can be called by name.

use super::{
    arguments::Arguments,
    syntax::{Input, Parsed, SyntaxError, fail, name, parse, peek, starts_name},
};

/// One thing of a catalog: what it is called, what it takes, what it is.
///
/// ```
/// use entoptic::objective::{CATALOG, Objective};
///
/// let channel = CATALOG.iter().find(|entry| entry.name == "channel").unwrap();
/// assert_eq!(channel.usage, "channel(layer, channel)");
/// assert!(channel.example.parse::<Objective>().is_ok());
/// ```
#[derive(Debug)]
pub struct Entry<T> {
    /// The name it is called by.
    pub name: &'static str,
    /// Its arguments, by their keywords and in their order.
    pub usage: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// A text that is one.
    pub example: &'static str,
    /// Takes its arguments.
    pub(crate) read: fn(&mut Arguments) -> Parsed<T>,
}

impl<T> Entry<T> {
    /// It, with the arguments that come next.
    pub(crate) fn call(&self, input: &mut Input<'_>) -> Parsed<T> {
        self.call_with("", input, |value, _| Ok(value))
    }

    /// The same where all of a catalog take the keywords `common`, which `more` takes.
    pub(crate) fn call_with(
        &self,
        common: &str,
        input: &mut Input<'_>,
        more: impl FnOnce(T, &mut Arguments) -> Parsed<T>,
    ) -> Parsed<T> {
        let mut arguments = Arguments::parse(self.usage_with(common), input)?;
        let value = (self.read)(&mut arguments)?;
        let value = more(value, &mut arguments)?;
        arguments.finish()?;
        Ok(value)
    }

    /// The usage with the keywords `common` behind its own arguments.
    pub(crate) fn usage_with(&self, common: &str) -> String {
        match self.usage.strip_suffix(')') {
            Some(usage) if !common.is_empty() => format!("{usage}, {common})"),
            None if !common.is_empty() => format!("{}({common})", self.usage),
            _ => self.usage.to_owned(),
        }
    }
}

/// The whole of `text`: one call from a catalog of what should be `what` ("a param").
pub(crate) fn read<T>(text: &str, what: &'static str, catalog: &[Entry<T>]) -> Result<T, SyntaxError> {
    parse(text, what, |input| {
        let value = call(catalog, input)?;
        match peek(input)? {
            (None, _) => Ok(value),
            (Some(_), at) => fail(at, "the end"),
        }
    })
}

/// The call that comes next, of something in a catalog.
pub(crate) fn call<T>(catalog: &[Entry<T>], input: &mut Input<'_>) -> Parsed<T> {
    match peek(input)? {
        (Some(c), at) if starts_name(c) => find(catalog, &name(input)?, at)?.call(input),
        (_, at) => fail(at, one_of(catalog)),
    }
}

/// The entry called `name`, which stands at `at`.
pub(crate) fn find<'a, T>(catalog: &'a [Entry<T>], name: &str, at: usize) -> Parsed<&'a Entry<T>> {
    catalog.iter().find(|entry| entry.name == name).map_or_else(|| fail(at, one_of(catalog)), Ok)
}

fn one_of<T>(catalog: &[Entry<T>]) -> String {
    let names: Vec<String> = catalog.iter().map(|entry| format!("`{}`", entry.name)).collect();
    format!("one of {}", names.join(", "))
}
