//! A frozen vision network as one differentiable operation.
//!
//! A [`Network`] is a [`model::Model`]: a [`graph::Graph`] of named nodes with frozen weights. It answers one question: the
//! [`activations`](Network::activations) of any of its layers for images in RGB, `0..=1`, differentiable with respect
//! to the images on any Burn device. It owns its preprocessing, so nobody else knows a mean or a channel order.
//!
//! Models come from the [`zoo`]: SqueezeNet is part of the program, others are found by name in a models folder or
//! given as a file.

mod activations;
mod error;
mod free_memory;
mod gradient_override;
mod network;
mod plan;
mod precision;
mod reference;
mod wanted;
pub mod zoo;

pub use entoptic_model::{self as model, Description, graph, load};

pub use activations::{Activation, Activations};
pub use error::Error;
pub use gradient_override::{
    GradientOverrides, LayerOverride, MaxPoolOverride, ReluOverride, default_overrides, linearization_overrides,
    pooling_overrides, relu_overrides,
};
pub use network::{Executor, Network, Pass};
pub use precision::Precision;
pub use wanted::{Positions, Wanted};
