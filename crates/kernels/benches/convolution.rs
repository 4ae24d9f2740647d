//! Convolutions of GoogLeNet and SqueezeNet on images of 128 × 128, and the gradients of their inputs.
//!
//! `cargo bench -p entoptic-kernels --bench convolution`, with part of a name behind `--` to choose. An item is a
//! floating-point operation: Gitem/s are GFLOP/s.

use std::fmt;

use divan::{Bencher, counter::ItemsCount};
use entoptic_kernels::{
    Bf16, Convolution, Cpu, Dims, Isa, Map, MapMut, Passes, PassesMut, Precision, Rectifier, Rectify, Threads, Weights,
    Window, together, words,
};
use rayon::ThreadPoolBuilder;

// Two threads that stay awake, as in a whole step of a run.
fn main() {
    ThreadPoolBuilder::new().num_threads(2).build().expect("two threads").install(|| together(divan::main));
}

/// A square layer: its name, input and output channels, window and stride, and rows of the input.
#[derive(Clone, Copy)]
struct Layer(&'static str, [usize; 2], [usize; 2], usize);

const LAYERS: [Layer; 21] = [
    Layer("googlenet conv1", [3, 64], [7, 2], 128),
    Layer("googlenet conv2_reduce", [64, 64], [1, 1], 32),
    Layer("googlenet conv2", [64, 192], [3, 1], 32),
    Layer("googlenet 3a_5x5_reduce", [192, 16], [1, 1], 16),
    Layer("googlenet 3a_5x5", [16, 32], [5, 1], 16),
    Layer("googlenet 3b_1x1", [256, 128], [1, 1], 16),
    Layer("googlenet 3b_3x3", [128, 192], [3, 1], 16),
    Layer("googlenet 4a_1x1", [480, 192], [1, 1], 8),
    Layer("googlenet 4a_3x3", [96, 208], [3, 1], 8),
    Layer("googlenet 4b_5x5", [24, 64], [5, 1], 8),
    Layer("googlenet 4e_3x3", [160, 320], [3, 1], 8),
    Layer("googlenet 5b_1x1", [832, 384], [1, 1], 4),
    Layer("googlenet 5b_3x3", [192, 384], [3, 1], 4),
    Layer("googlenet 5b_5x5", [48, 128], [5, 1], 4),
    Layer("googlenet classifier", [1024, 1000], [1, 1], 1),
    Layer("squeezenet conv1", [3, 64], [3, 2], 128),
    Layer("squeezenet fire2_squeeze", [64, 16], [1, 1], 31),
    Layer("squeezenet fire2_expand3x3", [16, 64], [3, 1], 31),
    Layer("squeezenet fire5_expand3x3", [32, 128], [3, 1], 15),
    Layer("squeezenet fire9_expand3x3", [64, 256], [3, 1], 7),
    Layer("squeezenet conv10", [512, 1000], [1, 1], 7),
];

/// The channels of GoogLeNet's modules: of the input, and of the six convolutions; and their rows.
const MODULES: [(usize, [usize; 6], usize); 9] = [
    (192, [64, 96, 128, 16, 32, 32], 16),
    (256, [128, 128, 192, 32, 96, 64], 16),
    (480, [192, 96, 208, 16, 48, 64], 8),
    (512, [160, 112, 224, 24, 64, 64], 8),
    (512, [128, 128, 256, 24, 64, 64], 8),
    (512, [112, 144, 288, 32, 64, 64], 8),
    (528, [256, 160, 320, 32, 128, 128], 8),
    (832, [256, 160, 320, 32, 128, 128], 4),
    (832, [384, 192, 384, 48, 128, 128], 4),
];

/// All of GoogLeNet's convolutions: what comes from a near cache in a layer measured alone comes from far here.
fn googlenet() -> Vec<Layer> {
    let mut layers = LAYERS[..3].to_vec();
    for (c, [one, reduce3, three, reduce5, five, pool], rows) in MODULES {
        layers.extend([
            Layer("", [c, one], [1, 1], rows),
            Layer("", [c, reduce3], [1, 1], rows),
            Layer("", [reduce3, three], [3, 1], rows),
            Layer("", [c, reduce5], [1, 1], rows),
            Layer("", [reduce5, five], [5, 1], rows),
            Layer("", [c, pool], [1, 1], rows),
        ]);
    }
    layers
}

/// How a layer is run.
#[derive(Clone, Copy)]
struct Run {
    precision: Precision,
    threads: usize,
    images: usize,
}

struct Case {
    layer: Layer,
    run: Run,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precision = if self.precision == Precision::F32 { "f32" } else { "bf16" };
        write!(f, "{precision}, {} thread(s), batch {}", self.threads, self.images)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Layer(name, [ins, outs], [size, _], rows) = self.layer;
        write!(f, "{name} {ins}→{outs} {size}×{size} at {rows}×{rows}: {}", self.run)
    }
}

fn runs() -> Vec<Run> {
    let precisions = [Some(Precision::F32), Bf16::best().ok().map(Precision::Bf16)];
    let runs = precisions.into_iter().flatten().flat_map(|precision| {
        [(1, 1), (2, 1), (1, 4), (2, 4)].map(|(threads, images)| Run { precision, threads, images })
    });
    runs.collect()
}

fn cases() -> Vec<Case> {
    LAYERS.into_iter().flat_map(|layer| runs().into_iter().map(move |run| Case { layer, run })).collect()
}

/// A layer and all it reads and writes.
struct Work {
    convolution: Convolution,
    place: [isize; 2],
    dims: [Dims; 2],
    input: Vec<f32>,
    output: Vec<f32>,
    bits: Vec<u16>,
    flops: usize,
}

impl Work {
    fn new(Layer(_, [ins, outs], [size, stride], rows): Layer, run: Run) -> Self {
        let kernel: Vec<f32> = (0..outs * ins * size * size).map(|at| (at % 17) as f32 / 17.0 - 0.5).collect();
        let weights = Weights {
            kernel: &kernel,
            bias: None,
            channels: [outs, ins],
            groups: 1,
            window: Window { size: [size; 2], stride: [stride; 2], dilation: [1, 1] },
        };
        let dims = [(rows, ins), (rows.div_ceil(stride), outs)].map(|(h, c)| Dims { n: run.images, h, w: h, c });
        Self {
            convolution: Convolution::with_precision(weights, run.precision),
            place: [-((size / 2) as isize); 2],
            dims,
            input: (0..dims[0].len()).map(|at| (at % 13) as f32 / 13.0).collect(),
            output: vec![0.5; dims[1].len()],
            bits: vec![0x5a5a; words(dims[1])],
            flops: 2 * dims[1].pixels() * kernel.len(),
        }
    }

    fn forward(&mut self, cpu: Cpu) {
        let Self { convolution, place, dims: [from, to], input, output, bits, .. } = self;
        let passes = Some(PassesMut::new(bits, *to));
        let rectify = Rectify { rectifier: Rectifier::Relu, passes, at_corners: false };
        convolution.forward(cpu, Map::dense(input, *from), *place, MapMut::dense(output, *to), Some(rectify));
    }

    fn gradient(&mut self, cpu: Cpu) {
        let Self { convolution, place, dims: [to, from], input, output, bits, .. } = self;
        let (gradient, passes) = (Map::dense(output, *from), Some(Passes::new(bits, *from)));
        convolution.input_gradient(cpu, gradient, passes, *place, MapMut::dense(input, *to), false);
    }
}

fn bench(bencher: Bencher<'_, '_>, layers: &[Layer], run: Run, direction: impl Fn(&mut Work, Cpu) + Send + Sync) {
    let mut work: Vec<Work> = layers.iter().map(|layer| Work::new(*layer, run)).collect();
    let flops: usize = work.iter().map(|work| work.flops).sum();
    let threads = if run.threads == 1 { Threads::One } else { Threads::All };
    let cpu = Cpu { isa: Isa::best(), threads };
    let mut step = || work.iter_mut().for_each(|work| direction(work, cpu));
    let bencher = bencher.counter(ItemsCount::new(flops));
    // Weights are packed when they are first used.
    step();
    bencher.bench_local(step);
}

#[divan::bench(args = cases(), max_time = 0.2)]
fn forward(bencher: Bencher<'_, '_>, case: &Case) {
    bench(bencher, &[case.layer], case.run, Work::forward);
}

#[divan::bench(args = cases(), max_time = 0.2)]
fn input_gradient(bencher: Bencher<'_, '_>, case: &Case) {
    bench(bencher, &[case.layer], case.run, Work::gradient);
}

#[divan::bench(args = runs(), max_time = 1)]
fn googlenet_forward(bencher: Bencher<'_, '_>, run: &Run) {
    bench(bencher, &googlenet(), *run, Work::forward);
}

#[divan::bench(args = runs(), max_time = 1)]
fn googlenet_input_gradient(bencher: Bencher<'_, '_>, run: &Run) {
    bench(bencher, &googlenet(), *run, Work::gradient);
}
