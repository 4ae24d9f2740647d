//! Families of networks, recognized by their tensors.

use crate::{Error, Preprocessing, graph::Graph, load::WeightsFile};

/// All families. A file is recognized by at most one of them.
pub(super) const ARCHITECTURES: &[Architecture] = &[
    super::alexnet::ARCHITECTURE,
    super::convnext::ARCHITECTURE,
    super::densenet::ARCHITECTURE,
    super::efficientnet::ARCHITECTURE,
    super::inception::GOOGLENET,
    super::inception::INCEPTION_V3,
    super::mnasnet::ARCHITECTURE,
    super::mobilenet_v2::ARCHITECTURE,
    super::mobilenet_v3::ARCHITECTURE,
    super::regnet::ARCHITECTURE,
    super::resnet::ARCHITECTURE,
    super::shufflenet::ARCHITECTURE,
    super::squeezenet::ARCHITECTURE,
    super::vgg::ARCHITECTURE,
    super::vit::ARCHITECTURE,
];

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
    /// The layer with one probability for each class; empty for a network that knows no classes.
    pub probabilities: String,
}
