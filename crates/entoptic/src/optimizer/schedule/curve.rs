//! The curves a learning rate can follow.

use std::f64::consts::PI;

use super::super::{accept, check_learning_rate};
use crate::{
    Error,
    notation::{Argument, Call, Entry, Value},
};

/// A learning rate as a function of the step.
///
/// Where it does not say a rate to start `from`, that is the optimizer's own; where it does not say how many `steps` it
/// takes, it takes the whole run, or the whole of its part of a [`Schedule`](super::Schedule).
///
/// ```
/// use entoptic::optimizer::{Curve, Schedule};
///
/// let to_zero = Curve::Cosine { from: None, to: 0.0, steps: None };
/// assert_eq!("cosine(0)".parse::<Schedule>()?, to_zero.into());
/// let slower = Curve::Exponential { gamma: 0.99, from: Some(0.1) };
/// assert_eq!("exponential(0.99, from=0.1)".parse::<Schedule>()?, slower.into());
/// for text in ["constant", "linear(0..0.05, steps=50)", "step(every=100, gamma=0.5)", "noam(100)"] {
///     assert_eq!(text.parse::<Schedule>()?.to_string(), text);
/// }
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Curve {
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
    /// Along half a wave of the cosine, slow at both ends; back again after that.
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
        /// The factor.
        gamma: f64,
        /// The rate of step 0.
        from: Option<f64>,
    },
    /// Multiplied by `gamma` after every so many steps.
    Step {
        /// How many steps the rate stays the same.
        every: usize,
        /// The factor.
        gamma: f64,
        /// The rate of the first steps.
        from: Option<f64>,
    },
    /// On a line from 0 to its peak, then as one over the square root of the step.
    ///
    /// The paper's factor and model size come together in the peak: `factor / sqrt(model_size * warmup)`.
    ///
    /// # Reference
    /// [Attention Is All You Need](https://arxiv.org/abs/1706.03762), Vaswani et al., 2017.
    Noam {
        /// The step that has the highest rate, where the first is 1.
        warmup: usize,
        /// The highest rate.
        peak: Option<f64>,
    },
}

/// The curves that have a name.
pub const SCHEDULES: &[Entry<Curve>] = &[
    Entry {
        name: "constant",
        usage: "constant(rate=number)",
        about: "The same at each step.",
        example: "constant(0.02)",
        read: |arguments| Ok(Curve::Constant { rate: arguments.optional("rate")? }),
    },
    Entry {
        name: "linear",
        usage: "linear(from..to, steps=number)",
        about: "On a line, then constant.",
        example: "linear(0..0.05) until 50 then constant",
        read: |arguments| {
            let Ends { from, to } = arguments.required("rates")?;
            Ok(Curve::Linear { from, to, steps: arguments.optional("steps")? })
        },
    },
    Entry {
        name: "cosine",
        usage: "cosine(from..to, steps=number)",
        about: "Along half a wave of the cosine, slow at both ends; back again after that.",
        example: "cosine(0.05..0.001)",
        read: |arguments| {
            let Ends { from, to } = arguments.required("rates")?;
            Ok(Curve::Cosine { from, to, steps: arguments.optional("steps")? })
        },
    },
    Entry {
        name: "exponential",
        usage: "exponential(gamma, from=rate)",
        about: "Multiplied by `gamma` after each step.",
        example: "exponential(0.99)",
        read: |arguments| {
            Ok(Curve::Exponential { gamma: arguments.required("gamma")?, from: arguments.optional("from")? })
        },
    },
    Entry {
        name: "step",
        usage: "step(every, gamma, from=rate)",
        about: "Multiplied by `gamma` after every so many steps.",
        example: "step(every=100, gamma=0.5)",
        read: |arguments| {
            let (every, gamma) = (arguments.required("every")?, arguments.required("gamma")?);
            Ok(Curve::Step { every, gamma, from: arguments.optional("from")? })
        },
    },
    Entry {
        name: "noam",
        usage: "noam(warmup, peak=rate)",
        about: "On a line from 0 to its peak, then as one over the square root of the step.",
        example: "noam(100)",
        read: |arguments| Ok(Curve::Noam { warmup: arguments.required("warmup")?, peak: arguments.optional("peak")? }),
    },
];

impl Curve {
    /// The rate of a step, for an optimizer whose own is `own`, where the curve has room for `length` steps.
    pub(super) fn rate(&self, step: usize, own: f64, length: usize) -> f64 {
        let start = |from: Option<f64>| from.unwrap_or(own);
        let time = step as f64;
        let share = |steps: Option<usize>| time / steps.unwrap_or(length).max(1) as f64;
        match *self {
            Self::Constant { rate } => start(rate),
            Self::Linear { from, to, steps } => {
                let share = share(steps).min(1.0);
                (1.0 - share) * start(from) + share * to
            }
            Self::Cosine { from, to, steps } => to + (start(from) - to) * (0.5 + 0.5 * (PI * share(steps)).cos()),
            Self::Exponential { gamma, from } => start(from) * gamma.powf(time),
            Self::Step { every, gamma, from } => start(from) * gamma.powf((step / every) as f64),
            Self::Noam { warmup, peak } => {
                let share = (time + 1.0) / warmup as f64;
                start(peak) * share.min(share.sqrt().recip())
            }
        }
    }

    pub(super) fn check(&self, own: f64) -> Result<(), Error> {
        let start = |from: Option<f64>| check_learning_rate(from.unwrap_or(own));
        match *self {
            Self::Constant { rate } => start(rate),
            Self::Linear { from, to, steps } | Self::Cosine { from, to, steps } => {
                check_end("the first learning rate", from.unwrap_or(own))?;
                check_end("the last learning rate", to)?;
                check_steps(steps.unwrap_or(1))
            }
            Self::Exponential { gamma, from } => {
                start(from)?;
                check_gamma(gamma)
            }
            Self::Step { every, gamma, from } => {
                start(from)?;
                check_steps(every)?;
                check_gamma(gamma)
            }
            Self::Noam { warmup, peak } => {
                start(peak)?;
                check_steps(warmup)
            }
        }
    }

    /// The text, as a call.
    pub(super) fn write(&self) -> Call {
        match self {
            Self::Constant { rate: None } => Call::new("constant"),
            Self::Constant { rate: Some(rate) } => Call::new("constant").argument(rate),
            Self::Linear { from, to, steps } => {
                Call::new("linear").argument(&Ends { from: *from, to: *to }).optional("steps", steps.as_ref())
            }
            Self::Cosine { from, to, steps } => {
                Call::new("cosine").argument(&Ends { from: *from, to: *to }).optional("steps", steps.as_ref())
            }
            Self::Exponential { gamma, from } => {
                Call::new("exponential").argument(gamma).optional("from", from.as_ref())
            }
            Self::Step { every, gamma, from } => {
                Call::new("step").keyword("every", every).keyword("gamma", gamma).optional("from", from.as_ref())
            }
            Self::Noam { warmup, peak } => Call::new("noam").argument(warmup).optional("peak", peak.as_ref()),
        }
    }
}

fn check_end(what: &'static str, rate: f64) -> Result<(), Error> {
    accept(rate.is_finite() && rate >= 0.0, what, rate, "it is 0 or more")
}

fn check_steps(steps: usize) -> Result<(), Error> {
    accept(steps > 0, "a schedule's number of steps", steps, "it is 1 or more")
}

fn check_gamma(gamma: f64) -> Result<(), Error> {
    accept(gamma > 0.0 && gamma <= 1.0, "gamma", gamma, "it is above 0 and at most 1")
}

/// Where a curve starts, if it says so, and where it ends.
struct Ends {
    from: Option<f64>,
    to: f64,
}

impl Argument for Ends {
    const FORM: &'static str = "the last rate, or the first and the last, such as `0.05..0.001`";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Number(to) => Some(Self { from: None, to }),
            Value::Range(from, to) => Some(Self { from: Some(from), to }),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        match self.from {
            None => Value::Number(self.to),
            Some(from) => Value::Range(from, self.to),
        }
    }
}
