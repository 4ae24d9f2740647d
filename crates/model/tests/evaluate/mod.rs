//! Graphs computed in plain loops, one image at a time, so that loaders can be held to numbers.

use std::collections::HashMap;

use entoptic_model::graph::{Function, Graph, Op, Sampling, Shape, Window, counted, resolve};

/// What a node computes: `[c, h, w]`, or `[c]` with one position.
#[derive(Debug, Clone)]
pub struct Map {
    pub c: usize,
    pub h: usize,
    pub w: usize,
    pub values: Vec<f32>,
}

impl Map {
    fn new(shape: Shape) -> Self {
        let (c, [h, w]) = (shape.channels(), shape.positions());
        Self { c, h, w, values: vec![0.0; c * h * w] }
    }

    /// From `[h, w, c]`, as TensorFlow has it.
    pub fn from_nhwc([h, w, c]: [usize; 3], values: &[f32]) -> Self {
        assert_eq!(values.len(), h * w * c);
        let place = |i: usize| (i % (h * w) * c) + i / (h * w);
        Self { c, h, w, values: (0..values.len()).map(|i| values[place(i)]).collect() }
    }

    /// As `[h, w, c]`.
    pub fn to_nhwc(&self) -> Vec<f32> {
        let place = |i: usize| (i % self.c) * self.h * self.w + i / self.c;
        (0..self.values.len()).map(|i| self.values[place(i)]).collect()
    }

    fn at(&self, c: usize, y: usize, x: usize) -> f32 {
        self.values[(c * self.h + y) * self.w + x]
    }

    fn fill(mut self, f: impl Fn(usize, usize, usize) -> f32) -> Self {
        for i in 0..self.values.len() {
            self.values[i] = f(i / (self.h * self.w), i / self.w % self.h, i % self.w);
        }
        self
    }
}

/// What all nodes compute from `image`, RGB in `0..=1`, by their names; those that images of this size are too small for
/// are not among them.
pub fn evaluate(graph: &Graph, image: &Map) -> HashMap<String, Map> {
    let mut maps: Vec<Option<Map>> = Vec::new();
    for (id, node) in graph.nodes().iter().enumerate() {
        let inputs: Option<Vec<&Map>> = node.inputs.iter().map(|&input| maps[input].as_ref()).collect();
        let shape = graph.shape_at(id, [image.h, image.w]).ok();
        maps.push(inputs.zip(shape).map(|(inputs, shape)| compute(&node.op, &inputs, shape, image)));
    }
    let named = graph.nodes().iter().map(|node| node.name.clone()).zip(maps);
    named.filter_map(|(name, map)| Some((name, map?))).collect()
}

fn compute(op: &Op, inputs: &[&Map], shape: Shape, image: &Map) -> Map {
    let out = Map::new(shape);
    let x = inputs.first().copied().unwrap_or(image);
    let pointwise = |f: &dyn Fn(f32) -> f32| out.clone().fill(|c, i, j| f(x.at(c, i, j)));
    match op {
        Op::Input => image.clone(),
        Op::Constant(weights) => Map { values: weights.values().to_vec(), ..out },
        Op::Affine { scale, shift } => out.fill(|c, i, j| x.at(c, i, j) * scale.values()[c] + shift.values()[c]),
        Op::Relu => pointwise(&|v| v.max(0.0)),
        Op::Relu6 => pointwise(&|v| v.clamp(0.0, 6.0)),
        Op::Pointwise(f) => pointwise(&|v| function(*f, v)),
        Op::Convolution(convolution) => {
            let &[outputs, per_group, kh, kw] = convolution.weight.shape() else { panic!() };
            let window = &convolution.window;
            out.fill(|o, i, j| {
                let first = o / (outputs / convolution.groups) * per_group;
                let mut sum = 0.0;
                for (y, x_, ky, kx) in places(window, [x.h, x.w], [i, j]) {
                    for c in 0..per_group {
                        let weight = convolution.weight.values()[((o * per_group + c) * kh + ky) * kw + kx];
                        sum += f64::from(weight * x.at(first + c, y, x_));
                    }
                }
                let scale = convolution.scale.as_ref().map_or(1.0, |scale| scale.values()[o]);
                sum as f32 * scale + convolution.bias.as_ref().map_or(0.0, |bias| bias.values()[o])
            })
        }
        Op::Linear(linear) => {
            let inputs = x.values.len();
            out.fill(|o, _, _| {
                let row = &linear.weight.values()[o * inputs..(o + 1) * inputs];
                let sum: f64 = row.iter().zip(&x.values).map(|(w, v)| f64::from(w * v)).sum();
                sum as f32 + linear.bias.as_ref().map_or(0.0, |bias| bias.values()[o])
            })
        }
        Op::MaxPool(window) => out.fill(|c, i, j| {
            places(window, [x.h, x.w], [i, j]).map(|(y, x_, ..)| x.at(c, y, x_)).fold(f32::NEG_INFINITY, f32::max)
        }),
        Op::AveragePool { window, count_padding } => {
            let [rows, columns] = resolve(window, [x.h, x.w]).unwrap();
            let rows = counted(window, 0, rows, x.h, *count_padding);
            let columns = counted(window, 1, columns, x.w, *count_padding);
            out.fill(|c, i, j| {
                let sum: f64 = places(window, [x.h, x.w], [i, j]).map(|(y, x_, ..)| f64::from(x.at(c, y, x_))).sum();
                (sum / (rows[i] * columns[j]) as f64) as f32
            })
        }
        Op::LocalResponseNorm(norm) => {
            let reach = norm.size / 2;
            out.fill(|c, i, j| {
                let near = c.saturating_sub(reach)..(c + reach + 1).min(x.c);
                let sum: f32 = near.map(|d| x.at(d, i, j).powi(2)).sum();
                x.at(c, i, j) / (norm.k + norm.alpha * sum).powf(norm.beta)
            })
        }
        Op::Concat => Map { values: inputs.iter().flat_map(|map| map.values.iter().copied()).collect(), ..out },
        Op::Add => out.fill(|c, i, j| inputs.iter().map(|map| map.at(c, i, j)).sum()),
        Op::Multiply => out.fill(|c, i, j| {
            let at = |map: &Map| map.at(c, i.min(map.h - 1), j.min(map.w - 1));
            at(inputs[0]) * at(inputs[1])
        }),
        Op::Select(channels) => out.fill(|c, i, j| x.at(channels[c], i, j)),
        Op::Pad { rows, columns, value } => out.fill(|c, i, j| match (i.checked_sub(rows[0]), j.checked_sub(columns[0])) {
            (Some(i), Some(j)) if i < x.h && j < x.w => x.at(c, i, j),
            _ => *value,
        }),
        Op::Crop { origin, .. } => out.fill(|c, i, j| x.at(c, i + origin[0], j + origin[1])),
        Op::ResizeBilinear { size, sampling } => out.fill(|c, i, j| {
            let [(y, v), (x_, u)] = [between(i, x.h, size[0], *sampling), between(j, x.w, size[1], *sampling)];
            let row = |y: usize| x.at(c, y, x_) * (1.0 - u) + x.at(c, y, (x_ + 1).min(x.w - 1)) * u;
            row(y) * (1.0 - v) + row((y + 1).min(x.h - 1)) * v
        }),
        Op::Tokens | Op::Flatten => Map { values: x.values.clone(), ..out },
        Op::GlobalMean => out.fill(|c, _, _| {
            let positions = x.h * x.w;
            let sum: f64 = x.values[c * positions..(c + 1) * positions].iter().map(|&v| f64::from(v)).sum();
            (sum / positions as f64) as f32
        }),
        Op::Softmax => {
            let sum = |i, j| (0..x.c).map(|c| (x.at(c, i, j) - largest(x, i, j)).exp()).sum::<f32>();
            out.fill(|c, i, j| (x.at(c, i, j) - largest(x, i, j)).exp() / sum(i, j))
        }
        Op::RowSoftmax => {
            let row = |c: usize, i: usize| &x.values[(c * x.h + i) * x.w..][..x.w];
            let largest = |c, i| row(c, i).iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum = |c, i| row(c, i).iter().map(|v| (v - largest(c, i)).exp()).sum::<f32>();
            out.fill(|c, i, j| (x.at(c, i, j) - largest(c, i)).exp() / sum(c, i))
        }
        Op::Stack => {
            let (c, w) = (x.c, x.w);
            let column = |channel: usize| {
                inputs.iter().flat_map(move |map| map.values[channel * map.h * w..][..map.h * w].iter().copied())
            };
            Map { values: (0..c).flat_map(column).collect(), ..out }
        }
        Op::AdaptiveAveragePool([1, 1]) => compute(&Op::GlobalMean, inputs, shape, image),
        Op::LayerNorm { gamma, beta, epsilon } => out.fill(|c, i, j| {
            let column = || (0..x.c).map(|d| x.at(d, i, j));
            let mean = column().sum::<f32>() / x.c as f32;
            let variance = column().map(|v| (v - mean).powi(2)).sum::<f32>() / x.c as f32;
            (x.at(c, i, j) - mean) / (variance + epsilon).sqrt() * gamma.values()[c] + beta.values()[c]
        }),
        Op::Scores { heads, scale } => {
            let (keys, size) = (inputs[1], x.c / heads);
            out.fill(|head, i, j| {
                let channels = head * size..(head + 1) * size;
                channels.map(|c| x.at(c, i, 0) * keys.at(c, j, 0)).sum::<f32>() * scale
            })
        }
        Op::Attend => {
            let values = inputs[1];
            out.fill(|c, i, _| {
                let head = c / (values.c / x.c);
                (0..values.h).map(|j| x.at(head, i, j) * values.at(c, j, 0)).sum()
            })
        }
        other => panic!("{} is not computed here", other.kind()),
    }
}

fn largest(x: &Map, i: usize, j: usize) -> f32 {
    (0..x.c).map(|c| x.at(c, i, j)).fold(f32::NEG_INFINITY, f32::max)
}

fn function(f: Function, v: f32) -> f32 {
    match f {
        Function::Sigmoid => 1.0 / (1.0 + (-v).exp()),
        Function::Tanh => v.tanh(),
        Function::Silu => v / (1.0 + (-v).exp()),
        Function::HardSigmoid { slope, offset } => (slope * v + offset).clamp(0.0, 1.0),
        Function::HardSwish => v * (v / 6.0 + 0.5).clamp(0.0, 1.0),
        Function::Elu { alpha } => if v < 0.0 { alpha * v.exp_m1() } else { v },
        Function::LeakyRelu { slope } => if v < 0.0 { slope * v } else { v },
        Function::Softplus => v.exp().ln_1p(),
        Function::Clip { min, max } => v.clamp(min, max),
        Function::Exp => v.exp(),
        Function::Abs => v.abs(),
        Function::Power { exponent } => v.powf(exponent),
        Function::Gelu => v * (1.0 + erf(v / 2.0f32.sqrt())) / 2.0,
        Function::Erf => erf(v),
        other => panic!("{} is not computed here", other.name()),
    }
}

/// Abramowitz and Stegun 7.1.26, to 1.5e-7.
fn erf(v: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * v.abs());
    let poly = t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    (1.0 - poly * (-v * v).exp()).copysign(v)
}

/// The place before the one that is looked up, and how far behind it that lies.
fn between(i: usize, from: usize, to: usize, sampling: Sampling) -> (usize, f32) {
    let place = match sampling {
        Sampling::HalfPixel => ((i as f32 + 0.5) * from as f32 / to as f32 - 0.5).max(0.0),
        Sampling::AlignCorners if to > 1 => i as f32 * (from - 1) as f32 / (to - 1) as f32,
        Sampling::AlignCorners => 0.0,
        Sampling::Asymmetric => i as f32 * from as f32 / to as f32,
    };
    ((place as usize).min(from - 1), place.fract())
}

/// The places of a map under the window at output `[i, j]`, each with its place in the window.
fn places(
    window: &Window,
    [h, w]: [usize; 2],
    [i, j]: [usize; 2],
) -> impl Iterator<Item = (usize, usize, usize, usize)> + use<> {
    let [rows, columns] = resolve(window, [h, w]).unwrap();
    let Window { size: [kh, kw], stride, dilation, .. } = *window;
    (0..kh * kw).filter_map(move |k| {
        let y = (i * stride[0] + k / kw * dilation[0]).checked_sub(rows.before)?;
        let x = (j * stride[1] + k % kw * dilation[1]).checked_sub(columns.before)?;
        (y < h && x < w).then_some((y, x, k / kw, k % kw))
    })
}
