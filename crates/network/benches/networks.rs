//! Networks alone: forward, and the gradient of the image, at 128 pixels.
//!
//! `cargo bench --workspace --bench networks -- squeezenet`

use std::sync::LazyLock;

use burn::tensor::{Device, Distribution, Tensor};
use divan::{Bencher, counter::ItemsCount};
use entoptic_fixtures::{mobilenet_v2, models_folder};
use entoptic_network::{Network, zoo};

fn main() {
    divan::main();
}

#[divan::bench(args = ["fire5", "fire9"], consts = [1, 4, 16], sample_count = 20)]
fn squeezenet<const BATCH: usize>(bencher: Bencher, layer: &str) {
    static NETWORK: LazyLock<Network> = LazyLock::new(zoo::squeezenet_v1_1);
    step::<BATCH>(bencher, &NETWORK, layer);
}

#[divan::bench(args = ["block10", "block17"], consts = [1, 4, 16], sample_count = 20)]
fn mobilenet<const BATCH: usize>(bencher: Bencher, layer: &str) {
    static NETWORK: LazyLock<Network> = LazyLock::new(mobilenet_v2);
    step::<BATCH>(bencher, &NETWORK, layer);
}

#[divan::bench(args = ["inception_4a_output", "inception_5b_output"], consts = [1, 4, 16], sample_count = 20)]
fn googlenet<const BATCH: usize>(bencher: Bencher, layer: &str) {
    static NETWORK: LazyLock<Option<Network>> = LazyLock::new(|| {
        let folder = models_folder("googlenet")?;
        Some(zoo::open("googlenet_bvlc", &folder).expect("the weights are there"))
    });
    if let Some(network) = &*NETWORK {
        step::<BATCH>(bencher, network, layer);
    }
}

fn step<const BATCH: usize>(bencher: Bencher, network: &Network, layer: &str) {
    let device = Device::flex().autodiff();
    let images = Tensor::<4>::random([BATCH, 3, 128, 128], Distribution::Uniform(0.0, 1.0), &device).require_grad();
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        let activations = network.activations(images.clone(), &[layer]).expect("the layer is there");
        let value = activations.map(layer).expect("it was asked for").narrow(1, 10, 1).mean();
        images.grad(&value.backward())
    });
}
