use super::{Objective, channel, neuron};
use crate::notation::Entry;

/// The objectives that have a name; each takes `batch=image`, too, which stands for [`Objective::batch`].
pub const CATALOG: &[Entry<Objective>] = &[channel::ENTRY, neuron::ENTRY];
