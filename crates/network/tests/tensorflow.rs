//! Operations and gradients agree with TensorFlow's own, and a whole network with what TensorFlow computes from it.

use burn::tensor::{Device, Tensor};
use entoptic_fixtures::{Fixture, assert_close, mini_5h};
use entoptic_network::{
    Activation, Description, GradientOverrides, MaxPoolOverride, Network,
    graph::{Convolution, GraphBuilder, Linear, LocalResponseNorm, Op, Padding, Weights, Window},
    relu_overrides,
};

/// A network of this one operation.
fn network(op: Op, [channels, h, w]: [usize; 3]) -> Network {
    let mut graph = GraphBuilder::with_channels(channels, [h, w]);
    graph.add("op", op, &[graph.input()]).unwrap();
    Network::new(graph.finish(), Description::new("op"))
}

/// The value of `op` on `x`, and the gradient of `sum(value * g)`.
fn apply(op: Op, x: Tensor<4>, g: Tensor<4>, overrides: &GradientOverrides, step: usize) -> (Tensor<4>, Tensor<4>) {
    let [_, c, h, w] = x.dims();
    let x = x.require_grad();
    let network = network(op, [c, h, w]);
    let y = network.activations_with(x.clone(), &["op"], overrides, step).unwrap().map("op").unwrap();
    let gradient = x.grad(&(y.clone() * g).sum().backward()).unwrap();
    (y.inner(), gradient)
}

/// Checks value and gradient of every case whose name starts with `prefix`.
fn agree(file: &str, prefix: &str, op: impl Fn(&Fixture, &str) -> Op) {
    agree_with(&GradientOverrides::none(), file, prefix, op);
}

fn agree_with(overrides: &GradientOverrides, file: &str, prefix: &str, op: impl Fn(&Fixture, &str) -> Op) {
    let device = Device::flex().autodiff();
    let fixture = Fixture::open(file);
    for case in fixture.cases(prefix) {
        let g = if file == "tf_ops" { "G" } else { "g" };
        let x = fixture.nchw(&format!("{case}/in/x"), &device);
        let g = fixture.nchw(&format!("{case}/in/{g}"), &device);
        let (y, dx) = apply(op(&fixture, &case), x, g, overrides, 0);
        assert_close(&case, y, fixture.nchw(&format!("{case}/out/y"), &Device::flex()), 1e-5);
        assert_close(&format!("{case} dx"), dx, fixture.nchw(&format!("{case}/out/dx"), &Device::flex()), 1e-5);
    }
}

fn window(fixture: &Fixture, case: &str) -> Window {
    let number = |name| fixture.argument(case, name).as_u64().unwrap() as usize;
    let padding = match fixture.argument(case, "padding").as_str() {
        Some("SAME") => Padding::Same,
        _ => Padding::NONE,
    };
    Window::new(number("ksize"), number("stride")).padded(padding)
}

#[test]
fn convolutions() {
    agree("tf_ops", "conv", |fixture, case| {
        let device = Device::flex();
        let kernel = fixture.tensor::<4>(&format!("{case}/in/w"), &device).permute([3, 2, 0, 1]);
        let weight = Weights::new(kernel.dims().to_vec(), kernel.try_into_vec_as::<f32>().unwrap());
        Op::Convolution(Convolution { weight, scale: None, bias: None, window: window(fixture, case), groups: 1 })
    });
}

#[test]
fn max_pools() {
    agree("tf_ops", "maxpool", |fixture, case| Op::MaxPool(window(fixture, case)));
}

/// Among the plain cases are ties, whose gradient goes to the first maximum.
#[test]
fn smoothed_max_pools() {
    let fixture = Fixture::open("smoothed_maxpool");
    let cases = fixture.cases("");
    for case in &cases {
        let pool = match fixture.argument(case, "gradient").as_str() {
            Some("avg") => Some(MaxPoolOverride::Average),
            Some("L2") => Some(MaxPoolOverride::L2),
            _ => None,
        };
        let overrides = GradientOverrides { pool, ..GradientOverrides::none() };
        agree_with(&overrides, "smoothed_maxpool", case, |fixture, case| Op::MaxPool(window(fixture, case)));
    }
    assert_eq!(cases.len(), 15);
}

#[test]
fn average_pools() {
    agree("tf_ops", "avgpool", |fixture, case| Op::AveragePool { window: window(fixture, case), count_padding: false });
}

#[test]
fn local_response_norms() {
    agree("tf_ops", "lrn", |fixture, case| {
        let number = |name| fixture.argument(case, name).as_f64().unwrap();
        let (radius, alpha, beta) = (number("depth_radius") as usize, number("alpha") as f32, number("beta") as f32);
        Op::LocalResponseNorm(LocalResponseNorm::tensorflow(radius, alpha, beta, number("bias") as f32))
    });
}

#[test]
fn redirected_relus() {
    let device = Device::flex().autodiff();
    let fixture = Fixture::open("redirected_relu");
    for case in fixture.cases("relu") {
        let op = match case.starts_with("relu6") {
            true => Op::Relu6,
            false => Op::Relu,
        };
        let (overrides, step) = match fixture.argument(&case, "global_step").as_u64() {
            Some(step) => (relu_overrides(), step as usize),
            None => (GradientOverrides::none(), 0),
        };
        // The fixture's images are [n, h, w, c] or [n, c]; where channels stand does not matter here.
        let (shape, _) = fixture.values(&format!("{case}/in/x"));
        let of = |name: &str, device: &Device| -> Tensor<4> {
            let (_, values) = fixture.values(&format!("{case}/{name}"));
            let flat: Tensor<1> = Tensor::from_floats(values.as_slice(), device);
            flat.reshape([shape[0], shape[1..].iter().product(), 1, 1])
        };
        let (y, dx) = apply(op, of("in/x", &device), of("in/g", &device), &overrides, step);
        let exact = |found: Tensor<4>, name: &str| {
            assert_eq!(
                found.try_into_vec_as::<f32>().unwrap(),
                fixture.values(&format!("{case}/out/{name}")).1,
                "{case}"
            );
        };
        exact(dx, "dx");
        if case != "relu_rank2_step0" {
            exact(y, "y");
        }
    }
}

#[test]
fn linear_layers_and_softmax() {
    let device = Device::flex().autodiff();
    let fixture = Fixture::open("tf_ops");
    for case in fixture.cases("") {
        let is = |prefix: &str| case.starts_with(prefix);
        if !(is("matmul") || is("softmax")) {
            continue;
        }
        let x: Tensor<2> = fixture.tensor(&format!("{case}/in/x"), &device);
        let g: Tensor<2> = fixture.tensor(&format!("{case}/in/G"), &device);
        let [n, c] = x.dims();
        let mut graph = GraphBuilder::with_channels(c, [1, 1]);
        let flat = graph.add("flat", Op::Flatten, &[graph.input()]).unwrap();
        let op = match is("softmax") {
            true => Op::Softmax,
            false => {
                let w = fixture.tensor::<2>(&format!("{case}/in/w"), &Device::flex()).transpose();
                let weight = Weights::new(w.dims().to_vec(), w.try_into_vec_as::<f32>().unwrap());
                Op::Linear(Linear { weight, bias: None })
            }
        };
        graph.add("op", op, &[flat]).unwrap();
        let network = Network::new(graph.finish(), Description::new(&case));
        let x = x.reshape([n, c, 1, 1]).require_grad();
        let activations = network.activations(x.clone(), &["op"]).unwrap();
        let Activation::Vector(y) = activations.get("op").unwrap().clone() else { panic!("{case} has no positions") };
        let dx = x.grad(&(y.clone() * g).sum().backward()).unwrap().reshape([n, c]);
        assert_close(&case, y.inner(), fixture.tensor(&format!("{case}/out/y"), &Device::flex()), 1e-5);
        assert_close(&case, dx, fixture.tensor(&format!("{case}/out/dx"), &Device::flex()), 1e-5);
    }
}

#[test]
fn every_layer_of_a_whole_network() {
    let device = Device::flex();
    let (network, fixture) = (mini_5h(), Fixture::open("mini_5h_expected"));
    let images = [("a", fixture.nchw("a.rgb", &device)), ("b", fixture.nchw("b.rgb_u8", &device).div_scalar(255.0))];
    let mut compared = 0;
    for (prefix, image) in images {
        for stored in fixture.tensors(&format!("{prefix}.")) {
            let (layer, every) = match stored[2..].strip_suffix("[::7,::7]") {
                Some(layer) => (layer, 7),
                None => (&stored[2..], 1),
            };
            if layer.starts_with("rgb") || layer.starts_with("grad") {
                continue;
            }
            // The three `output` nodes are the softmax heads under another name.
            let layer = match layer {
                "output" => "softmax0",
                "output1" => "softmax1",
                "output2" => "softmax2",
                layer => layer,
            };
            let activations = network.activations(image.clone(), &[layer]).unwrap();
            match activations.get(layer).unwrap().clone() {
                Activation::Map(map) => {
                    let [_, _, h, w] = map.dims();
                    let index = |side: usize| {
                        let places: Vec<i32> = (0..side).step_by(every).map(|i| i as i32).collect();
                        Tensor::<1, burn::tensor::Int>::from_data(places.as_slice(), &device)
                    };
                    let map = map.select(2, index(h)).select(3, index(w));
                    assert_close(&stored, map, fixture.nchw(&stored, &device), 1e-5);
                }
                Activation::Vector(vector) if layer == "head0_bottleneck/reshape" => {
                    // Flattened [h, w, c] there, [c, h, w] here.
                    let [n, c] = vector.dims();
                    let vector = vector.reshape([n, c / 16, 16]).permute([0, 2, 1]).reshape([n, c]);
                    assert_close(&stored, vector, fixture.tensor(&stored, &device), 1e-5);
                }
                Activation::Vector(vector) => assert_close(&stored, vector, fixture.tensor(&stored, &device), 1e-5),
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 65);
}

#[test]
fn the_gradient_of_a_whole_network() {
    let device = Device::flex().autodiff();
    let (network, fixture) = (mini_5h(), Fixture::open("mini_5h_expected"));
    for (layer, stored) in
        [("mixed4d", "a.grad.mean_mixed4d_5"), ("mixed4d_pre_relu", "a.grad.mean_mixed4d_pre_relu_5")]
    {
        let image = fixture.nchw("a.rgb", &device).require_grad();
        let map = network.activations(image.clone(), &[layer]).unwrap().map(layer).unwrap();
        let gradient = image.grad(&map.narrow(1, 5, 1).mean().backward()).unwrap();
        assert_close(stored, gradient, fixture.nchw(stored, &Device::flex()), 1e-4);
    }
}
