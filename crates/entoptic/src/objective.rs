//! Objectives: the scalar that an image is optimized for.

mod algebra;
mod catalog;
mod channel;
mod common;
mod neuron;
mod parse;
mod print;

use std::{fmt, sync::Arc};

use burn::tensor::Tensor;
use entoptic_network::{Activations, Network};
use serde::{Deserialize, Serialize};

pub use self::catalog::CATALOG;
use self::{algebra::Expression, channel::Channel, neuron::Neuron};
use crate::Error;

/// What is maximised: a scalar made of a network's activations.
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
/// `"input"` is the image. A custom objective has no text form; it prints as `custom(name)`.
///
/// ```
/// use entoptic::objective::custom;
///
/// let deepdream = custom("deepdream", ["mixed4a"], |activations| {
///     let a = activations.map("mixed4a")?; // [n, c, h, w]
///     Ok((a.clone() * a).mean())
/// });
/// assert_eq!(deepdream.to_string(), "custom(deepdream)");
/// ```
pub fn custom<L: Into<String>>(
    name: impl Into<String>,
    layers: impl IntoIterator<Item = L>,
    value: impl Fn(&Activations) -> Result<Tensor<1>, Error> + Send + Sync + 'static,
) -> Objective {
    let layers = layers.into_iter().map(Into::into).collect();
    Objective::of(Kind::Custom(Custom { name: name.into(), layers, value: Arc::new(value) }))
}

impl Objective {
    fn of(kind: Kind) -> Self {
        Self(Expression::Term(Term { kind, batch: None }))
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

    /// The layers it reads, each once.
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

    /// Its value on a network's activations, which hold every layer it reads.
    ///
    /// # Errors
    /// [`Error::NoSuchChannel`], [`Error::NoSuchPosition`], [`Error::NoSuchImage`].
    pub fn value(&self, activations: &Activations) -> Result<Tensor<1>, Error> {
        self.0.value(activations)
    }

    /// Whether its layers, channels, positions and images exist, for `batch` images of `size` `[h, w]`.
    ///
    /// # Errors
    /// As [`value`](Self::value), and what [`Network::shape`] finds.
    pub fn check(&self, network: &Network, size: [usize; 2], batch: usize) -> Result<(), Error> {
        let mut result = Ok(());
        self.0.terms(&mut |term| {
            if result.is_ok() {
                result = term.check(network, size, batch);
            }
        });
        result
    }
}

impl Term {
    fn value(&self, activations: &Activations) -> Result<Tensor<1>, Error> {
        let one;
        let activations = match self.batch {
            Some(image) => {
                let batch = activations.batch();
                if image >= batch {
                    return Err(Error::NoSuchImage { image, batch });
                }
                one = activations.image(image);
                &one
            }
            None => activations,
        };
        match &self.kind {
            Kind::Channel(channel) => channel.value(activations),
            Kind::Neuron(neuron) => neuron.value(activations),
            Kind::Custom(custom) => (custom.value)(activations),
        }
    }

    fn check(&self, network: &Network, size: [usize; 2], batch: usize) -> Result<(), Error> {
        if let Some(image) = self.batch.filter(|&image| image >= batch) {
            return Err(Error::NoSuchImage { image, batch });
        }
        for layer in self.kind.layers() {
            let shape = network.shape(layer, size)?;
            match &self.kind {
                Kind::Channel(channel) => channel.check(shape)?,
                Kind::Neuron(neuron) => neuron.check(shape)?,
                Kind::Custom(_) => {}
            }
        }
        Ok(())
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

type CustomValue = dyn Fn(&Activations) -> Result<Tensor<1>, Error> + Send + Sync;

#[derive(Clone)]
struct Custom {
    name: String,
    layers: Vec<String>,
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
