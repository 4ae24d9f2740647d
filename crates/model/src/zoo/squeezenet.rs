//! SqueezeNet: squeeze to few channels, expand with 1×1 and 3×3 kernels side by side.

use super::{
    KnownModel,
    architecture::{Architecture, Built},
    convolution, minus_mean,
    modules::{Modules, Moves},
    same_size,
};
use crate::{
    Error, Preprocessing,
    graph::{Graph, GraphBuilder, NodeId, Op, Window},
    load::WeightsFile,
};

pub(super) const V1_1: KnownModel =
    KnownModel { name: "squeezenet_v1_1", signature: "fire9/squeeze1x1.weight", probabilities: "prob", graph };

/// The weights that are part of the program.
pub(super) const EMBEDDED: &[u8] = include_bytes!("../../models/squeezenet_v1_1.safetensors");

/// The channels of each fire module: squeezed, and expanded by each of its two kernels.
const FIRE: [(usize, usize); 8] =
    [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)];

fn graph(file: &WeightsFile) -> Result<Graph, Error> {
    let mut graph = GraphBuilder::new([224, 224]);
    // The weights were trained on BGR images, 0 to 255, minus (104, 117, 123).
    let image = graph.add("preprocessed", minus_mean([123.0, 117.0, 104.0]), &[graph.input()])?;
    let mut conv1 = convolution(file, "conv1", 64, 3, Window::new(3, 2))?;
    conv1.weight = conv1.weight.reverse_inputs();
    let conv1 = graph.add_relu("conv1", Op::Convolution(conv1), &[image])?;
    let mut x = graph.add("pool1", Op::MaxPool(Window::new(3, 2)), &[conv1])?;
    let mut channels = 64;
    for (i, (squeezed, expanded)) in (2..).zip(FIRE) {
        let fire = format!("fire{i}");
        let mut conv = |part: &str, input, outputs, inputs, kernel| {
            let name = format!("{fire}/{part}");
            let conv = convolution(file, &name, outputs, inputs, same_size(kernel))?;
            graph.add_relu(&name, Op::Convolution(conv), &[input])
        };
        let squeeze = conv("squeeze1x1", x, squeezed, channels, 1)?;
        let expand1 = conv("expand1x1", squeeze, expanded, squeezed, 1)?;
        let expand3 = conv("expand3x3", squeeze, expanded, squeezed, 3)?;
        x = graph.add(&fire, Op::Concat, &[expand1, expand3])?;
        channels = 2 * expanded;
        if i == 3 || i == 5 {
            x = graph.add(&format!("pool{i}"), Op::MaxPool(Window::new(3, 2)), &[x])?;
        }
    }
    let conv10 = convolution(file, "conv10", 1000, channels, Window::new(1, 1))?;
    let conv10 = graph.add_relu("conv10", Op::Convolution(conv10), &[x])?;
    let logits = graph.add("logits", Op::GlobalMean, &[conv10])?;
    graph.add("prob", Op::Softmax, &[logits])?;
    Ok(graph.finish())
}

/// As torchvision names it, versions 1.0 and 1.1.
pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: "SqueezeNet",
    recognizes: |file| file.contains("features.3.squeeze.weight") && file.contains("classifier.1.weight"),
    build,
};

/// # Reference
/// [SqueezeNet](https://arxiv.org/abs/1602.07360), Iandola et al., 2016.
fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let preprocessing = preprocessing.unwrap_or(Preprocessing::IMAGENET);
    let (mut m, image) = Modules::new(file, [224, 224], preprocessing)?;
    let x = m.convolution("features.0", image, Moves::valid(2))?;
    let mut x = m.relu("features.1", x)?;
    for i in 2..=file.numbered_modules("features").into_iter().max().unwrap_or(0) {
        let module = format!("features.{i}");
        // The versions differ in where they halve the map: where numbers have no tensors.
        x = match file.has_module(&module) {
            true => fire(&mut m, &module, x)?,
            false => m.graph.add(&module, Op::MaxPool(Window::new(3, 2).ceil()), &[x])?,
        };
    }
    m.alias("features", x);
    let x = m.centered("classifier.1", x, 1)?;
    let x = m.relu("classifier.2", x)?;
    let logits = m.graph.add("classifier.3", Op::GlobalMean, &[x])?;
    m.alias("classifier", logits);
    m.alias("flatten", logits);
    m.finish(logits)
}

fn fire(m: &mut Modules, module: &str, x: NodeId) -> Result<NodeId, Error> {
    let mut convolution = |part: &str, x| {
        let x = m.centered(&format!("{module}.{part}"), x, 1)?;
        m.relu(&format!("{module}.{part}_activation"), x)
    };
    let squeezed = convolution("squeeze", x)?;
    let expanded = [convolution("expand1x1", squeezed)?, convolution("expand3x3", squeezed)?];
    m.graph.add(module, Op::Concat, &expanded)
}
