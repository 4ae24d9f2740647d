//! VGG: 3×3 convolutions, one behind the other, and three fully connected layers.

use super::{
    architecture::{Architecture, Built},
    modules::{Modules, Moves},
};
use crate::{
    Error, Preprocessing,
    graph::{NodeId, Op, Window},
    load::WeightsFile,
};

/// VGG with and without batch norms, as torchvision and timm name it.
pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: "VGG",
    recognizes: |file| {
        matches!(file.shape("features.0.weight"), Some([_, _, 3, 3]))
            && (matches!(file.shape("classifier.0.weight"), Some([_, _])) || file.contains("pre_logits.fc1.weight"))
    },
    build,
};

/// # Reference
/// [Very Deep Convolutional Networks for Large-Scale Image Recognition](https://arxiv.org/abs/1409.1556), Simonyan and
/// Zisserman, 2014.
fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let preprocessing = preprocessing.unwrap_or(Preprocessing::IMAGENET);
    let (mut m, image) = Modules::new(file, [224, 224], preprocessing)?;
    let x = features(&mut m, image, Window::new(2, 2), |m, module, x| m.centered(module, x, 1))?;
    let logits = match file.has_module("pre_logits") {
        true => timm_head(&mut m, x)?,
        false => classifier(&mut m, x)?,
    };
    m.finish(logits)
}

/// The modules of `features`: each convolution has a ReLU, perhaps behind a batch norm, and where a number is left until
/// the next one, there is a pool.
pub(super) fn features(
    m: &mut Modules,
    image: NodeId,
    pool: Window,
    convolution: impl Fn(&mut Modules, &str, NodeId) -> Result<NodeId, Error>,
) -> Result<NodeId, Error> {
    let (mut x, mut rectified) = (image, true);
    let last = m.file.numbered_modules("features").into_iter().max().unwrap_or(0);
    // Behind the last tensors there are a ReLU and a pool.
    for i in 0..=last.saturating_add(2) {
        let module = format!("features.{i}");
        let axes = m.file.shape(&format!("{module}.weight")).map(<[usize]>::len);
        x = match axes {
            Some(1) => m.batch_norm(&module, x, 1e-5)?,
            Some(_) => convolution(m, &module, x)?,
            None if rectified => m.graph.add(&module, Op::MaxPool(pool), &[x])?,
            None => m.relu(&module, x)?,
        };
        rectified = axes.is_none();
    }
    m.alias("features", x);
    Ok(x)
}

/// torchvision's end: the map pooled to the size that the first fully connected layer was made for, then all of them.
pub(super) fn classifier(m: &mut Modules, x: NodeId) -> Result<NodeId, Error> {
    let layers = m.file.numbered_modules("classifier");
    let first = layers.first().and_then(|first| m.file.shape(&format!("classifier.{first}.weight")));
    let inputs = first.and_then(|shape| shape.get(1)).copied().unwrap_or(0);
    let positions = inputs.checked_div(m.graph.shape(x).channels()).unwrap_or(0);
    let side = positions.isqrt().max(1);
    let x = m.graph.add("avgpool", Op::AdaptiveAveragePool([side; 2]), &[x])?;
    let mut x = m.graph.add("flatten", Op::Flatten, &[x])?;
    for (k, i) in layers.iter().enumerate() {
        x = m.linear(&format!("classifier.{i}"), x)?;
        if k + 1 < layers.len() {
            x = m.relu(&format!("classifier.{}", i + 1), x)?;
        }
    }
    m.alias("classifier", x);
    Ok(x)
}

/// timm's end: the first fully connected layer is a convolution as large as the map of an image of 224.
///
/// timm lets it slide over larger maps, and takes the mean; here they are pooled to its size, as smaller ones are there.
fn timm_head(m: &mut Modules, x: NodeId) -> Result<NodeId, Error> {
    let kernel = match m.file.shape("pre_logits.fc1.weight") {
        Some(&[_, _, kh, kw]) => [kh, kw],
        _ => [1, 1],
    };
    let x = m.graph.add("pre_logits.adaptive_avg_pool2d", Op::AdaptiveAveragePool(kernel), &[x])?;
    let x = m.convolution("pre_logits.fc1", x, Moves::valid(1))?;
    let x = m.relu("pre_logits.act1", x)?;
    let x = m.centered("pre_logits.fc2", x, 1)?;
    let x = m.relu("pre_logits.act2", x)?;
    m.alias("pre_logits", x);
    let logits = m.classify("head.global_pool", "head.fc", x)?;
    m.alias("head", logits);
    Ok(logits)
}
