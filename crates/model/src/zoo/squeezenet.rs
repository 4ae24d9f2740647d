//! SqueezeNet v1.1: squeeze to few channels, expand with 1×1 and 3×3 kernels side by side.

use super::{KnownModel, convolution, minus_mean, same_size};
use crate::{
    Error,
    graph::{Graph, GraphBuilder, Op, Window},
    load::WeightsFile,
};

pub(super) const V1_1: KnownModel = KnownModel {
    name: "squeezenet_v1_1",
    about: "SqueezeNet v1.1, 1.2 million parameters, part of the program",
    how_to_get: None,
    signature: "fire9/squeeze1x1.weight",
    probabilities: "prob",
    graph,
    embedded: Some(include_bytes!("../../models/squeezenet_v1_1.safetensors")),
};

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
