//! Convolutions with frozen weights, and the gradient of their input.

use std::sync::OnceLock;

use crate::{
    Cpu, Map, MapMut, Passes, Place, Rectify, Window,
    kernel::{
        packed::Packed,
        product::{Grid, Product, Target},
        shared::Shared,
        windows::Source,
    },
    reference,
};

/// What a convolution multiplies with.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// `[out, in / groups, kh, kw]`.
    pub kernel: &'a [f32],
    /// `[out]`.
    pub bias: Option<&'a [f32]>,
    /// Output and input channels.
    pub channels: [usize; 2],
    /// Into how many groups the channels fall.
    pub groups: usize,
    /// The window; its size is the kernel's.
    pub window: Window,
}

/// A convolution with frozen weights, ready to be run many times.
///
/// Weights are brought into the order that the instructions want when a direction is first run.
pub struct Convolution {
    kernel: Vec<f32>,
    bias: Option<Vec<f32>>,
    channels: [usize; 2],
    groups: usize,
    window: Window,
    forward: OnceLock<Packed>,
}

impl Convolution {
    /// A convolution with these weights.
    ///
    /// # Panics
    /// If the number of weights and the sizes disagree.
    pub fn new(weights: Weights<'_>) -> Self {
        let Weights { kernel, bias, channels: channels @ [outputs, inputs], groups, window } = weights;
        assert!(outputs % groups == 0 && inputs % groups == 0, "{channels:?} channels in {groups} groups");
        assert_eq!(kernel.len(), outputs * inputs / groups * window.area());
        assert!(bias.is_none_or(|bias| bias.len() == outputs));
        Self {
            kernel: kernel.to_vec(),
            bias: bias.map(<[f32]>::to_vec),
            channels,
            groups,
            window,
            forward: OnceLock::new(),
        }
    }

    fn weights(&self) -> Weights<'_> {
        Weights {
            kernel: &self.kernel,
            bias: self.bias.as_deref(),
            channels: self.channels,
            groups: self.groups,
            window: self.window,
        }
    }

    /// The convolution of `input`, and what a rectifier makes of it.
    pub fn forward(&self, cpu: Cpu, input: Map<'_>, place: Place, output: MapMut<'_>, rectify: Option<Rectify<'_>>) {
        if self.groups != 1 {
            return reference::convolution(self.weights(), input, place, output, rectify);
        }
        let dims = output.dims;
        assert_eq!([dims.c, input.dims.c], self.channels, "output and input channels");
        assert_eq!(dims.n, input.dims.n, "images");
        let (rectifier, bits) = match rectify {
            Some(Rectify { rectifier, passes, at_corners }) => (Some((rectifier, at_corners)), passes),
            None => (None, None),
        };
        assert!(bits.as_ref().is_none_or(|bits| bits.dims == dims), "bits of another size");
        let product = Product {
            source: Source { map: input, gate: None },
            window: self.window,
            weights: self.forward.get_or_init(|| self.pack()),
            grid: Grid { counts: [dims.n, dims.h, dims.w], place, first: [0, 0], step: [1, 1], size: [dims.h, dims.w] },
            target: Target {
                pitch: output.pitch,
                values: Shared::new(output.values),
                add: false,
                rectify: rectifier,
                bits: bits.map(|bits| Shared::new(bits.words)),
                words: dims.c.div_ceil(crate::WORD),
            },
        };
        product.run(cpu);
    }

    /// The weights of the convolution: a row for each float under the window.
    fn pack(&self) -> Packed {
        let [outs, ins] = self.channels;
        let area = self.window.area();
        let at = |row: usize, out: usize| self.kernel[(out * ins + row % ins) * area + row / ins];
        Packed::new(area * ins, outs, at, |out| self.bias.as_ref().map_or(0.0, |bias| bias[out]))
    }

    /// The gradient of the input, for the gradient of what came out; where that `passes`, if a rectifier stands behind.
    ///
    /// It is added to what `input_gradient` holds, or replaces it.
    pub fn input_gradient(
        &self,
        _cpu: Cpu,
        output_gradient: Map<'_>,
        passes: Option<Passes<'_>>,
        place: Place,
        input_gradient: MapMut<'_>,
        add: bool,
    ) {
        reference::convolution_gradient(self.weights(), output_gradient, passes, place, input_gradient, add);
    }
}
