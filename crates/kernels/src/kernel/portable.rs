//! Code that any CPU runs: vectors are arrays, and the compiler makes of them what it can.

use super::simd::{Kernel, Simd};
use crate::isa::Portable;

/// As many as SSE2 and NEON, the least that 64-bit CPUs have, hold in a register.
const LANES: usize = 4;

#[inline(always)]
fn each(f: impl Fn(usize) -> f32) -> [f32; LANES] {
    std::array::from_fn(f)
}

#[inline(always)]
fn is_set(bits: u32, lane: usize) -> bool {
    bits >> lane & 1 == 1
}

#[inline(always)]
fn where_(f: impl Fn(usize) -> bool) -> u32 {
    (0..LANES).fold(0, |bits, lane| bits | u32::from(f(lane)) << lane)
}

/// All ones or all zeros: as bits of the floats, they choose without branches.
#[inline(always)]
fn mask(f: impl Fn(usize) -> bool) -> [u32; LANES] {
    std::array::from_fn(|lane| u32::from(f(lane)).wrapping_neg())
}

impl Simd for Portable {
    type Floats = [f32; LANES];
    type Mask = [u32; LANES];

    const LANES: usize = LANES;
    const REGISTERS: usize = 16;
    const FUSES: bool = false;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn splat(self, x: f32) -> [f32; LANES] {
        [x; LANES]
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> [f32; LANES] {
        // SAFETY: the caller's.
        each(|lane| unsafe { *from.add(lane) })
    }

    #[inline(always)]
    unsafe fn load_bits(self, from: *const f32, bits: u32) -> [f32; LANES] {
        // SAFETY: the caller's.
        each(|lane| if is_set(bits, lane) { unsafe { *from.add(lane) } } else { 0.0 })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: [f32; LANES]) {
        for (lane, x) in x.into_iter().enumerate() {
            // SAFETY: the caller's.
            unsafe { *to.add(lane) = x };
        }
    }

    #[inline(always)]
    unsafe fn store_bits(self, to: *mut f32, x: [f32; LANES], bits: u32) {
        for (lane, x) in x.into_iter().enumerate() {
            if is_set(bits, lane) {
                // SAFETY: the caller's.
                unsafe { *to.add(lane) = x };
            }
        }
    }

    #[inline(always)]
    fn add(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn sub(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|lane| a[lane] - b[lane])
    }

    #[inline(always)]
    fn mul(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|lane| a[lane] * b[lane])
    }

    #[inline(always)]
    fn div(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|lane| a[lane] / b[lane])
    }

    // Rounded twice: without an instruction for it, rounding once takes a hundred times as long.
    #[inline(always)]
    fn mul_add(self, a: [f32; LANES], b: [f32; LANES], c: [f32; LANES]) -> [f32; LANES] {
        each(|lane| a[lane] * b[lane] + c[lane])
    }

    #[inline(always)]
    fn at_least(self, x: [f32; LANES], least: [f32; LANES]) -> [f32; LANES] {
        each(|lane| if x[lane] < least[lane] { least[lane] } else { x[lane] })
    }

    #[inline(always)]
    fn at_most(self, x: [f32; LANES], most: [f32; LANES]) -> [f32; LANES] {
        each(|lane| if x[lane] > most[lane] { most[lane] } else { x[lane] })
    }

    #[inline(always)]
    fn above(self, a: [f32; LANES], b: [f32; LANES]) -> u32 {
        where_(|lane| a[lane] > b[lane])
    }

    #[inline(always)]
    fn at_or_above(self, a: [f32; LANES], b: [f32; LANES]) -> u32 {
        where_(|lane| a[lane] >= b[lane])
    }

    #[inline(always)]
    fn beats(self, x: [f32; LANES], largest: [f32; LANES]) -> [u32; LANES] {
        mask(|lane| (x[lane] > largest[lane]) | (x[lane].is_nan() & !largest[lane].is_nan()))
    }

    #[inline(always)]
    unsafe fn bytes_equal(self, from: *const u8, byte: u8, bits: u32) -> [u32; LANES] {
        // SAFETY: the caller's.
        mask(|lane| is_set(bits, lane) && unsafe { *from.add(lane) } == byte)
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, x: [f32; LANES], bits: u32) {
        for (lane, x) in x.into_iter().enumerate() {
            if is_set(bits, lane) {
                // SAFETY: the caller's.
                unsafe { *to.add(lane) = x as u8 };
            }
        }
    }

    #[inline(always)]
    fn select(self, mask: [u32; LANES], a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|lane| f32::from_bits(a[lane].to_bits() & mask[lane] | b[lane].to_bits() & !mask[lane]))
    }

    #[inline(always)]
    fn inverse_sqrt(self, x: [f32; LANES]) -> [f32; LANES] {
        each(|lane| 1.0 / x[lane].sqrt())
    }

    #[inline(always)]
    fn keep(self, x: [f32; LANES], bits: u32) -> [f32; LANES] {
        self.select(mask(|lane| is_set(bits, lane)), x, [0.0; LANES])
    }

    #[inline(always)]
    fn choose(self, bits: u32, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        self.select(mask(|lane| is_set(bits, lane)), a, b)
    }
}
