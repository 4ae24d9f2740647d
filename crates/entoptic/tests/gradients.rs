//! Gradients are true, and pass nowhere else: through params, transforms, objectives, masks, one network and several.

use burn::tensor::{Device, Tensor};
use entoptic::{
    Array, Error, Networks, RenderConfig,
    chance::{Purpose, draws},
    network::zoo,
    objective::{Distance, Objective, StyleConfig, StyleTarget, channel, l2, layer, neuron, style},
    param::{
        self, Param, Parameterization, Prepared, ValidRgb, Variables, color::Squash, fft_image,
        laplacian_pyramid_image, lowres_tensor, pixel_image, random_choice, sigmoid, stack, stack_channels,
        to_valid_rgb,
    },
    picture, render,
    render::value_of,
    transform::{self, PadMode, Transform},
};
use entoptic_fixtures::{assert_close, mini_5h};

fn photo(name: &str, side: usize) -> Tensor<4> {
    let path = format!("{}/../../fixtures/images/{name}.png", env!("CARGO_MANIFEST_DIR"));
    picture::load_square(path.as_ref(), side, &Device::flex()).unwrap()
}

fn largest<const D: usize>(tensor: Tensor<D>) -> f32 {
    tensor.abs().max().into_scalar()
}

/// Weights without a pattern, to make one number of a tensor.
fn weights<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| (1.3 * i as f32 + 0.7 * (i * i % 101) as f32).sin()).collect();
    Tensor::<1>::from_floats(values.as_slice(), device).reshape(shape)
}

/// Asserts that along its gradient a number of `variables` changes as fast as the gradient says.
///
/// It moves by `reach`, a length in the space of all variables.
#[track_caller]
fn assert_gradient(
    what: &str,
    variables: Variables,
    [reach, tolerance]: [f32; 2],
    number: impl Fn(&[Tensor<1>]) -> Tensor<1>,
) {
    let variables: Variables =
        variables.into_iter().map(|variable| variable.inner().autodiff().require_grad()).collect();
    let gradients = number(&variables).backward();
    // What is blocked has no gradient.
    let gradients: Variables =
        variables.iter().map(|x| x.grad(&gradients).unwrap_or_else(|| x.clone().inner().zeros_like())).collect();
    let square = |gradient: &Tensor<1>| -> f32 { (gradient.clone() * gradient.clone()).sum().into_scalar() };
    let slope = gradients.iter().map(square).sum::<f32>().sqrt();
    let at = |distance: f32| {
        let moved = variables.iter().zip(&gradients);
        let moved = moved.map(|(x, gradient)| (x.clone().inner() + gradient.clone() * (distance / slope)).autodiff());
        f64::from(number(&moved.collect::<Vec<_>>()).into_scalar::<f32>())
    };
    let measured = ((at(reach) - at(-reach)) / (2.0 * f64::from(reach))) as f32;
    assert!(slope > 0.0 && (measured / slope - 1.0).abs() < tolerance, "{what}: gradient {slope}, measured {measured}");
}

/// A param's value for given variables, always of the same draws of chance, and its first variables.
fn prepared(param: &Param) -> (impl Fn(&[Tensor<1>]) -> Tensor<4> + use<>, Variables) {
    let param = param.clone();
    let (prepared, variables) = Prepared::new([&param], &Device::flex().autodiff(), &mut draws(1, Purpose::Variables));
    let value = move |variables: &[Tensor<1>]| {
        prepared.evaluate(variables, &mut draws(1, Purpose::Noise)).get(&param).expect("it was prepared")
    };
    (value, variables)
}

#[test]
fn through_transforms_and_networks() {
    // Rotation is left out: its gradient is not that of its value, see `transform::rotate`.
    let transforms = transform::compose([
        transform::pad(3, PadMode::Constant(0.5)),
        transform::pad(2, PadMode::Reflect),
        transform::pad(2, PadMode::Symmetric),
        transform::jitter(4),
        transform::random_scale([0.9, 1.1]),
    ]);
    let waves = |decay_power: f64| Parameterization::Fourier { decay_power };
    let cases = [
        (channel("input", 1), waves(1.0), [20, 33], 1e-3),
        (channel("conv1_pre_relu", 7), waves(1.5), [33, 20], 1e-3),
        (channel("fire3", 5), waves(1.0), [31, 31], 2e-2),
        (channel("fire5_pre_relu", 20) - 0.3 * neuron("fire4", 3), Parameterization::Pixel, [40, 40], 2e-2),
        (channel("logits", 7) * channel("fire2", 3), waves(1.0), [64, 64], 2e-2),
    ];
    for (objective, parameterization, size, tolerance) in cases {
        let image = param::image(size).with_parameterization(parameterization).with_sd(1.0);
        let (image, variables) = prepared(&image.into());
        assert_gradient(&objective.to_string(), variables, [3e-3, tolerance], |variables| {
            value_through(&transforms, &objective, image(variables))
        });
    }
}

/// The objective of images, through transforms that are always the same.
fn value_through(transforms: &Transform, objective: &Objective, images: Tensor<4>) -> Tensor<1> {
    let transformed = transforms.apply(images, &mut draws(5, Purpose::Transforms));
    value_of(&zoo::squeezenet_v1_1(), objective, transformed).unwrap()
}

#[test]
fn through_params_that_are_made_of_params() {
    let shape @ [n, c, h, w] = [3, 3, 9, 10];
    let [a, b] = [pixel_image(shape) * 30.0, fft_image(shape) * 3.0];
    let one = lowres_tensor([1, 3, 9, 10], [1, 3, 4, 5]) * 20.0;
    let alpha = sigmoid(pixel_image([1, 1, 9, 10]) * 50.0);
    let rows = Tensor::<2>::from_floats([[0.5, -1.0, 2.0], [0.0, 0.3, 0.3]], &Device::flex());
    let uv = weights([4, 5, 2], &Device::flex());
    let clipped = ValidRgb::new().with_squash(Squash::Clip);
    let params = [
        ("sum", a.clone() + b.clone() - one.clone() * 2.0),
        ("multiples", -(3.0 * a.clone() - 0.5) / 4.0 + (1.0 - b.clone())),
        ("product", a.clone() * b.clone() * alpha.clone()),
        ("iterated sum", (0..n).map(|i| a.image(i)).sum()),
        ("stack", stack([a.clone(), one.clone(), one.clone() * one.clone(), b.image(2)])),
        ("channels", stack_channels([a.channels(1..3), b.clone(), a.channels(0..1)])),
        ("images", a.images(1..3) * b.images(0..2)),
        ("select", a.select([2, 0, 2])),
        ("gather", a.gather(&random_choice(n, 5))),
        ("combine", b.combine(&rows)),
        ("blend", a.clone().blend(alpha.clone(), b.clone())),
        ("crop", a.crop([2, 1], [5, 7])),
        ("jitter", a.clone().jitter(3)),
        ("sampled", a.clone().sampled(&uv)),
        ("map", a.clone().map([n, 1, h, w], |a| a.powi_scalar(2).mean_dim(1))),
        (
            "map by chance",
            b.clone().map_by_chance(shape, |b, chance| {
                use rand::RngExt;
                b * chance.random_range(1.0..2.0f64)
            }),
        ),
        ("colors", to_valid_rgb(0.5 * a.clone(), ValidRgb::new())),
        ("clipped colors", to_valid_rgb(0.1 * a.clone(), clipped)),
        ("pyramid", laplacian_pyramid_image([n, c, 16, 20], 4).unwrap()),
    ];
    for (what, param) in params {
        let (value, variables) = prepared(&param);
        assert_gradient(what, variables, [1e-2, 5e-3], |variables| {
            let value = value(variables);
            let weights = weights(value.dims(), &value.device());
            (value * weights).sum()
        });
    }
}

/// The gradients of the sum of a param's value, one for each of its variables, if it has one.
fn gradients(param: &Param) -> Vec<Option<Tensor<1>>> {
    let (value, variables) = prepared(param);
    let variables: Variables = variables.into_iter().map(Tensor::require_grad).collect();
    let gradients = value(&variables).powi_scalar(2).sum().backward();
    variables.iter().map(|variable| variable.grad(&gradients)).collect()
}

#[test]
fn not_through_what_is_stopped() {
    let shape = [2, 3, 6, 7];
    let (free, stopped) = (fft_image(shape), fft_image(shape));
    let both = (free.clone() + 0.5) * stopped.clone().stop_gradient();
    let [of_free, of_stopped] = gradients(&both).try_into().unwrap();
    assert!(largest(of_free.unwrap()) > 0.0);
    assert!(of_stopped.is_none_or(|gradient| largest(gradient) == 0.0));

    // The same param by two ways, of which one is stopped: half of the gradient of 2x is left.
    let [twice] = gradients(&(free.clone() + free.clone())).try_into().unwrap();
    let [once] = gradients(&(free.clone() + free.clone().stop_gradient())).try_into().unwrap();
    assert_close("one way of two", once.unwrap() * 2.0, twice.unwrap(), 1e-6);

    // Of three images the second alone is chosen.
    let pixels = pixel_image([3, 1, 2, 2]);
    let [gradient] = gradients(&pixels.select([1, 1])).try_into().unwrap();
    let moved: Vec<bool> = gradient.unwrap().try_into_vec_as::<f32>().unwrap().iter().map(|&g| g != 0.0).collect();
    assert_eq!(moved, [[false; 4], [true; 4], [false; 4]].concat());
}

#[test]
fn through_objectives_that_lucid_has_no_numbers_for() {
    let network = zoo::squeezenet_v1_1();
    let mini = mini_5h();
    let networks = Networks::new(&network, [&mini]);
    let left = Array::new([2, 2], vec![1.0, 0.2, 0.7, 0.0]);
    let by_image =
        |distance: Distance| style("fire2", StyleTarget::Image(1), StyleConfig::new().with_distance(distance));
    let objectives = [
        layer("fire2"),
        -(channel("fire2", 20) - 3.0).abs(),
        (channel("fire2", 20) - 100.0).abs() * layer("conv1"),
        channel("fire2", 3).masked(left.clone()),
        l2("input", 0.5, 1e-6).masked(left),
        -by_image(Distance::L1).batch(0),
        by_image(Distance::L2).batch(0),
        channel("conv2d1_pre_relu", 2).on("mini_5h"),
        channel("fire2", 3) + 0.1 * channel("mixed3a", 2).on("mini_5h").batch(0),
    ];
    let images = Tensor::cat(vec![photo("cat", 40), photo("coffee", 40)], 0);
    let first = images.clone().narrow(0, 0, 1).reshape([3 * 40 * 40]);
    for objective in objectives {
        assert_gradient(&objective.to_string(), vec![first.clone()], [1e-2, 2e-2], |variables| {
            let moved = variables[0].clone().reshape([1, 3, 40, 40]);
            let images = Tensor::cat(vec![moved, images.clone().narrow(0, 1, 1).autodiff()], 0);
            value_of(networks.clone(), &objective, images).unwrap()
        });
    }
}

/// The gradient of an objective with respect to images.
fn gradient<'n>(networks: impl Into<Networks<'n>>, objective: &Objective, images: &Tensor<4>) -> Tensor<4> {
    let images = images.clone().autodiff().require_grad();
    images.grad(&value_of(networks, objective, images.clone()).unwrap().backward()).expect("it reads the images")
}

#[test]
fn a_style_that_is_wanted_does_not_move() {
    let network = zoo::squeezenet_v1_1();
    let images = Tensor::cat(vec![photo("cat", 32), photo("coffee", 32)], 0);
    let objective = -style("fire2", StyleTarget::Image(1), StyleConfig::new()).batch(0);
    let gradient = gradient(&network, &objective, &images);
    assert!(largest(gradient.clone().narrow(0, 0, 1)) > 0.0);
    assert_eq!(largest(gradient.narrow(0, 1, 1)), 0.0);
}

#[test]
fn two_networks_see_one_image() {
    let (one, other) = (zoo::squeezenet_v1_1(), mini_5h());
    let both = Networks::new(&one, [&other]);
    let image = photo("cat", 40);
    let (a, b) = (channel("fire3", 20), channel("mixed3b", 5));
    let sum = gradient(both.clone(), &(a.clone() + 0.2 * b.clone().on("mini_5h")), &image);
    let parts = gradient(&one, &a, &image) + gradient(&other, &b, &image) * 0.2;
    assert_close("the sum of both", sum, parts, 1e-5);
    // The first is meant where none is named, and may be named too.
    let named = gradient(both.clone(), &a.clone().on("squeezenet_v1_1"), &image);
    assert_close("named", named, gradient(both.clone(), &a, &image), 0.0);

    let config = RenderConfig::new().with_steps(4).with_transforms(transform::none());
    let objective = a.clone() + 0.2 * b.on("mini_5h");
    let run =
        |networks: Networks<'_>, objective: &Objective| render(networks, objective, param::image([40, 40]), &config);
    let done = run(both.clone(), &objective).unwrap();
    assert!(done.final_value > done.values[0], "{:?} then {}", done.values, done.final_value);
    let message = |networks: Networks<'_>, objective: &Objective| -> String {
        let error: Error = run(networks, objective).unwrap_err();
        error.to_string()
    };
    let unknown = "no model `mini_5h` in this run; it has `squeezenet_v1_1`";
    assert_eq!(message(Networks::from(&one), &objective), unknown);
    let unknown = "no model `vgg` in this run; it has `squeezenet_v1_1`, `mini_5h`";
    assert_eq!(message(both.clone(), &a.on("vgg")), unknown);
    assert_eq!(
        message(both, &channel("mixed3z", 2).on("mini_5h")),
        "in `mini_5h`: no layer `mixed3z`; the nearest are `mixed3a`, `mixed3b`, `mixed4a`"
    );
}

/// A mask that leaves the first of `w` columns.
fn first_column(w: usize) -> Array {
    Array::new([1, w], (0..w).map(|x| if x == 0 { 1.0 } else { 0.0 }).collect())
}

#[test]
fn a_mask_hides_what_does_not_lie_under_it() {
    let network = zoo::squeezenet_v1_1();
    let image = photo("cat", 32);
    let columns = |objective: Objective| -> Vec<bool> {
        let gradient = gradient(&network, &objective, &image);
        (0..32).map(|x| largest(gradient.clone().narrow(3, x, 1)) > 0.0).collect()
    };
    let only = |seen: usize| -> Vec<bool> { (0..32).map(|x| x < seen).collect() };
    // A quarter of the image itself.
    assert_eq!(columns(l2("input", 0.3, 1e-6).masked(first_column(4))), only(8));
    // fire2 is 7 wide. A column of it reads 2 of pool1 (3x3, 1 beyond the border), which read 2 * 1 + 3 = 5 of conv1,
    // which read 2 * 4 + 3 = 11 of the image.
    assert_eq!(columns(layer("fire2").masked(first_column(7))), only(11));
    assert_eq!(columns(layer("fire2")), only(31), "no window reaches the last column");

    // A run leaves alone what is masked out, to the last bit.
    let (start, objective) = (photo("cat", 32), layer("fire2").masked(first_column(7)));
    let pixels = param::image([32, 32]).with_parameterization(Parameterization::Pixel).starting_at(&start).unwrap();
    let config = RenderConfig::new().with_steps(3).with_transforms(transform::none());
    let before = render(&network, &objective, &pixels, &config.clone().with_steps(0)).unwrap();
    let after = render(&network, &objective, &pixels, &config).unwrap();
    let moved = after.images().unwrap().clone() - before.images().unwrap().clone();
    assert!(largest(moved.clone().narrow(3, 0, 11)) > 0.0);
    assert_eq!(largest(moved.narrow(3, 11, 21)), 0.0);
}
