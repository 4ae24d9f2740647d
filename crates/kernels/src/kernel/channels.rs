//! Vectors of the channels of a pixel.

use super::simd::{Simd, first};
use crate::{Map, MapMut};

/// A vector of neighboring channels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channels {
    pub(super) first: usize,
    /// One for each that there is; the last vector may reach over the end.
    pub(super) bits: u32,
}

impl Channels {
    /// All there are from one on, as many as a vector holds.
    #[inline(always)]
    pub(super) fn from<S: Simd>(first: usize, channels: usize) -> Self {
        let bits = if first + S::LANES <= channels { u32::MAX } else { self::first(channels - first) };
        Self { first, bits }
    }
}

impl Map<'_> {
    /// Zero where there are no channels.
    ///
    /// # Safety
    /// The map has the pixel and the channels.
    #[inline(always)]
    pub(super) unsafe fn load<S: Simd>(&self, simd: S, pixel: usize, channels: Channels) -> S::Floats {
        debug_assert!(pixel < self.dims.pixels() && channels.first < self.dims.c);
        // SAFETY: the caller's.
        unsafe { simd.load_bits(self.values.as_ptr().add(pixel * self.pitch + channels.first), channels.bits) }
    }
}

impl MapMut<'_> {
    /// What is there if something will be added, or zero.
    ///
    /// # Safety
    /// As [`Map::load`].
    #[inline(always)]
    pub(super) unsafe fn before<S: Simd>(&self, simd: S, pixel: usize, channels: Channels, add: bool) -> S::Floats {
        // SAFETY: the caller's.
        if add { unsafe { self.as_map().load(simd, pixel, channels) } } else { simd.splat(0.0) }
    }

    /// # Safety
    /// As [`Map::load`].
    #[inline(always)]
    pub(super) unsafe fn store<S: Simd>(&mut self, simd: S, x: S::Floats, pixel: usize, channels: Channels) {
        debug_assert!(pixel < self.dims.pixels() && channels.first < self.dims.c);
        // SAFETY: the caller's.
        unsafe { simd.store_bits(self.values.as_mut_ptr().add(pixel * self.pitch + channels.first), x, channels.bits) }
    }
}
