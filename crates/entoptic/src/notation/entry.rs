//! What can be called by name.

use super::{
    arguments::Arguments,
    lucid::ours,
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

/// The entry called `name`, here or in Lucid.
pub(crate) fn named<'a, T>(catalog: &'a [Entry<T>], name: &str) -> Option<&'a Entry<T>> {
    catalog.iter().find(|entry| entry.name == ours(name))
}

/// The entry called `name`, which stands at `at`.
pub(crate) fn find<'a, T>(catalog: &'a [Entry<T>], name: &str, at: usize) -> Parsed<&'a Entry<T>> {
    named(catalog, name).map_or_else(|| unknown(catalog, name, at), Ok)
}

/// The error for `name`, which stands at `at` and which no entry has.
pub(crate) fn unknown<T, U>(catalog: &[Entry<T>], name: &str, at: usize) -> Parsed<U> {
    fail(at, known(catalog, name))
}

/// More names than this would bury an error.
const MOST_NAMES: usize = 6;

/// How many an error names instead, and how alike they are at least, of 1.
const NEAREST: (usize, f64) = (3, 0.75);

/// What could stand in place of `name`, which no entry has.
fn known<T>(catalog: &[Entry<T>], name: &str) -> String {
    let (most, least_alike) = NEAREST;
    let alike = |entry| (strsim::jaro_winkler(name, entry), entry);
    let mut nearest: Vec<(f64, &str)> = names(catalog).map(alike).filter(|(alike, _)| *alike > least_alike).collect();
    nearest.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    nearest.truncate(most);
    match &nearest[..] {
        nearest if nearest.is_empty() || catalog.len() <= MOST_NAMES => one_of(catalog),
        [(_, name)] => format!("a known name; the nearest is `{name}`"),
        nearest => format!("a known name; the nearest are {}", quoted(nearest.iter().map(|(_, name)| *name))),
    }
}

fn one_of<T>(catalog: &[Entry<T>]) -> String {
    format!("one of {}", quoted(names(catalog)))
}

fn names<T>(catalog: &[Entry<T>]) -> impl Iterator<Item = &'static str> {
    catalog.iter().map(|entry| entry.name)
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
