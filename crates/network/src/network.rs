//! A frozen network: a graph, what it expects of images, and the one differentiable operation.

use std::sync::{Arc, Mutex};

use burn::tensor::{Device, Tensor};

use crate::{
    Error, ReluGradient,
    graph::{Graph, Shape},
    reference::{DeviceWeights, evaluate},
};

/// What a model is called, where it comes from and what it expects.
#[derive(Debug, Clone)]
pub struct Description {
    /// The name it is asked for by.
    pub name: String,
    /// SHA-256 of its weights file, in hexadecimal.
    pub sha256: String,
    /// The names of its classes, in the order of its last layer; empty if unknown.
    pub labels: Vec<String>,
    /// The layer with one probability for each label.
    pub probabilities: String,
}

/// A frozen network, ready to be asked for activations on any Burn device.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic_network::zoo;
///
/// let network = zoo::squeezenet_v1_1();
/// let images = Tensor::<4>::full([1, 3, 64, 64], 0.5, &Device::flex());
/// let activations = network.activations(images, &["fire2", "fire5"])?;
/// assert_eq!(activations.map("fire5")?.dims(), [1, 256, 7, 7]);
/// # Ok::<(), entoptic_network::Error>(())
/// ```
pub struct Network {
    graph: Graph,
    description: Description,
    weights: Mutex<Vec<(Device, Arc<DeviceWeights>)>>,
}

impl Network {
    /// A network of this graph.
    pub fn new(graph: Graph, description: Description) -> Self {
        Self { graph, description, weights: Mutex::new(Vec::new()) }
    }

    /// The network as data.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// What the model is called and what it expects.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The shape of `layer` for images of `size` `[h, w]`.
    ///
    /// # Errors
    /// [`Error::NoSuchLayer`]; [`Error::ImageTooSmall`] with the smallest size that works.
    pub fn shape(&self, layer: &str, size: [usize; 2]) -> Result<Shape, Error> {
        self.graph.shape_at(self.graph.find(layer)?, size)
    }

    /// The activations of `layers` for `images`, differentiable with respect to the images.
    ///
    /// Only what the layers need is computed, and never the gradient of a weight.
    ///
    /// # Shapes
    /// - images: `[n, 3, h, w]`, RGB in `0..=1`
    /// - each layer: `[n, c, h, w]`, or `[n, c]` where it has no positions
    ///
    /// # Errors
    /// [`Error::NoSuchLayer`], [`Error::ImageTooSmall`], [`Error::NotAnImage`].
    pub fn activations(&self, images: Tensor<4>, layers: &[impl AsRef<str>]) -> Result<Activations, Error> {
        self.activations_with(images, layers, ReluGradient::Plain)
    }

    /// As [`activations`](Self::activations), with a choice of how gradients pass ReLUs.
    ///
    /// # Errors
    /// As [`activations`](Self::activations).
    pub fn activations_with(
        &self,
        images: Tensor<4>,
        layers: &[impl AsRef<str>],
        relu: ReluGradient,
    ) -> Result<Activations, Error> {
        let found @ [_, c, h, w] = images.dims();
        if c != self.graph.channels() {
            return Err(Error::NotAnImage { found, channels: self.graph.channels() });
        }
        let ids = layers.iter().map(|layer| self.graph.find(layer.as_ref())).collect::<Result<Vec<_>, _>>()?;
        for &id in &ids {
            self.graph.shape_at(id, [h, w])?;
        }
        let weights = self.weights_on(&images.device());
        let outputs = evaluate(&self.graph, &weights, images, &ids, relu);
        let layers = layers.iter().map(|layer| layer.as_ref().to_owned()).zip(outputs).collect();
        Ok(Activations { layers })
    }

    /// The weights on a device, uploaded when a node first needs them.
    fn weights_on(&self, device: &Device) -> Arc<DeviceWeights> {
        let mut all = self.weights.lock().expect("no thread panics while holding the weights");
        if let Some((_, weights)) = all.iter().find(|(on, _)| on == device) {
            return weights.clone();
        }
        let weights = Arc::new(DeviceWeights::new(&self.graph, device));
        all.push((device.clone(), weights.clone()));
        weights
    }
}

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

    /// The device they are on.
    pub fn device(&self) -> Device {
        self.layers.first().map_or_else(Device::default, |(_, activation)| match activation {
            Activation::Map(map) => map.device(),
            Activation::Vector(vector) => vector.device(),
        })
    }

    /// The layers in the order they were asked for.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Activation)> {
        self.layers.iter().map(|(name, activation)| (name.as_str(), activation))
    }
}
