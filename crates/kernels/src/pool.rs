//! Pools: the largest or the mean of each window, and their gradients.

use crate::{Cpu, Dims, Map, MapMut, Place, Window, kernel};

/// The largest value under each window; padding never wins.
///
/// `winners` is, for each output `[n, h, w, c]`, the element of the window that won, counted in rows from the first; the
/// first if several are as large. What is no number wins.
///
/// # Panics
/// If the window has more than 256 elements, or sizes disagree.
pub fn max_pool(
    cpu: Cpu,
    window: Window,
    place: Place,
    input: Map<'_>,
    output: MapMut<'_>,
    winners: Option<&mut [u8]>,
) {
    assert!(window.area() <= 256, "winners are one byte");
    assert!(winners.as_ref().is_none_or(|winners| winners.len() == output.dims.len()), "a winner for each output");
    check(input.dims, output.dims);
    kernel::max_pool(cpu, window, place, input, output, winners);
}

/// The gradient of a max pool's input: each output's goes to the element that won.
///
/// # Panics
/// As [`max_pool`].
pub fn max_pool_gradient(
    cpu: Cpu,
    window: Window,
    place: Place,
    winners: &[u8],
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    assert!(window.area() <= 256, "winners are one byte");
    assert_eq!(winners.len(), output_gradient.dims.len(), "a winner for each output");
    check(input_gradient.dims, output_gradient.dims);
    kernel::max_pool_gradient(cpu, window, place, winners, output_gradient, input_gradient, add);
}

/// What a mean divides by: one over the number of elements that count, for each row and each column of the output. An
/// output's share is the product.
#[derive(Debug, Clone, Copy)]
pub struct Shares<'a> {
    /// One for each output row.
    pub rows: &'a [f32],
    /// One for each output column.
    pub columns: &'a [f32],
}

/// The sum under each window, times its share; padding adds nothing.
///
/// # Panics
/// If sizes disagree.
pub fn average_pool(cpu: Cpu, window: Window, place: Place, shares: Shares<'_>, input: Map<'_>, output: MapMut<'_>) {
    check(input.dims, output.dims);
    shares.check(output.dims);
    kernel::average_pool(cpu, window, place, shares, input, output);
}

/// The gradient of an average pool's input.
///
/// # Panics
/// If sizes disagree.
pub fn average_pool_gradient(
    cpu: Cpu,
    window: Window,
    place: Place,
    shares: Shares<'_>,
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    check(input_gradient.dims, output_gradient.dims);
    shares.check(output_gradient.dims);
    kernel::average_pool_gradient(cpu, window, place, shares, output_gradient, input_gradient, add);
}

/// The gradient of the input of `mean(x²) / (mean(|x|) + epsilon)` under each window.
///
/// # Panics
/// If sizes disagree.
#[allow(clippy::too_many_arguments, reason = "an average pool's, and what the gradient depends on")]
pub fn l2_pool_gradient(
    cpu: Cpu,
    window: Window,
    place: Place,
    shares: Shares<'_>,
    epsilon: f32,
    input: Map<'_>,
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    assert_eq!(input.dims, input_gradient.dims, "an input and its gradient");
    check(input.dims, output_gradient.dims);
    shares.check(output_gradient.dims);
    kernel::l2_pool_gradient(cpu, window, place, shares, epsilon, input, output_gradient, input_gradient, add);
}

fn check(input: Dims, output: Dims) {
    assert_eq!([input.n, input.c], [output.n, output.c], "images and channels of input and output");
}

impl Shares<'_> {
    fn check(&self, output: Dims) {
        assert_eq!([self.rows.len(), self.columns.len()], [output.h, output.w], "a share for each row and column");
    }
}
