//! RMSProp.

use burn::{config::Config, optim};

use super::{
    Optimizer, Options, Update, check_decay, check_epsilon, check_weight_decay,
    elementwise::{Elementwise, squares},
    text::{Text, options_as_text},
};
use crate::{Error, notation::Entry};

/// The options of RMSProp.
///
/// Burn's `centered` is left out: rounding can make the variance it takes the root of negative.
///
/// ```
/// use entoptic::optimizer::{RmsPropConfig, Optimizer};
///
/// let options = RmsPropConfig::new().with_learning_rate(0.02).with_momentum(0.9);
/// assert_eq!("rmsprop(0.02, momentum=0.9)".parse::<Optimizer>()?, options.into());
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Reference
/// [Neural Networks for Machine Learning](https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf),
/// lecture 6e, Hinton, 2012.
#[derive(Config, Debug, PartialEq)]
pub struct RmsPropConfig {
    /// How far a step goes.
    #[config(default = "super::LEARNING_RATE")]
    pub learning_rate: f64,
    /// Decay of the mean of squared gradients.
    #[config(default = 0.99)]
    pub alpha: f64,
    /// Decay of the sum of past steps; 0 is none.
    #[config(default = 0.0)]
    pub momentum: f64,
    /// Added to the square root.
    #[config(default = 1e-8)]
    pub epsilon: f64,
    /// Half its product with the sum of squares of the variables is added to what is minimized.
    #[config(default = 0.0)]
    pub weight_decay: f64,
}

pub(super) const ENTRY: Entry<Optimizer> = Entry {
    name: "rmsprop",
    usage: "rmsprop(learning_rate=0.05, alpha=0.99, momentum=0, epsilon=1e-8, weight_decay=0)",
    about: "Gradients over their recent size.",
    example: "rmsprop(0.02, momentum=0.9)",
    read: |arguments| Ok(RmsPropConfig::read(arguments)?.into()),
};

options_as_text!(RmsPropConfig: alpha, momentum, epsilon, weight_decay);

impl Options for RmsPropConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), Error> {
        check_decay("alpha", self.alpha)?;
        check_decay("the momentum", self.momentum)?;
        check_epsilon(self.epsilon)?;
        check_weight_decay(self.weight_decay)
    }

    fn start(&self) -> Box<dyn Update> {
        let rmsprop = optim::RmsPropConfig::new()
            .with_alpha(self.alpha as f32)
            .with_momentum(self.momentum as f32)
            .with_epsilon(self.epsilon as f32)
            .with_weight_decay(squares(self.weight_decay));
        Elementwise::start(rmsprop.build())
    }
}
