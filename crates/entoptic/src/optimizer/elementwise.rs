//! Burn's optimizers on plain variables.

use burn::{
    optim::{Optimizer, decay::WeightDecayConfig},
    tensor::Tensor,
};

use super::{Loss, Update, gradient};
use crate::{Error, param::Variables};

/// An optimizer of Burn's that treats each number of the variables by itself, and its state for each variable.
pub(super) struct Elementwise<O: Optimizer> {
    optimizer: O,
    states: Vec<Option<O::State<1>>>,
}

impl<O: Optimizer> Elementwise<O> {
    pub(super) fn start(optimizer: O) -> Box<dyn Update> {
        Box::new(Self { optimizer, states: Vec::new() })
    }
}

impl<O: Optimizer> Update for Elementwise<O> {
    fn step(
        &mut self,
        learning_rate: f64,
        variables: Variables,
        loss: Tensor<1>,
        _again: &Loss<'_>,
    ) -> Result<Variables, Error> {
        let gradients = loss.backward();
        self.states.resize_with(variables.len(), || None);
        let step = |(variable, state): (Tensor<1>, &mut Option<O::State<1>>)| {
            let gradient = gradient(&variable, &gradients);
            let (moved, remembered) = self.optimizer.step(learning_rate, variable.inner(), gradient, state.take());
            *state = remembered;
            Tensor::from_inner(moved).require_grad()
        };
        Ok(variables.into_iter().zip(&mut self.states).map(step).collect())
    }
}

/// A penalty of half `weight_decay` times the sum of squares, as its gradient.
pub(super) fn squares(weight_decay: f64) -> Option<WeightDecayConfig> {
    (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay as f32))
}
