//! ResNet, ResNeXt and Wide ResNet: blocks that add to what they read.

use super::{
    architecture::{Architecture, Built},
    modules::Modules,
};
use crate::{
    Error, Preprocessing,
    graph::{NodeId, Op, Padding, Window},
    load::WeightsFile,
};

/// Of basic blocks and of bottlenecks, as torchvision and timm name them; timm's deep stems and averaging shortcuts
/// (ResNet-C, D, S and T) too.
pub(super) const ARCHITECTURE: Architecture = Architecture { name: "ResNet", recognizes, build };

/// What a block may be made of; others, such as those with squeeze and excitation, are other networks.
const PARTS: [&str; 7] = ["conv1", "bn1", "conv2", "bn2", "conv3", "bn3", "downsample"];

fn recognizes(file: &WeightsFile) -> bool {
    let part = |name: &str| {
        let mut path = name.split('.');
        let stage = path.next().filter(|stage| stage.strip_prefix("layer").is_some_and(|i| i.parse::<usize>().is_ok()));
        stage.and(path.nth(1)).map(str::to_owned)
    };
    ["layer1.0.conv1.weight", "layer1.0.bn1.weight", "fc.weight"].iter().all(|name| file.contains(name))
        && file.has_module("conv1")
        && file.names().filter_map(part).all(|part| PARTS.contains(&part.as_str()))
}

/// # Reference
/// [Deep Residual Learning for Image Recognition](https://arxiv.org/abs/1512.03385), He et al., 2015;
/// [Aggregated Residual Transformations](https://arxiv.org/abs/1611.05431), Xie et al., 2016;
/// [Bag of Tricks](https://arxiv.org/abs/1812.01187), He et al., 2018, for variant D.
fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let preprocessing = preprocessing.unwrap_or(Preprocessing::IMAGENET);
    let (mut m, image) = Modules::new(file, [224, 224], preprocessing)?;
    let x = stem(&mut m, image)?;
    let x = m.batch_norm("bn1", x, EPSILON)?;
    let x = relu(&mut m, "relu", "act1", x)?;
    let mut x = m.graph.add("maxpool", Op::MaxPool(Window::new(3, 2).padded(Padding::all(1))), &[x])?;
    for stage in (1..).map(|i| format!("layer{i}")).take_while(|stage| file.has_module(stage)) {
        for i in 0..file.count_modules(&stage) {
            let stride = if i == 0 && stage != "layer1" { 2 } else { 1 };
            x = block(&mut m, &format!("{stage}.{i}"), x, stride)?;
        }
        m.alias(&stage, x);
    }
    let logits = m.classify("avgpool", "fc", x)?;
    m.graph.alias("global_pool", "avgpool");
    m.finish(logits)
}

const EPSILON: f32 = 1e-5;

/// One convolution, or timm's three.
fn stem(m: &mut Modules, image: NodeId) -> Result<NodeId, Error> {
    if m.file.contains("conv1.weight") {
        return m.centered("conv1", image, 2);
    }
    let mut x = image;
    for i in [0, 3] {
        x = m.centered(&format!("conv1.{i}"), x, if i == 0 { 2 } else { 1 })?;
        x = m.batch_norm(&format!("conv1.{}", i + 1), x, EPSILON)?;
        x = m.relu(&format!("conv1.{}", i + 2), x)?;
    }
    let x = m.centered("conv1.6", x, 1)?;
    m.alias("conv1", x);
    Ok(x)
}

/// A basic block of two convolutions, the first of which moves by `stride`, or a bottleneck of three, the second.
fn block(m: &mut Modules, module: &str, input: NodeId, stride: usize) -> Result<NodeId, Error> {
    let convolutions = if m.file.has_module(&format!("{module}.conv3")) { 3 } else { 2 };
    let mut x = input;
    for i in 1..=convolutions {
        x = m.centered(&format!("{module}.conv{i}"), x, if i + 1 == convolutions { stride } else { 1 })?;
        x = m.batch_norm(&format!("{module}.bn{i}"), x, EPSILON)?;
        if i < convolutions {
            x = relu(m, &run(module, i), &format!("{module}.act{i}"), x)?;
        }
    }
    let shortcut = downsample(m, &format!("{module}.downsample"), input, stride)?;
    let sum = m.graph.add(&format!("{module}.add"), Op::Add, &[x, shortcut])?;
    m.alias(&format!("{module}_pre_relu"), sum);
    let x = relu(m, &run(module, convolutions), &format!("{module}.act{convolutions}"), sum)?;
    m.alias(module, x);
    Ok(x)
}

/// The name of a block's one ReLU when it runs for the `i`th time.
fn run(module: &str, i: usize) -> String {
    match i {
        1 => format!("{module}.relu"),
        _ => format!("{module}.relu_{}", i - 1),
    }
}

/// A ReLU by torchvision's name and by timm's.
fn relu(m: &mut Modules, name: &str, timm: &str, x: NodeId) -> Result<NodeId, Error> {
    m.alias(&format!("{timm}_pre_relu"), x);
    let x = m.relu(name, x)?;
    m.alias(timm, x);
    Ok(x)
}

/// What is added to a block's answer: its input, made as small and as wide.
fn downsample(m: &mut Modules, module: &str, input: NodeId, stride: usize) -> Result<NodeId, Error> {
    if !m.file.has_module(module) {
        return Ok(input);
    }
    let name = |i: usize| format!("{module}.{i}");
    let averages = m.file.has_module(&name(2));
    let x = match averages {
        true => {
            let window = Window::new(2, stride).ceil();
            let x = match stride {
                1 => input,
                _ => m.graph.add(&name(0), Op::AveragePool { window, count_padding: false }, &[input])?,
            };
            m.centered(&name(1), x, 1)?
        }
        false => m.centered(&name(0), input, stride)?,
    };
    let x = m.batch_norm(&name(if averages { 2 } else { 1 }), x, EPSILON)?;
    m.alias(module, x);
    Ok(x)
}
