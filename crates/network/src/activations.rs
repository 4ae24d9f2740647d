//! What a network answers: the outputs of the layers it was asked for.

use burn::tensor::{Device, Tensor};

use crate::Error;

/// One layer's output.
#[derive(Debug, Clone)]
pub enum Activation {
    /// `[n, c, h, w]`.
    Map(Tensor<4>),
    /// `[n, c]`.
    Vector(Tensor<2>),
}

impl Activation {
    /// As `[n, c, h, w]`; a vector has one position.
    pub fn into_map(self) -> Tensor<4> {
        match self {
            Activation::Map(map) => map,
            Activation::Vector(vector) => {
                let [n, c] = vector.dims();
                vector.reshape([n, c, 1, 1])
            }
        }
    }
}

/// The layers asked for, by name.
#[derive(Debug, Clone, Default)]
pub struct Activations {
    layers: Vec<(String, Activation)>,
}

impl Activations {
    /// Activations computed elsewhere, to evaluate objectives on.
    pub fn new(layers: impl IntoIterator<Item = (String, Activation)>) -> Self {
        Self { layers: layers.into_iter().collect() }
    }

    /// A layer's output as the network gives it.
    ///
    /// # Errors
    /// [`Error::NoSuchLayer`] if it was not asked for.
    pub fn get(&self, layer: &str) -> Result<&Activation, Error> {
        self.layers.iter().find(|(name, _)| name == layer).map(|(_, activation)| activation).ok_or_else(|| {
            let nearest = self.layers.iter().map(|(name, _)| name.clone()).collect();
            Error::NoSuchLayer { layer: layer.to_owned(), nearest }
        })
    }

    /// A layer's output as `[n, c, h, w]`; a vector `[n, c]` has one position.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn map(&self, layer: &str) -> Result<Tensor<4>, Error> {
        Ok(self.get(layer)?.clone().into_map())
    }

    /// How many images there are.
    pub fn batch(&self) -> usize {
        self.layers.first().map_or(0, |(_, activation)| match activation {
            Activation::Map(map) => map.dims()[0],
            Activation::Vector(vector) => vector.dims()[0],
        })
    }

    /// The activations of image `i` alone, still as a batch (of one).
    pub fn image(&self, i: usize) -> Self {
        let select = |activation: &Activation| match activation.clone() {
            Activation::Map(map) => Activation::Map(map.narrow(0, i, 1)),
            Activation::Vector(vector) => Activation::Vector(vector.narrow(0, i, 1)),
        };
        Self { layers: self.layers.iter().map(|(name, activation)| (name.clone(), select(activation))).collect() }
    }

    /// The device they are on; the processor if there are none.
    pub fn device(&self) -> Device {
        self.layers.first().map_or_else(Device::flex, |(_, activation)| match activation {
            Activation::Map(map) => map.device(),
            Activation::Vector(vector) => vector.device(),
        })
    }

    /// The layers in the order they were asked for.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Activation)> {
        self.layers.iter().map(|(name, activation)| (name.as_str(), activation))
    }
}
