//! Pools: the largest or the mean of each window, and their gradients.

use crate::{Cpu, Map, MapMut, Place, Window, reference};

/// The largest value under each window; padding never wins.
///
/// `winners` is, for each output `[n, h, w, c]`, the element of the window that won, counted in rows from the first; the
/// first if several are as large.
///
/// # Panics
/// If the window has more than 256 elements.
pub fn max_pool(
    _cpu: Cpu,
    window: Window,
    place: Place,
    input: Map<'_>,
    output: MapMut<'_>,
    winners: Option<&mut [u8]>,
) {
    assert!(window.area() <= 256, "winners are one byte");
    reference::max_pool(window, place, input, output, winners);
}

/// The gradient of a max pool's input: each output's goes to the element that won.
pub fn max_pool_gradient(
    _cpu: Cpu,
    window: Window,
    place: Place,
    winners: &[u8],
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    reference::max_pool_gradient(window, place, winners, output_gradient, input_gradient, add);
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
pub fn average_pool(_cpu: Cpu, window: Window, place: Place, shares: Shares<'_>, input: Map<'_>, output: MapMut<'_>) {
    reference::average_pool(window, place, shares, input, output);
}

/// The gradient of an average pool's input.
pub fn average_pool_gradient(
    _cpu: Cpu,
    window: Window,
    place: Place,
    shares: Shares<'_>,
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    reference::average_pool_gradient(window, place, shares, output_gradient, input_gradient, add);
}

/// The gradient of the input of `mean(x²) / (mean(|x|) + epsilon)` under each window.
#[allow(clippy::too_many_arguments, reason = "an average pool's, and what the gradient depends on")]
pub fn l2_pool_gradient(
    _cpu: Cpu,
    window: Window,
    place: Place,
    shares: Shares<'_>,
    epsilon: f32,
    input: Map<'_>,
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    reference::l2_pool_gradient(window, place, shares, epsilon, input, output_gradient, input_gradient, add);
}
