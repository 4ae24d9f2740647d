//! Convolutions with frozen weights, and the gradient of their input.

mod columns;
mod forward;
mod phases;
mod subpixel;
mod winograd;

use std::sync::OnceLock;

use self::{columns::Columns, forward::Forward, phases::Phases, subpixel::Subpixel, winograd::Winograd};
use crate::{
    Cpu, Dims, Map, MapMut, Passes, Place, Precision, Rectify, WORD, Window,
    kernel::{depthwise::Depthwise, winograd::Form},
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
    precision: Precision,
    depthwise: OnceLock<Depthwise>,
    forward: OnceLock<Forward>,
    gradient: OnceLock<Gradient>,
    winograd: Winograd,
    algorithm: Option<Algorithm>,
}

/// Ways to compute a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// As products of windows and weights.
    Direct,
    /// By Winograd's minimal filtering, squares of 2×2 outputs at once.
    Winograd2,
    /// Squares of 4×4 outputs.
    Winograd4,
}

/// The ways to the gradient of the input.
enum Gradient {
    Phases(Phases),
    Columns(Columns),
    Subpixel(Subpixel),
}

impl Convolution {
    /// A convolution with these weights.
    ///
    /// # Panics
    /// If the number of weights and the sizes disagree.
    pub fn new(weights: Weights<'_>) -> Self {
        Self::with_precision(weights, Precision::F32)
    }

    /// A convolution with these weights that multiplies with this precision.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn with_precision(weights: Weights<'_>, precision: Precision) -> Self {
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
            precision,
            depthwise: OnceLock::new(),
            forward: OnceLock::new(),
            gradient: OnceLock::new(),
            winograd: Winograd::default(),
            algorithm: None,
        }
    }

    /// The same, computed in one way whatever the size: for measurements.
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm: Some(algorithm), ..self }
    }

    /// The form of Winograd's minimal filtering to compute a map with, if any.
    fn form(&self, target: Dims) -> Option<Form> {
        if !winograd::suits(self.weights()) || self.precision != Precision::F32 {
            return None;
        }
        match self.algorithm {
            None => winograd::best_form(self.channels, target),
            Some(Algorithm::Direct) => None,
            Some(Algorithm::Winograd2) => Some(Form::F2),
            Some(Algorithm::Winograd4) => Some(Form::F4),
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

    /// Where each channel has a window of its own.
    fn depthwise(&self) -> Option<&Depthwise> {
        let depthwise = || Depthwise::new(self.window, &self.kernel, self.bias.as_deref());
        (self.channels == [self.groups; 2]).then(|| self.depthwise.get_or_init(depthwise))
    }

    /// The convolution of `input`, and what a rectifier makes of it.
    ///
    /// # Panics
    /// If the maps' channels are not the convolution's, or their images or bits are not as many.
    pub fn forward(&self, cpu: Cpu, input: Map<'_>, place: Place, output: MapMut<'_>, rectify: Option<Rectify<'_>>) {
        self.check(output.dims, input.dims, rectify.as_ref().and_then(|r| Some(r.passes.as_ref()?.dims)));
        if let Some(depthwise) = self.depthwise() {
            return depthwise.forward(cpu, input, place, output, rectify);
        }
        if let Some(form) = self.form(output.dims) {
            return self.winograd.forward(form, self.weights(), cpu, input, place, output, rectify);
        }
        self.forward
            .get_or_init(|| Forward::new(self.weights(), self.precision))
            .run(cpu, input, place, output, rectify);
    }

    /// The gradient of the input, for the gradient of what came out; where that `passes`, if a rectifier stands behind.
    ///
    /// It is added to what `input_gradient` holds, or replaces it.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn input_gradient(
        &self,
        cpu: Cpu,
        output_gradient: Map<'_>,
        passes: Option<Passes<'_>>,
        place: Place,
        input_gradient: MapMut<'_>,
        add: bool,
    ) {
        self.check(output_gradient.dims, input_gradient.dims, passes.map(|passes| passes.dims));
        if let Some(depthwise) = self.depthwise() {
            return depthwise.input_gradient(cpu, output_gradient, passes, place, input_gradient, add);
        }
        if let Some(form) = self.form(input_gradient.dims) {
            let weights = self.weights();
            return self.winograd.input_gradient(
                form,
                weights,
                cpu,
                output_gradient,
                passes,
                place,
                input_gradient,
                add,
            );
        }
        let gradient = self.gradient.get_or_init(|| {
            let weights = self.weights();
            if Subpixel::suit(weights, self.precision) {
                Gradient::Subpixel(Subpixel::new(weights, self.precision))
            } else if Columns::suit(weights) {
                Gradient::Columns(Columns::new(weights, self.precision))
            } else {
                Gradient::Phases(Phases::new(weights, self.precision))
            }
        });
        match gradient {
            Gradient::Phases(phases) => phases.run(cpu, output_gradient, passes, place, input_gradient, add),
            Gradient::Columns(columns) => columns.run(cpu, output_gradient, passes, place, input_gradient, add),
            Gradient::Subpixel(subpixel) => subpixel.run(cpu, output_gradient, passes, place, input_gradient, add),
        }
    }

    fn check(&self, output: Dims, input: Dims, bits: Option<Dims>) {
        assert_eq!([output.c, input.c], self.channels, "output and input channels");
        assert_eq!(output.n, input.n, "images of output and input");
        assert!(bits.is_none_or(|bits| bits == output), "bits of {bits:?} for an output of {output:?}");
    }
}

/// Neighboring groups of channels that are multiplied as if they were one, with zeros between them: so many that each
/// bundle's outputs begin at a whole word of bits.
#[derive(Clone, Copy)]
struct Bundles {
    /// Output and input channels of a group.
    group: [usize; 2],
    groups: usize,
    /// Groups of a bundle; the last may have fewer.
    size: usize,
}

impl Bundles {
    fn new(weights: Weights<'_>) -> Self {
        let Weights { channels, groups, .. } = weights;
        let group = channels.map(|channels| channels / groups);
        let size = (1..=WORD).find(|size| size * group[0] % WORD == 0).unwrap_or(WORD).min(groups);
        Self { group, groups, size }
    }

    /// Output and input channels of each bundle but perhaps the last.
    fn channels(self) -> [usize; 2] {
        self.group.map(|channels| channels * self.size)
    }

    /// Output and input channels of each bundle, and what tells a kernel's weights by its element, output and input.
    fn iter<'a>(
        self,
        weights: Weights<'a>,
    ) -> impl Iterator<Item = ([usize; 2], impl Fn(usize, usize, usize) -> f32 + 'a)> {
        let [outs, ins] = self.group;
        (0..self.groups).step_by(self.size).map(move |first| {
            let count = self.size.min(self.groups - first);
            let at = move |element: usize, out: usize, input: usize| {
                if out / outs != input / ins {
                    return 0.0;
                }
                let row = (first * outs + out) * ins + input % ins;
                weights.kernel[row * weights.window.area() + element]
            };
            ([outs * count, ins * count], at)
        })
    }
}
