//! AVX2: 8 floats in each of 16 registers.

use std::arch::x86_64::*;

use super::simd::{Kernel, Simd};
use crate::isa::Avx2;

/// All ones in each lane whose bit is 1.
#[inline(always)]
fn lanes(bits: u32) -> __m256i {
    // SAFETY: as for all below, called only with an `Avx2`, which exists only where the CPU has it.
    unsafe {
        let each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(bits as i32), each), each)
    }
}

impl Simd for Avx2 {
    type Floats = __m256;
    type Mask = __m256;

    const LANES: usize = 8;
    const REGISTERS: usize = 16;
    const FUSES: bool = true;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma,f16c")]
        fn inner<K: Kernel>(kernel: K, simd: Avx2) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: an `Avx2` exists only where the CPU has it.
        unsafe { inner(kernel, self) }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m256 {
        // SAFETY: the caller's.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_bits(self, from: *const f32, bits: u32) -> __m256 {
        // SAFETY: the caller's.
        unsafe { _mm256_maskload_ps(from, lanes(bits)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: __m256) {
        // SAFETY: the caller's.
        unsafe { _mm256_storeu_ps(to, x) }
    }

    #[inline(always)]
    unsafe fn store_bits(self, to: *mut f32, x: __m256, bits: u32) {
        // SAFETY: the caller's.
        unsafe { _mm256_maskstore_ps(to, lanes(bits), x) }
    }

    #[inline(always)]
    fn prefetch(self, from: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast()) }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_div_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    // The instruction answers its second operand if one is no number.
    #[inline(always)]
    fn at_least(self, x: __m256, least: __m256) -> __m256 {
        unsafe { _mm256_max_ps(least, x) }
    }

    #[inline(always)]
    fn at_most(self, x: __m256, most: __m256) -> __m256 {
        unsafe { _mm256_min_ps(most, x) }
    }

    #[inline(always)]
    fn above(self, a: __m256, b: __m256) -> u32 {
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a, b)) as u32 }
    }

    #[inline(always)]
    fn at_or_above(self, a: __m256, b: __m256) -> u32 {
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(a, b)) as u32 }
    }

    #[inline(always)]
    fn beats(self, x: __m256, largest: __m256) -> __m256 {
        unsafe {
            let number = _mm256_cmp_ps::<_CMP_ORD_Q>(largest, largest);
            _mm256_and_ps(number, _mm256_cmp_ps::<_CMP_NLE_UQ>(x, largest))
        }
    }

    #[inline(always)]
    unsafe fn bytes_equal(self, from: *const u8, byte: u8, bits: u32) -> __m256 {
        // SAFETY: the caller's; the array has 8 bytes.
        unsafe {
            let equal = |bytes| _mm256_cvtepi8_epi32(_mm_cmpeq_epi8(_mm_loadl_epi64(bytes), _mm_set1_epi8(byte as i8)));
            if bits & 0xff == 0xff {
                return _mm256_castsi256_ps(equal(from.cast()));
            }
            let bytes: [u8; 8] = std::array::from_fn(|lane| if bits >> lane & 1 == 1 { *from.add(lane) } else { 0 });
            _mm256_castsi256_ps(_mm256_and_si256(equal(bytes.as_ptr().cast()), lanes(bits)))
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, x: __m256, bits: u32) {
        // SAFETY: the caller's; the array has 8 bytes.
        unsafe {
            let words = _mm256_cvtps_epi32(x);
            let halves = _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            let bytes = _mm_packus_epi16(halves, halves);
            if bits & 0xff == 0xff {
                return _mm_storel_epi64(to.cast(), bytes);
            }
            let mut each = [0; 8];
            _mm_storel_epi64(each.as_mut_ptr().cast(), bytes);
            for (lane, byte) in each.into_iter().enumerate() {
                if bits >> lane & 1 == 1 {
                    *to.add(lane) = byte;
                }
            }
        }
    }

    #[inline(always)]
    fn select(self, mask: __m256, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_blendv_ps(b, a, mask) }
    }

    // An estimate of 12 bits and one step of Newton's method.
    #[inline(always)]
    fn inverse_sqrt(self, x: __m256) -> __m256 {
        unsafe {
            let y = _mm256_rsqrt_ps(x);
            let half = _mm256_mul_ps(_mm256_mul_ps(x, _mm256_set1_ps(0.5)), y);
            _mm256_fmadd_ps(y, _mm256_fnmadd_ps(half, y, _mm256_set1_ps(0.5)), y)
        }
    }

    #[inline(always)]
    fn keep(self, x: __m256, bits: u32) -> __m256 {
        unsafe { _mm256_and_ps(x, _mm256_castsi256_ps(lanes(bits))) }
    }

    #[inline(always)]
    fn choose(self, bits: u32, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_blendv_ps(b, a, _mm256_castsi256_ps(lanes(bits))) }
    }
}
