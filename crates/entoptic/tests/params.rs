//! Parameterizations agree with Lucid's own numbers, and their gradients are true.

use burn::tensor::{Device, Distribution, Tensor, activation};
use entoptic::{
    Error,
    chance::{Purpose, draws},
    optimizer::{Adam, AdamConfig},
    param::{
        self, Cppn, CppnActivation, ImageSample, ImageSampleConfig, Offset, bilinearly_sampled_image,
        color::{self, Squash, from_valid_rgb, to_valid_rgb},
        laplacian_pyramid, level_sizes, lowres, maco,
        unit_ball::{constrain_l_inf, constrain_l_inf_precondition, constrain_l2},
    },
    picture, resize_bilinear_nd,
};
use entoptic_fixtures::{Fixture, assert_close, value_and_gradient};
use serde_json::Value;

fn device() -> Device {
    Device::flex().autodiff()
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as().expect("tensors hold f32")
}

fn largest<const D: usize>(tensor: Tensor<D>) -> f32 {
    tensor.abs().max().into_scalar()
}

/// Asserts that along its gradient a number changes as fast as the gradient says.
fn assert_gradient<const D: usize>(what: &str, x: Tensor<D>, reach: f32, map: impl Fn(Tensor<D>) -> Tensor<1>) {
    let one = Tensor::<1>::ones([1], &device());
    let (_, gradient) = value_and_gradient(x.clone().autodiff(), one, &map);
    let slope: f32 = (gradient.clone() * gradient.clone()).sum().sqrt().into_scalar();
    let along = gradient * (reach / slope);
    let at = |sign: f32| f64::from(map((x.clone() + along.clone() * sign).autodiff()).into_scalar::<f32>());
    let measured = ((at(1.0) - at(-1.0)) / (2.0 * f64::from(reach))) as f32;
    assert!(slope > 0.0 && (measured / slope - 1.0).abs() < 5e-3, "{what}: gradient {slope}, measured {measured}");
}

/// Weights without a pattern, to make one number of a tensor.
fn weights<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| (1.3 * i as f32 + 0.7 * (i * i % 101) as f32).sin()).collect();
    Tensor::<1>::from_floats(values.as_slice(), device).reshape(shape)
}

fn sizes<const D: usize>(list: &Value) -> [usize; D] {
    let sizes: Vec<usize> = list.as_array().unwrap().iter().map(|side| side.as_u64().unwrap() as usize).collect();
    sizes.try_into().unwrap()
}

fn photo(name: &str, side: usize) -> Tensor<4> {
    let path = format!("{}/../../fixtures/images/{name}.png", env!("CARGO_MANIFEST_DIR"));
    picture::load_square(path.as_ref(), side, &Device::flex()).unwrap()
}

#[test]
fn valid_rgb() {
    let fixture = Fixture::open("to_valid_rgb");
    let cases = fixture.cases("decorrelate");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let argument = |name: &str| fixture.argument(&case, name).as_bool().unwrap();
        let squash = if argument("sigmoid") { Squash::Sigmoid } else { Squash::Clip };
        let t = fixture.nchw(&format!("{case}/in/t"), &device());
        let g = fixture.nchw(&format!("{case}/in/G"), &device());
        let (rgb, gradient) = value_and_gradient(t, g, |t| to_valid_rgb(t, argument("decorrelate"), squash));
        assert_close(&case, rgb, fixture.nchw(&format!("{case}/out/rgb"), &Device::flex()), 1e-6);
        assert_close(&case, gradient, fixture.nchw(&format!("{case}/out/dt"), &Device::flex()), 1e-6);
    }
    let constant = |name: &str| fixture.values(&format!("constants/out/{name}")).1;
    assert_eq!(constant("color_mean"), color::COLOR_MEAN);
    assert_eq!(constant("color_correlation_svd_sqrt"), color::COLOR_CORRELATION_SVD_SQRT.concat());
    let t = fixture.nchw("linear_decorrelate/in/t", &Device::flex());
    let mixed = color::mix(t, color::decorrelation(&Device::flex()));
    assert_close("mix", mixed, fixture.nchw("linear_decorrelate/out/out", &Device::flex()), 1e-6);
}

#[test]
fn photos_come_back_from_unbounded_numbers() {
    let photo = photo("coffee", 64);
    for (decorrelate, squash) in
        [(true, Squash::Sigmoid), (false, Squash::Sigmoid), (true, Squash::Clip), (false, Squash::Clip)]
    {
        let again = to_valid_rgb(from_valid_rgb(photo.clone(), decorrelate, squash), decorrelate, squash);
        let off = largest(again - photo.clone());
        assert!(off < 0.5 / 255.0, "{decorrelate} {squash:?}: {off}");
    }
    let [_, _, h, w] = photo.dims();
    for size @ [h, w] in [[h, w], [h - 5, w - 1]] {
        let photo = photo.clone().narrow(2, 0, h).narrow(3, 0, w);
        let colors = from_valid_rgb(photo.clone(), true, Squash::Sigmoid).reshape([3, h, w]);
        let variable = param::fourier_inverse(size, 1.0, &Device::flex())(colors);
        let colors = param::fourier(3, size, 1.0, &Device::flex())(variable).reshape([1, 3, h, w]);
        let off = largest(to_valid_rgb(colors, true, Squash::Sigmoid) - photo);
        assert!(off < 0.5 / 255.0, "{size:?}: {off}");
    }
    let extremes = Tensor::<4>::from_floats([[[[0.0]], [[1.0]], [[0.5]]]], &Device::flex());
    assert!(largest(from_valid_rgb(extremes, true, Squash::Sigmoid)).is_finite());
}

#[test]
fn unit_balls() {
    let fixture = Fixture::open("unit_balls");
    for case in fixture.cases("constrain") {
        let x = fixture.tensor::<2>(&format!("{case}/in/x"), &device());
        let g = fixture.tensor::<2>(&format!("{case}/in/g"), &device());
        let (y, dx) = value_and_gradient(x, g, |x| match &case {
            case if case.contains("L2") => constrain_l2(x),
            case if case.contains("precondition") => constrain_l_inf_precondition(x),
            _ => constrain_l_inf(x),
        });
        assert_close(&case, y, fixture.tensor(&format!("{case}/out/y"), &Device::flex()), 1e-6);
        assert_close(&case, dx, fixture.tensor(&format!("{case}/out/dx"), &Device::flex()), 1e-6);
    }
}

#[test]
fn unit_balls_step_by_step() {
    let fixture = Fixture::open("unit_balls");
    type Constrain = fn(Tensor<1>) -> Tensor<1>;
    let balls: [(&str, Constrain); 3] = [
        ("unit_ball_L2_trajectory", constrain_l2),
        ("unit_ball_L_inf_trajectory", constrain_l_inf_precondition),
        ("unit_ball_L_inf_noprecond_trajectory", constrain_l_inf),
    ];
    for (case, constrain) in balls {
        let expected = |name: &str| fixture.tensor::<2>(&format!("{case}/out/{name}"), &Device::flex());
        let coefficients = Tensor::<1>::from_floats([3.0, 2.0, -1.0], &device());
        let mut variable = Tensor::<1>::zeros([3], &device());
        for step in 0..24 {
            let sign = if step < 12 { -1.0 } else { 1.0 };
            let (_, gradient) = value_and_gradient(variable.clone(), coefficients.clone() * sign, constrain);
            variable = (variable.inner() - gradient * 0.1).autodiff();
            let row = |name: &str| expected(name).narrow(0, step, 1).reshape([3]);
            assert_close(&format!("{case} {step}"), variable.clone().inner(), row("variable"), 1e-6);
            assert_close(&format!("{case} {step}"), constrain(variable.clone()).inner(), row("ball"), 1e-6);
        }
    }
}

#[test]
fn fourier_images_come_from_any_planes() {
    for size in [[16, 20], [15, 20], [16, 21], [31, 13], [1, 1], [1, 2], [2, 1], [5, 4]] {
        for decay_power in [0.0, 1.0, 1.5, 3.0] {
            let planes = Tensor::<3>::random([2, size[0], size[1]], Distribution::Normal(0.0, 1.0), &Device::flex());
            let variable = param::fourier_inverse(size, decay_power, &Device::flex())(planes.clone());
            let again = param::fourier(2, size, decay_power, &Device::flex())(variable);
            assert_close(&format!("{size:?} {decay_power}"), again, planes, 1e-4);
        }
    }
}

#[test]
fn a_spectrum_of_an_even_width_is_the_only_one_of_its_image() {
    let fixture = Fixture::open("fft_image");
    let mut compared = 0;
    for case in fixture.cases("").into_iter().filter(|case| !case.starts_with("freqs")) {
        let [n, h, w, c] = sizes(fixture.argument(&case, "shape"));
        if w % 2 == 1 {
            continue;
        }
        let decay_power = fixture.argument(&case, "decay_power").as_f64().unwrap();
        let image = fixture.nchw(&format!("{case}/out/image"), &Device::flex()).reshape([n * c, h, w]);
        let spectrum = param::fourier_inverse([h, w], decay_power, &Device::flex())(image);
        let spectrum = spectrum.reshape([2, n * c, h, w / 2 + 1]);
        let expected = fixture.tensor::<5>(&format!("{case}/in/var"), &Device::flex()).reshape(spectrum.dims());
        // The first and the last column of a real image's spectrum mirror themselves: half of them says nothing.
        let inner = |spectrum: Tensor<4>| spectrum.narrow(3, 1, w / 2 - 1);
        assert_close(&case, inner(spectrum), inner(expected), 1e-3);
        compared += 1;
    }
    assert!(compared >= 5, "{compared}");
}

#[test]
fn random_images() {
    let fixture = Fixture::open("image_sample");
    for case in fixture.cases("") {
        let [n, h, w, c] = sizes(fixture.argument(&case, "shape"));
        assert_eq!(c, 3);
        let argument = |name: &str| fixture.argument(&case, name);
        let config = ImageSampleConfig::new()
            .with_sd(argument("sd").as_f64().unwrap_or(0.01))
            .with_decay_power(argument("decay_power").as_f64().unwrap())
            .with_decorrelate(argument("decorrelate").as_bool().unwrap());
        let noise: Vec<Tensor<5>> = (0..n)
            .map(|image| fixture.tensor::<4>(&format!("{case}/in/noise_{image}"), &Device::flex()))
            .map(|noise| noise.unsqueeze_dim(1))
            .collect();
        let image = ImageSample::new(n, [h, w], &config, &Device::flex()).image(Tensor::cat(noise, 1).reshape([-1]));
        assert_close(&case, image, fixture.nchw(&format!("{case}/out/image"), &Device::flex()), 1e-5);
    }
}

/// A case of a map between tensors of `D` axes, in whichever order: value and gradient.
fn compare<const D: usize>(
    fixture: &Fixture,
    case: &str,
    [variable, gradient]: [&str; 2],
    map: impl Fn(Tensor<D>) -> Tensor<D>,
) {
    let x = fixture.tensor::<D>(&format!("{case}/in/{variable}"), &device());
    let g = fixture.tensor::<D>(&format!("{case}/in/G"), &device());
    let (out, dx) = value_and_gradient(x, g, map);
    assert_close(case, out, fixture.tensor(&format!("{case}/out/out"), &Device::flex()), 1e-6);
    assert_close(case, dx, fixture.tensor(&format!("{case}/out/{gradient}"), &Device::flex()), 1e-6);
}

#[test]
fn resizing() {
    fn resize<const D: usize>(fixture: &Fixture, case: &str, to: &Value) {
        compare::<D>(fixture, case, ["t", "dt"], |t| resize_bilinear_nd(t, sizes(to)));
    }
    let fixture = Fixture::open("resize_bilinear_nd");
    for case in fixture.cases("").into_iter().filter(|case| case != "collapse_shape") {
        let to = fixture.argument(&case, "to");
        match to.as_array().unwrap().len() {
            1 => resize::<1>(&fixture, &case, to),
            2 => resize::<2>(&fixture, &case, to),
            3 => resize::<3>(&fixture, &case, to),
            4 => resize::<4>(&fixture, &case, to),
            5 => resize::<5>(&fixture, &case, to),
            rank => panic!("{case}: rank {rank}"),
        }
    }
}

#[test]
fn low_resolution() {
    fn offset(offset: &Value) -> Offset {
        match offset {
            Value::Null | Value::Bool(false) => Offset::None,
            Value::Bool(true) => Offset::Half,
            number => Offset::By(number.as_f64().unwrap() as usize),
        }
    }
    fn low<const D: usize>(fixture: &Fixture, case: &str) {
        let offsets = match fixture.argument(case, "offset") {
            Value::Array(each) => each.iter().map(offset).collect::<Vec<_>>().try_into().unwrap(),
            all => [offset(all); D],
        };
        compare::<D>(fixture, case, ["var", "dvar"], |small| {
            lowres(small, sizes(fixture.argument(case, "shape")), offsets)
        });
    }
    let fixture = Fixture::open("lowres_tensor");
    let cases = fixture.cases("");
    assert_eq!(cases.len(), 12);
    for case in cases {
        match fixture.argument(&case, "shape").as_array().unwrap().len() {
            3 => low::<3>(&fixture, &case),
            4 => low::<4>(&fixture, &case),
            rank => panic!("{case}: rank {rank}"),
        }
    }
}

#[test]
#[should_panic(expected = "4 places cannot be mirrored 5 wide")]
fn more_than_there_is_cannot_be_mirrored() {
    lowres(Tensor::<1>::zeros([2], &Device::flex()), [4], [Offset::By(5)]);
}

#[test]
fn pyramids() {
    fn pyramid<const D: usize>(fixture: &Fixture, case: &str, levels: usize) {
        let variables: Vec<Tensor<D>> =
            (0..levels).map(|i| fixture.tensor(&format!("{case}/in/var{i}"), &device()).require_grad()).collect();
        let [.., h, w, _] = variables[0].dims()[..] else { panic!("{case}: rank {D}") };
        let expected = level_sizes([h, w], levels).unwrap();
        for (variable, size) in variables.iter().zip(expected) {
            assert_eq!(variable.dims()[D - 3..D - 1], size);
        }
        let image = laplacian_pyramid(&variables);
        let g = fixture.tensor::<D>(&format!("{case}/in/G"), &device());
        let gradients = (image.clone() * g).sum().backward();
        assert_close(case, image.inner(), fixture.tensor(&format!("{case}/out/image"), &Device::flex()), 1e-6);
        for (i, variable) in variables.iter().enumerate() {
            let expected = fixture.tensor::<D>(&format!("{case}/out/dvar{i}"), &Device::flex());
            assert_close(&format!("{case} {i}"), variable.grad(&gradients).unwrap(), expected, 1e-6);
        }
    }
    let fixture = Fixture::open("laplacian_pyramid_image");
    for case in fixture.cases("") {
        let levels = fixture.argument(&case, "n_levels").as_u64().unwrap() as usize;
        match fixture.argument(&case, "shape").as_array().unwrap().len() {
            3 => pyramid::<3>(&fixture, &case, levels),
            _ => pyramid::<4>(&fixture, &case, levels),
        }
    }
}

#[test]
fn a_pyramid_has_as_many_levels_as_its_size_allows() {
    assert_eq!(level_sizes([7, 40], 3).unwrap(), [[7, 40], [3, 20], [1, 10]]);
    for (size, levels) in [([7, 40], 4), ([7, 40], 0), ([0, 4], 1)] {
        assert!(matches!(level_sizes(size, levels), Err(Error::OutOfRange { .. })), "{size:?} {levels}");
    }
}

#[test]
fn textures() {
    let fixture = Fixture::open("bilinearly_sampled_image");
    let channels_first = |name: &str, device: &Device| fixture.tensor::<3>(name, device).permute([2, 0, 1]).unsqueeze();
    let texture: Tensor<4> = channels_first("random/in/texture", &device());
    let uv: Tensor<3> = fixture.tensor("random/in/uv", &device());
    let g = channels_first("random/in/G", &device());
    let (image, gradient) =
        value_and_gradient(texture.clone(), g, |texture| bilinearly_sampled_image(texture, uv.clone()));
    assert_close("image", image, channels_first("random/out/out", &Device::flex()), 1e-6);
    assert_close("gradient", gradient, channels_first("random/out/dtexture", &Device::flex()), 1e-6);

    let image: Tensor<4> = bilinearly_sampled_image(
        channels_first("lucid_test/in/texture", &Device::flex()),
        fixture.tensor("lucid_test/in/uv", &Device::flex()),
    );
    assert_close("Lucid's test", image, channels_first("lucid_test/out/out", &Device::flex()), 1e-6);
}

/// The table of Lucid's own test: places in texels, and what a 2x3 texture of 0 to 5 has there.
#[test]
fn a_texture_repeats_and_blends() {
    let table = [
        ([0.0, 0.0], 0.0),
        ([1.0, 1.0], 4.0),
        ([0.5, 0.5], 2.0),
        ([0.5, 0.0], 0.5),
        ([0.0, 0.5], 1.5),
        ([-1.0, -1.0], 5.0),
        ([3.0, 1.0], 3.0),
        ([2.5, 1.5], 2.5),
        ([5.5, 3.5], 2.5),
    ];
    // The rows are given from the bottom up.
    let texture = Tensor::<4>::from_floats([[[[3.0, 4.0, 5.0], [0.0, 1.0, 2.0]]]], &Device::flex());
    for ([x, y], expected) in table {
        let uv = Tensor::<3>::from_floats([[[(x + 0.5) / 3.0, (y + 0.5) / 2.0]]], &Device::flex());
        let found: f32 = bilinearly_sampled_image(texture.clone(), uv).into_scalar();
        assert!((found - expected).abs() < 5e-7, "{x} {y}: {found}, not {expected}");
    }
}

fn cppn(fixture: &Fixture, case: &str) -> Cppn {
    let number = |name: &str, default: usize| fixture.argument(case, name).as_u64().map_or(default, |n| n as usize);
    Cppn::new()
        .with_channels(number("num_output_channels", 3))
        .with_hidden_channels(number("num_hidden_channels", 24))
        .with_layers(number("num_layers", 8))
        .with_normalize(fixture.argument(case, "normalize").as_bool().unwrap_or(false))
        .with_activation(match fixture.argument(case, "activation").as_str().unwrap() {
            "composite_biased" => CppnActivation::Composite,
            "composite_unbiased" => CppnActivation::CompositeUnbiased,
            "relu_normalized" => CppnActivation::ReluNormalized,
            other => panic!("{case}: {other}"),
        })
}

/// A stored variable as ours: weights `[out, in]`, flat.
fn cppn_variable(fixture: &Fixture, name: &str, device: &Device) -> Tensor<1> {
    match fixture.values(name).0[..] {
        [1, 1, ..] => {
            let weights: Tensor<4> = fixture.tensor(name, device);
            weights.permute([0, 1, 3, 2]).reshape([-1])
        }
        _ => fixture.tensor(name, device),
    }
}

#[test]
fn pattern_producing_networks() {
    let fixture = Fixture::open("cppn");
    let mut compared = 0;
    for case in fixture.cases("").into_iter().filter(|case| case != "initialisation_measured") {
        let cppn = cppn(&fixture, &case);
        let names: Vec<String> = (0..=cppn.layers)
            .flat_map(|layer| {
                let normalized = cppn.normalize && layer < cppn.layers;
                let kinds = if normalized { &["w", "b", "beta", "gamma"][..] } else { &["w", "b"] };
                kinds.iter().map(move |kind| format!("{kind}{layer}"))
            })
            .collect();
        let last_bias = names.last().unwrap();
        let variables: Vec<Tensor<1>> = names
            .iter()
            .map(|name| cppn_variable(&fixture, &format!("{case}/in/{name}"), &device()).require_grad())
            .collect();
        let side = fixture.argument(&case, "width").as_u64().unwrap() as usize;
        let g = fixture.nchw(&format!("{case}/in/G"), &device());
        let image = cppn.image(&variables, [side, side]).expand(g.dims());
        let gradients = (image.clone() * g).sum().backward();
        assert_close(&case, image.inner(), fixture.nchw(&format!("{case}/out/image"), &Device::flex()), 1e-5);
        for (name, variable) in names.iter().zip(&variables) {
            let gradient = variable.grad(&gradients).unwrap();
            let expected = cppn_variable(&fixture, &format!("{case}/out/d{name}"), &Device::flex());
            if cppn.normalize && name.starts_with('b') && !name.starts_with("beta") && name != last_bias {
                // What is normalized has no mean: both gradients are rounding errors of 0.
                assert!(largest(gradient).max(largest(expected)) < 1e-4, "{case} {name}");
            } else {
                assert_close(&format!("{case} {name}"), gradient, expected, 1e-4);
            }
        }
        compared += 1;
    }
    assert_eq!(compared, 5);
}

#[test]
fn pattern_producing_networks_start_as_lucids() {
    let fixture = Fixture::open("cppn");
    let measured = fixture.argument("initialisation_measured", "variables").as_array().unwrap();
    let cppn = Cppn::new().with_hidden_channels(400).with_layers(2);
    let variables = cppn.variables(&mut draws(3, Purpose::Variables), &Device::flex());
    assert_eq!(variables.len(), measured.len());
    for (variable, measured) in variables.into_iter().zip(measured) {
        let name = measured["name"].as_str().unwrap();
        let values = host(variable);
        let count = values.len() as f64;
        let product: u64 = measured["shape"].as_array().unwrap().iter().map(|side| side.as_u64().unwrap()).product();
        assert_eq!(values.len() as u64, product, "{name}");
        let sd = (values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / count).sqrt();
        let expected = measured["std"].as_f64().unwrap();
        // Both are samples: four standard errors each.
        assert!((sd - expected).abs() <= 8.0 * expected / (2.0 * count).sqrt(), "{name}: {sd}, not {expected}");
        if name == "Conv_1/weights:0" {
            let most = f64::from(values.iter().fold(0.0f32, |most, v| most.max(v.abs()))) / sd;
            let expected = measured["max_over_std"].as_f64().unwrap();
            assert!((most - expected).abs() < 0.01, "cut off at {most}, not {expected}");
        }
    }
}

#[test]
fn a_pattern_producing_network_normalizes_and_shows_edges() {
    for activation in [CppnActivation::Abs, CppnActivation::Composite] {
        let cppn = Cppn::new().with_layers(2).with_hidden_channels(5).with_activation(activation).with_normalize(true);
        let mut variables = cppn.variables(&mut draws(1, Purpose::Variables), &Device::flex());
        let last = variables.len() - 2;
        variables[last] = weights(variables[last].dims(), &Device::flex());
        assert_gradient(&format!("{activation:?}"), variables[0].clone(), 1e-3, |variable| {
            let mut variables: Vec<_> = variables.iter().map(|variable| variable.clone().autodiff()).collect();
            variables[0] = variable;
            let image = cppn.image(&variables, [6, 9]);
            (image.clone() * weights(image.dims(), &device())).sum()
        });
    }
    assert!(Cppn::new().with_layers(0).check().is_err());
    assert!(Cppn::new().check().is_ok());
}

/// Two corners dark, two bright: what no single layer can do.
#[test]
fn a_pattern_producing_network_can_become_xor() {
    let cppn = Cppn::new();
    let corners = |image: Tensor<4>| -> Tensor<2> {
        let image = image.narrow(1, 0, 1).reshape([16, 16]);
        let columns = Tensor::cat(vec![image.clone().narrow(1, 0, 1), image.narrow(1, 15, 1)], 1);
        Tensor::cat(vec![columns.clone().narrow(0, 0, 1), columns.narrow(0, 15, 1)], 0)
    };
    let expected = Tensor::<2>::from_floats([[0.0, 1.0], [1.0, 0.0]], &device());
    let error = |seed: u64| -> f32 {
        let mut variables: Vec<Tensor<1>> = cppn
            .variables(&mut draws(seed, Purpose::Variables), &device())
            .into_iter()
            .map(Tensor::require_grad)
            .collect();
        let mut adam = Adam::new(AdamConfig::new().with_learning_rate(0.01));
        let mut error = f32::INFINITY;
        for _ in 0..200 {
            let difference = corners(cppn.image(&variables, [16, 16])) - expected.clone();
            error = largest(difference.clone().inner());
            if error < 0.01 {
                break;
            }
            let loss = (difference.clone() * difference).mean();
            variables = adam.step(variables, &loss.backward());
        }
        error
    };
    let errors: Vec<f32> = (0..3).map(error).collect();
    assert!(errors.iter().any(|&error| error < 0.01), "{errors:?}");
}

#[test]
fn maco_images_have_the_magnitudes_they_are_given() {
    let size @ [h, w] = [24, 32];
    let magnitudes = maco::imagenet_magnitudes(size, &Device::flex());
    let phases = maco::phases(2, size, &mut draws(0, Purpose::Variables), &Device::flex());
    let images = maco::map(2, size, magnitudes.clone())(phases);
    assert_eq!(images.dims(), [2, 3, h, w]);
    let colors = from_valid_rgb(images, true, Squash::Sigmoid).reshape([6, h, w]);
    // Without decay every coefficient has the same scale.
    let spectrum = param::fourier_inverse(size, 0.0, &Device::flex())(colors).reshape([2, 2, 3, h, w / 2 + 1]);
    let found = (spectrum.clone() * spectrum).sum_dim(0).sqrt().reshape([2, 3, h, w / 2 + 1]);
    // Waves that mirror themselves are real: their magnitude depends on their phase.
    let inner = |magnitudes: Tensor<4>| magnitudes.narrow(3, 1, w / 2 - 1);
    for image in 0..2 {
        let found = inner(found.clone().narrow(0, image, 1));
        let template = inner(magnitudes.clone().unsqueeze());
        let scale = found.clone().sum() / template.clone().sum();
        assert_close("magnitudes", found, template * scale.reshape([1, 1, 1, 1]), 1e-3);
    }
}

#[test]
fn imagenet_magnitudes_are_near_the_published_ones() {
    let magnitudes = host(maco::imagenet_magnitudes([512, 512], &Device::flex()));
    let at = |color: usize, y: usize, x: usize| magnitudes[(color * 512 + y) * 257 + x];
    // The published mean spectrum at a few places, but none on the cross that the borders of photos make.
    let published = [
        (0, 0, 0, 255_052.2),
        (1, 0, 0, 269_510.8),
        (2, 0, 0, 227_829.1),
        (0, 1, 1, 49_735.7),
        (1, 2, 2, 20_767.0),
        (0, 16, 16, 1524.695),
        (0, 64, 64, 184.7314),
        (0, 128, 128, 37.264),
        (0, 208, 208, 1.543_778),
    ];
    for (color, y, x, expected) in published {
        let ratio = at(color, y, x) / expected;
        assert!((ratio - 1.0).abs() < 0.35, "{color} {y} {x}: {}, not {expected}", at(color, y, x));
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    let total = |image: Tensor<4>| (image.clone() * weights(image.dims(), &device())).sum();
    for size @ [h, w] in [[8, 10], [7, 9]] {
        let magnitudes = || maco::imagenet_magnitudes(size, &device());
        let phases = maco::phases(2, size, &mut draws(2, Purpose::Variables), &Device::flex());
        assert_gradient("maco", phases, 1e-2, |phases| total(maco::map(2, size, magnitudes())(phases)));

        let planes = weights([6, h, w], &Device::flex());
        assert_gradient("inverse Fourier", planes, 1e-1, |planes| {
            let spectrum = param::fourier_inverse(size, 1.0, &device())(planes);
            (spectrum.clone() * weights(spectrum.dims(), &device())).sum()
        });
    }
    let uv = Tensor::<3>::from_floats([[[0.21, 0.37], [0.83, 0.12]], [[0.55, 0.9], [0.05, 0.61]]], &Device::flex());
    let texture = weights([2, 3, 4, 5], &device());
    assert_gradient("coordinates", uv, 1e-3, |uv| total(bilinearly_sampled_image(texture.clone(), uv)));
    let rgb = activation::sigmoid(weights([1, 3, 4, 5], &Device::flex()));
    for squash in [Squash::Sigmoid, Squash::Clip] {
        assert_gradient("from RGB", rgb.clone(), 1e-2, |rgb| total(from_valid_rgb(rgb, true, squash)));
    }
}
