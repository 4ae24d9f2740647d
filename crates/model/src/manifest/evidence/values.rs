//! Which values a network takes colors in, by what its file lets one see.

use super::Evidence;
use crate::{
    Preprocessing,
    graph::{Graph, NodeId, Op},
    load::Kind,
};

/// Minus one mean for all colors, as TensorFlow's InceptionV1 and slim's ResNets take it. Lucid's model zoo.
const MINUS_117: Preprocessing = Preprocessing::range(-117.0, 255.0 - 117.0);

/// The size of AlexNet's images, which Lucid's has from Caffe.
const ALEXNET: [usize; 2] = [227, 227];

/// Bytes as they are.
const BYTES: Preprocessing = Preprocessing::range(0.0, 255.0);

/// A part of a name, what it tells, and why.
type Clue = (&'static str, Preprocessing, &'static str);

/// Names of layers that only one family of networks has, and how it takes colors, as in Lucid's model zoo (slim, Caffe) and in
/// `keras.applications`. The first that fits counts.
const FAMILIES: [Clue; 19] = [
    ("resnet_v1_", MINUS_117, "its layers are called as slim's ResNetV1's"),
    ("vgg_1", MINUS_117, "its layers are called as slim's VGG's"),
    ("mixed4a_3x3_bottleneck", MINUS_117, "its layers are called as TensorFlow's InceptionV1's"),
    ("resnet_v2_", Preprocessing::MINUS_ONE_TO_ONE, "its layers are called as slim's ResNetV2's"),
    ("InceptionV", Preprocessing::MINUS_ONE_TO_ONE, "its layers are called as slim's Inceptions'"),
    ("InceptionResnetV2", Preprocessing::MINUS_ONE_TO_ONE, "its layers are called as slim's Inceptions'"),
    ("MobilenetV", Preprocessing::MINUS_ONE_TO_ONE, "its layers are called as slim's MobileNets'"),
    ("cell_stem_0", Preprocessing::MINUS_ONE_TO_ONE, "its layers are called as slim's NASNets'"),
    ("inception_3a", Preprocessing::CAFFE, "its layers are called as Caffe's GoogLeNet's"),
    ("conv1_1/conv1_1", Preprocessing::CAFFE, "its layers are called as Caffe's VGG's"),
    ("conv1/conv1", Preprocessing::CAFFE, "its layers are called as Caffe's"),
    ("fc6/fc6", Preprocessing::CAFFE, "its layers are called as Caffe's"),
    ("block1_conv1", Preprocessing::CAFFE, "its layers are called as Keras' VGG's"),
    ("conv2_block1_preact", Preprocessing::MINUS_ONE_TO_ONE, "its layers are called as Keras' ResNetV2's"),
    ("conv2_block1_0_conv", Preprocessing::CAFFE, "its layers are called as Keras' ResNets'"),
    ("conv2_block1_concat", Preprocessing::IMAGENET, "its layers are called as Keras' DenseNets'"),
    ("Conv1_relu", Preprocessing::MINUS_ONE_TO_ONE, "its layers are called as Keras' MobileNetV2's"),
    ("conv_dw_1", Preprocessing::MINUS_ONE_TO_ONE, "its layers are called as Keras' MobileNet's"),
    ("block1a_dwconv", BYTES, "its layers are called as Keras' EfficientNets', which have their own normalization"),
];

/// The same of networks that PyTorch writes, whose names say less.
const MODULES: [Clue; 4] = [
    ("visual_projection", Preprocessing::CLIP, "its layers are called as CLIP's"),
    ("vision_model", Preprocessing::CLIP, "its layers are called as CLIP's"),
    ("visual/transformer", Preprocessing::CLIP, "its layers are called as CLIP's"),
    ("blocks.0/attn", Preprocessing::MINUS_ONE_TO_ONE, "its layers are called as timm's transformers'"),
];

/// Who wrote an ONNX file, and how networks from there usually take colors.
const WRITERS: [Clue; 5] = [
    ("mxnet", Preprocessing::IMAGENET, "MXNet wrote the file"),
    ("caffe", Preprocessing::CAFFE, "the file came from Caffe"),
    ("keras", Preprocessing::MINUS_ONE_TO_ONE, "the file came from Keras"),
    ("tf2onnx", Preprocessing::MINUS_ONE_TO_ONE, "the file came from TensorFlow"),
    ("tensorflow", Preprocessing::MINUS_ONE_TO_ONE, "the file came from TensorFlow"),
];

/// How images are probably prepared, and why.
pub(super) fn guess(evidence: &Evidence<'_>) -> (Preprocessing, String) {
    let graph = evidence.graph;
    if let Some(own) = own_normalization(graph) {
        return own;
    }
    if graph.channels() != 3 {
        return (Preprocessing::range(0.0, 1.0), format!("its images have {} channels", graph.channels()));
    }
    let about: String = evidence.about.iter().map(|(_, value)| value.to_lowercase() + "\n").collect();
    let by_name = |clues: &[Clue]| {
        clues.iter().copied().find(|(part, ..)| graph.nodes().iter().any(|node| node.name.contains(part)))
    };
    let by_writer = || WRITERS.into_iter().find(|(name, ..)| about.contains(name));
    let (_, preprocessing, reason) = match evidence.kind {
        _ if about.contains("pytorch") => {
            by_name(&MODULES).unwrap_or(("", Preprocessing::IMAGENET, "PyTorch wrote the file"))
        }
        Kind::Graphdef if graph.size() == ALEXNET => ("", Preprocessing::CAFFE, "its images are as large as AlexNet's"),
        Kind::Graphdef => by_name(&FAMILIES).unwrap_or((
            "",
            Preprocessing::MINUS_ONE_TO_ONE,
            "most of TensorFlow's networks take that",
        )),
        _ => by_name(&FAMILIES).or_else(by_writer).unwrap_or(("", Preprocessing::IMAGENET, "most networks take that")),
    };
    (preprocessing, reason.into())
}

/// What a file takes that starts with a normalization of its own: colors in `0..=1` or bytes.
fn own_normalization(graph: &Graph) -> Option<(Preprocessing, String)> {
    let (mut image, mut mean, mut std): (NodeId, f32, f32) = (0, 0.0, 1.0);
    loop {
        let mut readers = graph.nodes().iter().enumerate().filter(|(_, node)| node.inputs.contains(&image));
        let (id, node) = readers.next()?;
        let Op::Affine { scale, shift } = &node.op else { break };
        if readers.next().is_some() {
            break;
        }
        // Of what comes before: (x - mean) / std, then times scale, plus shift.
        let (scale, shift) = (average(scale.values()), average(shift.values()));
        (mean, std) = (mean - shift * std / scale, std / scale);
        image = id;
    }
    let unit = Preprocessing::range(0.0, 1.0);
    match (mean, std) {
        _ if image == 0 => None,
        // Bytes become less than a few, or lose a mean that is a byte's.
        _ if (30.0..=300.0).contains(&std) => Some((BYTES, "the file starts with a normalization of bytes".into())),
        _ if (80.0..=160.0).contains(&mean) => Some((BYTES, "the file starts with subtracting a mean of bytes".into())),
        _ if (0.1..=0.6).contains(&std) && (0.2..=0.7).contains(&mean) => {
            Some((unit, "the file starts with a normalization of colors in 0..1".into()))
        }
        _ if (0.003..=0.005).contains(&std) => {
            Some((unit, "the file starts with making bytes of colors in 0..1".into()))
        }
        // A batch norm of the image, behind some other normalization.
        _ => None,
    }
}

fn average(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

/// What a preprocessing is called by people.
pub(super) fn called(preprocessing: &Preprocessing) -> String {
    match *preprocessing {
        Preprocessing::IMAGENET => "ImageNet's mean and deviation".into(),
        Preprocessing::CLIP => "CLIP's mean and deviation".into(),
        Preprocessing::CAFFE => "Caffe's mean, blue first".into(),
        Preprocessing { mean, std, .. } => match super::Values::from(*preprocessing) {
            super::Values::Range([low, high]) => format!("{low} to {high}"),
            super::Values::Normalized { .. } => format!("mean {mean:?}, deviation {std:?}"),
        },
    }
}
