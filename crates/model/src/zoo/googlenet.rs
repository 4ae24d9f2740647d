//! GoogLeNet: inception modules of four branches side by side.

use super::{KnownModel, convolution, minus_mean, same_size};
use crate::{
    Error,
    graph::{Graph, GraphBuilder, Linear, LocalResponseNorm, Op, Padding, Window},
    load::WeightsFile,
};

pub(super) const BVLC: KnownModel =
    KnownModel { name: "googlenet_bvlc", signature: "inception_5b_pool_proj.weight", probabilities: "prob", graph };

/// The channels of one inception module's branches.
struct Inception {
    name: &'static str,
    one: usize,
    /// Reduced, then 3×3.
    three: (usize, usize),
    /// Reduced, then 5×5.
    five: (usize, usize),
    pool: usize,
}

const fn inception(name: &'static str, widths: [usize; 6]) -> Inception {
    let [one, reduce3, three, reduce5, five, pool] = widths;
    Inception { name, one, three: (reduce3, three), five: (reduce5, five), pool }
}

/// Table 1 of the paper.
const MODULES: [Inception; 9] = [
    inception("3a", [64, 96, 128, 16, 32, 32]),
    inception("3b", [128, 128, 192, 32, 96, 64]),
    inception("4a", [192, 96, 208, 16, 48, 64]),
    inception("4b", [160, 112, 224, 24, 64, 64]),
    inception("4c", [128, 128, 256, 24, 64, 64]),
    inception("4d", [112, 144, 288, 32, 64, 64]),
    inception("4e", [256, 160, 320, 32, 128, 128]),
    inception("5a", [256, 160, 320, 32, 128, 128]),
    inception("5b", [384, 192, 384, 48, 128, 128]),
];

/// # Reference
/// [Going deeper with convolutions](https://arxiv.org/abs/1409.4842), Szegedy et al., 2014.
fn graph(file: &WeightsFile) -> Result<Graph, Error> {
    let norm = Op::LocalResponseNorm(LocalResponseNorm::caffe(5, 1e-4, 0.75, 1.0));
    let halve = Op::MaxPool(Window::new(3, 2).ceil());
    let mut graph = GraphBuilder::new([224, 224]);
    // Trained on BGR images, 0 to 255, minus (104, 117, 123); fed as Lucid does (`caffe_models/InceptionV1.py`).
    let image = graph.add("preprocessed", minus_mean([123.68, 116.779, 103.939]), &[graph.input()])?;
    let mut conv1 = convolution(file, "conv1_7x7_s2", 64, 3, Window::new(7, 2).padded(Padding::all(3)))?;
    conv1.weight = conv1.weight.reverse_inputs();
    let x = graph.add_relu("conv1_7x7_s2", Op::Convolution(conv1), &[image])?;
    let x = graph.add("pool1_3x3_s2", halve.clone(), &[x])?;
    let x = graph.add("pool1_norm1", norm.clone(), &[x])?;
    let x = add_convolution(&mut graph, file, "conv2_3x3_reduce", x, 64, 1)?;
    let x = add_convolution(&mut graph, file, "conv2_3x3", x, 192, 3)?;
    let x = graph.add("conv2_norm2", norm, &[x])?;
    let mut x = graph.add("pool2_3x3_s2", halve.clone(), &[x])?;
    for module in &MODULES {
        x = add_inception(&mut graph, file, module, x)?;
        match module.name {
            "3b" => x = graph.add("pool3_3x3_s2", halve.clone(), &[x])?,
            "4e" => x = graph.add("pool4_3x3_s2", halve.clone(), &[x])?,
            _ => {}
        }
    }
    // On 224 px the mean over all positions is Caffe's 7×7 average pool; on other sizes it still gives one vector.
    let x = graph.add("pool5_7x7_s1", Op::GlobalMean, &[x])?;
    let weight = file.take("loss3_classifier.weight", &[1000, 1024])?;
    let bias = Some(file.take("loss3_classifier.bias", &[1000])?);
    let logits = graph.add("loss3_classifier", Op::Linear(Linear { weight, bias }), &[x])?;
    graph.add("prob", Op::Softmax, &[logits])?;
    alias_lucid_names(&mut graph);
    Ok(graph.finish())
}

fn add_inception(graph: &mut GraphBuilder, file: &WeightsFile, module: &Inception, x: usize) -> Result<usize, Error> {
    let name = |part: &str| format!("inception_{}_{part}", module.name);
    let one = add_convolution(graph, file, &name("1x1"), x, module.one, 1)?;
    let three = add_convolution(graph, file, &name("3x3_reduce"), x, module.three.0, 1)?;
    let three = add_convolution(graph, file, &name("3x3"), three, module.three.1, 3)?;
    let five = add_convolution(graph, file, &name("5x5_reduce"), x, module.five.0, 1)?;
    let five = add_convolution(graph, file, &name("5x5"), five, module.five.1, 5)?;
    let pool = graph.add(&name("pool"), Op::MaxPool(same_size(3)), &[x])?;
    let pool = add_convolution(graph, file, &name("pool_proj"), pool, module.pool, 1)?;
    graph.add(&name("output"), Op::Concat, &[one, three, five, pool])
}

fn add_convolution(
    graph: &mut GraphBuilder,
    file: &WeightsFile,
    name: &str,
    x: usize,
    outputs: usize,
    kernel: usize,
) -> Result<usize, Error> {
    let inputs = graph.shape(x).channels();
    graph.add_relu(name, Op::Convolution(convolution(file, name, outputs, inputs, same_size(kernel))?), &[x])
}

/// Lucid's `InceptionV1_caffe` calls a layer `X/X`, and `X/BiasAdd` before its ReLU.
fn alias_lucid_names(graph: &mut GraphBuilder) {
    let names: Vec<String> = graph.names().map(str::to_owned).collect();
    for name in names {
        match name.strip_suffix("_pre_relu") {
            Some(layer) => graph.alias(&format!("{layer}/BiasAdd"), &name),
            None => graph.alias(&format!("{name}/{name}"), &name),
        }
    }
    graph.alias("data", "input");
}
