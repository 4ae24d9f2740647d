//! A frozen network: a graph, what it expects of images, and the one differentiable operation.

use std::sync::{Arc, Mutex};

use burn::tensor::{Device, Tensor};

use crate::{
    Activations, Error, GradientOverrides,
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
        self.activations_with(images, layers, &GradientOverrides::none(), 0)
    }

    /// As [`activations`](Self::activations), with a choice of how gradients pass ReLUs and max pools.
    ///
    /// [`ReluOverride::Redirected`](crate::ReluOverride::Redirected) depends on the `step` of a run, counted from 0; with
    /// 0 throughout it never ends, as in Lucid's `recipes.feature_visualization`.
    ///
    /// # Errors
    /// As [`activations`](Self::activations) and [`GradientOverrides::check`].
    pub fn activations_with(
        &self,
        images: Tensor<4>,
        layers: &[impl AsRef<str>],
        overrides: &GradientOverrides,
        step: usize,
    ) -> Result<Activations, Error> {
        let found @ [_, c, h, w] = images.dims();
        if c != self.graph.channels() {
            return Err(Error::NotAnImage { found, channels: self.graph.channels() });
        }
        let ids = layers.iter().map(|layer| self.graph.find(layer.as_ref())).collect::<Result<Vec<_>, _>>()?;
        for &id in &ids {
            self.graph.shape_at(id, [h, w])?;
        }
        let overrides = overrides.resolve(&self.graph, step)?;
        let weights = self.weights_on(&images.device());
        let outputs = evaluate(&self.graph, &weights, images, &ids, &overrides);
        Ok(Activations::new(layers.iter().map(|layer| layer.as_ref().to_owned()).zip(outputs)))
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
