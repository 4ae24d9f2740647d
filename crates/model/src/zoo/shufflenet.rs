//! ShuffleNet v2: half of the channels go by, the other half is computed, and then they are shuffled.

use super::{
    architecture::{Architecture, Built},
    modules::Modules,
};
use crate::{
    Error, Preprocessing,
    graph::{NodeId, Op, Padding, Window},
    load::WeightsFile,
};

/// As torchvision names it.
pub(super) const ARCHITECTURE: Architecture = Architecture {
    name: "ShuffleNet v2",
    recognizes: |file| file.contains("stage2.0.branch2.0.weight") && file.contains("conv5.0.weight"),
    build,
};

/// # Reference
/// [ShuffleNet V2](https://arxiv.org/abs/1807.11164), Ma et al., 2018.
fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let preprocessing = preprocessing.unwrap_or(Preprocessing::IMAGENET);
    let (mut m, image) = Modules::new(file, [224, 224], preprocessing)?;
    let x = sequence(&mut m, "conv1", image, &[Convolution(2), Norm, Relu])?;
    let mut x = m.graph.add("maxpool", Op::MaxPool(Window::new(3, 2).padded(Padding::all(1))), &[x])?;
    for stage in (2..).map(|i| format!("stage{i}")).take_while(|stage| file.has_module(stage)) {
        for i in 0..file.count_modules(&stage) {
            x = unit(&mut m, &format!("{stage}.{i}"), x)?;
        }
        m.alias(&stage, x);
    }
    let x = sequence(&mut m, "conv5", x, &[Convolution(1), Norm, Relu])?;
    let logits = m.classify("mean", "fc", x)?;
    m.finish(logits)
}

/// A unit that halves the map computes both of its branches from all channels.
fn unit(m: &mut Modules, module: &str, x: NodeId) -> Result<NodeId, Error> {
    let name = |part: &str| format!("{module}.{part}");
    let (left, right, stride) = match m.file.has_module(&name("branch1")) {
        true => (sequence(m, &name("branch1"), x, &[Convolution(2), Norm, Convolution(1), Norm, Relu])?, x, 2),
        false => {
            let c = m.graph.shape(x).channels();
            let left = m.graph.add(&name("getitem"), Op::Select((0..c / 2).collect()), &[x])?;
            (left, m.graph.add(&name("getitem_1"), Op::Select((c / 2..c).collect()), &[x])?, 1)
        }
    };
    let modules = [Convolution(1), Norm, Relu, Convolution(stride), Norm, Convolution(1), Norm, Relu];
    let right = sequence(m, &name("branch2"), right, &modules)?;
    let x = m.graph.add(&name("cat"), Op::Concat, &[left, right])?;
    let c = m.graph.shape(x).channels();
    let shuffled = (0..c).map(|i| i % 2 * (c / 2) + i / 2).collect();
    m.graph.add(module, Op::Select(shuffled), &[x])
}

/// What `<module>.0`, `<module>.1` and so on are.
enum Part {
    /// A convolution, and by how much it moves.
    Convolution(usize),
    Norm,
    Relu,
}

use Part::{Convolution, Norm, Relu};

fn sequence(m: &mut Modules, module: &str, mut x: NodeId, parts: &[Part]) -> Result<NodeId, Error> {
    for (i, part) in parts.iter().enumerate() {
        let name = format!("{module}.{i}");
        x = match *part {
            Convolution(stride) => m.centered(&name, x, stride)?,
            Norm => m.batch_norm(&name, x, 1e-5)?,
            Relu => m.relu(&name, x)?,
        };
    }
    m.alias(module, x);
    Ok(x)
}
