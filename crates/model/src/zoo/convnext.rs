//! ConvNeXt: a convolutional network of a transformer's habits.

use super::{
    architecture::{Architecture, Built},
    modules::{Modules, Moves},
};
use crate::{
    Error, Preprocessing,
    graph::{Function, NodeId, Op},
    load::WeightsFile,
};

/// # Reference
/// [A ConvNet for the 2020s](https://arxiv.org/abs/2201.03545), Liu et al., 2022.
pub(super) const ARCHITECTURE: Architecture = Architecture { name: "ConvNeXt", recognizes, build };

/// What norms add to the variance. torchvision and timm, `convnext.py`.
const EPSILON: f32 = 1e-6;

/// What the modules are called.
struct Names {
    /// A convolution and a norm, `<stem>.0` and `<stem>.1`.
    stem: &'static str,
    /// The stages' blocks are `<stages.0>.0` and so on; between two of them are a norm and a convolution, `<between.0>.0`
    /// and `<between.0>.1`.
    stages: Vec<String>,
    between: Vec<String>,
    /// Of a block: filter each channel, norm, expand, activate, project; the last is the factor of each channel.
    block: [&'static str; 6],
    /// What the filter and what the projection answer to: torchvision puts axes in another order and back.
    others: [&'static [&'static str]; 2],
    /// What the last stage answers to.
    all: &'static str,
    /// Mean, norm, classes.
    head: [&'static str; 3],
}

fn torchvision() -> Names {
    Names {
        stem: "features.0",
        stages: (0..).map(|i| format!("features.{}", 2 * i + 1)).take(STAGES).collect(),
        between: (1..).map(|i| format!("features.{}", 2 * i)).take(STAGES - 1).collect(),
        block: ["block.0", "block.2", "block.3", "block.4", "block.5", "layer_scale"],
        others: [&["block.1"], &["block.6", "block"]],
        all: "features",
        head: ["avgpool", "classifier.0", "classifier.2"],
    }
}

fn timm() -> Names {
    Names {
        stem: "stem",
        stages: (0..STAGES).map(|i| format!("stages.{i}.blocks")).collect(),
        between: (1..STAGES).map(|i| format!("stages.{i}.downsample")).collect(),
        block: ["conv_dw", "norm", "mlp.fc1", "mlp.act", "mlp.fc2", "gamma"],
        others: [&[], &["mlp"]],
        all: "stages",
        head: ["head.global_pool", "head.norm", "head.fc"],
    }
}

const STAGES: usize = 4;

/// Without what later networks add (`mlp.grn`) or leave out (a norm's bias, the factors), and with a stem of one
/// convolution.
fn names(file: &WeightsFile) -> Option<Names> {
    [torchvision(), timm()].into_iter().find(|names| {
        let first = |part: usize| format!("{}.0.{}", names.stages[0], names.block[part]);
        let [stem, norm] = [0, 1].map(|i| file.shape(&format!("{}.{i}.weight", names.stem)).map_or(0, <[_]>::len));
        [stem, norm] == [4, 1]
            && file.has_module(&first(0))
            && file.contains(&format!("{}.bias", first(1)))
            && file.contains(&first(5))
            && !file.has_module(&format!("{}.0.mlp.grn", names.stages[0]))
    })
}

fn recognizes(file: &WeightsFile) -> bool {
    names(file).is_some()
}

fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let names = names(file).expect("it was recognized");
    let (mut m, image) = Modules::new(file, [224, 224], preprocessing.unwrap_or(Preprocessing::IMAGENET))?;
    let patch = file.shape(&format!("{}.0.weight", names.stem)).map_or(4, |shape| shape[3].max(1));
    let x = m.convolution(&format!("{}.0", names.stem), image, Moves::valid(patch))?;
    let mut x = m.layer_norm(&format!("{}.1", names.stem), x, EPSILON)?;
    m.alias(names.stem, x);
    for (i, stage) in names.stages.iter().enumerate() {
        if let Some(between) = i.checked_sub(1).map(|i| &names.between[i]) {
            x = m.layer_norm(&format!("{between}.0"), x, EPSILON)?;
            x = m.convolution(&format!("{between}.1"), x, Moves::valid(2))?;
            m.alias(between, x);
        }
        for block in 0..file.count_modules(stage) {
            x = add_block(&mut m, &names, &format!("{stage}.{block}"), x)?;
        }
        m.alias(stage, x);
        m.alias(stage.trim_end_matches(".blocks"), x);
    }
    m.alias(names.all, x);
    if file.has_module("norm_pre") {
        x = m.layer_norm("norm_pre", x, EPSILON)?;
    }
    let [pool, norm, classifier] = names.head;
    x = m.graph.add(pool, Op::GlobalMean, &[x])?;
    if file.has_module(norm) {
        x = m.layer_norm(norm, x, EPSILON)?;
    }
    for flat in ["classifier.1", "head.flatten"] {
        m.alias(flat, x);
    }
    let logits = m.linear(classifier, x)?;
    m.alias(classifier.split('.').next().expect("a split has a part"), logits);
    m.finish(logits)
}

/// Filters each channel by itself, mixes channels at each position, and adds.
fn add_block(m: &mut Modules<'_>, names: &Names, block: &str, x: NodeId) -> Result<NodeId, Error> {
    let [filter, norm, expand, activation, project, factors] = names.block.map(|part| format!("{block}.{part}"));
    let filtered = m.centered(&filter, x, 1)?;
    let y = m.layer_norm(&norm, filtered, EPSILON)?;
    let y = m.linear(&expand, y)?;
    let y = m.activation(&activation, Op::Pointwise(Function::Gelu), y)?;
    let projected = m.linear(&project, y)?;
    for (others, node) in names.others.into_iter().zip([filtered, projected]) {
        others.iter().for_each(|other| m.alias(&format!("{block}.{other}"), node));
    }
    let y = m.scale(&format!("{block}.mul"), &factors, projected)?;
    m.alias(&format!("{block}.stochastic_depth"), y);
    let y = m.graph.add(&format!("{block}.add"), Op::Add, &[x, y])?;
    m.alias(block, y);
    Ok(y)
}
