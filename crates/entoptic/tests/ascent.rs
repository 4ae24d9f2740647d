//! What holds of every run: objectives rise, params can become any image, gradients are true, seeds decide.

use std::ops::ControlFlow;

use burn::tensor::{Device, Tensor};
use entoptic::{
    Ending, Error, RenderConfig, Run,
    chance::{Purpose, draws},
    network::{GradientOverrides, zoo},
    objective::{Objective, channel, custom, neuron, neuron_at},
    optimizer::{Adam, AdamConfig},
    param::{self, Param, Parameterization, Prepared, Variables},
    picture, render, render_on,
    transform::{self, PadMode, Transform},
};
use rand::RngExt;

fn autodiff() -> Device {
    Device::flex().autodiff()
}

fn photo(name: &str, side: usize) -> Tensor<4> {
    let path = format!("{}/../../fixtures/images/{name}.png", env!("CARGO_MANIFEST_DIR"));
    picture::load_square(path.as_ref(), side, &Device::flex()).unwrap()
}

#[test]
fn every_objective_rises_under_ascent() {
    let network = zoo::squeezenet_v1_1();
    let objectives = [
        channel("fire4_pre_relu", 3),
        neuron("fire4_pre_relu", 3),
        neuron_at("fire2/expand3x3", 9, [1, 2]),
        channel("fire3", 1) - 0.5 * channel("fire2", 4),
        channel("fire3_pre_relu", 1) * channel("fire2_pre_relu", 4),
        custom("deepdream", ["fire3"], |step| {
            let a = step.map("fire3")?;
            Ok((a.clone() * a).mean())
        }),
    ];
    for objective in objectives {
        let config = RenderConfig::new()
            .with_steps(3)
            .with_transforms(transform::none())
            .with_optimizer(AdamConfig::new().with_learning_rate(0.1).into());
        let render = render(&network, &objective, param::image([32, 32]), &config).unwrap();
        assert!(render.final_value > render.values[0], "{objective}: {:?} then {}", render.values, render.final_value);
    }
}

#[test]
fn transparent_images_rise_on_random_backgrounds() {
    let image = param::image([40, 40]).with_alpha(true).with_batch(2);
    let transforms = transform::compose([transform::jitter(4), transform::collapse_alpha_random(0.5)]);
    let config = RenderConfig::new().with_steps(16).with_transforms(transforms);
    let render = render(&zoo::squeezenet_v1_1(), &channel("fire4_pre_relu", 3), image, &config).unwrap();
    assert_eq!(render.images().unwrap().dims(), [2, 4, 40, 40]);
    assert!(render.final_value > render.values[0], "{:?} then {}", render.values, render.final_value);
}

#[test]
fn every_param_can_become_a_photo() {
    let photo = photo("astronaut", 112).autodiff();
    for parameterization in [Parameterization::fourier(), Parameterization::Pixel] {
        let (map, mut variables) =
            prepared(param::image([112, 112]).with_parameterization(parameterization.clone()), 0);
        let mut adam = Adam::new(AdamConfig::new());
        let mut error = f32::INFINITY;
        for step in 0..1000 {
            let difference = map(&variables) - photo.clone();
            variables = adam.step(variables, &(difference.clone() * difference.clone()).mean().backward());
            if step % 50 == 49 {
                error = difference.abs().mean().into_scalar();
                if error < 0.01 {
                    break;
                }
            }
        }
        assert!(error < 0.01, "{parameterization:?}: mean error {error}");
    }
}

/// A param's map, for what does not change from step to step, and its first variables.
fn prepared(param: impl Into<Param>, seed: u64) -> (impl Fn(&[Tensor<1>]) -> Tensor<4>, Variables) {
    let param = param.into();
    let (prepared, variables) = Prepared::new([&param], &autodiff(), &mut draws(seed, Purpose::Variables));
    let map = move |variables: &[Tensor<1>]| {
        prepared.evaluate(variables, &mut draws(seed, Purpose::Noise)).get(&param).expect("it was prepared")
    };
    (map, variables.into_iter().map(Tensor::require_grad).collect())
}

/// The objective of images, through fixed transforms.
fn value(objective: &Objective, images: Tensor<4>, transforms: &Transform) -> Tensor<1> {
    let transformed = transforms.apply(images, &mut draws(5, Purpose::Transforms));
    entoptic::render::value_of(&zoo::squeezenet_v1_1(), objective, transformed).unwrap()
}

#[test]
fn gradients_agree_with_finite_differences() {
    // Rotation is left out: its gradient is not that of its value, see `transform::rotate`.
    let transforms = transform::compose([
        transform::pad(3, PadMode::Constant(0.5)),
        transform::pad(2, PadMode::Reflect),
        transform::pad(2, PadMode::Symmetric),
        transform::jitter(4),
        transform::random_scale([0.9, 1.1]),
    ]);
    let cases = [
        (channel("input", 1), Parameterization::Fourier { decay_power: 1.0 }, [20, 33], 1e-3),
        (channel("conv1_pre_relu", 7), Parameterization::Fourier { decay_power: 1.5 }, [33, 20], 1e-3),
        (channel("fire3", 5), Parameterization::Fourier { decay_power: 1.0 }, [31, 31], 2e-2),
        (channel("fire5_pre_relu", 20) - 0.3 * neuron("fire4", 3), Parameterization::Pixel, [40, 40], 2e-2),
        (channel("logits", 7) * channel("fire2", 3), Parameterization::Fourier { decay_power: 1.0 }, [64, 64], 2e-2),
    ];
    for (objective, parameterization, size, tolerance) in cases {
        let (map, mut variables) = prepared(param::image(size).with_parameterization(parameterization).with_sd(1.0), 1);
        let variable = variables.remove(0);
        let gradients = value(&objective, map(std::slice::from_ref(&variable)), &transforms).backward();
        let gradient = variable.grad(&gradients).unwrap();
        let slope: f32 = (gradient.clone() * gradient.clone()).sum().sqrt().into_scalar();
        let along = gradient / slope;
        let reach = 3e-3;
        let at = |distance: f32| -> f64 {
            let moved = variable.clone().inner() + along.clone() * distance;
            f64::from(value(&objective, map(&[moved.autodiff()]), &transforms).into_scalar::<f32>())
        };
        let measured = ((at(reach) - at(-reach)) / (2.0 * f64::from(reach))) as f32;
        assert!((measured / slope - 1.0).abs() < tolerance, "{objective}: gradient {slope}, measured {measured}");
    }
}

#[test]
fn a_seed_decides_everything() {
    let network = zoo::squeezenet_v1_1();
    let bytes = |seed: u64| -> Vec<f32> {
        let config = RenderConfig::new().with_steps(6).with_seed(seed);
        let render = render(&network, &channel("fire4", 3), param::image([40, 40]), &config).unwrap();
        render.images().unwrap().clone().try_into_vec_as().unwrap()
    };
    assert_eq!(bytes(3), bytes(3));
    assert_ne!(bytes(3), bytes(4));
}

#[test]
fn draws_are_the_same_on_every_machine() {
    let mut variables = draws(0, Purpose::Variables);
    let mut transforms = draws(0, Purpose::Transforms);
    assert_eq!([variables.random::<u32>(), variables.random()], [2_811_902_828, 3_045_455_719]);
    assert_eq!([transforms.random::<u32>(), transforms.random()], [3_369_373_459, 3_244_981_007]);
}

#[test]
fn snapshots_are_of_the_run_they_belong_to() {
    let network = zoo::squeezenet_v1_1();
    let run = |steps: usize, thresholds: Vec<usize>| {
        let config = RenderConfig::new().with_steps(steps).with_thresholds(thresholds);
        render(&network, &channel("fire3", 3), param::image([32, 32]).with_batch(2), &config).unwrap()
    };
    let long = run(8, vec![0, 3]);
    assert_eq!(long.snapshots.iter().map(|snapshot| snapshot.step).collect::<Vec<_>>(), [0, 3, 8]);
    assert_eq!(long.values.len(), 9);
    assert_eq!(long.snapshots[1].value, long.values[3]);
    for (i, steps) in [(0, 0), (1, 3)] {
        let short = run(steps, vec![]);
        assert_eq!(short.images().unwrap().to_data(), long.snapshots[i].images.to_data());
    }
    let short = run(3, vec![]);
    assert_eq!(short.images().unwrap().dims(), [2, 3, 32, 32]);
}

#[test]
fn a_run_that_is_stopped_keeps_its_image() {
    let (network, config) = (zoo::squeezenet_v1_1(), RenderConfig::new().with_steps(100));
    let stop_at_2 = |progress: entoptic::Progress<'_>| match progress.step {
        2 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let image = param::image([32, 32]);
    let stopped = render_on(&Device::flex(), &network, &channel("fire3", 3), &image, &config, stop_at_2).unwrap();
    assert_eq!(stopped.ending, Ending::Interrupted { step: 2 });
    let whole = render(&network, &channel("fire3", 3), &image, &config.with_steps(2)).unwrap();
    assert_eq!(stopped.images().unwrap().to_data(), whole.images().unwrap().to_data());
}

#[test]
fn a_run_without_a_value_ends_with_its_last_good_image() {
    let network = zoo::squeezenet_v1_1();
    // Rises fast, and then above what a logarithm takes.
    let fragile = custom("fragile", ["fire2"], |step| {
        let mean = step.map("fire2")?.mean();
        Ok((mean.clone().sub_scalar(1e3)).log() + mean)
    });
    let image = param::image([32, 32]);
    let config = RenderConfig::new().with_steps(20);
    let never = render(&network, &fragile, &image, &config).unwrap();
    assert_eq!(never.ending, Ending::NotFinite { step: 0 });
    assert!(never.images().is_none() && never.final_value.is_nan());

    let breaks_off = std::sync::atomic::AtomicUsize::new(0);
    let later = custom("later", ["fire2"], move |step| {
        let evaluation = breaks_off.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mean = step.map("fire2")?.mean();
        Ok(if evaluation == 5 { mean.mul_scalar(f32::NAN) } else { mean })
    });
    let broken = render(&network, &later, &image, &config).unwrap();
    assert_eq!(broken.ending, Ending::NotFinite { step: 5 });
    assert_eq!(broken.snapshots.last().unwrap().step, 4);
    let good = render(&network, &channel_mean(), &image, &config.clone().with_steps(4)).unwrap();
    assert_eq!(broken.images().unwrap().to_data(), good.images().unwrap().to_data());

    // The first update leaves no image at all, which shows where a snapshot is due.
    let wild = config.with_optimizer(AdamConfig::new().with_learning_rate(1e38).into()).with_thresholds(vec![0]);
    let wild = render(&network, &channel_mean(), &image, &wild).unwrap();
    assert_eq!((wild.ending, wild.snapshots.len()), (Ending::NotFinite { step: 1 }, 0));
}

fn channel_mean() -> Objective {
    custom("mean", ["fire2"], |step| Ok(step.map("fire2")?.mean()))
}

#[test]
fn what_cannot_be_done_is_said_before_the_run() {
    let network = zoo::squeezenet_v1_1();
    let message = |objective: Objective, size: usize, change: fn(&mut Run)| -> String {
        let mut run = Run::new(objective, param::image([size, size]));
        change(&mut run);
        let unseen = |_: entoptic::Progress<'_>| panic!("the run started");
        let error: Error = run.render(&network, &Device::flex(), unseen).unwrap_err();
        error.to_string()
    };
    let nothing: fn(&mut Run) = |_| {};
    let table = [
        (channel("fire55", 1), 64, nothing, "no layer `fire55`; the nearest are `fire5`, `fire2`, `fire3`"),
        (channel("fire5", 256), 64, nothing, "layer `fire5` has no channel 256; its channels are 0 to 255"),
        (channel("fire5", 1).batch(1), 64, nothing, "there is no image 1 in a batch of 1; images count from 0"),
        (
            neuron_at("fire5", 1, [7, 9]),
            64,
            nothing,
            "layer `fire5` has no position [7, 9]; on images of this run it can be as small as 7 high and 7 wide",
        ),
        (channel("fire9", 1), 9, nothing, "an image of 9x9 is too small for layer `fire9`, which needs 31x31"),
        (channel("fire9", 1), 0, nothing, "the image size cannot be 0; it is 1 pixel or more"),
        (
            channel("fire9", 1),
            10_000,
            nothing,
            "the images cannot be 1 of 10000x10000; 8192x8192 is the most, for one of them and for all together",
        ),
        (
            channel("fire9", 1),
            64,
            |run| run.render.thresholds = vec![3, 600],
            "a threshold cannot be 600; it is the last step or one before it",
        ),
        (
            channel("fire9", 1),
            64,
            |run| run.render.optimizer.set_learning_rate(-1.0),
            "the learning rate cannot be -1; it is above 0, such as 0.05",
        ),
        (channel("fire9", 1), 64, |run| run.param.batch = 0, "the batch cannot be 0; it is 1 image or more"),
        (
            channel("fire9", 1),
            64,
            |run| run.render.transforms = transform::jitter(64),
            "the jitter cannot be 64; it is less than the image's side",
        ),
        (
            channel("fire9", 1),
            64,
            |run| run.render.gradients = GradientOverrides::none().with_plain_layer("logits"),
            "layer `logits` cannot be overridden: its kind is global mean; only ReLUs and max pools can be",
        ),
        (Objective::from(2.0), 64, nothing, "the objective cannot be 2; it reads a layer"),
    ];
    for (objective, size, change, expected) in table {
        assert_eq!(message(objective, size, change), expected);
    }
}

#[test]
fn a_picture_says_how_it_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.png");
    let mut run = Run::new("fire3:5 - 0.5*neuron(fire2, 3, [1, 2])".parse().unwrap(), param::image([24, 32]));
    run.render.seed = u64::MAX;
    let images = Tensor::<4>::random([2, 3, 24, 32], burn::tensor::Distribution::Default, &Device::flex());
    picture::save(&path, &images, Some(&run)).unwrap();
    assert_eq!(picture::description(&path).unwrap(), run);
    let seen = picture::load(&path, &Device::flex()).unwrap();
    let side_by_side = Tensor::cat(vec![images.clone().narrow(0, 0, 1), images.narrow(0, 1, 1)], 3);
    let off: f32 = (seen - side_by_side).abs().max().into_scalar();
    assert!(off <= 0.5 / 255.0 + 1e-6, "{off}");
    picture::save(&path, &Tensor::zeros([1, 3, 4, 4], &Device::flex()), None).unwrap();
    assert!(matches!(picture::description(&path), Err(Error::NoDescription { .. })));
    assert_eq!(folder.path().read_dir().unwrap().count(), 1, "no temporary file is left");
}
