//! Adam, as TensorFlow 1 computes it.

use std::collections::HashMap;

use burn::{
    config::Config,
    tensor::{Device, Gradients, Tensor, TensorData},
};
use pulp::{Arch, Simd, WithSimd};

use super::{
    Loss, Memory, Optimizer, Options, Update, check_decay, check_epsilon, gradient,
    text::{Text, options_as_text},
};
use crate::{Error, cpu, notation::Entry, param::Variables};

/// Adam's options.
///
/// ```
/// use entoptic::optimizer::{AdamConfig, Optimizer};
///
/// let options = AdamConfig::new().with_learning_rate(0.03).with_beta_1(0.8);
/// assert_eq!("adam(0.03, beta_1=0.8)".parse::<Optimizer>()?, options.into());
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Reference
/// [Adam](https://arxiv.org/abs/1412.6980), Kingma and Ba, 2014; `tf.train.AdamOptimizer`.
#[derive(Config, Debug, PartialEq)]
pub struct AdamConfig {
    /// How far a step goes.
    #[config(default = "super::LEARNING_RATE")]
    pub learning_rate: f64,
    /// Decay of the mean of gradients.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// Decay of the mean of their squares.
    #[config(default = 0.999)]
    pub beta_2: f64,
    /// Added to the square root before its bias is corrected (the paper's ε-hat), as TensorFlow 1 does.
    #[config(default = 1e-8)]
    pub epsilon: f64,
}

pub(super) const ENTRY: Entry<Optimizer> = Entry {
    name: "adam",
    usage: "adam(learning_rate=0.05, beta_1=0.9, beta_2=0.999, epsilon=1e-8)",
    about: "Adam as TensorFlow 1 computes it, and Lucid's default.",
    example: "adam(0.05)",
    read: |arguments| Ok(AdamConfig::read(arguments)?.into()),
};

options_as_text!(AdamConfig: beta_1, beta_2, epsilon);

impl Options for AdamConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), Error> {
        check_decay("beta 1", self.beta_1)?;
        check_decay("beta 2", self.beta_2)?;
        check_epsilon(self.epsilon)
    }

    fn start(&self) -> Box<dyn Update> {
        Box::new(Adam::new(self.clone()))
    }
}

/// Adam at work, and what it remembers.
pub struct Adam {
    config: AdamConfig,
    steps: i32,
    moments: Vec<Option<Moments>>,
}

/// Means of gradients and of their squares.
enum Moments {
    Tensors(Box<[Tensor<1>; 2]>),
    /// On the CPU.
    Slices([Vec<f32>; 2]),
}

impl Moments {
    fn zero(variable: &Tensor<1>) -> Self {
        match cpu::holds(variable) {
            true => {
                let zeros = vec![0.0; variable.dims()[0]];
                Self::Slices([zeros.clone(), zeros])
            }
            false => Self::Tensors(Box::new([variable.zeros_like(), variable.zeros_like()])),
        }
    }

    fn data(&self) -> [TensorData; 2] {
        match self {
            Self::Tensors(moments) => moments.each_ref().map(|moment| moment.to_data()),
            Self::Slices(moments) => moments.each_ref().map(|moment| TensorData::new(moment.clone(), [moment.len()])),
        }
    }

    fn from_data(moments: [TensorData; 2], device: &Device) -> Self {
        let tensors = moments.map(|moment| Tensor::<1>::from_data(moment, device));
        match cpu::holds(&tensors[0]) {
            true => Self::Slices(tensors.map(|moment| moment.try_into_vec_as().expect("moments are f32"))),
            false => Self::Tensors(Box::new(tensors)),
        }
    }
}

impl Adam {
    /// An optimizer that has seen no gradient yet.
    pub fn new(config: AdamConfig) -> Self {
        Self { config, steps: 0, moments: Vec::new() }
    }

    /// One step against the gradient: what it was taken of becomes smaller.
    ///
    /// A variable without a gradient counts as one whose gradient is zero.
    pub fn step(&mut self, variables: Variables, gradients: &Gradients) -> Variables {
        self.step_by(self.config.learning_rate, variables, gradients)
    }

    fn step_by(&mut self, learning_rate: f64, variables: Variables, gradients: &Gradients) -> Variables {
        let AdamConfig { beta_1, beta_2, epsilon, .. } = self.config;
        self.steps += 1;
        let rate = learning_rate * (1.0 - beta_2.powi(self.steps)).sqrt() / (1.0 - beta_1.powi(self.steps));
        let factors = Factors {
            beta_1: beta_1 as f32,
            rest_1: (1.0 - beta_1) as f32,
            beta_2: beta_2 as f32,
            rest_2: (1.0 - beta_2) as f32,
            epsilon: epsilon as f32,
            rate: rate as f32,
        };
        self.moments.resize_with(variables.len(), || None);
        let step = |(variable, moments): (Tensor<1>, &mut Option<Moments>)| {
            let gradient = gradient(&variable, gradients);
            let variable = variable.inner();
            let moments = moments.get_or_insert_with(|| Moments::zero(&variable));
            Tensor::from_inner(factors.step(variable, gradient, moments)).require_grad()
        };
        variables.into_iter().zip(&mut self.moments).map(step).collect()
    }
}

/// The numbers of one step.
#[derive(Clone, Copy)]
struct Factors {
    beta_1: f32,
    rest_1: f32,
    beta_2: f32,
    rest_2: f32,
    epsilon: f32,
    rate: f32,
}

impl Factors {
    /// The variable after the step.
    fn step(self, variable: Tensor<1>, gradient: Tensor<1>, moments: &mut Moments) -> Tensor<1> {
        match moments {
            Moments::Tensors(moments) => {
                let [mean, square] = &mut **moments;
                *mean = mean.clone().mul_scalar(self.beta_1) + gradient.clone().mul_scalar(self.rest_1);
                *square =
                    square.clone().mul_scalar(self.beta_2) + (gradient.clone() * gradient).mul_scalar(self.rest_2);
                let change = mean.clone() / square.clone().sqrt().add_scalar(self.epsilon);
                variable - change.mul_scalar(self.rate)
            }
            Moments::Slices([mean, square]) => cpu::combine(variable, gradient, |variable, gradient, moved| {
                Arch::new().dispatch(Step { factors: self, variable, gradient, moved, mean, square });
            }),
        }
    }
}

/// A step on the CPU.
struct Step<'a> {
    factors: Factors,
    variable: &'a [f32],
    gradient: &'a [f32],
    moved: &'a mut [f32],
    mean: &'a mut [f32],
    square: &'a mut [f32],
}

impl WithSimd for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Factors { beta_1, rest_1, beta_2, rest_2, epsilon, rate } = self.factors;
        let moments = self.mean.iter_mut().zip(self.square);
        let numbers = self.moved.iter_mut().zip(self.variable).zip(self.gradient);
        for (((moved, variable), gradient), (mean, square)) in numbers.zip(moments) {
            *mean = *mean * beta_1 + gradient * rest_1;
            *square = *square * beta_2 + gradient * gradient * rest_2;
            *moved = variable - *mean / (square.sqrt() + epsilon) * rate;
        }
    }
}

impl Update for Adam {
    fn step(
        &mut self,
        learning_rate: f64,
        variables: Variables,
        loss: Tensor<1>,
        _again: &Loss<'_>,
    ) -> Result<Variables, Error> {
        Ok(self.step_by(learning_rate, variables, &loss.backward()))
    }

    fn memory(&self) -> Memory {
        let data = |moments: &Option<Moments>| moments.as_ref().map(Moments::data);
        let moments = self.moments.iter().filter_map(data).enumerate();
        let named = |(i, [mean, square]): (usize, [TensorData; 2])| {
            [(format!("{i}.{MEAN}"), mean), (format!("{i}.{SQUARE}"), square)]
        };
        Memory { tensors: moments.flat_map(named).collect(), rest: self.steps.into() }
    }

    fn remember(&mut self, Memory { tensors, rest }: Memory, device: &Device) -> bool {
        let Some(steps) = rest.as_i64().and_then(|steps| i32::try_from(steps).ok()) else { return false };
        let mut named: HashMap<String, TensorData> = tensors.into_iter().collect();
        let moments = (0..named.len() / 2).map(|i| {
            let [mean, square] = [MEAN, SQUARE].map(|moment| named.remove(&format!("{i}.{moment}")));
            Some(Moments::from_data([mean?, square?], device))
        });
        let Some(moments) = moments.collect::<Option<Vec<_>>>() else { return false };
        self.steps = steps;
        self.moments = moments.into_iter().map(Some).collect();
        true
    }
}

/// What the moments are called where they are kept.
const MEAN: &str = "mean";
const SQUARE: &str = "square";

#[cfg(test)]
mod tests {
    use entoptic_fixtures::assert_close;

    use super::*;

    #[test]
    fn a_step_on_slices_is_the_step_on_tensors() {
        let numbers = |seed: f32| -> Tensor<1> {
            let numbers: Vec<f32> = (0..1003).map(|i| (seed * i as f32).sin() * (i % 7) as f32).collect();
            Tensor::from_floats(numbers.as_slice(), &Device::flex())
        };
        let factors = Factors { beta_1: 0.9, rest_1: 0.1, beta_2: 0.99, rest_2: 0.01, epsilon: 1e-8, rate: 0.05 };
        let variable = numbers(0.3);
        let mut slices = Moments::zero(&variable);
        let mut tensors = Moments::Tensors(Box::new([variable.zeros_like(), variable.zeros_like()]));
        assert!(matches!(slices, Moments::Slices(_)));
        let (mut one, mut other) = (variable.clone(), variable);
        for step in 1..4 {
            let gradient = numbers(0.7 * step as f32);
            one = factors.step(one, gradient.clone(), &mut slices);
            other = factors.step(other, gradient, &mut tensors);
            assert_close("variable", one.clone(), other.clone(), 1e-6);
        }
    }
}
