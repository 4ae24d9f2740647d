//! The plain loops that say what every operation means, in double precision and without a thought for speed.
//!
//! Executors are held against them, and loaders of files against what others compute.

use std::ops::Range;

use crate::{
    Error,
    graph::{Convolution, Extent, Function, Graph, Node, Op, Sampling, Shape, Weights, Window, counted, resolve},
};

/// What every node answers to an image `[c, h, w]` of `size` `[h, w]`, RGB in `0..=1`.
///
/// ```
/// use entoptic_model::{graph::{GraphBuilder, Op}, reference::evaluate};
///
/// let mut graph = GraphBuilder::with_channels(1, [1, 2]);
/// let image = graph.input();
/// graph.add("relu", Op::Relu, &[image])?;
/// let answers = evaluate(&graph.finish(), &[-1.0, 0.5], [1, 2])?;
/// assert_eq!(answers, [[-1.0, 0.5], [0.0, 0.5]]);
/// # Ok::<(), entoptic_model::Error>(())
/// ```
///
/// # Errors
/// [`Error::ImageTooSmall`] or [`Error::Shape`] for a size that the network does not take.
///
/// # Panics
/// If the image is not of that size.
pub fn evaluate(graph: &Graph, image: &[f32], size: [usize; 2]) -> Result<Vec<Vec<f64>>, Error> {
    let shapes = graph.shapes(size)?;
    let mut outputs: Vec<Vec<f64>> = Vec::new();
    for node in graph.nodes() {
        let inputs: Vec<Map> = node.inputs.iter().map(|&id| Map { shape: shapes[id], values: &outputs[id] }).collect();
        let output = match node.op {
            Op::Input => image.iter().copied().map(f64::from).collect(),
            _ => answer(node, &inputs, shapes[outputs.len()]),
        };
        assert_eq!(output.len(), shapes[outputs.len()].dims().iter().product::<usize>(), "`{}`", node.name);
        outputs.push(output);
    }
    Ok(outputs)
}

/// What a node reads.
#[derive(Clone, Copy)]
struct Map<'a> {
    shape: Shape,
    values: &'a [f64],
}

impl<'a> Map<'a> {
    /// The numbers of each channel.
    fn planes(self) -> impl Iterator<Item = &'a [f64]> + Clone {
        self.values.chunks(self.area())
    }

    fn area(self) -> usize {
        self.shape.positions().iter().product()
    }

    /// What `f` makes of each number and its channel.
    fn map(self, f: impl Fn(usize, f64) -> f64) -> Vec<f64> {
        self.planes()
            .enumerate()
            .flat_map(|(c, plane)| plane.iter().map(move |&x| (c, x)))
            .map(|(c, x)| f(c, x))
            .collect()
    }

    /// What `f` makes of each column of channels.
    fn per_position(self, f: impl Fn(&mut [f64])) -> Vec<f64> {
        let (area, mut out) = (self.area(), self.values.to_vec());
        for position in 0..area {
            let mut channels: Vec<f64> = self.values.iter().skip(position).step_by(area).copied().collect();
            f(&mut channels);
            out.iter_mut().skip(position).step_by(area).zip(channels).for_each(|(out, x)| *out = x);
        }
        out
    }
}

fn answer(node: &Node, inputs: &[Map], shape: Shape) -> Vec<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let double = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<f64>>();
    match (&node.op, inputs) {
        (Op::Constant(values), []) => double(values.values()),
        (Op::Affine { scale, shift }, [x]) => {
            let (scale, shift) = (double(scale.values()), double(shift.values()));
            x.map(|c, x| x * scale[c] + shift[c])
        }
        (Op::Convolution(convolution), &[x]) => convolve(convolution, x, shape),
        (Op::Linear(linear), [x]) => {
            let rows = linear.weight.values().chunks(x.values.len());
            let products = rows.map(|row| row.iter().zip(x.values).map(|(&w, x)| f64::from(w) * x).sum::<f64>());
            match &linear.bias {
                Some(bias) => products.zip(bias.values()).map(|(y, &b)| y + f64::from(b)).collect(),
                None => products.collect(),
            }
        }
        (Op::Relu, [x]) => x.map(|_, x| x.max(0.0)),
        (Op::Relu6, [x]) => x.map(|_, x| x.clamp(0.0, 6.0)),
        (Op::Pointwise(function), [x]) => x.map(|_, x| pointwise(*function, x)),
        (Op::MaxPool(window), &[x]) => pool(x, window, shape, |places, _| places.fold(f64::NEG_INFINITY, f64::max)),
        (&Op::AveragePool { ref window, count_padding }, &[x]) => {
            let [rows, columns] = [0, 1].map(|axis| {
                let input = x.shape.positions()[axis];
                counted(window, axis, extents(window, x)[axis], input, count_padding)
            });
            pool(x, window, shape, |places, [i, j]| places.sum::<f64>() / (rows[i] * columns[j]) as f64)
        }
        (&Op::AdaptiveAveragePool([h, w]), &[x]) => {
            let [rows, columns] = x.shape.positions();
            let part = |i: usize, parts: usize, of: usize| i * of / parts..((i + 1) * of).div_ceil(parts);
            let mut out = Vec::new();
            for plane in x.planes() {
                for (i, j) in (0..h).flat_map(|i| (0..w).map(move |j| (i, j))) {
                    let rows = plane.chunks(columns).skip(part(i, h, rows).start).take(part(i, h, rows).len());
                    let places: Vec<f64> = rows.flat_map(|row| &row[part(j, w, columns)]).copied().collect();
                    out.push(mean(&places));
                }
            }
            out
        }
        (Op::LocalResponseNorm(norm), [x]) => x.per_position(|channels| {
            let squares: Vec<f64> = channels.iter().map(|x| x * x).collect();
            for (c, x) in channels.iter_mut().enumerate() {
                let nearby = &squares[c.saturating_sub(norm.size / 2)..squares.len().min(c + norm.size / 2 + 1)];
                let sum: f64 = nearby.iter().sum();
                *x /= (f64::from(norm.k) + f64::from(norm.alpha) * sum).powf(norm.beta.into());
            }
        }),
        (Op::LayerNorm { gamma, beta, epsilon }, [x]) => x.per_position(|channels| {
            let center = mean(channels);
            let variance = mean(&channels.iter().map(|x| (x - center).powi(2)).collect::<Vec<f64>>());
            for ((x, &gamma), &beta) in channels.iter_mut().zip(gamma.values()).zip(beta.values()) {
                *x = (*x - center) / (variance + f64::from(*epsilon)).sqrt() * f64::from(gamma) + f64::from(beta);
            }
        }),
        (Op::Concat, _) => inputs.iter().flat_map(|x| x.values).copied().collect(),
        (Op::Add, [first, rest @ ..]) => {
            let add = |sum: Vec<f64>, x: &Map| sum.iter().zip(x.values).map(|(a, b)| a + b).collect();
            rest.iter().fold(first.values.to_vec(), add)
        }
        (Op::Multiply, &[a, b]) => match (a.values.len(), b.values.len()) {
            (large, small) if large > small => a.map(|c, x| x * b.values[c]),
            (small, large) if large > small => b.map(|c, x| x * a.values[c]),
            _ => a.values.iter().zip(b.values).map(|(a, b)| a * b).collect(),
        },
        (Op::Select(channels), &[x]) => {
            channels.iter().flat_map(|&c| x.planes().nth(c).expect("a channel")).copied().collect()
        }
        (Op::Pad { rows, columns, value }, &[x]) => {
            let [h, w] = x.shape.positions();
            place(shape, |c, i, j| match (i.checked_sub(rows[0]), j.checked_sub(columns[0])) {
                (Some(i), Some(j)) if i < h && j < w => x.values[(c * h + i) * w + j],
                _ => f64::from(*value),
            })
        }
        (Op::Crop { origin: [y, x0], .. }, &[x]) => {
            let [h, w] = x.shape.positions();
            place(shape, |c, i, j| x.values[(c * h + i + y) * w + j + x0])
        }
        (&Op::ResizeBilinear { size, sampling }, &[x]) => {
            let from = x.shape.positions();
            let [rows, columns] = [0, 1].map(|axis| neighbors(from[axis], size[axis], sampling));
            place(shape, |c, i, j| {
                let at = |i: usize, j: usize| x.values[(c * from[0] + i) * from[1] + j];
                let ((i0, i1, down), (j0, j1, right)) = (rows[i], columns[j]);
                let row = |i: usize| at(i, j0) * (1.0 - right) + at(i, j1) * right;
                row(i0) * (1.0 - down) + row(i1) * down
            })
        }
        (Op::Tokens | Op::Flatten, [x]) => x.values.to_vec(),
        (Op::Stack, _) => (0..shape.channels())
            .flat_map(|c| inputs.iter().flat_map(move |x| x.planes().nth(c).expect("a channel")))
            .copied()
            .collect(),
        (&Op::Scores { heads, scale }, &[queries, keys]) => {
            let each = queries.shape.channels() / heads;
            place(shape, |head, i, j| {
                let channels = queries.planes().zip(keys.planes()).skip(head * each).take(each);
                channels.map(|(q, k)| q[i] * k[j]).sum::<f64>() * f64::from(scale)
            })
        }
        (Op::RowSoftmax, [x]) => {
            let [_, w] = x.shape.positions();
            let mut out = x.values.to_vec();
            out.chunks_mut(w).for_each(softmax);
            out
        }
        (Op::Attend, &[attention, values]) => {
            let each = values.shape.channels() / attention.shape.channels();
            let keys = values.area();
            place(shape, |c, i, _| {
                let row = attention.planes().nth(c / each).expect("a head").chunks(keys).nth(i).expect("a query");
                row.iter().zip(values.planes().nth(c).expect("a channel")).map(|(a, v)| a * v).sum()
            })
        }
        (Op::GlobalMean, &[x]) => x.planes().map(mean).collect(),
        (Op::Softmax, [x]) => x.per_position(softmax),
        (op, _) => panic!("`{}`: {} of {} inputs", node.name, op.kind(), inputs.len()),
    }
}

/// Every number of a map by its channel, row and column.
fn place(shape: Shape, f: impl Fn(usize, usize, usize) -> f64) -> Vec<f64> {
    let [h, w] = shape.positions();
    let places = (0..shape.channels() * h * w).map(|i| (i / (h * w), i / w % h, i % w));
    places.map(|(c, i, j)| f(c, i, j)).collect()
}

fn extents(window: &Window, x: Map) -> [Extent; 2] {
    resolve(window, x.shape.positions()).expect("the shape was inferred")
}

/// For each place of a window its element's row or column in the map, unless in the padding.
fn element(window: &Window, axis: usize, extent: Extent, place: usize, k: usize, input: usize) -> Option<usize> {
    let padded = place * window.stride[axis] + k * window.dilation[axis];
    padded.checked_sub(extent.before).filter(|&i| i < input)
}

fn pool(
    x: Map,
    window: &Window,
    shape: Shape,
    f: impl Fn(&mut dyn Iterator<Item = f64>, [usize; 2]) -> f64,
) -> Vec<f64> {
    let ([h, w], [down, right]) = (x.shape.positions(), extents(window, x));
    place(shape, |c, i, j| {
        let rows = (0..window.size[0]).filter_map(|k| element(window, 0, down, i, k, h));
        let columns = || (0..window.size[1]).filter_map(|k| element(window, 1, right, j, k, w));
        let mut places =
            rows.flat_map(|y| columns().map(move |x| (y, x))).map(|(row, column)| x.values[(c * h + row) * w + column]);
        f(&mut places, [i, j])
    })
}

fn convolve(convolution: &Convolution, x: Map, shape: Shape) -> Vec<f64> {
    let Convolution { weight, scale, bias, window, groups } = convolution;
    let &[outputs, channels, ..] = weight.shape() else { panic!("a kernel has four axes") };
    let area = shape.positions().iter().product();
    let of = |weights: &Option<Weights>, o: usize, default: f64| {
        weights.as_ref().map_or(default, |weights| f64::from(weights.values()[o]))
    };
    let (mut out, mut views) = (Vec::with_capacity(outputs * area), vec![]);
    for (o, kernel) in weight.values().chunks(weight.values().len() / outputs).enumerate() {
        let (group, place) = (o / (outputs / groups), o % (outputs / groups));
        if place == 0 {
            views = seen(window, x, group * channels..(group + 1) * channels, shape);
        }
        let mut plane = vec![0.0; area];
        for (&factor, seen) in kernel.iter().zip(views.chunks(area)) {
            let factor = f64::from(factor);
            plane.iter_mut().zip(seen).for_each(|(y, x)| *y += factor * x);
        }
        let (scale, bias) = (of(scale, o, 1.0), of(bias, o, 0.0));
        out.extend(plane.iter().map(|y| y * scale + bias));
    }
    out
}

/// What each element of a window sees of each channel, at every place of the window: `[channels, kh, kw, h, w]`.
fn seen(window: &Window, x: Map, channels: Range<usize>, shape: Shape) -> Vec<f64> {
    let ([h, w], [rows, columns], [down, right]) = (x.shape.positions(), shape.positions(), extents(window, x));
    let [kh, kw] = window.size;
    let mut seen = Vec::with_capacity(channels.len() * kh * kw * rows * columns);
    for plane in x.planes().skip(channels.start).take(channels.len()) {
        for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
            let under: Vec<Option<usize>> = (0..columns).map(|j| element(window, 1, right, j, kx, w)).collect();
            for i in 0..rows {
                match element(window, 0, down, i, ky, h) {
                    Some(y) => seen.extend(under.iter().map(|under| under.map_or(0.0, |x| plane[y * w + x]))),
                    None => seen.resize(seen.len() + columns, 0.0),
                }
            }
        }
    }
    seen
}

/// For each place of a resized axis its neighbors before, and how far it lies from the first to the second.
fn neighbors(from: usize, to: usize, sampling: Sampling) -> Vec<(usize, usize, f64)> {
    let ratio = from as f64 / to as f64;
    let source = |i: usize| match sampling {
        Sampling::HalfPixel => ((i as f64 + 0.5) * ratio - 0.5).max(0.0),
        Sampling::AlignCorners => i as f64 * (from.max(1) - 1) as f64 / (to.max(2) - 1) as f64,
        Sampling::Asymmetric => i as f64 * ratio,
    };
    (0..to)
        .map(source)
        .map(|at| {
            let first = (at as usize).min(from - 1);
            (first, (first + 1).min(from - 1), at - first as f64)
        })
        .collect()
}

fn softmax(values: &mut [f64]) {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values.iter_mut().for_each(|x| *x = (*x - largest).exp());
    let sum: f64 = values.iter().sum();
    values.iter_mut().for_each(|x| *x /= sum);
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
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            x * 0.5 * (1.0 + inner.tanh())
        }
        Function::Elu { alpha } => {
            if x < 0.0 {
                f64::from(alpha) * x.exp_m1()
            } else {
                x
            }
        }
        Function::LeakyRelu { slope } => {
            if x < 0.0 {
                f64::from(slope) * x
            } else {
                x
            }
        }
        Function::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Function::Clip { min, max } => x.max(min.into()).min(max.into()),
        Function::Erf => erf(x),
        Function::Exp => x.exp(),
        Function::Abs => x.abs(),
        Function::Power { exponent } => x.powf(exponent.into()),
    }
}

/// The error function, by its power series near 0; further away it is 1 to twelve digits.
fn erf(x: f64) -> f64 {
    if x.abs() > 5.0 {
        return x.signum();
    }
    // erf(x) = 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (1·3·5···(2n+1)): all terms have one sign.
    let terms = (0..120).scan(x, |term, n| {
        let this = *term;
        *term *= 2.0 * x * x / f64::from(2 * n + 3);
        Some(this)
    });
    2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp() * terms.sum::<f64>()
}
