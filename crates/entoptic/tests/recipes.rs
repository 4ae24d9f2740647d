//! What recipes promise, on GoogLeNet's real weights. Skipped by name where they are not.

use burn::tensor::{Device, Tensor};
use entoptic::{
    network::{Network, zoo},
    picture,
    recipe::{
        ActivationGrid, ActivationGridConfig, Attribution, AttributionConfig, Interpolation, InterpolationConfig, Job,
        Score, Shared, Transparent, TransparentConfig, Unit,
    },
};
use entoptic_fixtures::models_folder;

fn googlenet(test: &str) -> Option<Network> {
    Some(zoo::open("googlenet_bvlc", &models_folder(test)?).unwrap())
}

fn photo(name: &str) -> Tensor<4> {
    let path = format!("{}/../../fixtures/images/{name}.png", env!("CARGO_MANIFEST_DIR"));
    picture::load_square(path.as_ref(), 224, &Device::flex()).unwrap()
}

/// The mean correlation of the rows of two matrices.
fn correlation(one: Tensor<2>, other: Tensor<2>) -> f64 {
    let centered = |rows: Tensor<2>| rows.clone() - rows.mean_dim(1);
    let (one, other) = (centered(one), centered(other));
    let product = |a: &Tensor<2>, b: &Tensor<2>| (a.clone() * b.clone()).sum_dim(1);
    let scale = (product(&one, &one) * product(&other, &other)).sqrt().clamp_min(1e-12);
    f64::from((product(&one, &other) / scale).mean().into_scalar::<f32>())
}

/// The mean correlation of the activations of neighboring frames.
fn neighbors_alike(network: &Network, frames: &Tensor<4>) -> f64 {
    let layer = "inception_3b_output";
    let activations = network.activations(frames.clone(), &[layer]).unwrap().map(layer).unwrap();
    let rows = activations.flatten::<2>(1, 3);
    let [n, _] = rows.dims();
    correlation(rows.clone().narrow(0, 0, n - 1), rows.narrow(0, 1, n - 1))
}

#[test]
fn an_interpolation_ends_aligned() {
    let Some(network) = googlenet("an_interpolation_ends_aligned") else { return };
    let alike = |shared: Shared| {
        let config = InterpolationConfig::new().with_size(96).with_steps(160).with_shared(shared);
        let units = [37, 101].map(|channel| Unit::from(("inception_4c_output", channel)));
        let frames = Interpolation::render(&mut Job::new(&network), &units[0], &units[1], &config).unwrap().frames;
        neighbors_alike(&network, &frames)
    };
    let (apart, aligned) = (alike(Shared::Nothing), alike(Shared::Layouts));
    println!("apart {apart:.3}, aligned {aligned:.3}");
    assert!(aligned > apart + 0.1, "apart {apart:.3}, aligned {aligned:.3}");
}

/// The mean correlation of the pixels of icons that stand beside or below each other.
fn icons_alike(grid: &ActivationGrid) -> f64 {
    let [rows, columns] = grid.positions;
    let icons = grid.cropped().flatten::<2>(1, 3);
    let pairs = (0..rows * columns).flat_map(|i| {
        let right = (i % columns + 1 < columns).then_some((i, i + 1));
        right.into_iter().chain((i / columns + 1 < rows).then_some((i, i + columns)))
    });
    let (one, other): (Vec<_>, Vec<_>) = pairs.unzip();
    let pick = |of: Vec<usize>| Tensor::cat(of.into_iter().map(|i| icons.clone().narrow(0, i, 1)).collect(), 0);
    correlation(pick(one), pick(other))
}

#[test]
fn the_coherent_grids_neighbors_are_more_alike() {
    let Some(network) = googlenet("the_coherent_grids_neighbors_are_more_alike") else { return };
    let grid = |config: ActivationGridConfig| {
        let config = config.with_size(32).with_steps(48);
        ActivationGrid::render(&mut Job::new(&network), &photo("cat"), "inception_4c_output", &config).unwrap()
    };
    let (naive, coherent) =
        (icons_alike(&grid(ActivationGridConfig::naive())), icons_alike(&grid(ActivationGridConfig::new())));
    println!("naive {naive:.3}, coherent {coherent:.3}");
    assert!(coherent > naive + 0.05, "naive {naive:.3}, coherent {coherent:.3}");
}

#[test]
fn a_quarter_of_a_transparent_image_is_opaque() {
    let Some(network) = googlenet("a_quarter_of_a_transparent_image_is_opaque") else { return };
    let config = TransparentConfig::new().with_size(96).with_steps(256);
    let unit = Unit::from(("inception_4d_3x3_reduce", 139));
    let made = Transparent::render(&mut Job::new(&network), &unit, &config).unwrap();
    println!("opaque {:.3}", made.opaque());
    assert!((made.opaque() - 0.25).abs() < 0.05, "{}", made.opaque());
}

#[test]
fn attributions_add_up_to_the_difference_of_logits() {
    let Some(network) = googlenet("attributions_add_up_to_the_difference_of_logits") else { return };
    let score = Score::Difference("Egyptian cat".into(), "espresso".into());
    for layer in ["inception_4d_output", "inception_3b_output"] {
        let job = &mut Job::new(&network);
        let config = AttributionConfig::new();
        let of = Attribution::of(job, &photo("cat"), layer, std::slice::from_ref(&score), &config).unwrap().remove(0);
        let change = of.score - of.baseline;
        println!("{layer}: {:.3} of {change:.3}", of.sum());
        assert!((of.sum() / change - 1.0).abs() < 0.05, "{layer}: {} of {change}", of.sum());
    }
}
