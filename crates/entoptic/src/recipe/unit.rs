//! A channel of a layer.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    Error,
    objective::{Objective, channel, neuron},
};

/// A channel of a layer, written `layer:channel`.
///
/// ```
/// use entoptic::recipe::Unit;
///
/// assert_eq!("fire8:188".parse::<Unit>()?, Unit::from(("fire8", 188)));
/// # Ok::<(), entoptic::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// The layer.
    pub layer: String,
    /// The channel, counted from 0.
    pub channel: usize,
}

impl Unit {
    /// Its mean over all positions.
    pub fn everywhere(&self) -> Objective {
        channel(&self.layer, self.channel)
    }

    /// Its neuron in the center.
    pub fn in_the_center(&self) -> Objective {
        neuron(&self.layer, self.channel)
    }
}

impl<L: Into<String>> From<(L, usize)> for Unit {
    fn from((layer, channel): (L, usize)) -> Self {
        Self { layer: layer.into(), channel }
    }
}

impl From<&Unit> for Unit {
    fn from(unit: &Unit) -> Self {
        unit.clone()
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.layer, self.channel)
    }
}

impl FromStr for Unit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unit = text.rsplit_once(':').and_then(|(layer, channel)| {
            let layer = layer.trim();
            Some(Self { layer: (!layer.is_empty()).then(|| layer.to_owned())?, channel: channel.trim().parse().ok()? })
        });
        unit.ok_or_else(|| Error::out_of_range("a unit", format!("`{text}`"), "it is LAYER:CHANNEL, such as fire8:188"))
    }
}
