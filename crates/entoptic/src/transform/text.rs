//! The text form of transforms: calls one after the other, with spaces between them.

use std::{fmt, str::FromStr};

use super::{CATALOG, Transform, compose, none, standard};
use crate::notation::{Input, Parsed, SyntaxError, call, kept_as_text, parse, peek};

impl FromStr for Transform {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        parse(text, "a list of transforms", calls)
    }
}

fn calls(input: &mut Input<'_>) -> Parsed<Transform> {
    let mut transforms = vec![call(CATALOG, input)?];
    while let (Some(_), _) = peek(input)? {
        transforms.push(call(CATALOG, input)?);
    }
    Ok(compose(transforms))
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == none() {
            return f.write_str("none");
        }
        if *self == standard() {
            return f.write_str("standard");
        }
        for (i, change) in self.changes().enumerate() {
            write!(f, "{}{}", if i == 0 { "" } else { " " }, change.write())?;
        }
        Ok(())
    }
}

kept_as_text!(Transform);

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;
    use crate::transform::{
        Choice, ColorJitter, PadMode, collapse_alpha_random, color_jitter, crop_or_pad_to, flip, jitter, noise,
        normalize_gradient, pad, random_resized_crop, random_rotate, random_rotate_bilinear, random_scale,
    };

    fn read(text: &str) -> Transform {
        text.parse().unwrap_or_else(|error: SyntaxError| panic!("{error}\n{}", error.caret()))
    }

    #[test]
    fn transforms_are_calls_with_spaces_between() {
        let text = "pad(12, 0.5) jitter(8) scale(0.9..1.1) rotate(-10..10) jitter(4)";
        let transform = compose([
            pad(12, PadMode::Constant(0.5)),
            jitter(8),
            random_scale(0.9..=1.1),
            random_rotate(-10.0..=10.0),
            jitter(4),
        ]);
        assert_eq!(read(text), transform);
        assert_eq!(transform.to_string(), text);
        assert_eq!(read(" none  flip\nstandard "), compose([flip(), standard()]));
        assert_eq!([standard().to_string(), none().to_string()], ["standard", "none"]);
        assert_eq!(read("pad(3)"), pad(3, PadMode::Reflect));
        assert_eq!(serde_json::to_string(&transform).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Transform>("\"standard\"").unwrap(), standard());
    }

    #[test]
    fn an_error_points_at_its_place() {
        let one_of = "one of `pad`, `jitter`, `scale`, `rotate`, `flip`, `random_resized_crop`, `crop_or_pad_to`, \
                      `color_jitter`, `noise`, `collapse_alpha_random`, `normalize_gradient`, `standard`, `none`";
        let table = [
            ("", 0, one_of),
            ("pad(2) jiter(8)", 7, "a known name; the nearest is `jitter`"),
            ("crop(8)", 0, "a known name; the nearest is `crop_or_pad_to`"),
            ("pad(2) xyz(8)", 7, one_of),
            ("pad(2), jitter(8)", 6, one_of),
            ("jitter", 6, "`jitter(pixels)`"),
            ("jitter(x)", 7, "a whole number, as in `jitter(pixels)`"),
            ("standard(3)", 9, "`standard`"),
            (
                "pad(2, mirror)",
                7,
                "a gray, `uniform`, `reflect` or `symmetric`, as in `pad(width, gray or uniform or reflect or \
                 symmetric)`",
            ),
            (
                "scale(1.1..0.9)",
                6,
                "a number, a range such as `0.9..1.1` or a list of numbers in brackets, as in `scale(factors)`",
            ),
        ];
        for (text, place, expected) in table {
            let error = text.parse::<Transform>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not a list of transforms: expected {expected}"));
            assert_eq!(error.caret().lines().last().unwrap().len() - 1, place, "{text}");
        }
    }

    fn transforms() -> impl Strategy<Value = Transform> {
        let amount = || prop_oneof![0.0..2.0f64, Just(0.0), Just(1e-9), any::<u16>().prop_map(f64::from)];
        let choice = || {
            let list = proptest::collection::vec(-20.0..20.0f64, 0..4).prop_map(Choice::OneOf);
            let range = (-20.0..20.0f64, amount()).prop_map(|(from, more)| Choice::Within(from..=from + more));
            prop_oneof![list, range]
        };
        let size = || [1..300usize, 1..300usize];
        let mode = prop_oneof![
            Just(PadMode::Reflect),
            Just(PadMode::Symmetric),
            Just(PadMode::Uniform),
            (-1.0..2.0f32).prop_map(PadMode::Constant)
        ];
        let one = prop_oneof![
            (0..40usize, mode).prop_map(|(width, mode)| pad(width, mode)),
            (0..40usize).prop_map(jitter),
            choice().prop_map(random_scale),
            choice().prop_map(random_rotate),
            choice().prop_map(random_rotate_bilinear),
            Just(flip()),
            (choice(), size()).prop_map(|(sides, size)| random_resized_crop(sides, size)),
            size().prop_map(crop_or_pad_to),
            [amount(), amount(), amount(), amount()].prop_map(|[brightness, contrast, saturation, hue]| {
                color_jitter(ColorJitter { brightness, contrast, saturation, hue })
            }),
            amount().prop_map(noise),
            amount().prop_map(collapse_alpha_random),
            proptest::option::of(proptest::collection::vec(amount(), 0..3)).prop_map(normalize_gradient),
            Just(standard()),
        ];
        proptest::collection::vec(one, 0..5).prop_map(compose)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn what_is_printed_parses_back(transform in transforms()) {
            let text = transform.to_string();
            prop_assert_eq!(read(&text), transform, "{}", text);
        }

        #[test]
        fn no_text_makes_a_transform_panic(words in proptest::collection::vec(
            proptest::sample::select(
                "pad jitter scale rotate random_resized_crop crop_or_pad_to normalize_gradient ( ) [ ] , .. = - 0 1 \
                 1e300 9007199254740992 0.5 width symmetric \"".split(' ').collect::<Vec<_>>(),
            ),
            0..12,
        )) {
            match words.concat().parse::<Transform>() {
                Ok(transform) => drop((transform.check([1, 3, 8, 8]), transform.smallest([8, 8]))),
                Err(error) => drop(error.caret()),
            }
        }
    }
}
