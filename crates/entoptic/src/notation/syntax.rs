//! The pieces that every text is made of, and what an error says.

use winnow::{
    LocatingSlice, ModalResult, Parser,
    ascii::{digit0, digit1, multispace0},
    combinator::{alt, delimited, not, opt, preceded, repeat},
    error::{ErrMode, ParserError},
    stream::{Location, Stream},
    token::{any, none_of, one_of, take_while},
};

use super::value::in_name;

/// A text that is not what it should be, and where it stops being it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: expected {expected}")]
pub struct SyntaxError {
    text: String,
    what: &'static str,
    at: usize,
    expected: String,
}

impl SyntaxError {
    /// The text, and under it a caret at the place.
    pub fn caret(&self) -> String {
        let before = self.text[..self.at].chars().count();
        format!("{}\n{:before$}^", self.text, "")
    }
}

pub(crate) type Input<'a> = LocatingSlice<&'a str>;
pub(crate) type Parsed<T> = ModalResult<T, Expected>;

/// What should have stood at a place.
#[derive(Debug)]
pub(crate) struct Expected {
    at: usize,
    what: String,
}

impl<'a> ParserError<Input<'a>> for Expected {
    type Inner = Self;

    fn from_input(input: &Input<'a>) -> Self {
        Self { at: input.current_token_start(), what: "something else".into() }
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

/// The whole of `text`, which should be `what` ("an objective"); `parser` says itself what may stand at the end.
pub(crate) fn parse<T>(
    text: &str,
    what: &'static str,
    parser: impl FnOnce(&mut Input<'_>) -> Parsed<T>,
) -> Result<T, SyntaxError> {
    let error = |at: usize, expected| SyntaxError { text: text.to_owned(), what, at: at.min(text.len()), expected };
    if let Some(at) = too_deep(text) {
        return Err(error(at, format!("at most {DEEPEST} brackets within each other")));
    }
    parser(&mut LocatingSlice::new(text)).map_err(|failure| match failure {
        ErrMode::Backtrack(expected) | ErrMode::Cut(expected) => error(expected.at, expected.what),
        ErrMode::Incomplete(_) => unreachable!("the whole text is there"),
    })
}

/// More brackets within each other than anyone writes, and far fewer than the stack holds.
const DEEPEST: usize = 64;

/// Where there are more, if anywhere.
fn too_deep(text: &str) -> Option<usize> {
    let (mut open, mut quoted, mut escaped) = (0usize, false, false);
    text.bytes().position(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'(' | b'[' if !quoted => open += 1,
            b')' | b']' if !quoted => open = open.saturating_sub(1),
            _ => {}
        }
        open > DEEPEST
    })
}

pub(crate) fn fail<T>(at: usize, what: impl Into<String>) -> Parsed<T> {
    Err(ErrMode::Cut(Expected { at, what: what.into() }))
}

/// The next character that is no space, and its place, without taking it.
pub(crate) fn peek(input: &mut Input<'_>) -> Parsed<(Option<char>, usize)> {
    multispace0.void().parse_next(input)?;
    Ok((input.peek_token(), input.current_token_start()))
}

/// Takes `token` if it is next, spaces before it aside.
pub(crate) fn take(token: &str, input: &mut Input<'_>) -> Parsed<bool> {
    Ok(preceded(multispace0, opt(token)).parse_next(input)?.is_some())
}

/// Whether a name can start with `c` without quotes.
pub(crate) fn starts_name(c: char) -> bool {
    in_name(c) && !c.is_ascii_digit() && c != '.'
}

/// A name as it is, or quoted; in quotes `\` stands before `"` and `\`.
pub(crate) fn name(input: &mut Input<'_>) -> Parsed<String> {
    if input.peek_token() != Some('"') {
        return take_while(1.., in_name).map(str::to_owned).parse_next(input);
    }
    let at = input.current_token_start();
    let inside = repeat(0.., alt((preceded('\\', any), none_of(['"', '\\']))));
    delimited('"', inside, '"').parse_next(input).or_else(|_: ErrMode<Expected>| fail(at, "a closing `\"`"))
}

/// A number without a sign. Of two points in a row it takes none, so that `1..2` is a range.
pub(crate) fn unsigned(input: &mut Input<'_>) -> Parsed<f64> {
    let (_, at) = peek(input)?;
    let fraction = opt(('.', not('.'), digit0));
    let exponent = opt((one_of(['e', 'E']), opt(one_of(['+', '-'])), digit1));
    let text = (digit0, fraction, exponent).take().parse_next(input)?;
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => fail(at, "a number"),
    }
}

/// A whole number; `what` says which, where there is none.
pub(crate) fn whole_number(what: &str, input: &mut Input<'_>) -> Parsed<usize> {
    let (_, at) = peek(input)?;
    let digits: &str = digit0.parse_next(input)?;
    digits.parse().ok().filter(|&number| number <= LARGEST_WHOLE).map_or_else(|| fail(at, what), Ok)
}

/// Up to here every whole number is one of double precision.
pub(super) const LARGEST_WHOLE: usize = 1 << f64::MANTISSA_DIGITS;
