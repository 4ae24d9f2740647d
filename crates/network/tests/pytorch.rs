//! Both executors answer what PyTorch's networks do with the same weights, and their images have the same gradients;
//! `fixtures/torch/README.md` says what the files hold.

#[path = "../../model/tests/common/mod.rs"]
mod common;

use burn::tensor::{Device, Tensor, TensorData};
use common::{Answer, Fixture};
use entoptic_made_up::uniform;
use entoptic_network::{Executor, Network, model::zoo};
use rayon::prelude::*;

/// A layer's numbers in the order of PyTorch's tensor of this shape: transformers have channels last.
fn in_order(map: Tensor<4>, shape: &[usize]) -> Tensor<1> {
    let without_ones = |shape: &[usize]| shape.iter().copied().filter(|&size| size != 1).collect::<Vec<usize>>();
    let is_same = without_ones(&map.dims()) == without_ones(shape);
    if is_same { map.flatten(0, 3) } else { map.permute([0, 2, 3, 1]).flatten(0, 3) }
}

/// The largest difference of samples and of what they are expected to be, relative to the scale of all numbers.
fn off(found: &Tensor<1>, expected: &[f32], scale: f32) -> f32 {
    let found: Vec<f32> = found.clone().try_into_vec_as().unwrap();
    let last = (expected.len() - 1).max(1);
    let samples = (0..expected.len()).map(|k| found[k * (found.len() - 1) / last]);
    samples.zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max) / scale
}

/// Compares outputs of modules (all that are layers of the same name, and the logits) and the gradient of the image.
fn agree(name: &str, executor: Executor, tolerance: f32) {
    let fixture = Fixture::open(name);
    let model = zoo::build(&fixture.weights(), fixture.preprocessing()).unwrap();
    let nodes = model.graph.nodes();
    let logits =
        model.graph.find("probabilities").map_or(nodes.len() - 1, |probabilities| nodes[probabilities].inputs[0]);
    let logits = nodes[logits].name.clone();
    let network = Network::from(model).with_executor(executor);
    let [h, w] = fixture.size();
    let image = TensorData::new(fixture.image(), [1, 3, h, w]);
    let image = Tensor::<4>::from_data(image, &Device::flex()).autodiff().require_grad();
    // What timm calls a module is not always what torchvision does.
    let is_compared = |answer: &Answer| answer.module == "output" || !name.starts_with("timm");
    let answers: Vec<(String, Answer)> = fixture
        .answers()
        .filter(is_compared)
        .map(
            |answer| if answer.module == "output" { (logits.clone(), answer) } else { (answer.module.clone(), answer) },
        )
        .filter(|(layer, _)| network.graph().find(layer).is_ok())
        .collect();
    let layers: Vec<&str> = answers.iter().map(|(layer, _)| layer.as_str()).collect();
    let activations = network.activations(image.clone(), &layers).unwrap();
    let mut worst = (0.0, String::new());
    for (layer, answer) in &answers {
        let found = in_order(activations.map(layer).unwrap().inner(), &answer.shape);
        let off = off(&found, &answer.samples, answer.scale);
        assert!(off < tolerance, "{name}: {} is off by {off:.1e} of its scale", answer.module);
        if off > worst.0 {
            worst = (off, answer.module.clone());
        }
    }
    let output = activations.map(&logits).unwrap();
    let [_, c, _, _] = output.dims();
    let weights: Vec<f32> = uniform("gradient").take(c).collect();
    let weights = Tensor::<4>::from_data(TensorData::new(weights, [1, c, 1, 1]), &Device::flex()).autodiff();
    let gradient = image.grad(&(output * weights).sum().backward()).unwrap();
    let (expected, scale) = fixture.gradient();
    let gradient = off(&gradient.flatten::<1>(0, 3), &expected, scale);
    println!(
        "{name}: {} layers off by {:.1e} at most ({}), the gradient by {gradient:.1e}",
        layers.len(),
        worst.0,
        worst.1
    );
    // The steepest of them, MobileNetV3, is off by as much as PyTorch's own in single precision is from double.
    assert!(gradient < 3.0 * tolerance, "{name}: the gradient is off by {gradient:.1e} of its scale");
}

#[test]
fn networks_answer_as_in_pytorch() {
    let mut names = Fixture::names();
    names.retain(|name| name != "efficientnet_lite0_real");
    names.par_iter().for_each(|name| agree(name, Executor::Planned, 1e-4));
}

#[test]
fn burns_operations_answer_as_in_pytorch() {
    let networks = ["resnet18", "mobilenet_v2", "densenet121", "googlenet", "vit_small_test", "convnext_tiny"];
    for name in networks {
        agree(&format!("torchvision_{name}"), Executor::Reference, 1e-4);
    }
    agree("efficientnet_lite0", Executor::Reference, 1e-4);
}
