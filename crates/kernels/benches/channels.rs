//! What works on each channel by itself or across the channels of a pixel, at the sizes GoogLeNet has at 128 pixels.

use std::fmt;

use divan::{Bencher, counter::BytesCount};
use entoptic_kernels::{
    Convolution, Cpu, Dims, Isa, Map, MapMut, Passes, PassesMut, Place, Rectifier, Rectify, Threads, Weights, Window,
    arithmetic, norm, planes, pool, rectify, words,
};

fn main() {
    divan::main();
}

/// Something to measure, on one thread with one instruction set.
struct Case<T> {
    isa: Isa,
    of: T,
}

impl<T> Case<T> {
    fn cpu(&self) -> Cpu {
        Cpu { isa: self.isa, threads: Threads::One }
    }
}

impl<T: fmt::Display> fmt::Display for Case<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.of, self.isa)
    }
}

/// Each with all that this CPU has.
fn cases<T: Copy>(all: &[T]) -> Vec<Case<T>> {
    all.iter().flat_map(|&of| Isa::present().into_iter().map(move |isa| Case { isa, of })).collect()
}

/// A pool of 3×3 elements, over a square map.
#[derive(Clone, Copy)]
struct Pool {
    side: usize,
    channels: usize,
    stride: usize,
    place: isize,
}

impl Pool {
    fn dims(self) -> (Dims, Dims) {
        let square = |side| Dims { n: 1, h: side, w: side, c: self.channels };
        (square(self.side), square(self.side / self.stride))
    }

    fn window(self) -> (Window, Place) {
        (Window { size: [3; 2], stride: [self.stride; 2], dilation: [1; 2] }, [self.place; 2])
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{0}x{0}x{1} by {2}", self.side, self.channels, self.stride)
    }
}

fn pools() -> Vec<Case<Pool>> {
    cases(&[
        Pool { side: 64, channels: 64, stride: 2, place: 0 },
        Pool { side: 32, channels: 192, stride: 2, place: 0 },
        Pool { side: 16, channels: 192, stride: 1, place: -1 },
        Pool { side: 8, channels: 480, stride: 1, place: -1 },
    ])
}

/// Numbers that are not in order.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

#[divan::bench(args = pools())]
fn max_pool(bencher: Bencher, case: &Case<Pool>) {
    let ((from, to), (window, place)) = (case.of.dims(), case.of.window());
    let (input, mut output, mut winners) = (noise(from.len()), vec![0.0; to.len()], vec![0; to.len()]);
    bencher.counter(BytesCount::of_many::<f32>(from.len())).bench_local(|| {
        let (input, output) = (Map::dense(&input, from), MapMut::dense(&mut output, to));
        pool::max_pool(case.cpu(), window, place, input, output, Some(&mut winners));
    });
}

#[divan::bench(args = pools())]
fn max_pool_gradient(bencher: Bencher, case: &Case<Pool>) {
    let ((from, to), (window, place)) = (case.of.dims(), case.of.window());
    let (input, mut output, mut winners) = (noise(from.len()), vec![0.0; to.len()], vec![0; to.len()]);
    let (map, result) = (Map::dense(&input, from), MapMut::dense(&mut output, to));
    pool::max_pool(case.cpu(), window, place, map, result, Some(&mut winners));
    let mut gradient = vec![0.0; from.len()];
    bencher.counter(BytesCount::of_many::<f32>(from.len())).bench_local(|| {
        let (output, gradient) = (Map::dense(&output, to), MapMut::dense(&mut gradient, from));
        pool::max_pool_gradient(case.cpu(), window, place, &winners, output, gradient, false);
    });
}

/// The channels of the two normalized layers, which are squares of 32.
fn normalized() -> Vec<Case<usize>> {
    cases(&[64, 192])
}

fn local_response(case: &Case<usize>) -> (Dims, norm::LocalResponseNorm) {
    (Dims { n: 1, h: 32, w: 32, c: case.of }, norm::LocalResponseNorm { size: 5, alpha: 2e-5, beta: 0.75, k: 1.0 })
}

#[divan::bench(args = normalized())]
fn local_response_norm(bencher: Bencher, case: &Case<usize>) {
    let (dims, norm) = local_response(case);
    let (input, mut output) = (noise(dims.len()), vec![0.0; dims.len()]);
    bencher.counter(BytesCount::of_many::<f32>(dims.len())).bench_local(|| {
        norm::local_response_norm(case.cpu(), norm, Map::dense(&input, dims), MapMut::dense(&mut output, dims));
    });
}

#[divan::bench(args = normalized())]
fn local_response_norm_gradient(bencher: Bencher, case: &Case<usize>) {
    let (dims, norm) = local_response(case);
    let (input, mut output) = (noise(dims.len()), vec![0.0; dims.len()]);
    bencher.counter(BytesCount::of_many::<f32>(dims.len())).bench_local(|| {
        let (input, output) = (Map::dense(&input, dims), MapMut::dense(&mut output, dims));
        norm::local_response_norm_gradient(case.cpu(), norm, input, input, output, false);
    });
}

/// An image and a layer.
fn transposed() -> [Case<Shape>; 2] {
    let isa = Isa::best();
    [Shape { side: 128, channels: 3 }, Shape { side: 32, channels: 192 }].map(|of| Case { isa, of })
}

#[derive(Clone, Copy)]
struct Shape {
    side: usize,
    channels: usize,
}

impl Shape {
    fn dims(self) -> Dims {
        Dims { n: 1, h: self.side, w: self.side, c: self.channels }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{0}x{0}x{1}", self.side, self.channels)
    }
}

#[divan::bench(args = transposed())]
fn to_planes(bencher: Bencher, case: &Case<Shape>) {
    let dims = case.of.dims();
    let (map, mut planes) = (noise(dims.len()), vec![0.0; dims.len()]);
    bencher.counter(BytesCount::of_many::<f32>(dims.len())).bench_local(|| {
        planes::to_planes(case.cpu(), Map::dense(&map, dims), &mut planes, false);
    });
}

#[divan::bench(args = transposed())]
fn from_planes(bencher: Bencher, case: &Case<Shape>) {
    let dims = case.of.dims();
    let (planes, mut map) = (noise(dims.len()), vec![0.0; dims.len()]);
    bencher.counter(BytesCount::of_many::<f32>(dims.len())).bench_local(|| {
        planes::from_planes(case.cpu(), &planes, MapMut::dense(&mut map, dims), false);
    });
}

fn large() -> Vec<Case<Shape>> {
    cases(&[Shape { side: 32, channels: 192 }])
}

#[divan::bench(args = large())]
fn add(bencher: Bencher, case: &Case<Shape>) {
    let dims = case.of.dims();
    let (input, mut output) = (noise(dims.len()), noise(dims.len()));
    bencher.counter(BytesCount::of_many::<f32>(dims.len())).bench_local(|| {
        arithmetic::add(case.cpu(), Map::dense(&input, dims), MapMut::dense(&mut output, dims));
    });
}

#[divan::bench(args = large())]
fn rectify(bencher: Bencher, case: &Case<Shape>) {
    let dims = case.of.dims();
    let (input, mut output, mut bits) = (noise(dims.len()), vec![0.0; dims.len()], vec![0; words(dims)]);
    bencher.counter(BytesCount::of_many::<f32>(dims.len())).bench_local(|| {
        let passes = Some(PassesMut::new(&mut bits, dims));
        let how = Rectify { rectifier: Rectifier::Relu, passes, at_corners: false };
        rectify::rectify(case.cpu(), Map::dense(&input, dims), MapMut::dense(&mut output, dims), how, None);
    });
}

#[divan::bench(args = large())]
fn block(bencher: Bencher, case: &Case<Shape>) {
    let dims = case.of.dims();
    let (mut gradient, bits) = (noise(dims.len()), vec![0x5a5a; words(dims)]);
    bencher.counter(BytesCount::of_many::<f32>(dims.len())).bench_local(|| {
        rectify::block(case.cpu(), MapMut::dense(&mut gradient, dims), Passes::new(&bits, dims));
    });
}

// All are blocked, so every gradient is looked at.
#[divan::bench(args = large())]
fn redirect(bencher: Bencher, case: &Case<Shape>) {
    let dims = case.of.dims();
    let (gradient, mut bits) = (noise(dims.len()), vec![0; words(dims)]);
    bencher.counter(BytesCount::of_many::<f32>(dims.len())).bench_local(|| {
        bits.fill(0);
        rectify::redirect(case.cpu(), Map::dense(&gradient, dims), PassesMut::new(&mut bits, dims), None);
    });
}

/// Some of MobileNetV2's.
fn depthwises() -> Vec<Case<Pool>> {
    cases(&[
        Pool { side: 64, channels: 32, stride: 1, place: -1 },
        Pool { side: 64, channels: 96, stride: 2, place: -1 },
        Pool { side: 16, channels: 192, stride: 1, place: -1 },
        Pool { side: 4, channels: 960, stride: 1, place: -1 },
    ])
}

fn depthwise(of: Pool) -> Convolution {
    let (window, channels) = (of.window().0, of.channels);
    let kernel = noise(channels * window.area());
    Convolution::new(Weights { kernel: &kernel, bias: None, channels: [channels; 2], groups: channels, window })
}

#[divan::bench(args = depthwises())]
fn depthwise_convolution(bencher: Bencher, case: &Case<Pool>) {
    let ((from, to), (_, place)) = (case.of.dims(), case.of.window());
    let (convolution, input, mut output) = (depthwise(case.of), noise(from.len()), vec![0.0; to.len()]);
    bencher.counter(BytesCount::of_many::<f32>(from.len())).bench_local(|| {
        convolution.forward(case.cpu(), Map::dense(&input, from), place, MapMut::dense(&mut output, to), None);
    });
}

#[divan::bench(args = depthwises())]
fn depthwise_gradient(bencher: Bencher, case: &Case<Pool>) {
    let ((from, to), (_, place)) = (case.of.dims(), case.of.window());
    let (convolution, output, mut input) = (depthwise(case.of), noise(to.len()), vec![0.0; from.len()]);
    bencher.counter(BytesCount::of_many::<f32>(from.len())).bench_local(|| {
        let (output, input) = (Map::dense(&output, to), MapMut::dense(&mut input, from));
        convolution.input_gradient(case.cpu(), output, None, place, input, false);
    });
}
