//! Lion.

use burn::{config::Config, optim};

use super::{Options, Update, check_decay, check_weight_decay, elementwise::Elementwise};
use crate::Error;

/// The options of Lion: every number moves by the learning rate, or stays.
///
/// # Reference
/// [Symbolic Discovery of Optimization Algorithms](https://arxiv.org/abs/2302.06675), Chen et al., 2023.
#[derive(Config, Debug, PartialEq)]
pub struct LionConfig {
    /// How far a step goes.
    #[config(default = "super::LEARNING_RATE")]
    pub learning_rate: f64,
    /// How much the mean of past gradients counts against the current one.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// Decay of that mean.
    #[config(default = 0.99)]
    pub beta_2: f64,
    /// The share of the variables that is taken away at each step, times the learning rate.
    #[config(default = 0.0)]
    pub weight_decay: f64,
}

impl Options for LionConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), Error> {
        check_decay("beta 1", self.beta_1)?;
        check_decay("beta 2", self.beta_2)?;
        check_weight_decay(self.weight_decay)
    }

    fn start(&self) -> Box<dyn Update> {
        let lion = optim::LionConfig::new()
            .with_beta_1(self.beta_1 as f32)
            .with_beta_2(self.beta_2 as f32)
            .with_weight_decay(self.weight_decay as f32);
        Elementwise::start(lion.build())
    }
}
