//! Grids that say what is where.

use burn::tensor::{Device, Tensor};

use super::{
    grid,
    text::{self, line},
};

/// What stands beside the images of a grid; what is empty takes no room.
#[derive(Debug, Clone, Copy, Default)]
pub struct Labels<'a> {
    /// Above each column.
    pub columns: &'a [String],
    /// Left of each row.
    pub rows: &'a [String],
    /// Below each image.
    pub captions: &'a [String],
}

/// The white between a label and an image, in pixels.
const SPACE: usize = 4;

/// A batch as one image, as [`grid`] makes it, with labels; one that is too long is cut off.
///
/// # Shapes
/// - images: `[n, 3, h, w]`, in `0..=1`
/// - value: `[1, 3, h', w']`
///
/// # Panics
/// If there is no image or no column, or if there are not three channels.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::picture::{Labels, labeled_grid};
///
/// let images = Tensor::<4>::zeros([4, 3, 32, 32], &Device::flex());
/// let columns = ["one", "two"].map(String::from);
/// let sheet = labeled_grid(&images, 2, 0, &Labels { columns: &columns, ..Labels::default() });
/// let [_, _, h, w] = sheet.dims();
/// assert!(h > 64 && w == 64);
/// ```
pub fn labeled_grid(images: &Tensor<4>, columns: usize, margin: usize, labels: &Labels<'_>) -> Tensor<4> {
    let [n, c, h, w] = images.dims();
    assert!(n > 0 && columns > 0 && c == 3, "a grid has colored images, and columns");
    let device = images.device();
    let images = match labels.captions {
        [] => images.clone(),
        captions => {
            let caption = |i: usize| centered(captions.get(i).map_or("", String::as_str), w, &device);
            let below = Tensor::cat((0..n).map(caption).collect(), 0);
            Tensor::cat(vec![images.clone(), below], 2)
        }
    };
    let mut sheet = grid(&images, columns, margin).expect("there are images and columns");
    if !labels.columns.is_empty() {
        let name = |i: usize| centered(labels.columns.get(i).map_or("", String::as_str), w, &device);
        let above = grid(&Tensor::cat((0..columns).map(name).collect(), 0), columns, margin);
        sheet = Tensor::cat(vec![above.expect("there are columns"), sheet], 2);
    }
    if !labels.rows.is_empty() {
        let letters = labels.rows.iter().map(|row| row.chars().count()).max().unwrap_or(0);
        let width = letters * text::WIDTH + 2 * SPACE;
        let [_, _, height, _] = sheet.dims();
        let left = Tensor::<4>::ones([1, 3, height, width], &device);
        let row_height = images.dims()[2];
        let top = if labels.columns.is_empty() { 0 } else { text::HEIGHT + SPACE };
        let left = labels.rows.iter().enumerate().fold(left, |left, (i, row)| {
            let y = top + i * (row_height + margin) + h.saturating_sub(text::HEIGHT) / 2;
            match y + text::HEIGHT <= height {
                true => {
                    let name = line(row, width - 2 * SPACE, &device);
                    left.slice_assign([0..1, 0..3, y..y + text::HEIGHT, SPACE..width - SPACE], name)
                }
                false => left,
            }
        });
        sheet = Tensor::cat(vec![left, sheet], 3);
    }
    sheet
}

/// A line in the middle of `width` pixels, with white above and below: `[1, 3, HEIGHT + SPACE, width]`.
fn centered(text: &str, width: usize, device: &Device) -> Tensor<4> {
    let needed = (text.chars().count() * text::WIDTH).min(width);
    let left = (width - needed) / 2;
    let white = Tensor::<4>::ones([1, 3, text::HEIGHT + SPACE, width], device);
    let [top, bottom] = [SPACE / 2, SPACE / 2 + text::HEIGHT];
    white.slice_assign([0..1, 0..3, top..bottom, left..left + needed], line(text, needed, device))
}
