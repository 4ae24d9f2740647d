//! Kernels: each is written once over [`Simd`] and compiled for every instruction set.
//!
//! `unsafe` is here for two reasons: vector loads and stores go through pointers, and threads write to different parts
//! of one map. The safe modules around this one check every size before they call in.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod bf16;
pub(crate) mod columns;
#[cfg(target_arch = "aarch64")]
mod neon;
pub(crate) mod packed;
pub(crate) mod parallel;
mod portable;
pub(crate) mod product;
pub(crate) mod scratch;
pub(crate) mod shared;
pub(crate) mod simd;
mod tile;
pub(crate) mod windows;

use self::simd::{Kernel, Simd};
use crate::isa::{Isa, Portable};

impl Isa {
    /// Runs a kernel as compiled for this instruction set.
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(avx512) => avx512.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.run(kernel),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(neon) => neon.run(kernel),
            _ => Portable.run(kernel),
        }
    }
}
