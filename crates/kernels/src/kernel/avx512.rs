//! AVX-512: 16 floats in each of 32 registers.

use std::{arch::x86_64::*, mem::transmute};

use super::simd::{Kernel, Simd};
use crate::isa::{Avx512, Avx512Bf16};

impl Simd for Avx512 {
    type Floats = __m512;
    type Mask = __mmask16;

    const LANES: usize = 16;
    const REGISTERS: usize = 32;
    const FUSES: bool = true;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")]
        fn inner<K: Kernel>(kernel: K, simd: Avx512) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: an `Avx512` exists only where the CPU has it.
        unsafe { inner(kernel, self) }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: as for all below, an `Avx512` exists only where the CPU has it.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        // SAFETY: the caller's.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_bits(self, from: *const f32, bits: u32) -> __m512 {
        // SAFETY: the caller's.
        unsafe { _mm512_maskz_loadu_ps(bits as u16, from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: __m512) {
        // SAFETY: the caller's.
        unsafe { _mm512_storeu_ps(to, x) }
    }

    #[inline(always)]
    unsafe fn store_bits(self, to: *mut f32, x: __m512, bits: u32) {
        // SAFETY: the caller's.
        unsafe { _mm512_mask_storeu_ps(to, bits as u16, x) }
    }

    #[inline(always)]
    fn prefetch(self, from: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast()) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_div_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    // The instruction answers its second operand if one is no number.
    #[inline(always)]
    fn at_least(self, x: __m512, least: __m512) -> __m512 {
        unsafe { _mm512_max_ps(least, x) }
    }

    #[inline(always)]
    fn at_most(self, x: __m512, most: __m512) -> __m512 {
        unsafe { _mm512_min_ps(most, x) }
    }

    #[inline(always)]
    fn above(self, a: __m512, b: __m512) -> u32 {
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b).into() }
    }

    #[inline(always)]
    fn at_or_above(self, a: __m512, b: __m512) -> u32 {
        unsafe { _mm512_cmp_ps_mask::<_CMP_GE_OQ>(a, b).into() }
    }

    #[inline(always)]
    fn beats(self, x: __m512, largest: __m512) -> __mmask16 {
        unsafe {
            let number = _mm512_cmp_ps_mask::<_CMP_ORD_Q>(largest, largest);
            _mm512_mask_cmp_ps_mask::<_CMP_NLE_UQ>(number, x, largest)
        }
    }

    #[inline(always)]
    unsafe fn bytes_equal(self, from: *const u8, byte: u8, bits: u32) -> __mmask16 {
        // SAFETY: the caller's.
        unsafe {
            let bytes = _mm_maskz_loadu_epi8(bits as u16, from.cast());
            _mm_mask_cmpeq_epi8_mask(bits as u16, bytes, _mm_set1_epi8(byte as i8))
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, x: __m512, bits: u32) {
        // SAFETY: the caller's.
        unsafe { _mm512_mask_cvtepi32_storeu_epi8(to.cast(), bits as u16, _mm512_cvtps_epi32(x)) }
    }

    #[inline(always)]
    fn select(self, mask: __mmask16, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mask_blend_ps(mask, b, a) }
    }

    // An estimate of 14 bits and one step of Newton's method.
    #[inline(always)]
    fn inverse_sqrt(self, x: __m512) -> __m512 {
        unsafe {
            let y = _mm512_rsqrt14_ps(x);
            let half = _mm512_mul_ps(_mm512_mul_ps(x, _mm512_set1_ps(0.5)), y);
            _mm512_fmadd_ps(y, _mm512_fnmadd_ps(half, y, _mm512_set1_ps(0.5)), y)
        }
    }

    #[inline(always)]
    fn keep(self, x: __m512, bits: u32) -> __m512 {
        unsafe { _mm512_maskz_mov_ps(bits as u16, x) }
    }

    #[inline(always)]
    fn choose(self, bits: u32, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mask_blend_ps(bits as u16, b, a) }
    }
}

impl Avx512Bf16 {
    /// Rounds to the nearest bf16, to the even one of two that are equally near.
    ///
    /// # Safety
    /// `to` has room for 16.
    #[inline(always)]
    pub(super) unsafe fn store_rounded(self, to: *mut u16, x: __m512) {
        // SAFETY: the caller's, and an `Avx512Bf16` exists only where the CPU has it.
        unsafe { _mm256_storeu_si256(to.cast(), transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(x))) }
    }

    /// Adds to each sum the two products of a pair with its pair of weights.
    ///
    /// # Safety
    /// There are 16 pairs of weights.
    #[inline(always)]
    pub(super) unsafe fn add_products(self, sums: __m512, pair: u32, weights: *const u32) -> __m512 {
        // SAFETY: as above.
        unsafe {
            let pairs = transmute::<__m512i, __m512bh>(_mm512_set1_epi32(pair as i32));
            let weights = transmute::<__m512i, __m512bh>(_mm512_loadu_si512(weights.cast()));
            _mm512_dpbf16_ps(sums, pairs, weights)
        }
    }
}
