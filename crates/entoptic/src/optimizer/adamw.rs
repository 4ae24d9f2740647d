//! Adam with decoupled weight decay.

use burn::{config::Config, optim};

use super::{
    Optimizer, Options, Update, check_decay, check_epsilon, check_weight_decay,
    elementwise::Elementwise,
    text::{Text, options_as_text},
};
use crate::{Error, notation::Entry};

/// The options of AdamW: [`TorchAdamConfig`](super::TorchAdamConfig), but the variables shrink by themselves.
///
/// ```
/// use entoptic::optimizer::{AdamWConfig, Optimizer};
///
/// let options = AdamWConfig::new().with_weight_decay(0.1);
/// assert_eq!("adamw(0.05, weight_decay=0.1)".parse::<Optimizer>()?, options.into());
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Reference
/// [Decoupled Weight Decay Regularization](https://arxiv.org/abs/1711.05101), Loshchilov and Hutter, 2017.
#[derive(Config, Debug, PartialEq)]
pub struct AdamWConfig {
    /// How far a step goes.
    #[config(default = "super::LEARNING_RATE")]
    pub learning_rate: f64,
    /// Decay of the mean of gradients.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// Decay of the mean of their squares.
    #[config(default = 0.999)]
    pub beta_2: f64,
    /// Added to the square root after its bias is corrected.
    #[config(default = 1e-8)]
    pub epsilon: f64,
    /// The share of the variables that is taken away at each step, times the learning rate; 0.01 is PyTorch's.
    #[config(default = 0.01)]
    pub weight_decay: f64,
    /// Whether the largest mean of squares so far counts, not the current one.
    #[config(default = false)]
    pub amsgrad: bool,
}

pub(super) const ENTRY: Entry<Optimizer> = Entry {
    name: "adamw",
    usage: "adamw(learning_rate=0.05, beta_1=0.9, beta_2=0.999, epsilon=1e-8, weight_decay=0.01, amsgrad=false)",
    about: "Adam with weight decay beside the gradient, not in it.",
    example: "adamw(0.05, weight_decay=0.1)",
    read: |arguments| Ok(AdamWConfig::read(arguments)?.into()),
};

options_as_text!(AdamWConfig: beta_1, beta_2, epsilon, weight_decay, amsgrad);

impl Options for AdamWConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), Error> {
        check_decay("beta 1", self.beta_1)?;
        check_decay("beta 2", self.beta_2)?;
        check_epsilon(self.epsilon)?;
        check_weight_decay(self.weight_decay)
    }

    fn start(&self) -> Box<dyn Update> {
        let adamw = optim::AdamWConfig::new()
            .with_beta_1(self.beta_1 as f32)
            .with_beta_2(self.beta_2 as f32)
            .with_epsilon(self.epsilon as f32)
            .with_weight_decay(self.weight_decay as f32)
            .with_amsgrad(self.amsgrad);
        Elementwise::start(adamw.build())
    }
}
