//! MobileNetV3, small and large: inverted residual blocks, some of which squeeze and excite.

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
/// [Searching for MobileNetV3](https://arxiv.org/abs/1905.02244), Howard et al., 2019.
pub(super) const ARCHITECTURE: Architecture = Architecture { name: "MobileNetV3", recognizes, build };

/// The stages of one of the two sizes. Tables 1 and 2 of the paper.
struct Stages {
    /// The kernel of each stage's first block.
    kernels: &'static [usize],
    strides: &'static [usize],
    /// So many stages from the first on have ReLUs, the others hard swish.
    relus: usize,
}

const SMALL: Stages = Stages { kernels: &[3, 3, 5, 5, 5], strides: &[2, 2, 2, 1, 2], relus: 2 };
const LARGE: Stages = Stages { kernels: &[3, 3, 5, 3, 3, 5], strides: &[1, 2, 2, 2, 1, 2], relus: 3 };

/// Without squeezing, large kernels and hard swish; timm, `mobilenetv3.py`.
const MINIMAL_SMALL: Stages = Stages { kernels: &[3; 5], strides: SMALL.strides, relus: 5 };
const MINIMAL_LARGE: Stages = Stages { kernels: &[3; 6], strides: LARGE.strides, relus: 6 };

fn outline(file: &WeightsFile) -> Option<(Outline, &'static Stages)> {
    let outline = Outline::of(file)?;
    let kernels = outline.kernels();
    // What is the head's first layer in torchvision is the last stage in timm. There, a head that has no bias behind the
    // mean is another network's.
    let kernels = match outline.library {
        Library::Timm if file.contains("conv_head.bias") => kernels.strip_suffix(&[1])?,
        Library::Torchvision if file.has_module("classifier.3") => &kernels,
        _ => return None,
    };
    let stages =
        [&SMALL, &LARGE, &MINIMAL_SMALL, &MINIMAL_LARGE].into_iter().find(|stages| stages.kernels == kernels)?;
    Some((outline, stages))
}

fn recognizes(file: &WeightsFile) -> bool {
    outline(file).is_some()
}

fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let (outline, stages) = outline(file).expect("it was recognized");
    let from_tensorflow = outline.library == Library::Timm && is_from_tensorflow(file);
    let preprocessing = preprocessing.unwrap_or(match from_tensorflow {
        true => Preprocessing::MINUS_ONE_TO_ONE,
        false => Preprocessing::IMAGENET,
    });
    let epsilon = if from_tensorflow || outline.library == Library::Torchvision { 1e-3 } else { 1e-5 };
    let is_minimal = stages.relus == stages.strides.len();
    let activation = if is_minimal { Op::Relu } else { Op::Pointwise(Function::HardSwish) };
    let gate = Op::Pointwise(Function::HardSigmoid { slope: 1.0 / 6.0, offset: 0.5 });
    let style = Style { same: from_tensorflow, epsilon, activation: activation.clone(), squeezed: Op::Relu, gate };
    let styles = stages.strides.iter().enumerate().map(|(i, &stride)| match i < stages.relus {
        true => (stride, style.with_activation(Op::Relu)),
        false => (stride, style.clone()),
    });
    let styles: Vec<(usize, Style)> = styles.chain([(1, style.clone())]).collect();

    let (mut modules, image) = Modules::new(file, [224, 224], preprocessing)?;
    let mut x = outline.add(&mut modules, image, &style, &styles)?;
    let [hidden, activated, classifier] = match outline.library {
        Library::Timm => ["conv_head", "act2", "classifier"],
        _ => ["classifier.0", "classifier.1", "classifier.3"],
    };
    if outline.library == Library::Torchvision {
        x = outline.head(file).add(&mut modules, x, 1, &style)?;
    }
    let x = outline.add_mean(&mut modules, x)?;
    let x = modules.linear(hidden, x)?;
    let x = modules.activation(activated, activation, x)?;
    modules.graph.alias("flatten", "act2");
    let logits = modules.linear(classifier, x)?;
    modules.alias("classifier", logits);
    modules.finish(logits)
}
