//! Convolutions and their gradients against the plain loops of `reference`.

use entoptic_kernels::{
    Convolution, Cpu, Dims, Isa, Map, MapMut, Passes, PassesMut, Rectifier, Rectify, Threads, Weights, Window,
    reference, words,
};
use proptest::prelude::*;

/// Numbers around zero, by chance.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }

    fn words(&mut self, dims: Dims) -> Vec<u16> {
        let mut words = vec![0; words(dims)];
        let mut passes = PassesMut::new(&mut words, dims);
        for pixel in 0..dims.pixels() {
            (0..dims.c).for_each(|c| passes.set(pixel, c, self.next() > 0.0));
        }
        words
    }
}

#[derive(Debug, Clone)]
struct Case {
    channels: [usize; 2],
    groups: usize,
    window: Window,
    place: [isize; 2],
    images: usize,
    input: [usize; 2],
    output: [usize; 2],
    /// How many floats the pixels of input and output are farther apart than they have channels.
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
        (pair(1..5), 2usize..6).prop_map(|([outs, ins], groups)| ([outs * groups, ins * groups], groups)),
    ];
    let window =
        (pair(1..5), pair(1..4), pair(1..3)).prop_map(|(size, stride, dilation)| Window { size, stride, dilation });
    let rectifier = prop::option::of((prop_oneof![Just(Rectifier::Relu), Just(Rectifier::Relu6)], any::<bool>()));
    (
        (channels, window, [-5isize..4, -5isize..4], 1usize..4, pair(1..14), pair(1..14)),
        (pair(0..5), rectifier, any::<bool>(), any::<bool>(), any::<bool>(), any::<u64>()),
    )
        .prop_map(
            |(
                ((channels, groups), window, place, images, input, output),
                (gaps, rectifier, passes, add, bias, seed),
            )| {
                Case {
                    channels,
                    groups,
                    window,
                    place,
                    images,
                    input,
                    output,
                    gaps,
                    rectifier,
                    passes,
                    add,
                    bias,
                    seed,
                }
            },
        )
}

impl Case {
    fn dims(&self) -> [Dims; 2] {
        let [outs, ins] = self.channels;
        let dims = |[h, w]: [usize; 2], c| Dims { n: self.images, h, w, c };
        [dims(self.input, ins), dims(self.output, outs)]
    }

    /// What is in memory after the kernel and after the plain loops; everything else they write besides.
    fn check(&self, isa: Isa) {
        let mut chance = Chance(self.seed);
        let [outs, ins] = self.channels;
        let kernel = chance.floats(outs * ins / self.groups * self.window.area());
        let bias = self.bias.then(|| chance.floats(outs));
        let weights = Weights {
            kernel: &kernel,
            bias: bias.as_deref(),
            channels: self.channels,
            groups: self.groups,
            window: self.window,
        };
        let convolution = Convolution::new(weights);
        let [input_dims, output_dims] = self.dims();
        let pitches = [input_dims.c + self.gaps[0], output_dims.c + self.gaps[1]];
        let inputs = chance.floats(input_dims.pixels() * pitches[0]);
        let outputs = chance.floats(output_dims.pixels() * pitches[1]);
        let gate = chance.words(output_dims);
        let scale = (kernel.len() as f32).sqrt() * 1e-5 + 1e-5;

        let mut results = Vec::new();
        for threads in [None, Some(Threads::One), Some(Threads::All)] {
            let (mut values, mut bits) = (outputs.clone(), vec![0; words(output_dims)]);
            let rectify = self.rectifier.map(|(rectifier, at_corners)| Rectify {
                rectifier,
                passes: self.passes.then(|| PassesMut::new(&mut bits, output_dims)),
                at_corners,
            });
            let input = Map::new(&inputs, input_dims, pitches[0]);
            let output = MapMut::new(&mut values, output_dims, pitches[1]);
            match threads {
                None => reference::convolution(weights, input, self.place, output, rectify),
                Some(threads) => convolution.forward(Cpu { isa, threads }, input, self.place, output, rectify),
            }
            results.push((values, bits));
        }
        let [(expected, _), (one, one_bits), (all, all_bits)] = &results[..] else { unreachable!() };
        assert_eq!((one, one_bits), (all, all_bits), "one thread and all differ");
        close(expected, one, scale);
        // Bits agree with the values: the plain loops round otherwise.
        if let (Some((rectifier, at_corners)), true) = (self.rectifier, self.passes) {
            let corners = |x: f32| x == 0.0 || rectifier == Rectifier::Relu6 && x == 6.0;
            let got = Passes::new(one_bits, output_dims);
            let reference = Passes::new(&results[0].1, output_dims);
            for pixel in 0..output_dims.pixels() {
                for c in 0..output_dims.c {
                    let x = one[pixel * pitches[1] + c];
                    let expected = if corners(x) { reference.get(pixel, c) } else { rectifier.passes(x, at_corners) };
                    assert_eq!(got.get(pixel, c), expected, "pixel {pixel}, channel {c}: {x}");
                }
            }
        }

        let mut results = Vec::new();
        for threads in [None, Some(Threads::One), Some(Threads::All)] {
            let mut values = inputs.clone();
            let gradient = Map::new(&outputs, output_dims, pitches[1]);
            let passes = self.passes.then(|| Passes::new(&gate, output_dims));
            let to = MapMut::new(&mut values, input_dims, pitches[0]);
            match threads {
                None => reference::convolution_gradient(weights, gradient, passes, self.place, to, self.add),
                Some(threads) => {
                    convolution.input_gradient(Cpu { isa, threads }, gradient, passes, self.place, to, self.add);
                }
            }
            results.push(values);
        }
        assert_eq!(results[1], results[2], "one thread and all differ");
        close(&results[0], &results[1], scale);
    }
}

fn close(expected: &[f32], got: &[f32], tolerance: f32) {
    for (at, (expected, got)) in expected.iter().zip(got).enumerate() {
        assert!((expected - got).abs() <= tolerance, "float {at}: {got} rather than {expected}");
    }
}

#[test]
fn convolutions_and_their_gradients_are_those_of_the_plain_loops() {
    println!("skipped: {:?}", Isa::absent());
    for isa in Isa::present() {
        println!("{isa}");
        proptest!(ProptestConfig::with_cases(300), |(case in cases())| case.check(isa));
    }
}
