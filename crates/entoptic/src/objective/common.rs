//! The keywords that every objective takes.

use super::{Mask, Objective, Term};
use crate::notation::{Arguments, Call, Parsed};

pub(super) const USAGE: &str = "batch=image, model=name, mask=numbers";

pub(super) fn read(mut objective: Objective, arguments: &mut Arguments) -> Parsed<Objective> {
    if let Some(image) = arguments.keyword("batch")? {
        objective = objective.batch(image);
    }
    if let Some(model) = arguments.keyword::<String>("model")? {
        objective = objective.on(model);
    }
    if let Some(mask) = arguments.keyword::<Mask>("mask")? {
        objective = objective.masked(mask);
    }
    Ok(objective)
}

pub(super) fn write(term: &Term, call: Call) -> Call {
    call.optional("batch", term.batch.as_ref())
        .optional("model", term.model.as_ref())
        .optional("mask", term.mask.as_ref())
}
