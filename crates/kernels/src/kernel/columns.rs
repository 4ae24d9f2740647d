//! Adding what output pixels contribute to the elements under their windows.

use std::ops::Range;

use super::{
    shared::Shared,
    simd::{Kernel, Simd, first},
};
use crate::{Dims, Place, Window};

/// Some rows of one image, to which contributions are added.
pub(crate) struct Scatter<'a> {
    pub(crate) window: Window,
    pub(crate) place: Place,
    pub(crate) values: &'a Shared<'a, f32>,
    pub(crate) pitch: usize,
    pub(crate) dims: Dims,
    pub(crate) image: usize,
    /// No other thread has the same image and rows.
    pub(crate) rows: Range<usize>,
}

/// Sets the rows to zero.
pub(crate) struct Clear<'a>(&'a Scatter<'a>);

/// Adds the contributions of some output pixels of a row.
pub(crate) struct Add<'a> {
    scatter: &'a Scatter<'a>,
    /// For each pixel, for each element of the window, its channels.
    columns: &'a [f32],
    /// Floats from one pixel to the next.
    pitch: usize,
    row: usize,
    pixels: Range<usize>,
}

impl Scatter<'_> {
    /// The output rows whose windows reach these rows.
    pub(crate) fn outputs(&self, outputs: usize) -> Range<usize> {
        let (place, stride) = (self.place[0], self.window.stride[0] as isize);
        let reach = ((self.window.size[0] - 1) * self.window.dilation[0]) as isize;
        // From the first whose window ends at or below the first row, to the last that starts at or above the last.
        let start = (self.rows.start as isize - place - reach + stride - 1).div_euclid(stride);
        let end = (self.rows.end as isize - 1 - place).div_euclid(stride) + 1;
        let within = |row: isize| row.clamp(0, outputs as isize) as usize;
        within(start)..within(end).max(within(start))
    }

    pub(crate) fn clear(&self) -> Clear<'_> {
        Clear(self)
    }

    pub(crate) fn add<'a>(&'a self, columns: &'a [f32], pitch: usize, row: usize, pixels: Range<usize>) -> Add<'a> {
        assert!(pixels.len() * pitch <= columns.len());
        assert!(pitch >= self.window.area() * self.dims.c);
        Add { scatter: self, columns, pitch, row, pixels }
    }

    /// The place of a pixel of the image.
    ///
    /// # Safety
    /// It is in these rows.
    #[inline(always)]
    unsafe fn at(&self, row: usize, column: usize) -> *mut f32 {
        debug_assert!(self.rows.contains(&row) && column < self.dims.w);
        // SAFETY: no other thread has these rows.
        unsafe { self.values.at(((self.image * self.dims.h + row) * self.dims.w + column) * self.pitch) }
    }
}

impl Kernel for Clear<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Scatter { dims, pitch, .. } = *self.0;
        for row in self.0.rows.clone() {
            // A row without gaps is one run.
            let (runs, len) = if pitch == dims.c { (1, dims.w * dims.c) } else { (dims.w, dims.c) };
            for run in 0..runs {
                // SAFETY: the channels of this row.
                unsafe {
                    let to = self.0.at(row, run);
                    for at in (0..len).step_by(S::LANES) {
                        simd.store_bits(to.add(at), simd.splat(0.0), first(len - at));
                    }
                }
            }
        }
    }
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Scatter { window, place, pitch, dims, ref rows, .. } = *self.scatter;
        let [kh, kw] = window.size;
        // Neighboring elements that lie side by side in the map are one run.
        let joined = if pitch == dims.c && window.dilation[1] == 1 { kw } else { 1 };
        // Windows so far apart have nothing in common: one need not wait until what another wrote can be read.
        let apart = ((kw - 1) * window.dilation[1] + 1).div_ceil(window.stride[1]);
        for i in 0..kh {
            let row = place[0] + (self.row * window.stride[0] + i * window.dilation[0]) as isize;
            if row < rows.start as isize || row >= rows.end as isize {
                continue;
            }
            for first in 0..apart.min(self.pixels.len()) {
                for index in (first..self.pixels.len()).step_by(apart) {
                    let left = place[1] + ((self.pixels.start + index) * window.stride[1]) as isize;
                    for j in (0..kw).step_by(joined) {
                        let column = left + (j * window.dilation[1]) as isize;
                        let within = |x: isize| x.clamp(0, joined as isize) as usize;
                        let (start, end) = (within(-column), within(dims.w as isize - column));
                        if start < end {
                            // SAFETY: elements `start..end` are under pixels of these rows; there is a column for each.
                            unsafe {
                                let from =
                                    self.columns.as_ptr().add(index * self.pitch + (i * kw + j + start) * dims.c);
                                let to = self.scatter.at(row as usize, (column + start as isize) as usize);
                                add(simd, from, (end - start) * dims.c, to);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// # Safety
/// There are `len` floats at both places.
#[inline(always)]
unsafe fn add<S: Simd>(simd: S, from: *const f32, len: usize, to: *mut f32) {
    let mut at = 0;
    // SAFETY: as promised.
    unsafe {
        while at + S::LANES <= len {
            simd.store(to.add(at), simd.add(simd.load(to.add(at)), simd.load(from.add(at))));
            at += S::LANES;
        }
        if at < len {
            let lanes = first(len - at);
            let sum = simd.add(simd.load_bits(to.add(at), lanes), simd.load_bits(from.add(at), lanes));
            simd.store_bits(to.add(at), sum, lanes);
        }
    }
}
