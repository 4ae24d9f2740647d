//! temporary
use burn::tensor::{Device, Tensor};
use entoptic_network::{Executor, Pass, Wanted, zoo};
use std::time::Instant;
fn main() {
    let folder = zoo::default_folder();
    let net = zoo::open("googlenet_bvlc", &folder).unwrap();
    let sq = zoo::squeezenet_v1_1();
    let _ = Executor::Planned;
    for (net, layer, wanted) in [
        (&net, "4a", Wanted::layer("inception_4a_output")),
        (&net, "4a:10", Wanted::channel("inception_4a_output", 10)),
        (&net, "5b", Wanted::layer("inception_5b_output")),
        (&sq, "fire9", Wanted::layer("fire9")),
    ] {
        for n in [1usize, 4, 16] {
            let images =
                Tensor::<4>::random([n, 3, 128, 128], burn::tensor::Distribution::Uniform(0.0, 1.0), &Device::flex());
            let mut times = vec![];
            for _ in 0..9 {
                let x = images.clone().autodiff().require_grad();
                let t = Instant::now();
                let a = net.answer(x.clone(), &[wanted.clone()], &Pass::default()).unwrap();
                let v = a.channel(&wanted.layer, 10).unwrap().mean();
                let f = t.elapsed().as_secs_f64() * 1e3;
                let g = x.grad(&v.backward()).unwrap();
                std::hint::black_box(g);
                times.push((t.elapsed().as_secs_f64() * 1e3, f));
            }
            times.sort_by(|a, b| a.0.total_cmp(&b.0));
            println!(
                "{layer} batch {n}: median {:.2} ms (forward {:.2}) min {:.2}",
                times[4].0, times[4].1, times[0].0
            );
        }
    }
}
