//! A frozen vision network as data: where it comes from and what it is made of.
//!
//! A [`Model`] is a [`graph::Graph`] of named nodes with frozen weights, and a [`Description`] of what it expects and
//! answers. Its graph starts with its preprocessing, so nobody else knows a mean or a channel order.
//!
//! Models come from the [`zoo`]: SqueezeNet is part of the program, others are found by name in a models folder or
//! given as a file. Nothing here computes anything but the plain loops of [`mod@reference`]: that is for `entoptic-network`.

mod description;
mod error;
pub mod graph;
pub mod inspect;
pub mod load;
pub mod manifest;
mod preprocessing;
pub mod reference;
pub mod zoo;

pub use description::Description;
pub use error::{Error, nearest};
pub use preprocessing::Preprocessing;

/// A frozen network as data, and what it is called.
#[derive(Debug, Clone)]
pub struct Model {
    /// What it is made of.
    pub graph: graph::Graph,
    /// What it is called, where it comes from and what it expects.
    pub description: Description,
}
