//! The node of a graph that stands for the image.

use super::{
    attributes::Layout,
    message::{DataType, NodeDef, TensorShape},
    metadata::Metadata,
    order::source,
};

/// The node that is fed images, and what is known of them.
#[derive(Debug, PartialEq)]
pub struct Input {
    /// The place of the node.
    pub node: usize,
    /// How its images lie in memory.
    pub layout: Layout,
    /// Whether it is one image, without an axis of images.
    pub single: bool,
    /// How many channels.
    pub channels: usize,
    /// Height and width, where the graph knows.
    pub size: Option<[usize; 2]>,
}

impl Input {
    /// Finds it: the node of that name, else the only placeholder that can be an image.
    pub fn find(nodes: &[NodeDef], metadata: Option<&Metadata>) -> Result<Self, String> {
        let named = metadata.and_then(|metadata| metadata.input_name.as_deref());
        let node = match named {
            Some(name) => {
                let found = nodes.iter().position(|node| node.name == name);
                found.ok_or_else(|| format!("it says that images are fed to `{name}`, which it does not have"))?
            }
            None => only_image(nodes)?,
        };
        Ok(Self::at(node, nodes, metadata))
    }

    fn at(node: usize, nodes: &[NodeDef], metadata: Option<&Metadata>) -> Self {
        let sizes = nodes[node].shape("shape").and_then(sizes).unwrap_or_default();
        let (single, axes) = match *sizes {
            [a, b, c] => (true, [a, b, c]),
            [_, a, b, c] => (false, [a, b, c]),
            _ => (false, [None; 3]),
        };
        let is_color = |channels: Option<usize>| matches!(channels, Some(1 | 3));
        let reader = nodes.iter().find(|reader| {
            reader.text("data_format").is_some()
                && reader.input.iter().any(|input| source(input) == Some((&*nodes[node].name, 0)))
        });
        let layout = match reader.and_then(|reader| reader.layout().ok()) {
            Some(layout) => layout,
            None if is_color(axes[0]) && !is_color(axes[2]) => Layout::Nchw,
            None => Layout::Nhwc,
        };
        let (channels, size) = match layout {
            Layout::Nhwc => (axes[2], [axes[0], axes[1]]),
            Layout::Nchw => (axes[0], [axes[1], axes[2]]),
        };
        let size = match size {
            [Some(h), Some(w)] => Some([h, w]),
            _ => metadata.and_then(Metadata::size),
        };
        Self { node, layout, single, channels: channels.unwrap_or(3), size }
    }
}

/// The sizes of a shape's axes, where they are known; nothing where not even their number is, as older files have it.
fn sizes(shape: &TensorShape) -> Option<Vec<Option<usize>>> {
    let size = |size: i64| usize::try_from(size).ok().filter(|&size| size > 0);
    (!shape.unknown_rank).then(|| shape.dim.iter().map(|dim| size(dim.size)).collect())
}

/// The only placeholder that can be an image.
fn only_image(nodes: &[NodeDef]) -> Result<usize, String> {
    let placeholders = |kind: &str| -> Vec<usize> {
        (0..nodes.len()).filter(|&i| nodes[i].op == kind && may_be_image(&nodes[i])).collect()
    };
    let mut candidates = placeholders("Placeholder");
    if candidates.is_empty() {
        candidates = placeholders("PlaceholderWithDefault");
    }
    let surely: Vec<usize> = candidates.iter().copied().filter(|&i| is_surely_image(&nodes[i])).collect();
    match (&candidates[..], &surely[..]) {
        (&[only], _) | (_, &[only]) => Ok(only),
        ([], _) => Err("it has no placeholder that images could be fed to; a Lucid model says which node it is, in \
                        a constant `lucid_metadata_json`"
            .into()),
        (several, _) => {
            let names: Vec<String> = several.iter().map(|&i| format!("`{}`", nodes[i].name)).collect();
            Err(format!("images could be fed to {}; a graph that Lucid saves says which", names.join(", ")))
        }
    }
}

fn may_be_image(node: &NodeDef) -> bool {
    let is_number = |dtype: i32| match DataType::try_from(dtype) {
        Ok(DataType::Float | DataType::Double | DataType::Half | DataType::Bfloat16) => true,
        Ok(DataType::Uint8 | DataType::Int32) => true,
        _ => false,
    };
    let ranks = match node.shape("shape").map(|shape| (shape.unknown_rank, shape.dim.len())) {
        // Files before 2017 say nothing of a placeholder's shape, which reads as that of one number.
        None | Some((true, _)) | Some((false, 3 | 4)) => true,
        Some((false, 0)) => node.op == "Placeholder",
        Some(_) => false,
    };
    ranks && node.data_type("dtype").is_none_or(is_number) && inference(node).is_none()
}

fn is_surely_image(node: &NodeDef) -> bool {
    let sizes = node.shape("shape").and_then(sizes).unwrap_or_default();
    sizes.len() == 4 && [sizes[1], sizes[3]].iter().any(|channels| matches!(channels, Some(1 | 3)))
}

/// What a placeholder beside the image is when a network is not trained, as its name tells.
pub fn inference(node: &NodeDef) -> Option<f32> {
    const OFF: [&str; 8] = [
        "use_dropout",
        "is_training",
        "training",
        "is_train",
        "phase_train",
        "train_phase",
        "learning_phase",
        "keras_learning_phase",
    ];
    const ON: [&str; 4] = ["keep_prob", "keep_probability", "dropout_keep_prob", "dropout_keep_probability"];
    let name = node.name.rsplit('/').next().unwrap_or_default();
    match name {
        _ if !node.op.starts_with("Placeholder") => None,
        _ if OFF.contains(&name) => Some(0.0),
        _ if ON.contains(&name) => Some(1.0),
        _ => None,
    }
}
