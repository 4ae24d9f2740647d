use burn::tensor::Tensor;

use super::{Step, check_channel};
use crate::Error;

/// See [`super::neuron`] and [`super::neuron_at`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Neuron {
    pub layer: String,
    pub channel: usize,
    /// `[y, x]`; the center if there is none.
    pub position: Option<[usize; 2]>,
}

impl Neuron {
    pub fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let activations = step.map(&self.layer)?;
        let [_, c, h, w] = activations.dims();
        check_channel(&self.layer, self.channel, c)?;
        let [y, x] = self.position_in([h, w])?;
        Ok(activations.narrow(1, self.channel, 1).narrow(2, y, 1).narrow(3, x, 1).mean())
    }

    fn position_in(&self, [h, w]: [usize; 2]) -> Result<[usize; 2], Error> {
        let [y, x] = self.position.unwrap_or([h / 2, w / 2]);
        match y < h && x < w {
            true => Ok([y, x]),
            false => Err(Error::NoSuchPosition { layer: self.layer.clone(), position: [y, x], size: [h, w] }),
        }
    }
}
