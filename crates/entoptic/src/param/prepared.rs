//! Params put on a device, to be evaluated at each step.

use std::{collections::HashMap, ops::Range, sync::Arc};

use burn::tensor::{Device, Tensor};

use super::{Map, Param, Variables};
use crate::chance::Rng;

/// Params and all they are made of, each once, on a device.
///
/// ```
/// use burn::tensor::Device;
/// use entoptic::{
///     chance::{Purpose, draws},
///     param::{self, Param, Prepared},
/// };
///
/// let param = Param::from(param::image([48, 64]).with_batch(2));
/// let (prepared, variables) = Prepared::new([&param], &Device::flex(), &mut draws(0, Purpose::Variables));
/// let values = prepared.evaluate(&variables, &mut draws(0, Purpose::Noise));
/// assert_eq!(values.get(&param).unwrap().dims(), [2, 3, 48, 64]);
/// ```
pub struct Prepared {
    parts: Vec<Part>,
    places: Places,
}

/// Where each param is, by the address of its node.
type Places = Arc<HashMap<usize, usize>>;

struct Part {
    shape: [usize; 4],
    inputs: Vec<usize>,
    /// Which variables are its own.
    own: Range<usize>,
    map: Map,
    /// Keeps its node, and with it the address it is known by.
    _param: Param,
}

impl Prepared {
    /// Puts what stays the same over a run on `device`, and draws the first variables of all params, one after the other.
    pub fn new<'a>(params: impl IntoIterator<Item = &'a Param>, device: &Device, rng: &mut Rng) -> (Self, Variables) {
        let mut preparation =
            Preparation { device, rng, parts: Vec::new(), places: HashMap::new(), variables: Vec::new() };
        for param in params {
            preparation.place(param);
        }
        let Preparation { parts, places, variables, .. } = preparation;
        (Self { parts, places: places.into() }, variables)
    }

    /// The values of all params for these variables; what is random in them is drawn from `chance`.
    ///
    /// # Panics
    /// If there are fewer variables than [`new`](Self::new) made, or if a param's map does not make what its shape says.
    pub fn evaluate(&self, variables: &[Tensor<1>], chance: &mut Rng) -> Values {
        let mut values: Vec<Tensor<4>> = Vec::with_capacity(self.parts.len());
        for Part { shape, inputs, own, map, .. } in &self.parts {
            let inputs: Vec<Tensor<4>> = inputs.iter().map(|&input| values[input].clone()).collect();
            let value = map(&variables[own.clone()], &inputs, chance);
            assert_eq!(value.dims(), *shape, "a param's map makes what its shape says");
            values.push(value);
        }
        Values { places: self.places.clone(), values }
    }
}

struct Preparation<'a> {
    device: &'a Device,
    rng: &'a mut Rng,
    parts: Vec<Part>,
    places: HashMap<usize, usize>,
    variables: Variables,
}

impl Preparation<'_> {
    /// The place of a param among the parts; what it is made of comes before it.
    fn place(&mut self, param: &Param) -> usize {
        let node = address(param);
        if let Some(&place) = self.places.get(&node) {
            return place;
        }
        let inputs = param.0.inputs.iter().map(|input| self.place(input)).collect();
        let first = self.variables.len();
        if let Some(draw) = &param.0.variables {
            self.variables.extend(draw(self.rng, self.device));
        }
        let (own, map) = (first..self.variables.len(), (param.0.prepare)(self.device));
        self.parts.push(Part { shape: param.shape(), inputs, own, map, _param: param.clone() });
        self.places.insert(node, self.parts.len() - 1);
        self.parts.len() - 1
    }
}

/// Params' values at one step.
///
/// ```
/// use entoptic::{RenderConfig, network::zoo, objective::channel, param, render};
///
/// // Ten images of which three, drawn anew, are optimized at each step; in the end all are looked at.
/// let all = param::Param::from(param::image([32, 32]).with_batch(10));
/// let some = all.gather(&param::random_choice(10, 3));
/// let config = RenderConfig::new().with_steps(2);
/// let render = render(&zoo::squeezenet_v1_1(), &channel("fire2", 5), &some, &config)?;
/// assert_eq!(render.images().unwrap().dims(), [3, 3, 32, 32]);
/// assert_eq!(render.params.get(&all).unwrap().dims(), [10, 3, 32, 32]);
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Values {
    places: Places,
    values: Vec<Tensor<4>>,
}

impl Values {
    /// The value of a param, if it is one of those prepared or one they are made of.
    pub fn get(&self, param: &Param) -> Option<Tensor<4>> {
        self.places.get(&address(param)).map(|&place| self.values[place].clone())
    }

    /// The same, without what made them.
    pub(crate) fn inner(mut self) -> Self {
        self.values = self.values.into_iter().map(Tensor::inner).collect();
        self
    }
}

fn address(param: &Param) -> usize {
    Arc::as_ptr(&param.0).addr()
}
