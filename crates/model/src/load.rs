//! Reading models from files.

mod checksum;
mod dtype;
pub mod graphdef;
mod kind;
mod lift;
pub mod onnx;
mod open;
mod protobuf;
mod pytorch;
mod safetensors;
mod sharded;
mod stream;
mod weights;

pub use kind::Kind;
pub(crate) use open::{ENDINGS, PROBABILITIES};
pub use open::{Opened, open};
pub use weights::WeightsFile;

use crate::{Preprocessing, graph::Graph};

/// How a file that says how its network is computed is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// The size `[h, w]` of images for which shapes are checked; else what the file says, or 224 × 224.
    pub size: Option<[usize; 2]>,
    /// What is done to RGB images in `0..=1` before the network reads them; else what Lucid wrote into the file, or
    /// nothing.
    pub preprocessing: Option<Preprocessing>,
}

/// A network read from a file that says how it is computed.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The network.
    pub graph: Graph,
    /// The file's SHA-256, in hexadecimal.
    pub sha256: String,
    /// What the file calls its image.
    pub input: String,
    /// What the file calls its outputs.
    pub outputs: Vec<String>,
    /// The layer of class probabilities, if the network ends with a softmax.
    pub probabilities: Option<String>,
    /// The layer of class scores before that.
    pub logits: Option<String>,
    /// What the file says of itself, for people: its format's version, what wrote it.
    pub about: Vec<(String, String)>,
    /// What Lucid wrote into it, if it saved the file.
    pub metadata: Option<graphdef::Metadata>,
}

/// Keeps a test's file as a seed for fuzzing, if `ENTOPTIC_SEEDS` names the folder of seeds.
#[cfg(test)]
fn keep_as_seed(kind: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("ENTOPTIC_SEEDS") {
        let folder = std::path::Path::new(&folder).join(kind);
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let name = checksum::sha256(bytes).expect("bytes can be read");
        std::fs::write(folder.join(name), bytes).expect("a seed can be written");
    }
}
