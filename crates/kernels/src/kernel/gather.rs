//! Pixels that gather from the pixels of another map through a window, each channel by itself: pools, depthwise
//! convolutions, and the gradients of both.

use std::ops::Range;

use super::{
    channels::Channels,
    simd::{Kernel, Simd, first},
};
use crate::{
    Dims, Place, Window,
    window::{Tap, Taps},
};

/// What a vector of channels makes of what it gathers.
///
/// All of it must be `#[inline(always)]`, see [`Kernel`].
pub(super) trait Gather {
    /// What has been gathered so far.
    type Sum<S: Simd>: Copy;

    /// Before anything is gathered at a pixel; `element` is the window's first that will be.
    ///
    /// # Safety
    /// The pixel has the channels.
    unsafe fn start<S: Simd>(&self, simd: S, pixel: Pixel, element: usize, channels: Channels) -> Self::Sum<S>;

    /// Takes the channels of one pixel through one element of the window.
    ///
    /// # Safety
    /// The pixel has the channels.
    unsafe fn take<S: Simd>(
        &self,
        simd: S,
        sum: Self::Sum<S>,
        from: Pixel,
        element: usize,
        channels: Channels,
    ) -> Self::Sum<S>;

    /// When all is gathered.
    ///
    /// # Safety
    /// The pixel has the channels.
    unsafe fn finish<S: Simd>(&mut self, simd: S, sum: Self::Sum<S>, pixel: Pixel, channels: Channels);
}

/// A pixel of a map.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pixel {
    /// Counted over images, rows and columns.
    pub(super) index: usize,
    /// Its row and column.
    pub(super) position: [usize; 2],
}

/// What is connected with what.
pub(super) struct Connections {
    rows: Taps,
    columns: Taps,
    window: Window,
    from: Dims,
    to: Dims,
}

impl Connections {
    /// Outputs that gather what is under their windows.
    pub(super) fn forward(window: Window, place: Place, input: Dims, output: Dims) -> Self {
        let [rows, columns] = [(0, input.h, output.h), (1, input.w, output.w)]
            .map(|(axis, inputs, outputs)| Taps::inputs(window, axis, place, inputs, outputs));
        Self { rows, columns, window, from: input, to: output }
    }

    /// Inputs that gather from the outputs whose windows lie over them.
    pub(super) fn gradient(window: Window, place: Place, input: Dims, output: Dims) -> Self {
        let [rows, columns] = [(0, input.h, output.h), (1, input.w, output.w)]
            .map(|(axis, inputs, outputs)| Taps::outputs(window, axis, place, inputs, outputs));
        Self { rows, columns, window, from: output, to: input }
    }
}

/// Gathers for some rows, counted over all images; pixels that are written are counted from the first of them.
pub(super) struct Rows<'a, G> {
    pub(super) connections: &'a Connections,
    pub(super) rows: Range<usize>,
    pub(super) gather: G,
}

impl<G: Gather> Kernel for Rows<'_, G> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { connections: Connections { rows, columns, window, from, to }, rows: range, mut gather } = self;
        for row in range.clone() {
            let (n, y) = (row / to.h, row % to.h);
            for x in 0..to.w {
                let pixel = Pixel { index: (row - range.start) * to.w + x, position: [y, x] };
                let taps = Crossed { rows: rows.of(y), columns: columns.of(x), width: window.size[1], n, from: *from };
                let mut c = 0;
                // SAFETY: `c` and what follows are channels of both maps; `Taps` lead to their pixels only.
                unsafe {
                    while c + 4 * S::LANES <= to.c {
                        vectors::<S, G, 4>(simd, &mut gather, pixel, taps, Channels { first: c, bits: u32::MAX });
                        c += 4 * S::LANES;
                    }
                    while c + S::LANES <= to.c {
                        vectors::<S, G, 1>(simd, &mut gather, pixel, taps, Channels { first: c, bits: u32::MAX });
                        c += S::LANES;
                    }
                    if c < to.c {
                        vectors::<S, G, 1>(
                            simd,
                            &mut gather,
                            pixel,
                            taps,
                            Channels { first: c, bits: first(to.c - c) },
                        );
                    }
                }
            }
        }
    }
}

/// All pairs of a row's and a column's taps.
#[derive(Clone, Copy)]
struct Crossed<'a> {
    rows: &'a [Tap],
    columns: &'a [Tap],
    width: usize,
    n: usize,
    from: Dims,
}

/// `N` vectors of a pixel's channels.
///
/// # Safety
/// Both maps have the channels.
#[inline(always)]
unsafe fn vectors<S: Simd, G: Gather, const N: usize>(
    simd: S,
    gather: &mut G,
    pixel: Pixel,
    taps: Crossed<'_>,
    channels: Channels,
) {
    let Crossed { rows, columns, width, n, from } = taps;
    let nth = |i: usize| Channels { first: channels.first + i * S::LANES, ..channels };
    let element = match (rows, columns) {
        ([row, ..], [column, ..]) => row.element * width + column.element,
        _ => 0,
    };
    // SAFETY: the caller's.
    unsafe {
        let mut sums = [gather.start(simd, pixel, element, channels); N];
        for (i, sum) in sums.iter_mut().enumerate().skip(1) {
            *sum = gather.start(simd, pixel, element, nth(i));
        }
        for row in rows {
            for column in columns {
                let index = (n * from.h + row.at) * from.w + column.at;
                let from = Pixel { index, position: [row.at, column.at] };
                let element = row.element * width + column.element;
                for (i, sum) in sums.iter_mut().enumerate() {
                    *sum = gather.take(simd, *sum, from, element, nth(i));
                }
            }
        }
        for (i, sum) in sums.into_iter().enumerate() {
            gather.finish(simd, sum, pixel, nth(i));
        }
    }
}
