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

    fn channels(&self) -> usize {
        match self {
            Self::Map(map) => map.dims()[1],
            Self::Vector(vector) => vector.dims()[1],
        }
    }

    fn positions(&self) -> [usize; 2] {
        match self {
            Self::Map(map) => [map.dims()[2], map.dims()[3]],
            Self::Vector(_) => [1, 1],
        }
    }
}

/// A layer's output, or the part of it that was wanted.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    activation: Activation,
    /// Its channels, in order, if not all.
    channels: Option<Vec<usize>>,
    /// The layer's row and column that come first.
    origin: [usize; 2],
    /// The whole layer's `[h, w]`.
    size: [usize; 2],
}

impl Answer {
    pub(crate) fn new(
        activation: Activation,
        channels: Option<Vec<usize>>,
        origin: [usize; 2],
        size: [usize; 2],
    ) -> Self {
        Self { activation, channels, origin, size }
    }

    /// All positions of a layer, for all or some of its channels.
    pub(crate) fn whole(activation: Activation, channels: Option<Vec<usize>>) -> Self {
        let size = activation.positions();
        Self { activation, channels, origin: [0, 0], size }
    }

    fn is_whole_map(&self) -> bool {
        self.activation.positions() == self.size
    }

    /// Where a channel of the layer is.
    fn place(&self, channel: usize) -> Option<usize> {
        match &self.channels {
            Some(channels) => channels.binary_search(&channel).ok(),
            None => (channel < self.activation.channels()).then_some(channel),
        }
    }
}

/// The layers asked for, by name.
#[derive(Debug, Clone, Default)]
pub struct Activations {
    layers: Vec<(String, Answer)>,
}

impl Activations {
    /// Activations computed elsewhere, to evaluate objectives on.
    pub fn new(layers: impl IntoIterator<Item = (String, Activation)>) -> Self {
        Self::answered(layers.into_iter().map(|(name, activation)| (name, Answer::whole(activation, None))))
    }

    pub(crate) fn answered(layers: impl IntoIterator<Item = (String, Answer)>) -> Self {
        Self { layers: layers.into_iter().collect() }
    }

    fn find(&self, layer: &str) -> Result<&Answer, Error> {
        self.layers.iter().find(|(name, _)| name == layer).map(|(_, answer)| answer).ok_or_else(|| {
            let nearest = self.layers.iter().map(|(name, _)| name.clone()).collect();
            entoptic_model::Error::NoSuchLayer { layer: layer.to_owned(), nearest }.into()
        })
    }

    /// A layer's output as the network gives it.
    ///
    /// # Errors
    /// [`NoSuchLayer`](entoptic_model::Error::NoSuchLayer) if it was not asked for, [`Error::NotAsked`] if only a part of it was.
    pub fn get(&self, layer: &str) -> Result<&Activation, Error> {
        let answer = self.find(layer)?;
        match answer.channels.is_none() && answer.is_whole_map() {
            true => Ok(&answer.activation),
            false => Err(Error::NotAsked { layer: layer.to_owned() }),
        }
    }

    /// A layer's output as `[n, c, h, w]`; a vector `[n, c]` has one position.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn map(&self, layer: &str) -> Result<Tensor<4>, Error> {
        Ok(self.get(layer)?.clone().into_map())
    }

    /// One channel of a layer everywhere, `[n, 1, h, w]`.
    ///
    /// # Errors
    /// As [`get`](Self::get); [`Error::NoSuchChannel`].
    pub fn channel(&self, layer: &str, channel: usize) -> Result<Tensor<4>, Error> {
        let answer = self.find(layer)?;
        match answer.is_whole_map() {
            true => Ok(self.select(layer, answer, channel)?),
            false => Err(Error::NotAsked { layer: layer.to_owned() }),
        }
    }

    /// One channel of a layer at one position, the center `[h / 2, w / 2]` if there is none: `[n, 1, 1, 1]`.
    ///
    /// # Errors
    /// As [`channel`](Self::channel); [`Error::NoSuchPosition`].
    pub fn neuron(&self, layer: &str, channel: usize, position: Option<[usize; 2]>) -> Result<Tensor<4>, Error> {
        let answer = self.find(layer)?;
        let channel = self.select(layer, answer, channel)?;
        self.at(layer, answer, channel, position)
    }

    /// All channels of a layer at one position, the center if there is none: `[n, c, 1, 1]`.
    ///
    /// # Errors
    /// As [`neuron`](Self::neuron).
    pub fn position(&self, layer: &str, position: Option<[usize; 2]>) -> Result<Tensor<4>, Error> {
        let answer = self.find(layer)?;
        match answer.channels {
            None => self.at(layer, answer, answer.activation.clone().into_map(), position),
            Some(_) => Err(Error::NotAsked { layer: layer.to_owned() }),
        }
    }

    fn select(&self, layer: &str, answer: &Answer, channel: usize) -> Result<Tensor<4>, Error> {
        let layer = layer.to_owned();
        let place = answer.place(channel).ok_or_else(|| match &answer.channels {
            Some(_) => Error::NotAsked { layer },
            None => Error::NoSuchChannel { layer, channel, channels: answer.activation.channels() },
        })?;
        Ok(answer.activation.clone().into_map().narrow(1, place, 1))
    }

    fn at(
        &self,
        layer: &str,
        answer: &Answer,
        map: Tensor<4>,
        position: Option<[usize; 2]>,
    ) -> Result<Tensor<4>, Error> {
        let [h, w] = answer.size;
        let position @ [y, x] = position.unwrap_or([h / 2, w / 2]);
        let layer = layer.to_owned();
        if y >= h || x >= w {
            return Err(Error::NoSuchPosition { layer, position, size: answer.size });
        }
        let ([_, _, rows, columns], [top, left]) = (map.dims(), answer.origin);
        match (y.checked_sub(top), x.checked_sub(left)) {
            (Some(y), Some(x)) if y < rows && x < columns => Ok(map.narrow(2, y, 1).narrow(3, x, 1)),
            _ => Err(Error::NotAsked { layer }),
        }
    }

    /// How many images there are.
    pub fn batch(&self) -> usize {
        self.layers.first().map_or(0, |(_, answer)| match &answer.activation {
            Activation::Map(map) => map.dims()[0],
            Activation::Vector(vector) => vector.dims()[0],
        })
    }

    /// The activations of image `i` alone, still as a batch (of one).
    pub fn image(&self, i: usize) -> Self {
        let select = |answer: &Answer| Answer {
            activation: match answer.activation.clone() {
                Activation::Map(map) => Activation::Map(map.narrow(0, i, 1)),
                Activation::Vector(vector) => Activation::Vector(vector.narrow(0, i, 1)),
            },
            ..answer.clone()
        };
        Self { layers: self.layers.iter().map(|(name, answer)| (name.clone(), select(answer))).collect() }
    }

    /// The device they are on; the processor if there are none.
    pub fn device(&self) -> Device {
        self.layers.first().map_or_else(Device::flex, |(_, answer)| match &answer.activation {
            Activation::Map(map) => map.device(),
            Activation::Vector(vector) => vector.device(),
        })
    }

    /// The layers in the order they were asked for, or the parts of them that were.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Activation)> {
        self.layers.iter().map(|(name, answer)| (name.as_str(), &answer.activation))
    }
}
