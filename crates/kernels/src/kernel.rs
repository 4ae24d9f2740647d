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
mod channels;
pub(crate) mod columns;
pub(crate) mod depthwise;
mod gather;
#[cfg(target_arch = "aarch64")]
mod neon;
mod norm;
pub(crate) mod packed;
pub(crate) mod parallel;
mod pool;
mod portable;
pub(crate) mod product;
mod rectify;
pub(crate) mod scratch;
pub(crate) mod shared;
pub(crate) mod simd;
pub(crate) mod team;
mod tile;
pub(crate) mod windows;
pub(crate) mod winograd;

pub(crate) use self::norm::{local_response_norm, local_response_norm_gradient};
pub(crate) use self::pool::{average_pool, average_pool_gradient, l2_pool_gradient, max_pool, max_pool_gradient};
pub(crate) use self::rectify::{block, rectify, redirect};
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
