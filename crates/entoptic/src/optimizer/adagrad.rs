//! AdaGrad.

use burn::{config::Config, optim};

use super::{
    Optimizer, Options, Update, accept, check_epsilon, check_weight_decay,
    elementwise::{Elementwise, squares},
    text::{Text, options_as_text},
};
use crate::{Error, notation::Entry};

/// The options of AdaGrad.
///
/// ```
/// use entoptic::optimizer::{AdaGradConfig, Optimizer};
///
/// let options = AdaGradConfig::new().with_learning_rate(0.5);
/// assert_eq!("adagrad(0.5)".parse::<Optimizer>()?, options.into());
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Reference
/// [Adaptive Subgradient Methods](https://jmlr.org/papers/v12/duchi11a.html), Duchi, Hazan and Singer, 2011.
#[derive(Config, Debug, PartialEq)]
pub struct AdaGradConfig {
    /// How far a step goes.
    #[config(default = "super::LEARNING_RATE")]
    pub learning_rate: f64,
    /// After `t` steps the learning rate is divided by `1 + t * decay`.
    #[config(default = 0.0)]
    pub decay: f64,
    /// Added to the square root.
    #[config(default = 1e-8)]
    pub epsilon: f64,
    /// Half its product with the sum of squares of the variables is added to what is minimized.
    #[config(default = 0.0)]
    pub weight_decay: f64,
}

pub(super) const ENTRY: Entry<Optimizer> = Entry {
    name: "adagrad",
    usage: "adagrad(learning_rate=0.05, decay=0, epsilon=1e-8, weight_decay=0)",
    about: "Gradients over their size since the start.",
    example: "adagrad(0.5)",
    read: |arguments| Ok(AdaGradConfig::read(arguments)?.into()),
};

options_as_text!(AdaGradConfig: decay, epsilon, weight_decay);

impl Options for AdaGradConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), Error> {
        accept(self.decay.is_finite() && self.decay >= 0.0, "the decay", self.decay, "it is 0 or more")?;
        check_epsilon(self.epsilon)?;
        check_weight_decay(self.weight_decay)
    }

    fn start(&self) -> Box<dyn Update> {
        let adagrad = optim::AdaGradConfig::new()
            .with_lr_decay(self.decay)
            .with_epsilon(self.epsilon as f32)
            .with_weight_decay(squares(self.weight_decay));
        Elementwise::start(adagrad.build())
    }
}
