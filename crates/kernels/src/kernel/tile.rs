//! The innermost loop of a product: a tile of sums that stays in registers.

use super::{packed::BLOCK, shared::Shared, simd::Simd, windows::Pixel};
use crate::WORD;

/// Repeats something for each row of a tile. A loop that the compiler does not unroll would keep all sums in memory.
macro_rules! for_each_row {
    ($rows:ident, $row:ident, $body:block) => {
        $crate::kernel::tile::for_each_row!($rows, $row, $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13)
    };
    ($rows:ident, $row:ident, $body:block, $($index:literal)*) => {
        {$(if $index < $rows {
            let $row = $index;
            $body
        })*}
    };
}
pub(super) use for_each_row;

/// Some rows of inputs and one block of the weights' columns.
#[derive(Clone, Copy)]
pub(crate) struct Factors {
    /// How many rows, columns, and products each sum is of.
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) depth: usize,
    /// The rows, `stride` floats from one to the next.
    pub(crate) inputs: *const f32,
    pub(crate) stride: usize,
    /// `depth` rows of [`BLOCK`] floats.
    pub(crate) weights: *const f32,
    /// What to ask for in advance, `pace` floats further with each row: the next weights, which in a network come from
    /// far. They need not exist.
    pub(crate) next: *const f32,
    pub(crate) pace: usize,
}

/// Where the sums of a tile belong.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) pixels: &'a [Pixel],
    pub(crate) values: &'a Shared<'a, f32>,
    pub(crate) pitch: usize,
    pub(crate) channel: usize,
}

/// What sums start from.
#[derive(Clone, Copy)]
pub(crate) enum Start {
    /// The same row for all.
    Row(*const f32),
    /// What is at their place.
    There,
}

/// Where sums go.
#[derive(Clone, Copy)]
pub(crate) enum End<'a> {
    /// A [`BLOCK`] for each row.
    Buffer(*mut f32),
    /// To their place.
    There,
    /// To their place, rectified; a gradient passes above `corner`.
    Relu { corner: f32, bits: Option<&'a Shared<'a, u16>>, words: usize },
}

/// How many rows a tile has at most: as many as registers hold the sums of, two vectors for each, beside two vectors of
/// weights and one of inputs.
pub(crate) const fn most_rows<S: Simd>() -> usize {
    (S::REGISTERS - 3) / 2
}

impl Place<'_> {
    /// # Safety
    /// `row` is one of the tile.
    #[inline(always)]
    pub(crate) unsafe fn row(&self, row: usize) -> *mut f32 {
        // SAFETY: no other thread has the same pixels and channels.
        unsafe { self.values.at(self.pixels.get_unchecked(row).to * self.pitch + self.channel) }
    }
}

/// Adds up the products of a tile.
///
/// # Safety
/// The factors are there. Columns are whole vectors, and whole words if there are bits, unless sums start from a row and
/// go to a buffer; else only this thread uses their place.
#[inline(always)]
pub(crate) unsafe fn multiply<S: Simd>(simd: S, factors: Factors, place: Place<'_>, start: Start, end: End<'_>) {
    let mut lane = 0;
    while lane < factors.columns {
        let is_pair = factors.columns - lane > S::LANES;
        // SAFETY: as promised.
        unsafe {
            let factors = Factors { weights: factors.weights.add(lane), ..factors };
            let place = Place { channel: place.channel + lane, ..place };
            let start = match start {
                Start::Row(row) => Start::Row(row.add(lane)),
                Start::There => Start::There,
            };
            let end = match end {
                End::Buffer(to) => End::Buffer(to.add(lane)),
                end => end,
            };
            if is_pair {
                multiply_rows::<S, 2>(simd, factors, place, start, end);
            } else {
                multiply_rows::<S, 1>(simd, factors, place, start, end);
            }
        }
        lane += 2 * S::LANES;
    }
}

#[inline(always)]
unsafe fn multiply_rows<S: Simd, const VECTORS: usize>(
    simd: S,
    factors: Factors,
    place: Place<'_>,
    start: Start,
    end: End<'_>,
) {
    macro_rules! with_rows {
        ($($count:literal)*) => {
            match factors.rows {
                // SAFETY: the caller's.
                $($count if $count <= most_rows::<S>() => unsafe {
                    multiply_tile::<S, $count, VECTORS>(simd, factors, place, start, end)
                },)*
                rows => unreachable!("a tile of {rows} rows"),
            }
        };
    }
    with_rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
}

#[allow(clippy::needless_range_loop, reason = "rows and vectors are counted alike")]
#[inline(always)]
unsafe fn multiply_tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    factors: Factors,
    place: Place<'_>,
    start: Start,
    end: End<'_>,
) {
    let Factors { depth, inputs, stride, weights, next, pace, .. } = factors;
    let mut sums = [[simd.splat(0.0); VECTORS]; ROWS];
    // SAFETY: the caller's.
    unsafe {
        match start {
            Start::Row(from) => for_each_row!(ROWS, row, {
                for vector in 0..VECTORS {
                    sums[row][vector] = simd.load(from.add(vector * S::LANES));
                }
            }),
            Start::There => for_each_row!(ROWS, row, {
                let from = place.row(row);
                for vector in 0..VECTORS {
                    sums[row][vector] = simd.load(from.add(vector * S::LANES));
                }
            }),
        }
        for k in 0..depth {
            simd.prefetch(next.wrapping_add(k * pace));
            let mut weight = [simd.splat(0.0); VECTORS];
            for vector in 0..VECTORS {
                weight[vector] = simd.load(weights.add(k * BLOCK + vector * S::LANES));
            }
            for_each_row!(ROWS, row, {
                let x = simd.splat(*inputs.add(row * stride + k));
                for vector in 0..VECTORS {
                    sums[row][vector] = simd.mul_add(x, weight[vector], sums[row][vector]);
                }
            });
        }
        match end {
            End::Buffer(to) => for_each_row!(ROWS, row, {
                for vector in 0..VECTORS {
                    simd.store(to.add(row * BLOCK + vector * S::LANES), sums[row][vector]);
                }
            }),
            End::There => for_each_row!(ROWS, row, {
                let to = place.row(row);
                for vector in 0..VECTORS {
                    simd.store(to.add(vector * S::LANES), sums[row][vector]);
                }
            }),
            End::Relu { corner, bits, words } => {
                let (zero, corner) = (simd.splat(0.0), simd.splat(corner));
                for_each_row!(ROWS, row, {
                    let to = place.row(row);
                    let mut passes = 0;
                    for vector in 0..VECTORS {
                        passes |= simd.above(sums[row][vector], corner) << (vector * S::LANES);
                        simd.store(to.add(vector * S::LANES), simd.at_least(sums[row][vector], zero));
                    }
                    if let Some(bits) = bits {
                        let first = place.pixels.get_unchecked(row).to * words + place.channel / WORD;
                        for word in 0..VECTORS * S::LANES / WORD {
                            *bits.at(first + word) = (passes >> (word * WORD)) as u16;
                        }
                    }
                });
            }
        }
    }
}
