use burn::tensor::Tensor;
use entoptic_network::{Activations, graph::Shape};

use super::{Objective, check_channel, neuron_at};
use crate::{
    Error,
    notation::{Call, Entry},
};

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "neuron",
    usage: "neuron(layer, channel, [y, x])",
    about: "Activation of one channel at a position, the center if none is given; mean over images.",
    example: "neuron(fire5, 20, [3, 4])",
    read: |arguments| {
        let (layer, channel) = (arguments.required::<String>("layer")?, arguments.required("channel")?);
        Ok(match arguments.optional("position")? {
            Some(position) => neuron_at(layer, channel, position),
            None => super::neuron(layer, channel),
        })
    },
};

/// See [`super::neuron`] and [`super::neuron_at`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Neuron {
    pub layer: String,
    pub channel: usize,
    /// `[y, x]`; the center if there is none.
    pub position: Option<[usize; 2]>,
}

impl Neuron {
    pub fn write(&self) -> Call {
        let call = Call::new(ENTRY.name).argument(&self.layer).argument(&self.channel);
        match &self.position {
            Some(position) => call.argument(position),
            None => call,
        }
    }

    pub fn value(&self, activations: &Activations) -> Result<Tensor<1>, Error> {
        let activations = activations.map(&self.layer)?;
        let [_, c, h, w] = activations.dims();
        check_channel(&self.layer, self.channel, c)?;
        let [y, x] = self.position_in([h, w])?;
        Ok(activations.narrow(1, self.channel, 1).narrow(2, y, 1).narrow(3, x, 1).mean())
    }

    pub fn check(&self, shape: Shape) -> Result<(), Error> {
        check_channel(&self.layer, self.channel, shape.channels())?;
        self.position_in(shape.positions()).map(|_| ())
    }

    fn position_in(&self, [h, w]: [usize; 2]) -> Result<[usize; 2], Error> {
        let [y, x] = self.position.unwrap_or([h / 2, w / 2]);
        match y < h && x < w {
            true => Ok([y, x]),
            false => Err(Error::NoSuchPosition { layer: self.layer.clone(), position: [y, x], size: [h, w] }),
        }
    }
}
