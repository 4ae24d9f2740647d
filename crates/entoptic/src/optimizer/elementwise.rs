//! Burn's optimizers on plain variables.

use std::collections::BTreeMap;

use burn::{
    optim::{Optimizer, RecordState, StateSink, StateSource, decay::WeightDecayConfig},
    tensor::{Device, Tensor},
};
use serde::de::DeserializeOwned;

use super::{Loss, Memory, Update, gradient};
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

    fn memory(&self) -> Memory {
        let mut sink = StateSink::default();
        for (i, state) in self.states.iter().enumerate() {
            if let Some(state) = state {
                state.state_flatten(&i.to_string(), &mut sink);
            }
        }
        let rest = serde_json::to_value((self.states.len(), sink.scalars)).expect("scalars are plain data");
        Memory { tensors: sink.tensors, rest }
    }

    fn remember(&mut self, Memory { tensors, rest }: Memory, device: &Device) -> bool {
        // Burn's type of scalars has no public name.
        fn read<T: DeserializeOwned>(
            rest: serde_json::Value,
            new: fn(BTreeMap<String, T>) -> StateSource,
        ) -> Option<(usize, StateSource)> {
            let (count, scalars): (usize, Vec<(String, T)>) = serde_json::from_value(rest).ok()?;
            Some((count, new(scalars.into_iter().collect())))
        }
        let Some((count, mut source)) = read(rest, StateSource::new) else { return false };
        for (name, data) in tensors {
            source.insert_tensor(name, data);
        }
        let state = |i: usize| O::State::<1>::state_unflatten(&i.to_string(), &mut source, device);
        self.states = (0..count).map(state).collect();
        true
    }
}

/// A penalty of half `weight_decay` times the sum of squares, as its gradient.
pub(super) fn squares(weight_decay: f64) -> Option<WeightDecayConfig> {
    (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay as f32))
}
