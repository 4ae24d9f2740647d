//! Transforms beyond Lucid's numbers: gradients, chance, colors, and the text form.

use burn::tensor::{Device, Distribution, Tensor};
use entoptic::{
    Error,
    chance::{Purpose, draws},
    transform::{
        self, CATALOG, Choice, ColorJitter, PadMode, Transform, color_jitter, compose, normalized_gradient,
        resized_crop, rotate, rotate_bilinear,
    },
};
use entoptic_fixtures::assert_close;

fn device() -> Device {
    Device::flex()
}

fn apply(transform: &Transform, images: Tensor<4>, seed: u64) -> Tensor<4> {
    transform.apply(images, &mut draws(seed, Purpose::Transforms))
}

fn number(tensor: Tensor<1>) -> f64 {
    f64::from(tensor.into_scalar::<f32>())
}

#[test]
fn gradients_agree_with_finite_differences() {
    let differentiable = [
        "pad(3, 0.5) pad(2, reflect) pad(2, symmetric) pad(1, uniform)",
        "jitter(5)",
        "scale(0.8..1.2)",
        "rotate(-30..30, bilinear)",
        "flip",
        "random_resized_crop(0.3..0.9, [17, 23])",
        "crop_or_pad_to([25, 11])",
        "color_jitter(0.3, 0.3, 0.5, 40)",
        "noise(0.2)",
        "collapse_alpha_random(0.5)",
        "rotate(5, bilinear) color_jitter(hue=20) collapse_alpha_random scale(0.7) jitter(2)",
    ];
    for text in differentiable {
        let transform: Transform = text.parse().unwrap();
        for (seed, channels) in [(0, 3), (1, 4), (2, 1), (3, 5)] {
            let images =
                |low, high| Tensor::<4>::random([2, channels, 20, 18], Distribution::Uniform(low, high), &device());
            let (x, along) = (images(0.0, 1.0), images(-1.0, 1.0));
            let shape = apply(&transform, x.clone(), seed).shape();
            assert_eq!(shape[1], transform.channels(channels), "{text}");
            let g = Tensor::<4>::random(shape, Distribution::Uniform(-1.0, 1.0), &device());
            let variable = x.clone().autodiff().require_grad();
            let value = (apply(&transform, variable.clone(), seed) * g.clone().autodiff()).sum();
            let gradient = variable.grad(&value.backward()).unwrap();
            let slope = number((gradient * along.clone()).sum());
            let at = |step: f64| number((apply(&transform, x.clone() + along.clone() * step, seed) * g.clone()).sum());
            let measured = (at(0.1) - at(-0.1)) / 0.2;
            assert!((slope - measured).abs() < 1e-3 * (1.0 + slope.abs()), "{text}: {slope} is not {measured}");
        }
    }
}

#[test]
fn bilinear_rotation_is_the_nearest_one_where_pixels_meet_and_smooth_between() {
    let images = Tensor::<4>::random([1, 2, 9, 9], Distribution::Default, &device());
    for quarters in 0..4 {
        let radians = quarters as f32 * std::f32::consts::FRAC_PI_2;
        assert_close("quarters", rotate_bilinear(images.clone(), radians), rotate(images.clone(), radians), 1e-5);
    }
    // A plane stays a plane: x + 2 y turned by 30 degrees, away from the border.
    let plane = |x: [f64; 2]| {
        let column = Tensor::<1>::from_floats([-4., -3., -2., -1., 0., 1., 2., 3., 4.], &device());
        let (rows, columns) = (column.clone().reshape([1, 1, 9, 1]), column.reshape([1, 1, 1, 9]));
        columns * x[0] + rows * x[1]
    };
    let (sin, cos) = 30f64.to_radians().sin_cos();
    let turned = rotate_bilinear(plane([1.0, 2.0]), 30f32.to_radians());
    let expected = plane([cos + 2.0 * sin, 2.0 * cos - sin]);
    let inner = |images: Tensor<4>| transform::crop(images, [3, 3], [3, 3]);
    assert_close("plane", inner(turned), inner(expected), 1e-5);
}

#[test]
fn a_normalized_gradient_of_zero_is_zero_and_a_tiny_one_is_not() {
    let images = Tensor::<4>::ones([3, 1, 2, 2], &device().autodiff()).require_grad();
    let weights = Tensor::<4>::from_floats(
        [[[[0.0, 0.0], [0.0, 0.0]]], [[[3e-30, 0.0], [0.0, -4e-30]]], [[[1.0; 2]; 2]]],
        &device(),
    );
    let passed = normalized_gradient(images.clone(), Some(&[1e30, 5.0, 2.0]));
    let gradient = images.grad(&(passed * weights.autodiff()).sum().backward()).unwrap();
    let expected =
        Tensor::<4>::from_floats([[[[0.0, 0.0], [0.0, 0.0]]], [[[3.0, 0.0], [0.0, -4.0]]], [[[1.0; 2]; 2]]], &device());
    assert_close("gradient", gradient, expected, 1e-6);
}

#[test]
fn a_resized_crop_reads_between_pixel_centers() {
    let image = Tensor::<4>::from_floats([[[[0.0, 1.0, 2.0, 3.0], [10.0, 11.0, 12.0, 13.0]]]], &device());
    let values = |start, extent, size| -> Vec<f32> {
        resized_crop(image.clone(), start, extent, size).try_into_vec_as().unwrap()
    };
    // Numbers worked by hand: centers of the input are at 0.5, 1.5, 2.5, 3.5.
    assert_eq!(values([0.0, 0.0], [2.0, 4.0], [2, 4]), [0.0, 1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 13.0]);
    assert_eq!(values([0.0, 1.0], [2.0, 2.0], [1, 4]), [5.75, 6.25, 6.75, 7.25]);
    assert_eq!(values([0.0, 0.0], [1.0, 1.0], [1, 2]), [0.0, 0.25]);
}

#[test]
fn colors_jitter_as_their_formulas_say() {
    let colors = Tensor::<4>::from_floats([[[[0.2, 0.4]], [[0.3, 0.8]], [[0.7, 0.4]], [[0.1, 0.9]]]], &device());
    let jittered = |amounts: ColorJitter, seed| apply(&color_jitter(amounts), colors.clone(), seed);
    let luma = |rgb: Tensor<4>| {
        let weights = Tensor::<4>::from_floats([[[[0.299]], [[0.587]], [[0.114]]]], &device());
        (rgb.narrow(1, 0, 3) * weights).sum_dim(1)
    };
    let rgb = |images: Tensor<4>| images.narrow(1, 0, 3);
    for seed in 0..8 {
        let bright = jittered(ColorJitter::new().with_brightness(0.5), seed);
        let factors = rgb(bright.clone()) / rgb(colors.clone());
        let factor = number(factors.clone().mean());
        assert!((0.5..=1.5).contains(&factor) && number(factors.max() - factor) < 1e-5);
        assert_close("alpha", bright.narrow(1, 3, 1), colors.clone().narrow(1, 3, 1), 0.0);

        let contrasted = jittered(ColorJitter::new().with_contrast(0.5), seed);
        let means = [luma(contrasted), luma(colors.clone())].map(|luma| number(luma.mean()));
        assert!((means[0] - means[1]).abs() < 1e-6);

        let saturated = jittered(ColorJitter::new().with_saturation(0.5), seed);
        assert_close("luma", luma(saturated), luma(colors.clone()), 1e-5);

        let turned = rgb(jittered(ColorJitter::new().with_hue(90.0), seed));
        assert_close("sum", turned.clone().sum_dim(1), rgb(colors.clone()).sum_dim(1), 1e-5);
        assert_close("length", turned.powi_scalar(2).sum_dim(1), rgb(colors.clone()).powi_scalar(2).sum_dim(1), 1e-5);
    }
}

#[test]
fn a_transform_draws_from_all_it_may() {
    let size = |transform: &Transform, seed| {
        let [_, _, h, w] = apply(transform, Tensor::zeros([1, 1, 100, 50], &device()), seed).dims();
        [h, w]
    };
    let listed = transform::random_scale([0.5, 1.0, 2.0]);
    let ranged = transform::random_scale(0.5..=2.0);
    let sizes: Vec<_> = (0..64).map(|seed| size(&listed, seed)).collect();
    assert!([[50, 25], [100, 50], [200, 100]].iter().all(|size| sizes.contains(size)));
    let mut sides: Vec<_> = (0..64).map(|seed| size(&ranged, seed)[0]).collect();
    assert!(sides.iter().all(|side| (50..=200).contains(side)));
    sides.sort_unstable();
    sides.dedup();
    assert!(sides.len() > 32 && sides[0] < 60 && sides[sides.len() - 1] > 180, "{sides:?}");

    let columns = Tensor::<4>::from_floats([[[[0.0, 1.0]]]], &device());
    let mirrored = (0..64).filter(|&seed| {
        let first = apply(&transform::flip(), columns.clone(), seed).narrow(3, 0, 1);
        first.into_scalar::<f32>() == 1.0
    });
    assert!((16..48).contains(&mirrored.count()));
}

#[test]
fn what_leaves_nothing_or_too_much_is_refused() {
    let refused = |transform: Transform| match transform.check([2, 3, 20, 30]) {
        Err(error @ Error::OutOfRange { .. }) => error.to_string(),
        other => panic!("{transform}: {other:?}"),
    };
    let numbers = |numbers: &[f64]| numbers.iter().copied().collect::<Choice>();
    let table = [
        transform::jitter(20),
        transform::pad(20, PadMode::Reflect),
        transform::pad(21, PadMode::Symmetric),
        transform::pad(usize::MAX, PadMode::Uniform),
        transform::pad(1, PadMode::Constant(f32::NAN)),
        transform::random_scale(numbers(&[])),
        transform::random_scale([1.0, 0.04]),
        transform::random_scale([1.0, f64::NAN]),
        transform::random_scale(-0.5..=1.0),
        transform::random_scale(1e300),
        transform::random_rotate(numbers(&[])),
        transform::random_rotate(0.0..=f64::INFINITY),
        transform::random_rotate(Choice::Within(1.0..=0.0)),
        transform::noise(-0.1),
        transform::noise(f64::NAN),
        transform::collapse_alpha_random(-1.0),
        transform::random_resized_crop(0.0..=0.5, [8, 8]),
        transform::random_resized_crop(0.5..=1.5, [8, 8]),
        transform::random_resized_crop(0.5, [8, 0]),
        transform::random_resized_crop(0.5, [8, 100_000]),
        transform::crop_or_pad_to([0, 8]),
        transform::normalize_gradient(Some(vec![1.0])),
        transform::normalize_gradient(Some(vec![1.0, f64::NAN])),
        color_jitter(ColorJitter::new().with_hue(-1.0)),
        compose([transform::jitter(10), transform::jitter(10)]),
    ];
    for transform in table {
        assert!(!refused(transform).contains('\n'));
    }
    let scale = refused(transform::random_scale([1.0, 0.04]));
    assert_eq!(scale, "a scale cannot be [1, 0.04]; it leaves one pixel or more");
}

#[test]
fn every_entry_has_an_example_that_works() {
    for entry in CATALOG {
        let transform: Transform = entry.example.parse().unwrap();
        assert_eq!(transform.to_string().parse::<Transform>().unwrap(), transform, "{}", entry.name);
        assert!(entry.usage.starts_with(entry.name) && entry.example.starts_with(entry.name), "{}", entry.name);
        transform.check([2, 4, 64, 64]).unwrap();
        let shape = apply(&transform, Tensor::zeros([2, 4, 64, 64], &device()), 0).dims();
        let [h, w] = transform.smallest([64, 64]);
        assert!(shape[2] >= h && shape[3] >= w, "{}", entry.name);
    }
}

#[test]
fn an_entry_says_what_its_function_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/transform");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files = files.chain([concat!(env!("CARGO_MANIFEST_DIR"), "/src/transform.rs").into()]);
    let sources: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    for entry in CATALOG {
        assert!(sources.contains(&format!("\n/// {}\n///\n", entry.about)), "{}: {}", entry.name, entry.about);
    }
}
