use burn::tensor::{Tensor, TensorData};
use image::{
    ImageBuffer, Luma,
    imageops::{self, FilterType},
};

use super::load::side;
use crate::Error;

/// Images of another size, channel by channel, with Lanczos's filter, which blurs before it makes smaller.
///
/// Values are clipped to `0..=1`, beyond which the filter overshoots at edges. Images of the size already are left as
/// they are. Nothing is differentiated through it.
///
/// # Shapes
/// - images: `[n, c, h, w]`, in `0..=1`
/// - value: `[n, c, size[0], size[1]]`
///
/// # Errors
/// [`Error::OutOfRange`] for a side of 0.
///
/// # Reference
/// `resize` in Lucid, `misc/ndimage_utils.py`, which interpolates with cubic splines and does not blur.
pub fn resize(images: &Tensor<4>, size: [usize; 2]) -> Result<Tensor<4>, Error> {
    let [n, c, h, w] = images.dims();
    let [new_h, new_w] = [side(size[0])?, side(size[1])?];
    if [h, w] == size {
        return Ok(images.clone());
    }
    let [old_h, old_w] = [side(h)?, side(w)?];
    let values = images.clone().try_into_vec_as::<f32>().expect("images hold f32");
    let planes = values.chunks_exact(h * w).flat_map(|plane| {
        let plane = ImageBuffer::<Luma<f32>, _>::from_raw(old_w, old_h, plane).expect("a plane has h * w values");
        imageops::resize(&plane, new_w, new_h, FilterType::Lanczos3).into_raw()
    });
    Ok(Tensor::from_data(TensorData::new(planes.collect(), [n, c, size[0], size[1]]), &images.device()))
}
