//! Learning rates that change from step to step.

mod curve;

use std::{fmt, iter, str::FromStr};

use serde::{Deserialize, Serialize};

pub use self::curve::{Curve, SCHEDULES};
use super::accept;
use crate::{
    Error,
    notation::{Input, Parsed, SyntaxError, call, fail, kept_as_text, parse, peek, take, whole_number},
};

/// The learning rate of each step: a curve, or some of which each takes over from the one before.
///
/// It has a text form that parses back; [`SCHEDULES`] lists the curves it can name:
///
/// ```
/// use entoptic::optimizer::{Curve, Schedule};
///
/// let warm_up = Curve::Linear { from: Some(0.0), to: 0.5, steps: None };
/// let decay = Curve::Linear { from: None, to: 0.0, steps: None };
/// let schedule = Schedule::from(warm_up).then(2, decay);
/// let rates: Vec<f64> = schedule.rates(0.5, 6)?.take(7).collect();
/// assert_eq!(rates, [0.0, 0.25, 0.5, 0.375, 0.25, 0.125, 0.0]);
/// assert_eq!(schedule.to_string(), "linear(0..0.5) until 2 then linear(0)");
/// assert_eq!("linear(0..0.5) until 2 then linear(0)".parse::<Schedule>()?, schedule);
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule {
    first: Curve,
    /// From which step, and what.
    then: Vec<(usize, Curve)>,
}

/// The optimizer's own rate at each step.
impl Default for Schedule {
    fn default() -> Self {
        Curve::Constant { rate: None }.into()
    }
}

impl From<Curve> for Schedule {
    fn from(first: Curve) -> Self {
        Self { first, then: Vec::new() }
    }
}

impl Schedule {
    /// The same up to `step`, which is step 0 of `curve`.
    pub fn then(mut self, step: usize, curve: Curve) -> Self {
        self.then.push((step, curve));
        self
    }

    /// The rates of an optimizer whose own rate is `learning_rate`, in a run whose last step is `steps`; without end.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn rates(&self, learning_rate: f64, steps: usize) -> Result<impl Iterator<Item = f64>, Error> {
        self.check(learning_rate)?;
        Ok((0..).map(move |step| self.rate(step, learning_rate, steps)))
    }

    fn rate(&self, step: usize, learning_rate: f64, steps: usize) -> f64 {
        let next = self.then.partition_point(|(start, _)| *start <= step);
        let (start, curve) = if next == 0 { (0, self.first) } else { self.then[next - 1] };
        let end = self.then.get(next).map_or(steps, |(start, _)| *start);
        curve.rate(step - start, learning_rate, end.saturating_sub(start))
    }

    /// Whether the options make sense for an optimizer whose own rate is `learning_rate`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn check(&self, learning_rate: f64) -> Result<(), Error> {
        let starts: Vec<usize> = self.then.iter().map(|(start, _)| *start).collect();
        let rise = starts.first() != Some(&0) && starts.is_sorted_by(|a, b| a < b);
        accept(rise, "the steps at which a schedule changes", format!("{starts:?}"), "they rise from 1 or more")?;
        let mut curves = iter::once(&self.first).chain(self.then.iter().map(|(_, curve)| curve));
        curves.try_for_each(|curve| curve.check(learning_rate))
    }
}

impl FromStr for Schedule {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        parse(text, "a schedule", curves)
    }
}

/// `curve ("until" step "then" curve)*`.
fn curves(input: &mut Input<'_>) -> Parsed<Schedule> {
    let mut schedule = Schedule::from(call(SCHEDULES, input)?);
    while let (Some(_), _) = peek(input)? {
        word("until", "`until` and a step, or the end", input)?;
        let step = whole_number("a step", input)?;
        word("then", "`then` and a schedule", input)?;
        schedule = schedule.then(step, call(SCHEDULES, input)?);
    }
    Ok(schedule)
}

fn word(word: &str, expected: &str, input: &mut Input<'_>) -> Parsed<()> {
    let (_, at) = peek(input)?;
    if take(word, input)? { Ok(()) } else { fail(at, expected) }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.write().fmt(f)?;
        self.then.iter().try_for_each(|(step, curve)| write!(f, " until {step} then {}", curve.write()))
    }
}

kept_as_text!(Schedule);

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, ProptestConfig, Strategy, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    /// The first rates of an optimizer whose own rate is 2, in a run of steps 0 to 4.
    #[track_caller]
    fn assert_rates<const N: usize>(text: &str, expected: [f64; N]) {
        let schedule: Schedule = text.parse().unwrap();
        let rates = schedule.rates(2.0, 4).unwrap().take(N);
        for (step, (rate, expected)) in rates.zip(expected).enumerate() {
            assert!((rate - expected).abs() < 1e-12, "{schedule}, step {step}: {rate}, not {expected}");
        }
    }

    #[test]
    fn the_default_is_the_optimizers_own() {
        assert_eq!(Schedule::default().to_string(), "constant");
        assert_rates("constant", [2.0; 6]);
        assert_rates("constant(0.3)", [0.3; 6]);
    }

    #[test]
    fn linear_is_a_line_up_or_down() {
        assert_rates("linear(1)", [2.0, 1.75, 1.5, 1.25, 1.0, 1.0]);
        assert_rates("linear(1..5, steps=2)", [1.0, 3.0, 5.0, 5.0]);
        assert_rates("linear(0..2)", [0.0, 0.5, 1.0, 1.5, 2.0, 2.0]);
    }

    #[test]
    fn cosine_is_half_a_wave_in_a_run() {
        let eighth = 0.5_f64.sqrt();
        let expected = [2.0, 1.5 + 0.5 * eighth, 1.5, 1.5 - 0.5 * eighth, 1.0, 1.5 - 0.5 * eighth];
        assert_rates("cosine(1)", expected);
        assert_rates("cosine(0.5..0, steps=2)", [0.5, 0.25, 0.0]);
        assert_rates("cosine(0..0.5, steps=2)", [0.0, 0.25, 0.5]);
    }

    #[test]
    fn exponential_and_step_multiply() {
        assert_rates("exponential(0.5)", [2.0, 1.0, 0.5, 0.25]);
        assert_rates("exponential(0.5, from=1)", [1.0, 0.5, 0.25]);
        assert_rates("step(every=2, gamma=0.1)", [2.0, 2.0, 0.2, 0.2, 0.02]);
    }

    #[test]
    fn noam_peaks_after_its_warmup() {
        assert_rates("noam(2)", [1.0, 2.0, 2.0 * (2.0_f64 / 3.0).sqrt(), 2.0 * 0.5_f64.sqrt()]);
    }

    #[test]
    fn each_curve_fills_its_place() {
        assert_rates("linear(1..2) until 2 then cosine(0)", [1.0, 1.5, 2.0, 1.0, 0.0]);
        assert_rates("constant(1) until 1 then linear(0, steps=1) until 3 then constant", [1.0, 2.0, 0.0, 2.0, 2.0]);
        assert_rates("constant until 5 then constant(1)", [2.0, 2.0, 2.0, 2.0, 2.0, 1.0]);
    }

    #[test]
    fn a_run_of_one_step_has_a_rate() {
        let line: Schedule = "linear(0)".parse().unwrap();
        assert_eq!(line.rates(0.05, 0).unwrap().next(), Some(0.05));
    }

    #[test]
    fn bad_options_are_refused() {
        let rate = "the learning rate cannot be -1; it is above 0, such as 0.05";
        let steps = "a schedule's number of steps cannot be 0; it is 1 or more";
        let rise = "they rise from 1 or more";
        let table = [
            ("constant(-1)", rate),
            ("exponential(0.5, from=-1)", rate),
            ("constant until 3 then constant(-1)", rate),
            ("linear(-1..1)", "the first learning rate cannot be -1; it is 0 or more"),
            ("cosine(1..-1)", "the last learning rate cannot be -1; it is 0 or more"),
            ("linear(1, steps=0)", steps),
            ("step(0, 0.5)", steps),
            ("noam(0)", steps),
            ("exponential(1.5)", "gamma cannot be 1.5; it is above 0 and at most 1"),
            ("step(1, 0)", "gamma cannot be 0; it is above 0 and at most 1"),
            ("constant until 0 then constant", &format!("the steps at which a schedule changes cannot be [0]; {rise}")),
            (
                "constant until 3 then constant until 3 then constant",
                &format!("the steps at which a schedule changes cannot be [3, 3]; {rise}"),
            ),
        ];
        for (text, expected) in table {
            let schedule: Schedule = text.parse().unwrap();
            let error = schedule.rates(0.05, 10).err().unwrap_or_else(|| panic!("{schedule} passes"));
            assert_eq!(error.to_string(), expected, "{schedule}");
        }
        assert!(Schedule::from(Curve::Linear { from: None, to: f64::INFINITY, steps: None }).check(0.05).is_err());
    }

    #[test]
    fn an_error_points_at_its_place() {
        let table = [
            ("", 0, "one of `constant`, `linear`, `cosine`, `exponential`, `step`, `noam`"),
            ("linear", 6, "`linear(from..to, steps=number)`"),
            (
                "cosine(a)",
                7,
                "the last rate, or the first and the last, such as `0.05..0.001`, as in `cosine(from..to, \
                 steps=number)`",
            ),
            ("linear(0..1) then cosine(0)", 13, "`until` and a step, or the end"),
            ("linear(0..1) until x", 19, "a step"),
            ("linear(0..1) until 50 cosine(0)", 22, "`then` and a schedule"),
            ("linear(0..1) until 50 then", 26, "one of `constant`, `linear`, `cosine`, `exponential`, `step`, `noam`"),
        ];
        for (text, place, expected) in table {
            let error = text.parse::<Schedule>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not a schedule: expected {expected}"));
            assert_eq!(error.caret().lines().last().unwrap().len() - 1, place, "{text}");
        }
    }

    fn schedules() -> impl Strategy<Value = Schedule> {
        let rate = || prop_oneof![-1.0..2.0f64, Just(0.0), Just(0.05), Just(1e-9)];
        let from = || proptest::option::of(rate());
        let steps = || proptest::option::of(0..1000usize);
        let curve = prop_oneof![
            from().prop_map(|rate| Curve::Constant { rate }),
            (from(), rate(), steps()).prop_map(|(from, to, steps)| Curve::Linear { from, to, steps }),
            (from(), rate(), steps()).prop_map(|(from, to, steps)| Curve::Cosine { from, to, steps }),
            (rate(), from()).prop_map(|(gamma, from)| Curve::Exponential { gamma, from }),
            (0..99usize, rate(), from()).prop_map(|(every, gamma, from)| Curve::Step { every, gamma, from }),
            (0..99usize, from()).prop_map(|(warmup, peak)| Curve::Noam { warmup, peak }),
        ];
        let then = proptest::collection::vec((0..1000usize, curve.clone()), 0..3);
        (curve, then).prop_map(|(first, then)| Schedule { first, then })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_printed_parses_back(schedule in schedules()) {
            let text = schedule.to_string();
            prop_assert_eq!(text.parse::<Schedule>().unwrap(), schedule.clone(), "{}", text);
            let saved = serde_json::to_string(&schedule).unwrap();
            prop_assert_eq!(&saved, &format!("\"{text}\""));
            prop_assert_eq!(serde_json::from_str::<Schedule>(&saved).unwrap(), schedule);
        }

        #[test]
        fn rates_are_numbers_of_0_or_more(schedule in schedules(), steps in 0..2000usize) {
            if let Ok(rates) = schedule.rates(0.05, steps) {
                for rate in rates.take(steps + 10) {
                    assert!(rate.is_finite() && rate >= 0.0, "{schedule}: {rate}");
                }
            }
        }

        #[test]
        fn no_text_makes_a_schedule_panic(words in proptest::collection::vec(
            proptest::sample::select(
                "constant linear cosine step noam until then ( ) [ , .. = - 0 1 1e300 9007199254740993 0.5 from every \"\u{e9}"
                    .split(' ').collect::<Vec<_>>(),
            ),
            0..12,
        )) {
            for text in [words.concat(), words.join(" ")] {
                match text.parse::<Schedule>() {
                    Ok(schedule) => drop(schedule.check(0.05)),
                    Err(error) => drop(error.caret()),
                }
            }
        }
    }
}
