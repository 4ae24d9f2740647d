//! Gradient descent, plain or with momentum.

use burn::{
    config::Config,
    optim::{self, momentum::MomentumConfig},
};

use super::{
    Optimizer, Options, Update, accept, check_decay, check_weight_decay,
    elementwise::{Elementwise, squares},
    text::{Text, options_as_text},
};
use crate::{Error, notation::Entry};

/// The options of gradient descent; "stochastic" because the transforms are drawn.
///
/// Its steps are as long as the gradient, which is as large as the objective makes it: no learning rate suits all. With
/// [`normalize_gradient`](crate::transform::normalize_gradient) before the other transforms every image's gradient is as
/// long as every other's, as in DeepDream.
///
/// ```
/// use entoptic::optimizer::{SgdConfig, Optimizer};
///
/// let options = SgdConfig::new().with_learning_rate(0.1).with_momentum(0.9);
/// assert_eq!("sgd(0.1, momentum=0.9)".parse::<Optimizer>()?, options.into());
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Reference
/// [On the importance of initialization and momentum in deep learning](https://proceedings.mlr.press/v28/sutskever13.html),
/// Sutskever et al., 2013.
#[derive(Config, Debug, PartialEq)]
pub struct SgdConfig {
    /// How far a step goes.
    #[config(default = "super::LEARNING_RATE")]
    pub learning_rate: f64,
    /// Decay of the sum of past gradients; 0 is none.
    #[config(default = 0.0)]
    pub momentum: f64,
    /// The share of each gradient but the first that does not enter that sum.
    #[config(default = 0.0)]
    pub dampening: f64,
    /// Whether to step along the gradient plus the momentum it leads to.
    #[config(default = false)]
    pub nesterov: bool,
    /// Half its product with the sum of squares of the variables is added to what is minimized.
    #[config(default = 0.0)]
    pub weight_decay: f64,
}

pub(super) const ENTRY: Entry<Optimizer> = Entry {
    name: "sgd",
    usage: "sgd(learning_rate=0.05, momentum=0, dampening=0, nesterov=false, weight_decay=0)",
    about: "Plain steps along the gradient, or with momentum.",
    example: "sgd(0.1, momentum=0.9)",
    read: |arguments| Ok(SgdConfig::read(arguments)?.into()),
};

options_as_text!(SgdConfig: momentum, dampening, nesterov, weight_decay);

impl Options for SgdConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), Error> {
        check_decay("the momentum", self.momentum)?;
        check_decay("the dampening", self.dampening)?;
        let leads = !self.nesterov || self.momentum > 0.0;
        accept(leads, "the momentum", self.momentum, "nesterov needs more, such as 0.9")?;
        check_weight_decay(self.weight_decay)
    }

    fn start(&self) -> Box<dyn Update> {
        let momentum = MomentumConfig::new()
            .with_momentum(self.momentum)
            .with_dampening(self.dampening)
            .with_nesterov(self.nesterov);
        let sgd = optim::SgdConfig::new()
            .with_momentum((self.momentum > 0.0).then_some(momentum))
            .with_weight_decay(squares(self.weight_decay));
        Elementwise::start(sgd.build())
    }
}
