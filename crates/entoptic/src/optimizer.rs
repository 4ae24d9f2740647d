//! Optimizers: which way the variables move at each step, and how far.
//!
//! All but [`Optimizer::Lbfgs`] treat each number of the variables by itself, so the images of a batch stay free of each
//! other. That is why Burn's LAMB and Adafactor are not here: they take norms over a whole variable, which holds all
//! images. Its Muon needs matrices, and variables are flat.

mod adagrad;
mod adam;
mod adamw;
mod adan;
mod catalog;
mod elementwise;
mod lbfgs;
mod lion;
mod rmsprop;
mod schedule;
mod sgd;
mod text;
mod torch_adam;

use burn::tensor::{Device, Gradients, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use self::text::Text;
pub use self::{
    adagrad::AdaGradConfig,
    adam::{Adam, AdamConfig},
    adamw::AdamWConfig,
    adan::AdanConfig,
    catalog::CATALOG,
    lbfgs::LbfgsConfig,
    lion::LionConfig,
    rmsprop::RmsPropConfig,
    schedule::{Curve, SCHEDULES, Schedule},
    sgd::SgdConfig,
    torch_adam::TorchAdamConfig,
};
use crate::{Error, param::Variables};

/// An optimizer and its options.
///
/// It has a text form that parses back, such as `sgd(0.25, momentum=0.9)`; the [`CATALOG`] lists what there is.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::optimizer::{Optimizer, SgdConfig};
///
/// let square = |variables: &[Tensor<1>]| Ok((variables[0].clone() * variables[0].clone()).sum());
/// let sgd = Optimizer::from(SgdConfig::new().with_learning_rate(0.25));
/// assert_eq!("sgd(0.25)".parse::<Optimizer>()?, sgd);
/// let mut descent = sgd.start();
/// let mut variables = vec![Tensor::<1>::from_floats([8.0], &Device::flex().autodiff()).require_grad()];
/// for _ in 0..2 {
///     let loss = square(&variables)?;
///     variables = descent.step(sgd.learning_rate(), variables, loss, square)?;
/// }
/// assert_eq!(variables[0].clone().into_scalar::<f32>(), 2.0);
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Optimizer {
    /// Adam as TensorFlow 1 computes it, and Lucid's default.
    Adam(AdamConfig),
    /// Adam as PyTorch and Burn compute it.
    TorchAdam(TorchAdamConfig),
    /// Adam with weight decay beside the gradient, not in it.
    AdamW(AdamWConfig),
    /// Plain steps along the gradient, or with momentum.
    Sgd(SgdConfig),
    /// Gradients over their recent size.
    RmsProp(RmsPropConfig),
    /// Gradients over their size since the start.
    AdaGrad(AdaGradConfig),
    /// Steps of one size: only the sign of the momentum counts.
    Lion(LionConfig),
    /// Adam with Nesterov's momentum, from differences of gradients.
    Adan(AdanConfig),
    /// Many steps in one, along directions that follow the curvature.
    Lbfgs(LbfgsConfig),
}

impl Default for Optimizer {
    fn default() -> Self {
        AdamConfig::new().into()
    }
}

impl Optimizer {
    /// The learning rate, where no [`Schedule`] says another.
    pub fn learning_rate(&self) -> f64 {
        self.options().learning_rate()
    }

    /// Changes the learning rate.
    pub fn set_learning_rate(&mut self, rate: f64) {
        *self.learning_rate_mut() = rate;
    }

    /// Whether the options make sense.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn check(&self) -> Result<(), Error> {
        check_learning_rate(self.learning_rate())?;
        self.options().check()
    }

    /// The optimizer at work: it has seen no gradient yet.
    pub fn start(&self) -> Descent {
        Descent(self.options().start())
    }
}

macro_rules! optimizers {
    ($($variant:ident($config:ty)),* $(,)?) => {
        impl Optimizer {
            fn options(&self) -> &dyn Options {
                match self {
                    $(Self::$variant(options) => options,)*
                }
            }

            fn learning_rate_mut(&mut self) -> &mut f64 {
                match self {
                    $(Self::$variant(options) => &mut options.learning_rate,)*
                }
            }
        }

        $(impl From<$config> for Optimizer {
            fn from(options: $config) -> Self {
                Self::$variant(options)
            }
        })*
    };
}

optimizers!(
    Adam(AdamConfig),
    TorchAdam(TorchAdamConfig),
    AdamW(AdamWConfig),
    Sgd(SgdConfig),
    RmsProp(RmsPropConfig),
    AdaGrad(AdaGradConfig),
    Lion(LionConfig),
    Adan(AdanConfig),
    Lbfgs(LbfgsConfig),
);

/// An optimizer at work, and what it remembers.
pub struct Descent(Box<dyn Update>);

impl Descent {
    /// One step after which `loss`, that of `variables`, should be smaller.
    ///
    /// A variable without a gradient counts as one whose gradient is zero. `again` is the loss of other variables, with
    /// all else as it was for `loss`: the same draw of the transforms; only [`Optimizer::Lbfgs`] asks for it.
    ///
    /// # Errors
    /// Those of `again`.
    pub fn step(
        &mut self,
        learning_rate: f64,
        variables: Variables,
        loss: Tensor<1>,
        again: impl Fn(&[Tensor<1>]) -> Result<Tensor<1>, Error>,
    ) -> Result<Variables, Error> {
        self.0.step(learning_rate, variables, loss, &again)
    }

    /// What it remembers of the steps so far.
    pub(crate) fn memory(&self) -> Memory {
        self.0.memory()
    }

    /// Goes on from what an optimizer of the same kind remembered; whether it can.
    #[must_use]
    pub(crate) fn remember(&mut self, memory: Memory, device: &Device) -> bool {
        self.0.remember(memory, device)
    }
}

/// What an optimizer remembers, as data.
#[derive(Default)]
pub(crate) struct Memory {
    /// By names of its own.
    pub tensors: Vec<(String, TensorData)>,
    /// All else.
    pub rest: serde_json::Value,
}

/// The loss of variables.
type Loss<'a> = dyn Fn(&[Tensor<1>]) -> Result<Tensor<1>, Error> + 'a;

/// What [`Descent::step`] does.
trait Update {
    fn step(
        &mut self,
        learning_rate: f64,
        variables: Variables,
        loss: Tensor<1>,
        again: &Loss<'_>,
    ) -> Result<Variables, Error>;

    fn memory(&self) -> Memory;

    fn remember(&mut self, memory: Memory, device: &Device) -> bool;
}

/// The options of one optimizer.
trait Options: Text {
    fn learning_rate(&self) -> f64;

    /// Whether the options other than the learning rate make sense.
    fn check(&self) -> Result<(), Error>;

    fn start(&self) -> Box<dyn Update>;
}

/// Of a loss with respect to a variable; zero where the loss does not depend on it.
fn gradient(variable: &Tensor<1>, gradients: &Gradients) -> Tensor<1> {
    variable.grad(gradients).unwrap_or_else(|| variable.clone().inner().zeros_like())
}

/// Lucid's, `optvis/render.py`.
const LEARNING_RATE: f64 = 0.05;

fn check_learning_rate(rate: f64) -> Result<(), Error> {
    accept(rate.is_finite() && rate > 0.0, "the learning rate", rate, "it is above 0, such as 0.05")
}

/// How much of a mean over past steps stays at each step; below 1 as `f32` too, or the mean would never begin.
fn check_decay(what: &'static str, decay: f64) -> Result<(), Error> {
    accept((0.0..1.0).contains(&(decay as f32)), what, decay, "it is 0 or more and below 1")
}

/// What keeps a quotient finite must be more than 0 as `f32` too.
fn check_epsilon(epsilon: f64) -> Result<(), Error> {
    accept(epsilon.is_finite() && epsilon as f32 > 0.0, "epsilon", epsilon, "it is above 0, such as 1e-8")
}

fn check_weight_decay(weight_decay: f64) -> Result<(), Error> {
    let good = (weight_decay as f32).is_finite() && weight_decay >= 0.0;
    accept(good, "the weight decay", weight_decay, "it is 0 or more")
}

fn accept(good: bool, what: &'static str, value: impl ToString, accepted: &'static str) -> Result<(), Error> {
    match good {
        true => Ok(()),
        false => Err(Error::out_of_range(what, value, accepted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(values: &[f32]) -> Tensor<1> {
        Tensor::from_floats(values, &Device::flex().autodiff()).require_grad()
    }

    /// Where a single number is after steps from 1 with learning rate 0.1 against these gradients.
    fn after(optimizer: impl Into<Optimizer>, gradients: &[f32]) -> f32 {
        let mut descent = optimizer.into().start();
        let mut variables = vec![variable(&[1.0])];
        for &gradient in gradients {
            let loss = |variables: &[Tensor<1>]| Ok(variables[0].clone().mul_scalar(gradient));
            variables = descent.step(0.1, variables.clone(), loss(&variables).unwrap(), loss).unwrap();
        }
        variables[0].clone().into_scalar()
    }

    #[track_caller]
    fn assert_near(actual: f32, expected: f64) {
        assert!((f64::from(actual) - expected).abs() < 1e-6, "{actual}, not {expected}");
    }

    #[test]
    fn adam_adds_epsilon_before_the_correction() {
        let adam = AdamConfig::new().with_beta_1(0.5).with_beta_2(0.75).with_epsilon(1.0);
        // Means 1 and 1, then 0.5 and 0.75; corrections sqrt(0.25) / 0.5 and sqrt(0.4375) / 0.75.
        assert_near(after(adam.clone(), &[2.0]), 0.95);
        let second = 0.1 * (0.4375_f64.sqrt() / 0.75) * 0.5 / (0.75_f64.sqrt() + 1.0);
        assert_near(after(adam, &[2.0, 0.0]), 0.95 - second);
    }

    #[test]
    fn torch_adam_adds_epsilon_after_the_correction() {
        let adam = TorchAdamConfig::new().with_beta_1(0.5).with_beta_2(0.75).with_epsilon(1.0);
        let first = 1.0 - 0.1 * 2.0 / (2.0 + 1.0);
        assert_near(after(adam.clone(), &[2.0]), first);
        let mean = 0.5 / 0.75;
        let second = first - 0.1 * mean / ((0.75_f64 / 0.4375).sqrt() + 1.0);
        assert_near(after(adam.clone(), &[2.0, 0.0]), second);
        let largest = first - 0.1 * mean / ((1.0_f64 / 0.4375).sqrt() + 1.0);
        assert_near(after(adam.clone().with_amsgrad(true), &[2.0, 0.0]), largest);
        assert_near(after(adam.with_weight_decay(0.5), &[2.0]), 1.0 - 0.1 * 2.5 / (2.5 + 1.0));
    }

    #[test]
    fn adamw_shrinks_the_variables_beside_the_gradient() {
        let adamw = AdamWConfig::new().with_beta_1(0.5).with_beta_2(0.75).with_epsilon(1.0).with_weight_decay(0.5);
        let first = 0.95 - 0.1 * 2.0 / 3.0;
        assert_near(after(adamw.clone(), &[2.0]), first);
        let mean = 0.5 / 0.75;
        let second = 0.95 * first - 0.1 * mean / ((0.75_f64 / 0.4375).sqrt() + 1.0);
        assert_near(after(adamw.clone(), &[2.0, 0.0]), second);
        let largest = 0.95 * first - 0.1 * mean / ((1.0_f64 / 0.4375).sqrt() + 1.0);
        assert_near(after(adamw.with_amsgrad(true), &[2.0, 0.0]), largest);
    }

    #[test]
    fn sgd_follows_the_gradient_and_its_momentum() {
        let sgd = SgdConfig::new();
        assert_near(after(sgd.clone(), &[2.0, 1.0]), 1.0 - 0.2 - 0.1);
        assert_near(after(sgd.clone().with_weight_decay(0.5), &[2.0, 1.0]), 0.75 - 0.1 * (1.0 + 0.5 * 0.75));
        let momentum = sgd.with_momentum(0.5);
        assert_near(after(momentum.clone(), &[2.0, 1.0]), 1.0 - 0.2 - 0.1 * (1.0 + 0.5 * 2.0));
        assert_near(after(momentum.clone().with_dampening(0.5), &[2.0, 1.0]), 0.8 - 0.1 * (0.5 + 0.5 * 2.0));
        assert_near(after(momentum.with_nesterov(true), &[2.0, 1.0]), 1.0 - 0.1 * 3.0 - 0.1 * (1.0 + 0.5 * 2.0));
    }

    #[test]
    fn rmsprop_divides_by_the_size_of_recent_gradients() {
        let rmsprop = RmsPropConfig::new().with_alpha(0.75).with_epsilon(1.0);
        let second = 2.0 / (1.75_f64.sqrt() + 1.0);
        assert_near(after(rmsprop.clone(), &[2.0, 2.0]), 1.0 - 0.1 - 0.1 * second);
        assert_near(after(rmsprop.clone().with_momentum(0.5), &[2.0, 2.0]), 1.0 - 0.1 - 0.1 * (0.5 + second));
        assert_near(after(rmsprop.with_weight_decay(0.5), &[2.0]), 1.0 - 0.1 * 2.5 / (1.25 + 1.0));
    }

    #[test]
    fn adagrad_divides_by_the_size_of_all_gradients() {
        let adagrad = AdaGradConfig::new().with_epsilon(1.0).with_decay(1.0);
        assert_near(after(adagrad.clone(), &[2.0, 1.5]), 1.0 - 0.1 * 2.0 / 3.0 - 0.05 * 1.5 / 3.5);
        assert_near(after(adagrad.with_weight_decay(0.5), &[2.0]), 1.0 - 0.1 * 2.5 / 3.5);
    }

    #[test]
    fn lion_takes_steps_of_one_size() {
        let lion = LionConfig::new().with_beta_1(0.5).with_beta_2(0.75).with_weight_decay(0.5);
        assert_near(after(lion.clone(), &[2.0, -0.2]), 0.85 * 0.95 - 0.1);
        assert_near(after(lion, &[2.0, -1.0]), 0.85 * 0.95 + 0.1);
    }

    #[test]
    fn adan_foresees_the_gradient() {
        let adan = AdanConfig::new().with_beta_1(0.5).with_beta_2(0.5).with_beta_3(0.75).with_epsilon(1.0);
        let adan = adan.with_weight_decay(0.5);
        let first = (1.0 - 0.1 * 2.0 / 3.0) / 1.05;
        assert_near(after(adan.clone(), &[2.0]), first);
        // Means: gradients 1, differences -0.5, squares 0.75 * 1 + 0.25 * (1 - 0.5 * 1)^2.
        let size = (0.8125_f64 / 0.4375).sqrt() + 1.0;
        let update = (1.0 / 0.75 - 0.5 * 0.5 / 0.75) / size;
        assert_near(after(adan, &[2.0, 1.0]), (first - 0.1 * update) / 1.05);
    }

    #[test]
    fn lbfgs_learns_the_curvature() {
        let square = |variables: &[Tensor<1>]| Ok(variables[0].clone().sub_scalar(3.0).powi_scalar(2));
        let from_one = |options: LbfgsConfig, rate: f64| -> f32 {
            let variables = vec![variable(&[1.0])];
            let loss = square(&variables).unwrap();
            Optimizer::from(options).start().step(rate, variables, loss, square).unwrap().remove(0).into_scalar()
        };
        let plain = LbfgsConfig::new().with_line_search(false);
        // The gradient is -4: the first step is along it with length at most 1, the second Newton's.
        assert_near(from_one(plain.clone().with_iterations(1), 0.1), 1.1);
        assert_near(from_one(plain.clone().with_iterations(2), 0.1), 1.1 + 0.1 * 1.9);
        assert_near(from_one(plain.with_iterations(2), 1.0), 3.0);
        assert_near(from_one(LbfgsConfig::new(), 1.0), 3.0);
    }

    #[test]
    fn lbfgs_passes_errors_on() {
        let variables = vec![variable(&[1.0, 2.0])];
        let loss = (variables[0].clone() * variables[0].clone()).sum();
        let again = |_: &[Tensor<1>]| accept(false, "it", 1, "it works").map(|()| unreachable!());
        let step = Optimizer::from(LbfgsConfig::new()).start().step(1.0, variables, loss, again);
        assert!(matches!(step, Err(Error::OutOfRange { what: "it", .. })));
    }

    /// Each optimizer with a learning rate for numbers near 1 and slopes near 1.
    fn all() -> [(Optimizer, f64); 10] {
        let momentum = SgdConfig::new().with_momentum(0.9).with_nesterov(true);
        [
            (AdamConfig::new().into(), 0.05),
            (TorchAdamConfig::new().into(), 0.05),
            (AdamWConfig::new().with_weight_decay(0.0).into(), 0.05),
            (SgdConfig::new().into(), 0.1),
            (momentum.into(), 0.02),
            (RmsPropConfig::new().into(), 0.02),
            (AdaGradConfig::new().into(), 0.5),
            (LionConfig::new().into(), 0.02),
            (AdanConfig::new().into(), 0.05),
            (LbfgsConfig::new().into(), 1.0),
        ]
    }

    #[test]
    fn each_finds_the_bottom_of_a_bowl() {
        for (optimizer, rate) in all() {
            let bowl = |variables: &[Tensor<1>]| {
                let away = variables[0].clone() - Tensor::from_floats([2.0, -1.0, 0.5], &Device::flex().autodiff());
                Ok((away.clone() * away * Tensor::from_floats([0.5, 1.0, 3.0], &Device::flex().autodiff())).sum())
            };
            let mut variables = vec![variable(&[0.0, 0.0, 0.0]), variable(&[4.0, 5.0])];
            let before: f32 = bowl(&variables).unwrap().into_scalar();
            let mut descent = optimizer.start();
            let line = Schedule::from(Curve::Linear { from: None, to: 0.0, steps: None });
            for rate in line.rates(rate, 400).unwrap().take(400) {
                let loss = bowl(&variables).unwrap();
                variables = descent.step(rate, variables, loss, bowl).unwrap();
            }
            let left: f32 = bowl(&variables).unwrap().into_scalar();
            assert!(left < 0.01 * before, "{optimizer:?}: {left} of {before}");
            let unused = variables[1].clone().try_into_vec_as::<f32>().unwrap();
            assert_eq!(unused, [4.0, 5.0], "{optimizer:?} moved what has no gradient");
        }
    }

    #[test]
    fn the_learning_rate_can_be_changed() {
        for (mut optimizer, _) in all() {
            optimizer.set_learning_rate(0.125);
            assert_eq!(optimizer.learning_rate(), 0.125);
            optimizer.check().unwrap();
        }
    }

    #[test]
    fn bad_options_are_refused() {
        let table: [(Optimizer, &str); 18] = [
            (
                AdamConfig::new().with_learning_rate(-0.1).into(),
                "the learning rate cannot be -0.1; it is above 0, such as 0.05",
            ),
            (
                LionConfig::new().with_learning_rate(f64::NAN).into(),
                "the learning rate cannot be NaN; it is above 0, such as 0.05",
            ),
            (AdamConfig::new().with_beta_1(1.0).into(), "beta 1 cannot be 1; it is 0 or more and below 1"),
            (AdamConfig::new().with_beta_2(-0.5).into(), "beta 2 cannot be -0.5; it is 0 or more and below 1"),
            (
                AdanConfig::new().with_beta_1(1.0 - 1e-9).into(),
                "beta 1 cannot be 0.999999999; it is 0 or more and below 1",
            ),
            (AdamConfig::new().with_epsilon(0.0).into(), "epsilon cannot be 0; it is above 0, such as 1e-8"),
            (TorchAdamConfig::new().with_beta_1(1.5).into(), "beta 1 cannot be 1.5; it is 0 or more and below 1"),
            (TorchAdamConfig::new().with_weight_decay(-1.0).into(), "the weight decay cannot be -1; it is 0 or more"),
            (AdamWConfig::new().with_beta_2(1.0).into(), "beta 2 cannot be 1; it is 0 or more and below 1"),
            (SgdConfig::new().with_momentum(1.0).into(), "the momentum cannot be 1; it is 0 or more and below 1"),
            (SgdConfig::new().with_nesterov(true).into(), "the momentum cannot be 0; nesterov needs more, such as 0.9"),
            (SgdConfig::new().with_dampening(2.0).into(), "the dampening cannot be 2; it is 0 or more and below 1"),
            (RmsPropConfig::new().with_alpha(1.0).into(), "alpha cannot be 1; it is 0 or more and below 1"),
            (AdaGradConfig::new().with_decay(-1.0).into(), "the decay cannot be -1; it is 0 or more"),
            (LionConfig::new().with_beta_2(1.0).into(), "beta 2 cannot be 1; it is 0 or more and below 1"),
            (AdanConfig::new().with_beta_3(1.0).into(), "beta 3 cannot be 1; it is 0 or more and below 1"),
            (LbfgsConfig::new().with_iterations(0).into(), "the number of iterations cannot be 0; it is 1 or more"),
            (LbfgsConfig::new().with_history(0).into(), "the history cannot be 0; it is 1 step or more"),
        ];
        for (optimizer, expected) in table {
            assert_eq!(optimizer.check().unwrap_err().to_string(), expected, "{optimizer:?}");
        }
    }
}
