//! Activations in memory: the channels of a pixel lie side by side.

/// The size of a [`Map`] along each axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dims {
    /// Images.
    pub n: usize,
    /// Height.
    pub h: usize,
    /// Width.
    pub w: usize,
    /// Channels.
    pub c: usize,
}

impl Dims {
    /// How many pixels all images have together.
    pub fn pixels(self) -> usize {
        self.n * self.h * self.w
    }

    /// How many floats all of it is.
    pub fn len(self) -> usize {
        self.pixels() * self.c
    }

    /// Whether there is nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Activations `[n, h, w, c]` to read; `pitch` floats lie between one pixel and the next, so that a map can be some
/// neighboring channels of a wider one.
#[derive(Debug, Clone, Copy)]
pub struct Map<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) dims: Dims,
    pub(crate) pitch: usize,
}

/// Activations `[n, h, w, c]` to write, laid out as a [`Map`].
#[derive(Debug)]
pub struct MapMut<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) dims: Dims,
    pub(crate) pitch: usize,
}

impl<'a> Map<'a> {
    /// A map whose first channel of the first pixel is `values[0]`.
    ///
    /// # Panics
    /// If `values` are too few, or the pitch is less than the channels.
    pub fn new(values: &'a [f32], dims: Dims, pitch: usize) -> Self {
        check(values.len(), dims, pitch);
        Self { values, dims, pitch }
    }

    /// A map without gaps.
    ///
    /// # Panics
    /// If `values` are too few.
    pub fn dense(values: &'a [f32], dims: Dims) -> Self {
        Self::new(values, dims, dims.c)
    }

    /// Its size.
    pub fn dims(&self) -> Dims {
        self.dims
    }

    /// The channels of one pixel, counted over images, rows and columns.
    pub fn pixel(&self, pixel: usize) -> &'a [f32] {
        &self.values[pixel * self.pitch..][..self.dims.c]
    }
}

impl<'a> MapMut<'a> {
    /// A map whose first channel of the first pixel is `values[0]`.
    ///
    /// # Panics
    /// As [`Map::new`].
    pub fn new(values: &'a mut [f32], dims: Dims, pitch: usize) -> Self {
        check(values.len(), dims, pitch);
        Self { values, dims, pitch }
    }

    /// A map without gaps.
    ///
    /// # Panics
    /// As [`Map::dense`].
    pub fn dense(values: &'a mut [f32], dims: Dims) -> Self {
        Self::new(values, dims, dims.c)
    }

    /// Its size.
    pub fn dims(&self) -> Dims {
        self.dims
    }

    /// The same, to read.
    pub fn as_map(&self) -> Map<'_> {
        Map { values: self.values, dims: self.dims, pitch: self.pitch }
    }

    /// The same, for a shorter time.
    pub fn reborrow(&mut self) -> MapMut<'_> {
        MapMut { values: self.values, dims: self.dims, pitch: self.pitch }
    }

    /// The channels of one pixel, counted over images, rows and columns.
    pub fn pixel(&mut self, pixel: usize) -> &mut [f32] {
        &mut self.values[pixel * self.pitch..][..self.dims.c]
    }
}

fn check(values: usize, dims: Dims, pitch: usize) {
    assert!(pitch >= dims.c, "pixels of {} channels are {pitch} floats apart", dims.c);
    let needed = if dims.is_empty() { 0 } else { (dims.pixels() - 1) * pitch + dims.c };
    assert!(values >= needed, "{dims:?} at pitch {pitch} needs {needed} floats of {values}");
}
