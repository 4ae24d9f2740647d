//! The graph in Burn operations: what every other executor is held against, on any device.

use std::sync::Mutex;

use burn::tensor::{
    Device, Int, Tensor, TensorData, activation,
    module::{avg_pool2d, conv2d, linear, max_pool2d},
    ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions, PadMode},
    s,
};

use crate::{
    Activation,
    gradient_override::{Rectifier, Resolved, rectify, smoothed},
    graph::{Convolution, Extent, Function, LocalResponseNorm, NodeId, Op, Pruned, Weights, Window, counted, resolve},
};

/// Weights on one device, each uploaded when it is first needed.
pub(crate) struct DeviceWeights {
    device: Device,
    uploaded: Mutex<Vec<Uploaded>>,
}

struct Uploaded {
    weights: Weights,
    /// What each of the first axis' slices was multiplied by.
    scale: Option<Weights>,
    tensor: Tensor<1>,
}

#[derive(Clone)]
enum NodeWeights {
    Kernel(Tensor<4>, Option<Tensor<1>>),
    /// Transposed, `[in, out]`, as Burn's `linear` takes it.
    Matrix(Tensor<2>, Option<Tensor<1>>),
    /// `[1, c, 1, 1]` each.
    Affine(Tensor<4>, Tensor<4>),
    /// For one image.
    Constant(Activation),
}

impl DeviceWeights {
    pub(crate) fn new(device: &Device) -> Self {
        Self { device: device.clone().without_autodiff(), uploaded: Mutex::default() }
    }

    fn of(&self, op: &Op) -> NodeWeights {
        match op {
            Op::Convolution(c) => {
                let kernel = self.upload_as(&c.weight, c.scale.as_ref(), || c.scaled_weight());
                NodeWeights::Kernel(kernel, c.bias.as_ref().map(|b| self.upload(b)))
            }
            Op::Linear(l) => {
                NodeWeights::Matrix(self.upload::<2>(&l.weight).transpose(), l.bias.as_ref().map(|b| self.upload(b)))
            }
            Op::Affine { scale, shift } => {
                let per_channel = |w: &Weights| self.upload::<1>(w).reshape([1, -1, 1, 1]);
                NodeWeights::Affine(per_channel(scale), per_channel(shift))
            }
            Op::LayerNorm { gamma, beta, .. } => {
                let per_channel = |w: &Weights| self.upload::<1>(w).reshape([1, -1, 1, 1]);
                NodeWeights::Affine(per_channel(gamma), per_channel(beta))
            }
            Op::Constant(values) => NodeWeights::Constant(match *values.shape() {
                [c] => Activation::Vector(self.upload::<1>(values).reshape([1, c])),
                _ => Activation::Map(self.upload::<3>(values).unsqueeze()),
            }),
            other => unreachable!("{} has no weights", other.kind()),
        }
    }

    fn upload<const D: usize>(&self, weights: &Weights) -> Tensor<D> {
        self.upload_as(weights, None, || weights.clone())
    }

    /// What is made of `weights` and a scale, if that is not there yet.
    fn upload_as<const D: usize>(
        &self,
        weights: &Weights,
        scale: Option<&Weights>,
        make: impl FnOnce() -> Weights,
    ) -> Tensor<D> {
        let shape: [usize; D] = weights.shape().try_into().expect("checked when the graph was built");
        let mut uploaded = self.uploaded.lock().expect("no thread panics while it holds the weights");
        let is_same = |known: &&Uploaded| known.weights.is(weights) && Weights::are_same(known.scale.as_ref(), scale);
        if let Some(known) = uploaded.iter().find(is_same) {
            return known.tensor.clone().reshape(shape);
        }
        let values = make().values().to_vec();
        let tensor = Tensor::<1>::from_data(TensorData::new(values, [weights.values().len()]), &self.device);
        uploaded.push(Uploaded { weights: weights.clone(), scale: scale.cloned(), tensor: tensor.clone() });
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
            Op::Constant(_) => constant(weights.of(&node.op), &images),
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
        Op::Input | Op::Constant(_) => unreachable!("these read nothing"),
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
        Op::Pointwise(function) => on_any(next(), |x| pointwise(x, *function), |x| pointwise(x, *function)),
        Op::LayerNorm { epsilon, .. } => {
            let NodeWeights::Affine(gamma, beta) = weights() else { unreachable!("a layer norm has a scale") };
            let map = |x: Tensor<4>| {
                let centered = x.clone() - x.mean_dim(1);
                let variance = (centered.clone() * centered.clone()).mean_dim(1);
                let normal = centered / variance.add_scalar(*epsilon).sqrt();
                let (gamma, beta) = (like(gamma, &normal), like(beta, &normal));
                normal * gamma + beta
            };
            match next() {
                Map(x) => Map(map(x)),
                Vector(x) => {
                    let [n, c] = x.dims();
                    Vector(map(x.reshape([n, c, 1, 1])).reshape([n, c]))
                }
            }
        }
        Op::Select(channels) => {
            let channels: Vec<i64> = channels.iter().map(|&c| c as i64).collect();
            let select = |device: &Device| Tensor::<1, Int>::from_data(channels.as_slice(), device);
            on_any(
                next(),
                |x| {
                    let channels = select(&x.device());
                    x.select(1, channels)
                },
                |x| {
                    let channels = select(&x.device());
                    x.select(1, channels)
                },
            )
        }
        Op::Pad { rows: [top, bottom], columns: [left, right], value } => {
            Map(next().into_map().pad((*left, *right, *top, *bottom), PadMode::Constant(*value)))
        }
        &Op::Crop { origin: [y, x], size: [h, w] } => Map(next().into_map().narrow(2, y, h).narrow(3, x, w)),
        op @ (Op::AdaptiveAveragePool(_) | Op::ResizeBilinear { .. }) => Map(resample(next().into_map(), op)),
        Op::Tokens => {
            let x = next().into_map();
            let [n, c, h, w] = x.dims();
            Map(x.reshape([n, c, h * w, 1]))
        }
        Op::Stack => Map(Tensor::cat(std::iter::once(next()).chain(inputs).map(Activation::into_map).collect(), 2)),
        Op::Scores { heads, scale } => {
            let [queries, keys] = [next(), next()].map(|x| by_head(x.into_map(), *heads));
            Map(queries.swap_dims(2, 3).matmul(keys).mul_scalar(*scale))
        }
        Op::RowSoftmax => Map(activation::softmax(next().into_map(), 3)),
        Op::Attend => {
            let (attention, values) = (next().into_map(), next().into_map());
            let ([n, heads, queries, _], c) = (attention.dims(), values.dims()[1]);
            let sums = by_head(values, heads).matmul(attention.swap_dims(2, 3)); // [n, heads, c / heads, queries]
            Map(sums.reshape([n, c, queries, 1]))
        }
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

/// A constant for as many images as there are; in form it depends on them, so that it can be differentiated.
fn constant(weights: NodeWeights, images: &Tensor<4>) -> Activation {
    let NodeWeights::Constant(constant) = weights else { unreachable!("a constant has numbers") };
    let nothing = images.clone().slice(s![.., 0..1, 0..1, 0..1]).mul_scalar(0.0); // [n, 1, 1, 1]
    let each = |x: Tensor<4>| like(x, images) + nothing;
    match constant {
        Activation::Map(x) => Activation::Map(each(x)),
        Activation::Vector(x) => {
            let [_, c] = x.dims();
            Activation::Vector(each(x.reshape([1, c, 1, 1])).flatten(1, 3))
        }
    }
}

/// Tokens `[n, c, t, 1]` as `[n, heads, c / heads, t]`.
fn by_head(x: Tensor<4>, heads: usize) -> Tensor<4> {
    let [n, c, t, _] = x.dims();
    x.reshape([n, heads, c / heads, t])
}

/// Along each axis a product with a constant matrix.
fn resample(x: Tensor<4>, op: &Op) -> Tensor<4> {
    let [_, _, h, w] = x.dims();
    let matrix = |axis: usize, inputs: usize| {
        let taps = op.taps(axis, inputs);
        let mut matrix = vec![0.0f32; taps.len() * inputs];
        for (row, taps) in taps.iter().enumerate() {
            taps.iter().for_each(|&(place, weight)| matrix[row * inputs + place] += weight);
        }
        let matrix = TensorData::new(matrix, [1, 1, taps.len(), inputs]);
        like(Tensor::<4>::from_data(matrix, &x.device().without_autodiff()), &x)
    };
    let (rows, columns) = (matrix(0, h), matrix(1, w));
    rows.matmul(x).matmul(columns.swap_dims(2, 3))
}

fn pointwise<const D: usize>(x: Tensor<D>, function: Function) -> Tensor<D> {
    match function {
        Function::Sigmoid => activation::sigmoid(x),
        Function::Tanh => x.tanh(),
        Function::Silu => activation::silu(x),
        Function::HardSigmoid { slope, offset } => x.mul_scalar(slope).add_scalar(offset).clamp(0.0, 1.0),
        Function::HardSwish => x.clone() * x.div_scalar(6.0).add_scalar(0.5).clamp(0.0, 1.0),
        Function::Gelu => {
            let share = x.clone().mul_scalar(std::f64::consts::FRAC_1_SQRT_2).erf();
            x.mul_scalar(0.5) * share.add_scalar(1.0)
        }
        Function::GeluTanh => {
            let cubic = x.clone() * x.clone() * x.clone().mul_scalar(0.044_715);
            let share = (x.clone() + cubic).mul_scalar((2.0 / std::f64::consts::PI).sqrt()).tanh();
            x.mul_scalar(0.5) * share.add_scalar(1.0)
        }
        Function::Elu { alpha } => {
            let below = x.clone().clamp_max(0.0).exp().sub_scalar(1.0).mul_scalar(alpha);
            x.clamp_min(0.0) + below
        }
        Function::LeakyRelu { slope } => x.clone().clamp_min(0.0) + x.clamp_max(0.0).mul_scalar(slope),
        Function::Softplus => x.clone().clamp_min(0.0) + x.abs().neg().exp().add_scalar(1.0).log(),
        Function::Clip { min, max } => x.clamp(min, max),
        Function::Erf => x.erf(),
        Function::Exp => x.exp(),
        Function::Abs => x.abs(),
        Function::Power { exponent: 2.0 } => x.clone() * x,
        Function::Power { exponent: 0.5 } => x.sqrt(),
        Function::Power { exponent: -0.5 } => x.sqrt().recip(),
        Function::Power { exponent: -1.0 } => x.recip(),
        Function::Power { exponent } => x.powf_scalar(exponent),
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
