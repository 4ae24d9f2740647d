use burn::tensor::{Device, Tensor, TensorData};

use super::Given;
use crate::{
    Error,
    array::Array,
    notation::{Argument, Value},
};

/// How much each place of an image counts, from 0 to 1: numbers `[h, w]`, stretched over whatever they are applied to.
///
/// ```
/// use entoptic::{
///     array::Array,
///     objective::{Mask, channel},
/// };
///
/// let below = Mask::from(Array::new([2, 1], vec![0.0, 1.0]));
/// assert_eq!(channel("fire5", 20).masked(below).to_string(), "channel(fire5, 20, mask=[[0], [1]])");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Mask(pub(super) Given);

impl<T: Into<Given>> From<T> for Mask {
    fn from(given: T) -> Self {
        Self(given.into())
    }
}

impl Mask {
    /// The activations, each multiplied by the mean of the mask over the part of the image that its position covers.
    pub(super) fn apply(&self, activations: Tensor<4>) -> Result<Tensor<4>, Error> {
        let [_, _, h, w] = activations.dims();
        let device = activations.device();
        let Array { shape, values } = match &self.0 {
            Given::Array(array) => array,
            Given::File(path) => return Err(Error::NotLoaded { path: path.clone() }),
            Given::Param(param) => return Err(Error::shape("the mask", &param.shape(), "is an array [h, w]")),
        };
        // A picture counts by its first channel.
        let (rows, columns) = match shape[..] {
            [rows, columns] | [1, rows, columns] | [1, _, rows, columns] if !values.is_empty() => (rows, columns),
            _ => return Err(Error::shape("the mask", shape, "is [h, w]")),
        };
        let values = values[..rows * columns].to_vec();
        let mask = Tensor::<2>::from_data(TensorData::new(values, [rows, columns]), &device);
        let mask = overlap(rows, h, &device).matmul(mask).matmul(overlap(columns, w, &device).transpose());
        Ok(activations * mask.reshape([1, 1, h, w]))
    }
}

impl Argument for Mask {
    const FORM: &'static str = Given::FORM;

    fn from_value(value: Value) -> Option<Self> {
        Given::from_value(value).map(Self)
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }
}

/// How much of each of `to` equal pieces of a line lies in each of `from` equal pieces of it: `[to, from]`.
fn overlap(from: usize, to: usize, device: &Device) -> Tensor<2> {
    let part = |i: usize, j: usize| {
        // In units of 1 / (from * to) of the line.
        let (start, end) = ((i * from).max(j * to), ((i + 1) * from).min((j + 1) * to));
        end.saturating_sub(start) as f32 / from as f32
    };
    let parts: Vec<f32> = (0..to).flat_map(|i| (0..from).map(move |j| part(i, j))).collect();
    Tensor::from_data(TensorData::new(parts, [to, from]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_two_axes_and_a_place() {
        for shape in [vec![3], vec![0, 3, 3], vec![3, 3, 3], vec![1, 0, 3, 3], vec![0, 0]] {
            let count = shape.iter().product();
            let mask = Mask::from(Array::new(shape, vec![1.0; count]));
            assert!(mask.apply(Tensor::ones([1, 1, 4, 4], &Device::flex())).is_err(), "{mask:?}");
        }
    }

    #[test]
    fn a_mask_is_stretched_by_area() {
        let mask = Mask::from(Array { shape: vec![2, 3], values: vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0] });
        let masked = |h: usize, w: usize| -> Vec<f32> {
            mask.apply(Tensor::ones([1, 1, h, w], &Device::flex())).unwrap().try_into_vec_as().unwrap()
        };
        assert_eq!(masked(2, 3), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(masked(1, 1), [1.0 / 3.0]);
        // Half a column of three is a sixth of the width: 2/3 of the left half is masked in, in one of two rows.
        let halves = masked(2, 2);
        for (found, expected) in halves.iter().zip([2.0 / 3.0, 0.0, 0.0, 2.0 / 3.0]) {
            assert!((found - expected).abs() < 1e-6, "{halves:?}");
        }
        assert_eq!(masked(4, 3)[..6], [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }
}
