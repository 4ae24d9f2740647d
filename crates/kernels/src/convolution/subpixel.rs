//! The gradient of the input of a convolution with a stride that has few input channels, such as an image's three.
//!
//! Vectors of so few channels would be nearly empty. So a block of pixels, as large as the stride, is computed as if it
//! were one pixel with all their channels, by a convolution of the output's gradient with stride 1; then the blocks are
//! laid out.
//!
//! # Reference
//! The convolution is that of [Real-time single image and video super-resolution using an efficient sub-pixel
//! convolutional neural network](https://arxiv.org/abs/1609.05158), Shi et al., 2016.

use std::{array::from_fn, ops::Range};

use super::Weights;
use crate::{
    Cpu, Dims, Map, MapMut, Passes, Place, Precision, WORD, Window,
    kernel::{
        packed::Packed,
        product::{Grid, Product, Target},
        scratch,
        shared::Shared,
        windows::{Gate, Source},
    },
};

/// How many rows of blocks are computed before they are laid out: they fit a core's own cache.
const ROWS: usize = 16;

/// Weights for the way from the output's gradient to blocks of the input's.
pub(super) struct Subpixel {
    /// The size of a block.
    stride: [usize; 2],
    /// Of each pixel of a block.
    channels: usize,
    /// Output pixels that a block lies under.
    window: Window,
    weights: Packed,
}

impl Subpixel {
    /// Whether this is the faster way: one vector holds a block and is half full or more, and products are nearly free.
    ///
    /// Four images of 128×128, one core (Xeon, Emerald Rapids), rather than by [`Columns`](super::Columns): GoogLeNet's
    /// 7×7 convolution takes 1.2 ms rather than 3.8 in bf16, but 13.6 rather than 5.9 in single precision; SqueezeNet's 3×3
    /// takes 0.73 ms rather than 1.77, but 2.2 rather than 2.1.
    pub(super) fn suit(Weights { channels, groups, window, .. }: Weights<'_>, precision: Precision) -> bool {
        let floats = window.stride[0] * window.stride[1] * channels[1];
        precision != Precision::F32
            && groups == 1
            && window.dilation == [1, 1]
            && channels[1] < floats
            && (WORD / 2..=WORD).contains(&floats)
    }

    pub(super) fn new(weights: Weights<'_>, precision: Precision) -> Self {
        let Weights { kernel, channels: [outs, ins], window: Window { size, stride, .. }, .. } = weights;
        let under = from_fn(|axis| size[axis].div_ceil(stride[axis]));
        let window = Window { size: under, stride: [1, 1], dilation: [1, 1] };
        let at = |row: usize, column: usize| {
            let (output, out) = ([row / outs / under[1], row / outs % under[1]], row % outs);
            let (pixel, input) = ([column / ins / stride[1], column / ins % stride[1]], column % ins);
            // Outputs further on have the pixel under an earlier element of their window.
            let [i, j] = from_fn(|axis| (under[axis] - 1 - output[axis]) * stride[axis] + pixel[axis]);
            if i < size[0] && j < size[1] { kernel[((out * ins + input) * size[0] + i) * size[1] + j] } else { 0.0 }
        };
        let mut packed = Packed::new(precision);
        packed.push(window, [outs, stride[0] * stride[1] * ins], at, |_| 0.0);
        Self { stride, channels: ins, window, weights: packed }
    }

    pub(super) fn run(
        &self,
        cpu: Cpu,
        output_gradient: Map<'_>,
        passes: Option<Passes<'_>>,
        place: Place,
        input_gradient: MapMut<'_>,
        add: bool,
    ) {
        let (from, to) = (output_gradient.dims, input_gradient.dims);
        if to.is_empty() {
            return;
        }
        let work = from.len() * self.window.area();
        cpu.spread(to.n * to.h, work, input_gradient, |rows, map| {
            let mut done = 0;
            while done < rows.len() {
                let (image, first) = ((rows.start + done) / to.h, (rows.start + done) % to.h);
                let count = (to.h - first).min(rows.len() - done);
                let gradient = one(output_gradient, image);
                let gate = passes.map(|passes| {
                    let pitch = from.c.div_ceil(WORD);
                    Gate { words: &passes.words[image * from.h * from.w * pitch..], pitch }
                });
                let values = &mut map.values[done * to.w * map.pitch..];
                let band = MapMut { values, dims: Dims { n: 1, h: count, ..to }, pitch: map.pitch };
                // Where the first element of the first window is, seen from the band.
                let place = [place[0] - first as isize, place[1]];
                self.run_rows(cpu.alone(), Source { map: gradient, gate }, place, band, add);
                done += count;
            }
        });
    }

    /// The gradient of some rows of an image.
    fn run_rows(&self, cpu: Cpu, source: Source<'_>, place: Place, mut band: MapMut<'_>, add: bool) {
        let [rows, columns] = [band.dims.h, band.dims.w];
        let block = |pixel: usize, axis: usize| (pixel as isize - place[axis]).div_euclid(self.stride[axis] as isize);
        let across = block(0, 1)..block(columns - 1, 1) + 1;
        let pitch = self.stride[0] * self.stride[1] * self.channels;
        let count = across.clone().count();
        let before = self.window.size.map(|size| size as isize - 1);
        let (mut first, end) = (block(0, 0), block(rows - 1, 0) + 1);
        scratch::with_columns(ROWS * count * pitch, |blocks| {
            while first < end {
                let down = first..end.min(first + ROWS as isize);
                let counts = [1, down.clone().count(), count];
                let product = Product {
                    source,
                    window: self.window,
                    weights: &self.weights,
                    channels: [pitch, source.map.dims.c],
                    grid: Grid {
                        counts,
                        place: [first - before[0], across.start - before[1]],
                        first: [0, 0],
                        step: [1, 1],
                        size: [counts[1], counts[2]],
                    },
                    target: Target {
                        values: Shared::new(blocks),
                        pitch,
                        add: false,
                        rectify: None,
                        bits: None,
                        words: 0,
                    },
                };
                product.run(cpu);
                self.lay_out(blocks, [down.clone(), across.clone()], place, &mut band, add);
                first = down.end;
            }
        });
    }

    /// Writes the pixels of blocks where they belong.
    fn lay_out(
        &self,
        blocks: &[f32],
        [down, across]: [Range<isize>; 2],
        place: Place,
        band: &mut MapMut<'_>,
        add: bool,
    ) {
        let ([s_y, s_x], c, MapMut { values, dims, pitch }) = (self.stride, self.channels, band);
        let row_of_blocks = across.clone().count() * s_y * s_x * c;
        for (y, blocks) in down.zip(blocks.chunks_exact(row_of_blocks)) {
            for i in 0..s_y {
                let y = place[0] + y * s_y as isize + i as isize;
                if !(0..dims.h as isize).contains(&y) {
                    continue;
                }
                let row = &mut values[y.unsigned_abs() * dims.w * *pitch..];
                for (x, block) in across.clone().zip(blocks.chunks_exact(s_y * s_x * c)) {
                    let x = place[1] + x * s_x as isize;
                    for (x, pixel) in (x..).zip(block[i * s_x * c..][..s_x * c].chunks_exact(c)) {
                        if !(0..dims.w as isize).contains(&x) {
                            continue;
                        }
                        let place = &mut row[x.unsigned_abs() * *pitch..][..c];
                        for (place, &float) in place.iter_mut().zip(pixel) {
                            *place = if add { *place + float } else { float };
                        }
                    }
                }
            }
        }
    }
}

/// One of some images.
fn one(Map { values, dims, pitch }: Map<'_>, image: usize) -> Map<'_> {
    let values = &values[image * dims.h * dims.w * pitch..];
    Map { values, dims: Dims { n: 1, ..dims }, pitch }
}
