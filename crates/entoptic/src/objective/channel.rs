use burn::tensor::Tensor;

use super::{Step, check_channel};
use crate::Error;

/// See [`super::channel`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Channel {
    pub layer: String,
    pub channel: usize,
}

impl Channel {
    pub fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let activations = step.map(&self.layer)?;
        let [_, c, _, _] = activations.dims();
        check_channel(&self.layer, self.channel, c)?;
        Ok(activations.narrow(1, self.channel, 1).mean())
    }
}
