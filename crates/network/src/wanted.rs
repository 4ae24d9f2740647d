//! What of a layer is asked for: all of it, or only some channels or one position.

/// A layer, or the part of it that is asked for; what it does not need is not computed.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic_network::{Pass, Wanted, zoo};
///
/// let images = Tensor::<4>::full([1, 3, 64, 64], 0.5, &Device::flex());
/// let network = zoo::squeezenet_v1_1();
/// let wanted = [Wanted::channel("fire5", 20), Wanted::position("fire3", [3, 4])];
/// let activations = network.answer(images, &wanted, &Pass::default())?;
/// assert_eq!(activations.channel("fire5", 20)?.dims(), [1, 1, 7, 7]);
/// assert_eq!(activations.neuron("fire3", 5, Some([3, 4]))?.dims(), [1, 1, 1, 1]);
/// # Ok::<(), entoptic_network::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The layer.
    pub layer: String,
    /// Its channels, each once and in order; all if there are none said.
    pub channels: Option<Vec<usize>>,
    /// Where.
    pub positions: Positions,
}

/// Where on a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// Everywhere.
    All,
    /// At `[h / 2, w / 2]`.
    Center,
    /// At `[y, x]`.
    At([usize; 2]),
}

impl Wanted {
    /// All of a layer.
    pub fn layer(layer: impl Into<String>) -> Self {
        Self { layer: layer.into(), channels: None, positions: Positions::All }
    }

    /// One channel of a layer, everywhere.
    pub fn channel(layer: impl Into<String>, channel: usize) -> Self {
        Self { channels: Some(vec![channel]), ..Self::layer(layer) }
    }

    /// All channels of a layer at one position `[y, x]`.
    pub fn position(layer: impl Into<String>, position: [usize; 2]) -> Self {
        Self { positions: Positions::At(position), ..Self::layer(layer) }
    }

    /// The same for one position, the center if there is none.
    pub fn at(self, position: Option<[usize; 2]>) -> Self {
        Self { positions: position.map_or(Positions::Center, Positions::At), ..self }
    }

    /// The same layer's part that holds both parts.
    pub(crate) fn with(&mut self, other: &Self) {
        if self.positions != other.positions {
            self.positions = Positions::All;
        }
        self.channels = match (self.channels.take(), &other.channels) {
            (Some(mut mine), Some(others)) => {
                mine.extend(others);
                mine.sort_unstable();
                mine.dedup();
                Some(mine)
            }
            _ => None,
        };
    }
}

impl Positions {
    /// The position on a map of `size`, if it is one.
    pub(crate) fn on(self, [h, w]: [usize; 2]) -> Option<[usize; 2]> {
        match self {
            Self::All => None,
            Self::Center => Some([h / 2, w / 2]),
            Self::At(position) => Some(position),
        }
    }
}

/// Each layer once, with all that is asked for of it.
pub fn merge(wanted: impl IntoIterator<Item = Wanted>) -> Vec<Wanted> {
    let mut merged: Vec<Wanted> = Vec::new();
    for one in wanted {
        match merged.iter_mut().find(|known| known.layer == one.layer) {
            Some(known) => known.with(&one),
            None => merged.push(one),
        }
    }
    merged
}
