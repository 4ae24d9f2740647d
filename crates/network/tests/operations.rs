//! Operations that no fixture covers agree with plain loops that say what they mean, and their gradients with finite
//! differences.

use std::cell::RefCell;

use burn::tensor::{Device, Tensor, TensorData};
use entoptic_fixtures::assert_close;
use entoptic_network::{
    Activation, Description, Network,
    graph::{BatchNorm, Convolution, GraphBuilder, NodeId, Op, Padding, Shape, Weights, Window},
    model::Error,
};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// A map `[c, h, w]` and its values.
struct Map {
    dims: [usize; 3],
    values: Vec<f64>,
}

impl Map {
    fn of(tensor: &Tensor<4>) -> Self {
        let [_, c, h, w] = tensor.dims();
        let values: Vec<f32> = tensor.clone().try_into_vec_as().unwrap();
        Self { dims: [c, h, w], values: values.into_iter().map(f64::from).collect() }
    }

    /// The value at a place that may lie outside.
    fn at(&self, c: usize, y: isize, x: isize) -> Option<f64> {
        let [_, h, w] = self.dims;
        let (y, x) = (usize::try_from(y).ok()?, usize::try_from(x).ok()?);
        (y < h && x < w).then(|| self.values[(c * h + y) * w + x])
    }
}

thread_local! {
    static RNG: RefCell<ChaCha8Rng> = RefCell::new(ChaCha8Rng::seed_from_u64(7));
}

/// Numbers in `-1..1`, the same in every run.
fn random(dims: [usize; 4]) -> Tensor<4> {
    let count = dims.iter().product();
    let values = RNG.with_borrow_mut(|rng| (0..count).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>());
    Tensor::from_data(TensorData::new(values, dims), &Device::flex())
}

fn weights(tensor: Tensor<4>) -> Weights {
    Weights::new(tensor.dims(), tensor.try_into_vec_as::<f32>().unwrap())
}

fn network(channels: usize, size: [usize; 2], build: impl Fn(&mut GraphBuilder) -> Result<NodeId, Error>) -> Network {
    let mut graph = GraphBuilder::with_channels(channels, size);
    build(&mut graph).unwrap();
    Network::new(graph.finish(), Description::new("test"))
}

/// `op` on `x`, after its gradient was compared with finite differences.
fn apply(op: &Op, x: &Tensor<4>) -> Tensor<4> {
    let [_, c, h, w] = x.dims();
    let network = network(c, [h, w], |graph| graph.add("op", op.clone(), &[graph.input()]));
    let value = |x: Tensor<4>| network.activations(x, &["op"]).unwrap().map("op").unwrap();
    let y = value(x.clone());
    let shape = network.shape("op", [h, w]).unwrap();
    assert_eq!(
        [shape.channels(), shape.positions()[0], shape.positions()[1]],
        y.dims()[1..],
        "the shape is as foretold"
    );

    let g = random(y.dims());
    let tracked = x.clone().autodiff().require_grad();
    let gradient = tracked.grad(&(value(tracked.clone()) * g.clone().autodiff()).sum().backward()).unwrap();
    let direction = random(x.dims());
    let reach = 1e-3;
    let at =
        |distance: f32| -> f32 { (value(x.clone() + direction.clone() * distance) * g.clone()).sum().into_scalar() };
    let measured = (at(reach) - at(-reach)) / (2.0 * reach);
    let foretold: f32 = (gradient * direction).sum().into_scalar();
    assert!((measured - foretold).abs() < 0.02 * (1.0 + foretold.abs()), "{op:?}: {foretold} but measured {measured}");
    y
}

fn explicit(top: usize, bottom: usize, left: usize, right: usize) -> Padding {
    Padding::Explicit { top, bottom, left, right }
}

#[test]
fn convolutions_with_groups_dilation_and_any_padding() {
    let window = |size: [usize; 2], stride: [usize; 2], dilation: [usize; 2], padding| Window {
        size,
        stride,
        dilation,
        padding,
        ceil: false,
    };
    let table = [
        (6, 4, 2, window([3, 3], [1, 1], [1, 1], Padding::all(1))),
        (6, 6, 6, window([3, 3], [2, 2], [1, 1], explicit(0, 1, 0, 1))),
        (4, 8, 4, window([3, 3], [1, 1], [1, 1], Padding::NONE)),
        (3, 5, 1, window([3, 5], [2, 1], [1, 1], explicit(2, 0, 1, 3))),
        (3, 5, 1, window([3, 3], [1, 1], [2, 3], Padding::all(2))),
        (3, 4, 1, window([2, 3], [3, 2], [1, 2], Padding::Same)),
    ];
    for (inputs, outputs, groups, window) in table {
        let x = random([1, inputs, 11, 13]);
        let [kh, kw] = window.size;
        let (kernel, bias) = (random([outputs, inputs / groups, kh, kw]), random([1, outputs, 1, 1]));
        let bias: Vec<f32> = bias.try_into_vec_as().unwrap();
        let op = Op::Convolution(Convolution {
            weight: weights(kernel.clone()),
            scale: None,
            bias: Some(Weights::new([outputs], bias.clone())),
            window,
            groups,
        });
        let y = apply(&op, &x);
        let [_, _, h, w] = y.dims();
        let (top, left) = match window.padding {
            Padding::Explicit { top, left, .. } => (top, left),
            // SAME on 11 rows by 3 with a kernel of 2: 4 rows out want 11, none missing; on 13 columns by 2 with a
            // reach of 5: 7 columns out want 17, 4 missing, 2 of them before.
            Padding::Same => (0, 2),
        };
        let (x, kernel) = (Map::of(&x), Map::of(&kernel.reshape([1, outputs * (inputs / groups), kh, kw])));
        let mut expected = Vec::new();
        for (o, &bias) in bias.iter().enumerate() {
            let group = o / (outputs / groups);
            for (y, x_) in (0..h).flat_map(|y| (0..w).map(move |x| (y, x))) {
                let mut sum = f64::from(bias);
                for i in 0..inputs / groups {
                    for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                        let row = (y * window.stride[0] + ky * window.dilation[0]) as isize - top as isize;
                        let column = (x_ * window.stride[1] + kx * window.dilation[1]) as isize - left as isize;
                        let weight = kernel.at(o * (inputs / groups) + i, ky as isize, kx as isize).unwrap();
                        sum += weight * x.at(group * (inputs / groups) + i, row, column).unwrap_or(0.0);
                    }
                }
                expected.push(sum as f32);
            }
        }
        let expected = Tensor::<1>::from_floats(expected.as_slice(), &Device::flex()).reshape([1, outputs, h, w]);
        assert_close(&format!("{window:?} in {groups} groups"), y, expected, 1e-5);
    }
}

#[test]
fn pools_in_every_convention() {
    // The last column says how far counted padding reaches; Caffe and PyTorch stop at the padded edge.
    let table = [
        (Window::new(3, 2), 0, 0),
        (Window::new(3, 2).ceil(), 0, 0),
        (Window::new(3, 2).padded(Padding::all(1)), 1, 1),
        (Window::new(3, 2).padded(Padding::all(1)).ceil(), 1, 1),
        (Window::new(2, 2).ceil(), 0, 0),
        (Window::new(3, 3).padded(explicit(1, 0, 1, 0)), 1, 0),
        (Window::new(3, 2).padded(Padding::all(1)).dilated(2), 1, 1),
        (Window::new(2, 2).padded(explicit(1, 0, 1, 0)).dilated(3).ceil(), 1, 0),
    ];
    for (window, before, after) in table {
        let x = random([1, 2, 8, 9]);
        let ([k, _], [s, _], [d, _]) = (window.size, window.stride, window.dilation);
        let map = Map::of(&x);
        let results = |fold: &dyn Fn(&[f64], usize, usize) -> f64, [h, w]: [usize; 2]| {
            let mut values = Vec::new();
            for (c, y, x) in (0..2).flat_map(|c| (0..h).flat_map(move |y| (0..w).map(move |x| (c, y, x)))) {
                let place = |i: usize, o: usize| (o * s + i * d) as isize - before as isize;
                let inside: Vec<f64> = (0..k * k).filter_map(|i| map.at(c, place(i / k, y), place(i % k, x))).collect();
                values.push(fold(&inside, y, x) as f32);
            }
            Tensor::<1>::from_floats(values.as_slice(), &Device::flex()).reshape([1, 2, h, w])
        };
        let largest = |values: &[f64], _: usize, _: usize| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean_of_real = |values: &[f64], _: usize, _: usize| values.iter().sum::<f64>() / values.len() as f64;
        let mean_of_padded = |values: &[f64], y: usize, x: usize| {
            let counted = |o: usize, side: usize| (0..k).filter(|i| o * s + i * d < before + side + after).count();
            values.iter().sum::<f64>() / (counted(y, 8) * counted(x, 9)) as f64
        };
        let size = |y: &Tensor<4>| [y.dims()[2], y.dims()[3]];
        let y = apply(&Op::MaxPool(window), &x);
        assert_close(&format!("max {window:?}"), y.clone(), results(&largest, size(&y)), 0.0);
        let y = apply(&Op::AveragePool { window, count_padding: false }, &x);
        assert_close(&format!("average {window:?}"), y.clone(), results(&mean_of_real, size(&y)), 1e-6);
        let y = apply(&Op::AveragePool { window, count_padding: true }, &x);
        assert_close(&format!("counted average {window:?}"), y.clone(), results(&mean_of_padded, size(&y)), 1e-6);
    }
}

#[test]
fn a_batch_norm_is_the_same_folded_or_not() {
    let norm = BatchNorm {
        gamma: vec![1.5, -0.5, 2.0],
        beta: vec![0.1, 0.2, -0.3],
        mean: vec![0.3, -0.1, 0.05],
        variance: vec![0.5, 2.0, 0.1],
        epsilon: 1e-3,
    };
    let kernel = random([3, 3, 3, 3]);
    let convolution = Op::Convolution(Convolution {
        weight: weights(kernel),
        scale: None,
        bias: None,
        window: Window::new(3, 1).padded(Padding::all(1)),
        groups: 1,
    });
    let network = network(3, [7, 7], |graph| {
        let conv = graph.add("conv", convolution.clone(), &[graph.input()])?;
        graph.batch_norm("folded", conv, &norm)?;
        // A pool of one pixel changes nothing, and nothing folds into it.
        let same = graph.add("same", Op::MaxPool(Window::new(1, 1)), &[conv])?;
        graph.batch_norm("apart", same, &norm)
    });
    let outputs = network.activations(random([2, 3, 7, 7]), &["conv", "folded", "apart"]).unwrap();
    let [conv, folded, apart] = ["conv", "folded", "apart"].map(|layer| outputs.map(layer).unwrap());
    let per_channel =
        |values: Vec<f32>| Tensor::<1>::from_floats(values.as_slice(), &Device::flex()).reshape([1, 3, 1, 1]);
    let scale: Vec<f32> = norm.gamma.iter().zip(&norm.variance).map(|(g, v)| g / (v + norm.epsilon).sqrt()).collect();
    let expected = (conv - per_channel(norm.mean)) * per_channel(scale) + per_channel(norm.beta);
    assert_close("folded", folded, expected.clone(), 1e-5);
    assert_close("apart", apart, expected, 1e-5);
}

#[test]
fn sums_products_and_means() {
    let network = network(3, [4, 6], |graph| {
        let x = graph.input();
        let sum = graph.add("sum", Op::Add, &[x, x, x])?;
        graph.add("square", Op::Multiply, &[x, sum])?;
        let gate = graph.add("gate", Op::AveragePool { window: whole([4, 6]), count_padding: false }, &[x])?;
        graph.add("gated", Op::Multiply, &[x, gate])?;
        graph.add("six", Op::Relu6, &[sum])?;
        let mean = graph.add("mean", Op::GlobalMean, &[x])?;
        let flat = graph.add("flat", Op::Flatten, &[gate])?;
        graph.add("both", Op::Concat, &[mean, flat])
    });
    let x = random([2, 3, 4, 6]).mul_scalar(4.0);
    let layers = ["sum", "square", "gated", "six", "mean", "both"];
    let outputs = network.activations(x.clone(), &layers).unwrap();
    let map = |layer: &str| outputs.map(layer).unwrap();
    let mean = x.clone().mean_dims(&[2, 3]);
    assert_close("sum", map("sum"), x.clone().mul_scalar(3.0), 1e-6);
    assert_close("square", map("square"), (x.clone() * x.clone()).mul_scalar(3.0), 1e-6);
    assert_close("gated", map("gated"), x.clone() * mean.clone(), 1e-5);
    assert_close("six", map("six"), x.mul_scalar(3.0).clamp(0.0, 6.0), 1e-6);
    assert_close("mean", map("mean"), mean.clone(), 1e-5);
    assert_close("both", map("both"), Tensor::cat(vec![mean.clone(), mean], 1), 1e-5);
    assert!(matches!(outputs.get("both").unwrap(), Activation::Vector(_)));
    assert_eq!(network.shape("both", [4, 6]).unwrap(), Shape::Vector { c: 6 });
}

fn whole(size: [usize; 2]) -> Window {
    Window { size, ..Window::new(1, 1) }
}

#[test]
fn layers_that_are_not_there_and_images_that_do_not_fit_are_named() {
    let network = network(3, [8, 8], |graph| graph.add("pool", Op::MaxPool(Window::new(5, 1)), &[graph.input()]));
    let message =
        |images: [usize; 4], layer: &str| network.activations(random(images), &[layer]).unwrap_err().to_string();
    assert_eq!(message([1, 3, 8, 8], "pol"), "no layer `pol`; the nearest is `pool`");
    assert_eq!(message([1, 3, 4, 9], "pool"), "an image of 4x9 is too small for layer `pool`, which needs 5x5");
    assert_eq!(
        message([1, 1, 8, 8], "pool"),
        "images of shape [1, 1, 8, 8] do not fit; the network reads [n, 3, h, w]"
    );
}
