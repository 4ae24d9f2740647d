//! Adam, as PyTorch and Burn compute it.

use burn::{config::Config, optim};

use super::{
    Optimizer, Options, Update, check_decay, check_epsilon, check_weight_decay,
    elementwise::{Elementwise, squares},
    text::{Text, options_as_text},
};
use crate::{Error, notation::Entry};

/// The options of Adam as the paper's Algorithm 1 has it, PyTorch and Burn too.
///
/// It differs from [`AdamConfig`](super::AdamConfig) in where `epsilon` goes: here it is added to the square root after
/// its bias is corrected, there before. TensorFlow's steps are the smaller ones, by much only where gradients are not
/// far above `epsilon`, in the first steps.
///
/// ```
/// use entoptic::optimizer::{TorchAdamConfig, Optimizer};
///
/// let options = TorchAdamConfig::new().with_learning_rate(0.03).with_amsgrad(true);
/// assert_eq!("torch_adam(0.03, amsgrad=true)".parse::<Optimizer>()?, options.into());
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Reference
/// [Adam](https://arxiv.org/abs/1412.6980), Kingma and Ba, 2014; `amsgrad` from
/// [On the Convergence of Adam and Beyond](https://openreview.net/forum?id=ryQu7f-RZ), Reddi, Kale and Kumar, 2018.
#[derive(Config, Debug, PartialEq)]
pub struct TorchAdamConfig {
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
    /// Half its product with the sum of squares of the variables is added to what is minimized.
    #[config(default = 0.0)]
    pub weight_decay: f64,
    /// Whether the largest mean of squares so far counts, not the current one.
    #[config(default = false)]
    pub amsgrad: bool,
}

pub(super) const ENTRY: Entry<Optimizer> = Entry {
    name: "torch_adam",
    usage: "torch_adam(learning_rate=0.05, beta_1=0.9, beta_2=0.999, epsilon=1e-8, weight_decay=0, amsgrad=false)",
    about: "Adam as PyTorch and Burn compute it.",
    example: "torch_adam(0.05, amsgrad=true)",
    read: |arguments| Ok(TorchAdamConfig::read(arguments)?.into()),
};

options_as_text!(TorchAdamConfig: beta_1, beta_2, epsilon, weight_decay, amsgrad);

impl Options for TorchAdamConfig {
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
        let adam = optim::AdamConfig::new()
            .with_beta_1(self.beta_1 as f32)
            .with_beta_2(self.beta_2 as f32)
            .with_epsilon(self.epsilon as f32)
            .with_weight_decay(squares(self.weight_decay))
            .with_amsgrad(self.amsgrad);
        Elementwise::start(adam.build())
    }
}
