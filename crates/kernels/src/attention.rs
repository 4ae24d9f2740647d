//! Attention: inner products of pixels head by head, softmax over rows, and sums of pixels weighted by it.
//!
//! Of a map's channels each head has its share, in order. What one pixel has to do with another is a map
//! `[n, queries, keys, heads]`.

use std::ops::Range;

use crate::{
    Cpu, Dims, Map, MapMut,
    kernel::simd::{Kernel, Simd},
    layer_norm::sum,
    transcendental::exp,
};

/// For each head the inner products of the pixels of `a` with those of `b`, times `scale`: `[n, a's, b's, heads]`.
///
/// # Panics
/// If sizes disagree.
pub fn inner_products(cpu: Cpu, scale: f32, a: Map<'_>, b: Map<'_>, output: MapMut<'_>, add: bool) {
    let pairs = Pairs::new(output.dims, a.dims, b.dims);
    let work = 2 * a.dims.len() * pairs.of_b;
    cpu.spread(output.dims.n * pairs.of_a, work, output, |rows, output| {
        cpu.isa.run(InnerProducts { pairs, scale, rows, a, b, output, add });
    });
}

/// For each pixel of `a`, which there are as many of as `weights` has rows, the sum over pixels of `b` times their weights
/// and `scale`, head by head.
///
/// # Panics
/// If sizes disagree.
pub fn weighted_sums(cpu: Cpu, scale: f32, weights: Map<'_>, b: Map<'_>, output: MapMut<'_>, add: bool) {
    let pairs = Pairs::new(weights.dims, output.dims, b.dims);
    let work = 2 * output.dims.len() * pairs.of_b;
    let dims = output.dims;
    // Pixels count as rows, wherever they lie.
    let output = MapMut { dims: Dims { n: dims.n, h: pairs.of_a, w: 1, c: dims.c }, ..output };
    cpu.spread(dims.n * pairs.of_a, work, output, |rows, output| {
        let weight = |query: usize, key: usize| weights.pixel(query * pairs.of_b + key);
        cpu.isa.run(WeightedSums { pairs, terms: pairs.of_b, sums: pairs.of_a, scale, rows, b, output, add, weight });
    });
}

/// As [`weighted_sums`] with rows and columns of the weights exchanged: for each pixel of `b` the sum over pixels of `a`.
///
/// # Panics
/// If sizes disagree.
pub fn weighted_sums_transposed(cpu: Cpu, scale: f32, weights: Map<'_>, a: Map<'_>, output: MapMut<'_>, add: bool) {
    let pairs = Pairs::new(weights.dims, a.dims, output.dims);
    let work = 2 * output.dims.len() * pairs.of_a;
    let dims = output.dims;
    let output = MapMut { dims: Dims { n: dims.n, h: pairs.of_b, w: 1, c: dims.c }, ..output };
    cpu.spread(dims.n * pairs.of_b, work, output, |rows, output| {
        let Pairs { of_a, of_b, .. } = pairs;
        let weight = |key: usize, query: usize| weights.pixel((key / of_b * of_a + query) * of_b + key % of_b);
        cpu.isa.run(WeightedSums { pairs, terms: of_a, sums: of_b, scale, rows, b: a, output, add, weight });
    });
}

/// Softmax over each row, channel by channel.
///
/// # Panics
/// If sizes disagree.
pub fn row_softmax(cpu: Cpu, input: Map<'_>, output: MapMut<'_>) {
    let dims = input.dims;
    assert_eq!(dims, output.dims, "input and output");
    cpu.spread(dims.n * dims.h, 8 * dims.len(), output, |rows, output| {
        cpu.isa.run(RowSoftmax { rows, input, output });
    });
}

/// The gradient of its input; `output` is what came out.
///
/// # Panics
/// If sizes disagree.
pub fn row_softmax_gradient(
    cpu: Cpu,
    output: Map<'_>,
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    let dims = output.dims;
    assert_eq!(dims, output_gradient.dims, "output and its gradient");
    assert_eq!(dims, input_gradient.dims, "input and output");
    cpu.spread(dims.n * dims.h, 4 * dims.len(), input_gradient, |rows, input_gradient| {
        cpu.isa.run(RowSoftmaxGradient { rows, output, output_gradient, input_gradient, add });
    });
}

/// How many pixels of each kind an image has, and how channels fall to heads.
#[derive(Clone, Copy)]
struct Pairs {
    of_a: usize,
    of_b: usize,
    heads: usize,
    /// A head's channels.
    each: usize,
}

impl Pairs {
    fn new(weights: Dims, a: Dims, b: Dims) -> Self {
        let pairs = Self { of_a: a.h * a.w, of_b: b.h * b.w, heads: weights.c, each: a.c / weights.c.max(1) };
        assert_eq!([weights.n, weights.h, weights.w], [a.n, pairs.of_a, pairs.of_b], "a weight for each pair");
        assert_eq!([a.n, a.c], [b.n, b.c], "both maps");
        assert_eq!(pairs.each * pairs.heads, a.c, "{} heads share channels", pairs.heads);
        pairs
    }
}

struct InnerProducts<'a> {
    pairs: Pairs,
    scale: f32,
    rows: Range<usize>,
    a: Map<'a>,
    b: Map<'a>,
    output: MapMut<'a>,
    add: bool,
}

impl Kernel for InnerProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { pairs: Pairs { of_a, of_b, each, .. }, scale, rows, a, b, mut output, add } = self;
        for (row, query) in rows.enumerate() {
            let a = a.pixel(query);
            for key in 0..of_b {
                let b = b.pixel(query / of_a * of_b + key);
                let heads = a.chunks_exact(each).zip(b.chunks_exact(each));
                for (to, (a, b)) in output.pixel(row * of_b + key).iter_mut().zip(heads) {
                    let product = scale * sum(each, |c| a[c] * b[c]);
                    *to = if add { *to + product } else { product };
                }
            }
        }
    }
}

struct WeightedSums<'a, W> {
    pairs: Pairs,
    /// How many pixels of an image each sum goes over.
    terms: usize,
    /// How many sums an image has.
    sums: usize,
    scale: f32,
    rows: Range<usize>,
    b: Map<'a>,
    output: MapMut<'a>,
    add: bool,
    /// Each head's weight of a sum's term; sums are counted over images, terms within one.
    weight: W,
}

impl<'w, W: Fn(usize, usize) -> &'w [f32]> Kernel for WeightedSums<'_, W> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { pairs: Pairs { each, .. }, terms, sums, scale, rows, b, mut output, add, weight } = self;
        for (to, row) in rows.enumerate() {
            let output = output.pixel(to);
            if !add {
                output.fill(0.0);
            }
            for term in 0..terms {
                let heads = b.pixel(row / sums * terms + term).chunks_exact(each).zip(weight(row, term));
                for (output, (b, weight)) in output.chunks_exact_mut(each).zip(heads) {
                    let weight = scale * weight;
                    output.iter_mut().zip(b).for_each(|(output, b)| *output += weight * b);
                }
            }
        }
    }
}

struct RowSoftmax<'a> {
    rows: Range<usize>,
    input: Map<'a>,
    output: MapMut<'a>,
}

impl Kernel for RowSoftmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { rows, input, mut output } = self;
        let Dims { w, c, .. } = input.dims;
        let (mut largest, mut sums) = (vec![0.0; c], vec![0.0; c]);
        for (to, row) in rows.enumerate() {
            largest.fill(f32::NEG_INFINITY);
            for x in 0..w {
                largest.iter_mut().zip(input.pixel(row * w + x)).for_each(|(largest, x)| *largest = x.max(*largest));
            }
            sums.fill(0.0);
            for x in 0..w {
                let input = input.pixel(row * w + x);
                for (c, y) in output.pixel(to * w + x).iter_mut().enumerate() {
                    *y = exp(input[c] - largest[c]);
                    sums[c] += *y;
                }
            }
            for x in 0..w {
                output.pixel(to * w + x).iter_mut().zip(&sums).for_each(|(y, sum)| *y /= sum);
            }
        }
    }
}

struct RowSoftmaxGradient<'a> {
    rows: Range<usize>,
    output: Map<'a>,
    output_gradient: Map<'a>,
    input_gradient: MapMut<'a>,
    add: bool,
}

impl Kernel for RowSoftmaxGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { rows, output, output_gradient, mut input_gradient, add } = self;
        let Dims { w, c, .. } = output.dims;
        let mut means = vec![0.0; c];
        for (to, row) in rows.enumerate() {
            means.fill(0.0);
            for x in row * w..(row + 1) * w {
                let (y, g) = (output.pixel(x), output_gradient.pixel(x));
                means.iter_mut().enumerate().for_each(|(c, mean)| *mean += y[c] * g[c]);
            }
            for x in 0..w {
                let (y, g) = (output.pixel(row * w + x), output_gradient.pixel(row * w + x));
                for (c, before) in input_gradient.pixel(to * w + x).iter_mut().enumerate() {
                    let gradient = y[c] * (g[c] - means[c]);
                    *before = if add { *before + gradient } else { gradient };
                }
            }
        }
    }
}
