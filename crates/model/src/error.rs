use std::path::PathBuf;

use crate::graph::UnsupportedOperation;

/// What can go wrong with a model as data: names, sizes and files, which the caller controls.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A layer that the network does not have.
    #[error("no layer `{layer}`{}", suggestion(.nearest))]
    NoSuchLayer {
        /// The name asked for.
        layer: String,
        /// The names most like it.
        nearest: Vec<String>,
    },

    /// A layer that needs operations which its file has and its graph cannot express.
    #[error("layer `{layer}` needs what is not supported: {}; the last layers that work are {}", listed(.operations), quoted(.usable))]
    UnsupportedLayer {
        /// The layer.
        layer: String,
        /// All operations of the file that are not supported.
        operations: Vec<UnsupportedOperation>,
        /// The last layers that do not need them.
        usable: Vec<String>,
    },

    /// A file of which no layer can be used.
    #[error("no layer of {} is supported: it needs {}", .path.display(), listed(.operations))]
    UnsupportedModel {
        /// The file.
        path: PathBuf,
        /// All operations of the file that are not supported.
        operations: Vec<UnsupportedOperation>,
    },

    /// A layer without positions where they are needed.
    #[error("layer `{layer}` has no positions, only channels; an earlier layer has both")]
    NoPositions {
        /// The layer.
        layer: String,
    },

    /// A model of which nobody knows where its class probabilities are.
    #[error(
        "the layer of class probabilities of `{model}` is not known; `output.probabilities` in its manifest says it"
    )]
    NoProbabilities {
        /// The model.
        model: String,
    },

    /// Neither a known model nor a file.
    #[error("no model or file `{name}`{}", suggestion(.nearest))]
    NoSuchModel {
        /// The name asked for.
        name: String,
        /// The known models most like it.
        nearest: Vec<String>,
    },

    /// A known model whose weights are in no place where they were looked for.
    #[error("the weights of `{name}` were not found at {}", .path.display())]
    WeightsNotFound {
        /// The model.
        name: String,
        /// Where they would have been taken from.
        path: PathBuf,
    },

    /// A file that cannot be read or is not what its name says.
    #[error("cannot read {}: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },

    /// A manifest that cannot be read or says what cannot be.
    #[error("{}: {reason}", .path.display())]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A file that is not the one which the manifest beside it describes.
    #[error(
        "{} is not the file that its manifest describes: its SHA-256 is {}..., not {}...; `file.sha256` there says which",
        .path.display(), start(.found), start(.expected)
    )]
    WrongChecksum {
        /// The file.
        path: PathBuf,
        /// The SHA-256 in the manifest.
        expected: String,
        /// The file's.
        found: String,
    },

    /// A weights file in which a tensor is missing.
    #[error("{} has no tensor `{tensor}`", .path.display())]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },

    /// A weights file in which a tensor has another shape than the network needs.
    #[error("tensor `{tensor}` in {} is {found:?}, not {expected:?}", .path.display())]
    WrongTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape it should have.
        expected: Vec<usize>,
    },

    /// A weights file of no known architecture.
    #[error(
        "{} holds no known architecture, but {}; known are {}",
        .path.display(), holding(.tensors, *.count), quoted(.known)
    )]
    UnknownArchitecture {
        /// The file.
        path: PathBuf,
        /// The names of its first tensors.
        tensors: Vec<String>,
        /// How many tensors it has.
        count: usize,
        /// The architectures that would have been recognized.
        known: Vec<String>,
    },

    /// An image on which a layer has no positions left.
    #[error("an image of {}x{} is too small for layer `{layer}`, which needs {smallest}x{smallest}", .size[0], .size[1])]
    ImageTooSmall {
        /// The layer.
        layer: String,
        /// The image's size `[h, w]`.
        size: [usize; 2],
        /// The smallest square size that works.
        smallest: usize,
    },

    /// A node that does not take its inputs.
    #[error("node `{node}` ({kind}) cannot take {inputs}: {reason}")]
    Shape {
        /// The node.
        node: String,
        /// What it computes.
        kind: String,
        /// The shapes of its inputs.
        inputs: String,
        /// What it wants.
        reason: String,
    },

    /// Two nodes of one name.
    #[error("two nodes are called `{node}`")]
    DuplicateNode {
        /// The name.
        node: String,
    },
}

/// The three names most like `name`, best first; nothing that resembles it is nothing.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let name = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .map(|known| (strsim::jaro_winkler(&name, &known.to_lowercase()), known))
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, known)| known.to_owned()).collect()
}

fn listed(operations: &[UnsupportedOperation]) -> String {
    operations.iter().map(UnsupportedOperation::to_string).collect::<Vec<_>>().join(", ")
}

/// As much of a checksum as people compare.
fn start(sha256: &str) -> &str {
    sha256.get(..8).unwrap_or(sha256)
}

fn holding(first: &[String], count: usize) -> String {
    match count {
        0 => "no tensors".into(),
        n if n <= first.len() => format!("the tensors {}", quoted(first)),
        n => format!("{n} tensors such as {}", quoted(first)),
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn suggestion(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        [one] => format!("; the nearest is `{one}`"),
        several => format!("; the nearest are {}", quoted(several)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_layer_names_the_nearest() {
        let nearest = nearest("fire55", ["conv1", "fire5", "fire6", "prob"].into_iter());
        let error = Error::NoSuchLayer { layer: "fire55".into(), nearest };
        assert_eq!(error.to_string(), "no layer `fire55`; the nearest are `fire5`, `fire6`");
    }
}
