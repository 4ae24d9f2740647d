//! The text form of objectives, parsed.
//!
//! ```text
//! sum      = product (("+" | "-") product)*
//! product  = factor ("*" factor | "/" number)*
//! factor   = "-"* (["abs"] "(" sum ")" | number | layer ":" channel | call)
//! ```
//!
//! Layers' names and calls are written as everywhere, see [`notation`](crate::notation).

use std::str::FromStr;

use winnow::{Parser, combinator::preceded, token::any};

use super::{CATALOG, Objective, channel, common};
use crate::notation::{
    Input, Parsed, SyntaxError, fail, kept_as_text, name, named, parse, peek, starts_name, take, unknown, unsigned,
    whole_number,
};

impl FromStr for Objective {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        parse(text, "an objective", |input| {
            let objective = sum(input)?;
            match peek(input)? {
                (None, _) if !objective.0.is_finite() => fail(0, "numbers whose sums and products are finite"),
                (None, _) => Ok(objective),
                (Some(_), at) => fail(at, "`+`, `-`, `*`, `/` or the end"),
            }
        })
    }
}

kept_as_text!(Objective);

fn sum(input: &mut Input<'_>) -> Parsed<Objective> {
    let mut sum = product(input)?;
    loop {
        match peek(input)? {
            (Some('+'), _) => sum = sum + preceded(any, product).parse_next(input)?,
            (Some('-'), _) => sum = sum - preceded(any, product).parse_next(input)?,
            _ => return Ok(sum),
        }
    }
}

fn product(input: &mut Input<'_>) -> Parsed<Objective> {
    let mut product = factor(input)?;
    loop {
        match peek(input)? {
            (Some('*'), _) => product = product * preceded(any, factor).parse_next(input)?,
            (Some('/'), _) => product = product / preceded(any, divisor).parse_next(input)?,
            _ => return Ok(product),
        }
    }
}

fn factor(input: &mut Input<'_>) -> Parsed<Objective> {
    let negative = signs(input)?;
    let positive = positive(input)?;
    Ok(if negative { -positive } else { positive })
}

fn divisor(input: &mut Input<'_>) -> Parsed<f64> {
    let negative = signs(input)?;
    let (next, at) = peek(input)?;
    if !next.is_some_and(starts_number) {
        return fail(at, "a number to divide by");
    }
    match unsigned(input)? {
        number if number.recip().is_infinite() => fail(at, "a number to divide by that is not 0"),
        number => Ok(if negative { -number } else { number }),
    }
}

fn signs(input: &mut Input<'_>) -> Parsed<bool> {
    let mut negative = false;
    while take("-", input)? {
        negative = !negative;
    }
    Ok(negative)
}

fn starts_number(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

fn positive(input: &mut Input<'_>) -> Parsed<Objective> {
    match peek(input)? {
        (Some('('), _) => parenthesized(input),
        (Some(c), _) if starts_number(c) => Ok(unsigned(input)?.into()),
        (Some(c), at) if starts_name(c) || c == '"' => {
            let name = name(input)?;
            match peek(input)? {
                (Some(':'), _) => {
                    let number = |input: &mut Input<'_>| whole_number("a channel, as in `fire5:20`", input);
                    Ok(channel(name, preceded(any, number).parse_next(input)?))
                }
                (Some('('), _) if name == ABSOLUTE => Ok(parenthesized(input)?.abs()),
                (next, behind) => match named(CATALOG, &name) {
                    Some(entry) => entry.call_with(common::USAGE, input, common::read),
                    None if next == Some('(') => unknown(CATALOG, &name, at),
                    None => fail(behind, "`:` and a channel, as in `fire5:20`, or `(`"),
                },
            }
        }
        (_, at) => fail(at, "an objective, such as `fire5:20` or `neuron(fire5, 20)`"),
    }
}

/// The name of the one function of an objective.
const ABSOLUTE: &str = "abs";

fn parenthesized(input: &mut Input<'_>) -> Parsed<Objective> {
    let inner = preceded(any, sum).parse_next(input)?;
    match (take(")", input)?, peek(input)?) {
        (true, _) => Ok(inner),
        (false, (_, at)) => fail(at, "`)`"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{
        option,
        prelude::{Just, ProptestConfig, Strategy, prop_assert_eq, prop_oneof, proptest},
    };

    use super::*;
    use crate::{
        array::Array,
        objective::{
            self, BoundaryConfig, Class, Distance, Given, StyleConfig, StyleTarget, WhitenedConfig, alignment,
            blur_alpha_each_step, blur_input_each_step, channel_interpolate, class_logit, deepdream, direction,
            direction_neuron, direction_neuron_at, direction_neuron_s, diversity, dot_compare, input_diff, l1, l2,
            neuron, neuron_at, penalize_boundary_complexity, style, tensor_direction, total_variation,
        },
    };

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
        assert_eq!(parse("a:1 - (neuron(b, 2) - c:3)"), a.clone() - (b.clone() - c.clone()));
        assert_eq!(parse("a:1/2 - neuron(b, 2) / -4 * c:3"), 0.5 * a + 0.25 * b * c);
        assert_eq!(parse("6 / 3"), 2.0.into());
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
            ("a:1 b:2", 4, "`+`, `-`, `*`, `/` or the end"),
            ("a:b:3", 2, "a channel, as in `fire5:20`"),
            ("(a:1", 4, "`)`"),
            ("channel(a)", 9, "`channel(layer, channel, batch=image, model=name, mask=numbers)`"),
            ("channel(a, 1, 2)", 14, "`channel(layer, channel, batch=image, model=name, mask=numbers)`"),
            ("channel(a, 1, z=2)", 14, "`channel(layer, channel, batch=image, model=name, mask=numbers)`"),
            (
                "neuron(a, 1, [2])",
                13,
                "two whole numbers in brackets, as in `neuron(layer, channel, position=[y, x], batch=image, model=name, mask=numbers)`",
            ),
            (
                "channel(a, -1)",
                11,
                "a whole number, as in `channel(layer, channel, batch=image, model=name, mask=numbers)`",
            ),
            (
                "channel(a, 1.5)",
                11,
                "a whole number, as in `channel(layer, channel, batch=image, model=name, mask=numbers)`",
            ),
            (
                "channel(a, 1e300)",
                11,
                "a whole number, as in `channel(layer, channel, batch=image, model=name, mask=numbers)`",
            ),
            (
                "channel(a, 1, batch=x)",
                14,
                "a whole number, as in `channel(layer, channel, batch=image, model=name, mask=numbers)`",
            ),
            ("channel(a; 1)", 9, "`,` or `)`"),
            ("channel", 7, "`channel(layer, channel, batch=image, model=name, mask=numbers)`"),
            ("a:99999999999999999999", 2, "a channel, as in `fire5:20`"),
            ("a:1 / b:2", 6, "a number to divide by"),
            ("a:1 / 0", 6, "a number to divide by that is not 0"),
            ("\"a:1", 0, "a closing `\"`"),
            ("1e999*a:1", 0, "a number"),
            ("1e200*1e200*a:1", 0, "numbers whose sums and products are finite"),
            ("1e308*10 - 1e308*10", 0, "numbers whose sums and products are finite"),
            ("é:1 é", 4, "`+`, `-`, `*`, `/` or the end"),
        ];
        for (text, place, expected) in table {
            assert_eq!(caret(text), (place, format!("`{text}` is not an objective: expected {expected}")), "{text}");
        }
    }

    fn text(characters: &'static str, length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
        let character = proptest::sample::select(characters.chars().collect::<Vec<_>>());
        proptest::collection::vec(character, length).prop_map(String::from_iter)
    }

    /// Every kind of objective with arguments of every form.
    fn terms() -> impl Strategy<Value = Objective> {
        let layer = || prop_oneof![text("abz_/.09", 1..9), text("a\"\\ :é-)+", 0..7), Just("concat:0".to_owned())];
        let number = || prop_oneof![-10.0..10.0f64, Just(0.0), Just(1.0), Just(0.5), Just(1e-12), Just(20.0)];
        let given = || {
            let values = proptest::collection::vec(-9.0..9.0f32, 0..4).prop_map(Given::from);
            let shape = proptest::collection::vec(1..3usize, 2..5);
            let array = shape.prop_map(|shape| {
                let values = (0..shape.iter().product()).map(|i: usize| i as f32 * 0.7 - 1.0).collect();
                Given::from(Array { shape, values })
            });
            prop_oneof![values, array, layer().prop_map(|path| Given::File(path.into()))]
        };
        let class = prop_oneof![(0..1000usize).prop_map(Class::from), layer().prop_map(Class::from)];
        let style_target = prop_oneof![(0..4usize).prop_map(StyleTarget::Image), given().prop_map(StyleTarget::Gram)];
        let distance = prop_oneof![Just(Distance::L1), Just(Distance::L2)];
        let style_config =
            (distance, option::of(0.0..1.0f64)).prop_map(|(distance, ema_decay)| StyleConfig { distance, ema_decay });
        let position = || [0..30usize, 0..30usize];
        let boundary = (0..40usize, number()).prop_map(|(width, gray)| BoundaryConfig { width, gray });
        let term = prop_oneof![
            (layer(), 0..2000usize).prop_map(|(layer, unit)| channel(layer, unit)),
            (layer(), 0..2000usize).prop_map(|(layer, unit)| neuron(layer, unit)),
            (layer(), 0..2000usize, position()).prop_map(|(layer, unit, at)| neuron_at(layer, unit, at)),
            layer().prop_map(objective::layer),
            layer().prop_map(deepdream),
            (layer(), given(), number()).prop_map(|(layer, given, power)| direction(layer, given, power)),
            (layer(), given(), number()).prop_map(|(layer, given, power)| direction_neuron(layer, given, power)),
            (layer(), given(), position(), number())
                .prop_map(|(layer, given, at, power)| direction_neuron_at(layer, given, at, power)),
            (layer(), given(), number()).prop_map(|(layer, given, power)| tensor_direction(layer, given, power)),
            (layer(), class).prop_map(|(layer, class)| class_logit(layer, class)),
            (layer(), 0..99usize, layer(), 0..99usize).prop_map(|(a, i, b, j)| channel_interpolate((a, i), (b, j))),
            (layer(), number()).prop_map(|(layer, decay)| alignment(layer, decay)),
            layer().prop_map(diversity),
            (layer(), number()).prop_map(|(layer, power)| dot_compare(layer, power)),
            (layer(), style_target, style_config).prop_map(|(layer, target, config)| style(layer, target, config)),
            given().prop_map(input_diff),
            (layer(), given(), option::of(given()), option::of(position()), number()).prop_map(
                |(layer, direction, whiten, position, cossim_pow)| {
                    let objective = direction_neuron_s(layer, direction, WhitenedConfig { position, cossim_pow });
                    whiten.into_iter().fold(objective, Objective::whitened)
                }
            ),
            layer().prop_map(total_variation),
            (layer(), number()).prop_map(|(layer, constant)| l1(layer, constant)),
            (layer(), number(), number()).prop_map(|(layer, constant, epsilon)| l2(layer, constant, epsilon)),
            Just(blur_input_each_step()),
            Just(blur_alpha_each_step()),
            boundary.prop_map(penalize_boundary_complexity),
        ];
        let common = (option::of(0..5usize), option::of(layer()), option::of(given()));
        (term, common).prop_map(|(mut objective, (batch, model, mask))| {
            objective = batch.into_iter().fold(objective, Objective::batch);
            objective = model.into_iter().fold(objective, Objective::on);
            mask.into_iter().fold(objective, Objective::masked)
        })
    }

    fn objectives() -> impl Strategy<Value = Objective> {
        let number =
            prop_oneof![-10.0..10.0f64, Just(1.0), Just(-1.0), Just(0.0), Just(1e-12), Just(-3e20), Just(1.0 / 3.0)];
        let leaf = prop_oneof![4 => terms(), 1 => number.clone().prop_map(Objective::from)];
        leaf.prop_recursive(5, 32, 2, move |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| a + b),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| a - b),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| a * b),
                (inner.clone(), number.clone()).prop_map(|(a, k)| k * a),
                (inner.clone(), 0.1..10.0f64).prop_map(|(a, k)| a / k),
                inner.clone().prop_map(|a| -a),
                inner.prop_map(Objective::abs),
            ]
        })
    }

    #[test]
    fn depth_does_not_exhaust_the_stack() {
        let nested = |depth: usize| format!("{}a:1{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(parse(&nested(64)), channel("a", 1));
        assert!(nested(1_000_000).parse::<Objective>().is_err());
        assert!(format!("neuron(a, 1, {})", "[".repeat(1_000_000)).parse::<Objective>().is_err());
        let quoted = channel("(".repeat(1000), 1);
        assert_eq!(parse(&quoted.to_string()), quoted);
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
        fn no_text_makes_the_parser_panic(text in text("abche1290:(),[]\"\\*/+ .=é-", 0..20)) {
            match text.parse::<Objective>() {
                Ok(objective) => prop_assert_eq!(parse(&objective.to_string()), objective),
                Err(error) => drop(error.caret()),
            }
        }
    }
}
