//! The graph in Burn operations: what every other executor is held against, on any device.

use std::sync::Mutex;

use burn::tensor::{
    Device, Tensor, TensorData, activation,
    module::{avg_pool2d, conv2d, linear, max_pool2d},
    ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions, PadMode},
};

use crate::{
    Activation,
    gradient_override::{Rectifier, Resolved, rectify, smoothed},
    graph::{Convolution, Extent, LocalResponseNorm, NodeId, Op, Pruned, Weights, Window, counted, resolve},
};

/// Weights on one device, each uploaded when it is first needed.
pub(crate) struct DeviceWeights {
    device: Device,
    uploaded: Mutex<Vec<(Weights, Tensor<1>)>>,
}

#[derive(Clone)]
enum NodeWeights {
    Kernel(Tensor<4>, Option<Tensor<1>>),
    /// Transposed, `[in, out]`, as Burn's `linear` takes it.
    Matrix(Tensor<2>, Option<Tensor<1>>),
    /// `[1, c, 1, 1]` each.
    Affine(Tensor<4>, Tensor<4>),
}

impl DeviceWeights {
    pub(crate) fn new(device: &Device) -> Self {
        Self { device: device.clone().without_autodiff(), uploaded: Mutex::default() }
    }

    fn of(&self, op: &Op) -> NodeWeights {
        match op {
            Op::Convolution(c) => NodeWeights::Kernel(self.upload(&c.weight), c.bias.as_ref().map(|b| self.upload(b))),
            Op::Linear(l) => {
                NodeWeights::Matrix(self.upload::<2>(&l.weight).transpose(), l.bias.as_ref().map(|b| self.upload(b)))
            }
            Op::Affine { scale, shift } => {
                let per_channel = |w: &Weights| self.upload::<1>(w).reshape([1, -1, 1, 1]);
                NodeWeights::Affine(per_channel(scale), per_channel(shift))
            }
            other => unreachable!("{} has no weights", other.kind()),
        }
    }

    fn upload<const D: usize>(&self, weights: &Weights) -> Tensor<D> {
        let shape: [usize; D] = weights.shape().try_into().expect("checked when the graph was built");
        let mut uploaded = self.uploaded.lock().expect("no thread panics while it holds the weights");
        if let Some((_, known)) = uploaded.iter().find(|(known, _)| known.is(weights)) {
            return known.clone().reshape(shape);
        }
        let values = weights.values().to_vec();
        let tensor = Tensor::<1>::from_data(TensorData::new(values, [weights.values().len()]), &self.device);
        uploaded.push((weights.clone(), tensor.clone()));
        tensor.reshape(shape)
    }
}

/// The outputs of `wanted` for `images` `[n, 3, h, w]`; shapes have been checked.
pub(crate) fn evaluate(
    pruned: &Pruned,
    weights: &DeviceWeights,
    images: Tensor<4>,
    wanted: &[NodeId],
    overrides: &Resolved,
) -> Vec<Activation> {
    let graph = &pruned.graph;
    let needed = graph.ancestors(wanted);
    let mut readers = vec![0; graph.nodes().len()];
    for &id in needed.iter().flat_map(|&id| &graph.nodes()[id].inputs).chain(wanted) {
        readers[id] += 1;
    }
    let mut outputs: Vec<Option<Activation>> = vec![None; graph.nodes().len()];
    // The last reader takes the output itself, so that nothing outlives its use.
    let mut read = |outputs: &mut Vec<Option<Activation>>, id: NodeId| {
        readers[id] -= 1;
        if readers[id] == 0 { outputs[id].take() } else { outputs[id].clone() }
            .expect("inputs come before their readers")
    };
    for id in needed {
        let node = &graph.nodes()[id];
        let inputs: Vec<Activation> = node.inputs.iter().map(|&input| read(&mut outputs, input)).collect();
        outputs[id] = Some(match node.op {
            Op::Input => Activation::Map(images.clone()),
            _ => apply(pruned.origins[id], &node.op, || weights.of(&node.op), inputs, overrides),
        });
    }
    wanted.iter().map(|&id| read(&mut outputs, id)).collect()
}

fn apply(
    id: NodeId,
    op: &Op,
    weights: impl Fn() -> NodeWeights,
    inputs: Vec<Activation>,
    overrides: &Resolved,
) -> Activation {
    use Activation::{Map, Vector};
    let mut inputs = inputs.into_iter();
    let mut next = || inputs.next().expect("checked when the graph was built");
    let rectified = |x: Activation, rectifier: Rectifier| {
        let (how, redirects) = (overrides.relu(id), overrides.redirects);
        on_any(x, |x| rectify(x, rectifier, how, redirects), |x| rectify(x, rectifier, how, redirects))
    };
    match op {
        Op::Input => unreachable!("the image is given"),
        Op::Relu => rectified(next(), Rectifier::Relu),
        Op::Relu6 => rectified(next(), Rectifier::Relu6),
        Op::Softmax => on_any(next(), |x| activation::softmax(x, 1), |x| activation::softmax(x, 1)),
        Op::Affine { .. } => {
            let NodeWeights::Affine(scale, shift) = weights() else { unreachable!("an affine node has a scale") };
            let map = |x: Tensor<4>| {
                let (scale, shift) = (like(scale.clone(), &x), like(shift.clone(), &x));
                x * scale + shift
            };
            on_any(next(), map, |x| {
                let [n, c] = x.dims();
                map(x.reshape([n, c, 1, 1])).reshape([n, c])
            })
        }
        Op::Convolution(c) => {
            let NodeWeights::Kernel(kernel, bias) = weights() else { unreachable!("a convolution has a kernel") };
            Map(convolution(next().into_map(), kernel, bias, c))
        }
        Op::Linear(_) => {
            let NodeWeights::Matrix(matrix, bias) = weights() else { unreachable!("a linear layer has a matrix") };
            let Vector(x) = next() else { unreachable!("checked when the graph was built") };
            let (matrix, bias) = (like(matrix, &x), bias.map(|bias| like(bias, &x)));
            Vector(linear(x, matrix, bias))
        }
        Op::MaxPool(window) => {
            let (max, mean) = (|x| max_pool(x, window), |x| average_pool(x, window, false));
            Map(match overrides.pool(id) {
                Some(how) => smoothed(next().into_map(), how, max, mean),
                None => max(next().into_map()),
            })
        }
        Op::AveragePool { window, count_padding } => Map(average_pool(next().into_map(), window, *count_padding)),
        Op::LocalResponseNorm(norm) => Map(local_response_norm(next().into_map(), norm)),
        Op::Concat => match next() {
            Map(first) => Map(Tensor::cat(std::iter::once(first).chain(inputs.map(Activation::into_map)).collect(), 1)),
            Vector(first) => Vector(Tensor::cat(std::iter::once(first).chain(inputs.map(into_vector)).collect(), 1)),
        },
        Op::Add => match next() {
            Map(first) => Map(inputs.map(Activation::into_map).fold(first, |sum, x| sum + x)),
            Vector(first) => Vector(inputs.map(into_vector).fold(first, |sum, x| sum + x)),
        },
        Op::Multiply => match (next(), next()) {
            (Vector(a), Vector(b)) => Vector(a * b),
            (a, b) => Map(a.into_map() * b.into_map()),
        },
        Op::Flatten => match next() {
            Map(x) => Vector(x.flatten(1, 3)),
            vector => vector,
        },
        Op::GlobalMean => {
            let x = next().into_map();
            let [n, c, _, _] = x.dims();
            Vector(x.mean_dims(&[2, 3]).reshape([n, c]))
        }
    }
}

fn on_any(
    x: Activation,
    map: impl FnOnce(Tensor<4>) -> Tensor<4>,
    vector: impl FnOnce(Tensor<2>) -> Tensor<2>,
) -> Activation {
    match x {
        Activation::Map(x) => Activation::Map(map(x)),
        Activation::Vector(x) => Activation::Vector(vector(x)),
    }
}

fn into_vector(activation: Activation) -> Tensor<2> {
    match activation {
        Activation::Vector(x) => x,
        Activation::Map(_) => unreachable!("checked when the graph was built"),
    }
}

/// A constant that can stand beside `x`, whether or not gradients are recorded there.
fn like<const D: usize, const E: usize>(constant: Tensor<D>, x: &Tensor<E>) -> Tensor<D> {
    if x.is_autodiff() { constant.autodiff() } else { constant }
}

fn convolution(x: Tensor<4>, kernel: Tensor<4>, bias: Option<Tensor<1>>, c: &Convolution) -> Tensor<4> {
    let [rows, columns] = extents(&x, &c.window);
    let mut options = ConvOptions::new(c.window.stride, [0, 0], c.window.dilation, c.groups);
    let (kernel, bias) = (like(kernel, &x), bias.map(|bias| like(bias, &x)));
    let x = if rows.before == rows.after && columns.before == columns.after {
        options.padding = [(rows.before, rows.after), (columns.before, columns.after)];
        x
    } else {
        pad(x, [rows, columns], 0.0)
    };
    conv2d(x, kernel, bias, options)
}

fn max_pool(x: Tensor<4>, window: &Window) -> Tensor<4> {
    let extents = extents(&x, window);
    let options = MaxPoolOptions { dilation: window.dilation, ..MaxPoolOptions::new(window.size) };
    max_pool2d(pad(x, extents, f32::NEG_INFINITY), options.with_stride(window.stride))
}

fn average_pool(x: Tensor<4>, window: &Window, count_padding: bool) -> Tensor<4> {
    let [_, _, h, w] = x.dims();
    let extents @ [rows, columns] = extents(&x, window);
    let [kh, kw] = window.size;
    let rows_counted = counted(window, 0, rows, h, count_padding);
    let columns_counted = counted(window, 1, columns, w, count_padding);
    let whole = (kh * kw) as f32;
    let correction: Vec<f32> =
        rows_counted.iter().flat_map(|r| columns_counted.iter().map(move |c| whole / (r * c) as f32)).collect();
    let mean = whole_mean(pad(x, extents, 0.0), window);
    if correction.iter().all(|&c| c == 1.0) {
        return mean;
    }
    let correction = TensorData::new(correction, [1, 1, rows.output, columns.output]);
    let correction = Tensor::<4>::from_data(correction, &mean.device());
    mean * correction
}

/// The mean of every element of each window, on a map that is already padded.
fn whole_mean(x: Tensor<4>, window: &Window) -> Tensor<4> {
    let Window { size, stride, dilation, .. } = *window;
    if dilation == [1, 1] {
        return avg_pool2d(x, AvgPoolOptions::new(size).with_stride(stride).with_count_include_pad(true));
    }
    // Burn dilates convolutions, but not this pool.
    let ([_, c, _, _], [kh, kw]) = (x.dims(), size);
    let kernel = Tensor::full([c, 1, kh, kw], 1.0 / (kh * kw) as f32, &x.device());
    conv2d(x, kernel, None, ConvOptions::new(stride, [0, 0], dilation, c))
}

/// The sum over neighboring channels is a product with a matrix that has ones in a band.
fn local_response_norm(x: Tensor<4>, norm: &LocalResponseNorm) -> Tensor<4> {
    let [n, c, h, w] = x.dims();
    let in_band = |i: usize, j: usize| if i.abs_diff(j) <= norm.size / 2 { norm.alpha } else { 0.0 };
    let band: Vec<f32> = (0..c).flat_map(|i| (0..c).map(move |j| in_band(i, j))).collect();
    let band = Tensor::<3>::from_data(TensorData::new(band, [1, c, c]), &x.device());
    let square = (x.clone() * x.clone()).reshape([n, c, h * w]);
    let sum = band.matmul(square).reshape([n, c, h, w]);
    x * sum.add_scalar(norm.k).powf_scalar(-norm.beta)
}

fn extents(x: &Tensor<4>, window: &Window) -> [Extent; 2] {
    let [_, _, h, w] = x.dims();
    resolve(window, [h, w]).expect("checked before the network ran")
}

fn pad(x: Tensor<4>, [rows, columns]: [Extent; 2], value: f32) -> Tensor<4> {
    let (bottom, right) = (rows.after + rows.overhang, columns.after + columns.overhang);
    if [rows.before, bottom, columns.before, right] == [0; 4] {
        return x;
    }
    x.pad((columns.before, right, rows.before, bottom), PadMode::Constant(value))
}
