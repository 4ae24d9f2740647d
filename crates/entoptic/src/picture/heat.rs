//! Numbers laid over photos.

use burn::tensor::{Device, Tensor, TensorData};

/// The color of what is above zero, RGB.
const ABOVE: [f32; 3] = [1.0, 0.55, 0.05];

/// The color of what is below zero.
const BELOW: [f32; 3] = [0.1, 0.45, 1.0];

/// How bright the photo below is, at most.
const GROUND: f32 = 0.75;

/// A photo, gray, with the value of each cell of a grid over it: orange above zero, blue below, more for more.
///
/// # Shapes
/// - photo: `[1, 3, h, w]`, in `0..=1`
/// - values: `rows * columns`, row by row
/// - value: `[1, 3, h, w]`
///
/// # Panics
/// If there are not as many values as cells.
pub fn heat_overlay(photo: &Tensor<4>, values: &[f32], [rows, columns]: [usize; 2]) -> Tensor<4> {
    assert_eq!(values.len(), rows * columns, "there is a value for each cell");
    let [_, _, h, w] = photo.dims();
    let device = photo.device();
    let largest = values.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let cell = |y: usize, x: usize| values[y * rows / h * columns + x * columns / w] / largest;
    let cells: Vec<f32> = (0..h).flat_map(|y| (0..w).map(move |x| cell(y, x))).collect();
    let cells = Tensor::<4>::from_data(TensorData::new(cells, [1, 1, h, w]), &device);
    let gray = photo.clone().mean_dim(1).mul_scalar(GROUND).repeat_dim(1, 3);
    let (above, below) = (cells.clone().clamp_min(0.0), cells.neg().clamp_min(0.0));
    let rest = above.clone().add(below.clone()).neg().add_scalar(1.0);
    gray * rest + above * color(ABOVE, &device) + below * color(BELOW, &device)
}

/// A photo with a colored layer for each map over it, as strong as its values in `0..=1` are.
///
/// # Shapes
/// - photo: `[1, 3, h, w]`, in `0..=1`
/// - maps: each `rows * columns`, row by row
/// - value: `[1, 3, h, w]`
pub(crate) fn colored_overlay(
    photo: &Tensor<4>,
    maps: &[(Vec<f32>, [f32; 3])],
    [rows, columns]: [usize; 2],
) -> Tensor<4> {
    let [_, _, h, w] = photo.dims();
    let device = photo.device();
    let gray = photo.clone().mean_dim(1).mul_scalar(GROUND).repeat_dim(1, 3);
    maps.iter().fold(gray, |under, (map, rgb)| {
        let cells = (0..h).flat_map(|y| (0..w).map(move |x| map[y * rows / h * columns + x * columns / w]));
        let cells = Tensor::<4>::from_data(TensorData::new(cells.collect(), [1, 1, h, w]), &device);
        under * cells.clone().neg().add_scalar(1.0) + cells * color(*rgb, &device)
    })
}

fn color(rgb: [f32; 3], device: &Device) -> Tensor<4> {
    Tensor::<1>::from_floats(rgb, device).reshape([1, 3, 1, 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_orange_above_zero_and_blue_below() {
        let photo = Tensor::<4>::full([1, 3, 4, 4], 0.4, &Device::flex());
        let overlay = heat_overlay(&photo, &[2.0, 0.0, 0.0, -2.0], [2, 2]);
        let at = |y: usize, x: usize| -> Vec<f32> {
            overlay.clone().narrow(2, y, 1).narrow(3, x, 1).try_into_vec_as().unwrap()
        };
        assert_eq!(at(1, 1), ABOVE);
        assert_eq!(at(2, 3), BELOW);
        for value in at(0, 3) {
            assert!((value - 0.4 * GROUND).abs() < 1e-6);
        }
    }
}
