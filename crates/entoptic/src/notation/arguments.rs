//! What stands between a call's parentheses.

use winnow::{
    Parser,
    stream::{Location, Stream},
    token::any,
};

use super::{
    argument::Argument,
    syntax::{Input, Parsed, fail, name, peek, starts_name, take},
    value::{Value, separated},
};

/// The arguments of a call, taken one by one: by keyword, else in the order they were given.
#[derive(Debug)]
pub(crate) struct Arguments {
    given: Vec<Given>,
    end: usize,
    usage: String,
}

#[derive(Debug)]
struct Given {
    at: usize,
    keyword: Option<String>,
    value: Value,
}

impl Arguments {
    /// The arguments that come next, none without a parenthesis; `usage` says what they should be, for errors.
    pub fn parse(usage: String, input: &mut Input<'_>) -> Parsed<Self> {
        let (next, end) = peek(input)?;
        if next != Some('(') {
            return Ok(Self { given: Vec::new(), end, usage });
        }
        any.void().parse_next(input)?;
        let given = separated(")", input, |input| Given::parse(&usage, input))?;
        Ok(Self { given, end: input.current_token_start() - 1, usage })
    }

    /// An argument that must be there.
    pub fn required<T: Argument>(&mut self, keyword: &str) -> Parsed<T> {
        self.optional(keyword)?.map_or_else(|| self.wrong(self.end), Ok)
    }

    /// An argument that may be left out.
    pub fn optional<T: Argument>(&mut self, keyword: &str) -> Parsed<Option<T>> {
        let place = self.named(keyword).or_else(|| self.given.iter().position(|given| given.keyword.is_none()));
        self.take(place)
    }

    /// An argument that may be left out and is never without its keyword.
    pub fn keyword<T: Argument>(&mut self, keyword: &str) -> Parsed<Option<T>> {
        let place = self.named(keyword);
        self.take(place)
    }

    /// Refuses arguments that nobody took.
    pub fn finish(&self) -> Parsed<()> {
        self.given.first().map_or(Ok(()), |extra| self.wrong(extra.at))
    }

    fn named(&self, keyword: &str) -> Option<usize> {
        self.given.iter().position(|given| given.keyword.as_deref() == Some(keyword))
    }

    fn take<T: Argument>(&mut self, place: Option<usize>) -> Parsed<Option<T>> {
        let Some(Given { at, value, .. }) = place.map(|place| self.given.remove(place)) else {
            return Ok(None);
        };
        match T::from_value(value) {
            Some(argument) => Ok(Some(argument)),
            None => fail(at, format!("{}, as in `{}`", T::FORM, self.usage)),
        }
    }

    fn wrong<T>(&self, at: usize) -> Parsed<T> {
        fail(at, format!("`{}`", self.usage))
    }
}

impl Given {
    fn parse(usage: &str, input: &mut Input<'_>) -> Parsed<Self> {
        let (next, at) = peek(input)?;
        let start = input.checkpoint();
        if next.is_some_and(starts_name) {
            let keyword = name(input)?;
            if take("=", input)? {
                return Ok(Self { at, keyword: Some(keyword), value: Value::parse(usage, input)? });
            }
            input.reset(&start);
        }
        Ok(Self { at, keyword: None, value: Value::parse(usage, input)? })
    }
}
