use super::{
    Objective, alignment, blur, boundary, channel, class_logit, deepdream, direction, diversity, dot_compare,
    input_diff, interpolate, layer, neuron, norm, style, total_variation, whitened,
};
use crate::notation::Entry;

/// The objectives that have a name; each takes `batch=`, `model=` and `mask=`, too, which stand for
/// [`Objective::batch`], [`Objective::on`] and [`Objective::masked`].
pub const CATALOG: &[Entry<Objective>] = &[
    channel::ENTRY,
    neuron::ENTRY,
    layer::ENTRY,
    deepdream::ENTRY,
    direction::ENTRY,
    direction::NEURON_ENTRY,
    direction::TENSOR_ENTRY,
    whitened::ENTRY,
    class_logit::ENTRY,
    interpolate::ENTRY,
    alignment::ENTRY,
    diversity::ENTRY,
    dot_compare::ENTRY,
    style::ENTRY,
    input_diff::ENTRY,
    total_variation::ENTRY,
    norm::L1_ENTRY,
    norm::L2_ENTRY,
    blur::INPUT_ENTRY,
    blur::ALPHA_ENTRY,
    boundary::ENTRY,
];
