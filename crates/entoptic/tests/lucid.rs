//! Params, objectives, transforms, the optimizer and whole runs agree with Lucid's own numbers.

use burn::tensor::{Device, Tensor};
use entoptic::{
    chance::{Purpose, draws},
    network::{GradientOverrides, Network, relu_overrides, zoo},
    objective::{Evaluated, Objective, channel, channel_interpolate, deepdream, neuron},
    optimizer::{Adam, AdamConfig},
    param::{self, Colors, ImageSample, ImageSampleConfig, Param, Parameterization, Prepared},
    transform::{
        Choice, PadMode, collapse_alpha, compose, crop, crop_or_pad, jitter, normalized_gradient, pad, pad_image,
        random_rotate, random_scale, rotate, scale, scaled, standard,
    },
};
use entoptic_fixtures::{Fixture, assert_close, mini_5h, models_folder, value_and_gradient};
use rand::RngExt;

fn device() -> Device {
    Device::flex().autodiff()
}

/// Lucid's π, `transform.py`.
#[allow(clippy::approx_constant)]
const LUCID_PI: f64 = 3.14;

/// Degrees as Lucid converts them.
fn lucid_radians(degrees: f64) -> f32 {
    (degrees * LUCID_PI / 180.0) as f32
}

#[test]
fn fourier_images_before_color() {
    let fixture = Fixture::open("fft_image");
    for case in fixture.cases("").into_iter().filter(|case| !case.starts_with("freqs")) {
        let shape = fixture.argument(&case, "shape").as_array().unwrap();
        let [n, h, w, c] = [0, 1, 2, 3].map(|i| shape[i].as_u64().unwrap() as usize);
        let decay_power = fixture.argument(&case, "decay_power").as_f64().unwrap();
        let variable: Tensor<5> = fixture.tensor(&format!("{case}/in/var"), &device());
        let g = fixture.nchw(&format!("{case}/in/G"), &device());
        let (image, gradient) = value_and_gradient(variable, g, |variable| {
            let flat = variable.reshape([-1]);
            param::fourier(n * c, [h, w], decay_power, &device())(flat).reshape([n, c, h, w])
        });
        let expected = Device::flex();
        assert_close(&case, image, fixture.nchw(&format!("{case}/out/image"), &expected), 1e-5);
        assert_close(&case, gradient, fixture.tensor(&format!("{case}/out/dvar"), &expected), 1e-5);
    }
}

#[test]
fn images() {
    let fixture = Fixture::open("image");
    let mut compared = 0;
    for case in fixture.cases("") {
        let argument = |name: &str| fixture.argument(&case, name);
        let has = |name: &str| !argument(name).is_null();
        if !has("w") {
            continue;
        }
        let side = |name: &str| argument(name).as_u64().map(|side| side as usize);
        let w = side("w").unwrap();
        let flag = |name: &str, default: bool| argument(name).as_bool().unwrap_or(default);
        let colors = match side("channels") {
            _ if case.starts_with("grayscale") => Colors::Gray,
            Some(channels) => Colors::Channels(channels),
            None if flag("decorrelate", true) => Colors::Decorrelated,
            None => Colors::Rgb,
        };
        let image = param::image([side("h").unwrap_or(w), w])
            .with_batch(side("batch").unwrap_or(1))
            .with_parameterization(if flag("fft", true) {
                Parameterization::fourier()
            } else {
                Parameterization::Pixel
            })
            .with_colors(colors)
            // Lucid does not look at alpha where it is told how many channels there are.
            .with_alpha(flag("alpha", false) && !has("channels"));
        let g = fixture.nchw(&format!("{case}/in/G"), &device());
        // A pixel basis is stored [n, h, w, c].
        let (shape, values) = fixture.values(&format!("{case}/in/var"));
        let variable: Tensor<1> = Tensor::from_floats(values.as_slice(), &device());
        let (value, gradient) = value_and_gradient(variable, g, |variable| {
            let variable = match shape[..] {
                [n, h, w, c] => variable.reshape([n, h, w, c]).permute([0, 3, 1, 2]).reshape([-1]),
                _ => variable,
            };
            image_of(&image, &[variable])
        });
        let expected = Device::flex();
        assert_close(&case, value, fixture.nchw(&format!("{case}/out/image"), &expected), 1e-5);
        let dvar: Tensor<1> = Tensor::from_floats(fixture.values(&format!("{case}/out/dvar")).1.as_slice(), &expected);
        assert_close(&case, gradient, dvar, 1e-5);
        compared += 1;
    }
    assert_eq!(compared, 13);
}

#[test]
fn images_start_as_faint_as_lucids() {
    let fixture = Fixture::open("image");
    let measured = |name: &str| fixture.argument("initial_sd_measured", name).as_f64().unwrap();
    for (basis, parameterization) in [("fft", Parameterization::fourier()), ("pixel", Parameterization::Pixel)] {
        let image = param::image([64, 64]).with_parameterization(parameterization);
        for (sd, image) in [("None", image.clone()), ("0.5", image.with_sd(0.5))] {
            let (_, variables) = Prepared::new([&image.into()], &Device::flex(), &mut draws(0, Purpose::Variables));
            let variables: Tensor<1> = Tensor::cat(variables, 0);
            let found: f32 = variables.clone().powi_scalar(2).mean().sqrt().into_scalar();
            let ratio = f64::from(found) / measured(&format!("{basis}_image_sd_{sd}"));
            // Two samples of some thousand numbers each.
            assert!((ratio - 1.0).abs() < 0.03, "{basis} {sd}: {ratio}");
        }
    }
}

/// The image that a param makes of these variables.
fn image_of(param: impl Into<Param>, variables: &[Tensor<1>]) -> Tensor<4> {
    let param = param.into();
    let (prepared, _) = Prepared::new([&param], &device(), &mut draws(0, Purpose::Variables));
    prepared.evaluate(variables, &mut draws(0, Purpose::Noise)).get(&param).expect("it was prepared")
}

#[test]
fn valid_rgb() {
    let fixture = Fixture::open("to_valid_rgb");
    for decorrelate in [0, 1] {
        let case = format!("decorrelate_{decorrelate}_sigmoid_1");
        let t = fixture.nchw(&format!("{case}/in/t"), &device());
        let g = fixture.nchw(&format!("{case}/in/G"), &device());
        let [n, _, h, w] = t.dims();
        let colors = if decorrelate == 1 { Colors::Decorrelated } else { Colors::Rgb };
        let image =
            param::image([h, w]).with_batch(n).with_parameterization(Parameterization::Pixel).with_colors(colors);
        let (rgb, gradient) = value_and_gradient(t, g, |t| image_of(&image, &[t.reshape([-1])]));
        assert_close(&case, rgb, fixture.nchw(&format!("{case}/out/rgb"), &Device::flex()), 1e-6);
        assert_close(&case, gradient, fixture.nchw(&format!("{case}/out/dt"), &Device::flex()), 1e-6);
    }
}

#[test]
fn adam() {
    let fixture = Fixture::open("adam");
    for case in fixture.cases("") {
        let tensor = |name: &str| fixture.tensor::<1>(&format!("{case}/{name}"), &device());
        let learning_rate = fixture.argument(&case, "lr").as_f64().unwrap();
        let mut adam = Adam::new(AdamConfig::new().with_learning_rate(learning_rate));
        let mut variables = vec![tensor("in/x0").require_grad()];
        let (shape, expected) = fixture.values(&format!("{case}/out/x"));
        for (step, expected) in expected.chunks(shape[1]).enumerate() {
            let x = variables[0].clone();
            let loss = match case.starts_with("quadratic") {
                true => {
                    let difference = x - tensor("in/c");
                    (tensor("in/A") * difference.clone() * difference).sum()
                }
                false => (x * tensor("in/k")).sum(),
            };
            variables = adam.step(variables, &loss.backward());
            let expected: Tensor<1> = Tensor::from_floats(expected, &Device::flex());
            assert_close(&format!("{case} step {step}"), variables[0].clone().inner(), expected, 1e-5);
        }
    }
}

#[test]
fn pads_crops_alpha_and_normalized_gradients() {
    let fixture = Fixture::open("transforms");
    let mut compared = 0;
    for case in fixture.cases("") {
        let argument = |name: &str| fixture.argument(&case, name);
        let Some(stored) = argument("x").as_str() else { continue };
        let number = |name: &str| argument(name).as_u64().map(|n| n as usize);
        let transform: Box<dyn Fn(Tensor<4>) -> Tensor<4>> = if case.starts_with("pad") {
            let width = number("w").unwrap();
            let mode = match (argument("mode").as_str().unwrap(), argument("constant_value").as_f64()) {
                ("REFLECT", _) => PadMode::Reflect,
                ("SYMMETRIC", _) => PadMode::Symmetric,
                (_, Some(value)) => PadMode::Constant(value as f32),
                (_, None) => PadMode::Constant(fixture.number(&format!("{case}/in/value"))),
            };
            Box::new(move |x| pad_image(x, width, mode))
        } else if case.starts_with("jitter") {
            let d = number("d").unwrap();
            let offset = fixture.indices(&format!("{case}/in/offset"));
            let Ok([_, y, x, _]) = <[usize; 4]>::try_from(offset) else { continue };
            Box::new(move |images| {
                let [_, _, h, w] = images.dims();
                crop(images, [y, x], [h - d, w - d])
            })
        } else if case.starts_with("crop_or_pad") {
            let size = [number("height").unwrap(), number("width").unwrap()];
            Box::new(move |x| crop_or_pad(x, size))
        } else if case.starts_with("normalize_gradient") {
            let lengths: Option<Vec<f64>> = argument("grad_scales")
                .as_array()
                .map(|lengths| lengths.iter().map(|length| length.as_f64().unwrap()).collect());
            Box::new(move |x| normalized_gradient(x, lengths.as_deref()))
        } else if case.starts_with("collapse_alpha") {
            let noise = [0, 1].map(|image| fixture.tensor::<4>(&format!("{case}/in/noise_{image}"), &device()));
            let sd = argument("sd").as_f64().unwrap();
            // [2, n, 3, h, columns]: real parts of all images first.
            let noise = Tensor::stack::<5>(noise.to_vec(), 1).reshape([-1]);
            let config = ImageSampleConfig::new().with_sd(sd);
            let backgrounds = ImageSample::new(2, [16, 18], &config, &device()).image(noise);
            Box::new(move |x| collapse_alpha(x, backgrounds.clone()))
        } else {
            panic!("{case} is no known transform")
        };
        let x = fixture.nchw(&format!("tensors/in/{stored}"), &device());
        let g = fixture.nchw(&format!("{case}/in/G"), &device());
        let (out, dx) = value_and_gradient(x, g, transform);
        assert_close(&case, out, fixture.nchw(&format!("{case}/out/out"), &Device::flex()), 1e-6);
        assert_close(&case, dx, fixture.nchw(&format!("{case}/out/dx"), &Device::flex()), 1e-6);
        compared += 1;
    }
    assert_eq!(compared, 15, "all but the jitter of a single image, which has no batch");
}

#[test]
fn scales_and_rotations() {
    let fixture = Fixture::open("transforms_scale_rotate");
    let mut compared = 0;
    for case in fixture.cases("r") {
        let Some(stored) = fixture.argument(&case, "x").as_str() else { continue };
        let rotates = case.contains("rotate");
        let first = |name: &str| fixture.argument(&case, name)[0].as_f64();
        let units = fixture.argument(&case, "units").as_str().unwrap_or("degrees");
        let transform: Box<dyn Fn(Tensor<4>) -> Tensor<4>> = match (first("scales"), first("angles")) {
            (Some(factor), _) => Box::new(move |x| scale(x, factor as f32)),
            (_, Some(angle)) if units == "degrees" => Box::new(move |x| rotate(x, lucid_radians(angle))),
            (_, Some(angle)) => Box::new(move |x| rotate(x, angle as f32)),
            _ => panic!("{case}: no scale and no angle"),
        };
        let x = fixture.nchw(&format!("tensors/in/{stored}"), &device());
        if case.starts_with("rotate_index_map") {
            let expected = fixture.nchw(&format!("{case}/out/out"), &Device::flex());
            assert_close(&case, transform(x).inner(), expected, 0.0);
            continue;
        }
        let g = fixture.nchw(&format!("{case}/in/G"), &device());
        let (out, dx) = value_and_gradient(x, g, transform);
        let tolerance = if rotates { 0.0 } else { 1e-6 };
        assert_close(&case, out, fixture.nchw(&format!("{case}/out/out"), &Device::flex()), tolerance);
        assert_close(&case, dx, fixture.nchw(&format!("{case}/out/dx"), &Device::flex()), tolerance);
        compared += 1;
    }
    assert!(compared >= 15, "{compared}");
}

#[test]
fn scaled_sizes_are_truncated_in_single_precision() {
    let fixture = Fixture::open("transforms_scale_rotate");
    let scales = fixture.argument("random_scale_sizes", "scales").as_array().unwrap();
    let (shape, sizes) = fixture.values("random_scale_sizes/out/sizes");
    for (factor, sizes) in scales.iter().zip(sizes.chunks(shape[1])) {
        let factor = factor.as_f64().unwrap() as f32;
        for (side, &expected) in (1..).zip(sizes) {
            assert_eq!(scaled([side, side], factor), [expected as usize; 2], "{factor} * {side}");
        }
    }
    assert_eq!(scaled([150, 50], 1.06), [158, 52]);
}

/// Lucid's standard transforms with draws that were captured there.
struct Captured {
    jitter8: Vec<usize>,
    scale: Vec<usize>,
    angle: Vec<usize>,
    jitter4: Vec<usize>,
}

impl Captured {
    fn read(fixture: &Fixture, case: &str) -> Self {
        let indices = |name: &str| fixture.indices(&format!("{case}/in/{name}"));
        Self {
            jitter8: indices("jitter8_offset"),
            scale: indices("scale_index"),
            angle: indices("angle_index"),
            jitter4: indices("jitter4_offset"),
        }
    }

    fn apply(&self, images: Tensor<4>, draw: usize) -> Tensor<4> {
        let jitter = |images: Tensor<4>, d: usize, offsets: &[usize]| {
            let [_, _, h, w] = images.dims();
            crop(images, [offsets[4 * draw + 1], offsets[4 * draw + 2]], [h - d, w - d])
        };
        let images = jitter(pad_image(images, 12, PadMode::Constant(0.5)), 8, &self.jitter8);
        let images = scale(images, (1.0 + (self.scale[draw] as f64 - 5.0) / 50.0) as f32);
        let degrees = if self.angle[draw] < 21 { self.angle[draw] as f64 - 10.0 } else { 0.0 };
        jitter(rotate(images, lucid_radians(degrees)), 4, &self.jitter4)
    }
}

#[test]
fn standard_transforms() {
    let fixture = Fixture::open("standard_transforms");
    let table = |name: &str| -> Choice {
        let numbers = fixture.argument("tables", name).as_array().unwrap();
        numbers.iter().map(|number| number.as_f64().unwrap()).collect()
    };
    let lucids = compose([
        pad(12, PadMode::Constant(0.5)),
        jitter(8),
        random_scale(table("scales")),
        random_rotate(table("angles")),
        jitter(4),
    ]);
    assert_eq!(standard(), lucids);
    for case in fixture.cases("draw") {
        let draws = Captured::read(&fixture, &case);
        let x = fixture.nchw(&format!("{case}/in/x"), &device());
        let g = fixture.nchw(&format!("{case}/in/G"), &device());
        let (out, dx) = value_and_gradient(x, g, |x| draws.apply(x, 0));
        assert_close(&case, out, fixture.nchw(&format!("{case}/out/out"), &Device::flex()), 1e-5);
        assert_close(&case, dx, fixture.nchw(&format!("{case}/out/dx"), &Device::flex()), 1e-5);
    }
}

/// A whole run of Lucid's loop from a given variable, held against its losses, its first gradient and its last image.
struct WholeRun<'a> {
    network: &'a Network,
    fixture: &'a Fixture,
    case: &'a str,
    size: usize,
    objective: Objective,
    relu_override: bool,
}

/// A max pool whose two largest inputs are equal but for rounding sends its gradient to either of them, and Adam makes
/// much of small gradients. So a run counts as Lucid's if it is for the variable itself or for one of these many whose
/// numbers are moved by as little as networks' sums differ, where those ties may fall the other way.
const ROUNDINGS: u64 = 400;

/// The numbers, or for other roundings than 0 a little moved: all together, and each for itself.
fn rounded(numbers: &[f32], rounding: u64) -> Vec<f32> {
    let mut rng = draws(rounding, Purpose::Variables);
    let most: f32 = if rounding.is_multiple_of(2) { 1e-5 } else { 1e-6 };
    let shift = rng.random_range(-most..most);
    let mut moved = |number: f32| number * (1.0 + shift + rng.random_range(-most..most));
    if rounding == 0 { numbers.to_vec() } else { numbers.iter().map(|&number| moved(number)).collect() }
}

impl WholeRun<'_> {
    /// `strict` losses agree to 1e-4 of the largest, the others to 3e-2; if all are strict, so does the last image.
    fn agrees(&self, strict: usize) {
        let failures = (0..ROUNDINGS).map_while(|rounding| self.compare(rounding, strict).err());
        let failures: Vec<String> = failures.collect();
        assert!(failures.len() < ROUNDINGS as usize, "{}, with each rounding: {}", self.case, failures[0]);
    }

    fn compare(&self, rounding: u64, strict: usize) -> Result<(), String> {
        let Self { network, fixture, case, size, objective, relu_override } = self;
        let (shape, values) = fixture.values(&format!("{case}/in/var"));
        let image = param::image([*size, *size]).with_batch(shape[1]);
        let map = |variables: &[Tensor<1>]| image_of(&image, variables);
        let draws = (!fixture.argument(case, "transforms").is_array()).then(|| Captured::read(fixture, case));
        let (_, losses) = fixture.values(&format!("{case}/out/loss"));
        let largest = losses.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        let overrides = if *relu_override { relu_overrides() } else { GradientOverrides::none() };
        let mut adam = Adam::new(AdamConfig::new());
        let variable = Tensor::<1>::from_floats(rounded(&values, rounding).as_slice(), &device());
        let mut variables = vec![variable.require_grad()];
        for (step, &expected) in losses.iter().enumerate() {
            let image = map(&variables);
            let transformed = draws.as_ref().map_or(image.clone(), |draws| draws.apply(image.clone(), step));
            let mut layers = objective.layers();
            layers.retain(|layer| layer != "input");
            let activations = network.activations_with(transformed, &layers, &overrides, step).unwrap();
            let value = objective.value(&Evaluated::new(image, activations).step()).unwrap();
            let gradients = (-value.clone()).backward();
            let value: f32 = value.into_scalar();
            let tolerance = if step < strict { 1e-4 } else { 3e-2 };
            if (value - expected).abs() > tolerance * largest {
                return Err(format!("{value} is not {expected} at step {step}"));
            }
            if step == 0 && !relu_override {
                let found: Vec<f32> = variables[0].grad(&gradients).unwrap().try_into_vec_as().unwrap();
                self.close("gradient", &found, &fixture.values(&format!("{case}/out/grad0")).1, 1e-5)?;
            }
            variables = adam.step(variables, &gradients);
        }
        if strict < losses.len() {
            return Ok(());
        }
        let expected = fixture.nchw(&format!("{case}/out/image_after"), &Device::flex());
        let image: Vec<f32> = map(&variables).inner().try_into_vec_as().unwrap();
        self.close("image", &image, &expected.try_into_vec_as::<f32>().unwrap(), 1e-3)
    }

    fn close(&self, what: &str, found: &[f32], expected: &[f32], tolerance: f32) -> Result<(), String> {
        let largest = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        let off = found.iter().zip(expected).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
        match off <= tolerance * largest {
            true => Ok(()),
            false => Err(format!("{what} off by {off}, the largest is {largest}")),
        }
    }
}

#[test]
fn whole_runs_on_a_small_network() {
    let (network, fixture) = (mini_5h(), Fixture::open("e2e_mini_5h"));
    let table = [
        ("channel_4a_pre_relu", channel("mixed4a_pre_relu", 20)),
        ("channel_4a_override", channel("mixed4a", 20)),
        ("channel_4a_no_override", channel("mixed4a", 20)),
        ("neuron_4d_override", neuron("mixed4d", 7)),
        ("dead_channel_5b_override", channel("mixed5b", 3)),
        ("dead_channel_5b_no_override", channel("mixed5b", 3)),
        ("interp_batch3", channel_interpolate(("mixed4a", 3), ("mixed4a", 11))),
        (
            "blur_penalty",
            "mixed4b:5 - 0.5*blur_input_each_step + 0.001*penalize_boundary_complexity(width=4)".parse().unwrap(),
        ),
        ("standard_transforms", channel("mixed4a", 20)),
    ];
    for (case, objective) in table {
        let relu_override = fixture.argument(case, "relu_gradient_override").as_bool().unwrap();
        WholeRun { network: &network, fixture: &fixture, case, size: 40, objective, relu_override }.agrees(24);
    }
}

#[test]
fn whole_runs_on_googlenet() {
    let Some(folder) = models_folder("whole_runs_on_googlenet") else { return };
    let network = zoo::open("googlenet_bvlc", &folder).unwrap();
    let fixture = Fixture::open("e2e_googlenet_bvlc");
    // Three runs pass through further ties later on: they are held strictly until then.
    let table = [
        ("4c_output_37_plain", channel("inception_4c_output", 37), 24),
        ("4c_output_37_override", channel("inception_4c_output", 37), 24),
        ("4d_3x3_pre_relu_100", channel("inception_4d_3x3/BiasAdd", 100), 12),
        ("4a_output_101_standard", channel("inception_4a_output", 101), 8),
        ("3b_deepdream_sd0.5", deepdream("inception_3b_output"), 17),
    ];
    for (case, objective, strict) in table {
        let relu_override = fixture.argument(case, "relu_gradient_override").as_bool().unwrap();
        WholeRun { network: &network, fixture: &fixture, case, size: 64, objective, relu_override }.agrees(strict);
    }
}
