//! Small files, made by hand.

use std::fs;

use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint},
};

use super::{
    message::{Attribute, Dimension, Entry, Node, OperatorSet, Tensor, TensorShape, TensorType, Type, ValueInfo},
    *,
};
use crate::graph::{Function as Pointwise, Graph, Op, Shape, evaluate::evaluate};

/// A file to be.
#[derive(Clone)]
struct Draft {
    opset: i64,
    input: Vec<i64>,
    nodes: Vec<Node>,
    tensors: Vec<Tensor>,
    functions: Vec<Vec<u8>>,
    outputs: Vec<String>,
}

fn part(file: &mut Vec<u8>, tag: u32, bytes: &[u8]) {
    encode_key(tag, WireType::LengthDelimited, file);
    encode_varint(bytes.len() as u64, file);
    file.extend_from_slice(bytes);
}

fn info(name: &str, dims: &[i64]) -> ValueInfo {
    let dim = dims.iter().map(|&dim_value| Dimension { dim_value, dim_param: String::new() }).collect();
    let tensor_type = Some(TensorType { elem_type: 1, shape: Some(TensorShape { dim }) });
    ValueInfo { name: name.into(), r#type: Some(Type { tensor_type }) }
}

impl Draft {
    fn new(input: [i64; 4]) -> Self {
        let (nodes, tensors, functions) = (vec![], vec![], vec![]);
        Self { opset: 17, input: input.to_vec(), nodes, tensors, functions, outputs: vec![] }
    }

    /// A node that is called as its output is.
    fn node(&mut self, kind: &str, inputs: &[&str], output: &str, attributes: &[Attribute]) -> &mut Self {
        self.nodes.push(node(kind, inputs, &[output], attributes));
        self.outputs = vec![output.to_owned()];
        self
    }

    fn floats(&mut self, name: &str, dims: &[i64], values: impl IntoIterator<Item = f32>) -> &mut Self {
        let raw: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
        assert_eq!(raw.len() as i64, 4 * dims.iter().product::<i64>(), "{name}");
        let tensor =
            Tensor { dims: dims.to_vec(), data_type: 1, name: name.into(), raw_data: raw.into(), ..Tensor::default() };
        self.tensors.push(tensor);
        self
    }

    /// Some numbers, none like another.
    fn weights(&mut self, name: &str, dims: &[i64]) -> &mut Self {
        let count = dims.iter().product::<i64>();
        let values: Vec<f32> = (0..count).map(|i| ((i * 37 + 11) % 101) as f32 / 101.0 - 0.45).collect();
        self.floats(name, dims, values)
    }

    fn integers(&mut self, name: &str, dims: &[i64], values: &[i64]) -> &mut Self {
        let tensor = Tensor {
            dims: dims.to_vec(),
            data_type: 7,
            name: name.into(),
            int64_data: values.to_vec(),
            ..Tensor::default()
        };
        self.tensors.push(tensor);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut graph = Vec::new();
        for node in &self.nodes {
            part(&mut graph, 1, &node.encode_to_vec());
        }
        for tensor in &self.tensors {
            part(&mut graph, 5, &tensor.encode_to_vec());
        }
        part(&mut graph, 11, &info("image", &self.input).encode_to_vec());
        for output in &self.outputs {
            part(&mut graph, 12, &info(output, &[]).encode_to_vec());
        }
        let mut file = vec![0x08, 8];
        part(&mut file, 2, b"by hand");
        part(&mut file, 7, &graph);
        for domain in ["", "ours"] {
            let opset = OperatorSet { domain: domain.into(), version: self.opset };
            part(&mut file, 8, &opset.encode_to_vec());
        }
        for function in &self.functions {
            part(&mut file, 25, function);
        }
        file
    }

    fn open(&self) -> Result<Imported, Error> {
        from_bytes("draft.onnx", &self.bytes(), &Options::default())
    }

    fn graph(&self) -> Graph {
        let graph = self.open().unwrap().graph;
        assert!(graph.unsupported().is_empty(), "{:#?}", graph.unsupported().operations());
        graph
    }
}

fn node(kind: &str, inputs: &[&str], outputs: &[&str], attributes: &[Attribute]) -> Node {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Node {
        input: names(inputs),
        output: names(outputs),
        op_type: kind.into(),
        attribute: attributes.to_vec(),
        ..Node::default()
    }
}

fn ints(name: &str, ints: &[i64]) -> Attribute {
    Attribute { name: name.into(), ints: ints.to_vec(), ..Attribute::default() }
}

fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: name.into(), i, ..Attribute::default() }
}

fn layer<'a>(graph: &'a Graph, name: &str) -> &'a crate::graph::Node {
    &graph.nodes()[graph.find(name).unwrap()]
}

fn kinds(graph: &Graph) -> Vec<String> {
    graph.nodes().iter().map(|node| node.op.kind()).collect()
}

/// What the layer `name` computes of an image of small numbers.
fn compute(graph: &Graph, name: &str) -> Vec<f32> {
    let [h, w] = graph.size();
    let image: Vec<f32> = (0..graph.channels() * h * w).map(|i| ((i * 31 + 7) % 97) as f32 / 97.0).collect();
    evaluate(graph, &image).swap_remove(graph.find(name).unwrap())
}

fn assert_close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < 1e-4, "{a} is not {b}");
    }
}

/// Convolution, batch norm, ReLU, pool, and a classifier.
fn classifier() -> Draft {
    let mut draft = Draft::new([1, 3, 16, 16]);
    draft.weights("kernel", &[4, 3, 3, 3]).weights("bias", &[4]);
    for name in ["gamma", "beta", "mean"] {
        draft.weights(name, &[4]);
    }
    draft.floats("variance", &[4], [1.0, 2.0, 3.0, 4.0]).weights("fc", &[10, 4]).weights("fc.bias", &[10]);
    draft.node("Conv", &["image", "kernel", "bias"], "conv", &[ints("pads", &[1, 1, 1, 1]), ints("strides", &[2, 2])]);
    draft.node("BatchNormalization", &["conv", "gamma", "beta", "mean", "variance"], "norm", &[]);
    draft.node("Relu", &["norm"], "relu", &[]);
    draft.node("MaxPool", &["relu"], "pool", &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]);
    draft.node("GlobalAveragePool", &["pool"], "mean_of_all", &[]);
    draft.node("Flatten", &["mean_of_all"], "flat", &[]);
    draft.node("Gemm", &["flat", "fc", "fc.bias"], "scores", &[int("transB", 1)]);
    draft.node("Softmax", &["scores"], "chances", &[int("axis", 1)]);
    draft
}

#[test]
fn a_classifier_takes_any_image_and_answers_to_all_names() {
    let mut draft = classifier();
    draft.nodes[0].name = "/features/Conv".into();
    let imported = draft.open().unwrap();
    let graph = &imported.graph;
    assert_eq!((imported.input.as_str(), &imported.outputs[..]), ("image", &["chances".to_owned()][..]));
    assert_eq!((imported.probabilities.as_deref(), imported.logits.as_deref()), (Some("chances"), Some("scores")));
    assert_eq!(layer(graph, "/features/Conv").name, "/features/Conv");
    assert_eq!(graph.find("conv").unwrap(), graph.find("/features/Conv").unwrap());
    assert_eq!(graph.find("relu_pre_relu").unwrap(), graph.find("norm").unwrap());
    assert_eq!(graph.find("flat").unwrap(), graph.find("mean_of_all").unwrap());
    assert!(matches!(&layer(graph, "norm").op, Op::Convolution(c) if c.scale.is_some()), "it is folded");
    let chances = graph.find("chances").unwrap();
    assert_eq!(graph.shape_at(chances, [40, 56]).unwrap(), Shape::Vector { c: 10 });
    assert_eq!(graph.shape_at(graph.find("pool").unwrap(), [40, 56]).unwrap(), Shape::Map { c: 4, h: 10, w: 14 });
}

#[test]
fn a_shuffle_is_a_selection_of_channels() {
    let mut draft = Draft::new([1, 6, 2, 2]);
    draft.integers("groups", &[5], &[1, 2, 3, 2, 2]).integers("back", &[4], &[1, -1, 2, 2]);
    draft.node("Reshape", &["image", "groups"], "grouped", &[]);
    draft.node("Transpose", &["grouped"], "turned", &[ints("perm", &[0, 2, 1, 3, 4])]);
    draft.node("Reshape", &["turned", "back"], "shuffled", &[]);
    draft.node("Relu", &["shuffled"], "unused", &[]);
    draft.node("MaxPool", &["shuffled"], "pool", &[ints("kernel_shape", &[2, 2])]);
    let graph = draft.graph();
    let select = &graph.nodes()[layer(&graph, "pool").inputs[0]].op;
    assert!(matches!(select, Op::Select(channels) if channels[..] == [0, 3, 1, 4, 2, 5]), "{select:?}");
    assert!(graph.find("grouped").is_ok() && graph.find("shuffled").is_err(), "another order is another layer");
}

#[test]
fn squeeze_and_excitation_scales_channels() {
    let mut draft = Draft::new([1, 4, 6, 6]);
    draft.weights("down", &[2, 4, 1, 1]).weights("up", &[4, 2, 1, 1]);
    draft.node("ReduceMean", &["image"], "squeezed", &[ints("axes", &[2, 3]), int("keepdims", 1)]);
    draft.node("Conv", &["squeezed", "down"], "reduced", &[]);
    draft.node("Relu", &["reduced"], "relu", &[]);
    draft.node("Conv", &["relu", "up"], "expanded", &[]);
    draft.node("Sigmoid", &["expanded"], "gate", &[]);
    draft.node("Mul", &["gate", "image"], "scaled", &[]);
    let graph = draft.graph();
    assert_eq!(kinds(&graph), ["image", "global mean", "linear", "relu", "linear", "sigmoid", "multiply"]);
    let scaled = graph.find("scaled").unwrap();
    assert_eq!(graph.shape_at(scaled, [9, 7]).unwrap(), Shape::Map { c: 4, h: 9, w: 7 });
}

/// A class token, positions, and one layer of attention with two heads of two channels.
fn attention(batch_first: bool) -> Draft {
    let mut draft = Draft::new([1, 3, 8, 8]);
    draft.weights("patches", &[4, 3, 4, 4]).weights("class", &[1, 1, 4]).weights("positions", &[1, 5, 4]);
    draft.weights("qkv", &[4, 12]).weights("qkv.bias", &[12]);
    draft.integers("tokens", &[3], &[1, 4, -1]).floats("root", &[], [2f32.sqrt()]);
    draft.node("Conv", &["image", "patches"], "patched", &[ints("strides", &[4, 4])]);
    draft.node("Reshape", &["patched", "tokens"], "row", &[]);
    draft.node("Transpose", &["row"], "column", &[ints("perm", &[0, 2, 1])]);
    draft.node("Concat", &["class", "column"], "all", &[int("axis", 1)]);
    draft.node("Add", &["all", "positions"], "placed", &[]);
    let (merged, back) = if batch_first { ([1, 5, 3, 2, 2], [1, 5, 4]) } else { ([5, 1, 3, 2, 2], [5, 1, 4]) };
    draft.integers("heads", &[5], &merged).integers("joined", &[3], &back);
    let x = if batch_first { "placed" } else { "turned" };
    if !batch_first {
        draft.node("Transpose", &["placed"], "turned", &[ints("perm", &[1, 0, 2])]);
    }
    draft.node("MatMul", &[x, "qkv"], "product", &[]);
    draft.node("Add", &["product", "qkv.bias"], "projected", &[]);
    draft.node("Reshape", &["projected", "heads"], "split", &[]);
    let order = if batch_first { [2, 0, 3, 1, 4] } else { [2, 1, 3, 0, 4] };
    draft.node("Transpose", &["split"], "parts", &[ints("perm", &order)]);
    for (i, name) in ["q", "k", "v"].into_iter().enumerate() {
        draft.integers(&format!("{name}.index"), &[], &[i as i64]);
        draft.node("Gather", &["parts", &format!("{name}.index")], name, &[int("axis", 0)]);
    }
    draft.node("Transpose", &["k"], "keys", &[ints("perm", &[0, 1, 3, 2])]);
    draft.node("MatMul", &["q", "keys"], "raw", &[]);
    draft.node("Div", &["raw", "root"], "scores", &[]);
    draft.node("Softmax", &["scores"], "attention", &[int("axis", -1)]);
    draft.node("MatMul", &["attention", "v"], "mixed", &[]);
    let order = if batch_first { [0, 2, 1, 3] } else { [2, 0, 1, 3] };
    draft.node("Transpose", &["mixed"], "beside", &[ints("perm", &order)]);
    draft.node("Reshape", &["beside", "joined"], "out", &[]);
    draft.node("Relu", &["out"], "end", &[]);
    draft
}

#[test]
fn attention_is_found_whichever_axis_the_batch_is() {
    let (first, second) = (attention(true).graph(), attention(false).graph());
    for graph in [&first, &second] {
        assert!(
            matches!(layer(graph, "scores").op, Op::Scores { heads: 2, scale } if (scale - 0.5f32.sqrt()).abs() < 1e-6)
        );
        assert_eq!(layer(graph, "attention").op.kind(), "attention");
        assert_eq!(layer(graph, "attention").shape, Shape::Map { c: 2, h: 5, w: 5 });
        assert_eq!(layer(graph, "mixed").shape, Shape::Map { c: 4, h: 5, w: 1 });
        assert_eq!(graph.find("out").unwrap(), graph.find("mixed").unwrap());
        let rows: f32 = compute(graph, "attention")[..5].iter().sum();
        assert!((rows - 1.0).abs() < 1e-5);
        // At another size positions are missing.
        let placed = graph.find("placed").unwrap();
        assert!(matches!(graph.shape_at(placed, [16, 16]), Err(Error::Shape { .. })));
    }
    assert_close(&compute(&first, "end"), &compute(&second, "end"));
}

#[test]
fn norms_and_smooth_activations_that_are_spelled_out_become_one() {
    let mut draft = Draft::new([1, 3, 4, 4]);
    draft.floats("two", &[], [2.0]).floats("epsilon", &[], [1e-3]).weights("gamma", &[3]).weights("beta", &[3]);
    draft.floats("root", &[], [2f32.sqrt()]).floats("one", &[], [1.0]).floats("half", &[], [0.5]);
    draft.node("Transpose", &["image"], "last", &[ints("perm", &[0, 2, 3, 1])]);
    draft.node("ReduceMean", &["last"], "mean", &[ints("axes", &[-1])]);
    draft.node("Sub", &["last", "mean"], "centered", &[]);
    draft.node("Pow", &["centered", "two"], "squares", &[]);
    draft.node("ReduceMean", &["squares"], "variance", &[ints("axes", &[-1])]);
    draft.node("Add", &["variance", "epsilon"], "more", &[]);
    draft.node("Sqrt", &["more"], "deviation", &[]);
    draft.node("Div", &["centered", "deviation"], "normal", &[]);
    draft.node("Mul", &["normal", "gamma"], "scaled", &[]);
    draft.node("Add", &["scaled", "beta"], "norm", &[]);
    draft.node("Div", &["norm", "root"], "less", &[]);
    draft.node("Erf", &["less"], "erf", &[]);
    draft.node("Add", &["erf", "one"], "plus", &[]);
    draft.node("Mul", &["norm", "plus"], "twice", &[]);
    draft.node("Mul", &["twice", "half"], "gelu", &[]);
    draft.node("Sigmoid", &["gelu"], "gate", &[]);
    draft.node("Mul", &["gelu", "gate"], "silu", &[]);
    let graph = draft.graph();
    let Op::LayerNorm { gamma, epsilon, .. } = &layer(&graph, "norm").op else {
        panic!("{}", layer(&graph, "norm").op.kind())
    };
    assert_eq!((gamma.shape(), *epsilon), (&[3][..], 1e-3));
    assert_eq!(layer(&graph, "norm").inputs, [graph.input_of("mean")]);
    assert!(matches!(layer(&graph, "gelu").op, Op::Pointwise(Pointwise::Gelu)));
    assert!(matches!(layer(&graph, "silu").op, Op::Pointwise(Pointwise::Silu)));
    let twice = compute(&graph, "twice");
    assert_close(&compute(&graph, "gelu"), &twice.iter().map(|x| x / 2.0).collect::<Vec<_>>());
}

trait InputOf {
    fn input_of(&self, name: &str) -> usize;
}

impl InputOf for Graph {
    fn input_of(&self, name: &str) -> usize {
        layer(self, name).inputs[0]
    }
}

#[test]
fn sizes_are_computed() {
    let mut draft = Draft::new([1, 4, 6, 5]);
    draft.integers("zero", &[1], &[0]).integers("two", &[1], &[2]).integers("rest", &[1], &[-1]);
    draft.integers("four", &[], &[4]).integers("axis", &[1], &[0]);
    draft.node("Shape", &["image"], "shape", &[]);
    draft.node("Slice", &["shape", "zero", "two"], "front", &[]);
    draft.node("Concat", &["front", "rest"], "wanted", &[int("axis", 0)]);
    draft.node("Reshape", &["image", "wanted"], "row", &[]);
    draft.node("Transpose", &["row"], "tokens", &[ints("perm", &[0, 2, 1])]);
    draft.weights("matrix", &[4, 7]);
    draft.node("MatMul", &["tokens", "matrix"], "product", &[]);
    let graph = draft.graph();
    // Channels by position are channels at positions.
    assert_eq!(layer(&graph, "product").op.kind(), "convolution 1x1");
    assert_eq!(layer(&graph, "product").shape, Shape::Map { c: 7, h: 6, w: 5 });
    assert!(graph.shape_at(graph.find("product").unwrap(), [9, 9]).is_ok(), "the size is not a part of it");
}

#[test]
fn what_is_not_supported_is_listed_and_the_rest_works() {
    let mut draft = classifier();
    let mut mystery = node("Mystery", &["pool"], &["mystery"], &[]);
    mystery.domain = "org.example".into();
    draft.nodes.insert(4, mystery);
    draft.nodes[5].input[0] = "mystery".into();
    draft.nodes.push(node("NonZero", &["relu"], &["places"], &[]));
    draft.nodes.push(node("NonZero", &["pool"], &["more places"], &[]));
    let graph = draft.open().unwrap().graph;
    assert!(graph.find("pool").is_ok());
    assert_eq!(
        graph.find("chances").unwrap_err().to_string(),
        "layer `chances` needs what is not supported: 2 NonZero (it is not known), org.example.Mystery (it is not known); \
         the last layers that work are `pool`, `relu`, `norm`"
    );
    assert!(matches!(graph.find("chanced"), Err(Error::NoSuchLayer { .. })));
}

#[test]
fn a_file_without_anything_that_works_is_an_error() {
    let mut draft = Draft::new([1, 3, 8, 8]);
    draft.node("Mystery", &["image"], "mystery", &[]);
    let error = draft.open().unwrap_err().to_string();
    assert_eq!(error, "no layer of draft.onnx is supported: it needs Mystery (it is not known)");
}

#[test]
fn inputs_that_are_no_image_are_listed() {
    let mut draft = classifier();
    draft.input = vec![1, 77];
    let error = draft.open().unwrap_err().to_string();
    assert!(error.contains("its inputs are `image` [1, 77]"), "{error}");
}

#[test]
fn functions_are_unfolded_and_their_depth_is_bounded() {
    let mut function = Vec::new();
    part(&mut function, 1, b"Twice");
    part(&mut function, 4, b"x");
    part(&mut function, 5, b"y");
    let mut leaky =
        node("LeakyRelu", &["x"], &["y"], &[Attribute { ref_attr_name: "slope".into(), ..int("alpha", 0) }]);
    leaky.name = "leaky".into();
    part(&mut function, 7, &leaky.encode_to_vec());
    part(&mut function, 10, b"ours");
    let mut draft = classifier();
    let mut call = node("Twice", &["relu"], &["called"], &[Attribute { f: 0.3, ..int("slope", 0) }]);
    (call.domain, call.name) = ("ours".into(), "call".into());
    draft.nodes.push(call);
    draft.functions = vec![function];
    let graph = draft.graph();
    assert!(matches!(layer(&graph, "call/leaky").op, Op::Pointwise(Pointwise::LeakyRelu { slope }) if slope == 0.3));
    assert_eq!(graph.find("called").unwrap(), graph.find("call/leaky").unwrap());

    // A function that calls itself twice.
    let mut function = Vec::new();
    part(&mut function, 1, b"Twice");
    part(&mut function, 4, b"x");
    part(&mut function, 5, b"y");
    for (from, to) in [("x", "z"), ("z", "y")] {
        let mut inner = node("Twice", &[from], &[to], &[]);
        inner.domain = "ours".into();
        part(&mut function, 7, &inner.encode_to_vec());
    }
    part(&mut function, 10, b"ours");
    draft.functions = vec![function];
    let graph = draft.open().unwrap().graph;
    assert!(matches!(graph.find("called"), Err(Error::UnsupportedLayer { .. })));
}

#[test]
fn what_comes_too_late_or_never_or_twice_is_said() {
    let mut draft = classifier();
    draft.nodes.swap(1, 2);
    let graph = draft.open().unwrap().graph;
    let error = graph.find("chances").unwrap_err().to_string();
    assert!(error.contains("nothing before it computes its input `norm`"), "{error}");
    let mut draft = classifier();
    draft.nodes[4].input[0] = "nobody".into();
    let graph = draft.open().unwrap().graph;
    let error = graph.find("chances").unwrap_err().to_string();
    assert!(error.contains("nothing before it computes its input `nobody`"), "{error}");
    let mut draft = classifier();
    for node in &mut draft.nodes {
        node.name = "same".into();
    }
    let graph = draft.graph();
    assert_eq!(layer(&graph, "relu").name, "relu", "a name that is taken is not taken again");
}

#[test]
fn weights_beside_the_file_stay_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("inner")).unwrap();
    let mut draft = classifier();
    let kernel = &mut draft.tensors[0];
    let raw = std::mem::take(&mut kernel.raw_data);
    kernel.data_location = 1;
    let entry = |key: &str, value: &str| Entry { key: key.into(), value: value.into() };
    fs::write(folder.path().join("weights"), [&[0; 8][..], &raw].concat()).unwrap();
    let path = folder.path().join("inner/../net.onnx");
    let open_with = |entries: Vec<Entry>| {
        let mut draft = draft.clone();
        draft.tensors[0].external_data = entries;
        fs::write(&path, draft.bytes()).unwrap();
        open(&path, &Options::default())
    };
    let (offset, length) = (entry("offset", "8"), entry("length", &raw.len().to_string()));
    let imported = open_with(vec![entry("location", "./weights"), offset.clone(), length.clone()]).unwrap();
    let Op::Convolution(conv) = &layer(&imported.graph, "conv").op else { panic!("it is one") };
    assert_eq!(conv.weight.values()[0].to_le_bytes(), raw[..4]);
    for location in ["../weights", "/etc/passwd", "inner/../../weights", "C:\\weights", "\\weights", ""] {
        let error = open_with(vec![entry("location", location), length.clone()]).unwrap_err().to_string();
        assert!(error.contains("outside the folder"), "{location}: {error}");
    }
    let error =
        open_with(vec![entry("location", "weights"), entry("offset", "9"), length.clone()]).unwrap_err().to_string();
    assert!(error.contains("too few"), "{error}");
    let error = open_with(vec![entry("location", "weights"), entry("offset", "18446744073709551615")]).unwrap_err();
    assert!(error.to_string().contains("too few"), "{error}");
    let error = open_with(vec![entry("location", "nowhere")]).unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
}

#[test]
fn a_file_that_ends_early_is_an_error() {
    for draft in [classifier(), attention(true)] {
        let bytes = draft.bytes();
        for length in 0..bytes.len() {
            // The file may well end between two parts of it, but not before its graph does.
            let result = from_bytes("short.onnx", &bytes[..length], &Options::default());
            assert!(result.is_err() || length > bytes.len() - 40, "{length} of {} bytes", bytes.len());
        }
    }
}

#[test]
fn any_bytes_are_a_network_or_an_error() {
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for draft in [classifier(), attention(true), attention(false)] {
        let bytes = draft.bytes();
        for _ in 0..3000 {
            let mut changed = bytes.clone();
            for _ in 0..=random(3) {
                let place = random(changed.len());
                changed[place] = match random(3) {
                    0 => random(256) as u8,
                    1 => changed[place] ^ (1 << random(8)),
                    _ => [0, 1, 0x7F, 0x80, 0xFF][random(5)],
                };
            }
            let _ = from_bytes("changed.onnx", &changed, &Options::default());
        }
    }
}

#[test]
fn a_length_that_is_not_there_is_not_allocated() {
    for tag in [2, 7, 8, 25] {
        let mut file = Vec::new();
        encode_key(tag, WireType::LengthDelimited, &mut file);
        encode_varint(u64::MAX >> 1, &mut file);
        assert!(from_bytes("claims.onnx", &file, &Options::default()).is_err());
    }
    // Four gigabytes of weights, in the file or beside it.
    let mut draft = classifier();
    draft.tensors[0].dims = vec![1 << 10, 1 << 10, 1 << 5, 1 << 5];
    let error = draft.open().unwrap_err().to_string();
    assert!(error.contains("bytes are no"), "{error}");
    // Constants that unfold.
    let mut draft = classifier();
    draft.integers("huge", &[2], &[1 << 15, 1 << 15]);
    draft.node("ConstantOfShape", &["huge"], "zeros", &[]);
    draft.node("Neg", &["zeros"], "folded", &[]);
    draft.node("Add", &["image", "folded"], "sum", &[]);
    let graph = draft.open().unwrap().graph;
    assert!(graph.find("sum").unwrap_err().to_string().contains("far more numbers than it holds"));
}
