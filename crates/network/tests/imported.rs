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

/// How far numbers may be off: the largest difference in parts of the largest number of a layer, and the root mean square of
/// all differences in parts of the root mean square of all numbers. Numbers below 0.01, such as means of nearly nothing,
/// count as that.
const TOLERANCE: [f64; 2] = [1e-4, 2e-5];

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
    (values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64).sqrt()
}

/// How far numbers are off, as [`TOLERANCE`] says it.
fn off(found: &Tensor<1>, expected: &[f64]) -> [f64; 2] {
    let found: Vec<f32> = found.clone().try_into_vec_as().unwrap();
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().all(|found| found.is_finite()));
    let largest = |values: &[f64]| values.iter().fold(0.0, |largest, x| x.abs().max(largest));
    let differences: Vec<f64> = found.iter().zip(expected).map(|(&found, x)| f64::from(found) - x).collect();
    [largest(&differences) / largest(expected).max(1e-2), rms(&differences) / rms(expected).max(1e-2)]
}

/// The worse of both, each by itself.
fn worse([a, b]: [f64; 2], [c, d]: [f64; 2]) -> [f64; 2] {
    [a.max(c), b.max(d)]
}

fn shown([largest, all]: [f64; 2]) -> String {
    format!("{largest:.1e} of the largest, {all:.1e} of all")
}

fn is_fine([largest, all]: [f64; 2]) -> bool {
    largest < TOLERANCE[0] && all < TOLERANCE[1]
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

/// What the plain loops and both executors make of one image.
struct Answers<'a> {
    imported: &'a Imported,
    size: [usize; 2],
    pixels: Vec<f32>,
    sum: Sum,
    /// Of the sum, with the planned executor where it can be and with Burn's operations.
    gradients: [Tensor<1>; 2],
    /// How far layers are off.
    off: [f64; 2],
}

impl<'a> Answers<'a> {
    fn to(name: &str, imported: &'a Imported, image: &str) -> Self {
        let graph = &imported.graph;
        let size @ [h, w] = graph.size();
        let pixels = made_up::image(image, size);
        let expected = evaluate(graph, &pixels, size).unwrap();
        let image = Tensor::<4>::from_data(TensorData::new(pixels.clone(), [1, 3, h, w]), &Device::flex());
        let names: Vec<&str> = graph.nodes().iter().map(|node| &*node.name).collect();
        let last = imported.logits.as_ref().map_or(names.len() - 1, |logits| graph.find(logits).unwrap());
        let weights = made_up::uniform("gradient").take(expected[last].len()).collect();
        let sum = Sum { layer: names[last].to_owned(), weights };

        let model = Model { graph: graph.clone(), description: Description::new(name) };
        let planned = Network::from(model.clone());
        let reference = Network::from(model).with_executor(Executor::Reference);
        let mut worst = [0.0; 2];
        for network in [&planned, &reference] {
            let activations = network.activations(image.clone(), &names).unwrap();
            for (layer, expected) in names.iter().zip(&expected) {
                let off = off(&activations.map(layer).unwrap().flatten(0, 3), expected);
                assert!(is_fine(off), "{name}: `{layer}` is off by {}", shown(off));
                worst = worse(worst, off);
            }
        }
        let gradients = [&planned, &reference].map(|network| sum.gradient(network, &image));
        Self { imported, size, pixels, sum, gradients, off: worst }
    }

    /// How far the two gradients are from one another, and by what part the plain loops go up by something else.
    fn off_in_gradients(&self) -> ([f64; 2], f64) {
        let [planned, reference] = &self.gradients;
        let reference: Vec<f32> = reference.clone().try_into_vec_as().unwrap();
        let scale = rms(&reference.iter().map(|&g| f64::from(g)).collect::<Vec<f64>>());
        let reference: Vec<f64> = reference.into_iter().map(|g| f64::from(g) / scale).collect();
        // A step up and one down, so small that hardly a ReLU changes sides.
        let moved = |step: f64| -> Vec<f32> {
            self.pixels.iter().zip(&reference).map(|(&x, g)| (f64::from(x) + step * g) as f32).collect()
        };
        let (up, down) = (moved(1e-7), moved(-1e-7));
        let graph = &self.imported.graph;
        let last = graph.find(&self.sum.layer).unwrap();
        let [high, low] = [&up, &down].map(|pixels| self.sum.of(&evaluate(graph, pixels, self.size).unwrap()[last]));
        let rise: f64 = up.iter().zip(&down).zip(&reference).map(|((&a, &b), g)| f64::from(a - b) * g * scale).sum();
        (off(&(planned.clone() / scale), &reference), ((high - low) / rise - 1.0).abs())
    }
}

/// Compares every layer, and the gradients of the last. Where a ReLU is at zero in one executor and just above in another,
/// gradients are others; that happens to a few networks on any image, and to none on all of them.
fn check(name: &str, imported: &Imported) {
    let images = ["image", "image 2", "image 3", "image 4"];
    let agrees = images.iter().any(|image| {
        let answers = Answers::to(name, imported, image);
        let (between, slope) = answers.off_in_gradients();
        let (off, gradients, layers) = (shown(answers.off), shown(between), imported.graph.nodes().len());
        println!("{name}, {image}: {layers} layers off by {off}, gradients by {gradients}, slopes by {slope:.1e}");
        between.iter().all(|&off| off < 2e-4) && slope < 1e-3
    });
    assert!(agrees, "{name}: gradients differ on all of {} images", images.len());
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
        check(&path.file_name().unwrap().to_string_lossy(), &onnx::open(&file, &options).unwrap());
    }
}

#[test]
fn tensorflow_graphs() {
    for (path, case) in cases("tensorflow", "pb") {
        let [low, high]: [f32; 2] = numbers(&case["range"]);
        let preprocessing = Preprocessing { bgr: numbers(&case["bgr"]), ..Preprocessing::range(low, high) };
        let options = Options { size: Some(numbers(&case["size"])), preprocessing: Some(preprocessing) };
        check(&path.file_name().unwrap().to_string_lossy(), &graphdef::open(&path, &options).unwrap());
    }
}
