//! Pixels that gather from the pixels of another map through a window, each channel by itself: pools, depthwise
//! convolutions, and the gradients of both.

use std::ops::Range;

use super::{
    channels::{Channels, for_each_vector},
    simd::{Kernel, Simd},
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
    groups: Vec<Group>,
    shift: Shift,
    window: Window,
    from: Dims,
    to: Dims,
}

/// From a pixel to a later one of its row that gathers in the same way, and from what it gathers to what that does.
#[derive(Clone, Copy)]
struct Shift {
    to: usize,
    from: usize,
}

/// Some pixels of a row that gather in the same way, each a shift from the one before.
struct Group {
    /// The column of the first.
    first: usize,
    /// [`TOGETHER`], or 1.
    count: usize,
}

/// So many pixels gather together: what has to be found out for one is found for all.
const TOGETHER: usize = 4;

impl Connections {
    /// Outputs that gather what is under their windows.
    pub(super) fn forward(window: Window, place: Place, input: Dims, output: Dims) -> Self {
        let [rows, columns] = [(0, input.h, output.h), (1, input.w, output.w)]
            .map(|(axis, inputs, outputs)| Taps::inputs(window, axis, place, inputs, outputs));
        let shift = Shift { to: 1, from: window.stride[1] };
        Self { groups: shift.groups(&columns, output.w), rows, columns, shift, window, from: input, to: output }
    }

    /// Inputs that gather from the outputs whose windows lie over them.
    pub(super) fn gradient(window: Window, place: Place, input: Dims, output: Dims) -> Self {
        let [rows, columns] = [(0, input.h, output.h), (1, input.w, output.w)]
            .map(|(axis, inputs, outputs)| Taps::outputs(window, axis, place, inputs, outputs));
        let shift = Shift { to: window.stride[1], from: 1 };
        Self { groups: shift.groups(&columns, input.w), rows, columns, shift, window, from: output, to: input }
    }
}

impl Shift {
    fn groups(self, columns: &Taps, width: usize) -> Vec<Group> {
        let mut groups = Vec::new();
        for phase in 0..self.to.min(width) {
            let mut first = phase;
            while first < width {
                let is_same = |i| first + i * self.to < width && self.is_same(columns, first, i);
                let count = if (1..TOGETHER).all(is_same) { TOGETHER } else { 1 };
                groups.push(Group { first, count });
                first += count * self.to;
            }
        }
        groups.sort_unstable_by_key(|group| group.first);
        groups
    }

    /// Whether the pixel `count` shifts from one gathers in the same way.
    fn is_same(self, columns: &Taps, one: usize, count: usize) -> bool {
        let shifted = columns.of(one).iter().map(|tap| Tap { at: tap.at + count * self.from, ..*tap });
        shifted.eq(columns.of(one + count * self.to).iter().copied())
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
        let Self { connections, rows, mut gather } = self;
        let Dims { h, w, c, .. } = connections.to;
        // Neighboring vectors of one pixel first: they lie side by side.
        let in_fours = c - c % (4 * S::LANES);
        for row in rows.clone() {
            let block = |x| Block {
                connections,
                image: row / h,
                pixel: Pixel { index: (row - rows.start) * w + x, position: [row % h, x] },
                rows: connections.rows.of(row % h),
                columns: connections.columns.of(x),
            };
            for &Group { first: x, count } in &connections.groups {
                // SAFETY: `Taps` lead to pixels of the map that is read, and groups are pixels of the one written.
                unsafe {
                    for i in 0..count {
                        let block = block(x + i * connections.shift.to);
                        let mut first = 0;
                        while first < in_fours {
                            let channels = Channels { first, bits: u32::MAX };
                            block.gather::<S, G, 1, 4>(simd, &mut gather, channels);
                            first += 4 * S::LANES;
                        }
                    }
                    let block = block(x);
                    for_each_vector!(S, channels in in_fours..c => {
                        if count == 1 {
                            block.gather::<S, G, 1, 1>(simd, &mut gather, channels);
                        } else {
                            block.gather::<S, G, TOGETHER, 1>(simd, &mut gather, channels);
                        }
                    });
                }
            }
        }
    }
}

/// Pixels that gather in the same way.
#[derive(Clone, Copy)]
struct Block<'a> {
    connections: &'a Connections,
    image: usize,
    /// The first of them.
    pixel: Pixel,
    /// What it is connected with: all pairs of these.
    rows: &'a [Tap],
    columns: &'a [Tap],
}

impl Block<'_> {
    /// Some vectors of the channels of some pixels.
    ///
    /// # Safety
    /// Both maps have the channels, and there are as many pixels.
    #[inline(always)]
    unsafe fn gather<S: Simd, G: Gather, const PIXELS: usize, const VECTORS: usize>(
        self,
        simd: S,
        gather: &mut G,
        channels: Channels,
    ) {
        let Self { connections: &Connections { window, from, shift, .. }, image, pixel, rows, columns } = self;
        let element = |row: Tap, column: Tap| row.element * window.size[1] + column.element;
        let first = match (rows, columns) {
            ([row, ..], [column, ..]) => element(*row, *column),
            _ => 0,
        };
        let vector = |i: usize| Channels { first: channels.first + i * S::LANES, ..channels };
        // SAFETY: the caller's.
        unsafe {
            let mut sums = [[gather.start(simd, pixel, first, channels); VECTORS]; PIXELS];
            for (p, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = gather.start(simd, pixel.right(p * shift.to), first, vector(v));
                }
            }
            for row in rows {
                for column in columns {
                    let index = (image * from.h + row.at) * from.w + column.at;
                    let from = Pixel { index, position: [row.at, column.at] };
                    let element = element(*row, *column);
                    for (p, sums) in sums.iter_mut().enumerate() {
                        for (v, sum) in sums.iter_mut().enumerate() {
                            *sum = gather.take(simd, *sum, from.right(p * shift.from), element, vector(v));
                        }
                    }
                }
            }
            for (p, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    gather.finish(simd, sum, pixel.right(p * shift.to), vector(v));
                }
            }
        }
    }
}

impl Pixel {
    /// That so many columns on.
    #[inline(always)]
    fn right(self, columns: usize) -> Self {
        let [y, x] = self.position;
        Self { index: self.index + columns, position: [y, x + columns] }
    }
}
