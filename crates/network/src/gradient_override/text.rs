//! The text form of overrides: `relu=redirected pool=avg fire5/expand1x1=identity`, or `plain`.
//!
//! A layer's name stands as it is unless it has a space, `=` or `"` in it or is one of the words `relu` and `pool`; then
//! it is quoted.

use std::{fmt, str::FromStr};

use super::{GradientOverrides, LayerOverride, MaxPoolOverride, ReluOverride};
use crate::Error;

const RELU: [(&str, Option<ReluOverride>); 3] =
    [("plain", None), ("redirected", Some(ReluOverride::Redirected)), ("identity", Some(ReluOverride::Identity))];

const POOL: [(&str, Option<MaxPoolOverride>); 3] =
    [("plain", None), ("avg", Some(MaxPoolOverride::Average)), ("L2", Some(MaxPoolOverride::L2))];

const LAYER: [(&str, Option<LayerOverride>); 5] = [
    ("plain", None),
    ("redirected", Some(LayerOverride::Relu(ReluOverride::Redirected))),
    ("identity", Some(LayerOverride::Relu(ReluOverride::Identity))),
    ("avg", Some(LayerOverride::MaxPool(MaxPoolOverride::Average))),
    ("L2", Some(LayerOverride::MaxPool(MaxPoolOverride::L2))),
];

impl fmt::Display for GradientOverrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relu = self.relu.map(|relu| format!("relu={}", word(&RELU, Some(relu))));
        let pool = self.pool.map(|pool| format!("pool={}", word(&POOL, Some(pool))));
        let layers = self.layers.iter().map(|(layer, &with)| format!("{}={}", written(layer), word(&LAYER, with)));
        let settings: Vec<String> = relu.into_iter().chain(pool).chain(layers).collect();
        match settings.is_empty() {
            true => f.write_str("plain"),
            false => f.write_str(&settings.join(" ")),
        }
    }
}

impl FromStr for GradientOverrides {
    type Err = Error;

    /// # Errors
    /// [`Error::NotAnOverride`] with what would have worked.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut overrides = Self::none();
        if text.trim() == "plain" {
            return Ok(overrides);
        }
        let (mut relu, mut pool) = (None, None);
        let mut rest = text.trim_start();
        loop {
            let Setting { text, name, word, rest: after } = Setting::first(rest)?;
            let wrong = |accepted: String| Error::NotAnOverride { text: text.to_owned(), accepted };
            let again = match name {
                Name::Relu => relu.replace(meaning(&RELU, word).map_err(wrong)?).is_some(),
                Name::Pool => pool.replace(meaning(&POOL, word).map_err(wrong)?).is_some(),
                Name::Layer(layer) => overrides.layers.insert(layer, meaning(&LAYER, word).map_err(wrong)?).is_some(),
            };
            if again {
                return Err(wrong("each name stands once".into()));
            }
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        (overrides.relu, overrides.pool) = (relu.flatten(), pool.flatten());
        Ok(overrides)
    }
}

impl TryFrom<String> for GradientOverrides {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<GradientOverrides> for String {
    fn from(overrides: GradientOverrides) -> Self {
        overrides.to_string()
    }
}

/// What stands before an equals sign.
enum Name {
    Relu,
    Pool,
    Layer(String),
}

/// One `name=word` of a text.
struct Setting<'a> {
    text: &'a str,
    name: Name,
    word: &'a str,
    /// What comes after it, without the spaces between.
    rest: &'a str,
}

impl<'a> Setting<'a> {
    fn first(text: &'a str) -> Result<Self, Error> {
        let wrong = |accepted: &str| {
            let text = text.split_whitespace().next().unwrap_or_default().to_owned();
            Error::NotAnOverride { text, accepted: accepted.into() }
        };
        let (name, after) = match text.strip_prefix('"') {
            Some(inside) => {
                let (layer, after) = unquoted(inside).ok_or_else(|| wrong("a quoted name ends with `\"`"))?;
                (Name::Layer(layer), after)
            }
            None => {
                let (name, after) = text.split_at(text.find(ends_name).unwrap_or(text.len()));
                let name = match name {
                    "relu" => Name::Relu,
                    "pool" => Name::Pool,
                    layer => Name::Layer(layer.to_owned()),
                };
                (name, after)
            }
        };
        let word = after.strip_prefix('=').filter(|_| after.len() < text.len()).ok_or_else(|| {
            wrong("write `relu=redirected`, `pool=avg` or `LAYER=identity`, spaces between them, or `plain` alone")
        })?;
        let (word, rest) = word.split_at(word.find(char::is_whitespace).unwrap_or(word.len()));
        let text = &text[..text.len() - rest.len()];
        Ok(Self { text, name, word, rest: rest.trim_start() })
    }
}

/// A layer's name as it stands in a text.
fn written(layer: &str) -> String {
    match layer.is_empty() || matches!(layer, "relu" | "pool") || layer.contains(ends_name) {
        true => format!("\"{}\"", layer.replace('\\', "\\\\").replace('"', "\\\"")),
        false => layer.to_owned(),
    }
}

fn ends_name(c: char) -> bool {
    c.is_whitespace() || matches!(c, '=' | '"')
}

/// What stands before the closing quote, and what after it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((i, c)) = characters.next() {
        match c {
            '"' => return Some((name, &text[i + 1..])),
            '\\' => name.push(characters.next()?.1),
            c => name.push(c),
        }
    }
    None
}

fn word<T: PartialEq>(words: &[(&'static str, Option<T>)], meant: Option<T>) -> &'static str {
    words.iter().find(|(_, meaning)| *meaning == meant).expect("every override has a word").0
}

/// What `word` means among `words`, or which there are.
fn meaning<T: Copy>(words: &[(&str, Option<T>)], word: &str) -> Result<Option<T>, String> {
    let known = words.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let known: Vec<String> = words.iter().map(|(known, _)| format!("`{known}`")).collect();
        format!("after `=` stands one of {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{default_overrides, linearization_overrides, pooling_overrides, relu_overrides};

    fn parse(text: &str) -> GradientOverrides {
        text.parse().unwrap_or_else(|error: Error| panic!("{error}"))
    }

    #[test]
    fn lucids_maps_have_a_text_that_parses_back() {
        let table = [
            (GradientOverrides::none(), "plain"),
            (relu_overrides(), "relu=redirected"),
            (pooling_overrides(), "pool=avg"),
            (default_overrides(), "relu=redirected pool=avg"),
            (linearization_overrides(), "relu=identity pool=avg"),
        ];
        for (overrides, text) in table {
            assert_eq!(overrides.to_string(), text);
            assert_eq!(parse(text), overrides);
        }
    }

    #[test]
    fn layers_have_their_own_and_odd_names_are_quoted() {
        let overrides = linearization_overrides()
            .with_layer("fire5/expand1x1", ReluOverride::Redirected)
            .with_layer("pool1", MaxPoolOverride::L2)
            .with_plain_layer("pool")
            .with_plain_layer("odd \"name\" = \\1");
        let text = overrides.to_string();
        assert_eq!(
            text,
            r#"relu=identity pool=avg fire5/expand1x1=redirected "odd \"name\" = \\1"=plain "pool"=plain pool1=L2"#
        );
        assert_eq!(parse(&text), overrides);
    }

    #[test]
    fn order_spaces_and_capitals_do_not_matter() {
        let spread = parse("  pool1=l2\n pool=AVG  relu=plain ");
        assert_eq!(spread, pooling_overrides().with_layer("pool1", MaxPoolOverride::L2));
        assert_eq!(spread.to_string(), "pool=avg pool1=L2");
    }

    #[test]
    fn the_json_form_is_the_text() {
        use serde::{
            Deserialize,
            de::{IntoDeserializer, value::Error as Reason},
        };
        let read = |text: &str| GradientOverrides::deserialize(IntoDeserializer::<Reason>::into_deserializer(text));
        assert_eq!(read("relu=redirected"), Ok(relu_overrides()));
        assert!(read("relu=avg").unwrap_err().to_string().contains("`identity`"));
    }

    #[test]
    fn an_error_says_what_would_have_worked() {
        let how = "write `relu=redirected`, `pool=avg` or `LAYER=identity`, spaces between them, or `plain` alone";
        let layer = "after `=` stands one of `plain`, `redirected`, `identity`, `avg`, `L2`";
        let table = [
            ("", "", how),
            ("relu", "relu", how),
            ("relu=plain identity", "identity", how),
            ("=avg", "=avg", how),
            ("relu=avg", "relu=avg", "after `=` stands one of `plain`, `redirected`, `identity`"),
            ("pool=identity", "pool=identity", "after `=` stands one of `plain`, `avg`, `L2`"),
            ("fire5=", "fire5=", layer),
            ("fire5 = avg", "fire5", how),
            ("pool=avg fire5=smooth", "fire5=smooth", layer),
            ("relu=plain pool=avg relu=identity", "relu=identity", "each name stands once"),
            ("a=avg \"a\"=L2", "\"a\"=L2", "each name stands once"),
            ("\"fire5=avg", "\"fire5=avg", "a quoted name ends with `\"`"),
        ];
        for (text, part, accepted) in table {
            let error = text.parse::<GradientOverrides>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{part}` is no gradient override; {accepted}"), "{text}");
        }
    }
}
