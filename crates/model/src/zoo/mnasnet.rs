//! MNASNet: inverted residuals found by search, variant B1.

use super::{
    architecture::{Architecture, Built},
    modules::Modules,
};
use crate::{
    Error, Preprocessing,
    graph::{NodeId, Op},
    load::WeightsFile,
};

/// As torchvision names it.
pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: "MNASNet",
    recognizes: |file| file.contains("layers.8.0.layers.0.weight") && file.contains("classifier.1.weight"),
    build,
};

/// By how much the stacks `layers.8` to `layers.13` move. Torchvision, `mnasnet.py`.
const STRIDES: [usize; 6] = [2, 2, 2, 1, 2, 1];

/// # Reference
/// [MnasNet](https://arxiv.org/abs/1807.11626), Tan et al., 2018.
fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let preprocessing = preprocessing.unwrap_or(Preprocessing::IMAGENET);
    let (mut m, image) = Modules::new(file, [224, 224], preprocessing)?;
    let x = convolution(&mut m, "layers", 0, image, 2)?;
    let x = convolution(&mut m, "layers", 3, x, 1)?;
    let mut x = convolution_norm(&mut m, "layers", 6, x, 1)?;
    for (stack, stride) in (8..).map(|i| format!("layers.{i}")).zip(STRIDES) {
        for i in 0..file.count_modules(&stack) {
            x = inverted_residual(&mut m, &format!("{stack}.{i}"), x, if i == 0 { stride } else { 1 })?;
        }
        m.alias(&stack, x);
    }
    let x = convolution(&mut m, "layers", 14, x, 1)?;
    m.alias("layers", x);
    let logits = m.classify("mean", "classifier.1", x)?;
    m.alias("classifier", logits);
    m.finish(logits)
}

/// Widened, moved over, and narrowed again; added to what it read where that has the same shape.
fn inverted_residual(m: &mut Modules, module: &str, input: NodeId, stride: usize) -> Result<NodeId, Error> {
    let layers = format!("{module}.layers");
    let x = convolution(m, &layers, 0, input, 1)?;
    let x = convolution(m, &layers, 3, x, stride)?;
    let x = convolution_norm(m, &layers, 6, x, 1)?;
    m.alias(&layers, x);
    match stride == 1 && m.graph.shape(x) == m.graph.shape(input) {
        true => {
            let x = m.graph.add(module, Op::Add, &[x, input])?;
            m.alias(&format!("{module}.add"), x);
            Ok(x)
        }
        false => {
            m.alias(module, x);
            Ok(x)
        }
    }
}

/// Number `first` of `module`, a convolution, and its batch norm and ReLU behind it.
fn convolution(m: &mut Modules, module: &str, first: usize, x: NodeId, stride: usize) -> Result<NodeId, Error> {
    let x = convolution_norm(m, module, first, x, stride)?;
    m.relu(&format!("{module}.{}", first + 2), x)
}

fn convolution_norm(m: &mut Modules, module: &str, first: usize, x: NodeId, stride: usize) -> Result<NodeId, Error> {
    let x = m.centered(&format!("{module}.{first}"), x, stride)?;
    m.batch_norm(&format!("{module}.{}", first + 1), x, 1e-5)
}
