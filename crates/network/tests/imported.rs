//! Both executors compute networks imported from ONNX and TensorFlow files as the plain loops do, which
//! `entoptic-model` holds against what ONNX Runtime and TensorFlow compute; their gradients are the loops' slopes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use burn::tensor::{Device, Tensor, TensorData};
use entoptic_made_up as made_up;
use entoptic_network::{
    Description, Executor, Network,
    load::{Imported, Options, graphdef, onnx},
    model::{Model, Preprocessing, reference::evaluate},
};
use safetensors::SafeTensors;
use serde_json::Value;

/// How far numbers may be off, in parts of the root mean square of their layer.
const TOLERANCE: f64 = 1e-4;

/// The files of a folder of fixtures with this extension, each with what is said of it.
fn cases(folder: &str, extension: &str) -> Vec<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    let with_case = |path: PathBuf| {
        let bytes = fs::read(path.with_extension("safetensors")).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let case = serde_json::from_str(&header.metadata().as_ref().unwrap()["case"]).unwrap();
        (path, case)
    };
    paths.into_iter().map(with_case).collect()
}

fn numbers<T: serde::de::DeserializeOwned>(json: &Value) -> T {
    serde_json::from_value(json.clone()).unwrap()
}

fn rms(values: &[f64]) -> f64 {
    (values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64).sqrt().max(1e-6)
}

/// The largest difference, in parts of the scale of what is expected.
fn off(found: &Tensor<1>, expected: &[f64]) -> f64 {
    let found: Vec<f32> = found.clone().try_into_vec_as().unwrap();
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(&found, expected)| (f64::from(found) - expected).abs());
    // Not `max`, which passes over what is no number.
    differences.fold(0.0, |worst, off| if off <= worst { worst } else { off }) / rms(expected)
}

/// The output whose gradients are compared, and numbers to sum it with.
struct Sum {
    layer: String,
    weights: Vec<f32>,
}

impl Sum {
    /// The gradient of the sum with respect to the image.
    fn gradient(&self, network: &Network, image: &Tensor<4>) -> Tensor<1> {
        let image = image.clone().autodiff().require_grad();
        let output = network.activations(image.clone(), &[&self.layer]).unwrap().map(&self.layer).unwrap();
        let weights = TensorData::new(self.weights.clone(), output.dims());
        let weights = Tensor::<4>::from_data(weights, &Device::flex()).autodiff();
        image.grad(&(output * weights).sum().backward()).unwrap().flatten(0, 3)
    }

    fn of(&self, output: &[f64]) -> f64 {
        self.weights.iter().zip(output).map(|(&weight, value)| f64::from(weight) * value).sum()
    }
}

fn check(name: &str, imported: Imported) {
    let graph = &imported.graph;
    let size @ [h, w] = graph.size();
    let pixels = made_up::image("image", size);
    let expected = evaluate(graph, &pixels, size).unwrap();
    let image = Tensor::<4>::from_data(TensorData::new(pixels.clone(), [1, 3, h, w]), &Device::flex());
    let names: Vec<&str> = graph.nodes().iter().map(|node| &*node.name).collect();

    let last = imported.logits.as_ref().map_or(names.len() - 1, |logits| graph.find(logits).unwrap());
    let count = expected[last].len();
    let sum = Sum { layer: names[last].to_owned(), weights: made_up::uniform("gradient").take(count).collect() };
    let mut gradients = Vec::new();
    for executor in [Executor::Planned, Executor::Reference] {
        let model = Model { graph: graph.clone(), description: Description::new(name) };
        let network = Network::from(model).with_executor(executor);
        let activations = network.activations(image.clone(), &names).unwrap();
        for (layer, expected) in names.iter().zip(&expected) {
            let off = off(&activations.map(layer).unwrap().flatten(0, 3), expected);
            assert!(off < TOLERANCE, "{name}: `{layer}` is off by {off:.1e} of its scale with {executor:?}");
        }
        gradients.push(sum.gradient(&network, &image));
    }
    let [planned, reference] = &gradients[..] else { unreachable!() };
    let reference: Vec<f32> = reference.clone().try_into_vec_as().unwrap();
    let reference: Vec<f64> = reference.into_iter().map(f64::from).collect();
    let between = off(planned, &reference);

    // A step up the gradient and one down, and by how much the plain loops go up.
    let step = 1e-4 / rms(&reference);
    let moved = |sign: f64| -> Vec<f32> {
        pixels.iter().zip(&reference).map(|(&x, g)| (f64::from(x) + sign * step * g) as f32).collect()
    };
    let (up, down) = (moved(1.0), moved(-1.0));
    let [high, low] = [&up, &down].map(|pixels| sum.of(&evaluate(graph, pixels, size).unwrap()[last]));
    let slope: f64 = up.iter().zip(&down).zip(&reference).map(|((&a, &b), g)| f64::from(a - b) * g).sum();
    let slope = ((high - low) / slope - 1.0).abs();
    println!("{name}: {} layers, gradients differ by {between:.1e}, slopes by {slope:.1e}", names.len());
    assert!(between < 3.0 * TOLERANCE, "{name}: gradients differ by {between:.1e} of their scale");
    assert!(slope < 1e-3, "{name}: the plain loops go up by other {slope:.1e} than the gradient says");
}

#[test]
fn onnx_files() {
    for (path, case) in cases("onnx", "onnx") {
        let folder = tempfile::tempdir().unwrap();
        let mut weights: Vec<u8> = Vec::new();
        for entry in case["weights"].as_array().unwrap() {
            let (name, shape): (String, Vec<usize>) = numbers(entry);
            weights.extend(made_up::weight(&name, &shape).iter().flat_map(|value| value.to_le_bytes()));
        }
        fs::write(folder.path().join("weights"), weights).unwrap();
        let file = folder.path().join(path.file_name().unwrap());
        fs::copy(&path, &file).unwrap();
        let preprocessing = Preprocessing { mean: numbers(&case["mean"]), std: numbers(&case["std"]), bgr: false };
        let options = Options { size: Some(numbers(&case["size"])), preprocessing: Some(preprocessing) };
        check(&path.file_name().unwrap().to_string_lossy(), onnx::open(&file, &options).unwrap());
    }
}

#[test]
fn tensorflow_graphs() {
    for (path, case) in cases("tensorflow", "pb") {
        let [low, high]: [f32; 2] = numbers(&case["range"]);
        let preprocessing = Preprocessing { bgr: numbers(&case["bgr"]), ..Preprocessing::range(low, high) };
        let options = Options { size: Some(numbers(&case["size"])), preprocessing: Some(preprocessing) };
        check(&path.file_name().unwrap().to_string_lossy(), graphdef::open(&path, &options).unwrap());
    }
}
