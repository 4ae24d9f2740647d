//! Rectangles of images that may reach beyond them: what padding and cropping are.

use burn::tensor::{Tensor, ops::PadMode};

use super::geometry::{self, Geometry};
use crate::cpu::Operation;

/// A rectangle of a plane, which may reach beyond it.
#[derive(Debug, Clone)]
pub(super) struct Window {
    rows: Span,
    columns: Span,
    /// What is beyond the plane.
    beyond: f32,
}

/// One axis of a window.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// How long the plane is.
    from: usize,
    /// How long the window is.
    to: usize,
    /// Where in the plane begins what the window shows of it.
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

    /// The plane as a window of the window.
    fn reversed(self) -> Self {
        Self { from: self.to, to: self.from, shown: self.before, before: self.shown, length: self.length }
    }

    fn after(&self) -> usize {
        self.to - self.before - self.length
    }
}

impl Window {
    /// The `to` `[h, w]` pixels of planes of `from` `[h, w]` that start at `start` `[y, x]`.
    pub fn new(from: [usize; 2], start: [isize; 2], to: [usize; 2], beyond: f32) -> Self {
        let [rows, columns] = [0, 1].map(|axis| Span::new(from[axis], start[axis], to[axis]));
        Self { rows, columns, beyond }
    }

    pub fn sizes(&self) -> [[usize; 2]; 2] {
        [[self.rows.from, self.columns.from], [self.rows.to, self.columns.to]]
    }

    pub fn is_identity(&self) -> bool {
        [&self.rows, &self.columns].iter().all(|span| span.length == span.from && span.length == span.to)
    }

    pub fn of(&self, images: Tensor<4>) -> Tensor<4> {
        let Self { rows, columns, beyond } = self;
        let shown = images.narrow(2, rows.shown, rows.length).narrow(3, columns.shown, columns.length);
        match [columns.before, columns.after(), rows.before, rows.after()] {
            [0, 0, 0, 0] => shown,
            [left, right, top, bottom] => shown.pad((left, right, top, bottom), PadMode::Constant(*beyond)),
        }
    }
}

/// The part of images that starts at `start` `[y, x]`, which may lie before the first pixel, as [`Window::new`].
///
/// # Shapes
/// - images: `[n, c, h', w']`
/// - value: `[n, c, h, w]`
pub(super) fn window(images: Tensor<4>, start: [isize; 2], size: [usize; 2], beyond: f32) -> Tensor<4> {
    let [_, _, h, w] = images.dims();
    geometry::apply(vec![Geometry::Window(Window::new([h, w], start, size, beyond))], images)
}

impl Operation for Window {
    #[inline(always)]
    fn forward(&self, [plane]: [&[f32]; 1], window: &mut [f32]) {
        show(plane, [self.rows, self.columns], self.beyond, window);
    }

    #[inline(always)]
    fn backward(&self, _output: &[f32], gradient: &[f32], [slope]: [&mut [f32]; 1]) {
        show(gradient, [self.rows.reversed(), self.columns.reversed()], 0.0, slope);
    }
}

#[inline(always)]
fn show(plane: &[f32], [rows, columns]: [Span; 2], beyond: f32, window: &mut [f32]) {
    let (above, window) = window.split_at_mut(rows.before * columns.to);
    let (window, below) = window.split_at_mut(rows.length * columns.to);
    above.fill(beyond);
    below.fill(beyond);
    let plane = plane.chunks_exact(columns.from.max(1)).skip(rows.shown);
    for (plane, window) in plane.zip(window.chunks_exact_mut(columns.to.max(1))) {
        let (left, window) = window.split_at_mut(columns.before);
        let (shown, right) = window.split_at_mut(columns.length);
        left.fill(beyond);
        shown.copy_from_slice(&plane[columns.shown..][..columns.length]);
        right.fill(beyond);
    }
}
