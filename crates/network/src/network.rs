//! A frozen network: a graph, what it expects of images, and the one differentiable operation.

use std::sync::{Arc, Mutex};

use burn::tensor::{Device, Tensor, ops::PadMode};
use entoptic_model::Model;

use crate::{
    Activations, Description, Error, GradientOverrides, Precision, Wanted,
    activations::Answer,
    graph::{Graph, NodeId, Shape},
    plan::{Planner, is_plannable, planned},
    reference::{DeviceWeights, evaluate},
    wanted::merge,
};

/// How a network is run.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// How gradients pass ReLUs and max pools.
    pub gradients: GradientOverrides,
    /// The step of a run, counted from 0, on which [`ReluOverride::Redirected`](crate::ReluOverride::Redirected)
    /// depends; with 0 throughout it never ends, as in Lucid's `recipes.feature_visualization`.
    pub step: usize,
    /// In which numbers convolutions multiply on the CPU; on other devices it is single precision.
    pub precision: Precision,
    /// On the CPU, of how many images what the gradient needs is kept in memory; the others are computed again when it
    /// is asked for. Answers and gradients do not depend on it. If nobody says, it is as many as half of the free memory
    /// holds.
    pub batch: Option<usize>,
}

impl Default for Pass {
    /// The derivative everywhere.
    fn default() -> Self {
        Self { gradients: GradientOverrides::none(), step: 0, precision: Precision::F32, batch: None }
    }
}

/// What computes a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executor {
    /// Our own kernels on the CPU, planned for the size of the images; Burn's operations on other devices.
    Planned,
    /// Burn's operations on any device: what the other is held against.
    Reference,
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
    executor: Executor,
    planner: Arc<Planner>,
    weights: Mutex<Vec<(Device, Arc<DeviceWeights>)>>,
}

impl From<Model> for Network {
    fn from(Model { graph, description }: Model) -> Self {
        Self::new(graph, description)
    }
}

impl Network {
    /// A network of this graph.
    pub fn new(graph: Graph, description: Description) -> Self {
        let executor = if is_plannable(&graph) { Executor::Planned } else { Executor::Reference };
        Self { graph, description, executor, planner: Arc::new(Planner::new()), weights: Mutex::new(Vec::new()) }
    }

    /// The same network, computed by `executor`.
    pub fn with_executor(self, executor: Executor) -> Self {
        Self { executor, ..self }
    }

    /// The network as data.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// What the model is called and what it expects.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// What follows `layer` alone, as a network of its own: it is given the layer's activations instead of images, and its
    /// answers are differentiable with respect to them.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use entoptic_network::zoo;
    ///
    /// let network = zoo::squeezenet_v1_1();
    /// let images = Tensor::<4>::full([1, 3, 224, 224], 0.5, &Device::flex());
    /// let activations = network.activations(images, &["fire5", "logits"])?;
    /// let rest = network.after("fire5", "logits")?;
    /// let again = rest.activations(activations.map("fire5")?, &["logits"])?.map("logits")?;
    /// let difference = again - activations.map("logits")?;
    /// assert!(difference.abs().max().into_scalar::<f32>() < 1e-3);
    /// # Ok::<(), entoptic_network::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NoSuchLayer`](entoptic_model::Error::NoSuchLayer) for either; [`NoPositions`](entoptic_model::Error::NoPositions) if `layer` is a vector; [`Error::NotAfter`] if `target` does
    /// not depend on it, [`Error::NotTheOnlyWay`] if it depends on the image by other ways, too.
    pub fn after(&self, layer: &str, target: &str) -> Result<Self, Error> {
        let id = self.graph.find(target)?;
        let graph = self.graph.after(layer)?;
        if !self.graph.ancestors(&[id]).contains(&self.graph.find(layer)?) {
            return Err(Error::NotAfter { layer: layer.to_owned(), target: target.to_owned() });
        }
        if graph.find(target).is_err() {
            let bottlenecks = self.graph.bottlenecks(id).into_iter().map(str::to_owned).collect();
            return Err(Error::NotTheOnlyWay { layer: layer.to_owned(), target: target.to_owned(), bottlenecks });
        }
        let description =
            Description { name: format!("{} after {layer}", self.description.name), ..self.description.clone() };
        Ok(Self::new(graph, description))
    }

    /// The shape of `layer` for images of `size` `[h, w]`.
    ///
    /// Where a part of the network takes images of one size only, it is the shape for those: see
    /// [`answer`](Self::answer).
    ///
    /// # Errors
    /// [`NoSuchLayer`](entoptic_model::Error::NoSuchLayer); [`ImageTooSmall`](entoptic_model::Error::ImageTooSmall) with the smallest size that works.
    pub fn shape(&self, layer: &str, size: [usize; 2]) -> Result<Shape, Error> {
        let id = self.graph.find(layer)?;
        Ok(self.graph.shape_at(id, self.graph.fitting(id, size))?)
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
    /// [`NoSuchLayer`](entoptic_model::Error::NoSuchLayer), [`ImageTooSmall`](entoptic_model::Error::ImageTooSmall), [`Error::NotAnImage`].
    pub fn activations(&self, images: Tensor<4>, layers: &[impl AsRef<str>]) -> Result<Activations, Error> {
        self.activations_with(images, layers, &GradientOverrides::none(), 0)
    }

    /// As [`activations`](Self::activations), with a choice of how gradients pass ReLUs and max pools at a
    /// [`step`](Pass::step).
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
        let wanted: Vec<Wanted> = layers.iter().map(|layer| Wanted::layer(layer.as_ref())).collect();
        self.answer(images, &wanted, &Pass { gradients: overrides.clone(), step, ..Pass::default() })
    }

    /// As [`activations`](Self::activations), of parts of layers: what they do not need is not computed.
    ///
    /// A layer that is wanted twice is answered once, with all that is wanted of it. A network that takes images of one
    /// size only, such as a transformer with an embedding for each position, is given others cropped or padded with
    /// zeros to that size, about the center.
    ///
    /// # Errors
    /// As [`activations_with`](Self::activations_with); [`Error::NoSuchChannel`], [`Error::NoSuchPosition`],
    /// [`Error::NoBf16`].
    pub fn answer(&self, images: Tensor<4>, wanted: &[Wanted], pass: &Pass) -> Result<Activations, Error> {
        let found @ [_, c, _, _] = images.dims();
        if c != self.graph.channels() {
            return Err(Error::NotAnImage { found, channels: self.graph.channels() });
        }
        let wanted = merge(wanted.iter().cloned());
        let images = self.fit(images, &wanted)?;
        let [_, _, h, w] = images.dims();
        let wanted = wanted.into_iter().map(|wanted| self.find(wanted, [h, w])).collect::<Result<Vec<_>, _>>()?;
        let precision = pass.precision.on_this_cpu()?;
        let overrides = pass.gradients.resolve(&self.graph, pass.step)?;
        let names: Vec<String> = wanted.iter().map(|(_, wanted)| wanted.layer.clone()).collect();
        let answers: Vec<Answer> = if self.executor == Executor::Planned && images.device() == Device::flex() {
            let plan = self.planner.plan(&self.graph, wanted, [h, w], overrides, images.is_autodiff(), precision);
            planned(self.planner.clone(), plan, images, pass.batch)
        } else {
            let pruned = self.planner.prune(&self.graph, &wanted);
            let ids: Vec<NodeId> = wanted.iter().map(|&(id, _)| pruned.place(id)).collect();
            let weights = self.weights_on(&images.device());
            let outputs = evaluate(&pruned, &weights, images, &ids, &overrides);
            outputs
                .into_iter()
                .zip(ids)
                .map(|(output, id)| Answer::whole(output, pruned.channels[id].clone()))
                .collect()
        };
        Ok(Activations::answered(names.into_iter().zip(answers)))
    }

    /// The images at a size that all wanted layers take.
    fn fit(&self, images: Tensor<4>, wanted: &[Wanted]) -> Result<Tensor<4>, Error> {
        let [_, _, h, w] = images.dims();
        for wanted in wanted {
            let size = self.graph.fitting(self.graph.find(&wanted.layer)?, [h, w]);
            if size != [h, w] {
                return Ok(crop_or_pad(images, size));
            }
        }
        Ok(images)
    }

    /// The node of a layer, if it has what is wanted of it for images of `size`.
    fn find(&self, wanted: Wanted, size: [usize; 2]) -> Result<(NodeId, Wanted), Error> {
        let id = self.graph.find(&wanted.layer)?;
        let shape = self.graph.shape_at(id, size)?;
        let (channels, size @ [h, w]) = (shape.channels(), shape.positions());
        let layer = || wanted.layer.clone();
        if let Some(&channel) = wanted.channels.iter().flatten().find(|&&channel| channel >= channels) {
            return Err(Error::NoSuchChannel { layer: layer(), channel, channels });
        }
        match wanted.positions.on(size) {
            Some(position @ [y, x]) if y >= h || x >= w => {
                Err(Error::NoSuchPosition { layer: layer(), position, size })
            }
            _ => Ok((id, wanted)),
        }
    }

    /// The weights on a device, uploaded when they are first needed.
    fn weights_on(&self, device: &Device) -> Arc<DeviceWeights> {
        let mut all = self.weights.lock().expect("no thread panics while holding the weights");
        if let Some((_, weights)) = all.iter().find(|(on, _)| on == device) {
            return weights.clone();
        }
        let weights = Arc::new(DeviceWeights::new(device));
        all.push((device.clone(), weights.clone()));
        weights
    }
}

/// Images cropped or padded with zeros to `[h, w]`, about the center; of an odd difference the larger part is at the
/// bottom and at the right: Lucid's `crop_or_pad_to`.
fn crop_or_pad(images: Tensor<4>, [h, w]: [usize; 2]) -> Tensor<4> {
    let [_, _, from_h, from_w] = images.dims();
    let [rows, columns] = [(from_h, h), (from_w, w)].map(|(from, to)| (from.saturating_sub(to) / 2, from.min(to)));
    let images = images.narrow(2, rows.0, rows.1).narrow(3, columns.0, columns.1);
    let [top, left] = [h - rows.1, w - columns.1].map(|border| border / 2);
    let border = (left, w - columns.1 - left, top, h - rows.1 - top);
    if border == (0, 0, 0, 0) { images } else { images.pad(border, PadMode::Constant(0.0)) }
}
