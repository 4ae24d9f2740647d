//! Vectors of the channels of a pixel.

use super::simd::{Simd, first};
use crate::{Map, MapMut, Passes, PassesMut, WORD};

/// A vector of neighboring channels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channels {
    pub(super) first: usize,
    /// One for each that there is; the last vector may reach over the end.
    pub(super) bits: u32,
}

/// Runs code for each vector of a range of channels: whole ones, and the part of one that is left. What is known of the
/// bits of whole ones makes faster code of it.
macro_rules! for_each_vector {
    ($simd:ident, $channels:ident in $range:expr => $run:block) => {
        let ::std::ops::Range { start: mut first, end } = $range;
        while first + $simd::LANES <= end {
            let $channels = Channels { first, bits: u32::MAX };
            $run
            first += $simd::LANES;
        }
        if first < end {
            let $channels = Channels { first, bits: crate::kernel::simd::first(end - first) };
            $run
        }
    };
}
pub(super) use for_each_vector;

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

impl Passes<'_> {
    /// The bits of a vector's channels, and others behind.
    #[inline(always)]
    pub(super) fn load(&self, pixel: usize, channels: Channels) -> u32 {
        let word = self.words[pixel * self.dims.c.div_ceil(WORD) + channels.first / WORD];
        u32::from(word) >> (channels.first % WORD)
    }
}

impl PassesMut<'_> {
    /// Writes the bits of a vector's channels; vectors of a pixel come one after the other, and nothing is left of what
    /// was there.
    #[inline(always)]
    pub(super) fn store<S: Simd>(&mut self, _: S, bits: u32, pixel: usize, channels: Channels) {
        let bits = ((bits & channels.bits & first(S::LANES)) << (channels.first % WORD)) as u16;
        let word = self.word(pixel, channels);
        *word = if channels.first.is_multiple_of(WORD) { bits } else { *word | bits };
    }

    /// Flips bits of a vector's channels.
    #[inline(always)]
    pub(super) fn flip<S: Simd>(&mut self, _: S, bits: u32, pixel: usize, channels: Channels) {
        let bits = bits & channels.bits & first(S::LANES);
        *self.word(pixel, channels) ^= (bits << (channels.first % WORD)) as u16;
    }

    #[inline(always)]
    fn word(&mut self, pixel: usize, channels: Channels) -> &mut u16 {
        &mut self.words[pixel * self.dims.c.div_ceil(WORD) + channels.first / WORD]
    }
}
