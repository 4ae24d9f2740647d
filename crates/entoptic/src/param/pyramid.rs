//! Images as sums of coarser and coarser ones, so that one step changes large shapes as easily as small ones.

use burn::tensor::Tensor;

use super::{
    DEFAULT_SD, Param, custom,
    lowres::{Offset, lowres},
    normal,
};
use crate::Error;

/// Images that are a sum of `levels` coarser and coarser ones, whose numbers are drawn with standard deviation 0.01
/// around 0.
///
/// Values are free, not colors in `0..=1`: see [`to_valid_rgb`](super::to_valid_rgb).
///
/// ```
/// use entoptic::param::{ValidRgb, laplacian_pyramid_image, to_valid_rgb};
///
/// let image = to_valid_rgb(laplacian_pyramid_image([1, 3, 64, 64], 4)?, ValidRgb::new());
/// assert_eq!(image.size(), [64, 64]);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Errors
/// As [`level_sizes`].
///
/// # Reference
/// `laplacian_pyramid_image` in Lucid, `spatial.py`.
pub fn laplacian_pyramid_image(shape @ [_, _, h, w]: [usize; 4], levels: usize) -> Result<Param, Error> {
    Ok(param(shape, level_sizes([h, w], levels)?, DEFAULT_SD))
}

pub(super) fn param(shape @ [n, c, _, _]: [usize; 4], sizes: Vec<[usize; 2]>, sd: f64) -> Param {
    let shapes: Vec<[usize; 4]> = sizes.into_iter().map(|[h, w]| [n, c, h, w]).collect();
    let counts: Vec<usize> = shapes.iter().map(|shape| shape.iter().product()).collect();
    custom(
        shape,
        move |rng, device| counts.iter().map(|&count| normal(sd, count, rng, device)).collect(),
        move |_| {
            let shapes = shapes.clone();
            Box::new(move |variables| {
                let levels = variables.iter().zip(&shapes).map(|(level, &shape)| level.clone().reshape(shape));
                laplacian_pyramid(&levels.collect::<Vec<Tensor<4>>>())
            })
        },
    )
}

/// The sum of all `levels`, each resized to the first, which has the full size; see [`level_sizes`] for the others'.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::param::{laplacian_pyramid, level_sizes};
///
/// let sizes = level_sizes([48, 64], 4)?;
/// assert_eq!(sizes, [[48, 64], [24, 32], [12, 16], [6, 8]]);
/// let levels: Vec<_> = sizes.iter().map(|&[h, w]| Tensor::<4>::ones([1, 3, h, w], &Device::flex())).collect();
/// let image = laplacian_pyramid(&levels);
/// assert_eq!(image.dims(), [1, 3, 48, 64]);
/// assert_eq!(image.mean().into_scalar::<f32>(), 4.0);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - levels: `[n, c, h', w']`, or any other number of axes
/// - value: that of the first level
///
/// # Panics
/// If there is no level.
///
/// # Reference
/// `laplacian_pyramid_image` in Lucid, `spatial.py`.
pub fn laplacian_pyramid<const D: usize>(levels: &[Tensor<D>]) -> Tensor<D> {
    let [full, coarser @ ..] = levels else { panic!("a pyramid has a level") };
    let shape = full.dims();
    coarser.iter().fold(full.clone(), |sum, level| sum + lowres(level.clone(), shape, [Offset::None; D]))
}

/// The sizes `[h, w]` of a pyramid's levels: each side halved from one to the next, rounded down.
///
/// # Errors
/// [`Error::OutOfRange`] if there is no level, or one would be empty.
pub fn level_sizes(size: [usize; 2], levels: usize) -> Result<Vec<[usize; 2]>, Error> {
    let most = size[0].min(size[1]).checked_ilog2().map_or(0, |halvings| halvings as usize + 1);
    if levels == 0 || levels > most {
        let accepted = "it is 1 or more, and few enough that the smaller side can be halved down to 1 pixel";
        return Err(Error::out_of_range("the number of levels", levels, accepted));
    }
    Ok((0..levels).map(|level| size.map(|side| side >> level)).collect())
}
