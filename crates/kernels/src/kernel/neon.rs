//! NEON: 4 floats in each of 32 registers.

use std::arch::aarch64::*;

use super::simd::{Kernel, Simd};
use crate::isa::Neon;

/// All ones in each lane whose bit is 1.
#[inline(always)]
fn lanes(bits: u32) -> uint32x4_t {
    // SAFETY: as for all below, called only with a `Neon`, which exists only where the CPU has it.
    unsafe { vtstq_u32(vdupq_n_u32(bits), vld1q_u32([1, 2, 4, 8].as_ptr())) }
}

#[inline(always)]
fn bits(lanes: uint32x4_t) -> u32 {
    unsafe { vaddvq_u32(vandq_u32(lanes, vld1q_u32([1, 2, 4, 8].as_ptr()))) }
}

impl Simd for Neon {
    type Floats = float32x4_t;
    type Mask = uint32x4_t;

    const LANES: usize = 4;
    const REGISTERS: usize = 32;
    const FUSES: bool = true;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "neon")]
        fn inner<K: Kernel>(kernel: K, simd: Neon) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: a `Neon` exists only where the CPU has it.
        unsafe { inner(kernel, self) }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        unsafe { vdupq_n_f32(x) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> float32x4_t {
        // SAFETY: the caller's.
        unsafe { vld1q_f32(from) }
    }

    #[inline(always)]
    unsafe fn load_bits(self, from: *const f32, bits: u32) -> float32x4_t {
        let mut lanes = [0.0; 4];
        for (i, lane) in lanes.iter_mut().enumerate() {
            if bits >> i & 1 == 1 {
                // SAFETY: the caller's.
                *lane = unsafe { *from.add(i) };
            }
        }
        unsafe { vld1q_f32(lanes.as_ptr()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: float32x4_t) {
        // SAFETY: the caller's.
        unsafe { vst1q_f32(to, x) }
    }

    #[inline(always)]
    unsafe fn store_bits(self, to: *mut f32, x: float32x4_t, bits: u32) {
        let mut lanes = [0.0; 4];
        unsafe { vst1q_f32(lanes.as_mut_ptr(), x) };
        for (i, lane) in lanes.into_iter().enumerate() {
            if bits >> i & 1 == 1 {
                // SAFETY: the caller's.
                unsafe { *to.add(i) = lane };
            }
        }
    }

    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vsubq_f32(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vmulq_f32(a, b) }
    }

    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vdivq_f32(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        unsafe { vfmaq_f32(c, a, b) }
    }

    // The instruction answers no number if one operand is none.
    #[inline(always)]
    fn at_least(self, x: float32x4_t, least: float32x4_t) -> float32x4_t {
        unsafe { vmaxq_f32(x, least) }
    }

    #[inline(always)]
    fn at_most(self, x: float32x4_t, most: float32x4_t) -> float32x4_t {
        unsafe { vminq_f32(x, most) }
    }

    #[inline(always)]
    fn above(self, a: float32x4_t, b: float32x4_t) -> u32 {
        unsafe { bits(vcgtq_f32(a, b)) }
    }

    #[inline(always)]
    fn at_or_above(self, a: float32x4_t, b: float32x4_t) -> u32 {
        unsafe { bits(vcgeq_f32(a, b)) }
    }

    #[inline(always)]
    fn beats(self, x: float32x4_t, largest: float32x4_t) -> uint32x4_t {
        unsafe {
            let number = vceqq_f32(largest, largest);
            vbicq_u32(number, vcleq_f32(x, largest))
        }
    }

    #[inline(always)]
    unsafe fn bytes_equal(self, from: *const u8, byte: u8, bits: u32) -> uint32x4_t {
        // SAFETY: the caller's.
        let each = |lane| unsafe { if bits >> lane & 1 == 1 && *from.add(lane) == byte { u32::MAX } else { 0 } };
        let each: [u32; 4] = std::array::from_fn(each);
        unsafe { vld1q_u32(each.as_ptr()) }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, x: float32x4_t, bits: u32) {
        let mut each = [0; 4];
        unsafe { vst1q_u32(each.as_mut_ptr(), vcvtq_u32_f32(x)) };
        for (lane, x) in each.into_iter().enumerate() {
            if bits >> lane & 1 == 1 {
                // SAFETY: the caller's.
                unsafe { *to.add(lane) = x as u8 };
            }
        }
    }

    #[inline(always)]
    fn select(self, mask: uint32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vbslq_f32(mask, a, b) }
    }

    #[inline(always)]
    fn inverse_sqrt(self, x: float32x4_t) -> float32x4_t {
        unsafe { vdivq_f32(vdupq_n_f32(1.0), vsqrtq_f32(x)) }
    }

    #[inline(always)]
    fn keep(self, x: float32x4_t, bits: u32) -> float32x4_t {
        unsafe { vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(x), lanes(bits))) }
    }

    #[inline(always)]
    fn choose(self, bits: u32, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vbslq_f32(lanes(bits), a, b) }
    }
}
