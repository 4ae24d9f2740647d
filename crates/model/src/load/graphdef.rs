//! Frozen TensorFlow graphs (`.pb` files), as in Lucid's model zoo.
//!
//! `file.rs` reads the nodes of a file, `input.rs` finds the one that stands for the image, `import.rs` goes through those
//! between it and the outputs, and `translate.rs` says what each operation is.

mod attributes;
mod file;
mod import;
mod input;
mod message;
mod metadata;
mod order;
mod tensor;
mod translate;

use std::{fs::File, io::BufReader, path::Path};

pub use metadata::{Level, Metadata, MetadataLayer};

use super::Imported;
use crate::{Error, Preprocessing};

/// What a graph's file may leave open.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Height and width of the images that shapes are checked at; of the file's own, or 224, if nobody says.
    pub size: Option<[usize; 2]>,
    /// How images become what the network is fed; as the file says, or not at all, if nobody says.
    pub preprocessing: Option<Preprocessing>,
}

/// The model in a frozen TensorFlow graph.
///
/// Its layers have TensorFlow's names. Operations that no graph here can express make what depends on them unavailable;
/// [`Graph::unsupported`](crate::graph::Graph::unsupported) lists them.
///
/// # Errors
/// [`Error::Unreadable`] if the file cannot be read, is no frozen graph, or has no one node that is fed images.
pub fn open(path: &Path, options: &Options) -> Result<Imported, Error> {
    let unreadable = |reason: String| Error::Unreadable { path: path.to_owned(), reason };
    if let Some(reason) = file::not_a_file(path) {
        return Err(unreadable(reason));
    }
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (length, file) = opened.map_err(|error| unreadable(error.kind().to_string()))?;
    let contents = file::read(BufReader::new(file), length).map_err(unreadable)?;
    import::import(contents, options).map_err(unreadable)
}

/// As [`open`], from the file's bytes, `path` standing for them in messages.
///
/// # Errors
/// As [`open`].
pub fn from_bytes(path: &Path, bytes: &[u8], options: &Options) -> Result<Imported, Error> {
    let unreadable = |reason: String| Error::Unreadable { path: path.to_owned(), reason };
    let contents = file::read(bytes, bytes.len() as u64).map_err(unreadable)?;
    import::import(contents, options).map_err(unreadable)
}
