//! Products of bf16 in vectors.

use super::packed::STEP;
use crate::{
    Avx512Bf16,
    kernel::{packed::BLOCK, simd::Simd, tile::for_each_row},
};

/// The products of a tile's windows with a block of weights, in vectors.
pub(super) struct Dots<'a> {
    pub(super) windows: *const u16,
    /// From one window to the next.
    pub(super) stride: usize,
    pub(super) steps: &'a [usize],
    pub(super) weights: *const u32,
    pub(super) start: *const f32,
}

impl Dots<'_> {
    /// # Safety
    /// All is there; there is a [`BLOCK`] of sums for each of the rows, at most 14.
    #[inline(always)]
    pub(super) unsafe fn multiply(&self, proof: Avx512Bf16, rows: usize, sums: *mut f32) {
        macro_rules! with_rows {
            ($($count:literal)*) => {
                match rows {
                    // SAFETY: the caller's.
                    $($count => unsafe { self.multiply_rows::<$count>(proof, sums) },)*
                    _ => unreachable!("a tile of {rows} rows"),
                }
            };
        }
        with_rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
    }

    #[allow(clippy::needless_range_loop, reason = "rows and vectors are counted alike")]
    #[inline(always)]
    unsafe fn multiply_rows<const ROWS: usize>(&self, proof: Avx512Bf16, to: *mut f32) {
        let simd = proof.avx512();
        // SAFETY: the caller's.
        unsafe {
            let start = [simd.load(self.start), simd.load(self.start.add(16))];
            let mut sums = [start; ROWS];
            let mut weights = self.weights;
            for step in self.steps {
                let windows = self.windows.byte_add(*step).cast::<u32>();
                for pair in 0..STEP / 2 {
                    let weight = [weights, weights.add(16)];
                    for_each_row!(ROWS, row, {
                        let x = windows.add(pair).byte_add(row * self.stride * 2).read_unaligned();
                        for vector in 0..2 {
                            sums[row][vector] = proof.add_products(sums[row][vector], x, weight[vector]);
                        }
                    });
                    weights = weights.add(BLOCK);
                }
            }
            for_each_row!(ROWS, row, {
                for vector in 0..2 {
                    simd.store(to.add(row * BLOCK + vector * 16), sums[row][vector]);
                }
            });
        }
    }
}
