//! Adam, as TensorFlow 1 computes it.

use burn::{
    config::Config,
    tensor::{Gradients, Tensor},
};

use crate::param::Variables;

/// Adam's options.
///
/// # Reference
/// [Adam](https://arxiv.org/abs/1412.6980), Kingma and Ba, 2014; `tf.train.AdamOptimizer`.
#[derive(Config, Debug, PartialEq)]
pub struct AdamConfig {
    /// How far a step goes.
    #[config(default = 0.05)]
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

/// The optimizer of a run and what it remembers.
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
        let AdamConfig { learning_rate, beta_1, beta_2, epsilon } = self.config;
        self.steps += 1;
        let rate = learning_rate * (1.0 - beta_2.powi(self.steps)).sqrt() / (1.0 - beta_1.powi(self.steps));
        self.moments.resize_with(variables.len(), || None);
        let step = |(variable, moments): (Tensor<1>, &mut Option<Moments>)| {
            let gradient = variable.grad(gradients);
            let variable = variable.inner();
            let gradient = gradient.unwrap_or_else(|| variable.zeros_like());
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
