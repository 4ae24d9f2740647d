//! What an objective reads.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use burn::tensor::{Device, Tensor};
use entoptic_network::{Activation, Activations, Error as NetworkError, Network, Wanted, graph::Shape};

use super::Mask;
use crate::{
    Error, Networks,
    param::{Param, Values},
};

/// One step's images, the networks' activations for them, and the values of params.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::{
///     network::{Activation, Activations},
///     objective::{Evaluated, channel},
/// };
///
/// let device = Device::flex();
/// let conv1 = Tensor::<4>::from_floats([[[[1.0, 2.0]], [[3.0, 5.0]]]], &device); // [1, 2, 1, 2]
/// let activations = Activations::new([("conv1".to_owned(), Activation::Map(conv1))]);
/// let evaluated = Evaluated::new(Tensor::zeros([1, 3, 8, 8], &device), activations);
/// assert_eq!(channel("conv1", 1).value(&evaluated.step())?.into_scalar::<f32>(), 4.0);
/// # Ok::<(), entoptic::Error>(())
/// ```
pub struct Evaluated {
    /// The first is the one meant where none is named.
    pub(crate) models: Vec<Seen>,
    /// The images before their transforms, `[n, c, h, w]`.
    pub(crate) images: Tensor<4>,
    pub(crate) params: Values,
    pub(crate) memory: Memory,
    /// Whether this is no step, but a test that there can be one.
    pub(crate) rehearsal: bool,
}

/// What one network saw.
pub(crate) struct Seen {
    pub name: String,
    pub labels: Vec<String>,
    pub activations: Activations,
}

/// What objectives keep from one step of a run to the next, such as moving averages.
pub(crate) type Memory = Arc<Mutex<HashMap<String, Tensor<4>>>>;

impl Evaluated {
    /// What one network answered for `images` `[n, c, h, w]`.
    pub fn new(images: Tensor<4>, activations: Activations) -> Self {
        Self::of(vec![Seen { name: String::new(), labels: Vec::new(), activations }], images)
    }

    /// What several networks answered.
    pub(crate) fn of(models: Vec<Seen>, images: Tensor<4>) -> Self {
        Self { models, images, params: Values::default(), memory: Memory::default(), rehearsal: false }
    }

    /// The same at a step of a run, which has params, and remembers the steps before.
    pub(crate) fn with(self, params: Values, memory: Memory) -> Self {
        Self { params, memory, ..self }
    }

    /// The same, where the network's classes have these names.
    pub fn with_labels(mut self, labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.models[0].labels = labels.into_iter().map(Into::into).collect();
        self
    }

    /// The same as the step that comes after `before`: an objective that keeps something from step to step finds it, if it
    /// is the same value and no clone.
    pub fn after(mut self, before: &Evaluated) -> Self {
        self.memory = before.memory.clone();
        self
    }

    /// Zeros for activations, to find what an objective reads that is not there.
    pub(super) fn rehearsal(
        networks: &Networks<'_>,
        wanted: &[Vec<Wanted>],
        images: [usize; 4],
        transformed @ [n, c, h, w]: [usize; 4],
    ) -> Result<Self, Error> {
        let device = Device::flex();
        let zeros = |network: &Network, layer: &str| -> Result<(String, Activation), Error> {
            let channels = network.graph().channels();
            if c != channels {
                let error = entoptic_network::Error::NotAnImage { found: transformed, channels };
                return Err(networks.error(network, error));
            }
            let zeros = match network.shape(layer, [h, w]).map_err(|error| networks.error(network, error))? {
                Shape::Map { c, h, w } => Activation::Map(Tensor::zeros([n, c, h, w], &device)),
                Shape::Vector { c } => Activation::Vector(Tensor::zeros([n, c], &device)),
            };
            Ok((layer.to_owned(), zeros))
        };
        let seen = networks.iter().zip(wanted).map(|(network, wanted)| {
            let zeros = wanted.iter().map(|wanted| zeros(network, &wanted.layer));
            let activations = zeros.collect::<Result<Vec<_>, Error>>()?;
            Ok(Seen::new(network, Activations::new(activations)))
        });
        let seen = seen.collect::<Result<_, Error>>()?;
        Ok(Self { rehearsal: true, ..Self::of(seen, Tensor::zeros(images, &device)) })
    }

    /// All of it, for an objective to read.
    pub fn step(&self) -> Step<'_> {
        Step { evaluated: self, model: None, image: None, mask: None }
    }
}

impl Seen {
    pub(crate) fn new(network: &Network, activations: Activations) -> Self {
        let description = network.description();
        Self { name: description.name.clone(), labels: description.labels.clone(), activations }
    }
}

/// One step as an objective sees it: one of the models, all images or one of them, and what a mask leaves.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::{
///     network::Activations,
///     objective::{Evaluated, custom},
/// };
///
/// let brightest = custom("brightest", ["input"], |step| Ok(step.map("input")?.max()));
/// let evaluated = Evaluated::new(Tensor::full([2, 3, 8, 8], 0.25, &Device::flex()), Activations::default());
/// assert_eq!(evaluated.step().map("input")?.dims(), [2, 3, 8, 8]);
/// assert_eq!(brightest.value(&evaluated.step())?.into_scalar::<f32>(), 0.25);
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Step<'a> {
    evaluated: &'a Evaluated,
    pub(super) model: Option<&'a str>,
    pub(super) image: Option<usize>,
    pub(super) mask: Option<&'a Mask>,
}

impl<'a> Step<'a> {
    /// A layer's activations; a vector `[n, c]` has one position. `"input"` is the images before their transforms.
    ///
    /// # Shapes
    /// - value: `[n, c, h, w]`; `[1, c, h, w]` for one image
    ///
    /// # Errors
    /// [`Error::Network`] if the objective does not say that it reads the layer.
    pub fn map(&self, layer: &str) -> Result<Tensor<4>, Error> {
        let all = self.all_images(layer)?;
        Ok(match self.image {
            Some(image) => all.narrow(0, image, 1),
            None => all,
        })
    }

    /// A layer's activations for all images, even where the objective is of one of them.
    ///
    /// # Errors
    /// As [`map`](Self::map); [`Error::NoSuchImage`] if the one is not there.
    pub fn all_images(&self, layer: &str) -> Result<Tensor<4>, Error> {
        let activations = match layer {
            INPUT => self.evaluated.images.clone(),
            layer => self.seen()?.activations.map(layer)?,
        };
        let [batch, _, _, _] = activations.dims();
        if let Some(image) = self.image.filter(|&image| image >= batch) {
            return Err(Error::NoSuchImage { image, batch });
        }
        Ok(match self.mask {
            Some(mask) => mask.apply(activations)?,
            None => activations,
        })
    }

    /// One channel of a layer.
    ///
    /// # Shapes
    /// - value: `[n, 1, h, w]`; `[1, 1, h, w]` for one image
    ///
    /// # Errors
    /// As [`map`](Self::map); [`Error::NoSuchChannel`].
    pub(super) fn channel(&self, layer: &str, channel: usize) -> Result<Tensor<4>, Error> {
        self.part(layer, |activations| activations.channel(layer, channel))
    }

    /// One channel of a layer at `position` `[y, x]`, the center if there is none.
    ///
    /// # Shapes
    /// - value: `[n, 1, 1, 1]`; `[1, 1, 1, 1]` for one image
    ///
    /// # Errors
    /// As [`channel`](Self::channel); [`Error::NoSuchPosition`].
    pub(super) fn neuron(&self, layer: &str, channel: usize, position: Option<[usize; 2]>) -> Result<Tensor<4>, Error> {
        self.part(layer, |activations| activations.neuron(layer, channel, position))
    }

    /// All channels of a layer at `position` `[y, x]`, the center if there is none.
    ///
    /// # Shapes
    /// - value: `[n, c, 1, 1]`; `[1, c, 1, 1]` for one image
    ///
    /// # Errors
    /// As [`map`](Self::map); [`Error::NoSuchPosition`].
    pub(super) fn position(&self, layer: &str, position: Option<[usize; 2]>) -> Result<Tensor<4>, Error> {
        self.part(layer, |activations| activations.position(layer, position))
    }

    /// A part of a layer that may be all that was computed of it.
    fn part(
        &self,
        layer: &str,
        select: impl Fn(&Activations) -> Result<Tensor<4>, NetworkError>,
    ) -> Result<Tensor<4>, Error> {
        let selected = if layer == INPUT || self.mask.is_some() {
            select(&Activations::new([(layer.to_owned(), Activation::Map(self.all_images(layer)?))]))
        } else {
            select(&self.seen()?.activations)
        };
        let part = selected.map_err(|error| match error {
            NetworkError::NoSuchChannel { layer, channel, channels } => {
                Error::NoSuchChannel { layer, channel, channels }
            }
            NetworkError::NoSuchPosition { layer, position, size } => Error::NoSuchPosition { layer, position, size },
            error => error.into(),
        })?;
        let [batch, _, _, _] = part.dims();
        match self.image {
            Some(image) if image >= batch => Err(Error::NoSuchImage { image, batch }),
            Some(image) => Ok(part.narrow(0, image, 1)),
            None => Ok(part),
        }
    }

    /// The image the objective is of, if it is of one.
    pub fn image(&self) -> Option<usize> {
        self.image
    }

    /// The value of a param the objective says it reads.
    ///
    /// # Panics
    /// If it does not say so.
    pub fn param(&self, param: &Param) -> Tensor<4> {
        if self.evaluated.rehearsal {
            return Tensor::zeros(param.shape(), &self.device());
        }
        self.evaluated.params.get(param).expect("an objective names the params it reads")
    }

    /// The names of the model's classes.
    pub(super) fn labels(&self) -> Result<&'a [String], Error> {
        Ok(&self.seen()?.labels)
    }

    /// Whether this is no step, but a test that there can be one.
    pub(super) fn is_rehearsal(&self) -> bool {
        self.evaluated.rehearsal
    }

    /// The mask, if there is one.
    pub(super) fn mask(&self) -> Option<&'a Mask> {
        self.mask
    }

    /// The same without its mask.
    pub(super) fn unmasked(self) -> Self {
        Self { mask: None, ..self }
    }

    /// The device of it all.
    pub fn device(&self) -> Device {
        self.evaluated.images.device()
    }

    /// What was kept under this name at the step before, while `now` is kept for the next.
    pub(super) fn exchange(&self, name: &str, now: impl FnOnce(Option<Tensor<4>>) -> Tensor<4>) -> Tensor<4> {
        let mut memory = self.evaluated.memory.lock().expect("no thread panics while it holds the memory");
        let now = now(memory.remove(name));
        memory.insert(name.to_owned(), now.clone());
        now
    }

    fn seen(&self) -> Result<&'a Seen, Error> {
        let models = &self.evaluated.models;
        let Some(name) = self.model else { return Ok(&models[0]) };
        models.iter().find(|seen| seen.name == name).ok_or_else(|| Error::NoSuchModel {
            model: name.to_owned(),
            known: models.iter().map(|seen| seen.name.clone()).collect(),
        })
    }
}

/// The name of the images before their transforms, as a layer.
pub(super) const INPUT: &str = "input";
