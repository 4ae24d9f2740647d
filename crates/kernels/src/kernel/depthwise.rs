//! Depthwise convolutions, which have a window for each channel, and the gradient of their input.

use super::{
    channels::Channels,
    gather::{Connections, Gather, Pixel, Rows},
    simd::Simd,
};
use crate::{Cpu, Map, MapMut, Passes, Place, Rectify, Window};

/// The weights of a depthwise convolution: for each element of the window, all channels.
pub(crate) struct Depthwise {
    window: Window,
    elements: Vec<f32>,
    bias: Vec<f32>,
}

impl Depthwise {
    /// Packs `kernel`, which has for each channel all elements.
    pub(crate) fn new(window: Window, kernel: &[f32], bias: Option<&[f32]>) -> Self {
        let channels = kernel.len() / window.area();
        let element = |element| (0..channels).map(move |channel| kernel[channel * window.area() + element]);
        let bias = bias.map_or_else(|| vec![0.0; channels], <[f32]>::to_vec);
        Self { window, elements: (0..window.area()).flat_map(element).collect(), bias }
    }

    /// The weights of an element.
    ///
    /// # Safety
    /// There are the element and the channels.
    #[inline(always)]
    unsafe fn load<S: Simd>(&self, simd: S, element: usize, channels: Channels) -> S::Floats {
        let at = element * self.bias.len() + channels.first;
        // SAFETY: the caller's.
        unsafe { simd.load_bits(self.elements.as_ptr().add(at), channels.bits) }
    }

    pub(crate) fn forward(
        &self,
        cpu: Cpu,
        input: Map<'_>,
        place: Place,
        output: MapMut<'_>,
        rectify: Option<Rectify<'_>>,
    ) {
        let dims = output.dims;
        let connections = Connections::forward(self.window, place, input.dims, dims);
        let (rectifier, passes) = match rectify {
            Some(Rectify { rectifier, passes, at_corners }) => (Some((rectifier, at_corners)), passes),
            None => (None, None),
        };
        cpu.spread(dims.n * dims.h, dims.len() * self.window.area(), (output, passes), |rows, (output, passes)| {
            let rectify = rectifier.map(|(rectifier, at_corners)| Rectify { rectifier, passes, at_corners });
            let gather = Forward { weights: self, input, output, rectify };
            cpu.isa.run(Rows { connections: &connections, rows, gather });
        });
    }

    pub(crate) fn input_gradient(
        &self,
        cpu: Cpu,
        output_gradient: Map<'_>,
        passes: Option<Passes<'_>>,
        place: Place,
        input_gradient: MapMut<'_>,
        add: bool,
    ) {
        let dims = input_gradient.dims;
        let connections = Connections::gradient(self.window, place, dims, output_gradient.dims);
        let work = output_gradient.dims.len() * self.window.area() + dims.len();
        cpu.spread(dims.n * dims.h, work, input_gradient, |rows, input_gradient| {
            let gather = InputGradient { weights: self, output_gradient, passes, input_gradient, add };
            cpu.isa.run(Rows { connections: &connections, rows, gather });
        });
    }
}

struct Forward<'a> {
    weights: &'a Depthwise,
    input: Map<'a>,
    output: MapMut<'a>,
    rectify: Option<Rectify<'a>>,
}

impl Gather for Forward<'_> {
    type Sum<S: Simd> = S::Floats;

    #[inline(always)]
    unsafe fn start<S: Simd>(&self, simd: S, _: Pixel, _: usize, channels: Channels) -> S::Floats {
        // SAFETY: the caller's.
        unsafe { simd.load_bits(self.weights.bias.as_ptr().add(channels.first), channels.bits) }
    }

    #[inline(always)]
    unsafe fn take<S: Simd>(
        &self,
        simd: S,
        sum: S::Floats,
        from: Pixel,
        element: usize,
        channels: Channels,
    ) -> S::Floats {
        // SAFETY: the caller's.
        unsafe {
            let x = self.input.load(simd, from.index, channels);
            simd.mul_add(x, self.weights.load(simd, element, channels), sum)
        }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, simd: S, mut sum: S::Floats, pixel: Pixel, channels: Channels) {
        if let Some(Rectify { rectifier, passes, at_corners }) = &mut self.rectify {
            if let Some(passes) = passes {
                passes.store(simd, rectifier.bits(simd, sum, *at_corners), pixel.index, channels);
            }
            sum = rectifier.vector(simd, sum);
        }
        // SAFETY: the caller's.
        unsafe { self.output.store(simd, sum, pixel.index, channels) }
    }
}

struct InputGradient<'a> {
    weights: &'a Depthwise,
    output_gradient: Map<'a>,
    passes: Option<Passes<'a>>,
    input_gradient: MapMut<'a>,
    add: bool,
}

impl Gather for InputGradient<'_> {
    type Sum<S: Simd> = S::Floats;

    #[inline(always)]
    unsafe fn start<S: Simd>(&self, simd: S, pixel: Pixel, _: usize, channels: Channels) -> S::Floats {
        // SAFETY: the caller's.
        unsafe { self.input_gradient.before(simd, pixel.index, channels, self.add) }
    }

    #[inline(always)]
    unsafe fn take<S: Simd>(
        &self,
        simd: S,
        sum: S::Floats,
        from: Pixel,
        element: usize,
        channels: Channels,
    ) -> S::Floats {
        // SAFETY: the caller's.
        unsafe {
            let mut gradient = self.output_gradient.load(simd, from.index, channels);
            if let Some(passes) = self.passes {
                gradient = simd.keep(gradient, passes.load(from.index, channels));
            }
            simd.mul_add(gradient, self.weights.load(simd, element, channels), sum)
        }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, simd: S, sum: S::Floats, pixel: Pixel, channels: Channels) {
        // SAFETY: the caller's.
        unsafe { self.input_gradient.store(simd, sum, pixel.index, channels) }
    }
}
