//! Adan.

use burn::{config::Config, optim};

use super::{
    Optimizer, Options, Update, check_decay, check_epsilon, check_weight_decay,
    elementwise::Elementwise,
    text::{Text, options_as_text},
};
use crate::{Error, notation::Entry};

/// The options of Adan.
///
/// The paper calls `1 - beta` what is called `beta` here, as elsewhere.
///
/// ```
/// use entoptic::optimizer::{AdanConfig, Optimizer};
///
/// let options = AdanConfig::new().with_learning_rate(0.1).with_beta_3(0.95);
/// assert_eq!("adan(0.1, beta_3=0.95)".parse::<Optimizer>()?, options.into());
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Reference
/// [Adan: Adaptive Nesterov Momentum Algorithm](https://arxiv.org/abs/2208.06677), Xie et al., 2022.
#[derive(Config, Debug, PartialEq)]
pub struct AdanConfig {
    /// How far a step goes.
    #[config(default = "super::LEARNING_RATE")]
    pub learning_rate: f64,
    /// Decay of the mean of gradients.
    #[config(default = 0.98)]
    pub beta_1: f64,
    /// Decay of the mean of their differences from step to step.
    #[config(default = 0.92)]
    pub beta_2: f64,
    /// Decay of the mean of squares of the gradients that the differences foresee.
    #[config(default = 0.99)]
    pub beta_3: f64,
    /// Added to the square root after its bias is corrected.
    #[config(default = 1e-8)]
    pub epsilon: f64,
    /// After each step the variables are divided by 1 plus this times the learning rate.
    #[config(default = 0.0)]
    pub weight_decay: f64,
}

pub(super) const ENTRY: Entry<Optimizer> = Entry {
    name: "adan",
    usage: "adan(learning_rate=0.05, beta_1=0.98, beta_2=0.92, beta_3=0.99, epsilon=1e-8, weight_decay=0)",
    about: "Adam with Nesterov's momentum, from differences of gradients.",
    example: "adan(0.05)",
    read: |arguments| Ok(AdanConfig::read(arguments)?.into()),
};

options_as_text!(AdanConfig: beta_1, beta_2, beta_3, epsilon, weight_decay);

impl Options for AdanConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), Error> {
        check_decay("beta 1", self.beta_1)?;
        check_decay("beta 2", self.beta_2)?;
        check_decay("beta 3", self.beta_3)?;
        check_epsilon(self.epsilon)?;
        check_weight_decay(self.weight_decay)
    }

    fn start(&self) -> Box<dyn Update> {
        let adan = optim::AdanConfig::new()
            .with_beta_1(self.beta_1 as f32)
            .with_beta_2(self.beta_2 as f32)
            .with_beta_3(self.beta_3 as f32)
            .with_epsilon(self.epsilon as f32)
            .with_weight_decay(self.weight_decay as f32);
        Elementwise::start(adan.build())
    }
}
