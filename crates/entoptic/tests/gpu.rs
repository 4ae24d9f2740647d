//! A GPU computes what the processor computes.
//!
//! `$ENTOPTIC_DEVICE` says on which device, else the first GPU is taken; software such as lavapipe counts as one. Tests
//! name themselves as skipped where there is none, as in a build without the features `wgpu` and `cuda`.

use std::{
    env,
    io::{self, Write},
    ops::ControlFlow,
};

use burn::tensor::{Device, Distribution, Tensor};
use entoptic::{
    Ending, RenderConfig,
    chance::{Purpose, draws},
    device::{DeviceKind, DeviceName},
    network::{GradientOverrides, zoo},
    objective::{self, Evaluated, Objective, channel},
    optimizer::{self, Optimizer},
    param::{
        self, Param, Parameterization, Prepared,
        unit_ball::{constrain_l_inf, constrain_l_inf_precondition, constrain_l2},
    },
    picture, render_on,
    transform::{self, Transform},
};
use entoptic_fixtures::{assert_close, value_and_gradient};

/// How far two devices may be apart, of the largest number.
const TOLERANCE: f32 = 1e-3;

fn gpu(test: &str) -> Option<Device> {
    let asked = env::var("ENTOPTIC_DEVICE").ok();
    if let Some(name) = asked {
        let name: DeviceName = name.parse().unwrap();
        return Some(name.open().unwrap_or_else(|error| panic!("$ENTOPTIC_DEVICE: {error}")));
    }
    let kinds = [DeviceKind::Cuda, DeviceKind::Wgpu];
    let device = kinds.into_iter().find_map(|kind| DeviceName::from(kind).open().ok());
    if device.is_none() {
        let why = match kinds.into_iter().any(DeviceKind::is_built_in) {
            true => "there is no GPU",
            false => "it needs the feature `wgpu` or `cuda`",
        };
        // Written past the test runner, which swallows what is printed.
        io::stderr().write_all(format!("skipped {test}: {why}\n").as_bytes()).expect("stderr can be written");
    }
    device
}

fn random(shape: [usize; 4]) -> Tensor<4> {
    Tensor::random(shape, Distribution::Uniform(0.0, 1.0), &Device::flex())
}

/// Holds a map's value and gradient on a device against those on the processor.
#[track_caller]
fn assert_same<const D: usize>(what: &str, device: &Device, x: &Tensor<D>, map: impl Fn(Tensor<D>) -> Tensor<D>) {
    let g = Tensor::random(map(x.clone()).shape(), Distribution::Uniform(-1.0, 1.0), &Device::flex());
    let on = |device: &Device| {
        let [x, g] = [x, &g].map(|tensor| tensor.clone().to_device(device).autodiff());
        let (value, gradient) = value_and_gradient(x, g, &map);
        [value, gradient].map(|tensor| tensor.to_device(&Device::flex()))
    };
    let ([value, gradient], [expected, slope]) = (on(device), on(&Device::flex()));
    assert_close(what, value, expected, TOLERANCE);
    assert_close(&format!("the gradient of {what}"), gradient, slope, TOLERANCE);
}

#[test]
fn a_run_is_the_same() {
    let Some(device) = gpu("a_run_is_the_same") else { return };
    let network = zoo::squeezenet_v1_1();
    let config = RenderConfig::new().with_steps(9).with_thresholds(vec![4]);
    let run = |device: &Device| {
        let continues = |_: entoptic::Progress<'_>| ControlFlow::Continue(());
        // With contrast: in an image that is almost gray, rounding decides which of its neighbors a pool takes.
        let image = param::image([64, 64]).with_sd(0.3);
        render_on(device, &network, &channel("fire4", 3), image, &config, continues).unwrap()
    };
    let (found, expected) = (run(&device), run(&Device::flex()));
    assert_eq!(found.ending, Ending::Finished);
    let largest = expected.values.iter().copied().fold(0.0, f64::max);
    for (step, (found, expected)) in found.values.iter().zip(&expected.values).enumerate() {
        assert!((found - expected).abs() <= f64::from(TOLERANCE) * largest, "step {step}: {found} is not {expected}");
    }
    for (found, expected) in found.snapshots.into_iter().zip(expected.snapshots) {
        assert_eq!(found.images.device(), device);
        let what = format!("the image at step {}", found.step);
        assert_close(&what, found.images.to_device(&Device::flex()), expected.images, TOLERANCE);
    }
    assert!((found.final_value - expected.final_value).abs() <= f64::from(TOLERANCE) * largest);
}

#[test]
fn a_run_ends_with_the_step_it_is_ended_at() {
    let Some(device) = gpu("a_run_ends_with_the_step_it_is_ended_at") else { return };
    let network = zoo::squeezenet_v1_1();
    let run = |steps: usize, end: usize| {
        let mut seen = Vec::new();
        let config = RenderConfig::new().with_steps(steps);
        let image = param::image([32, 32]);
        let render = render_on(&device, &network, &channel("fire2", 3), image, &config, |progress| {
            seen.push((progress.step, progress.value));
            if progress.step == end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (render.unwrap(), seen)
    };
    let ((whole, _), (ended, seen)) = (run(21, 21), run(40, 21));
    assert_eq!(ended.ending, Ending::Interrupted { step: 21 });
    assert_eq!(seen, ended.values.iter().copied().enumerate().collect::<Vec<_>>());
    assert_eq!((ended.values, ended.snapshots.len(), ended.snapshots[0].step), (whole.values, 1, 21));
    assert_eq!(ended.snapshots[0].images.to_data(), whole.snapshots[0].images.to_data());
}

#[test]
fn transforms_are_the_same() {
    let Some(device) = gpu("transforms_are_the_same") else { return };
    let images = random([2, 4, 40, 36]);
    let examples = transform::CATALOG.iter().map(|entry| entry.example);
    for text in examples.chain(["rotate(-30..30, bilinear)", "pad(2, reflect)", "standard"]) {
        let transform: Transform = text.parse().unwrap();
        if transform.check(images.dims()).is_ok() {
            assert_same(text, &device, &images, |x| transform.apply(x, &mut draws(0, Purpose::Transforms)));
        }
    }
}

#[test]
fn params_are_the_same() {
    let Some(device) = gpu("params_are_the_same") else { return };
    for entry in param::CATALOG {
        let parameterization: Parameterization = entry.example.parse().unwrap();
        let param = Param::from(param::image([36, 40]).with_parameterization(parameterization));
        let on = |device: &Device| {
            let mut first = draws(0, Purpose::Variables);
            let (prepared, variables) = Prepared::new([&param], &device.clone().autodiff(), &mut first);
            let variables: Vec<_> = variables.into_iter().map(Tensor::require_grad).collect();
            let image = prepared.evaluate(&variables, &mut draws(0, Purpose::Noise)).get(&param).unwrap();
            let gradients = (image.clone() * image.clone()).sum().backward();
            let gradients: Vec<_> = variables.iter().filter_map(|variable| variable.grad(&gradients)).collect();
            (image.inner().to_device(&Device::flex()), Tensor::cat(gradients, 0).to_device(&Device::flex()))
        };
        let ((image, gradients), (expected, slopes)) = (on(&device), on(&Device::flex()));
        assert_close(entry.example, image, expected, TOLERANCE);
        assert_close(&format!("the gradient of {}", entry.example), gradients, slopes, TOLERANCE);
    }
    let around = random([1, 3, 8, 8]) * 2.0 - 0.5;
    assert_same("constrain_l2", &device, &around, constrain_l2);
    assert_same("constrain_l_inf", &device, &around, constrain_l_inf);
    // Its gradient is a sign, of 0 where rounding decides.
    assert_same("constrain_l_inf_precondition", &device, &around, constrain_l_inf_precondition);
}

#[test]
fn objectives_are_the_same() {
    let Some(device) = gpu("objectives_are_the_same") else { return };
    let network = zoo::squeezenet_v1_1();
    let labels = network.description().labels.clone();
    let folder = tempfile::tempdir().unwrap();
    picture::save(&folder.path().join("photo.png"), &random([1, 3, 64, 64]), None).unwrap();
    for entry in objective::CATALOG {
        let mut objective: Objective = entry.example.parse().unwrap();
        objective.load(folder.path()).unwrap();
        let layers: Vec<String> = objective.layers().into_iter().filter(|layer| layer != "input").collect();
        let channels = if entry.name == "blur_alpha_each_step" { 4 } else { 3 };
        // Where rounding decides which side of a ReLU or which winner of a pool it is, gradients differ: then another image is
        // tried.
        let mut off = Vec::new();
        for brightness in [1.0, 0.99, 0.98] {
            let images = random([3, channels, 64, 64]) * brightness;
            let on = |device: &Device| {
                let images = images.clone().to_device(device).autodiff().require_grad();
                let activations = network.activations(images.clone().narrow(1, 0, 3), &layers).unwrap();
                let evaluated = Evaluated::new(images.clone(), activations).with_labels(labels.clone());
                let value = objective.value(&evaluated.step()).unwrap();
                let gradient = images.grad(&value.backward()).unwrap();
                (value.inner().to_device(&Device::flex()), gradient.to_device(&Device::flex()))
            };
            let ((value, gradient), (expected, slope)) = (on(&device), on(&Device::flex()));
            assert_close(entry.example, value, expected, TOLERANCE);
            let largest = |x: Tensor<4>| -> f32 { x.abs().max().into_scalar() };
            off.push(largest(gradient - slope.clone()) / largest(slope).max(f32::MIN_POSITIVE));
            if off.last() <= Some(&TOLERANCE) {
                break;
            }
        }
        assert!(off.last() <= Some(&TOLERANCE), "the gradient of {} is off by {off:?}", entry.example);
    }
}

#[test]
fn overridden_gradients_are_the_same() {
    let Some(device) = gpu("overridden_gradients_are_the_same") else { return };
    let network = zoo::squeezenet_v1_1();
    let images = random([2, 3, 40, 40]);
    for text in ["plain", "relu=redirected", "relu=identity", "pool=avg", "pool=L2"] {
        let gradients: GradientOverrides = text.parse().unwrap();
        assert_same(text, &device, &images, |x| {
            let shape = x.shape();
            let activations = network.activations_with(x, &["fire4"], &gradients, 0).unwrap();
            activations.map("fire4").unwrap().mean().expand(shape)
        });
    }
}

#[test]
fn optimizers_are_the_same() {
    let Some(device) = gpu("optimizers_are_the_same") else { return };
    for entry in optimizer::CATALOG {
        let optimizer: Optimizer = entry.example.parse().unwrap();
        let on = |device: &Device| {
            let device = device.clone().autodiff();
            let valley = Tensor::<1>::from_floats([0.5, 1.0, 3.0], &device);
            let loss = |variables: &[Tensor<1>]| {
                let x = variables[0].clone();
                Ok((x.clone() * x * valley.clone()).sum())
            };
            let mut variables = vec![Tensor::<1>::from_floats([1.0, -2.0, 3.0], &device).require_grad()];
            let mut descent = optimizer.start();
            for _ in 0..3 {
                let now = loss(&variables).unwrap();
                variables = descent.step(0.05, variables, now, loss).unwrap();
            }
            variables.remove(0).inner().to_device(&Device::flex())
        };
        assert_close(entry.example, on(&device), on(&Device::flex()), TOLERANCE);
    }
}

#[test]
fn a_network_sees_the_same() {
    let Some(device) = gpu("a_network_sees_the_same") else { return };
    let network = zoo::squeezenet_v1_1();
    let cat = format!("{}/../../fixtures/images/cat.png", env!("CARGO_MANIFEST_DIR"));
    let seen = |device: &Device| {
        let photo = picture::load_square(cat.as_ref(), 227, device).unwrap();
        let layer = network.description().probabilities.as_str();
        network.activations(photo, &[layer]).unwrap().map(layer).unwrap().to_device(&Device::flex())
    };
    assert_close("what is on the photo", seen(&device), seen(&Device::flex()), TOLERANCE);
}
