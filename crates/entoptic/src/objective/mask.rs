use burn::tensor::{Device, Tensor, TensorData};

use crate::{Error, array::Array};

/// How much each place of an image counts, from 0 to 1; it is stretched over whatever it is applied to.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask(pub(super) Array);

impl Mask {
    /// The activations, each multiplied by the mean of the mask over the part of the image that its position covers.
    pub(super) fn apply(&self, activations: Tensor<4>) -> Result<Tensor<4>, Error> {
        let [_, _, h, w] = activations.dims();
        let &[rows, columns] = &self.0.shape[..] else { todo!() };
        let device = activations.device();
        let mask = Tensor::<2>::from_data(TensorData::new(self.0.values.clone(), [rows, columns]), &device);
        let mask = overlap(rows, h, &device).matmul(mask).matmul(overlap(columns, w, &device).transpose());
        Ok(activations * mask.reshape([1, 1, h, w]))
    }
}

/// The part `[to, from]` that each of `from` equal pieces of a line has in each of `to` equal pieces of it.
fn overlap(from: usize, to: usize, device: &Device) -> Tensor<2> {
    let part = |i: usize, j: usize| {
        // In units of 1 / (from * to) of the line.
        let (start, end) = ((i * from).max(j * to), ((i + 1) * from).min((j + 1) * to));
        end.saturating_sub(start) as f32 / from as f32
    };
    let parts: Vec<f32> = (0..to).flat_map(|i| (0..from).map(move |j| part(i, j))).collect();
    Tensor::from_data(TensorData::new(parts, [to, from]), device)
}
