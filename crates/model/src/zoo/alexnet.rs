//! AlexNet: five convolutions and three fully connected layers.

use super::{
    architecture::{Architecture, Built},
    modules::{Modules, Moves},
    vgg::{classifier, features},
};
use crate::{
    Error, Preprocessing,
    graph::{Padding, Window},
    load::WeightsFile,
};

/// AlexNet as torchvision has it: one tower, no local response normalization.
pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: "AlexNet",
    recognizes: |file| {
        matches!(file.shape("features.0.weight"), Some([_, _, 11, 11])) && file.contains("classifier.6.weight")
    },
    build,
};

/// # Reference
/// [One weird trick for parallelizing convolutional neural networks](https://arxiv.org/abs/1404.5997), Krizhevsky, 2014.
fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let preprocessing = preprocessing.unwrap_or(Preprocessing::IMAGENET);
    let (mut m, image) = Modules::new(file, [224, 224], preprocessing)?;
    let first = Moves { stride: 4, padding: Padding::all(2), dilation: 1 };
    let x = features(&mut m, image, Window::new(3, 2), |m, module, x| match module {
        "features.0" => m.convolution(module, x, first),
        _ => m.centered(module, x, 1),
    })?;
    let logits = classifier(&mut m, x)?;
    m.finish(logits)
}
