use burn::tensor::Tensor;
use entoptic_network::{Activations, graph::Shape};

use super::{Objective, check_channel};
use crate::{
    Error,
    notation::{Call, Entry},
};

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "channel",
    usage: "channel(layer, channel)",
    about: "Mean activation of one channel, over images and positions.",
    example: "channel(fire5, 20)",
    read: |arguments| Ok(super::channel(arguments.required::<String>("layer")?, arguments.required("channel")?)),
};

/// See [`super::channel`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Channel {
    pub layer: String,
    pub channel: usize,
}

impl Channel {
    pub fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.layer).argument(&self.channel)
    }

    pub fn value(&self, activations: &Activations) -> Result<Tensor<1>, Error> {
        let activations = activations.map(&self.layer)?;
        let [_, c, _, _] = activations.dims();
        check_channel(&self.layer, self.channel, c)?;
        Ok(activations.narrow(1, self.channel, 1).mean())
    }

    pub fn check(&self, shape: Shape) -> Result<(), Error> {
        check_channel(&self.layer, self.channel, shape.channels())
    }
}
