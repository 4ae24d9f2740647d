//! Families of networks, recognized by their tensors.

use crate::{Error, Preprocessing, graph::Graph, load::WeightsFile};

/// A family of networks: its structure is code, widths and depths are read off the tensors.
pub(super) struct Architecture {
    /// What it is called by people, such as `ResNet`.
    pub name: &'static str,
    /// Whether a file holds such a network, by the names and shapes of its tensors.
    pub recognizes: fn(&WeightsFile) -> bool,
    /// The network, with this preprocessing or the one such networks were trained with.
    pub build: fn(&WeightsFile, Option<Preprocessing>) -> Result<Built, Error>,
}

/// A network built of a file's tensors.
pub(super) struct Built {
    pub graph: Graph,
    /// The layer with one probability for each class.
    pub probabilities: String,
    /// How its images are prepared.
    pub preprocessing: Preprocessing,
}
