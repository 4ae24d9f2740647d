use std::path::PathBuf;

use crate::objective::SyntaxError;

/// What can go wrong with a run or a picture.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The network's own: unknown layers and models, broken weights, images too small for a layer.
    #[error(transparent)]
    Network(#[from] entoptic_network::Error),

    /// An objective's text that is none.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),

    /// A channel that a layer does not have.
    #[error("layer `{layer}` has no channel {channel}; its channels are 0 to {}", .channels - 1)]
    NoSuchChannel {
        /// The layer.
        layer: String,
        /// The channel asked for.
        channel: usize,
        /// How many it has.
        channels: usize,
    },

    /// A position outside a layer.
    #[error("layer `{layer}` has no position {position:?}; on images of this run it can be as small as {} high and {} wide", .size[0], .size[1])]
    NoSuchPosition {
        /// The layer.
        layer: String,
        /// The position asked for, `[y, x]`.
        position: [usize; 2],
        /// The layer's height and width.
        size: [usize; 2],
    },

    /// An image that a batch does not have.
    #[error("there is no image {image} in a batch of {batch}; images count from 0")]
    NoSuchImage {
        /// The image asked for.
        image: usize,
        /// How many there are.
        batch: usize,
    },

    /// A number of a run's description that makes no sense.
    #[error("{what} cannot be {value}; {accepted}")]
    OutOfRange {
        /// The option.
        what: &'static str,
        /// Its value.
        value: String,
        /// What would have worked.
        accepted: &'static str,
    },

    /// An array that has too many or too few axes.
    #[error("an array of shape {shape:?} has {} axes; {accepted}", .shape.len())]
    WrongRank {
        /// Its shape.
        shape: Vec<usize>,
        /// What would have worked.
        accepted: String,
    },

    /// A file that cannot be read.
    #[error("cannot read {}: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },

    /// A file that cannot be written.
    #[error("cannot write {}: {reason}", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },

    /// A picture that does not say how it was made.
    #[error("{} does not say how it was made; pictures that `entoptic render` saved do", .path.display())]
    NoDescription {
        /// The file.
        path: PathBuf,
    },
}
