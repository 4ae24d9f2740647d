use super::{Optimizer, adagrad, adam, adamw, adan, lbfgs, lion, rmsprop, sgd, torch_adam};
use crate::notation::Entry;

/// The optimizers that have a name; a usage says the defaults, and is the text of an optimizer that has them.
pub const CATALOG: &[Entry<Optimizer>] = &[
    adam::ENTRY,
    torch_adam::ENTRY,
    adamw::ENTRY,
    sgd::ENTRY,
    rmsprop::ENTRY,
    adagrad::ENTRY,
    lion::ENTRY,
    adan::ENTRY,
    lbfgs::ENTRY,
];
