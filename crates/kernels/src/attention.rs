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
    fn run<S: Simd>(self, simd: S) {
        let Self { pairs: Pairs { of_a, of_b, heads, each }, scale, rows, a, b, mut output, add } = self;
        // A head's channels of as many pixels of `b` as a tile is wide.
        let mut turned = vec![[0.0; WIDTH]; each];
        for (image, queries) in by_image(&rows, of_a) {
            for (head, first) in (0..heads).flat_map(|head| (0..of_b).step_by(WIDTH).map(move |first| (head, first))) {
                let channels = head * each..(head + 1) * each;
                let keys = first..of_b.min(first + WIDTH);
                for (i, key) in keys.clone().enumerate() {
                    let key = &b.pixel(image * of_b + key)[channels.clone()];
                    turned.iter_mut().zip(key).for_each(|(turned, x)| turned[i] = *x);
                }
                for query in queries.clone().step_by(HEIGHT) {
                    let tile = std::array::from_fn(|i| &a.pixel((query + i).min(queries.end - 1))[channels.clone()]);
                    for (query, sums) in (query..queries.end).zip(&products(simd, tile, &turned)) {
                        for (key, sum) in keys.clone().zip(sums) {
                            put(&mut output.pixel((query - rows.start) * of_b + key)[head], scale * sum, add);
                        }
                    }
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
    fn run<S: Simd>(self, simd: S) {
        let Self { pairs: Pairs { heads, each, .. }, terms, sums, scale, rows, b, mut output, add, weight } = self;
        let tiles = each.div_ceil(WIDTH);
        // A head's channels of all terms, tile by tile, and the weights of as many sums as a tile is high.
        let mut turned = vec![[0.0; WIDTH]; tiles * terms];
        let mut weights = vec![0.0; HEIGHT * terms];
        for (image, sums) in by_image(&rows, sums) {
            for head in 0..heads {
                for term in 0..terms {
                    let channels = &b.pixel(image * terms + term)[head * each..(head + 1) * each];
                    for (tile, channels) in channels.chunks(WIDTH).enumerate() {
                        turned[tile * terms + term][..channels.len()].copy_from_slice(channels);
                    }
                }
                for row in sums.clone().step_by(HEIGHT) {
                    for (i, weights) in weights.chunks_exact_mut(terms.max(1)).enumerate() {
                        let row = (row + i).min(sums.end - 1);
                        weights.iter_mut().enumerate().for_each(|(term, to)| *to = weight(row, term)[head]);
                    }
                    let weights = std::array::from_fn(|i| &weights[i * terms..(i + 1) * terms]);
                    for (tile, turned) in turned.chunks_exact(terms.max(1)).enumerate() {
                        let channels = head * each + tile * WIDTH..(head + 1) * each;
                        for (row, sums) in (row..sums.end).zip(&products(simd, weights, turned)) {
                            let output = &mut output.pixel(row - rows.start)[channels.clone()];
                            output.iter_mut().zip(sums).for_each(|(to, sum)| put(to, scale * sum, add));
                        }
                    }
                }
            }
        }
    }
}

/// How many sums are made at once, in so many rows and columns: they stay in registers.
const HEIGHT: usize = 6;
const WIDTH: usize = 16;

/// A tile of sums: of each row of `a`, its floats times the rows of `b`.
#[inline(always)]
fn products<S: Simd>(_: S, a: [&[f32]; HEIGHT], b: &[[f32; WIDTH]]) -> [[f32; WIDTH]; HEIGHT] {
    let a = a.map(|a| &a[..b.len()]);
    let mut sums = [[0.0; WIDTH]; HEIGHT];
    for (i, b) in b.iter().enumerate() {
        for (sums, a) in sums.iter_mut().zip(a) {
            let a = a[i];
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = if S::FUSES { a.mul_add(*b, *sum) } else { a * b + *sum };
            }
        }
    }
    sums
}

/// Rows that are counted over images of `each` of them, image by image.
fn by_image(rows: &Range<usize>, each: usize) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
    let Range { start, end } = *rows;
    let images = start / each.max(1)..end.div_ceil(each.max(1));
    images.map(move |image| (image, start.max(image * each)..end.min((image + 1) * each)))
}

#[inline(always)]
fn put(to: &mut f32, value: f32, add: bool) {
    *to = if add { *to + value } else { value };
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
        let mut line = vec![0.0; w];
        for (to, row) in rows.enumerate() {
            for c in 0..c {
                take(input, row * w, c, &mut line);
                let largest = largest(&line);
                line.iter_mut().for_each(|x| *x = exp(*x - largest));
                let inverse = 1.0 / sum(w, |x| line[x]);
                line.iter().enumerate().for_each(|(x, y)| output.pixel(to * w + x)[c] = y * inverse);
            }
        }
    }
}

/// One channel of as many pixels as there is room for, from `first` on.
#[inline(always)]
fn take(map: Map<'_>, first: usize, c: usize, line: &mut [f32]) {
    line.iter_mut().enumerate().for_each(|(x, to)| *to = map.pixel(first + x)[c]);
}

/// The largest float; what is no number is passed over.
#[inline(always)]
fn largest(line: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let (chunks, rest) = line.as_chunks::<WIDTH>();
    let mut lanes = [f32::NEG_INFINITY; WIDTH];
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane = larger(*x, *lane));
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |largest, &x| larger(x, largest))
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
        let (mut y, mut g) = (vec![0.0; w], vec![0.0; w]);
        for (to, row) in rows.enumerate() {
            for c in 0..c {
                take(output, row * w, c, &mut y);
                take(output_gradient, row * w, c, &mut g);
                let mean = sum(w, |x| y[x] * g[x]);
                for (x, (y, g)) in y.iter().zip(&g).enumerate() {
                    put(&mut input_gradient.pixel(to * w + x)[c], y * (g - mean), add);
                }
            }
        }
    }
}
