//! Whole steps of a run, 128 pixels for SqueezeNet's fire5: param, transforms, network, objective, optimizer.
//!
//! `cargo bench --workspace --bench step`; items are steps.

use std::sync::LazyLock;

use divan::{Bencher, counter::ItemsCount};
use entoptic::{
    RenderConfig,
    network::{GradientOverrides, Network, zoo},
    objective::channel,
    param, render,
    transform::none,
};

fn main() {
    divan::main();
}

#[divan::bench(args = ["none", "jitter(8)", "scale(0.9..1.1)", "rotate(-10..10)", "standard"], sample_count = 10)]
fn transforms(bencher: Bencher, transforms: &str) {
    let transforms = transforms.parse().expect("it is text that the program takes");
    run(bencher, param::image([128, 128]), &RenderConfig::new().with_transforms(transforms));
}

#[divan::bench(args = ["pixel", "fourier", "pyramid", "maco", "cppn"], sample_count = 10)]
fn params(bencher: Bencher, parameterization: &str) {
    let parameterization = parameterization.parse().expect("it is text that the program takes");
    let image = param::image([128, 128]).with_parameterization(parameterization);
    run(bencher, image, &RenderConfig::new().with_transforms(none()));
}

/// Redirected ReLUs are left out: they are for the first 17 of a run's 513 steps.
fn run(bencher: Bencher, image: param::Image, config: &RenderConfig) {
    static NETWORK: LazyLock<Network> = LazyLock::new(zoo::squeezenet_v1_1);
    let config = config.clone().with_steps(15).with_gradients(GradientOverrides::none());
    bencher
        .counter(ItemsCount::new(config.steps + 1))
        .bench_local(|| render(&*NETWORK, &channel("fire5", 10), image.clone(), &config).expect("the run can be done"));
}
