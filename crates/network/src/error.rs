use std::path::PathBuf;

/// What can go wrong with a network: names, sizes and files, which the caller controls.
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

    /// A layer without positions where they are needed.
    #[error("layer `{layer}` has no positions, only channels; an earlier layer has both")]
    NoPositions {
        /// The layer.
        layer: String,
    },

    /// Two layers in the wrong order, or beside each other.
    #[error("`{target}` does not come after `{layer}`; the earlier layer comes first")]
    NotAfter {
        /// The layer.
        layer: String,
        /// What was to follow from it.
        target: String,
    },

    /// A layer that there are ways around.
    #[error("`{target}` depends on more than `{layer}`, which has other branches beside it; all of it goes through {}", last_of(.bottlenecks))]
    NotTheOnlyWay {
        /// The layer.
        layer: String,
        /// What was to follow from it alone.
        target: String,
        /// The layers that there is no way around, from first to last.
        bottlenecks: Vec<String>,
    },

    /// A channel that a layer does not have.
    #[error("no channel {channel} in layer `{layer}`, which has {channels}: 0 to {}", .channels - 1)]
    NoSuchChannel {
        /// The layer.
        layer: String,
        /// The channel asked for.
        channel: usize,
        /// How many it has.
        channels: usize,
    },

    /// A position that a layer does not have.
    #[error("no position {position:?} in layer `{layer}`, which is {}x{}", .size[0], .size[1])]
    NoSuchPosition {
        /// The layer.
        layer: String,
        /// The position asked for, `[y, x]`.
        position: [usize; 2],
        /// Its size `[h, w]`.
        size: [usize; 2],
    },

    /// More of a layer than the network was asked for.
    #[error("only a part of layer `{layer}` was asked for, and this is not in it")]
    NotAsked {
        /// The layer.
        layer: String,
    },

    /// Precision that this CPU has no instructions for.
    #[error("this CPU has no bf16 instructions (AMX or AVX-512 BF16); f32 works everywhere")]
    NoBf16,

    /// A text that is no precision.
    #[error("`{text}` is no precision; it is f32 or bf16")]
    NotAPrecision {
        /// The text.
        text: String,
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
    #[error("{} holds no known architecture; known are {}", .path.display(), quoted(.known))]
    UnknownArchitecture {
        /// The file.
        path: PathBuf,
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

    /// Images of another number of channels than the network reads.
    #[error("images of shape {found:?} do not fit; the network reads [n, {channels}, h, w]")]
    NotAnImage {
        /// Their shape.
        found: [usize; 4],
        /// The channels the network reads.
        channels: usize,
    },

    /// A layer whose gradient cannot be overridden, or not like that.
    #[error("layer `{layer}` cannot be overridden: {reason}")]
    NotOverridable {
        /// The layer.
        layer: String,
        /// Why not, and what would have worked.
        reason: String,
    },

    /// A text that is no gradient override.
    #[error("`{text}` is no gradient override; {accepted}")]
    NotAnOverride {
        /// The text.
        text: String,
        /// What would have worked.
        accepted: String,
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
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let name = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .map(|known| (strsim::jaro_winkler(&name, &known.to_lowercase()), known))
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, known)| known.to_owned()).collect()
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

/// How many names are shown of a longer list.
const SHOWN: usize = 8;

/// The last of these names, which are the most telling.
fn last_of(names: &[String]) -> String {
    let shown = &names[names.len().saturating_sub(SHOWN)..];
    match shown {
        [] => "no other layer".into(),
        shown => shown.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
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
