//! How long do the parts of attention take? Those of a transformer's layer with 197 tokens, on one thread.

use divan::Bencher;
use entoptic_kernels::{Cpu, Dims, Isa, Map, MapMut, Threads, attention};

fn main() {
    divan::main();
}

const TOKENS: usize = 197;

/// Channels and heads of ViT-Tiny and ViT-Base.
const SIZES: [(usize, usize); 2] = [(192, 3), (768, 12)];

fn alone() -> Cpu {
    Cpu { isa: Isa::best(), threads: Threads::One }
}

fn floats(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i * 7919 % 997) as f32 / 498.5 - 1.0).collect()
}

fn dims(heads: usize, channels: usize) -> (Dims, Dims) {
    let weights = Dims { n: 1, h: TOKENS, w: TOKENS, c: heads };
    (weights, Dims { n: 1, h: TOKENS, w: 1, c: channels })
}

#[divan::bench(args = SIZES)]
fn inner_products(bencher: Bencher, (channels, heads): (usize, usize)) {
    let (weights, tokens) = dims(heads, channels);
    let (a, b, mut output) = (floats(tokens.len()), floats(tokens.len()), floats(weights.len()));
    bencher.bench_local(|| {
        let (a, b) = (Map::dense(&a, tokens), Map::dense(&b, tokens));
        attention::inner_products(alone(), 0.1, a, b, MapMut::dense(&mut output, weights), false);
    });
}

#[divan::bench(args = SIZES)]
fn weighted_sums(bencher: Bencher, (channels, heads): (usize, usize)) {
    let (weights, tokens) = dims(heads, channels);
    let (pairs, b, mut output) = (floats(weights.len()), floats(tokens.len()), floats(tokens.len()));
    bencher.bench_local(|| {
        let (pairs, b) = (Map::dense(&pairs, weights), Map::dense(&b, tokens));
        attention::weighted_sums(alone(), 1.0, pairs, b, MapMut::dense(&mut output, tokens), false);
    });
}

#[divan::bench(args = SIZES)]
fn row_softmax(bencher: Bencher, (channels, heads): (usize, usize)) {
    let (weights, _) = dims(heads, channels);
    let (input, mut output) = (floats(weights.len()), floats(weights.len()));
    bencher.bench_local(|| {
        attention::row_softmax(alone(), Map::dense(&input, weights), MapMut::dense(&mut output, weights));
    });
}
