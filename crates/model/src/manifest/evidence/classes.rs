//! Which classes a network has.

use std::path::Path;

use super::super::labels::{Labels, read_lines};
use crate::graph::{Graph, Op};

/// Files beside a model that are known to hold its labels; the last is inception5h's.
const FILES: [&str; 3] = ["labels.txt", "classes.txt", "imagenet_comp_graph_label_strings.txt"];

/// TensorFlow's InceptionV1 has more outputs than the classes it was trained on.
const UNUSED: usize = 8;

/// What that many classes are called, and why.
pub(super) fn labels(classes: usize, model: &Path) -> Option<(Labels, String)> {
    let name = model.file_name()?.to_string_lossy();
    let stem = model.file_stem()?.to_string_lossy();
    let own = [format!("{name}.txt"), format!("{stem}.txt"), format!("{stem}_labels.txt")];
    let beside = own.into_iter().chain(FILES.map(str::to_owned)).find_map(|file| {
        let lines = read_lines(&model.with_file_name(&file)).ok()?.len();
        let fits = lines == classes || (file == FILES[2] && lines < classes && classes <= lines + UNUSED);
        fits.then(|| (Labels::File(file), format!("it has {lines} lines, and the network {classes} classes")))
    });
    beside.or_else(|| match classes {
        1000 => Some((Labels::Imagenet, "1000 classes are usually ImageNet's".into())),
        1001 => Some((Labels::ImagenetWithBackground, "1001 classes are usually ImageNet's behind one of none".into())),
        _ => None,
    })
}

/// Whether a layer that a network ends with looks like scores of classes: of a layer with biases, which projections of
/// CLIP and other embeddings have not, or of a mean over positions.
pub(super) fn are_scores(graph: &Graph, layer: &str) -> bool {
    let Ok(mut id) = graph.find(layer) else { return false };
    loop {
        let node = &graph.nodes()[id];
        return match &node.op {
            Op::Linear(linear) => linear.bias.is_some(),
            Op::Convolution(convolution) => convolution.bias.is_some(),
            Op::Flatten
            | Op::GlobalMean
            | Op::AveragePool { .. }
            | Op::AdaptiveAveragePool(_)
            | Op::Crop { .. }
            | Op::Relu => {
                id = node.inputs[0];
                continue;
            }
            _ => false,
        };
    }
}
