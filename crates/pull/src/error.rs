use std::path::PathBuf;

/// What can go wrong with a model on its way.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A model that nobody has to download.
    #[error("`{name}` is part of the program; there is nothing to pull")]
    PartOfTheProgram {
        /// The model.
        name: String,
    },

    /// A model that has to be made by hand.
    #[error("`{name}` cannot be downloaded; it belongs at {}", .path.display())]
    ByHand {
        /// The model.
        name: String,
        /// How it is made.
        how: String,
        /// Where its file belongs.
        path: PathBuf,
    },

    /// Another file where the model's belongs.
    #[error("{} is there, but is not `{name}` as it should be: its SHA-256 is {found}, not {expected}", .path.display())]
    Different {
        /// The model.
        name: String,
        /// The file.
        path: PathBuf,
        /// Its SHA-256.
        found: String,
        /// What it should be, or begin with.
        expected: String,
    },

    /// A file that is the right one, or may be, and that cannot be opened.
    #[error("`{name}` is at {}, but cannot be used: {source}", .path.display())]
    Unusable {
        /// The model.
        name: String,
        /// Its file.
        path: PathBuf,
        /// Why not.
        source: Box<entoptic_model::Error>,
    },

    /// A file that cannot be read or written.
    #[error("cannot {what} {}: {reason}", .path.display())]
    File {
        /// Read, or write.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },

    /// A manifest beside the model that cannot be read.
    #[error(transparent)]
    Manifest(Box<entoptic_model::Error>),

    /// A download that did not come.
    #[error(transparent)]
    Download(#[from] entoptic_download::Error),
}
