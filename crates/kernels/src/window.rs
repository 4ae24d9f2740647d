//! How a window slides over a map.

/// A window that slides over a map, without saying where it starts: that depends on the map's size and padding, see
/// [`Place`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub size: [usize; 2],
    /// How far it moves down and to the right.
    pub stride: [usize; 2],
    /// The distance between neighboring elements of the window, down and to the right.
    pub dilation: [usize; 2],
}

/// The row and column of a map under the first element of the window's first position; negative in the padding.
///
/// Element `[i, j]` of the window at output `[y, x]` reads row `place[0] + y * stride[0] + i * dilation[0]` and column
/// `place[1] + x * stride[1] + j * dilation[1]`; what lies outside the map is padding. It may also start inside the map:
/// where only part of an output is wanted.
pub type Place = [isize; 2];

impl Window {
    /// How many elements it has.
    pub fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }
}
