//! Graphs computed plainly, for tests: what every operation means, one number after the other.

use super::{Extent, Function, Graph, LocalResponseNorm, Op, Sampling, Shape, Weights, Window, counted, resolve};

/// What all nodes of a graph compute from one image `[c, h, w]` of the graph's own size.
pub(crate) fn evaluate(graph: &Graph, image: &[f32]) -> Vec<Vec<f32>> {
    let mut outputs: Vec<Vec<f32>> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let inputs: Vec<(&[f32], Shape)> =
            node.inputs.iter().map(|&input| (&outputs[input][..], graph.nodes()[input].shape)).collect();
        let output = match &node.op {
            Op::Input => image.to_vec(),
            op => apply(op, &inputs, node.shape),
        };
        assert_eq!(output.len(), node.shape.dims().iter().product::<usize>(), "{}", node.name);
        outputs.push(output);
    }
    outputs
}

fn sizes(shape: Shape) -> (usize, usize, usize) {
    let [h, w] = shape.positions();
    (shape.channels(), h, w)
}

/// One number at each place of `[c, h, w]`.
fn fill((c, h, w): (usize, usize, usize), f: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
    let f = &f;
    (0..c).flat_map(|i| (0..h).flat_map(move |y| (0..w).map(move |x| f(i, y, x)))).collect()
}

fn apply(op: &Op, inputs: &[(&[f32], Shape)], shape: Shape) -> Vec<f32> {
    let out = sizes(shape);
    let (x, (c, h, w)) = inputs.first().map_or((&[][..], (0, 0, 0)), |&(x, shape)| (x, sizes(shape)));
    let at = |i: usize, y: usize, j: usize| x[(i * h + y) * w + j];
    let bias = |bias: &Option<Weights>, i: usize| bias.as_ref().map_or(0.0, |bias| bias.values()[i]);
    match op {
        Op::Input => unreachable!("the image is given"),
        Op::Constant(values) => values.values().to_vec(),
        Op::Affine { scale, shift } => fill(out, |i, y, x| at(i, y, x) * scale.values()[i] + shift.values()[i]),
        Op::Relu => x.iter().map(|x| x.max(0.0)).collect(),
        Op::Relu6 => x.iter().map(|x| x.clamp(0.0, 6.0)).collect(),
        Op::Pointwise(function) => x.iter().map(|&x| pointwise(*function, f64::from(x)) as f32).collect(),
        Op::Convolution(conv) => {
            let &[_, per_group, kh, kw] = conv.weight.shape() else { unreachable!("checked when it was added") };
            let [rows, columns] = resolve(&conv.window, [h, w]).unwrap();
            let (stride, dilation, group) = (conv.window.stride, conv.window.dilation, out.0 / conv.groups);
            fill(out, |o, y, j| {
                let mut sum = 0.0;
                for i in 0..per_group {
                    for ky in 0..kh {
                        let Some(y) = (y * stride[0] + ky * dilation[0]).checked_sub(rows.before) else { continue };
                        for kx in 0..kw {
                            let Some(j) = (j * stride[1] + kx * dilation[1]).checked_sub(columns.before) else {
                                continue;
                            };
                            if y < h && j < w {
                                let weight = conv.weight.values()[((o * per_group + i) * kh + ky) * kw + kx];
                                sum += f64::from(weight) * f64::from(at(o / group * per_group + i, y, j));
                            }
                        }
                    }
                }
                sum as f32 * conv.scale.as_ref().map_or(1.0, |scale| scale.values()[o]) + bias(&conv.bias, o)
            })
        }
        Op::Linear(linear) => fill(out, |o, _, _| {
            let row = &linear.weight.values()[o * x.len()..(o + 1) * x.len()];
            dot(row, x) as f32 + bias(&linear.bias, o)
        }),
        Op::MaxPool(window) => slide(window, [h, w], out, |i, places, _| {
            places.iter().map(|&(y, j)| at(i, y, j)).fold(f32::NEG_INFINITY, f32::max)
        }),
        Op::AveragePool { window, count_padding } => {
            let extents = resolve(window, [h, w]).unwrap();
            let count = |axis: usize, extent: Extent, size: usize| counted(window, axis, extent, size, *count_padding);
            let (rows, columns) = (count(0, extents[0], h), count(1, extents[1], w));
            slide(window, [h, w], out, |i, places, [y, j]| {
                places.iter().map(|&(y, j)| at(i, y, j)).sum::<f32>() / (rows[y] * columns[j]) as f32
            })
        }
        Op::AdaptiveAveragePool([rows, columns]) => fill(out, |i, y, j| {
            let (ys, js) =
                (y * h / rows..((y + 1) * h).div_ceil(*rows), j * w / columns..((j + 1) * w).div_ceil(*columns));
            let count = ys.len() * js.len();
            ys.flat_map(|y| js.clone().map(move |j| (y, j))).map(|(y, j)| at(i, y, j)).sum::<f32>() / count as f32
        }),
        &Op::LocalResponseNorm(LocalResponseNorm { size, alpha, beta, k }) => fill(out, |i, y, j| {
            let near = i.saturating_sub(size / 2)..(i + size / 2 + 1).min(c);
            let sum: f32 = near.map(|i| at(i, y, j).powi(2)).sum();
            at(i, y, j) / (k + alpha * sum).powf(beta)
        }),
        Op::LayerNorm { gamma, beta, epsilon } => fill(out, |i, y, j| {
            let mean = (0..c).map(|i| f64::from(at(i, y, j))).sum::<f64>() / c as f64;
            let variance = (0..c).map(|i| (f64::from(at(i, y, j)) - mean).powi(2)).sum::<f64>() / c as f64;
            let normal = (f64::from(at(i, y, j)) - mean) / (variance + f64::from(*epsilon)).sqrt();
            normal as f32 * gamma.values()[i] + beta.values()[i]
        }),
        Op::Concat => inputs.iter().flat_map(|(x, _)| x.iter().copied()).collect(),
        Op::Add => fill(out, |i, y, j| inputs.iter().map(|(x, _)| x[(i * h + y) * w + j]).sum()),
        Op::Multiply => fill(out, |i, y, j| {
            let each = inputs.iter().map(|&(x, shape)| match sizes(shape) {
                (_, 1, 1) => x[i],
                (_, h, w) => x[(i * h + y) * w + j],
            });
            each.product()
        }),
        Op::Select(channels) => fill(out, |i, y, j| at(channels[i], y, j)),
        Op::Pad { rows, columns, value } => {
            fill(out, |i, y, j| match (y.checked_sub(rows[0]), j.checked_sub(columns[0])) {
                (Some(y), Some(j)) if y < h && j < w => at(i, y, j),
                _ => *value,
            })
        }
        Op::Crop { origin, .. } => fill(out, |i, y, j| at(i, y + origin[0], j + origin[1])),
        Op::ResizeBilinear { size, sampling } => {
            let along = |place: usize, from: usize, to: usize| {
                let (place, ratio) = (place as f32, from as f32 / to as f32);
                let source = match sampling {
                    Sampling::HalfPixel => (place + 0.5) * ratio - 0.5,
                    Sampling::AlignCorners if to > 1 => place * (from - 1) as f32 / (to - 1) as f32,
                    Sampling::AlignCorners => 0.0,
                    Sampling::Asymmetric => place * ratio,
                };
                let source = source.clamp(0.0, (from - 1) as f32);
                let low = source as usize;
                (low, (low + 1).min(from - 1), source - low as f32)
            };
            fill(out, |i, y, j| {
                let ((y0, y1, ty), (j0, j1, tj)) = (along(y, h, size[0]), along(j, w, size[1]));
                let row = |y: usize| at(i, y, j0) * (1.0 - tj) + at(i, y, j1) * tj;
                row(y0) * (1.0 - ty) + row(y1) * ty
            })
        }
        Op::Tokens | Op::Flatten => x.to_vec(),
        Op::Stack => (0..out.0)
            .flat_map(|i| {
                inputs.iter().flat_map(move |&(x, shape)| {
                    let [h, w] = shape.positions();
                    x[i * h * w..(i + 1) * h * w].iter().copied()
                })
            })
            .collect(),
        &Op::Scores { heads, scale } => {
            let (keys, d) = (inputs[1].0, c / heads);
            fill(out, |head, query, key| {
                let each =
                    (head * d..(head + 1) * d).map(|i| f64::from(at(i, query, 0)) * f64::from(keys[i * out.2 + key]));
                each.sum::<f64>() as f32 * scale
            })
        }
        Op::RowSoftmax => x.chunks(w).flat_map(softmax).collect(),
        Op::Attend => {
            let (values, d) = (inputs[1].0, out.0 / c);
            fill(out, |i, query, _| (0..w).map(|key| at(i / d, query, key) * values[i * w + key]).sum())
        }
        Op::GlobalMean => {
            let mean = |x: &[f32]| x.iter().map(|&x| f64::from(x)).sum::<f64>() / (h * w) as f64;
            x.chunks(h * w).map(|x| mean(x) as f32).collect()
        }
        Op::Softmax => {
            let columns: Vec<Vec<f32>> =
                (0..h * w).map(|place| softmax(&(0..c).map(|i| x[i * h * w + place]).collect::<Vec<_>>())).collect();
            fill(out, |i, y, j| columns[y * w + j][i])
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn softmax(x: &[f32]) -> Vec<f32> {
    let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = x.iter().map(|x| (x - largest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// What `f` makes of the places inside the map under each window.
fn slide(
    window: &Window,
    [h, w]: [usize; 2],
    out: (usize, usize, usize),
    f: impl Fn(usize, &[(usize, usize)], [usize; 2]) -> f32,
) -> Vec<f32> {
    let extents = resolve(window, [h, w]).unwrap();
    let places = |axis: usize, i: usize, size: usize| -> Vec<usize> {
        let steps = (0..window.size[axis]).map(|k| i * window.stride[axis] + k * window.dilation[axis]);
        steps.filter_map(|place| place.checked_sub(extents[axis].before)).filter(|&place| place < size).collect()
    };
    fill(out, |i, y, j| {
        let (rows, columns) = (places(0, y, h), places(1, j, w));
        let all: Vec<_> = rows.iter().flat_map(|&y| columns.iter().map(move |&j| (y, j))).collect();
        f(i, &all, [y, j])
    })
}

fn pointwise(function: Function, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match function {
        Function::Sigmoid => sigmoid(x),
        Function::Tanh => x.tanh(),
        Function::Silu => x * sigmoid(x),
        Function::HardSigmoid { slope, offset } => (f64::from(slope) * x + f64::from(offset)).clamp(0.0, 1.0),
        Function::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        Function::Gelu => x * 0.5 * (1.0 + erf(x / 2f64.sqrt())),
        Function::GeluTanh => {
            x * 0.5 * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
        }
        Function::Elu { alpha } => {
            if x > 0.0 {
                x
            } else {
                f64::from(alpha) * x.exp_m1()
            }
        }
        Function::LeakyRelu { slope } => {
            if x > 0.0 {
                x
            } else {
                f64::from(slope) * x
            }
        }
        Function::Softplus => x.exp().ln_1p(),
        Function::Clip { min, max } => x.max(f64::from(min)).min(f64::from(max)),
        Function::Erf => erf(x),
        Function::Exp => x.exp(),
        Function::Abs => x.abs(),
        Function::Power { exponent } => x.powf(f64::from(exponent)),
    }
}

/// The error function: its series near 0, and 1 where nothing is left to add.
fn erf(x: f64) -> f64 {
    if x.abs() > 5.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..120 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}
