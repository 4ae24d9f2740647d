//! Lion.

use burn::{config::Config, optim};

use super::{
    Optimizer, Options, Update, check_decay, check_weight_decay,
    elementwise::Elementwise,
    text::{Text, options_as_text},
};
use crate::{Error, notation::Entry};

/// The options of Lion: every number moves by the learning rate, or stays.
///
/// ```
/// use entoptic::optimizer::{LionConfig, Optimizer};
///
/// let options = LionConfig::new().with_learning_rate(0.01);
/// assert_eq!("lion(0.01)".parse::<Optimizer>()?, options.into());
/// # Ok::<(), entoptic::Error>(())
/// ```
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

pub(super) const ENTRY: Entry<Optimizer> = Entry {
    name: "lion",
    usage: "lion(learning_rate=0.05, beta_1=0.9, beta_2=0.99, weight_decay=0)",
    about: "Steps of one size: only the sign of the momentum counts.",
    example: "lion(0.01, weight_decay=0.1)",
    read: |arguments| Ok(LionConfig::read(arguments)?.into()),
};

options_as_text!(LionConfig: beta_1, beta_2, weight_decay);

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
