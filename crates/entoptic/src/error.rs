use std::path::PathBuf;

use crate::SyntaxError;

/// What can go wrong with a run or a picture.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The network's own: unknown layers and models, broken weights, images too small for a layer.
    #[error(transparent)]
    Network(#[from] entoptic_network::Error),

    /// What goes wrong with one of several networks.
    #[error("in `{model}`: {source}")]
    OneOfNetworks {
        /// The model.
        model: String,
        /// What goes wrong with it.
        source: Box<entoptic_network::Error>,
    },

    /// A text that is not what it should be: an objective, transform, param, optimizer or schedule.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),

    /// A channel that a layer does not have.
    #[error("layer `{layer}` has no channel {channel}; its channels are 0 to {}", .channels.saturating_sub(1))]
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

    /// A network that a run does not have.
    #[error("no model `{model}` in this run; it has {}", quoted(.known))]
    NoSuchModel {
        /// The model asked for.
        model: String,
        /// Those there are.
        known: Vec<String>,
    },

    /// A label that a network does not know.
    #[error("no class is called `{label}`{}", if .nearest.is_empty() { "; the network has no labels, but numbers work".into() } else { format!("; the nearest are {}", quoted(.nearest)) })]
    NoSuchLabel {
        /// The label asked for.
        label: String,
        /// The nearest ones.
        nearest: Vec<String>,
    },

    /// Too few images for an objective that compares them.
    #[error("`{objective}` compares images and needs {needed} or more; the batch has {batch}")]
    BatchTooSmall {
        /// The objective.
        objective: &'static str,
        /// How many images there are.
        batch: usize,
        /// How many there must be.
        needed: usize,
    },

    /// Fewer units than a recipe combines.
    #[error("{found} {} not enough; it takes two or more, such as `fire8:188 fire8:3`", if *.found == 1 { "unit is" } else { "units are" })]
    TooFewUnits {
        /// How many there are.
        found: usize,
    },

    /// An array that does not fit where it was given.
    #[error("the shape of {what} cannot be {found:?}; it {expected}")]
    WrongShape {
        /// What was given.
        what: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// What would have worked.
        expected: String,
    },

    /// Images that cannot start at a photo.
    #[error("{what} cannot start at a given image; colors of the params `fourier`, `pixel`, `pyramid` and `ball` can")]
    NoStart {
        /// What cannot.
        what: &'static str,
    },

    /// A file that an objective names and that was not read.
    #[error("{} was not read; `Objective::load` reads the files an objective names", .path.display())]
    NotLoaded {
        /// The file.
        path: PathBuf,
    },

    /// A device that is not there, or that this build cannot use.
    #[error("no device `{device}`; {accepted}")]
    NoSuchDevice {
        /// What was asked for.
        device: String,
        /// What would have worked.
        accepted: String,
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
    #[error("an array of shape {shape:?} has {} {}; {accepted}", .shape.len(), if .shape.len() == 1 { "axis" } else { "axes" })]
    WrongRank {
        /// Its shape.
        shape: Vec<usize>,
        /// What would have worked.
        accepted: String,
    },

    /// Activations or factors that a reducer cannot read.
    #[error("cannot reduce {value}; activations and factors are finite numbers")]
    NotFinite {
        /// The first such value.
        value: f64,
    },

    /// A reducer was given nothing.
    #[error("there are no activations to reduce; it takes one position and one channel or more")]
    NoActivations,

    /// Activations that cannot be a sum of non-negative parts.
    #[error(
        "cannot factor activations as small as {smallest:.3} into parts of 0 or more; set `posneg` to factor both signs"
    )]
    NegativeActivations {
        /// The smallest of them.
        smallest: f64,
    },

    /// More components than can be found.
    #[error("cannot find {components} components; the most is {most}, the number of {of}")]
    TooManyComponents {
        /// How many were asked for.
        components: usize,
        /// The most that there can be.
        most: usize,
        /// What there are so many of.
        of: &'static str,
    },

    /// Activations or factors of another number of channels than the reducer's.
    #[error("{found} channels do not fit this reducer; it takes {expected} here")]
    WrongChannels {
        /// How many there are.
        found: usize,
        /// How many it takes.
        expected: usize,
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

    /// An objective that is no finite number.
    #[error("the objective is no number at step {step}")]
    NotANumber {
        /// The step.
        step: usize,
    },

    /// Work that was ended before there was anything to show.
    #[error("ended before there was anything to show")]
    Ended,

    /// A run that was put away and is not the one to go on with.
    #[error("what was put away is of another run")]
    NotThisRun,

    /// A picture that is more than one run's.
    #[error("{} was made by more than one run; `{command}` makes it again", .path.display())]
    MadeByCommand {
        /// The file.
        path: PathBuf,
        /// The command that made it.
        command: String,
    },

    /// A picture that does not say how it was made.
    #[error("{} does not say how it was made; pictures that `entoptic render` saved do", .path.display())]
    NoDescription {
        /// The file.
        path: PathBuf,
    },
}

impl Error {
    pub(crate) fn out_of_range(what: &'static str, value: impl ToString, accepted: &'static str) -> Self {
        Self::OutOfRange { what, value: value.to_string(), accepted }
    }

    pub(crate) fn shape(what: &'static str, found: &[usize], expected: &str) -> Self {
        Self::WrongShape { what, found: found.to_vec(), expected: expected.to_owned() }
    }
}

pub(crate) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl From<entoptic_network::model::Error> for Error {
    fn from(error: entoptic_network::model::Error) -> Self {
        Self::Network(error.into())
    }
}
