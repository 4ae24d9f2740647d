//! Objectives: the scalar that an image is optimized for.

mod algebra;
mod channel;
mod mask;
mod neuron;
mod parse;
mod print;
mod step;

use std::{fmt, sync::Arc};

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

pub(crate) use self::step::{Memory, Seen};
pub use self::{
    mask::Mask,
    parse::SyntaxError,
    step::{Evaluated, Step},
};

use self::{algebra::Expression, channel::Channel, neuron::Neuron, step::INPUT};
use crate::{Error, Networks, param::Param};

/// What is maximised: a scalar made of a network's activations.
///
/// Objectives are values. They are made by constructors such as [`channel`] and [`neuron`], added, subtracted,
/// multiplied and scaled, and have a text form that parses back:
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

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Channel(Channel),
    Neuron(Neuron),
    Custom(Custom),
}

/// Mean activation of one channel, over images and positions.
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`
/// - value: `[1]`
///
/// # Reference
/// [Feature Visualization](https://distill.pub/2017/feature-visualization), Olah et al., 2017;
/// `objectives.channel` in Lucid.
pub fn channel(layer: impl Into<String>, channel: usize) -> Objective {
    Objective::of(Kind::Channel(Channel { layer: layer.into(), channel }))
}

/// Activation of one channel at the center `[h / 2, w / 2]`, mean over images.
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`
/// - value: `[1]`
///
/// # Reference
/// `objectives.neuron` in Lucid.
pub fn neuron(layer: impl Into<String>, channel: usize) -> Objective {
    Objective::of(Kind::Neuron(Neuron { layer: layer.into(), channel, position: None }))
}

/// Activation of one channel at `position` `[y, x]`, mean over images.
///
/// # Shapes
/// - activations: `[n, c, h, w]`
/// - value: `[1]`
///
/// # Reference
/// `objectives.neuron` in Lucid, whose `x` is our `y`: it counts rows.
pub fn neuron_at(layer: impl Into<String>, channel: usize, position: [usize; 2]) -> Objective {
    Objective::of(Kind::Neuron(Neuron { layer: layer.into(), channel, position: Some(position) }))
}

/// An objective of your own: a closure over the activations of `layers`.
///
/// `"input"` is the images before their transforms. A custom objective has no text form that parses; it prints as
/// `custom(name)`.
///
/// ```
/// use entoptic::objective::custom;
///
/// let contrast = custom("contrast", ["mixed4a"], |step| {
///     let a = step.map("mixed4a")?; // [n, c, h, w]
///     Ok(a.clone().max() - a.min())
/// });
/// assert_eq!(contrast.to_string(), "custom(contrast)");
/// ```
pub fn custom<L: Into<String>>(
    name: impl Into<String>,
    layers: impl IntoIterator<Item = L>,
    value: impl Fn(&Step<'_>) -> Result<Tensor<1>, Error> + Send + Sync + 'static,
) -> Objective {
    let layers = layers.into_iter().map(Into::into).collect();
    Objective::of(Kind::Custom(Custom { name: name.into(), layers, params: Vec::new(), value: Arc::new(value) }))
}

/// An objective of a param's own value, rather than of what a network makes of it.
///
/// ```
/// use entoptic::{objective::{channel, of_param}, param::{self, Param}};
///
/// // A quarter of the image is to be opaque.
/// let image = Param::from(param::image([64, 64]).with_alpha(true));
/// let opaque = of_param("opaque", &image.channels(3..4), |alpha| -(alpha.mean() - 0.25).powi_scalar(2));
/// let objective = channel("fire5", 20) + 1e4 * opaque;
/// ```
pub fn of_param(
    name: impl Into<String>,
    param: &Param,
    value: impl Fn(Tensor<4>) -> Tensor<1> + Send + Sync + 'static,
) -> Objective {
    let read = param.clone();
    let value = move |step: &Step<'_>| Ok(value(step.param(&read)));
    let params = vec![param.clone()];
    Objective::of(Kind::Custom(Custom { name: name.into(), layers: Vec::new(), params, value: Arc::new(value) }))
}

impl Objective {
    fn of(kind: Kind) -> Self {
        Self(Expression::Term(Term { kind, batch: None, model: None, mask: None }))
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
    pub fn masked(mut self, mask: impl Into<Mask>) -> Self {
        let mask = mask.into();
        self.0.for_each_term(&mut |term| term.mask = Some(mask.clone()));
        self
    }

    /// The layers it reads, of whichever network, each once.
    pub fn layers(&self) -> Vec<String> {
        let mut layers: Vec<String> = Vec::new();
        self.0.terms(&mut |term| {
            for layer in term.kind.layers() {
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
        self.0.terms(&mut |term| params.extend(term.kind.params().iter().cloned()));
        params
    }

    /// Its value at a step, for which every layer and param it reads was evaluated.
    ///
    /// # Errors
    /// [`Error::NoSuchChannel`], [`Error::NoSuchPosition`], [`Error::NoSuchImage`], [`Error::NoSuchModel`].
    pub fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        self.0.value(step)
    }

    /// What each of `networks` is asked for.
    pub(crate) fn layers_by_network(&self, networks: &Networks<'_>) -> Result<Vec<Vec<String>>, Error> {
        let mut layers = vec![Vec::new(); networks.iter().count()];
        let mut unknown = None;
        self.0.terms(&mut |term| match networks.place(term.model.as_deref()) {
            Ok(network) => {
                let read = term.kind.layers().into_iter().filter(|&layer| layer != INPUT).map(str::to_owned);
                layers[network].extend(read);
            }
            Err(error) => unknown = Some(error),
        });
        if let Some(error) = unknown {
            return Err(error);
        }
        for layers in &mut layers {
            layers.sort_unstable();
            layers.dedup();
        }
        Ok(layers)
    }

    /// Whether its layers, channels, positions and images exist for `images` `[n, c, h, w]` that transforms make
    /// `transformed` `[n, c, h, w]`.
    ///
    /// # Errors
    /// As [`value`](Self::value), and what [`Network::shape`](entoptic_network::Network::shape) finds.
    pub fn check(&self, networks: &Networks<'_>, images: [usize; 4], transformed: [usize; 4]) -> Result<(), Error> {
        let rehearsal = Evaluated::rehearsal(networks, &self.layers_by_network(networks)?, images, transformed)?;
        self.value(&rehearsal.step()).map(drop)
    }
}

impl Term {
    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let mut step = *step;
        step.image = self.batch.or(step.image);
        step.model = self.model.as_deref().or(step.model);
        step.mask = self.mask.as_ref().or(step.mask);
        match &self.kind {
            Kind::Channel(channel) => channel.value(&step),
            Kind::Neuron(neuron) => neuron.value(&step),
            Kind::Custom(custom) => custom.value(&step),
        }
    }
}

impl Kind {
    fn layers(&self) -> Vec<&str> {
        match self {
            Kind::Channel(channel) => vec![&channel.layer],
            Kind::Neuron(neuron) => vec![&neuron.layer],
            Kind::Custom(custom) => custom.layers.iter().map(String::as_str).collect(),
        }
    }
}

impl Kind {
    fn params(&self) -> &[Param] {
        match self {
            Kind::Custom(custom) => &custom.params,
            Kind::Channel(_) | Kind::Neuron(_) => &[],
        }
    }
}

impl Custom {
    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        match step.is_rehearsal() {
            true => Ok(Tensor::zeros([1], &step.device())),
            false => (self.value)(step),
        }
    }
}

type CustomValue = dyn Fn(&Step<'_>) -> Result<Tensor<1>, Error> + Send + Sync;

#[derive(Clone)]
struct Custom {
    name: String,
    layers: Vec<String>,
    params: Vec<Param>,
    value: Arc<CustomValue>,
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.value, &other.value)
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Custom({}, {:?})", self.name, self.layers)
    }
}

/// Whether `channel` is one of a layer's channels.
fn check_channel(layer: &str, channel: usize, channels: usize) -> Result<(), Error> {
    match channel < channels {
        true => Ok(()),
        false => Err(Error::NoSuchChannel { layer: layer.to_owned(), channel, channels }),
    }
}
