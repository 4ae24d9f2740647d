//! Rectangles of images that may reach beyond them.

use std::sync::Arc;

use burn::tensor::{Tensor, ops::PadMode};

use crate::cpu::{self, Operation};

/// The `size` `[h, w]` pixels from `start` `[y, x]` on, which may lie before the first pixel; what is beyond the images
/// holds one value.
///
/// # Shapes
/// - images: `[n, c, h', w']`
/// - value: `[n, c, h, w]`
pub(super) fn window(images: Tensor<4>, start: [isize; 2], size: [usize; 2], beyond: f32) -> Tensor<4> {
    let [n, c, h, w] = images.dims();
    let window = Window { rows: Span::new(h, start[0], size[0]), columns: Span::new(w, start[1], size[1]), beyond };
    match cpu::holds(&images) {
        true => cpu::apply(Arc::new(window), images, n * c, [n, c, size[0], size[1]]),
        false => window.of(images),
    }
}

#[derive(Debug)]
struct Window {
    rows: Span,
    columns: Span,
    beyond: f32,
}

/// One axis of a window.
#[derive(Debug)]
struct Span {
    /// How long the images are.
    from: usize,
    /// How long the window is.
    to: usize,
    /// Where in the images begins what the window shows of them.
    shown: usize,
    /// Where in the window that begins.
    before: usize,
    /// How long it is.
    length: usize,
}

impl Span {
    fn new(from: usize, start: isize, to: usize) -> Self {
        let (shown, before) = (start.max(0).unsigned_abs(), (-start).max(0).unsigned_abs());
        Self { from, to, shown, before, length: from.saturating_sub(shown).min(to.saturating_sub(before)) }
    }

    fn after(&self) -> usize {
        self.to - self.before - self.length
    }
}

impl Window {
    fn of(&self, images: Tensor<4>) -> Tensor<4> {
        let Self { rows, columns, beyond } = self;
        let shown = images.narrow(2, rows.shown, rows.length).narrow(3, columns.shown, columns.length);
        match [columns.before, columns.after(), rows.before, rows.after()] {
            [0, 0, 0, 0] => shown,
            [left, right, top, bottom] => shown.pad((left, right, top, bottom), PadMode::Constant(*beyond)),
        }
    }

    /// For each row that the window shows, where its pixels are in a plane of the images, and where in the window.
    #[inline(always)]
    fn places(&self) -> impl Iterator<Item = [std::ops::Range<usize>; 2]> {
        let Self { rows, columns, .. } = self;
        (0..rows.length).map(|row| {
            let from = (rows.shown + row) * columns.from + columns.shown;
            let to = (rows.before + row) * columns.to + columns.before;
            [from, to].map(|first| first..first + columns.length)
        })
    }
}

impl Operation for Window {
    #[inline(always)]
    fn forward(&self, [plane]: [&[f32]; 1], window: &mut [f32]) {
        if self.rows.length * self.columns.length < window.len() {
            window.fill(self.beyond);
        }
        for [from, to] in self.places() {
            window[to].copy_from_slice(&plane[from]);
        }
    }

    #[inline(always)]
    fn backward(&self, _output: &[f32], gradient: &[f32], [slope]: [&mut [f32]; 1]) {
        for [from, to] in self.places() {
            slope[from].copy_from_slice(&gradient[to]);
        }
    }
}
