//! GoogLeNet and Inception v3 with batch norms: modules of branches side by side.

use super::{
    architecture::{Architecture, Built},
    modules::{Modules, Moves},
};
use crate::{
    Error, Preprocessing,
    graph::{NodeId, Op, Padding, Window},
    load::WeightsFile,
};

/// As torchvision names it.
pub(super) const GOOGLENET: Architecture = Architecture {
    name: "GoogLeNet",
    recognizes: |file| file.contains("inception3a.branch1.conv.weight") && file.contains("fc.weight"),
    build: googlenet,
};

/// As torchvision and timm name it.
pub(super) const INCEPTION_V3: Architecture = Architecture {
    name: "Inception v3",
    recognizes: |file| file.contains("Mixed_5b.branch5x5_1.conv.weight") && file.contains("fc.weight"),
    build: inception_v3,
};

/// Trained by TensorFlow; torchvision's `transform_input` makes such images of normalized ones.
const PREPROCESSING: Preprocessing = Preprocessing::MINUS_ONE_TO_ONE;

/// # Reference
/// [Going deeper with convolutions](https://arxiv.org/abs/1409.4842), Szegedy et al., 2014.
fn googlenet(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let (mut m, image) = Modules::new(file, [224, 224], preprocessing.unwrap_or(PREPROCESSING))?;
    let halve = |size| Op::MaxPool(Window::new(size, 2).ceil());
    let x = m.centered("conv1.conv", image, 2)?;
    let x = norm_relu(&mut m, "conv1", x)?;
    let x = m.graph.add("maxpool1", halve(3), &[x])?;
    let x = convolution(&mut m, "conv2", x)?;
    let x = convolution(&mut m, "conv3", x)?;
    let mut x = m.graph.add("maxpool2", halve(3), &[x])?;
    for module in ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"] {
        x = googlenet_module(&mut m, &format!("inception{module}"), x)?;
        x = match module {
            "3b" => m.graph.add("maxpool3", halve(3), &[x])?,
            "4e" => m.graph.add("maxpool4", halve(2), &[x])?,
            _ => x,
        };
    }
    let logits = m.classify("avgpool", "fc", x)?;
    m.finish(logits)
}

/// The kernel of `branch3` should have been 5×5; torchvision's is 3×3, and the tensors say so.
fn googlenet_module(m: &mut Modules, module: &str, x: NodeId) -> Result<NodeId, Error> {
    let name = |branch: &str| format!("{module}.{branch}");
    let one = convolution(m, &name("branch1"), x)?;
    let mut branches = vec![one];
    for branch in ["branch2", "branch3"] {
        let reduced = convolution(m, &name(&format!("{branch}.0")), x)?;
        branches.push(convolution(m, &name(&format!("{branch}.1")), reduced)?);
        m.alias(&name(branch), branches[branches.len() - 1]);
    }
    let pool = Window::new(3, 1).padded(Padding::all(1)).ceil();
    let pool = m.graph.add(&name("branch4.0"), Op::MaxPool(pool), &[x])?;
    branches.push(convolution(m, &name("branch4.1"), pool)?);
    m.alias(&name("branch4"), branches[branches.len() - 1]);
    concat(m, module, &branches)
}

/// # Reference
/// [Rethinking the Inception Architecture for Computer Vision](https://arxiv.org/abs/1512.00567), Szegedy et al., 2015.
fn inception_v3(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let (mut m, image) = Modules::new(file, [299, 299], preprocessing.unwrap_or(PREPROCESSING))?;
    let x = valid(&mut m, "Conv2d_1a_3x3", image, 2)?;
    let x = valid(&mut m, "Conv2d_2a_3x3", x, 1)?;
    let x = convolution(&mut m, "Conv2d_2b_3x3", x)?;
    let x = m.graph.add("maxpool1", Op::MaxPool(Window::new(3, 2)), &[x])?;
    m.alias("Pool1", x);
    let x = convolution(&mut m, "Conv2d_3b_1x1", x)?;
    let x = valid(&mut m, "Conv2d_4a_3x3", x, 1)?;
    let mut x = m.graph.add("maxpool2", Op::MaxPool(Window::new(3, 2)), &[x])?;
    m.alias("Pool2", x);
    for (module, branches) in MODULES {
        x = v3_module(&mut m, module, branches, x)?;
    }
    let logits = m.classify("avgpool", "fc", x)?;
    m.graph.alias("global_pool", "avgpool");
    m.finish(logits)
}

/// A branch of an Inception v3 module: convolutions one behind the other.
enum Branch {
    /// All of them keep the map's size.
    Same(&'static [&'static str]),
    /// The last one halves it.
    Halving(&'static [&'static str], &'static str),
    /// Behind the last one, two are side by side.
    Split(&'static [&'static str], [&'static str; 2]),
    /// A mean over neighbors comes first.
    Mean(&'static str),
    /// The largest neighbor, on a map half as large.
    Max,
}

use Branch::{Halving, Max, Mean, Same, Split};

const A: &[Branch] = &[
    Same(&["branch1x1"]),
    Same(&["branch5x5_1", "branch5x5_2"]),
    Same(&["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]),
    Mean("branch_pool"),
];
const B: &[Branch] =
    &[Halving(&[], "branch3x3"), Halving(&["branch3x3dbl_1", "branch3x3dbl_2"], "branch3x3dbl_3"), Max];
const C: &[Branch] = &[
    Same(&["branch1x1"]),
    Same(&["branch7x7_1", "branch7x7_2", "branch7x7_3"]),
    Same(&["branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"]),
    Mean("branch_pool"),
];
const D: &[Branch] = &[
    Halving(&["branch3x3_1"], "branch3x3_2"),
    Halving(&["branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3"], "branch7x7x3_4"),
    Max,
];
const E: &[Branch] = &[
    Same(&["branch1x1"]),
    Split(&["branch3x3_1"], ["branch3x3_2a", "branch3x3_2b"]),
    Split(&["branch3x3dbl_1", "branch3x3dbl_2"], ["branch3x3dbl_3a", "branch3x3dbl_3b"]),
    Mean("branch_pool"),
];

const MODULES: [(&str, &[Branch]); 11] = [
    ("Mixed_5b", A),
    ("Mixed_5c", A),
    ("Mixed_5d", A),
    ("Mixed_6a", B),
    ("Mixed_6b", C),
    ("Mixed_6c", C),
    ("Mixed_6d", C),
    ("Mixed_6e", C),
    ("Mixed_7a", D),
    ("Mixed_7b", E),
    ("Mixed_7c", E),
];

fn v3_module(m: &mut Modules, module: &str, branches: &[Branch], x: NodeId) -> Result<NodeId, Error> {
    let name = |part: &str| format!("{module}.{part}");
    let chain = |m: &mut Modules, parts: &[&str]| parts.iter().try_fold(x, |x, part| convolution(m, &name(part), x));
    let mut answers = Vec::new();
    for branch in branches {
        match *branch {
            Same(parts) => answers.push(chain(m, parts)?),
            Halving(parts, last) => {
                let x = chain(m, parts)?;
                answers.push(valid(m, &name(last), x, 2)?);
            }
            Split(parts, ends) => {
                let x = chain(m, parts)?;
                for end in ends {
                    answers.push(convolution(m, &name(end), x)?);
                }
            }
            Mean(part) => {
                let window = Window::new(3, 1).padded(Padding::all(1));
                let mean = Op::AveragePool { window, count_padding: true };
                let x = m.graph.add(&name("avg_pool2d"), mean, &[x])?;
                answers.push(convolution(m, &name(part), x)?);
            }
            Max => answers.push(m.graph.add(&name("max_pool2d"), Op::MaxPool(Window::new(3, 2)), &[x])?),
        }
    }
    concat(m, module, &answers)
}

fn concat(m: &mut Modules, module: &str, branches: &[NodeId]) -> Result<NodeId, Error> {
    let x = m.graph.add(module, Op::Concat, branches)?;
    m.alias(&format!("{module}.cat"), x);
    Ok(x)
}

/// A convolution, its batch norm and its ReLU, on a map padded to keep its size.
fn convolution(m: &mut Modules, module: &str, x: NodeId) -> Result<NodeId, Error> {
    let x = m.centered(&format!("{module}.conv"), x, 1)?;
    norm_relu(m, module, x)
}

/// As [`convolution`], moving by `stride` on a map without padding.
fn valid(m: &mut Modules, module: &str, x: NodeId, stride: usize) -> Result<NodeId, Error> {
    let x = m.convolution(&format!("{module}.conv"), x, Moves::valid(stride))?;
    norm_relu(m, module, x)
}

/// timm calls `bn` what comes out of the ReLU; here that is `bn.act`.
fn norm_relu(m: &mut Modules, module: &str, x: NodeId) -> Result<NodeId, Error> {
    let x = m.batch_norm(&format!("{module}.bn"), x, 1e-3)?;
    let x = m.relu(module, x)?;
    m.alias(&format!("{module}.relu"), x);
    m.alias(&format!("{module}.bn.act"), x);
    Ok(x)
}
