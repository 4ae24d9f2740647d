//! The text form of objectives, parsed.
//!
//! ```text
//! sum      = product (("+" | "-") product)*
//! product  = factor ("*" factor)*
//! factor   = "-"* ("(" sum ")" | number | layer ":" channel | name "(" arguments ")")
//! ```
//!
//! A layer's name stands as it is when it is made of letters, digits, `_`, `/` and `.` and starts with no digit; any
//! other name is quoted.

use std::str::FromStr;

use winnow::{
    LocatingSlice, ModalResult, Parser,
    ascii::{dec_uint, float, multispace0},
    combinator::{alt, delimited, opt, preceded, repeat},
    error::{ErrMode, ParserError},
    stream::{Location, Stream},
    token::{any, none_of, take_while},
};

use super::{
    Objective, channel, neuron, neuron_at,
    print::{in_name, starts_name},
};

/// A text that is no objective, and where it stops being one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an objective: expected {expected}")]
pub struct SyntaxError {
    text: String,
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

impl FromStr for Objective {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        if let Some(at) = too_deep(text) {
            let expected = format!("at most {DEEPEST} parentheses within each other");
            return Err(SyntaxError { text: text.to_owned(), at, expected });
        }
        (sum, end).map(|(objective, ())| objective).parse(LocatingSlice::new(text)).map_err(|error| {
            let Expected { at, what } = error.into_inner();
            SyntaxError { text: text.to_owned(), at: at.min(text.len()), expected: what }
        })
    }
}

/// More parentheses within each other than anyone writes, and far fewer than the stack holds.
const DEEPEST: usize = 64;

/// Where there are more, if anywhere.
fn too_deep(text: &str) -> Option<usize> {
    let mut open = 0usize;
    text.bytes().position(|byte| {
        match byte {
            b'(' => open += 1,
            b')' => open = open.saturating_sub(1),
            _ => {}
        }
        open > DEEPEST
    })
}

impl TryFrom<String> for Objective {
    type Error = SyntaxError;

    fn try_from(text: String) -> Result<Self, SyntaxError> {
        text.parse()
    }
}

impl From<Objective> for String {
    fn from(objective: Objective) -> Self {
        objective.to_string()
    }
}

type Input<'a> = LocatingSlice<&'a str>;
type Parsed<T> = ModalResult<T, Expected>;

/// What should have stood at a place.
#[derive(Debug)]
struct Expected {
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

fn fail<T>(at: usize, what: impl Into<String>) -> Parsed<T> {
    Err(ErrMode::Cut(Expected { at, what: what.into() }))
}

/// The next character that is no space, without taking it.
fn peek(input: &mut Input<'_>) -> Parsed<Option<char>> {
    multispace0.void().parse_next(input)?;
    Ok(input.peek_token())
}

/// Takes `c` if it is next, spaces before it aside.
fn take(c: char, input: &mut Input<'_>) -> Parsed<bool> {
    Ok(preceded(multispace0, opt(c)).parse_next(input)?.is_some())
}

fn end(input: &mut Input<'_>) -> Parsed<()> {
    match peek(input)? {
        None => Ok(()),
        Some(_) => fail(input.current_token_start(), "`+`, `-`, `*` or the end"),
    }
}

fn sum(input: &mut Input<'_>) -> Parsed<Objective> {
    let mut sum = product(input)?;
    loop {
        match peek(input)? {
            Some('+') => sum = sum + preceded(any, product).parse_next(input)?,
            Some('-') => sum = sum - preceded(any, product).parse_next(input)?,
            _ => return Ok(sum),
        }
    }
}

fn product(input: &mut Input<'_>) -> Parsed<Objective> {
    let mut product = factor(input)?;
    while take('*', input)? {
        product = product * factor(input)?;
    }
    Ok(product)
}

fn factor(input: &mut Input<'_>) -> Parsed<Objective> {
    let mut negative = false;
    while take('-', input)? {
        negative = !negative;
    }
    let positive = unsigned(input)?;
    Ok(if negative { -positive } else { positive })
}

fn unsigned(input: &mut Input<'_>) -> Parsed<Objective> {
    let next = peek(input)?;
    let at = input.current_token_start();
    match next {
        Some('(') => {
            let inner = preceded(any, sum).parse_next(input)?;
            match take(')', input)? {
                true => Ok(inner),
                false => fail(input.current_token_start(), "`)`"),
            }
        }
        Some(c) if c.is_ascii_digit() || c == '.' => match float::<_, f64, Expected>.parse_next(input) {
            Ok(number) if number.is_finite() => Ok(number.into()),
            _ => fail(at, "a number"),
        },
        Some(c) if starts_name(c) || c == '"' => {
            let name = name(input)?;
            if take(':', input)? {
                return Ok(channel(name, whole_number("a channel, as in `fire5:20`", input)?));
            }
            if take('(', input)? {
                return call(&name, at, input);
            }
            let what = match BUILT_IN.iter().find(|known| known.name == name) {
                Some(known) => format!("`{}`", known.usage),
                None => "`:` and a channel, as in `fire5:20`, or `(`".into(),
            };
            fail(input.current_token_start(), what)
        }
        _ => fail(at, "an objective, such as `fire5:20` or `neuron(fire5, 20)`"),
    }
}

fn name(input: &mut Input<'_>) -> Parsed<String> {
    if input.peek_token() != Some('"') {
        return take_while(1.., in_name).map(str::to_owned).parse_next(input);
    }
    let at = input.current_token_start();
    let inside = repeat(0.., alt((preceded('\\', any), none_of(['"', '\\']))));
    delimited('"', inside, '"').parse_next(input).or_else(|_: ErrMode<Expected>| fail(at, "a closing `\"`"))
}

fn whole_number(what: &str, input: &mut Input<'_>) -> Parsed<usize> {
    peek(input)?;
    let at = input.current_token_start();
    dec_uint::<_, usize, ErrMode<Expected>>.parse_next(input).or_else(|_| fail(at, what))
}

/// An objective that can be called by name.
struct BuiltIn {
    name: &'static str,
    usage: &'static str,
    build: fn(&mut Arguments) -> Parsed<Objective>,
}

const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "channel",
        usage: "channel(layer, channel, batch=image)",
        build: |arguments| {
            Ok(channel(arguments.layer()?, arguments.number("channel")?.map_or_else(|| arguments.missing(), Ok)?))
        },
    },
    BuiltIn {
        name: "neuron",
        usage: "neuron(layer, channel, [y, x], batch=image)",
        build: |arguments| {
            let layer = arguments.layer()?;
            let unit = arguments.number("channel")?.map_or_else(|| arguments.missing(), Ok)?;
            Ok(match arguments.position()? {
                Some(position) => neuron_at(layer, unit, position),
                None => neuron(layer, unit),
            })
        },
    },
];

fn call(name: &str, at: usize, input: &mut Input<'_>) -> Parsed<Objective> {
    let Some(built_in) = BUILT_IN.iter().find(|known| known.name == name) else {
        let known: Vec<String> = BUILT_IN.iter().map(|known| format!("`{}`", known.usage)).collect();
        return fail(at, known.join(" or "));
    };
    let mut arguments = Arguments { given: Vec::new(), end: 0, usage: built_in.usage };
    if !take(')', input)? {
        loop {
            arguments.given.push(argument(built_in.usage, input)?);
            if take(')', input)? {
                break;
            }
            if !take(',', input)? {
                return fail(input.current_token_start(), "`,` or `)`");
            }
        }
    }
    arguments.end = input.current_token_start() - 1;
    let objective = (built_in.build)(&mut arguments)?;
    let batch = arguments.keyword("batch")?;
    arguments.finish()?;
    Ok(match batch {
        Some(image) => objective.batch(image),
        None => objective,
    })
}

struct Argument {
    at: usize,
    keyword: Option<String>,
    value: Value,
}

enum Value {
    Name(String),
    Number(usize),
    Position([usize; 2]),
}

fn argument(usage: &str, input: &mut Input<'_>) -> Parsed<Argument> {
    peek(input)?;
    let at = input.current_token_start();
    let start = input.checkpoint();
    if input.peek_token().is_some_and(starts_name) {
        let keyword = name(input)?;
        if take('=', input)? {
            return Ok(Argument { at, keyword: Some(keyword), value: value(usage, input)? });
        }
        input.reset(&start);
    }
    Ok(Argument { at, keyword: None, value: value(usage, input)? })
}

fn value(usage: &str, input: &mut Input<'_>) -> Parsed<Value> {
    match peek(input)? {
        Some('[') => {
            any.void().parse_next(input)?;
            let y = whole_number("a position `[y, x]`", input)?;
            let comma = take(',', input)?;
            let x = whole_number("a position `[y, x]`", input)?;
            match comma && take(']', input)? {
                true => Ok(Value::Position([y, x])),
                false => fail(input.current_token_start(), "a position `[y, x]`"),
            }
        }
        Some(c) if c.is_ascii_digit() => Ok(Value::Number(whole_number("a whole number", input)?)),
        Some(c) if starts_name(c) || c == '"' => Ok(Value::Name(name(input)?)),
        _ => fail(input.current_token_start(), format!("`{usage}`")),
    }
}

/// What stands between a call's parentheses, taken by position or by keyword.
struct Arguments {
    given: Vec<Argument>,
    end: usize,
    usage: &'static str,
}

impl Arguments {
    fn layer(&mut self) -> Parsed<String> {
        match self.next("layer") {
            Some(Argument { value: Value::Name(layer), .. }) => Ok(layer),
            Some(other) => self.wrong(other.at),
            None => self.missing(),
        }
    }

    fn number(&mut self, keyword: &str) -> Parsed<Option<usize>> {
        match self.next(keyword) {
            Some(Argument { value: Value::Number(number), .. }) => Ok(Some(number)),
            Some(other) => self.wrong(other.at),
            None => Ok(None),
        }
    }

    fn position(&mut self) -> Parsed<Option<[usize; 2]>> {
        match self.next("position") {
            Some(Argument { value: Value::Position(position), .. }) => Ok(Some(position)),
            Some(other) => self.wrong(other.at),
            None => Ok(None),
        }
    }

    fn keyword(&mut self, keyword: &str) -> Parsed<Option<usize>> {
        match self.given.iter().any(|argument| argument.keyword.as_deref() == Some(keyword)) {
            true => self.number(keyword),
            false => Ok(None),
        }
    }

    /// The argument called `keyword`, else the first without a keyword.
    fn next(&mut self, keyword: &str) -> Option<Argument> {
        let named = self.given.iter().position(|argument| argument.keyword.as_deref() == Some(keyword));
        let place = named.or_else(|| self.given.iter().position(|argument| argument.keyword.is_none()))?;
        Some(self.given.remove(place))
    }

    fn finish(&self) -> Parsed<()> {
        self.given.first().map_or(Ok(()), |extra| self.wrong(extra.at))
    }

    fn missing<T>(&self) -> Parsed<T> {
        self.wrong(self.end)
    }

    fn wrong<T>(&self, at: usize) -> Parsed<T> {
        fail(at, format!("`{}`", self.usage))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    fn parse(text: &str) -> Objective {
        text.parse().unwrap_or_else(|error: SyntaxError| panic!("{error}\n{}", error.caret()))
    }

    #[test]
    fn the_short_form_is_a_channel() {
        assert_eq!(parse("fire5/expand3x3:20"), channel("fire5/expand3x3", 20));
        assert_eq!(
            parse(" InceptionV4/InceptionV4/Mixed_6b/concat : 0 "),
            parse("InceptionV4/InceptionV4/Mixed_6b/concat:0")
        );
    }

    #[test]
    fn operators_bind_as_in_arithmetic() {
        let (a, b, c) = (channel("a", 1), neuron("b", 2), channel("c", 3));
        assert_eq!(parse("a:1 - 2*neuron(b, 2)*c:3"), a.clone() - 2.0 * b.clone() * c.clone());
        assert_eq!(parse("-(a:1 + neuron(b,2)) * c:3 + 1.5"), -(a.clone() + b.clone()) * c.clone() + 1.5);
        assert_eq!(parse("a:1 - (neuron(b, 2) - c:3)"), a - (b - c));
    }

    #[test]
    fn arguments_have_names() {
        assert_eq!(parse("neuron(b, channel=2, position=[3, 4], batch=1)"), neuron_at("b", 2, [3, 4]).batch(1));
        assert_eq!(parse("channel(batch=1, channel=2, layer=b)"), channel("b", 2).batch(1));
        assert_eq!(parse(r#"channel("odd \"name\"-1", 2)"#), channel("odd \"name\"-1", 2));
    }

    #[test]
    fn an_error_points_at_its_place() {
        let caret = |text: &str| {
            let error = text.parse::<Objective>().unwrap_err();
            let caret = error.caret().lines().last().unwrap().len() - 1;
            (caret, error.to_string())
        };
        let table = [
            ("", 0, "an objective, such as `fire5:20` or `neuron(fire5, 20)`"),
            ("fire5:", 6, "a channel, as in `fire5:20`"),
            ("fire5:x", 6, "a channel, as in `fire5:20`"),
            ("fire5", 5, "`:` and a channel, as in `fire5:20`, or `(`"),
            ("a:1 + ", 6, "an objective, such as `fire5:20` or `neuron(fire5, 20)`"),
            ("a:1 b:2", 4, "`+`, `-`, `*` or the end"),
            ("a:b:3", 2, "a channel, as in `fire5:20`"),
            ("(a:1", 4, "`)`"),
            ("channel(a)", 9, "`channel(layer, channel, batch=image)`"),
            ("channel(a, 1, 2)", 14, "`channel(layer, channel, batch=image)`"),
            ("channel(a, 1, z=2)", 14, "`channel(layer, channel, batch=image)`"),
            ("neuron(a, 1, [2])", 15, "a position `[y, x]`"),
            (
                "chanel(a, 1)",
                0,
                "`channel(layer, channel, batch=image)` or `neuron(layer, channel, [y, x], batch=image)`",
            ),
            ("channel(a, -1)", 11, "`channel(layer, channel, batch=image)`"),
            ("\"a:1", 0, "a closing `\"`"),
            ("1e999*a:1", 0, "a number"),
            ("é:1 é", 4, "`+`, `-`, `*` or the end"),
        ];
        for (text, place, expected) in table {
            assert_eq!(caret(text), (place, format!("`{text}` is not an objective: expected {expected}")), "{text}");
        }
    }

    fn text(characters: &'static str, length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
        let character = proptest::sample::select(characters.chars().collect::<Vec<_>>());
        proptest::collection::vec(character, length).prop_map(String::from_iter)
    }

    fn objectives() -> impl Strategy<Value = Objective> {
        let layer = prop_oneof![text("abz_/.09", 1..9), text("a\"\\ :é-)+", 0..7), Just("concat:0".to_owned())];
        let batch = proptest::option::of(0..5usize);
        let position = proptest::option::of([0..30usize, 0..30usize]);
        let term = (layer, 0..2000usize, any::<bool>(), position, batch).prop_map(|(layer, unit, whole, at, batch)| {
            let objective = match (whole, at) {
                (true, _) => channel(layer, unit),
                (false, Some(at)) => neuron_at(layer, unit, at),
                (false, None) => neuron(layer, unit),
            };
            batch.map_or(objective.clone(), |image| objective.batch(image))
        });
        let number = prop_oneof![-10.0..10.0f64, Just(1.0), Just(-1.0), Just(0.0), Just(1e-12), Just(-3e20)];
        let leaf = prop_oneof![4 => term, 1 => number.clone().prop_map(Objective::from)];
        leaf.prop_recursive(5, 32, 2, move |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| a + b),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| a - b),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| a * b),
                (inner.clone(), number.clone()).prop_map(|(a, k)| k * a),
                inner.prop_map(|a| -a),
            ]
        })
    }

    #[test]
    fn depth_does_not_exhaust_the_stack() {
        let nested = |depth: usize| format!("{}a:1{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(parse(&nested(DEEPEST)), channel("a", 1));
        assert!(nested(1_000_000).parse::<Objective>().is_err());
        assert_eq!(parse(&format!("{}a:1", "-".repeat(1_000_001))), -channel("a", 1));
        let long = vec!["a:1"; 10_000].join(" + ");
        assert_eq!(parse(&long).to_string().len(), "channel(a, 1) + ".len() * 10_000 - 3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn what_is_printed_parses_back(objective in objectives()) {
            let text = objective.to_string();
            prop_assert_eq!(parse(&text), objective, "{}", text);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in text("abch1290:(),[]\"\\*+ .=é-", 0..20)) {
            if let Err(error) = text.parse::<Objective>() {
                error.caret();
            }
        }
    }
}
