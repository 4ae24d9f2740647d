//! Pictures of units drawn at random excite their unit more than photos and noise do.

use burn::tensor::{Device, Tensor, TensorData};
use entoptic::{
    RenderConfig,
    chance::{Purpose, draws},
    network::zoo,
    objective::channel,
    param, picture, render,
    render::value_of,
};
use rand::RngExt;

/// Pixels of a picture that shows nothing differ by less than this (standard deviation, of 0..=1).
const GREY: f32 = 0.02;

/// `steps` of ascent for each of `count` units drawn at random; at most `exceptions` of them may fall behind.
fn pictures_exceed(count: usize, steps: usize, exceptions: usize) {
    let (network, device) = (zoo::squeezenet_v1_1(), Device::flex());
    let mut rng = draws(2026, Purpose::Variables);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images");
    let photos = ["cat", "coffee", "astronaut", "palace"].into_iter().flat_map(|name| {
        let path = format!("{folder}/{name}.png");
        [128, 224].map(|side| picture::load_square(path.as_ref(), side, &device).unwrap())
    });
    let mut noise = || {
        let values: Vec<f32> = (0..3 * 128 * 128).map(|_| rng.random()).collect();
        Tensor::<4>::from_data(TensorData::new(values, [1, 3, 128, 128]), &device)
    };
    let others: Vec<Tensor<4>> = photos.chain((0..16).map(|_| noise()).collect::<Vec<_>>()).collect();

    let mut rng = draws(2026, Purpose::Transforms);
    let (mut behind, mut grey) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let layer = format!("fire{}", rng.random_range(4..=9));
        let channels = network.shape(&layer, [128, 128]).unwrap().channels();
        let unit = channel(&layer, rng.random_range(0..channels));
        let config = RenderConfig::new().with_steps(steps);
        let render = render(&network, &unit, param::image([128, 128]), &config).unwrap();
        let others = others
            .iter()
            .map(|other| f64::from(value_of(&network, &unit, other.clone()).unwrap().into_scalar::<f32>()));
        let best_other = others.fold(f64::NEG_INFINITY, f64::max);
        let spread: f32 = render.images().unwrap().clone().reshape([-1]).var(0).sqrt().into_scalar();
        println!("{unit:24} picture {:9.3}  best other {best_other:9.3}  spread {spread:.3}", render.final_value);
        if render.final_value <= best_other {
            behind.push(unit.to_string());
        }
        if spread < GREY {
            grey.push(unit.to_string());
        }
    }
    println!("behind: {behind:?}, grey: {grey:?}");
    assert!(behind.len() <= exceptions, "behind: {behind:?}, grey: {grey:?}");
}

#[test]
fn a_few_short_runs_exceed_photos_and_noise() {
    pictures_exceed(4, 64, 1);
}

#[test]
#[ignore = "takes about 5 minutes: `just units`"]
fn nineteen_of_twenty_runs_exceed_photos_and_noise() {
    pictures_exceed(20, 512, 1);
}
