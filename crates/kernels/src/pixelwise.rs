//! Functions of the same channel of several maps.

use std::ops::Range;

use crate::{
    Cpu, Dims, Map, MapMut,
    kernel::simd::{Kernel, Simd},
};

/// A map, of which each pixel stands for some neighboring ones: itself, or all of an image.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a> {
    map: Map<'a>,
    stands_for: usize,
}

impl<'a> Operand<'a> {
    /// A map for some pixels.
    ///
    /// # Panics
    /// If it has not a pixel for each, nor one for each image.
    pub(crate) fn new(map: Map<'a>, all: Dims) -> Self {
        let image = Dims { h: 1, w: 1, ..all };
        assert!(map.dims == all || map.dims == image, "{:?} for each pixel or image of {all:?}", map.dims);
        Self { map, stands_for: if map.dims == all { 1 } else { all.h * all.w } }
    }

    /// One number for each channel.
    pub(crate) fn channels(values: &'a [f32], all: Dims) -> Self {
        Self { map: Map::dense(values, Dims { n: 1, h: 1, w: 1, c: all.c }), stands_for: all.pixels() }
    }
}

/// Sets each float of the output to a function of itself and the operands'.
pub(crate) fn pixelwise<const N: usize>(
    cpu: Cpu,
    operands: [Operand<'_>; N],
    output: MapMut<'_>,
    function: impl Fn(f32, [f32; N]) -> f32 + Sync,
) {
    let dims = output.dims;
    cpu.spread(dims.n * dims.h, (N + 1) * dims.len(), output, |rows, output| {
        let pixels = rows.start * dims.w..rows.end * dims.w;
        cpu.isa.run(Pixelwise { operands, pixels, output, function: &function });
    });
}

struct Pixelwise<'a, F, const N: usize> {
    operands: [Operand<'a>; N],
    pixels: Range<usize>,
    output: MapMut<'a>,
    function: &'a F,
}

impl<F: Fn(f32, [f32; N]) -> f32, const N: usize> Kernel for Pixelwise<'_, F, N> {
    type Output = ();

    // Plain code, of which the compiler makes vectors of the instruction set.
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { operands, pixels, output, function } = self;
        let channels = output.dims.c;
        // Where nothing lies between pixels, one long run is faster than many short ones.
        let is_dense = output.pitch == channels
            && operands.iter().all(|operand| operand.stands_for == 1 && operand.map.pitch == channels);
        let run = if is_dense { pixels.len() * channels } else { channels };
        if run == 0 {
            return;
        }
        let starts = pixels.step_by(run / channels);
        for (pixel, output) in starts.zip(output.values.chunks_mut(output.pitch.max(run))) {
            let output = &mut output[..run];
            let operands =
                operands.map(|Operand { map, stands_for }| &map.values[pixel / stands_for * map.pitch..][..run]);
            for (i, y) in output.iter_mut().enumerate() {
                *y = function(*y, operands.map(|operand| operand[i]));
            }
        }
    }
}
