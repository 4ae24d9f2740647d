//! The steps of a plan: each is one kernel, and where it reads and writes.

use std::sync::Arc;

use entoptic_kernels::{
    Convolution, Cpu, Map, MapMut, PassesMut, Place, Rectifier, Rectify, Window, arithmetic, attention, layer_norm,
    mean, norm, planes, pointwise, pool, rectify,
    resample::{self, Taps},
    select, softmax,
};

use super::memory::{Memory, View};
use crate::graph::Weights;

/// One kernel.
pub(super) struct Step {
    pub kernel: Kernel,
    pub reads: Vec<View>,
    pub writes: Option<View>,
    /// Whether what it computes is added to what is there.
    pub add: bool,
}

/// What a step computes of what it reads, in the order of its inputs.
pub(super) enum Kernel {
    /// What was given under this number.
    FromPlanes(usize),
    /// What is taken under this number.
    ToPlanes(usize),
    /// The images, scaled and shifted.
    FromImages {
        scale: Weights,
        shift: Weights,
    },
    /// The gradient of the images, which are scaled.
    FromImagesGradient {
        scale: Weights,
    },
    Convolution {
        convolution: Arc<Convolution>,
        place: Place,
        rectifying: Option<Rectifying>,
    },
    ConvolutionGradient {
        convolution: Arc<Convolution>,
        place: Place,
        passes: Option<usize>,
    },
    MaxPool {
        window: Window,
        place: Place,
        winners: Option<usize>,
    },
    MaxPoolGradient {
        window: Window,
        place: Place,
        winners: usize,
    },
    AveragePool {
        window: Window,
        place: Place,
        shares: Shares,
    },
    AveragePoolGradient {
        window: Window,
        place: Place,
        shares: Shares,
    },
    /// Reads the gradient and the pool's input.
    L2PoolGradient {
        window: Window,
        place: Place,
        shares: Shares,
        epsilon: f32,
    },
    LocalResponseNorm(norm::LocalResponseNorm),
    /// Reads the gradient and the norm's input.
    LocalResponseNormGradient(norm::LocalResponseNorm),
    Rectify {
        rectifying: Rectifying,
        saturated: Option<usize>,
    },
    /// In place.
    Block {
        passes: usize,
    },
    /// Changes what passes, and leaves the gradient, which it is said to write, as it is.
    Redirect {
        passes: usize,
        saturated: Option<usize>,
    },
    Copy,
    Multiply,
    MultiplySum,
    Affine {
        scale: Weights,
        shift: Option<Weights>,
    },
    Pointwise(pointwise::Function),
    /// Reads the gradient and the function's input.
    PointwiseGradient(pointwise::Function),
    LayerNorm {
        gamma: Weights,
        beta: Weights,
        epsilon: f32,
    },
    /// Reads the gradient and the norm's input.
    LayerNormGradient {
        gamma: Weights,
        epsilon: f32,
    },
    Select(Arc<[usize]>),
    SelectGradient(Arc<[usize]>),
    /// Down and across; both directions are of this kind.
    Resample([Taps; 2]),
    /// A constant, as a map.
    Constant(Vec<f32>),
    /// Reads queries and keys, or a gradient and values.
    InnerProducts {
        scale: f32,
    },
    /// Reads attention and values, or a gradient and keys.
    WeightedSums {
        scale: f32,
    },
    /// Reads a gradient or attention, and queries or a gradient.
    WeightedSumsTransposed {
        scale: f32,
    },
    RowSoftmax,
    /// Reads the gradient and what softmax answered.
    RowSoftmaxGradient,
    GlobalMean,
    GlobalMeanGradient,
    Softmax,
    /// Reads the gradient and what softmax answered.
    SoftmaxGradient,
    /// A map as one vector, channel by channel.
    Flatten,
    Unflatten,
}

/// Images and activations `[n, c, h, w]`, as Burn holds them: what comes from outside, and what goes there.
pub(super) struct Outside<'a> {
    pub given: Vec<&'a [f32]>,
    pub taken: Vec<&'a mut [f32]>,
}

/// A rectifier, and which bits it keeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rectifying {
    pub rectifier: Rectifier,
    pub passes: Option<usize>,
    pub at_corners: bool,
}

/// See [`pool::Shares`].
pub(super) struct Shares {
    pub rows: Vec<f32>,
    pub columns: Vec<f32>,
}

impl Shares {
    fn lend(&self) -> pool::Shares<'_> {
        pool::Shares { rows: &self.rows, columns: &self.columns }
    }
}

impl Step {
    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.reads.iter().chain(&self.writes)
    }

    pub fn views_mut(&mut self) -> impl Iterator<Item = &mut View> {
        self.reads.iter_mut().chain(&mut self.writes)
    }

    pub fn run(&self, cpu: Cpu, memory: &mut Memory<'_>, outside: &mut Outside<'_>) {
        let Some(writes) = &self.writes else {
            let from = memory.map(&self.reads[0]);
            return match &self.kernel {
                Kernel::ToPlanes(to) => planes::to_planes(cpu, from, outside.taken[*to], self.add),
                Kernel::FromImagesGradient { scale } => {
                    planes::from_images_gradient(cpu, from, scale.values(), outside.taken[0]);
                }
                _ => unreachable!("all others write to memory"),
            };
        };
        let n = memory.n;
        memory.write(writes, |memory, mut to| match &self.kernel {
            Kernel::Convolution { convolution, place, rectifying: Some(rectifying) } => {
                memory.write_passes(rectifying.passes, to.dims(), |memory, passes| {
                    let rectify = Some(rectifying.keeping(passes));
                    convolution.forward(cpu, memory.map(&self.reads[0]), *place, to, rectify);
                });
            }
            Kernel::MaxPool { window, place, winners } => {
                memory.write_winners(*winners, to.dims(), |memory, winners| {
                    pool::max_pool(cpu, *window, *place, memory.map(&self.reads[0]), to, winners);
                });
            }
            Kernel::Rectify { rectifying, saturated } => {
                memory.write_passes(rectifying.passes, to.dims(), |memory, passes| {
                    memory.write_passes(*saturated, to.dims(), |memory, saturated| {
                        rectify::rectify(cpu, memory.map(&self.reads[0]), to, rectifying.keeping(passes), saturated);
                    });
                });
            }
            Kernel::Redirect { passes, saturated } => {
                memory.write_passes(Some(*passes), to.dims(), |memory, passes| {
                    let saturated = saturated.map(|saturated| memory.passes(saturated, to.dims()));
                    rectify::redirect(cpu, to.as_map(), passes.expect("they are there"), saturated);
                });
            }
            Kernel::Block { passes } => {
                let passes = memory.passes(*passes, to.dims());
                rectify::block(cpu, to.reborrow(), passes);
            }
            kernel => kernel.run(cpu, n, &self.reads, memory, outside, to, self.add),
        });
    }
}

impl Kernel {
    /// Runs a kernel that writes one map and nothing else.
    #[allow(clippy::too_many_arguments, reason = "a step's fields, and what they are looked up in")]
    fn run(
        &self,
        cpu: Cpu,
        n: usize,
        reads: &[View],
        memory: &Memory<'_>,
        outside: &Outside<'_>,
        to: MapMut<'_>,
        add: bool,
    ) {
        let read = |i: usize| memory.map(&reads[i]);
        match self {
            Self::FromPlanes(from) => planes::from_planes(cpu, outside.given[*from], to, add),
            Self::FromImages { scale, shift } => {
                planes::from_images(cpu, outside.given[0], scale.values(), shift.values(), to);
            }
            Self::Convolution { convolution, place, .. } => convolution.forward(cpu, read(0), *place, to, None),
            Self::ConvolutionGradient { convolution, place, passes } => {
                let passes = passes.map(|passes| memory.passes(passes, reads[0].dims(n)));
                convolution.input_gradient(cpu, read(0), passes, *place, to, add);
            }
            Self::MaxPoolGradient { window, place, winners } => {
                let winners = memory.winners(*winners, reads[0].dims(n));
                pool::max_pool_gradient(cpu, *window, *place, winners, read(0), to, add);
            }
            Self::AveragePool { window, place, shares } => {
                pool::average_pool(cpu, *window, *place, shares.lend(), read(0), to);
            }
            Self::AveragePoolGradient { window, place, shares } => {
                pool::average_pool_gradient(cpu, *window, *place, shares.lend(), read(0), to, add);
            }
            Self::L2PoolGradient { window, place, shares, epsilon } => {
                let (gradient, input) = (read(0), read(1));
                pool::l2_pool_gradient(cpu, *window, *place, shares.lend(), *epsilon, input, gradient, to, add);
            }
            Self::LocalResponseNorm(norm) => norm::local_response_norm(cpu, *norm, read(0), to),
            Self::LocalResponseNormGradient(norm) => {
                norm::local_response_norm_gradient(cpu, *norm, read(1), read(0), to, add);
            }
            Self::Copy if add => arithmetic::add(cpu, read(0), to),
            Self::Copy => arithmetic::copy(cpu, read(0), to),
            Self::Multiply => arithmetic::multiply(cpu, read(0), read(1), to, add),
            Self::MultiplySum => arithmetic::multiply_sum(cpu, read(0), read(1), to, add),
            Self::Affine { scale, shift } => {
                arithmetic::affine(cpu, read(0), scale.values(), shift.as_ref().map(Weights::values), to, add);
            }
            Self::Pointwise(function) => pointwise::pointwise(cpu, *function, read(0), to),
            Self::PointwiseGradient(function) => {
                pointwise::pointwise_gradient(cpu, *function, read(1), read(0), to, add);
            }
            Self::LayerNorm { gamma, beta, epsilon } => {
                layer_norm::layer_norm(cpu, gamma.values(), beta.values(), *epsilon, read(0), to);
            }
            Self::LayerNormGradient { gamma, epsilon } => {
                layer_norm::layer_norm_gradient(cpu, gamma.values(), *epsilon, read(1), read(0), to, add);
            }
            Self::Select(channels) => select::select(cpu, channels, read(0), to),
            Self::SelectGradient(channels) => select::select_gradient(cpu, channels, read(0), to, add),
            Self::Resample([rows, columns]) => resample::resample(cpu, rows, columns, read(0), to, add),
            Self::Constant(values) => arithmetic::copy(cpu, Map::dense(values, to.dims()), to),
            Self::InnerProducts { scale } => attention::inner_products(cpu, *scale, read(0), read(1), to, add),
            Self::WeightedSums { scale } => attention::weighted_sums(cpu, *scale, read(0), read(1), to, add),
            Self::WeightedSumsTransposed { scale } => {
                attention::weighted_sums_transposed(cpu, *scale, read(0), read(1), to, add);
            }
            Self::RowSoftmax => attention::row_softmax(cpu, read(0), to),
            Self::RowSoftmaxGradient => attention::row_softmax_gradient(cpu, read(1), read(0), to, add),
            Self::GlobalMean => mean::global_mean(cpu, read(0), to),
            Self::GlobalMeanGradient => mean::global_mean_gradient(cpu, read(0), to, add),
            Self::Softmax => softmax::softmax(cpu, read(0), to),
            Self::SoftmaxGradient => softmax::softmax_gradient(cpu, read(1), read(0), to, add),
            Self::Flatten => planes::flatten(cpu, read(0), to),
            Self::Unflatten => planes::unflatten(cpu, read(0), to, add),
            Self::ToPlanes(_)
            | Self::FromImagesGradient { .. }
            | Self::MaxPool { .. }
            | Self::Rectify { .. }
            | Self::Redirect { .. }
            | Self::Block { .. } => {
                unreachable!("these read or write more than maps")
            }
        }
    }
}

impl Rectifying {
    fn keeping<'a>(&self, passes: Option<PassesMut<'a>>) -> Rectify<'a> {
        Rectify { rectifier: self.rectifier, passes, at_corners: self.at_corners }
    }
}
