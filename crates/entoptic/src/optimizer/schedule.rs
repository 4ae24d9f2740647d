//! Learning rates that change from step to step.

use burn::lr_scheduler::{
    LrSchedulerConfig,
    composed::{ComposedLrSchedulerConfig, SchedulerReduction},
    cosine::CosineAnnealingLrSchedulerConfig,
    exponential::ExponentialLrSchedulerConfig,
    linear::LinearLrSchedulerConfig,
    module_lr_scheduler::{ModuleLrScheduler, ModuleLrSchedulerConfig},
    noam::NoamLrSchedulerConfig,
    sequential::SequentialLrSchedulerConfig,
    step::StepLrSchedulerConfig,
};
use serde::{Deserialize, Serialize};

use super::{accept, check_learning_rate};
use crate::Error;

/// The learning rate of each step.
///
/// Where it does not say a rate to start `from`, that is the optimizer's own; where it does not say how many `steps` it
/// takes, it takes the whole run, or the whole of its part in a [`Sequence`](Self::Sequence).
///
/// ```
/// use entoptic::optimizer::Schedule;
///
/// let line = Schedule::Linear { from: None, to: 0.0, steps: None };
/// let rates: Vec<f64> = line.rates(0.5, 4)?.take(5).collect();
/// assert_eq!(rates, [0.5, 0.375, 0.25, 0.125, 0.0]);
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The same at each step.
    Constant {
        /// The rate.
        rate: Option<f64>,
    },
    /// On a line, then constant.
    Linear {
        /// The rate of step 0.
        from: Option<f64>,
        /// The rate of step `steps`, and of those after it.
        to: f64,
        /// How many steps it takes.
        steps: Option<usize>,
    },
    /// Along half a wave of the cosine, from its top to its bottom; on and up again after that.
    ///
    /// # Reference
    /// [SGDR](https://arxiv.org/abs/1608.03983), Loshchilov and Hutter, 2016.
    Cosine {
        /// The rate of step 0.
        from: Option<f64>,
        /// The rate of step `steps`.
        to: f64,
        /// How many steps it takes.
        steps: Option<usize>,
    },
    /// Multiplied by `gamma` after each step.
    Exponential {
        /// The rate of step 0.
        from: Option<f64>,
        /// The factor.
        gamma: f64,
    },
    /// Multiplied by `gamma` after every so many steps.
    Step {
        /// The rate of the first steps.
        from: Option<f64>,
        /// How many steps the rate stays the same.
        every: usize,
        /// The factor.
        gamma: f64,
    },
    /// On a line from 0 to its peak, then as one over the square root of the step.
    ///
    /// Burn's and the paper's factor and model size come together in the peak: `factor / sqrt(model_size * warmup)`.
    ///
    /// # Reference
    /// [Attention Is All You Need](https://arxiv.org/abs/1706.03762), Vaswani et al., 2017.
    Noam {
        /// The highest rate.
        peak: Option<f64>,
        /// The step that has it, where the first is 1.
        warmup: usize,
    },
    /// One after the other, each from its own step 0.
    Sequence {
        /// The schedules.
        schedules: Vec<Schedule>,
        /// The steps at which the second and later ones take over.
        milestones: Vec<usize>,
    },
    /// All at once: their mean.
    Mean(Vec<Schedule>),
    /// All at once: their sum.
    Sum(Vec<Schedule>),
    /// All at once: their product. One is a rate; the others are factors, so they say what they start `from`.
    Product(Vec<Schedule>),
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Constant { rate: None }
    }
}

impl Schedule {
    /// The rates of an optimizer whose own rate is `learning_rate`, in a run whose last step is `steps`.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn rates(&self, learning_rate: f64, steps: usize) -> Result<Rates, Error> {
        self.check(learning_rate)?;
        let config = ModuleLrSchedulerConfig::new(self.config(learning_rate, steps));
        Ok(Rates(config.init().expect("what Burn refuses has been checked")))
    }

    /// Whether the options make sense for an optimizer whose own rate is `learning_rate`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn check(&self, learning_rate: f64) -> Result<(), Error> {
        let start = |from: &Option<f64>| from.unwrap_or(learning_rate);
        match self {
            Self::Constant { rate } => check_learning_rate(start(rate)),
            Self::Linear { from, to, steps } => {
                check_learning_rate(start(from))?;
                check_end(*to, f64::INFINITY, "it is 0 or more")?;
                check_steps(*steps)
            }
            Self::Cosine { from, to, steps } => {
                check_learning_rate(start(from))?;
                check_end(*to, start(from), "it is 0 or more, and no more than the first")?;
                check_steps(*steps)
            }
            Self::Exponential { from, gamma } => {
                check_learning_rate(start(from))?;
                check_gamma(*gamma)
            }
            Self::Step { from, every, gamma } => {
                check_learning_rate(start(from))?;
                check_steps(Some(*every))?;
                check_gamma(*gamma)
            }
            Self::Noam { peak, warmup } => {
                check_learning_rate(start(peak))?;
                check_steps(Some(*warmup))
            }
            Self::Sequence { schedules, milestones } => {
                let fits = milestones.len() + 1 == schedules.len();
                let rises = milestones.first() != Some(&0) && milestones.is_sorted_by(|a, b| a < b);
                let accepted = "they rise from 1 or more, one for each schedule but the first";
                accept(fits && rises, "the milestones", format!("{milestones:?}"), accepted)?;
                schedules.iter().try_for_each(|schedule| schedule.check(learning_rate))
            }
            Self::Mean(schedules) | Self::Sum(schedules) | Self::Product(schedules) => {
                accept(!schedules.is_empty(), "the list of schedules", "empty", "it holds one or more")?;
                schedules.iter().try_for_each(|schedule| schedule.check(learning_rate))
            }
        }
    }

    fn config(&self, learning_rate: f64, steps: usize) -> LrSchedulerConfig {
        let start = |from: &Option<f64>| from.unwrap_or(learning_rate);
        let length = |own: &Option<usize>| own.unwrap_or(steps).max(1);
        match self {
            Self::Constant { rate } => start(rate).into(),
            Self::Linear { from, to, steps } => {
                let (from, steps) = (start(from), length(steps));
                let scale = from.max(*to);
                scaled(scale, LinearLrSchedulerConfig::new(from / scale, to / scale, steps))
            }
            Self::Cosine { from, to, steps } => {
                let (scale, steps) = (start(from), length(steps));
                scaled(scale, CosineAnnealingLrSchedulerConfig::new(1.0, steps).with_min_lr(to / scale))
            }
            Self::Exponential { from, gamma } => scaled(start(from), ExponentialLrSchedulerConfig::new(1.0, *gamma)),
            Self::Step { from, every, gamma } => {
                StepLrSchedulerConfig::new(start(from), *every).with_gamma(*gamma).into()
            }
            Self::Noam { peak, warmup } => {
                let factor = start(peak) * (*warmup as f64).sqrt();
                NoamLrSchedulerConfig::new(factor).with_warmup_steps(*warmup).with_model_size(1).into()
            }
            Self::Sequence { schedules, milestones } => {
                let starts = [0].iter().chain(milestones);
                let ends = milestones.iter().chain([&steps]);
                let lengths = starts.zip(ends).map(|(start, end)| end.saturating_sub(*start));
                let parts = schedules.iter().zip(lengths).map(|(part, steps)| part.config(learning_rate, steps));
                SequentialLrSchedulerConfig::new(parts.collect(), milestones.clone()).into()
            }
            Self::Mean(parts) => together(parts, SchedulerReduction::Avg, learning_rate, steps),
            Self::Sum(parts) => together(parts, SchedulerReduction::Sum, learning_rate, steps),
            Self::Product(parts) => together(parts, SchedulerReduction::Prod, learning_rate, steps),
        }
    }
}

/// Burn's schedulers take rates up to 1: any other is a factor beside them.
fn scaled(scale: f64, unit: impl Into<LrSchedulerConfig>) -> LrSchedulerConfig {
    compose([scale.into(), unit.into()], SchedulerReduction::Prod)
}

fn together(parts: &[Schedule], reduction: SchedulerReduction, learning_rate: f64, steps: usize) -> LrSchedulerConfig {
    compose(parts.iter().map(|part| part.config(learning_rate, steps)), reduction)
}

fn compose(parts: impl IntoIterator<Item = LrSchedulerConfig>, reduction: SchedulerReduction) -> LrSchedulerConfig {
    let composed = ComposedLrSchedulerConfig::new().with_reduction(reduction);
    composed.with_schedulers(parts.into_iter().collect()).into()
}

fn check_end(to: f64, most: f64, accepted: &'static str) -> Result<(), Error> {
    accept(to.is_finite() && (0.0..=most).contains(&to), "the last learning rate", to, accepted)
}

fn check_steps(steps: Option<usize>) -> Result<(), Error> {
    accept(steps != Some(0), "a schedule's number of steps", 0, "it is 1 or more")
}

fn check_gamma(gamma: f64) -> Result<(), Error> {
    accept(gamma > 0.0 && gamma <= 1.0, "gamma", gamma, "it is above 0 and at most 1")
}

/// The learning rates of a run, step by step, without end.
pub struct Rates(ModuleLrScheduler);

impl Iterator for Rates {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        Some(self.0.step().base())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first rates of an optimizer whose own rate is 2, in a run of steps 0 to 4.
    #[track_caller]
    fn assert_rates<const N: usize>(schedule: Schedule, expected: [f64; N]) {
        let rates = schedule.rates(2.0, 4).unwrap().take(N);
        for (step, (rate, expected)) in rates.zip(expected).enumerate() {
            assert!((rate - expected).abs() < 1e-12, "{schedule:?}, step {step}: {rate}, not {expected}");
        }
    }

    fn constant(rate: f64) -> Schedule {
        Schedule::Constant { rate: Some(rate) }
    }

    #[test]
    fn the_default_is_the_optimizers_own() {
        assert_rates(Schedule::default(), [2.0; 6]);
        assert_rates(constant(0.3), [0.3; 6]);
    }

    #[test]
    fn linear_is_a_line_up_or_down() {
        assert_rates(Schedule::Linear { from: None, to: 1.0, steps: None }, [2.0, 1.75, 1.5, 1.25, 1.0, 1.0]);
        assert_rates(Schedule::Linear { from: Some(1.0), to: 5.0, steps: Some(2) }, [1.0, 3.0, 5.0, 5.0]);
    }

    #[test]
    fn cosine_is_half_a_wave_in_a_run() {
        let eighth = 0.5_f64.sqrt();
        let expected = [2.0, 1.5 + 0.5 * eighth, 1.5, 1.5 - 0.5 * eighth, 1.0, 1.5 - 0.5 * eighth];
        assert_rates(Schedule::Cosine { from: None, to: 1.0, steps: None }, expected);
        assert_rates(Schedule::Cosine { from: Some(0.5), to: 0.0, steps: Some(2) }, [0.5, 0.25, 0.0]);
    }

    #[test]
    fn exponential_and_step_multiply() {
        assert_rates(Schedule::Exponential { from: None, gamma: 0.5 }, [2.0, 1.0, 0.5, 0.25]);
        assert_rates(Schedule::Step { from: None, every: 2, gamma: 0.1 }, [2.0, 2.0, 0.2, 0.2, 0.02]);
    }

    #[test]
    fn noam_peaks_after_its_warmup() {
        let expected = [1.0, 2.0, 2.0 * (2.0_f64 / 3.0).sqrt(), 2.0 * 0.5_f64.sqrt()];
        assert_rates(Schedule::Noam { peak: None, warmup: 2 }, expected);
    }

    #[test]
    fn each_part_of_a_sequence_fills_its_place() {
        let up = Schedule::Linear { from: Some(1.0), to: 2.0, steps: None };
        let down = Schedule::Cosine { from: None, to: 0.0, steps: None };
        let sequence = Schedule::Sequence { schedules: vec![up, down], milestones: vec![2] };
        assert_rates(sequence, [1.0, 1.5, 2.0, 1.0, 0.0]);
    }

    #[test]
    fn schedules_go_together() {
        let line = Schedule::Linear { from: Some(1.0), to: 0.0, steps: Some(2) };
        assert_rates(Schedule::Product(vec![Schedule::default(), line.clone()]), [2.0, 1.0, 0.0]);
        assert_rates(Schedule::Sum(vec![constant(0.1), line.clone()]), [1.1, 0.6, 0.1]);
        assert_rates(Schedule::Mean(vec![constant(3.0), line]), [2.0, 1.75, 1.5]);
    }

    #[test]
    fn a_run_of_one_step_has_a_rate() {
        let line = Schedule::Linear { from: None, to: 0.0, steps: None };
        assert_eq!(line.rates(0.05, 0).unwrap().next(), Some(0.05));
    }

    #[test]
    fn a_saved_schedule_is_the_same() {
        let schedule = Schedule::Sequence {
            schedules: vec![constant(1.0), Schedule::Mean(vec![Schedule::Noam { peak: None, warmup: 3 }])],
            milestones: vec![7],
        };
        let text = serde_json::to_string(&schedule).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
    }

    #[test]
    fn bad_options_are_refused() {
        let line = |from: f64, to: f64, steps: usize| Schedule::Linear { from: Some(from), to, steps: Some(steps) };
        let rate = "the learning rate cannot be -1; it is above 0, such as 0.05";
        let milestones = |milestones: &[usize]| {
            let schedules = vec![Schedule::default(); 3];
            Schedule::Sequence { schedules, milestones: milestones.to_vec() }
        };
        let rise = "they rise from 1 or more, one for each schedule but the first";
        let table = [
            (constant(-1.0), rate.to_owned()),
            (line(-1.0, 1.0, 3), rate.to_owned()),
            (line(1.0, -1.0, 3), "the last learning rate cannot be -1; it is 0 or more".into()),
            (line(1.0, f64::INFINITY, 3), "the last learning rate cannot be inf; it is 0 or more".into()),
            (line(1.0, 1.0, 0), "a schedule's number of steps cannot be 0; it is 1 or more".into()),
            (
                Schedule::Cosine { from: Some(0.5), to: 1.0, steps: None },
                "the last learning rate cannot be 1; it is 0 or more, and no more than the first".into(),
            ),
            (
                Schedule::Exponential { from: None, gamma: 1.5 },
                "gamma cannot be 1.5; it is above 0 and at most 1".into(),
            ),
            (
                Schedule::Step { from: None, every: 0, gamma: 0.5 },
                "a schedule's number of steps cannot be 0; it is 1 or more".into(),
            ),
            (
                Schedule::Step { from: None, every: 1, gamma: 0.0 },
                "gamma cannot be 0; it is above 0 and at most 1".into(),
            ),
            (
                Schedule::Noam { peak: None, warmup: 0 },
                "a schedule's number of steps cannot be 0; it is 1 or more".into(),
            ),
            (milestones(&[3]), format!("the milestones cannot be [3]; {rise}")),
            (milestones(&[0, 3]), format!("the milestones cannot be [0, 3]; {rise}")),
            (milestones(&[3, 3]), format!("the milestones cannot be [3, 3]; {rise}")),
            (Schedule::Sum(vec![]), "the list of schedules cannot be empty; it holds one or more".into()),
            (Schedule::Product(vec![constant(-1.0)]), rate.to_owned()),
        ];
        for (schedule, expected) in table {
            let error = schedule.rates(0.05, 10).err().unwrap_or_else(|| panic!("{schedule:?} passes"));
            assert_eq!(error.to_string(), expected, "{schedule:?}");
        }
    }
}
