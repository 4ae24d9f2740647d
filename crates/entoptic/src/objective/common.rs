//! The keywords that every objective takes.

use super::{Objective, Term};
use crate::notation::{Arguments, Call, Parsed};

pub(super) const USAGE: &str = "batch=image";

pub(super) fn read(objective: Objective, arguments: &mut Arguments) -> Parsed<Objective> {
    Ok(match arguments.keyword("batch")? {
        Some(image) => objective.batch(image),
        None => objective,
    })
}

pub(super) fn write(term: &Term, call: Call) -> Call {
    call.optional("batch", term.batch.as_ref())
}
