//! EfficientNet, and EfficientNet-Lite, which has ReLU6 and neither squeezes nor excites.

use super::{
    architecture::{Architecture, Built},
    inverted_residual::{Library, Outline, Style, is_from_tensorflow},
    modules::Modules,
};
use crate::{
    Error, Preprocessing,
    graph::{Function, Op},
    load::WeightsFile,
};

/// # Reference
/// [EfficientNet](https://arxiv.org/abs/1905.11946), Tan and Le, 2019;
/// [EfficientNet-Lite](https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite), 2020.
pub(super) const ARCHITECTURE: Architecture = Architecture { name: "EfficientNet", recognizes, build };

/// The kernels of the seven stages, and how far each moves. Table 1 of the paper.
const KERNELS: [usize; 7] = [3, 3, 5, 3, 5, 5, 3];
const STRIDES: [usize; 7] = [1, 2, 2, 2, 1, 2, 1];

/// How many blocks a network has, how wide its head is, and the side of its images: B0 to B7, torchvision's
/// `efficientnet.py`.
const SIZES: [[usize; 3]; 8] = [
    [16, 1280, 224],
    [23, 1280, 240],
    [23, 1408, 288],
    [26, 1536, 300],
    [32, 1792, 380],
    [39, 2048, 456],
    [45, 2304, 528],
    [55, 2560, 600],
];

/// How many blocks a network has, how wide the last of them is, and the side of its images: Lite0 to Lite4, TensorFlow's
/// `efficientnet_lite_builder.py`.
const LITE_SIZES: [[usize; 3]; 5] = [[16, 320, 224], [21, 320, 240], [21, 352, 260], [24, 384, 280], [30, 448, 300]];

/// What TensorFlow's Lite networks were trained with: `(x - 127) / 128`. `efficientnet_lite_builder.py`.
const LITE: Preprocessing = Preprocessing { mean: [127.0 / 255.0; 3], std: [128.0 / 255.0; 3], bgr: false };

fn outline(file: &WeightsFile) -> Option<(Outline, bool)> {
    let outline = Outline::of(file).filter(|outline| outline.kernels() == KERNELS)?;
    let is_lite = !outline.squeezes()?;
    Some((outline, is_lite))
}

fn recognizes(file: &WeightsFile) -> bool {
    outline(file).is_some()
}

fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let (outline, is_lite) = outline(file).expect("it was recognized");
    let from_tensorflow = match outline.library {
        Library::Torchvision => false,
        Library::Timm => is_from_tensorflow(file),
        Library::EfficientNetPytorch => true,
    };
    let blocks: usize = outline.stages.iter().map(Vec::len).sum();
    let last = outline.stages.last().and_then(|blocks| blocks.last()).expect("it was recognized").channels;
    let head = outline.head(file).kernel(file).map_or(0, |[channels, _]| channels);
    let (sizes, width): (&[_], _) = if is_lite { (&LITE_SIZES, last) } else { (&SIZES, head) };
    let side = sizes.iter().find(|&&[depth, w, _]| depth == blocks && w == width).map_or(224, |&[.., side]| side);
    let preprocessing = preprocessing.unwrap_or(match (outline.library, is_lite) {
        (Library::EfficientNetPytorch, true) => LITE,
        (Library::Timm, true) if from_tensorflow => Preprocessing::MINUS_ONE_TO_ONE,
        _ => Preprocessing::IMAGENET,
    });
    // Those that torchvision took over from TensorFlow have its epsilon, and its own padding.
    let epsilon =
        if from_tensorflow || (outline.library == Library::Torchvision && blocks >= 39) { 1e-3 } else { 1e-5 };
    let silu = Op::Pointwise(Function::Silu);
    let activation = if is_lite { Op::Relu6 } else { silu.clone() };
    let gate = Op::Pointwise(Function::Sigmoid);
    let style = Style { same: from_tensorflow, epsilon, activation, squeezed: silu, gate };
    let (mut modules, image) = Modules::new(file, [side, side], preprocessing)?;
    let x = outline.add(&mut modules, image, &style, &STRIDES.map(|stride| (stride, style.clone())))?;
    let logits = outline.add_head(&mut modules, x, &style)?;
    modules.finish(logits)
}
