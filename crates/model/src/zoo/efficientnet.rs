//! EfficientNet, EfficientNet-Lite and EfficientNetV2.

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
/// [EfficientNet-Lite](https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite), 2020;
/// [EfficientNetV2](https://arxiv.org/abs/2104.00298), Tan and Le, 2021.
pub(super) const ARCHITECTURE: Architecture = Architecture { name: "EfficientNet", recognizes, build };

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    First,
    /// Has ReLU6 and neither squeezes nor excites.
    Lite,
    /// Begins with blocks that expand and filter at once.
    Second,
}

/// The kernel of each stage, but in the second version, where all are 3×3; table 1 of the first paper.
const KERNELS: [usize; 7] = [3, 3, 5, 3, 5, 5, 3];

/// How far each stage moves; the second version may have one stage less. Table 1 of the first paper, table 4 of the second.
const STRIDES: [usize; 7] = [1, 2, 2, 2, 1, 2, 1];

/// How many blocks a network has, how wide its head is (of Lite: its last block), and the side of its images.
type Size = [usize; 3];

/// B0 to B7. torchvision, `efficientnet.py`.
const FIRST: [Size; 8] = [
    [16, 1280, 224],
    [23, 1280, 240],
    [23, 1408, 288],
    [26, 1536, 300],
    [32, 1792, 380],
    [39, 2048, 456],
    [45, 2304, 528],
    [55, 2560, 600],
];

/// Lite0 to Lite4. TensorFlow, `efficientnet_lite_builder.py`.
const LITE: [Size; 5] = [[16, 320, 224], [21, 320, 240], [21, 352, 260], [24, 384, 280], [30, 448, 300]];

/// B0 to B3, S, M and L. torchvision and timm, `efficientnet.py`.
const SECOND: [Size; 7] = [
    [21, 1280, 224],
    [27, 1280, 240],
    [28, 1408, 260],
    [32, 1536, 300],
    [40, 1280, 384],
    [57, 1280, 480],
    [79, 1280, 480],
];

/// `(x - 127) / 128`, as TensorFlow's Lite networks take it. `efficientnet_lite_builder.py`.
const LITE_PREPROCESSING: Preprocessing =
    Preprocessing { mean: [127.0 / 255.0; 3], std: [128.0 / 255.0; 3], bgr: false };

fn outline(file: &WeightsFile) -> Option<(Outline, Kind)> {
    let outline = Outline::of(file)?;
    let (kernels, squeezes) = (outline.kernels(), outline.squeezes());
    let kind = match &squeezes[..] {
        [false, false, false, true, true, true, ..] if kernels.iter().all(|&k| k == 3) => Kind::Second,
        [true, ..] if kernels == KERNELS && !squeezes.contains(&false) => Kind::First,
        [false, ..] if kernels == KERNELS && !squeezes.contains(&true) => Kind::Lite,
        _ => return None,
    };
    (outline.stages.len() <= STRIDES.len()).then_some((outline, kind))
}

fn recognizes(file: &WeightsFile) -> bool {
    outline(file).is_some()
}

fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let (outline, kind) = outline(file).expect("it was recognized");
    let library = outline.library;
    // The Python package's networks and weights are TensorFlow's.
    let from_tensorflow =
        library == Library::EfficientNetPytorch || (library == Library::Timm && is_from_tensorflow(file));
    let blocks: usize = outline.stages.iter().map(Vec::len).sum();
    let head = outline.head(file).kernel(file).map_or(0, |[channels, _]| channels);
    let last = outline.stages.last().and_then(|blocks| blocks.last()).map_or(0, |block| block.channels);
    let (sizes, width): (&[Size], _) = match kind {
        Kind::First => (&FIRST, head),
        Kind::Lite => (&LITE, last),
        Kind::Second => (&SECOND, head),
    };
    let side = sizes.iter().find(|size| size[..2] == [blocks, width]).map_or(224, |&[.., side]| side);
    let preprocessing = preprocessing.unwrap_or(match (library, kind) {
        (Library::EfficientNetPytorch, Kind::Lite) => LITE_PREPROCESSING,
        (Library::Timm, Kind::Lite) if from_tensorflow => Preprocessing::MINUS_ONE_TO_ONE,
        // S, M and L; torchvision's S and M were trained otherwise.
        (Library::Timm, Kind::Second) if from_tensorflow && side > 300 => Preprocessing::MINUS_ONE_TO_ONE,
        (Library::Torchvision, Kind::Second) if blocks == 79 => Preprocessing::MINUS_ONE_TO_ONE,
        _ => Preprocessing::IMAGENET,
    });
    // torchvision took B5 to B7 and the second version over from TensorFlow, with its epsilon and another padding.
    let taken_over = library == Library::Torchvision && (kind == Kind::Second || blocks >= 39);
    let silu = Op::Pointwise(Function::Silu);
    let style = Style {
        same: from_tensorflow,
        epsilon: if from_tensorflow || taken_over { 1e-3 } else { 1e-5 },
        activation: if kind == Kind::Lite { Op::Relu6 } else { silu.clone() },
        squeezed: silu,
        gate: Op::Pointwise(Function::Sigmoid),
    };
    let (mut modules, image) = Modules::new(file, [side, side], preprocessing)?;
    let x = outline.add(&mut modules, image, &style, &STRIDES.map(|stride| (stride, style.clone())))?;
    let logits = outline.add_head(&mut modules, x, &style)?;
    modules.finish(logits)
}
