//! Whole steps of a run at 128 pixels: param, transforms, network, objective, optimizer.
//!
//! `rest` has a network that does nothing but copy the image, the others SqueezeNet as far as fire5.
//!
//! `cargo bench --workspace --bench step`; items are steps.

use std::sync::LazyLock;

use divan::{Bencher, counter::ItemsCount};
use entoptic::{
    RenderConfig,
    network::{
        Description, GradientOverrides, Network,
        graph::{GraphBuilder, Op},
        zoo,
    },
    objective::{Objective, channel},
    param, render,
    transform::none,
};

fn main() {
    divan::main();
}

#[divan::bench(args = ["none", "standard"], sample_count = 10)]
fn rest(bencher: Bencher, transforms: &str) {
    let mut graph = GraphBuilder::new([64, 64]);
    graph.add("copy", Op::Add, &[graph.input()]).expect("an image can be added to nothing");
    let network = Network::new(graph.finish(), Description::new("copy"));
    let transforms = transforms.parse().expect("it is text that the program takes");
    let config = RenderConfig::new().with_steps(100).with_transforms(transforms);
    run(bencher, &network, &channel("copy", 0), param::image([128, 128]), &config);
}

#[divan::bench(args = ["none", "jitter(8)", "scale(0.9..1.1)", "rotate(-10..10)", "standard"], sample_count = 10)]
fn transforms(bencher: Bencher, transforms: &str) {
    let transforms = transforms.parse().expect("it is text that the program takes");
    squeezenet(bencher, param::image([128, 128]), &RenderConfig::new().with_transforms(transforms));
}

#[divan::bench(args = ["pixel", "fourier", "pyramid", "maco", "cppn"], sample_count = 10)]
fn params(bencher: Bencher, parameterization: &str) {
    let parameterization = parameterization.parse().expect("it is text that the program takes");
    let image = param::image([128, 128]).with_parameterization(parameterization);
    squeezenet(bencher, image, &RenderConfig::new().with_transforms(none()));
}

fn squeezenet(bencher: Bencher, image: param::Image, config: &RenderConfig) {
    static NETWORK: LazyLock<Network> = LazyLock::new(zoo::squeezenet_v1_1);
    run(bencher, &NETWORK, &channel("fire5", 10), image, &config.clone().with_steps(15));
}

/// Redirected ReLUs are left out: they are for the first 17 of a run's 513 steps.
fn run(bencher: Bencher, network: &Network, objective: &Objective, image: param::Image, config: &RenderConfig) {
    let config = config.clone().with_gradients(GradientOverrides::none());
    bencher
        .counter(ItemsCount::new(config.steps + 1))
        .bench_local(|| render(network, objective, image.clone(), &config).expect("the run can be done"));
}
