//! RegNet: bottlenecks of grouped convolutions, with squeeze and excitation in RegNetY.

use super::{
    architecture::{Architecture, Built},
    modules::Modules,
};
use crate::{
    Error, Preprocessing,
    graph::{Function, NodeId, Op},
    load::WeightsFile,
};

/// RegNetX and RegNetY as torchvision names them.
pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: "RegNet",
    recognizes: |file| file.contains("trunk_output.block1.block1-0.f.a.0.weight") && file.contains("fc.weight"),
    build,
};

/// # Reference
/// [Designing Network Design Spaces](https://arxiv.org/abs/2003.13678), Radosavovic et al., 2020.
fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let preprocessing = preprocessing.unwrap_or(Preprocessing::IMAGENET);
    let (mut m, image) = Modules::new(file, [224, 224], preprocessing)?;
    let mut x = convolution_relu(&mut m, "stem", image, 2)?;
    for stage in (1..).take_while(|stage| file.has_module(&format!("trunk_output.block{stage}"))) {
        let stage_name = format!("trunk_output.block{stage}");
        let blocks = (0..).map(|i| format!("{stage_name}.block{stage}-{i}"));
        for (i, block_name) in blocks.take_while(|block| file.has_module(block)).enumerate() {
            x = block(&mut m, &block_name, x, if i == 0 { 2 } else { 1 })?;
        }
        m.alias(&stage_name, x);
    }
    m.alias("trunk_output", x);
    let logits = m.classify("avgpool", "fc", x)?;
    m.finish(logits)
}

fn block(m: &mut Modules, module: &str, input: NodeId, stride: usize) -> Result<NodeId, Error> {
    let name = |part: &str| format!("{module}.{part}");
    let shortcut = match m.file.has_module(&name("proj")) {
        true => convolution(m, &name("proj"), input, stride)?,
        false => input,
    };
    let x = convolution_relu(m, &name("f.a"), input, 1)?;
    let mut x = convolution_relu(m, &name("f.b"), x, stride)?;
    if m.file.has_module(&name("f.se")) {
        x = squeeze_excite(m, &name("f.se"), x)?;
    }
    let x = convolution(m, &name("f.c"), x, 1)?;
    m.alias(&name("f"), x);
    let x = m.graph.add(&name("add"), Op::Add, &[shortcut, x])?;
    m.alias(&format!("{module}_pre_relu"), x);
    let x = m.relu(&name("activation"), x)?;
    m.alias(module, x);
    Ok(x)
}

/// A convolution and its batch norm.
fn convolution(m: &mut Modules, module: &str, x: NodeId, stride: usize) -> Result<NodeId, Error> {
    let x = m.centered(&format!("{module}.0"), x, stride)?;
    let x = m.batch_norm(&format!("{module}.1"), x, 1e-5)?;
    m.alias(module, x);
    Ok(x)
}

/// A convolution, its batch norm and its ReLU.
fn convolution_relu(m: &mut Modules, module: &str, x: NodeId, stride: usize) -> Result<NodeId, Error> {
    let x = m.centered(&format!("{module}.0"), x, stride)?;
    let x = m.batch_norm(&format!("{module}.1"), x, 1e-5)?;
    let x = m.relu(&format!("{module}.2"), x)?;
    m.alias(module, x);
    Ok(x)
}

/// # Reference
/// [Squeeze-and-Excitation Networks](https://arxiv.org/abs/1709.01507), Hu et al., 2017.
fn squeeze_excite(m: &mut Modules, module: &str, input: NodeId) -> Result<NodeId, Error> {
    let name = |part: &str| format!("{module}.{part}");
    let x = m.graph.add(&name("avgpool"), Op::GlobalMean, &[input])?;
    let x = m.linear(&name("fc1"), x)?;
    let x = m.relu(&name("activation"), x)?;
    let x = m.linear(&name("fc2"), x)?;
    let scale = m.graph.add(&name("scale_activation"), Op::Pointwise(Function::Sigmoid), &[x])?;
    m.graph.add(module, Op::Multiply, &[input, scale])
}
