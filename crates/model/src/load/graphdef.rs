//! Frozen TensorFlow graphs (`.pb` files), as in Lucid's model zoo.
//!
//! `file.rs` reads the nodes of a file, `input.rs` finds the one that stands for the image, `import.rs` goes through those
//! between it and the outputs, and `translate.rs` says what each operation is.

mod attributes;
mod file;
mod import;
mod input;
mod message;
mod metadata;
mod order;
mod tensor;
mod translate;

use std::{fs::File, path::Path};

pub use metadata::{Level, Metadata, MetadataLayer};

use super::Imported;
pub use super::Options;
use crate::{Error, graph::UnsupportedOperation};

/// The model in a frozen TensorFlow graph.
///
/// Its layers have TensorFlow's names. Operations that no graph here can express make what depends on them unavailable;
/// [`Graph::unsupported`](crate::graph::Graph::unsupported) lists them.
///
/// # Errors
/// [`Error::Unreadable`] if the file cannot be read, is no frozen graph, or has no one node that is fed images;
/// [`Error::UnsupportedModel`] if none of its layers can be computed.
pub fn open(path: &Path, options: &Options) -> Result<Imported, Error> {
    let unreadable = |reason: String| Fault::Unreadable(reason).of(path);
    if let Some(reason) = file::not_a_file(path) {
        return Err(unreadable(reason));
    }
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (length, file) = opened.map_err(|error| unreadable(error.kind().to_string()))?;
    let contents = file::read(file, length).map_err(unreadable)?;
    import::import(contents, options).map_err(|fault| fault.of(path))
}

/// Reads a file that is in memory, `name` standing for its path in messages.
///
/// # Errors
/// As [`open`].
pub fn from_bytes(name: &str, bytes: &[u8], options: &Options) -> Result<Imported, Error> {
    let contents = file::read(bytes, bytes.len() as u64).map_err(Fault::Unreadable);
    let imported = contents.and_then(|contents| import::import(contents, options));
    imported.map_err(|fault| fault.of(Path::new(name)))
}

/// What is wrong with a whole file.
#[derive(Debug)]
enum Fault {
    /// It is no graph that can be read.
    Unreadable(String),
    /// None of its layers can be computed, for want of these operations.
    Unsupported(Vec<UnsupportedOperation>),
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self::Unreadable(reason)
    }
}

impl Fault {
    fn of(self, path: &Path) -> Error {
        let path = path.to_owned();
        match self {
            Self::Unreadable(reason) => Error::Unreadable { path, reason },
            Self::Unsupported(operations) => Error::UnsupportedModel { path, operations },
        }
    }
}

#[cfg(test)]
mod fixtures;

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::{
        message::{Attr, AttrList, AttrValue, DataType, Dim, NodeDef, Tensor, TensorShape},
        *,
    };
    use crate::graph::{Op, Shape};

    fn node<const N: usize>(name: &str, op: &str, inputs: &[&str], attributes: [(&str, Attr); N]) -> NodeDef {
        let value = |(name, value): (&str, Attr)| (name.to_owned(), AttrValue { value: Some(value) });
        NodeDef {
            name: name.to_owned(),
            op: op.to_owned(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            attr: attributes.into_iter().map(value).collect(),
        }
    }

    fn shape(sizes: &[i64]) -> TensorShape {
        TensorShape { dim: sizes.iter().map(|&size| Dim { size }).collect(), unknown_rank: false }
    }

    fn image(sizes: &[i64]) -> NodeDef {
        node("x", "Placeholder", &[], [("dtype", Attr::Type(1)), ("shape", Attr::Shape(shape(sizes)))])
    }

    fn floats(name: &str, sizes: &[i64], floats: &[f32]) -> NodeDef {
        let (dtype, shape) = (DataType::Float.into(), Some(shape(sizes)));
        let tensor = Tensor { dtype, shape, floats: floats.to_vec(), ..Tensor::default() };
        node(name, "Const", &[], [("value", Attr::Tensor(Box::new(tensor)))])
    }

    fn integers(name: &str, sizes: &[i64], longs: &[i64]) -> NodeDef {
        let (dtype, shape) = (DataType::Int64.into(), Some(shape(sizes)));
        let tensor = Tensor { dtype, shape, longs: longs.to_vec(), ..Tensor::default() };
        node(name, "Const", &[], [("value", Attr::Tensor(Box::new(tensor)))])
    }

    fn list(integers: &[i64]) -> Attr {
        Attr::List(AttrList { integers: integers.to_vec() })
    }

    fn text(text: &'static str) -> Attr {
        Attr::String(text.as_bytes().into())
    }

    fn bytes(nodes: &[NodeDef]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for node in nodes {
            bytes.push(0x0a);
            bytes.extend(node.encode_length_delimited_to_vec());
        }
        bytes
    }

    fn load(nodes: &[NodeDef]) -> Result<Imported, String> {
        let bytes = bytes(nodes);
        crate::load::keep_as_seed("graphdef", &bytes);
        read(&bytes)
    }

    fn read(bytes: &[u8]) -> Result<Imported, String> {
        from_bytes("graph.pb", bytes, &Options::default()).map_err(|error| error.to_string())
    }

    /// Of the only kind of operation that is missing: how many there are, and why.
    fn missing(imported: &Imported) -> String {
        let [operation] = &imported.graph.unsupported().operations()[..] else { panic!("one kind") };
        operation.to_string()
    }

    #[test]
    fn nodes_may_come_in_any_order() {
        let nodes = [
            node("b", "Relu", &["a"], []),
            node("a", "Conv2D", &["x", "w", "^c"], [("strides", list(&[1, 2, 2, 1])), ("padding", text("SAME"))]),
            node("c", "NoOp", &[], []),
            floats("w", &[3, 3, 3, 4], &[0.5]),
            image(&[-1, 9, 8, 3]),
        ];
        let imported = load(&nodes).unwrap();
        let names: Vec<&str> = imported.graph.nodes().iter().map(|node| &*node.name).collect();
        assert_eq!(names, ["input", "a", "b"]);
        assert_eq!(imported.graph.nodes()[2].shape, Shape::Map { c: 4, h: 5, w: 4 });
        assert_eq!((&*imported.input, &*imported.outputs), ("x", &["b".to_owned()][..]));
        let pre_relu = imported.graph.find("b_pre_relu").unwrap();
        assert_eq!(imported.graph.nodes()[pre_relu].name, "a");
    }

    #[test]
    fn channels_may_come_first() {
        let strides = || list(&[1, 1, 2, 1]);
        let nodes = [
            node("x", "Placeholder", &[], [("shape", Attr::Shape(shape(&[-1, 3, 9, 8])))]),
            floats("w", &[3, 1, 3, 4], &[0.5]),
            node(
                "a",
                "Conv2D",
                &["x", "w"],
                [("strides", strides()), ("padding", text("VALID")), ("data_format", text("NCHW"))],
            ),
            floats("b", &[4], &[1.0]),
            node("c", "BiasAdd", &["a", "b"], [("data_format", text("NCHW"))]),
        ];
        let imported = load(&nodes).unwrap();
        let c = &imported.graph.nodes()[imported.graph.find("c").unwrap()];
        assert_eq!(c.shape, Shape::Map { c: 4, h: 4, w: 8 });
        assert!(matches!(&c.op, Op::Convolution(convolution) if convolution.bias.is_some()));
    }

    #[test]
    fn branches_are_taken_as_constants_say() {
        let switched = |training: i64| {
            let nodes = [
                image(&[-1, 8, 8, 3]),
                integers("flag", &[], &[training]),
                node("either", "Switch", &["x", "flag"], []),
                node("no", "Relu", &["either"], []),
                node("yes", "Relu6", &["either:1"], []),
                node("merged", "Merge", &["no", "yes"], []),
                node("y", "Tanh", &["merged"], []),
            ];
            let graph = load(&nodes).unwrap().graph;
            graph.nodes().iter().map(|node| node.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(switched(0), ["input", "no", "y"]);
        assert_eq!(switched(1), ["input", "yes", "y"]);
    }

    #[test]
    fn a_network_is_not_in_training() {
        let nodes = [
            image(&[-1, 8, 8, 3]),
            node("model/is_training", "Placeholder", &[], [("dtype", Attr::Type(10))]),
            node("either", "Switch", &["x", "model/is_training"], []),
            node("no", "Relu", &["either"], []),
            node("keep_prob", "Placeholder", &[], []),
            node("shape", "Shape", &["no"], []),
            node("random", "RandomUniform", &["shape"], []),
            node("sum", "Add", &["keep_prob", "random"], []),
            node("kept", "Floor", &["sum"], []),
            node("scaled", "RealDiv", &["no", "keep_prob"], []),
            node("dropout", "Mul", &["scaled", "kept"], []),
        ];
        let imported = load(&nodes).unwrap();
        assert_eq!(imported.input, "x");
        assert_eq!(imported.graph.nodes().len(), 2, "the image and a ReLU");
        assert_eq!(imported.graph.find("dropout").unwrap(), imported.graph.find("no").unwrap());
        assert!(imported.graph.unsupported().is_empty());
    }

    #[test]
    fn what_depends_on_chance_is_missing() {
        let nodes = [
            image(&[-1, 8, 8, 3]),
            node("good", "Relu", &["x"], []),
            node("shape", "Shape", &["good"], []),
            node("random", "RandomUniform", &["shape"], []),
            node("noisy", "Add", &["good", "random"], []),
            node("behind", "Relu", &["noisy"], []),
        ];
        let imported = load(&nodes).unwrap();
        assert_eq!(missing(&imported), "Add (it depends on chance)");
        assert_eq!(imported.outputs, ["good"]);
        let unsupported = imported.graph.unsupported();
        assert!(unsupported.contains("noisy") && unsupported.contains("behind") && !unsupported.contains("good"));
    }

    #[test]
    fn loops_are_missing_and_what_is_before_them_is_there() {
        let nodes = [
            image(&[-1, 8, 8, 3]),
            node("good", "Relu", &["x"], []),
            node("merge", "Merge", &["good", "next"], []),
            node("body", "Relu", &["merge"], []),
            node("next", "NextIteration", &["body"], []),
            node("y", "Relu", &["body"], []),
        ];
        let imported = load(&nodes).unwrap();
        assert_eq!(missing(&imported), "Merge (it is part of a loop)");
        assert!(imported.graph.find("good").is_ok());
        assert!(imported.graph.unsupported().contains("y"));
    }

    #[test]
    fn what_is_not_whole_or_not_one_is_refused() {
        let x = || image(&[-1, 8, 8, 3]);
        let refused = |nodes: &[NodeDef]| load(nodes).unwrap_err();
        assert_eq!(
            refused(&[x(), node("y", "Relu", &["z"], [])]),
            "cannot read graph.pb: its graph is not whole: `y` reads `z`, which is not there"
        );
        assert_eq!(refused(&[x(), x()]), "cannot read graph.pb: two nodes of its graph are called `x`");
        let second = node("z", "Placeholder", &[], [("shape", Attr::Shape(shape(&[-1, 8, 8, 3])))]);
        assert!(refused(&[x(), second]).contains("images could be fed to `x`, `z`;"));
        assert!(refused(&[floats("w", &[], &[1.0])]).contains("it has no placeholder"));
        let variable = [x(), node("w", "VariableV2", &[], []), node("y", "BiasAdd", &["x", "w"], [])];
        assert!(refused(&variable).contains("freeze it first"), "{}", refused(&variable));
    }

    #[test]
    fn other_files_are_told_apart() {
        let told = |bytes: &[u8]| read(bytes).unwrap_err();
        assert!(told(b"").ends_with("it is empty"));
        assert!(told(b"\x08\x01\x12\x80\x10").contains("it is a SavedModel"));
        assert!(told(b"node {\n  name: \"x\"\n").contains("as text"));
        assert!(told(b"PK\x03\x04").contains("unpack it"));
        assert!(told(b"\x1f\x8b\x08").contains("unpack it"));
        assert!(told(b"<html>").contains("it is no TensorFlow graph"));
        assert!(told(b"\x0a\xff\xff\xff\xff\x0f").contains("ends too soon"), "4 GiB are claimed");
        assert!(told(b"\x08\x07\x12\x07pytorch").contains("it is no TensorFlow graph"), "ONNX");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(open(folder, &Options::default()).unwrap_err().to_string().ends_with("it is a folder"));
    }

    #[test]
    fn nothing_unfolds_to_what_a_file_cannot_hold() {
        let long = 1i64 << 30;
        let claims = [
            vec![floats("w", &[1, 1, 3, long], &[1.0]), node("y", "Conv2D", &["x", "w"], [("padding", text("VALID"))])],
            vec![
                integers("w", &[4], &[1, 1, 3, long]),
                floats("v", &[], &[1.0]),
                node("f", "Fill", &["w", "v"], []),
                node("y", "Conv2D", &["x", "f"], [("padding", text("VALID"))]),
            ],
            vec![
                integers("w", &[], &[0]),
                integers("n", &[], &[1 << 40]),
                integers("s", &[], &[1]),
                node("r", "Range", &["w", "n", "s"], []),
                node("y", "Add", &["x", "r"], []),
            ],
            vec![integers("w", &[4, 2], &[0, 0, 1 << 40, 1 << 40, 0, 0, 0, 0]), node("y", "Pad", &["x", "w"], [])],
            vec![integers("w", &[4], &[1, 1 << 12, 1 << 12, 1 << 12]), node("y", "Tile", &["x", "w"], [])],
            vec![integers("w", &[2], &[long, long]), node("y", "ResizeBilinear", &["x", "w"], [])],
            vec![integers("w", &[4], &[-1, i64::MIN, i64::MAX, 3]), node("y", "Reshape", &["x", "w"], [])],
            vec![
                integers("w", &[1], &[i64::MIN]),
                integers("e", &[1], &[i64::MAX]),
                node("y", "StridedSlice", &["x", "w", "e", "w"], []),
            ],
            vec![node(
                "y",
                "MaxPool",
                &["x"],
                [
                    ("ksize", list(&[1, long, long, 1])),
                    ("strides", list(&[1, i64::MAX, i64::MIN, 1])),
                    ("padding", text("SAME")),
                ],
            )],
            vec![node("y", "LRN", &["x"], [("depth_radius", Attr::Integer(i64::MAX))])],
            vec![floats("w", &[long, long, long], &[1.0]), node("y", "Mul", &["x", "w"], [])],
            vec![
                integers("w", &[2], &[long, long]),
                integers("p", &[2, 2], &[0]),
                node("s", "SpaceToBatchND", &["x", "w", "p"], []),
                node("y", "BatchToSpaceND", &["s", "w", "p"], []),
            ],
        ];
        for claim in claims {
            let nodes: Vec<NodeDef> =
                [image(&[-1, 8, 8, 3]), node("good", "Relu", &["x"], [])].into_iter().chain(claim).collect();
            let imported = load(&nodes).unwrap();
            assert!(imported.graph.unsupported().contains("y"), "{:?}", nodes.last().unwrap());
        }
        assert!(load(&[image(&[-1, long, long, 3]), node("y", "Relu", &["x"], [])]).is_err());
    }

    #[test]
    fn damaged_files_are_refused_or_read() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tensorflow");
        let whole = std::fs::read(fixtures.join("lucid_metadata.pb")).unwrap();
        for length in 0..whole.len() {
            let _ = read(&whole[..length]);
        }
        let mut state = 1u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for name in ["lucid_metadata", "pointwise", "preprocessing", "rarer", "dilated", "clip_resnet"] {
            let whole = std::fs::read(fixtures.join(format!("{name}.pb"))).unwrap();
            for _ in 0..100 {
                let mut damaged = whole.clone();
                for _ in 0..=random(3) {
                    damaged[random(whole.len())] = random(256) as u8;
                }
                let _ = read(&damaged);
            }
        }
    }
}
