//! Adam, as TensorFlow 1 computes it.

use burn::{
    config::Config,
    tensor::{Gradients, Tensor},
};

use super::{
    Loss, Optimizer, Options, Update, check_decay, check_epsilon, gradient,
    text::{Text, options_as_text},
};
use crate::{Error, notation::Entry, param::Variables};

/// Adam's options.
///
/// ```
/// use entoptic::optimizer::{AdamConfig, Optimizer};
///
/// let options = AdamConfig::new().with_learning_rate(0.03).with_beta_1(0.8);
/// assert_eq!("adam(0.03, beta_1=0.8)".parse::<Optimizer>()?, options.into());
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Reference
/// [Adam](https://arxiv.org/abs/1412.6980), Kingma and Ba, 2014; `tf.train.AdamOptimizer`.
#[derive(Config, Debug, PartialEq)]
pub struct AdamConfig {
    /// How far a step goes.
    #[config(default = "super::LEARNING_RATE")]
    pub learning_rate: f64,
    /// Decay of the mean of gradients.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// Decay of the mean of their squares.
    #[config(default = 0.999)]
    pub beta_2: f64,
    /// Added to the square root before its bias is corrected (the paper's ε-hat), as TensorFlow 1 does.
    #[config(default = 1e-8)]
    pub epsilon: f64,
}

pub(super) const ENTRY: Entry<Optimizer> = Entry {
    name: "adam",
    usage: "adam(learning_rate=0.05, beta_1=0.9, beta_2=0.999, epsilon=1e-8)",
    about: "Adam as TensorFlow 1 computes it, and Lucid's default.",
    example: "adam(0.05)",
    read: |arguments| Ok(AdamConfig::read(arguments)?.into()),
};

options_as_text!(AdamConfig: beta_1, beta_2, epsilon);

impl Options for AdamConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), Error> {
        check_decay("beta 1", self.beta_1)?;
        check_decay("beta 2", self.beta_2)?;
        check_epsilon(self.epsilon)
    }

    fn start(&self) -> Box<dyn Update> {
        Box::new(Adam::new(self.clone()))
    }
}

/// Adam at work, and what it remembers.
pub struct Adam {
    config: AdamConfig,
    steps: i32,
    moments: Vec<Option<Moments>>,
}

struct Moments {
    mean: Tensor<1>,
    square: Tensor<1>,
}

impl Adam {
    /// An optimizer that has seen no gradient yet.
    pub fn new(config: AdamConfig) -> Self {
        Self { config, steps: 0, moments: Vec::new() }
    }

    /// One step against the gradient: what it was taken of becomes smaller.
    ///
    /// A variable without a gradient counts as one whose gradient is zero.
    pub fn step(&mut self, variables: Variables, gradients: &Gradients) -> Variables {
        self.step_by(self.config.learning_rate, variables, gradients)
    }

    fn step_by(&mut self, learning_rate: f64, variables: Variables, gradients: &Gradients) -> Variables {
        let AdamConfig { beta_1, beta_2, epsilon, .. } = self.config;
        self.steps += 1;
        let rate = learning_rate * (1.0 - beta_2.powi(self.steps)).sqrt() / (1.0 - beta_1.powi(self.steps));
        self.moments.resize_with(variables.len(), || None);
        let step = |(variable, moments): (Tensor<1>, &mut Option<Moments>)| {
            let gradient = gradient(&variable, gradients);
            let variable = variable.inner();
            let Moments { mean, square } = moments
                .take()
                .unwrap_or_else(|| Moments { mean: variable.zeros_like(), square: variable.zeros_like() });
            let mean = mean.mul_scalar(beta_1) + gradient.clone().mul_scalar(1.0 - beta_1);
            let square = square.mul_scalar(beta_2) + (gradient.clone() * gradient).mul_scalar(1.0 - beta_2);
            let change = mean.clone() / square.clone().sqrt().add_scalar(epsilon);
            *moments = Some(Moments { mean, square });
            Tensor::from_inner(variable - change.mul_scalar(rate)).require_grad()
        };
        variables.into_iter().zip(&mut self.moments).map(step).collect()
    }
}

impl Update for Adam {
    fn step(
        &mut self,
        learning_rate: f64,
        variables: Variables,
        loss: Tensor<1>,
        _again: &Loss<'_>,
    ) -> Result<Variables, Error> {
        Ok(self.step_by(learning_rate, variables, &loss.backward()))
    }
}
