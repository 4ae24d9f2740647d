//! What libraries call the parts of a block, and how they number blocks.

use super::{Block, Layer, Part, Squeeze};
use crate::load::WeightsFile;

/// How many blocks each stage has: MobileNetV2; MobileNetV3 small and large. torchvision, `mobilenetv2.py`, `mobilenetv3.py`.
const DEPTHS: [&[usize]; 3] = [&[1, 2, 3, 4, 3, 3, 1], &[1, 2, 3, 2, 3], &[1, 2, 3, 4, 2, 3]];

/// `<block>.conv` holds the layers in order, as in torchvision's MobileNetV2.
pub(super) fn conv_parts(file: &WeightsFile, block: &str) -> Vec<Part> {
    let conv = joined(block, "conv");
    // The last layer's convolution and norm are no module together, but numbered on.
    let last = file.count_modules(&conv).saturating_sub(2);
    let mut layers: Vec<Layer> = (0..last).map(|i| Layer::torchvision(&format!("{conv}.{i}"), true)).collect();
    let [convolution, norm] = [last, last + 1].map(|i| format!("{conv}.{i}"));
    layers.push(Layer { convolution, module: norm.clone(), norm_layer: norm.clone(), norm, activation: None });
    layers.into_iter().map(Part::Layer).collect()
}

/// `<block>.block` holds the layers in order, as in torchvision's later networks; the last is not activated.
pub(super) fn block_parts(file: &WeightsFile, block: &str) -> Vec<Part> {
    let inner = format!("{block}.block");
    let count = file.count_modules(&inner);
    let part = |i: usize| {
        let module = format!("{inner}.{i}");
        match file.has_module(&format!("{module}.fc1")) {
            // A block of one layer activates it.
            false => Part::Layer(Layer::torchvision(&module, i + 1 < count || count == 1)),
            true => Part::Squeeze(Squeeze {
                mean: joined(&module, "avgpool"),
                reduce: joined(&module, "fc1"),
                activation: joined(&module, "activation"),
                expand: joined(&module, "fc2"),
                gate: joined(&module, "scale_activation"),
                product: joined(&module, "mul"),
                module,
            }),
        }
    };
    (0..count).map(part).collect()
}

pub(super) fn timm_parts(file: &WeightsFile, block: &str) -> Vec<Part> {
    let has = |convolution: &str| file.contains(&format!("{block}.{convolution}.weight"));
    let (before, last) = match [has("conv_exp"), has("conv_pwl"), has("conv_dw")] {
        [true, ..] => (vec![("conv_exp", "bn1")], Some(("conv_pwl", "bn2"))),
        [_, true, _] => (vec![("conv_pw", "bn1"), ("conv_dw", "bn2")], Some(("conv_pwl", "bn3"))),
        [_, _, true] => (vec![("conv_dw", "bn1")], Some(("conv_pw", "bn2"))),
        _ => (vec![("conv", "bn1")], None),
    };
    let before = before.into_iter().map(|(convolution, norm)| Layer::timm(block, convolution, norm, true));
    let module = joined(block, "se");
    let squeeze = file.has_module(&module).then(|| Squeeze {
        mean: joined(&module, "mean"),
        reduce: joined(&module, "conv_reduce"),
        activation: joined(&module, "act1"),
        expand: joined(&module, "conv_expand"),
        gate: joined(&module, "gate"),
        product: joined(&module, "mul"),
        module,
    });
    let last = last.map(|(convolution, norm)| Layer::timm(block, convolution, norm, false));
    before.map(Part::Layer).chain(squeeze.map(Part::Squeeze)).chain(last.map(Part::Layer)).collect()
}

pub(super) fn efficientnet_pytorch_parts(file: &WeightsFile, block: &str) -> Vec<Part> {
    let has = |module: &str| file.has_module(&joined(block, module));
    // One module is all activations; a trace numbers them.
    let mut activations = ["_swish", "_swish_1", "_swish_2"].into_iter();
    let mut parts = Vec::new();
    if has("_expand_conv") {
        parts.push(Part::Layer(Layer::efficientnet_pytorch(block, "_expand_conv", "_bn0", activations.next())));
    }
    parts.push(Part::Layer(Layer::efficientnet_pytorch(block, "_depthwise_conv", "_bn1", activations.next())));
    if has("_se_reduce") {
        parts.push(Part::Squeeze(Squeeze {
            module: joined(block, "mul"),
            mean: joined(block, "adaptive_avg_pool2d"),
            reduce: joined(block, "_se_reduce"),
            activation: joined(block, activations.next().expect("three names")),
            expand: joined(block, "_se_expand"),
            gate: joined(block, "sigmoid"),
            product: joined(block, "mul"),
        }));
    }
    parts.push(Part::Layer(Layer::efficientnet_pytorch(block, "_project_conv", "_bn2", None)));
    parts
}

/// The blocks `<module>.<stage>.<block>`, from the stage `first` on.
pub(super) fn nested(file: &WeightsFile, module: &str, first: usize) -> Vec<Vec<String>> {
    let blocks = |stage: usize| {
        let stage = format!("{module}.{stage}");
        // torchvision's head is numbered on; its convolution is no block.
        let is_head = file.contains(&format!("{stage}.0.weight"));
        let blocks = if is_head { 0 } else { file.count_modules(&stage) };
        numbered(&stage, 0..blocks)
    };
    (first..).map(blocks).take_while(|blocks| !blocks.is_empty()).collect()
}

pub(super) fn numbered(module: &str, range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|i| format!("{module}.{i}")).collect()
}

/// Blocks that are numbered through, stage by stage: of so many as torchvision's have in all it is known; else a stage
/// begins where the number of channels changes.
pub(super) fn split(blocks: Vec<Block>) -> Vec<Vec<Block>> {
    if let Some(depths) = DEPTHS.iter().find(|depths| depths.iter().sum::<usize>() == blocks.len()) {
        let mut blocks = blocks.into_iter();
        return depths.iter().map(|&depth| blocks.by_ref().take(depth).collect()).collect();
    }
    let mut stages: Vec<Vec<Block>> = Vec::new();
    for block in blocks {
        match stages.last_mut() {
            Some(stage) if stage[0].channels == block.channels => stage.push(block),
            _ => stages.push(vec![block]),
        }
    }
    stages
}

pub(super) fn joined(module: &str, part: &str) -> String {
    match module {
        "" => part.to_owned(),
        _ => format!("{module}.{part}"),
    }
}
