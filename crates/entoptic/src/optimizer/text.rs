//! The text form of optimizers.

use std::{fmt, str::FromStr};

use super::{CATALOG, Optimizer};
use crate::notation::{Arguments, Call, Parsed, SyntaxError, kept_as_text, read};

/// Options as arguments of a call.
pub(super) trait Text {
    fn read(arguments: &mut Arguments) -> Parsed<Self>
    where
        Self: Sized;

    fn write(&self) -> Call;
}

/// Implements [`Text`] for the options of an optimizer: the learning rate, then these, unless they have their defaults.
macro_rules! options_as_text {
    ($options:ident: $($option:ident),*) => {
        impl $crate::optimizer::text::Text for $options {
            fn read(arguments: &mut $crate::notation::Arguments) -> $crate::notation::Parsed<Self> {
                let mut options = Self::new();
                options.learning_rate = arguments.optional("learning_rate")?.unwrap_or(options.learning_rate);
                $(options.$option = arguments.optional(stringify!($option))?.unwrap_or(options.$option);)*
                Ok(options)
            }

            fn write(&self) -> $crate::notation::Call {
                let default = Self::new();
                $crate::notation::Call::new(ENTRY.name)
                    .argument(&self.learning_rate)
                    $(.unless(&default.$option, stringify!($option), &self.$option))*
            }
        }
    };
}
pub(super) use options_as_text;

impl FromStr for Optimizer {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        read(text, "an optimizer", CATALOG)
    }
}

impl fmt::Display for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options().write().fmt(f)
    }
}

kept_as_text!(Optimizer);

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;
    use crate::optimizer::{
        AdaGradConfig, AdamConfig, AdamWConfig, AdanConfig, LbfgsConfig, LionConfig, RmsPropConfig, SgdConfig,
        TorchAdamConfig,
    };

    #[test]
    fn an_optimizer_is_a_call() {
        let adamw = AdamWConfig::new().with_learning_rate(0.02).with_weight_decay(0.1).with_amsgrad(true);
        assert_eq!(Optimizer::from(adamw).to_string(), "adamw(0.02, weight_decay=0.1, amsgrad=true)");
        assert_eq!(Optimizer::default().to_string(), "adam(0.05)");
        assert_eq!("adam".parse::<Optimizer>().unwrap(), Optimizer::default());
        let lbfgs = LbfgsConfig::new().with_iterations(5).with_line_search(false);
        assert_eq!("lbfgs(iterations=5, line_search=false)".parse::<Optimizer>().unwrap(), lbfgs.into());
    }

    #[test]
    fn a_usage_says_the_defaults_and_every_option() {
        for entry in CATALOG {
            let default: Optimizer = entry.name.parse().unwrap();
            assert_eq!(entry.usage.parse::<Optimizer>().unwrap(), default, "{}", entry.usage);
            assert_eq!(default.to_string(), format!("{}({})", entry.name, default.learning_rate()));
            let mut options = options(&default);
            options.sort();
            let (_, arguments) = entry.usage.trim_end_matches(')').split_once('(').unwrap();
            let mut named: Vec<&str> = arguments.split(", ").map(|option| option.split('=').next().unwrap()).collect();
            named.sort_unstable();
            assert_eq!(named, options, "{}", entry.name);
        }
    }

    /// The fields of the options, from what `Debug` says.
    fn options(optimizer: &Optimizer) -> Vec<String> {
        let debug = format!("{optimizer:#?}");
        debug.lines().filter_map(|line| Some(line.split_once(": ")?.0.trim().to_owned())).collect()
    }

    #[test]
    fn an_error_points_at_its_place() {
        let table = [
            ("adamm(0.05)", 0, "a known name; the nearest are `adam`, `adamw`, `adan`"),
            ("adam(fast)", 5, "a number, as in `adam(learning_rate=0.05, beta_1=0.9, beta_2=0.999, epsilon=1e-8)`"),
            ("lion(0.1, momentum=0.9)", 10, "`lion(learning_rate=0.05, beta_1=0.9, beta_2=0.99, weight_decay=0)`"),
            ("sgd(0.1) adam", 9, "the end"),
        ];
        for (text, place, expected) in table {
            let error = text.parse::<Optimizer>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not an optimizer: expected {expected}"));
            assert_eq!(error.caret().lines().last().unwrap().len() - 1, place, "{text}");
        }
    }

    fn optimizers() -> impl Strategy<Value = Optimizer> {
        let number = || prop_oneof![-1.0..2.0f64, Just(0.0), Just(0.9), Just(1e-12)];
        let numbers = || [number(), number(), number(), number(), number(), number()];
        let flag = any::<bool>;
        prop_oneof![
            numbers()
                .prop_map(|[a, b, c, d, ..]| AdamConfig { learning_rate: a, beta_1: b, beta_2: c, epsilon: d }.into()),
            (numbers(), flag()).prop_map(|([a, b, c, d, e, _], amsgrad)| TorchAdamConfig {
                learning_rate: a,
                beta_1: b,
                beta_2: c,
                epsilon: d,
                weight_decay: e,
                amsgrad
            }
            .into()),
            (numbers(), flag()).prop_map(|([a, b, c, d, e, _], amsgrad)| AdamWConfig {
                learning_rate: a,
                beta_1: b,
                beta_2: c,
                epsilon: d,
                weight_decay: e,
                amsgrad
            }
            .into()),
            (numbers(), flag()).prop_map(|([a, b, c, d, ..], nesterov)| SgdConfig {
                learning_rate: a,
                momentum: b,
                dampening: c,
                nesterov,
                weight_decay: d
            }
            .into()),
            numbers().prop_map(|[a, b, c, d, e, _]| RmsPropConfig {
                learning_rate: a,
                alpha: b,
                momentum: c,
                epsilon: d,
                weight_decay: e
            }
            .into()),
            numbers().prop_map(|[a, b, c, d, ..]| AdaGradConfig {
                learning_rate: a,
                decay: b,
                epsilon: c,
                weight_decay: d
            }
            .into()),
            numbers().prop_map(|[a, b, c, d, ..]| LionConfig {
                learning_rate: a,
                beta_1: b,
                beta_2: c,
                weight_decay: d
            }
            .into()),
            numbers().prop_map(|[a, b, c, d, e, f]| AdanConfig {
                learning_rate: a,
                beta_1: b,
                beta_2: c,
                beta_3: d,
                epsilon: e,
                weight_decay: f
            }
            .into()),
            (number(), 0..99usize, 0..99usize, flag()).prop_map(|(learning_rate, iterations, history, line_search)| {
                LbfgsConfig { learning_rate, iterations, history, line_search }.into()
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn what_is_printed_parses_back(optimizer in optimizers()) {
            let text = optimizer.to_string();
            prop_assert_eq!(text.parse::<Optimizer>().unwrap(), optimizer.clone(), "{}", text);
            let saved = serde_json::to_string(&optimizer).unwrap();
            prop_assert_eq!(&saved, &format!("\"{text}\""));
            prop_assert_eq!(serde_json::from_str::<Optimizer>(&saved).unwrap(), optimizer);
        }

        #[test]
        fn no_text_makes_an_optimizer_panic(words in proptest::collection::vec(
            proptest::sample::select(
                "adam sgd lbfgs adamm ( ) [ ] , .. = - 0 1 1e300 0.5 momentum history true \" é"
                    .split(' ').collect::<Vec<_>>(),
            ),
            0..12,
        )) {
            match words.concat().parse::<Optimizer>() {
                Ok(optimizer) => drop(optimizer.check()),
                Err(error) => drop(error.caret()),
            }
        }
    }
}
