//! Convolutions and their gradients against the plain loops of `reference`.
//!
//! Most numbers here are small multiples of a half, whose products and sums are exact in whatever order: results must be
//! equal bit for bit, also at a rectifier's corners.

use std::{
    io::{self, Write},
    sync::{LazyLock, Once},
};

use entoptic_kernels::{
    Algorithm, Amx, Avx512Bf16, Bf16, Convolution, Cpu, Dims, Isa, Map, MapMut, Passes, PassesMut, Place, Precision,
    Rectifier, Rectify, Threads, Weights, Window, reference, words,
};
use proptest::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// More threads than cores, and an odd number.
static POOL: LazyLock<ThreadPool> = LazyLock::new(|| ThreadPoolBuilder::new().num_threads(5).build().unwrap());

/// A linear congruential generator, with the constants of Knuth's MMIX.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// Halves, from -2 to 2.
    fn halves(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| (self.next() % 9) as f32 / 2.0 - 2.0).collect()
    }

    /// Any number from -1 to 1.
    fn reals(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next() as f32 / 2.0_f32.powi(31) - 1.0).collect()
    }

    fn words(&mut self, dims: Dims) -> Vec<u16> {
        let mut words = vec![0; words(dims)];
        let mut passes = PassesMut::new(&mut words, dims);
        for pixel in 0..dims.pixels() {
            (0..dims.c).for_each(|c| passes.set(pixel, c, self.next().is_multiple_of(2)));
        }
        words
    }
}

#[derive(Debug, Clone)]
struct Case {
    channels: [usize; 2],
    groups: usize,
    window: Window,
    place: Place,
    images: usize,
    input: [usize; 2],
    output: [usize; 2],
    /// How many floats lie between the pixels of input and output.
    gaps: [usize; 2],
    rectifier: Option<(Rectifier, bool)>,
    passes: bool,
    add: bool,
    bias: bool,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    let channels = prop_oneof![
        (pair(1..70), Just(1)),
        ([1..70usize, 1..9], Just(1)),
        (pair(1..5), 1usize..5).prop_map(|(sixteens, groups)| (sixteens.map(|c| 16 * c * groups), groups)),
        (pair(1..5), 2usize..20).prop_map(|(few, groups)| (few.map(|c| c * groups), groups)),
    ];
    let window =
        (pair(1..5), pair(1..4), pair(1..4)).prop_map(|(size, stride, dilation)| Window { size, stride, dilation });
    let square = prop_oneof![Just((Window { size: [1, 1], stride: [1, 1], dilation: [1, 1] }, [0, 0]))];
    let windows = prop_oneof![3 => (window, [-5isize..4, -5isize..4]), 1 => square];
    let sizes = prop_oneof![(pair(1..14), pair(1..14)), pair(1..20).prop_map(|same| (same, same))];
    let rectifier = prop::option::of((prop_oneof![Just(Rectifier::Relu), Just(Rectifier::Relu6)], any::<bool>()));
    let gap = || prop_oneof![Just(0usize), 1..20usize];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    ((channels, windows, 1usize..4, sizes), ([gap(), gap()], rectifier, flags, any::<u64>())).prop_map(
        |(
            ((channels, groups), (window, place), images, (input, output)),
            (gaps, rectifier, (passes, add, bias), seed),
        )| {
            Case { channels, groups, window, place, images, input, output, gaps, rectifier, passes, add, bias, seed }
        },
    )
}

/// What runs a case.
#[derive(Clone, Copy)]
enum By {
    PlainLoops,
    Kernel(Cpu),
}

/// The numbers of a case.
struct Numbers {
    kernel: Vec<f32>,
    bias: Option<Vec<f32>>,
    /// With the gaps between pixels.
    input: Vec<f32>,
    output: Vec<f32>,
    gate: Vec<u16>,
}

impl Case {
    /// Of input and output.
    fn dims(&self) -> [Dims; 2] {
        let [outs, ins] = self.channels;
        let dims = |[h, w]: [usize; 2], c| Dims { n: self.images, h, w, c };
        [dims(self.input, ins), dims(self.output, outs)]
    }

    fn numbers(&self, mut some: impl FnMut(usize) -> Vec<f32>) -> Numbers {
        let [outs, ins] = self.channels;
        let [input, output] = self.dims();
        Numbers {
            kernel: some(outs * ins / self.groups * self.window.area()),
            bias: self.bias.then(|| some(outs)),
            input: some(input.pixels() * (ins + self.gaps[0])),
            output: some(output.pixels() * (outs + self.gaps[1])),
            gate: Chance(self.seed).words(output),
        }
    }

    fn weights<'a>(&self, numbers: &'a Numbers) -> Weights<'a> {
        let Numbers { kernel, bias, .. } = numbers;
        let Self { channels, groups, window, .. } = *self;
        Weights { kernel, bias: bias.as_deref(), channels, groups, window }
    }

    /// All there is in memory after the convolution, gaps too, and the rectifier's bits.
    fn forward(&self, by: By, convolution: &Convolution, numbers: &Numbers) -> (Vec<f32>, Vec<u16>) {
        let [from, to] = self.dims();
        let (mut values, mut bits) = (numbers.output.clone(), vec![0; words(to)]);
        let rectify = self.rectifier.map(|(rectifier, at_corners)| Rectify {
            rectifier,
            passes: self.passes.then(|| PassesMut::new(&mut bits, to)),
            at_corners,
        });
        let input = Map::new(&numbers.input, from, from.c + self.gaps[0]);
        let output = MapMut::new(&mut values, to, to.c + self.gaps[1]);
        match by {
            By::PlainLoops => reference::convolution(self.weights(numbers), input, self.place, output, rectify),
            By::Kernel(cpu) => POOL.install(|| convolution.forward(cpu, input, self.place, output, rectify)),
        }
        (values, bits)
    }

    /// All there is in memory after the gradient, gaps too.
    fn input_gradient(&self, by: By, convolution: &Convolution, numbers: &Numbers) -> Vec<f32> {
        let [to, from] = self.dims();
        let mut values = numbers.input.clone();
        let gradient = Map::new(&numbers.output, from, from.c + self.gaps[1]);
        let passes = self.passes.then(|| Passes::new(&numbers.gate, from));
        let (place, add) = (self.place, self.add);
        let input = MapMut::new(&mut values, to, to.c + self.gaps[0]);
        match by {
            By::PlainLoops => {
                reference::convolution_gradient(self.weights(numbers), gradient, passes, place, input, add);
            }
            By::Kernel(cpu) => {
                POOL.install(|| convolution.input_gradient(cpu, gradient, passes, place, input, add));
            }
        }
        values
    }

    /// Holds the kernels against the plain loops, on one thread and on many.
    fn check(&self, isa: Isa, precision: Precision) {
        let mut chance = Chance(self.seed);
        let numbers = self.numbers(|count| chance.halves(count));
        let convolution =
            Convolution::with_precision(self.weights(&numbers), precision).with_algorithm(Algorithm::Direct);
        let expected = self.forward(By::PlainLoops, &convolution, &numbers);
        let expected_gradient = self.input_gradient(By::PlainLoops, &convolution, &numbers);
        for threads in [Threads::One, Threads::All] {
            let by = By::Kernel(Cpu { isa, threads });
            let (values, bits) = self.forward(by, &convolution, &numbers);
            same("output", &expected.0, &values);
            assert_eq!(expected.1, bits, "bits");
            same("gradient", &expected_gradient, &self.input_gradient(by, &convolution, &numbers));
        }
    }
}

#[track_caller]
fn same(what: &str, expected: &[f32], got: &[f32]) {
    if let Some(at) = (0..expected.len()).find(|&at| expected[at] != got[at]) {
        panic!("{what}: float {at} is {} rather than {}", got[at], expected[at]);
    }
}

/// Everything there is to test; says once what this CPU lacks.
fn each(test: impl Fn(Isa, Precision)) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let mut absent = Isa::absent();
        absent.extend(Amx::detect().is_none().then_some("AMX"));
        absent.extend(Avx512Bf16::detect().is_none().then_some("AVX-512 with bf16"));
        // Written past the test runner, which swallows what is printed.
        let skipped = format!("skipped, as this CPU has none: {}\n", absent.join(", "));
        io::stderr().write_all(skipped.as_bytes()).expect("stderr can be written");
    });
    Isa::present().into_iter().for_each(|isa| test(isa, Precision::F32));
    Bf16::present().into_iter().for_each(|bf16| test(Isa::best(), Precision::Bf16(bf16)));
}

#[test]
fn convolutions_and_their_gradients_are_those_of_the_plain_loops() {
    each(|isa, precision| {
        proptest!(ProptestConfig::with_cases(400), |(case in cases())| case.check(isa, precision));
    });
}

/// A convolution without padding or stride, as a start for others.
fn case(channels: [usize; 2], size: usize, stride: usize, input: [usize; 2]) -> Case {
    let half = size / 2;
    Case {
        channels,
        groups: 1,
        window: Window { size: [size; 2], stride: [stride; 2], dilation: [1, 1] },
        place: [-(half as isize); 2],
        images: 1,
        input,
        output: input.map(|side| side.div_ceil(stride)),
        gaps: [0, 0],
        rectifier: Some((Rectifier::Relu, false)),
        passes: true,
        add: false,
        bias: true,
        seed: 3,
    }
}

#[test]
fn layers_of_real_networks_are_those_of_the_plain_loops() {
    each(|isa, precision| {
        // GoogLeNet's stem: enough rows for several bands.
        case([64, 3], 7, 2, [70, 61]).check(isa, precision);
        // Weights deeper than a panel, and more than one stripe of them.
        case([208, 96], 3, 1, [8, 8]).check(isa, precision);
        case([128, 832], 1, 1, [4, 4]).check(isa, precision);
        // The classifier.
        case([1000, 1024], 1, 1, [1, 1]).check(isa, precision);
    });
}

#[test]
fn rows_whole_pages_apart_are_those_of_the_plain_loops() {
    each(|isa, precision| case([40, 1024], 1, 1, [5, 4]).check(isa, precision));
}

#[test]
fn real_numbers_are_rounded_as_floats_are() {
    each(|isa, precision| {
        let case = Case { rectifier: None, ..case([70, 67], 3, 1, [9, 11]) };
        let mut chance = Chance(case.seed);
        let numbers = case.numbers(|count| chance.reals(count));
        let convolution =
            Convolution::with_precision(case.weights(&numbers), precision).with_algorithm(Algorithm::Direct);
        let tolerance = if precision == Precision::F32 { 1e-5 } else { 1e-2 };
        let by = By::Kernel(Cpu { isa, threads: Threads::One });
        let close = |expected: &[f32], got: &[f32]| {
            let largest = expected.iter().fold(0.0, |largest: f32, x| largest.max(x.abs()));
            let error = expected.iter().zip(got).fold(0.0, |most: f32, (x, y)| most.max((x - y).abs()));
            assert!(error <= tolerance * largest, "{error} of {largest}");
        };
        let (expected, got) = [By::PlainLoops, by].map(|by| case.forward(by, &convolution, &numbers).0).into();
        close(&expected, &got);
        let (expected, got) = [By::PlainLoops, by].map(|by| case.input_gradient(by, &convolution, &numbers)).into();
        close(&expected, &got);
    });
}

#[test]
fn results_depend_neither_on_threads_nor_on_other_images() {
    each(|isa, precision| {
        for channels in [[70, 67], [40, 3]] {
            let three = Case { images: 3, ..case(channels, 3, 2, [35, 13]) };
            let one = Case { images: 1, ..three.clone() };
            let mut chance = Chance(three.seed);
            let numbers = three.numbers(|count| chance.reals(count));
            let convolution =
                Convolution::with_precision(three.weights(&numbers), precision).with_algorithm(Algorithm::Direct);
            let alone = By::Kernel(Cpu { isa, threads: Threads::One });
            let all = By::Kernel(Cpu { isa, threads: Threads::All });
            let (output, bits) = three.forward(all, &convolution, &numbers);
            let gradient = three.input_gradient(all, &convolution, &numbers);
            for image in 0..3 {
                fn part<T: Clone>(all: &[T], image: usize) -> Vec<T> {
                    let len = all.len() / 3;
                    all[image * len..][..len].to_vec()
                }
                let numbers = Numbers {
                    kernel: numbers.kernel.clone(),
                    bias: numbers.bias.clone(),
                    input: part(&numbers.input, image),
                    output: part(&numbers.output, image),
                    gate: part(&numbers.gate, image),
                };
                let expected = (part(&output, image), part(&bits, image));
                assert_eq!(one.forward(alone, &convolution, &numbers), expected);
                assert_eq!(one.input_gradient(alone, &convolution, &numbers), part(&gradient, image));
            }
        }
    });
}

#[test]
fn what_is_no_number_stays_none_and_its_gradient_is_blocked() {
    each(|isa, precision| {
        let mut output = vec![0.0; 16];
        let dims = |c| Dims { n: 1, h: 1, w: 1, c };
        let mut bits = vec![0; 1];
        let weights = Weights {
            kernel: &[1.0; 16],
            bias: None,
            channels: [16, 1],
            groups: 1,
            window: Window { size: [1, 1], stride: [1, 1], dilation: [1, 1] },
        };
        let rectify =
            Rectify { rectifier: Rectifier::Relu, passes: Some(PassesMut::new(&mut bits, dims(16))), at_corners: true };
        let cpu = Cpu { isa, threads: Threads::One };
        let input = Map::dense(&[f32::NAN], dims(1));
        let to = MapMut::dense(&mut output, dims(16));
        Convolution::with_precision(weights, precision).forward(cpu, input, [0, 0], to, Some(rectify));
        assert!(output.iter().all(|x| x.is_nan()) && bits == [0]);
    });
}
