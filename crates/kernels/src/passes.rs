//! Which gradients pass a rectifier: one bit for each activation.

use crate::Dims;

/// How many channels share one word of [`Passes`].
pub const WORD: usize = 16;

/// One bit for each activation of a map `[n, h, w, c]`: whether its gradient passes. Bit `i` of a pixel's word `j` is
/// that of channel `16 j + i`; bits behind the last channel are 0.
#[derive(Debug, Clone, Copy)]
pub struct Passes<'a> {
    pub(crate) words: &'a [u16],
    pub(crate) dims: Dims,
}

/// [`Passes`] to write.
#[derive(Debug)]
pub struct PassesMut<'a> {
    pub(crate) words: &'a mut [u16],
    pub(crate) dims: Dims,
}

/// How many words the bits of a map take.
pub fn words(dims: Dims) -> usize {
    dims.pixels() * dims.c.div_ceil(WORD)
}

impl<'a> Passes<'a> {
    /// The bits of a map of this size.
    ///
    /// # Panics
    /// If there are not as many [`words`] as it takes.
    pub fn new(words: &'a [u16], dims: Dims) -> Self {
        assert_eq!(words.len(), self::words(dims), "the bits of {dims:?}");
        Self { words, dims }
    }

    /// Whether the gradient of one activation passes; pixels are counted over images, rows and columns.
    pub fn get(&self, pixel: usize, channel: usize) -> bool {
        let word = self.words[pixel * self.dims.c.div_ceil(WORD) + channel / WORD];
        word >> (channel % WORD) & 1 == 1
    }
}

impl<'a> PassesMut<'a> {
    /// The bits of a map of this size.
    ///
    /// # Panics
    /// As [`Passes::new`].
    pub fn new(words: &'a mut [u16], dims: Dims) -> Self {
        assert_eq!(words.len(), self::words(dims), "the bits of {dims:?}");
        Self { words, dims }
    }

    /// The same, to read.
    pub fn as_passes(&self) -> Passes<'_> {
        Passes { words: self.words, dims: self.dims }
    }

    /// Sets one bit.
    pub fn set(&mut self, pixel: usize, channel: usize, passes: bool) {
        let word = &mut self.words[pixel * self.dims.c.div_ceil(WORD) + channel / WORD];
        *word = *word & !(1 << (channel % WORD)) | u16::from(passes) << (channel % WORD);
    }
}

/// The two rectifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rectifier {
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
}

/// A rectifier behind another operation.
#[derive(Debug)]
pub struct Rectify<'a> {
    /// Which.
    pub rectifier: Rectifier,
    /// Where to keep which gradients pass, if anyone will ask.
    pub passes: Option<PassesMut<'a>>,
    /// Whether gradients pass where an activation is exactly at a corner, 0 or 6.
    pub at_corners: bool,
}

impl Rectifier {
    /// The rectified `x`; what is no number stays none.
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Self::Relu if x < 0.0 => 0.0,
            Self::Relu => x,
            Self::Relu6 => x.clamp(0.0, 6.0),
        }
    }

    /// Whether the gradient passes at `x`.
    pub fn passes(self, x: f32, at_corners: bool) -> bool {
        match (self, at_corners) {
            (Self::Relu, false) => x > 0.0,
            (Self::Relu, true) => x >= 0.0,
            (Self::Relu6, false) => x > 0.0 && x < 6.0,
            (Self::Relu6, true) => (0.0..=6.0).contains(&x),
        }
    }
}
