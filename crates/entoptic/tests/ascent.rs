//! What holds of every run: objectives rise, params can become any image, seeds decide.

use std::{collections::HashSet, ops::ControlFlow};

use burn::tensor::{Device, Tensor};
use entoptic::{
    Array, Ending, Error, RenderConfig, Run,
    chance::{Purpose, draws},
    network::{GradientOverrides, zoo},
    objective::{
        self, BoundaryConfig, Distance, Given, L2_EPSILON, Objective, StyleConfig, StyleTarget, WhitenedConfig,
        alignment, blur_alpha_each_step, blur_input_each_step, channel, channel_interpolate, class_logit, custom,
        deepdream, direction, direction_neuron, direction_neuron_at, direction_neuron_s, diversity, dot_compare, gram,
        input_diff, l1, l2, layer, neuron, neuron_at, of_param, penalize_boundary_complexity, style, tensor_direction,
        total_variation,
    },
    optimizer::{Adam, AdamConfig},
    param::{self, Colors, Image, Param, Parameterization, Prepared, Variables},
    picture, render, render_on, resize_bilinear_nd, transform,
};
use rand::RngExt;

fn autodiff() -> Device {
    Device::flex().autodiff()
}

fn photo(name: &str, side: usize) -> Tensor<4> {
    let path = format!("{}/../../fixtures/images/{name}.png", env!("CARGO_MANIFEST_DIR"));
    picture::load_square(path.as_ref(), side, &Device::flex()).unwrap()
}

/// A direction among the 16 channels that fire2 is squeezed to.
const DIRECTION: [f32; 16] = [1.0, 0.0, -0.5, 0.0, 2.0, 0.0, 0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];

/// All kinds of objectives, in the direction in which they are to rise; those above the last are of color images.
fn objectives() -> Vec<Objective> {
    let squeezed = "fire2/squeeze1x1";
    let photo = photo("coffee", 32);
    let identity: Vec<f32> = (0..16 * 16).map(|i| if i % 17 == 0 { 2.0 } else { 0.1 }).collect();
    let fire2 = zoo::squeezenet_v1_1().activations(photo.clone(), &["fire2"]).unwrap().map("fire2").unwrap();
    let coffee = StyleTarget::Gram(Given::from(&gram(fire2).reshape([128, 128])));
    let block = Array::new([16, 2, 2], DIRECTION.iter().flat_map(|&v| [v, 0.5 * v, 0.0, -v]).collect());
    let left = Array::new([1, 2], vec![1.0, 0.0]);
    let mut objectives = vec![
        channel("fire4_pre_relu", 3),
        channel("logits", 285),
        neuron("fire4_pre_relu", 3),
        neuron_at("fire2/expand3x3", 9, [1, 2]),
        layer("fire3"),
        deepdream("fire3"),
        tensor_direction(squeezed, block.clone(), 0.0),
        tensor_direction(squeezed, block, 2.0),
        direction_neuron_s(squeezed, DIRECTION, WhitenedConfig::new().with_cossim_pow(2.0)),
        direction_neuron_s(squeezed, DIRECTION, WhitenedConfig::new().with_position(Some([1, 2])))
            .whitened(Array::new([16, 16], identity)),
        class_logit("logits", 285),
        class_logit("logits", "Egyptian cat"),
        channel_interpolate(("fire3", 5), ("fire2", 4)),
        alignment("fire3", 2.0),
        -diversity("fire3"),
        dot_compare("fire3", 0.0),
        dot_compare("fire3", 1.0).batch(1),
        -style("fire2", StyleTarget::Image(0), StyleConfig::new()).batch(1),
        -style("fire2", coffee.clone(), StyleConfig::new().with_distance(Distance::L2)),
        -style("fire2", coffee, StyleConfig::new().with_ema_decay(Some(0.5))),
        -input_diff(&photo),
        -total_variation("input"),
        -total_variation("fire3"),
        -l1("input", 0.5),
        -l2("fire2", 0.1, L2_EPSILON),
        -blur_input_each_step(),
        penalize_boundary_complexity(BoundaryConfig::new().with_width(5)),
        penalize_boundary_complexity(BoundaryConfig::new()).masked(left.clone()),
        // What objectives are made to be by what is said of them, and of one another.
        channel("fire3", 1) - 0.5 * channel("fire2", 4),
        channel("fire3_pre_relu", 1) * channel("fire2_pre_relu", 4),
        -(neuron("fire3_pre_relu", 20) - 60.0).abs() / 2.0,
        channel("fire3", 1).batch(1),
        channel("fire3", 1).masked(left),
        channel("fire3", 1).on("squeezenet_v1_1"),
        custom("contrast", ["fire3"], |step| {
            let a = step.map("fire3")?;
            Ok(a.clone().max() - a.mean())
        }),
    ];
    for cossim_pow in [0.0, 2.0] {
        objectives.push(direction(squeezed, DIRECTION, cossim_pow));
        objectives.push(direction_neuron(squeezed, DIRECTION, cossim_pow));
        objectives.push(direction_neuron_at(squeezed, DIRECTION, [1, 2], cossim_pow));
    }
    objectives.push(-blur_alpha_each_step());
    objectives
}

/// Whether three steps of Adam raise an objective, without transforms.
fn rises(objective: &Objective, param: impl Into<Param>) {
    let config = RenderConfig::new()
        .with_steps(2)
        .with_transforms(transform::none())
        .with_optimizer(AdamConfig::new().with_learning_rate(0.1).into());
    let render = render(&zoo::squeezenet_v1_1(), objective, param, &config).unwrap();
    assert!(render.final_value > render.values[0], "{objective}: {:?} then {}", render.values, render.final_value);
}

#[test]
fn every_objective_rises_under_ascent() {
    let objectives = objectives();
    let (transparent, colored) = objectives.split_last().unwrap();
    // Strong enough that there is something to blur, to align and to make plain.
    let image = param::image([32, 32]).with_batch(2).with_sd(0.3);
    for objective in colored {
        rises(objective, &image);
    }
    rises(transparent, image.with_alpha(true));
    let image = Param::from(param::image([32, 32]));
    rises(&of_param("green", &image.channels(1..2), Tensor::mean), &image);

    let texts: Vec<String> = objectives.iter().map(Objective::to_string).collect();
    let words: HashSet<&str> =
        texts.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_')).collect();
    for entry in objective::CATALOG {
        assert!(words.contains(entry.name), "nothing of the kind `{}` rises", entry.name);
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

/// The mean error that is left when a param was fitted to `images` by up to 1000 steps of Adam.
fn fitted(image: &Image, images: &Tensor<4>) -> f32 {
    let images = images.clone().autodiff();
    let (map, mut variables) = prepared(image, 0);
    let mut adam = Adam::new(AdamConfig::new());
    let mut error = f32::INFINITY;
    for step in 0..1000 {
        let difference = map(&variables) - images.clone();
        variables = adam.step(variables, &(difference.clone() * difference.clone()).mean().backward());
        if step % 25 == 24 {
            error = difference.abs().mean().into_scalar();
            if error < 0.01 {
                break;
            }
        }
    }
    error
}

/// A photo as colors have it: gray ones are gray. With alpha it is as opaque as another photo is bright.
fn seen_as(photos: [&Tensor<4>; 2], colors: Colors, alpha: bool) -> Tensor<4> {
    let [photo, other] = photos.map(Clone::clone);
    let photo = match colors {
        Colors::Gray => photo.mean_dim(1).expand([-1, 3, -1, -1]),
        _ => photo,
    };
    match alpha {
        true => Tensor::cat(vec![photo, other.mean_dim(1)], 1),
        false => photo,
    }
}

const STARTING: [Parameterization; 3] =
    [Parameterization::Fourier { decay_power: 1.0 }, Parameterization::Pixel, Parameterization::Pyramid { levels: 4 }];

const COLORS: [Colors; 3] = [Colors::Decorrelated, Colors::Rgb, Colors::Gray];

#[test]
fn every_param_can_become_a_photo() {
    let photos = [&photo("astronaut", 112), &photo("coffee", 112)];
    for parameterization in STARTING {
        for (colors, alpha) in COLORS.into_iter().flat_map(|colors| [(colors, false), (colors, true)]) {
            let image = param::image([112, 112])
                .with_parameterization(parameterization.clone())
                .with_colors(colors)
                .with_alpha(alpha);
            let error = fitted(&image, &seen_as(photos, colors, alpha));
            assert!(error < 0.01, "{parameterization} {colors:?}, alpha {alpha}: mean error {error}");
        }
    }
    // Of the others, CPPNs become XOR (`params.rs`), maco's magnitudes are fixed and balls are around what they are
    // given. What is coarse can become a coarse photo:
    let coarse = resize_bilinear_nd(photo("astronaut", 28), [1, 3, 112, 112]);
    let image = param::image([112, 112]).with_parameterization(Parameterization::Lowres { factor: 4 });
    let error = fitted(&image, &coarse);
    assert!(error < 0.01, "lowres: mean error {error}");
    assert!(fitted(&image, photos[0]) > 0.01, "no coarse image is a sharp one");
}

#[test]
fn an_image_starts_at_the_photo_it_is_given() {
    for size @ [h, w] in [[64, 64], [63, 64], [64, 61], [33, 47]] {
        let part = |name: &str| photo(name, 64).narrow(2, 0, h).narrow(3, 0, w);
        let photos = [&part("cat"), &part("coffee")];
        for parameterization in STARTING.into_iter().chain(["fourier(1.5)".parse().unwrap()]) {
            for (colors, alpha) in COLORS.into_iter().flat_map(|colors| [(colors, false), (colors, true)]) {
                let image = param::image(size)
                    .with_parameterization(parameterization.clone())
                    .with_colors(colors)
                    .with_alpha(alpha);
                let photo = seen_as(photos, colors, alpha);
                let off = largest(first_value(image.starting_at(&photo).unwrap()) - photo);
                assert!(off < 1.0 / 255.0, "{parameterization} {colors:?} of {size:?}, alpha {alpha}: off by {off}");
            }
        }
    }
    // Black and white are as close as a sigmoid comes to them.
    let checkers = Tensor::<4>::from_floats([[[[0.0, 1.0], [1.0, 0.0]]]], &Device::flex()).repeat(&[1, 3, 1, 1]);
    let off = largest(first_value(param::image([2, 2]).starting_at(&checkers).unwrap()) - checkers);
    assert!((1e-4..0.6 / 255.0).contains(&off), "{off}");
    // A batch starts at one photo each, or all at the same; without opacity of its own a photo is half transparent.
    let two = Tensor::cat(vec![photo("cat", 32), photo("coffee", 32)], 0);
    let image = param::image([32, 32]).with_batch(2).with_alpha(true);
    let each = first_value(image.starting_at(&two).unwrap());
    assert!(largest(each.clone().narrow(1, 0, 3) - two.clone()) < 1.0 / 255.0);
    assert!(largest(each.narrow(1, 3, 1) - 0.5) < 1e-4);
    let same = first_value(image.starting_at(&two.narrow(0, 0, 1)).unwrap());
    assert!(largest(same.clone().narrow(0, 0, 1) - same.narrow(0, 1, 1)) < 1e-6);
    for parameterization in ["lowres", "cppn", "maco"] {
        let image = param::image([32, 32]).with_parameterization(parameterization.parse().unwrap());
        assert!(matches!(image.starting_at(&photo("cat", 32)), Err(Error::NoStart { .. })), "{parameterization}");
    }
    assert!(matches!(param::image([32, 31]).starting_at(&photo("cat", 32)), Err(Error::WrongShape { .. })));
}

#[test]
fn an_adversarial_image_raises_another_class_and_stays_in_its_ball() {
    let photo = photo("cat", 64);
    type Norm = fn(Tensor<4>) -> f32;
    let balls: [(&str, f32, Norm); 2] = [("ball(l2, 0.5)", 0.5, length), ("ball(l_inf, 0.02)", 0.02, largest)];
    for (ball, radius, norm) in balls {
        let image = param::image([64, 64]).with_parameterization(ball.parse().unwrap()).starting_at(&photo).unwrap();
        let config = RenderConfig::new().with_steps(20).with_transforms(transform::none());
        let config = config.with_gradients(GradientOverrides::none());
        let render = render(&zoo::squeezenet_v1_1(), &class_logit("logits", "espresso"), image, &config).unwrap();
        let adversarial = render.images().unwrap().clone();
        let distance = norm(adversarial.clone() - photo.clone());
        assert!((0.3 * radius..1.0001 * radius).contains(&distance), "{ball}: {distance}");
        assert!(render.final_value > render.values[0] + 1.0, "{ball}: {:?}", render.values);
        assert!(largest(adversarial - 0.5) <= 0.5);
    }
    let transparent = param::image([64, 64]).with_parameterization("ball(l2, 0.5)".parse().unwrap()).with_alpha(true);
    let image = transparent.starting_at(&photo).unwrap();
    assert_eq!(image.shape(), Param::from(&transparent).shape());
}

fn largest(tensor: Tensor<4>) -> f32 {
    tensor.abs().max().into_scalar()
}

fn length(tensor: Tensor<4>) -> f32 {
    tensor.powi_scalar(2).sum().sqrt().into_scalar()
}

/// What a param is before the first step.
fn first_value(param: Param) -> Tensor<4> {
    let (map, variables) = prepared(param, 0);
    map(&variables).inner()
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
