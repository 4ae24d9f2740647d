use burn::tensor::Tensor;

use crate::Error;

/// A batch as one image, row by row, with `margin` white pixels between its images; places left over are white.
///
/// # Shapes
/// - images: `[n, c, h, w]`, in `0..=1`
/// - value: `[1, c, rows * (h + margin) - margin, columns * (w + margin) - margin]`
///
/// # Errors
/// [`Error::OutOfRange`] for 0 columns.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::picture;
///
/// let images = Tensor::<4>::zeros([5, 3, 8, 10], &Device::flex());
/// assert_eq!(picture::grid(&images, 3, 2)?.dims(), [1, 3, 18, 34]);
/// # Ok::<(), entoptic::Error>(())
/// ```
pub fn grid(images: &Tensor<4>, columns: usize, margin: usize) -> Result<Tensor<4>, Error> {
    let [n, c, h, w] = images.dims();
    if columns == 0 {
        let accepted = "it is 1 or more";
        return Err(Error::out_of_range("a grid's number of columns", 0, accepted));
    }
    let rows = n.div_ceil(columns);
    if rows == 0 {
        let accepted = "it is 1 or more";
        return Err(Error::out_of_range("a grid's number of images", 0, accepted));
    }
    let size = [rows * (h + margin) - margin, columns * (w + margin) - margin];
    let white = Tensor::<4>::ones([1, c, size[0], size[1]], &images.device());
    Ok((0..n).fold(white, |sheet, i| {
        let [top, left] = [i / columns * (h + margin), i % columns * (w + margin)];
        sheet.slice_assign([0..1, 0..c, top..top + h, left..left + w], images.clone().narrow(0, i, 1))
    }))
}
