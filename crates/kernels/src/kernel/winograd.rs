//! Winograd's minimal filtering: 3×3 windows with fewer products.
//!
//! Squares of the input that overlap by two pixels, tiles, are transformed, multiplied with transformed weights point
//! by point, and transformed to squares of the output: 36 products for 16 outputs, or 16 for 4, instead of 9 for each.
//! Products of one point of all tiles and channels are a product of matrices.
//!
//! # Reference
//! [Fast Algorithms for Convolutional Neural Networks](https://arxiv.org/abs/1509.09308), Lavin and Gray, 2015.

use std::{marker::PhantomData, ops::Range};

use super::{
    channels::{Channels, for_each_vector},
    packed::{BLOCK, PackedF32},
    parallel::{self, Split, Work, share},
    product::Target,
    scratch::{self, Scratch},
    simd::{Kernel, Simd, first},
    tile::{self, End, Factors, Start, most_rows},
    windows::Source,
};
use crate::{Cpu, Dims, Place, WORD};

/// Sides of tiles and of the squares of outputs they become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// 4×4 inputs, 2×2 outputs.
    F2,
    /// 6×6 inputs, 4×4 outputs.
    F4,
}

/// The points at which polynomials are evaluated, besides zero and infinity: `±A` and `±B`. Of all sixteenths, these
/// lose least to rounding: with 128 channels 1e-6 of the largest output, where ±1 and ±2 lose 2e-6 and sums of plain
/// products 8e-7. Products of their squares have no rounding at all.
const A: f32 = 0.625;
const B: f32 = 1.625;

impl Form {
    /// The side of the output's squares.
    pub(crate) fn outputs(self) -> usize {
        match self {
            Self::F2 => 2,
            Self::F4 => 4,
        }
    }

    fn side(self) -> usize {
        self.outputs() + 2
    }

    /// How many products there are for each tile and pair of channels.
    pub(crate) fn points(self) -> usize {
        self.side() * self.side()
    }

    /// A window's three weights along one axis as seen at each point.
    fn weights(self, [x, y, z]: [f64; 3]) -> [f64; 6] {
        match self {
            Self::F2 => [x, (x + y + z) / 2.0, (x - y + z) / 2.0, z, 0.0, 0.0],
            Self::F4 => {
                let (a, b) = (f64::from(A), f64::from(B));
                // The polynomial of the weights at a point, divided by its differences to all others.
                let at = |point: f64, other: f64| {
                    (x + y * point + z * point * point) / (2.0 * point * point * (point * point - other * other))
                };
                [x / (a * a * b * b), at(a, b), at(-a, b), at(b, a), at(-b, a), z]
            }
        }
    }

    /// A window's weights, in rows, as seen at each point.
    pub(crate) fn window(self, weights: [[f64; 3]; 3]) -> impl Iterator<Item = f64> {
        let rows = weights.map(|row| self.weights(row));
        let columns = [0, 1, 2, 3, 4, 5].map(|column| self.weights(rows.map(|row| row[column])));
        let side = self.side();
        (0..side).flat_map(move |row| (0..side).map(move |column| columns[column][row]))
    }
}

/// Runs code for each of so many rows or columns of a tile. A loop that the compiler does not unroll would be twice as
/// slow: it would keep all vectors in memory.
macro_rules! unrolled {
    ($i:ident in $count:expr => $run:block) => {
        unrolled!($i, $count, $run, 0 1 2 3 4 5)
    };
    ($i:ident, $count:expr, $run:block, $($index:literal)*) => {
        $(if $index < $count {
            let $i = $index;
            $run
        })*
    };
}

/// Along one axis of a tile: its inputs as seen at each point, and from products at the points the outputs. Behind the
/// last there are others, without meaning.
trait Transform {
    /// Sides of a tile and of its outputs.
    const SIDE: usize;
    const OUTPUTS: usize;

    fn inputs<S: Simd>(simd: S, x: [S::Floats; 6]) -> [S::Floats; 6];

    fn outputs<S: Simd>(simd: S, x: [S::Floats; 6]) -> [S::Floats; 6];
}

struct F2;

struct F4;

impl Transform for F2 {
    const SIDE: usize = 4;
    const OUTPUTS: usize = 2;

    #[inline(always)]
    fn inputs<S: Simd>(simd: S, [a, b, c, d, ..]: [S::Floats; 6]) -> [S::Floats; 6] {
        let zero = simd.splat(0.0);
        [simd.sub(a, c), simd.add(c, b), simd.sub(c, b), simd.sub(d, b), zero, zero]
    }

    #[inline(always)]
    fn outputs<S: Simd>(simd: S, [a, b, c, d, ..]: [S::Floats; 6]) -> [S::Floats; 6] {
        let zero = simd.splat(0.0);
        [simd.add(a, simd.add(b, c)), simd.add(d, simd.sub(b, c)), zero, zero, zero, zero]
    }
}

impl Transform for F4 {
    const SIDE: usize = 6;
    const OUTPUTS: usize = 4;

    #[inline(always)]
    fn inputs<S: Simd>(simd: S, x: [S::Floats; 6]) -> [S::Floats; 6] {
        let sum = simd.splat(-(A * A + B * B));
        let product = simd.splat(A * A * B * B);
        let [a, minus_a] = opposite(simd, x, A, B);
        let [b, minus_b] = opposite(simd, x, B, A);
        let zero = simd.mul_add(x[0], product, simd.mul_add(x[2], sum, x[4]));
        let infinity = simd.mul_add(x[1], product, simd.mul_add(x[3], sum, x[5]));
        [zero, a, minus_a, b, minus_b, infinity]
    }

    #[inline(always)]
    fn outputs<S: Simd>(simd: S, x: [S::Floats; 6]) -> [S::Floats; 6] {
        let [zero, a, minus_a, b, minus_b, infinity] = x;
        let (even_a, odd_a) = (simd.add(a, minus_a), simd.sub(a, minus_a));
        let (even_b, odd_b) = (simd.add(b, minus_b), simd.sub(b, minus_b));
        let none = simd.splat(0.0);
        [
            simd.add(zero, simd.add(even_a, even_b)),
            simd.mul_add(odd_b, simd.splat(B), simd.mul(odd_a, simd.splat(A))),
            simd.mul_add(even_b, simd.splat(B * B), simd.mul(even_a, simd.splat(A * A))),
            simd.mul_add(odd_b, simd.splat(B * B * B), simd.mul_add(odd_a, simd.splat(A * A * A), infinity)),
            none,
            none,
        ]
    }
}

/// The inputs as seen at a point and its opposite, by their even and odd part.
#[inline(always)]
fn opposite<S: Simd>(simd: S, x: [S::Floats; 6], point: f32, other: f32) -> [S::Floats; 2] {
    let other = simd.splat(-other * other);
    let even = simd.mul_add(x[2], other, x[4]);
    let odd = simd.mul(simd.mul_add(x[1], other, x[3]), simd.splat(point));
    [simd.add(even, odd), simd.sub(even, odd)]
}

/// A convolution by 3×3 windows, one pixel apart.
pub(crate) struct Filtering<'a> {
    pub(crate) form: Form,
    pub(crate) source: Source<'a>,
    pub(crate) place: Place,
    /// For each point, for each of the source's channels, a row.
    pub(crate) weights: &'a PackedF32,
    pub(crate) target: Target<'a>,
    /// Of the target.
    pub(crate) dims: Dims,
}

/// A part of the results, for one thread.
struct Part<'a, T> {
    filtering: &'a Filtering<'a>,
    tiles: Range<usize>,
    blocks: Range<usize>,
    memory: &'a mut Scratch,
    transform: PhantomData<T>,
}

/// How many floats of transformed inputs are made before they are multiplied: half a megabyte, so that they and the
/// weights of a block stay in a core's own cache.
const AT_ONCE: usize = 1 << 17;

impl Filtering<'_> {
    pub(crate) fn run(&self, cpu: Cpu) {
        let Dims { n, h, w, .. } = self.dims;
        let side = self.form.outputs();
        let tiles = n * h.div_ceil(side) * w.div_ceil(side);
        if tiles == 0 {
            return;
        }
        let (blocks, depth) = (self.weights.blocks(), self.weights.depth);
        let work = Work { bundles: 1, pixels: tiles, most: (AT_ONCE / self.pitch()).max(1), blocks, depth };
        let Split { chunks, stripes } = work.split(cpu);
        parallel::run(cpu, chunks * stripes, |part| {
            let (chunk, stripe) = (part / stripes, part % stripes);
            let (tiles, blocks) = (share(tiles, chunk, chunks), share(blocks, stripe, stripes));
            scratch::with(|memory| match self.form {
                Form::F2 => cpu.isa.run(Part { filtering: self, tiles, blocks, memory, transform: PhantomData::<F2> }),
                Form::F4 => cpu.isa.run(Part { filtering: self, tiles, blocks, memory, transform: PhantomData::<F4> }),
            });
        });
    }

    /// From a tile's inputs at one point to those at the next.
    fn row(&self) -> usize {
        self.source.map.dims.c.next_multiple_of(WORD)
    }

    /// From one tile's inputs to the next's: an odd number of cache lines, so that they do not compete for places.
    fn pitch(&self) -> usize {
        self.form.points() * self.row() + WORD
    }

    /// The image of a tile, and the row and column of its first output.
    fn tile(&self, tile: usize) -> (usize, [usize; 2]) {
        let side = self.form.outputs();
        let [rows, columns] = [self.dims.h.div_ceil(side), self.dims.w.div_ceil(side)];
        (tile / (rows * columns), [tile / columns % rows * side, tile % columns * side])
    }
}

impl<T: Transform> Kernel for Part<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { filtering, tiles, blocks, memory, .. } = self;
        let Filtering { ref source, weights, .. } = *filtering;
        let (row, pitch, points) = (filtering.row(), filtering.pitch(), filtering.form.points());
        // In one go, as the memory must not move: zeros for what is in the padding, inputs, products.
        let zeros = scratch::floats(&mut memory.lines, row + tiles.len() * pitch + points * most_rows::<S>() * BLOCK);
        // SAFETY: the floats above.
        let (inputs, products) = unsafe {
            for c in (0..row).step_by(S::LANES) {
                simd.store(zeros.add(c), simd.splat(0.0));
            }
            (zeros.add(row), zeros.add(row + tiles.len() * pitch))
        };
        for (i, tile) in tiles.clone().enumerate() {
            // SAFETY: there is room for all tiles.
            unsafe { filtering.transform_inputs::<S, T>(simd, tile, zeros, inputs.add(i * pitch)) };
        }
        let turns = tiles.len().div_ceil(most_rows::<S>());
        for block in blocks.clone() {
            let columns = (weights.columns - block * BLOCK).min(BLOCK);
            let next = if block + 1 < blocks.end { block + 1 } else { blocks.start };
            let (next, pace) = (weights.rows(next, 0).as_ptr().cast::<f32>(), BLOCK.div_ceil(turns));
            for turn in 0..turns {
                let rows = share(tiles.len(), turn, turns);
                for point in 0..points {
                    let depth = source.map.dims.c;
                    // SAFETY: the tiles have inputs at each point, the weights a row for each channel; there is room for
                    // the products.
                    unsafe {
                        let factors = Factors {
                            rows: rows.len(),
                            columns,
                            depth,
                            inputs: inputs.add(rows.start * pitch + point * row),
                            stride: pitch,
                            weights: weights.rows(block, point * depth).as_ptr().cast(),
                            next: next.wrapping_add((turn * points + point) * depth * pace),
                            pace,
                        };
                        let place = tile::Place { pixels: &[], values: &filtering.target.values, pitch: 0, channel: 0 };
                        let start = Start::Row(weights.start(block, false).as_ptr().cast());
                        let to = products.add(point * rows.len() * BLOCK);
                        tile::multiply(simd, factors, place, start, End::Buffer(to));
                    }
                }
                for (i, tile) in rows.clone().enumerate() {
                    let tile = tiles.start + tile;
                    // SAFETY: there is a product for each tile and point; no other part has the tile and the block.
                    unsafe {
                        let from = products.add(i * BLOCK);
                        filtering.transform_outputs::<S, T>(simd, tile, block, columns, from, rows.len() * BLOCK);
                    }
                }
            }
        }
    }
}

impl Filtering<'_> {
    /// # Safety
    /// `zeros` are as many as a row, and `to` has room for one at each point.
    #[inline(always)]
    unsafe fn transform_inputs<S: Simd, T: Transform>(&self, simd: S, tile: usize, zeros: *const f32, to: *mut f32) {
        let Source { map, gate } = self.source;
        let (image, outputs) = self.tile(tile);
        let [top, left] = [0, 1].map(|axis| outputs[axis] as isize + self.place[axis]);
        let within = |at: isize, size: usize| usize::try_from(at).ok().filter(|&at| at < size);
        // What is in the padding is zero.
        let mut from = [[(zeros, zeros.cast::<u16>()); 6]; 6];
        for (i, from) in from.iter_mut().enumerate() {
            let Some(row) = within(top + i as isize, map.dims.h) else { continue };
            for (j, from) in from.iter_mut().enumerate() {
                let Some(column) = within(left + j as isize, map.dims.w) else { continue };
                let pixel = (image * map.dims.h + row) * map.dims.w + column;
                from.0 = map.pixel(pixel).as_ptr();
                if let Some(gate) = gate {
                    from.1 = gate.words[pixel * gate.pitch..].as_ptr();
                }
            }
        }
        let pitch = self.row();
        for_each_vector!(S, channels in 0..map.dims.c => {
            let zero = simd.splat(0.0);
            let mut rows = [[zero; 6]; 6];
            unrolled!(j in T::SIDE => {
                let mut column = [zero; 6];
                unrolled!(i in T::SIDE => {
                    let (values, words) = from[i][j];
                    // SAFETY: the pixel, or what stands for it, has the channels and their words.
                    unsafe {
                        column[i] = simd.load_bits(values.add(channels.first), channels.bits);
                        if gate.is_some() {
                            let word = *words.add(channels.first / WORD);
                            column[i] = simd.keep(column[i], u32::from(word) >> (channels.first % WORD));
                        }
                    }
                });
                let column = T::inputs(simd, column);
                unrolled!(i in T::SIDE => { rows[i][j] = column[i] });
            });
            unrolled!(i in T::SIDE => {
                let row = T::inputs(simd, rows[i]);
                unrolled!(j in T::SIDE => {
                    // SAFETY: there is room at each point.
                    unsafe { simd.store(to.add((i * T::SIDE + j) * pitch + channels.first), row[j]) };
                });
            });
        });
    }

    /// # Safety
    /// `from` has products at each point, `pitch` floats apart; no other thread has the tile and the block.
    #[inline(always)]
    unsafe fn transform_outputs<S: Simd, T: Transform>(
        &self,
        simd: S,
        tile: usize,
        block: usize,
        columns: usize,
        from: *const f32,
        pitch: usize,
    ) {
        let (image, [top, left]) = self.tile(tile);
        let Dims { h, w, .. } = self.dims;
        let (height, width) = ((h - top).min(T::OUTPUTS), (w - left).min(T::OUTPUTS));
        let bias = self.weights.start(block, true).as_ptr().cast::<f32>();
        for_each_vector!(S, channels in 0..columns => {
            let zero = simd.splat(0.0);
            let mut rows = [[zero; 6]; 6];
            unrolled!(j in T::SIDE => {
                let mut column = [zero; 6];
                unrolled!(i in T::SIDE => {
                    // SAFETY: there are whole vectors of products at each point.
                    column[i] = unsafe { simd.load(from.add((i * T::SIDE + j) * pitch + channels.first)) };
                });
                let column = T::outputs(simd, column);
                unrolled!(i in T::OUTPUTS => { rows[i][j] = column[i] });
            });
            // SAFETY: a block of biases is whole vectors.
            let bias = unsafe { simd.load(bias.add(channels.first)) };
            let channels = Channels { first: block * BLOCK + channels.first, ..channels };
            unrolled!(i in T::OUTPUTS => {
                if i < height {
                    let row = T::outputs(simd, rows[i]);
                    unrolled!(j in T::OUTPUTS => {
                        if j < width {
                            let pixel = (image * h + top + i) * w + left + j;
                            // SAFETY: no other thread has the pixel and the channels.
                            unsafe { self.target.put(simd, simd.add(row[j], bias), pixel, channels) };
                        }
                    });
                }
            });
        });
    }
}

impl Target<'_> {
    /// Brings a vector of results to its place.
    ///
    /// # Safety
    /// No other thread uses the pixel and the channels, nor others of their words.
    #[inline(always)]
    unsafe fn put<S: Simd>(&self, simd: S, mut x: S::Floats, pixel: usize, channels: Channels) {
        // SAFETY: the caller's.
        unsafe {
            let to = self.values.at(pixel * self.pitch + channels.first);
            if self.add {
                x = simd.add(x, simd.load_bits(to, channels.bits));
            }
            if let Some((rectifier, at_corners)) = self.rectify {
                if let Some(bits) = &self.bits {
                    let passes = rectifier.bits(simd, x, at_corners) & channels.bits & first(S::LANES);
                    let word = bits.at(pixel * self.words + channels.first / WORD);
                    // The first vector of a word clears what was there.
                    let before = if channels.first.is_multiple_of(WORD) { 0 } else { *word };
                    *word = before | (passes << (channels.first % WORD)) as u16;
                }
                x = rectifier.vector(simd, x);
            }
            simd.store_bits(to, x, channels.bits);
        }
    }
}
