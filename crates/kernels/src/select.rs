//! Channels picked from a map, and put back.

use crate::{Cpu, Map, MapMut};

/// These channels of the input, in this order.
///
/// # Panics
/// If sizes disagree, or there is no such channel.
pub fn select(cpu: Cpu, channels: &[usize], input: Map<'_>, output: MapMut<'_>) {
    let dims = output.dims;
    assert_eq!((dims.pixels(), dims.c), (input.dims.pixels(), channels.len()), "input and output");
    cpu.spread(dims.n * dims.h, 2 * dims.len(), output, |rows, mut output| {
        for (to, pixel) in (rows.start * dims.w..rows.end * dims.w).enumerate() {
            let input = input.pixel(pixel);
            output.pixel(to).iter_mut().zip(channels).for_each(|(to, &c)| *to = input[c]);
        }
    });
}

/// The gradient of its input: what was picked several times has the sum.
///
/// # Panics
/// As [`select`].
pub fn select_gradient(cpu: Cpu, channels: &[usize], output_gradient: Map<'_>, input_gradient: MapMut<'_>, add: bool) {
    let dims = input_gradient.dims;
    let given = output_gradient.dims;
    assert_eq!((given.pixels(), given.c), (dims.pixels(), channels.len()), "input and output");
    cpu.spread(dims.n * dims.h, 2 * dims.len(), input_gradient, |rows, mut input_gradient| {
        for (to, pixel) in (rows.start * dims.w..rows.end * dims.w).enumerate() {
            let to = input_gradient.pixel(to);
            if !add {
                to.fill(0.0);
            }
            output_gradient.pixel(pixel).iter().zip(channels).for_each(|(from, &c)| to[c] += from);
        }
    });
}
