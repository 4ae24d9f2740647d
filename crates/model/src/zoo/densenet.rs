//! DenseNet: every layer reads what all layers before it answered.

use super::{
    architecture::{Architecture, Built},
    modules::Modules,
};
use crate::{
    Error, Preprocessing,
    graph::{NodeId, Op, Padding, Window},
    load::WeightsFile,
};

/// As torchvision and timm name it, and as torchvision's files do (`norm.1` instead of `norm1`).
///
/// Where both libraries give one name to two things, it is torchvision's: `norm1` is before its ReLU. timm's, behind
/// it, is `norm1.act`.
pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: "DenseNet",
    recognizes: |file| {
        file.has_module("features.denseblock1.denselayer1")
            && matches!(file.shape("features.conv0.weight"), Some([_, _, 7, 7]))
    },
    build,
};

/// # Reference
/// [Densely Connected Convolutional Networks](https://arxiv.org/abs/1608.06993), Huang et al., 2016.
fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let preprocessing = preprocessing.unwrap_or(Preprocessing::IMAGENET);
    let (mut m, image) = Modules::new(file, [224, 224], preprocessing)?;
    let x = m.centered("features.conv0", image, 2)?;
    let x = norm_relu(&mut m, "features", "norm0", "relu0", x)?;
    let mut x = m.graph.add("features.pool0", Op::MaxPool(Window::new(3, 2).padded(Padding::all(1))), &[x])?;
    let blocks = (1..).take_while(|i| file.has_module(&format!("features.denseblock{i}"))).count();
    for i in 1..=blocks {
        x = dense_block(&mut m, &format!("features.denseblock{i}"), x)?;
        if i < blocks {
            x = transition(&mut m, &format!("features.transition{i}"), x)?;
        }
    }
    let x = m.batch_norm(&format!("features.norm{}", blocks + 1), x, EPSILON)?;
    m.alias("features", x);
    let x = m.relu("relu", x)?;
    m.graph.alias(&format!("features.norm{}.act", blocks + 1), "relu");
    let logits = m.classify("adaptive_avg_pool2d", "classifier", x)?;
    m.graph.alias("global_pool", "adaptive_avg_pool2d");
    m.finish(logits)
}

const EPSILON: f32 = 1e-5;

/// Layers that each add some channels to the map.
fn dense_block(m: &mut Modules, module: &str, mut x: NodeId) -> Result<NodeId, Error> {
    let layers = (1..).take_while(|i| m.file.has_module(&format!("{module}.denselayer{i}"))).count();
    for i in 1..=layers {
        let layer = format!("{module}.denselayer{i}");
        let new = dense_layer(m, &layer, x)?;
        let name = if i < layers { format!("{module}.denselayer{}.cat", i + 1) } else { module.to_owned() };
        x = m.graph.add(&name, Op::Concat, &[x, new])?;
    }
    m.graph.alias(&format!("{module}.cat"), module);
    Ok(x)
}

fn dense_layer(m: &mut Modules, module: &str, mut x: NodeId) -> Result<NodeId, Error> {
    let dot = if m.file.has_module(&format!("{module}.norm.1")) { "." } else { "" };
    for i in 1..=2 {
        x = norm_relu(m, module, &format!("norm{dot}{i}"), &format!("relu{dot}{i}"), x)?;
        x = m.centered(&format!("{module}.conv{dot}{i}"), x, 1)?;
        for part in ["norm", "relu", "conv"] {
            m.graph.alias(&format!("{module}.{part}{i}"), &format!("{module}.{part}{dot}{i}"));
        }
    }
    m.alias(module, x);
    Ok(x)
}

/// Half as many channels on a map half as large.
fn transition(m: &mut Modules, module: &str, x: NodeId) -> Result<NodeId, Error> {
    let x = norm_relu(m, module, "norm", "relu", x)?;
    let x = m.centered(&format!("{module}.conv"), x, 1)?;
    let pool = Op::AveragePool { window: Window::new(2, 2), count_padding: true };
    let x = m.graph.add(&format!("{module}.pool"), pool, &[x])?;
    m.alias(module, x);
    Ok(x)
}

fn norm_relu(m: &mut Modules, module: &str, norm: &str, relu: &str, x: NodeId) -> Result<NodeId, Error> {
    let x = m.batch_norm(&format!("{module}.{norm}"), x, EPSILON)?;
    let x = m.relu(&format!("{module}.{relu}"), x)?;
    m.alias(&format!("{module}.{norm}.act"), x);
    Ok(x)
}
