//! Objectives: the scalar that an image is optimized for.

mod algebra;
mod alignment;
mod blur;
mod boundary;
mod catalog;
mod channel;
mod class_logit;
mod common;
mod custom;
mod deepdream;
mod direction;
mod diversity;
mod dot_compare;
mod given;
mod input_diff;
mod interpolate;
mod kind;
mod layer;
mod mask;
mod measure;
mod neuron;
mod norm;
mod parse;
mod print;
mod root;
mod step;
mod style;
mod total_variation;
mod whitened;

use std::path::Path;

use burn::tensor::Tensor;
use entoptic_network::Wanted;
use serde::{Deserialize, Serialize};

pub(crate) use self::step::{Memory, Seen};
use self::{algebra::Expression, kind::Kind, step::INPUT};
pub use self::{
    alignment::alignment,
    blur::{blur_alpha_each_step, blur_input_each_step},
    boundary::{BoundaryConfig, penalize_boundary_complexity},
    catalog::CATALOG,
    channel::channel,
    class_logit::{Class, class_logit},
    custom::{custom, of_param},
    deepdream::deepdream,
    direction::{direction, direction_neuron, direction_neuron_at, tensor_direction},
    diversity::diversity,
    dot_compare::dot_compare,
    given::Given,
    input_diff::input_diff,
    interpolate::channel_interpolate,
    layer::layer,
    mask::Mask,
    neuron::{neuron, neuron_at},
    norm::{L2_EPSILON, l1, l2},
    step::{Evaluated, Step},
    style::{Distance, StyleConfig, StyleTarget, gram, style},
    total_variation::total_variation,
    whitened::{WhitenedConfig, direction_neuron_s},
};
use crate::{Error, Networks, param::Param};

/// What is maximized: a scalar made of a network's activations.
///
/// Objectives are values. They are made by constructors such as [`channel`] and [`neuron`], added, subtracted,
/// multiplied, scaled and divided by numbers, and have a text form that parses back:
///
/// ```
/// use entoptic::objective::{Objective, channel, neuron};
///
/// let objective = channel("mixed4a", 476) - 0.5 * neuron("mixed4b", 12);
/// assert_eq!(objective.to_string(), "channel(mixed4a, 476) - 0.5*neuron(mixed4b, 12)");
/// assert_eq!("mixed4a:476 - 0.5*neuron(mixed4b, 12)".parse::<Objective>()?, objective);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Reference
/// `optvis/objectives.py` in Lucid; every objective named as there keeps its formula and its sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Objective(Expression);

/// One objective of the network's activations, for all images or for one.
#[derive(Debug, Clone, PartialEq)]
struct Term {
    kind: Kind,
    batch: Option<usize>,
    model: Option<String>,
    mask: Option<Mask>,
}

impl Objective {
    fn of(kind: impl Into<Kind>) -> Self {
        Self(Expression::Term(Term { kind: kind.into(), batch: None, model: None, mask: None }.into()))
    }

    /// The same objective of image `image` of a batch alone.
    ///
    /// ```
    /// use entoptic::objective::channel;
    ///
    /// let opposite = channel("mixed4a", 3).batch(1) - channel("mixed4a", 3).batch(0);
    /// assert_eq!(opposite.to_string(), "channel(mixed4a, 3, batch=1) - channel(mixed4a, 3, batch=0)");
    /// ```
    pub fn batch(mut self, image: usize) -> Self {
        self.0.for_each_term(&mut |term| term.batch = Some(image));
        self
    }

    /// The same objective of another network than the first, named as its description names it.
    ///
    /// ```
    /// use entoptic::objective::channel;
    ///
    /// let both = channel("fire5", 20) + channel("inception_4a_output", 101).on("googlenet_bvlc");
    /// assert_eq!(both.to_string(), "channel(fire5, 20) + channel(inception_4a_output, 101, model=googlenet_bvlc)");
    /// ```
    pub fn on(mut self, model: impl Into<String>) -> Self {
        let model = model.into();
        self.0.for_each_term(&mut |term| term.model = Some(model.clone()));
        self
    }

    /// The same objective where activations count as much as `mask` says: as they are where it is 1, as zero where it
    /// is 0. The layer `input` is masked like any other.
    ///
    /// ```
    /// use entoptic::{
    ///     array::Array,
    ///     objective::{Objective, layer},
    /// };
    ///
    /// let right_half = layer("fire5").masked(Array::new([1, 2], vec![0.0, 1.0]));
    /// assert_eq!("layer(fire5, mask=[[0, 1]])".parse::<Objective>()?, right_half);
    /// # Ok::<(), entoptic::Error>(())
    /// ```
    ///
    /// # Errors
    /// When it is evaluated: [`Error::WrongShape`] if the mask is neither `[h, w]` nor a picture; [`Error::NotLoaded`] for a
    /// file that [`load`](Self::load) did not read.
    pub fn masked(mut self, mask: impl Into<Mask>) -> Self {
        let mask = mask.into();
        self.0.for_each_term(&mut |term| term.mask = Some(mask.clone()));
        self
    }

    /// Reads the files it names, so that it holds their numbers; a name that is no absolute path is looked for in
    /// `folder`.
    ///
    /// A picture becomes `[1, 3, h, w]` in `0..=1`, any other file is an [array](mod@crate::array).
    ///
    /// ```
    /// use entoptic::{
    ///     array::{self, Array},
    ///     objective::{Objective, direction},
    /// };
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let folder = folder.path();
    /// array::save(&folder.join("direction.npy"), &Array::new([2], vec![0.5, -1.0]))?;
    /// let mut objective = "direction(conv1, \"direction.npy\")".parse::<Objective>()?;
    /// objective.load(folder)?;
    /// assert_eq!(objective, direction("conv1", [0.5, -1.0], 0.0));
    /// # Ok::<(), entoptic::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub fn load(&mut self, folder: &Path) -> Result<(), Error> {
        let mut result = Ok(());
        self.0.for_each_term(&mut |term| {
            let mask = term.mask.as_mut().map(|mask| &mut mask.0);
            for given in term.kind.measure_mut().given_mut().into_iter().chain(mask) {
                if result.is_ok() {
                    result = given.load(folder);
                }
            }
        });
        result
    }

    /// The layers it reads, of whichever network, each once.
    pub fn layers(&self) -> Vec<String> {
        let mut layers: Vec<String> = Vec::new();
        self.0.terms(&mut |term| {
            for layer in term.kind.measure().layers() {
                if !layers.iter().any(|known| known == layer) {
                    layers.push(layer.to_owned());
                }
            }
        });
        layers
    }

    /// The params whose values it reads.
    pub fn params(&self) -> Vec<Param> {
        let mut params = Vec::new();
        self.0.terms(&mut |term| params.extend(term.kind.measure().params()));
        params
    }

    /// Its value at a step, for which every layer and param it reads was evaluated.
    ///
    /// # Errors
    /// [`Error::NoSuchModel`], [`Error::NoSuchChannel`], [`Error::NoSuchPosition`], [`Error::NoSuchImage`],
    /// [`Error::NoSuchLabel`] for what is not there; [`Error::BatchTooSmall`] for fewer images than it compares;
    /// [`Error::WrongShape`] for something given, such as a direction, that does not fit; [`Error::NotLoaded`] for a
    /// file that [`load`](Self::load) did not read; [`Error::OutOfRange`] for an option; [`Error::Network`] for a layer
    /// that was not evaluated.
    pub fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        self.0.value(step)
    }

    /// What each of `networks` is asked for.
    pub(crate) fn wanted_by_network(&self, networks: &Networks<'_>) -> Result<Vec<Vec<Wanted>>, Error> {
        let mut wanted = vec![Vec::new(); networks.iter().count()];
        let mut unknown = None;
        self.0.terms(&mut |term| match networks.place(term.model.as_deref()) {
            Ok(network) => {
                wanted[network].extend(term.wanted().into_iter().filter(|wanted| wanted.layer != INPUT));
            }
            Err(error) => unknown = Some(error),
        });
        if let Some(error) = unknown {
            return Err(error);
        }
        Ok(wanted)
    }

    /// Whether its layers, channels, positions and images exist for `images` `[n, c, h, w]` that transforms make
    /// `transformed` `[n, c, h, w]`.
    ///
    /// # Errors
    /// As [`value`](Self::value): [`Error::NoSuchModel`], [`Error::NoSuchChannel`], [`Error::NoSuchPosition`],
    /// [`Error::NoSuchImage`], [`Error::NoSuchLabel`], [`Error::BatchTooSmall`], [`Error::WrongShape`],
    /// [`Error::NotLoaded`], [`Error::OutOfRange`]; and, as [`Error::Network`] or, of several networks,
    /// [`Error::OneOfNetworks`], what [`Network::shape`](entoptic_network::Network::shape) finds.
    pub fn check(&self, networks: &Networks<'_>, images: [usize; 4], transformed: [usize; 4]) -> Result<(), Error> {
        let rehearsal = Evaluated::rehearsal(networks, &self.wanted_by_network(networks)?, images, transformed)?;
        self.value(&rehearsal.step()).map(drop)
    }
}

impl Term {
    /// What it reads of its network; a mask is laid on whole layers.
    fn wanted(&self) -> Vec<Wanted> {
        let measure = self.kind.measure();
        match self.mask {
            Some(_) => measure.layers().into_iter().map(Wanted::layer).collect(),
            None => measure.wanted(),
        }
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let mut step = *step;
        step.image = self.batch.or(step.image);
        step.model = self.model.as_deref().or(step.model);
        step.mask = self.mask.as_ref().or(step.mask);
        self.kind.measure().value(&step)
    }
}
