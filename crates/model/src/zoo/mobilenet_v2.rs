//! MobileNetV2: inverted residual blocks of 3×3 kernels and ReLU6.

use super::{
    architecture::{Architecture, Built},
    inverted_residual::{Outline, Style},
    modules::Modules,
};
use crate::{
    Error, Preprocessing,
    graph::{Function, Op},
    load::WeightsFile,
};

/// # Reference
/// [MobileNetV2](https://arxiv.org/abs/1801.04381), Sandler et al., 2018.
pub(super) const ARCHITECTURE: Architecture = Architecture { name: "MobileNetV2", recognizes, build };

/// How far each stage moves. Table 2 of the paper.
const STRIDES: [usize; 7] = [1, 2, 2, 2, 1, 2, 1];

fn outline(file: &WeightsFile) -> Option<Outline> {
    Outline::of(file).filter(|outline| outline.kernels() == [3; 7] && outline.squeezes() == [false; 7])
}

fn recognizes(file: &WeightsFile) -> bool {
    outline(file).is_some()
}

fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let outline = outline(file).expect("it was recognized");
    let preprocessing = preprocessing.unwrap_or(Preprocessing::IMAGENET);
    // Nothing squeezes here.
    let [squeezed, gate] = [Op::Relu, Op::Pointwise(Function::Sigmoid)];
    let style = Style { same: false, epsilon: 1e-5, activation: Op::Relu6, squeezed, gate };
    let (mut modules, image) = Modules::new(file, [224, 224], preprocessing)?;
    let x = outline.add(&mut modules, image, &style, &STRIDES.map(|stride| (stride, style.clone())))?;
    let logits = outline.add_head(&mut modules, x, &style)?;
    modules.finish(logits)
}
