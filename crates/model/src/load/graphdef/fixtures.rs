//! The graphs of `fixtures` compute what TensorFlow, Lucid and the zoo's own code compute.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use entoptic_made_up as made_up;
use safetensors::SafeTensors;
use serde_json::Value;

use super::*;
use crate::{
    Preprocessing,
    graph::{Graph, Op, Window, resolve},
    load::WeightsFile,
    reference, zoo,
};

/// What a node computes, `[c, h, w]`.
struct Map {
    c: usize,
    h: usize,
    w: usize,
    values: Vec<f32>,
}

impl Map {
    /// As `[h, w, c]`.
    fn to_nhwc(&self) -> Vec<f32> {
        let place = |i: usize| (i % self.c) * self.h * self.w + i / self.c;
        (0..self.values.len()).map(|i| self.values[place(i)]).collect()
    }
}

/// What all nodes compute from an image `[3, h, w]` of the graph's size, by their names.
fn evaluate(graph: &Graph, image: &[f32]) -> HashMap<String, Map> {
    let answers = reference::evaluate(graph, image, graph.size()).unwrap();
    let named = graph.nodes().iter().zip(answers).map(|(node, values)| {
        let (c, [h, w]) = (node.shape.channels(), node.shape.positions());
        let values = values.into_iter().map(|x| x as f32).collect();
        (node.name.clone(), Map { c, h, w, values })
    });
    named.collect()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// The tensors of a safetensors file, with their shapes, and its metadata.
struct Numbers {
    tensors: HashMap<String, (Vec<usize>, Vec<f32>)>,
    metadata: HashMap<String, String>,
}

fn numbers(name: &str) -> Numbers {
    let bytes = fs::read(fixture(name)).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let read = |data: &[u8], bytes: usize| match bytes {
        4 => data.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
        _ => data.iter().map(|&b| f32::from(b)).collect(),
    };
    let tensors = file.tensors().into_iter().map(|(name, view)| {
        let (shape, width) = (view.shape().to_vec(), view.data().len() / view.shape().iter().product::<usize>());
        (name, (shape, read(view.data(), width)))
    });
    Numbers { tensors: tensors.collect(), metadata: header.metadata().clone().unwrap_or_default() }
}

/// One of `fixtures/tensorflow`, and what TensorFlow said of it.
struct Case {
    imported: Imported,
    json: Value,
    numbers: Numbers,
}

fn case(name: &str) -> Case {
    let numbers = numbers(&format!("tensorflow/{name}.safetensors"));
    let json: Value = serde_json::from_str(&numbers.metadata["case"]).unwrap();
    let number = |value: &Value| value.as_f64().unwrap() as f32;
    let [low, high] = [&json["range"][0], &json["range"][1]].map(number);
    let preprocessing = Preprocessing { bgr: json["bgr"].as_bool().unwrap(), ..Preprocessing::range(low, high) };
    let size = [&json["size"][0], &json["size"][1]].map(|side| side.as_u64().unwrap() as usize);
    let options = Options { size: Some(size), preprocessing: Some(preprocessing) };
    let imported = open(&fixture(&format!("tensorflow/{name}.pb")), &options).unwrap();
    Case { imported, json, numbers }
}

/// The samples that are stored of many values.
fn samples(values: &[f32]) -> Vec<f32> {
    let count = values.len().min(48);
    (0..count).map(|k| values[k * (values.len() - 1) / (count - 1).max(1)]).collect()
}

impl Case {
    /// Compares every node, and returns which are not there, and how many are.
    fn compare(&self, name: &str) -> (Vec<String>, usize) {
        let graph = &self.imported.graph;
        let maps = evaluate(graph, &made_up::image("image", graph.size()));
        let (mut absent, mut compared) = (Vec::new(), 0);
        for node in self.json["nodes"].as_array().unwrap() {
            let layer = node[0].as_str().unwrap();
            let dims: Vec<usize> = node[2].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect();
            let Ok(id) = graph.find(layer) else {
                absent.push(layer.to_owned());
                continue;
            };
            // `input` is the image here, and what is made of it there.
            if layer == "input" || dims.first().is_some_and(|&images| images != 1) {
                continue;
            }
            let map = &maps[&graph.nodes()[id].name];
            let Some(values) = in_order(map, &dims) else {
                // Heads before tokens, or positions in the batch.
                assert_eq!(dims.iter().product::<usize>(), map.values.len(), "{name}: `{layer}` is {dims:?}");
                continue;
            };
            let (expected, scale) = (&self.numbers.tensors[&format!("node/{layer}")].1, {
                self.numbers.tensors[&format!("scale/{layer}")].1[0]
            });
            let found = samples(&values);
            assert_eq!(found.len(), expected.len(), "{name}: {layer}");
            for (found, expected) in found.iter().zip(expected) {
                let difference = (found - expected).abs() / scale;
                // Means and sums in single precision, as TensorFlow's are, are themselves off by as much as half of that.
                assert!(
                    difference < 5e-5,
                    "{name}: `{layer}` is {found}, not {expected}: {difference:.1e} of its scale"
                );
            }
            compared += 1;
        }
        (absent, compared)
    }
}

/// The numbers of a map in the order that a tensor of this shape has them, if it can be the same.
fn in_order(map: &Map, dims: &[usize]) -> Option<Vec<f32>> {
    let dims: Vec<usize> = dims.iter().copied().filter(|&size| size != 1).collect();
    let without_ones = |dims: [usize; 3]| dims.into_iter().filter(|&size| size != 1).collect::<Vec<_>>();
    let all: usize = dims.iter().product();
    match dims {
        dims if dims == without_ones([map.h, map.w, map.c]) => Some(map.to_nhwc()),
        dims if dims == without_ones([map.c, map.h, map.w]) => Some(map.values.clone()),
        dims if dims == without_ones([1, map.h * map.w, map.c]) => Some(map.to_nhwc()),
        dims if dims == without_ones([1, 1, all]) => Some(map.to_nhwc()),
        _ => None,
    }
}

/// Nodes of `rarer` whose operations no graph expresses.
const RARE: [&str; 7] =
    ["Conv2DBackpropInput", "DepthToSpace", "Log", "LogSoftmax", "MirrorPad", "ResizeNearestNeighbor", "Sin"];

#[test]
fn every_node_of_thin_networks_agrees_with_tensorflow() {
    let mut compared = 0;
    let mut names: Vec<PathBuf> =
        fs::read_dir(fixture("tensorflow")).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for path in names.iter().filter(|path| path.extension().is_some_and(|extension| extension == "pb")) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let case = case(name);
        let unsupported = case.imported.graph.unsupported();
        let (absent, there) = case.compare(name);
        compared += there;
        let kinds: Vec<String> = unsupported.operations().iter().map(|operation| operation.kind.clone()).collect();
        match name {
            // Positions in the batch are no layer.
            "dilated" => assert!(absent.iter().all(|layer| layer.ends_with("SpaceToBatchND")), "{absent:?}"),
            "rarer" => {
                assert!(RARE.iter().all(|&kind| kinds.iter().any(|other| other == kind)), "{kinds:?}");
                assert!(absent.iter().all(|layer| unsupported.contains(layer)), "{absent:?}");
            }
            "unsupported" => {
                assert_eq!(kinds, ["TopKV2"]);
                assert_eq!(case.imported.outputs, ["conv2/Relu"]);
                assert_eq!(absent.len(), 8);
                assert!(absent.iter().all(|layer| unsupported.contains(layer)), "{absent:?}");
            }
            _ => {
                assert!(absent.is_empty() && kinds.is_empty(), "{name} lacks {absent:?}, {kinds:?}");
                let last = case.json["nodes"].as_array().unwrap().last().unwrap()[0].as_str().unwrap();
                assert_eq!(case.imported.outputs, [last], "{name}");
            }
        }
    }
    assert!(compared > 700, "{compared} nodes were compared");
}

/// Where the image of a case of `mini_5h_expected` is, and what it is divided by.
const IMAGES: [(&str, &str, f32); 2] = [("a.", "a.rgb", 1.0), ("b.", "b.rgb_u8", 255.0)];

fn inception_v1(size: [usize; 2]) -> Imported {
    let options = Options { size: Some(size), preprocessing: Some(Preprocessing::range(-117.0, 138.0)) };
    open(&fixture("mini_5h.pb"), &options).unwrap()
}

#[test]
fn every_layer_of_a_whole_network_agrees_with_lucid() {
    let expected = numbers("mini_5h_expected.safetensors");
    let mut compared = 0;
    for (prefix, image, divisor) in IMAGES {
        let (shape, values) = &expected.tensors[image];
        let [_, h, w, c] = shape[..] else { panic!("images") };
        let imported = inception_v1([h, w]);
        // The heads take 224 x 224, and the first image is smaller.
        assert_eq!(imported.graph.unsupported().is_empty(), h == 224);
        let image = (0..h * w * c).map(|i| values[i % (h * w) * c + i / (h * w)] / divisor).collect::<Vec<_>>();
        let layers: Vec<&String> = expected.tensors.keys().filter(|name| name.starts_with(prefix)).collect();
        let maps = evaluate(&imported.graph, &image);
        for stored in layers {
            let (layer, every) = match stored[2..].strip_suffix("[::7,::7]") {
                Some(layer) => (layer, 7),
                None => (&stored[2..], 1),
            };
            if layer.starts_with("rgb") || layer.starts_with("grad") {
                continue;
            }
            let map = &maps[&imported.graph.nodes()[imported.graph.find(layer).unwrap()].name];
            let (nhwc, row) = (map.to_nhwc(), map.w * map.c);
            let rows = nhwc.chunks(row).step_by(every);
            let found: Vec<f32> = rows.flat_map(|row| row.chunks(map.c).step_by(every).flatten().copied()).collect();
            let expected = &expected.tensors[stored].1[..found.len()];
            let scale = expected.iter().fold(0.0f32, |scale, v| scale.max(v.abs()));
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-5 * scale, "`{stored}` is {found}, not {expected}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 65);
}

#[test]
fn a_graph_says_how_it_begins_and_ends() {
    let imported = inception_v1([224, 224]);
    assert_eq!(imported.input, "input");
    assert_eq!(imported.outputs, ["output", "output1", "output2"]);
    assert_eq!(imported.probabilities.as_deref(), Some("softmax2"));
    assert_eq!(imported.logits.as_deref(), Some("softmax2_pre_activation"));
    assert!(imported.about.contains(&("format".to_owned(), "frozen TensorFlow graph".to_owned())));
}

#[test]
fn kernels_and_matrices_are_those_that_were_converted_before() {
    let imported = inception_v1([224, 224]);
    let weights = WeightsFile::open(&fixture("mini_5h_weights.safetensors")).unwrap();
    let mut compared = 0;
    for node in imported.graph.nodes() {
        let layer = node.name.strip_suffix("_pre_relu").or(node.name.strip_suffix("_pre_activation"));
        let Some(layer) = layer.filter(|layer| weights.contains(&format!("{layer}.weight"))) else { continue };
        let (weight, bias) = match &node.op {
            Op::Convolution(convolution) => (&convolution.weight, &convolution.bias),
            Op::Linear(linear) => (&linear.weight, &linear.bias),
            other => panic!("{} is {}", node.name, other.kind()),
        };
        let shape = weight.shape();
        assert_eq!(weight.values(), weights.take(&format!("{layer}.weight"), shape).unwrap().values(), "{layer}");
        let bias = bias.as_ref().unwrap();
        assert_eq!(bias.values(), weights.take(&format!("{layer}.bias"), bias.shape()).unwrap().values(), "{layer}");
        compared += 1;
    }
    assert_eq!(compared, 64, "59 convolutions and 5 matrices");
}

#[test]
fn what_lucid_saved_says_itself_what_it_is_fed() {
    for (name, input, size, range) in [
        ("lucid_metadata", "input_image", [38, 35], (-117.0, 138.0)),
        ("lucid_metadata_bytes", "truediv", [38, 35], (0.0, 1.0)),
    ] {
        let path = fixture(&format!("tensorflow/{name}.pb"));
        let imported = open(&path, &Options::default()).unwrap();
        assert_eq!((imported.input.as_str(), imported.graph.size()), (input, size), "{name}");
        let metadata = imported.metadata.unwrap();
        assert_eq!(metadata.preprocessing(), Some(Preprocessing::range(range.0, range.1)), "{name}");
        let told = Options { size: Some(size), preprocessing: metadata.preprocessing() };
        let told = open(&path, &told).unwrap();
        let kinds = |graph: &Graph| graph.nodes().iter().map(|node| node.op.kind()).collect::<Vec<_>>();
        assert_eq!(kinds(&imported.graph), kinds(&told.graph), "{name}");
        assert!(imported.graph.find("preprocessed").is_ok(), "{name}");
    }
}

#[test]
fn googlenet_is_what_its_weights_file_makes() {
    let folder = zoo::default_folder();
    let path = folder.join("InceptionV1_caffe.pb");
    let Some(known) = zoo::open("googlenet_bvlc", &folder).ok().filter(|_| path.is_file()) else {
        return eprintln!("skipped: no InceptionV1_caffe.pb and googlenet_bvlc.safetensors in {}", folder.display());
    };
    let options = Options { preprocessing: Some(Preprocessing::CAFFE), ..Options::default() };
    let imported = open(&path, &options).unwrap();
    assert!(imported.graph.unsupported().is_empty());
    assert_eq!(imported.outputs, ["prob"]);
    let mut compared = 0;
    for theirs in known.graph.nodes() {
        // Lucid's names, which both answer to; a layer `X` is `X/X`, and `X/BiasAdd` before its ReLU.
        let name = match theirs.name.strip_suffix("_pre_relu") {
            Some(concat) if concat.ends_with("_output") => theirs.name.clone(),
            Some(layer) => format!("{layer}/BiasAdd"),
            None if matches!(theirs.op, Op::Relu | Op::Linear(_)) => format!("{0}/{0}", theirs.name),
            None => theirs.name.clone(),
        };
        if name == "preprocessed" || name == "input" {
            continue;
        }
        let ours = imported.graph.nodes()[imported.graph.find(&name).unwrap()].clone();
        assert_eq!(ours.shape, theirs.shape, "{name}");
        match (&ours.op, &theirs.op) {
            (Op::Convolution(ours), Op::Convolution(theirs)) => {
                // The zoo's first kernel reads RGB; ours reads what is turned around before it.
                let kernel =
                    if name == "conv1_7x7_s2/BiasAdd" { ours.weight.reverse_inputs() } else { ours.weight.clone() };
                assert_eq!(kernel.shape(), theirs.weight.shape(), "{name}");
                assert_eq!(kernel.values(), theirs.weight.values(), "{name}");
                assert_eq!(ours.bias.as_ref().unwrap().values(), theirs.bias.as_ref().unwrap().values(), "{name}");
                assert!(lie_the_same(&ours.window, &theirs.window), "{name}");
            }
            (Op::Linear(ours), Op::Linear(theirs)) => {
                assert_eq!(ours.weight.values(), theirs.weight.values(), "{name}");
                assert_eq!(ours.bias.as_ref().unwrap().values(), theirs.bias.as_ref().unwrap().values(), "{name}");
            }
            (Op::MaxPool(ours), Op::MaxPool(theirs)) => assert!(lie_the_same(ours, theirs), "{name}"),
            (Op::LocalResponseNorm(ours), Op::LocalResponseNorm(theirs)) => assert_eq!(ours, theirs, "{name}"),
            (ours, theirs) => assert_eq!(ours.kind(), theirs.kind(), "{name}"),
        }
        compared += 1;
    }
    assert_eq!(compared, known.graph.nodes().len() - 2);
}

/// Whether two windows lie in the same places on all maps of GoogLeNet.
fn lie_the_same(a: &Window, b: &Window) -> bool {
    let lie = |window: &Window, side: usize| {
        let [rows, _] = resolve(window, [side, side]).unwrap();
        (window.size, window.stride, rows.before, rows.output)
    };
    [224, 112, 56, 28, 14, 7].into_iter().all(|side| lie(a, side) == lie(b, side))
}
