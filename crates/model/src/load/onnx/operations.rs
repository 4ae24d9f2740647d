//! The operations of ONNX, in terms of what all imported graphs share.

mod arithmetic;
mod matrices;
mod shapes;
mod windows;

use super::call::Call;
use crate::load::lift::{Cannot, Lift, Value, cannot};

/// What a node puts out; nothing at an output that no network has a use for.
pub(super) fn apply(lift: &mut Lift, call: &Call) -> Result<Vec<Option<Value>>, Cannot> {
    let kind = call.node.op_type.as_str();
    let known = match call.node.domain.as_str() {
        "" | "ai.onnx" => match kind {
            "Split" => return shapes::split(lift, call).map(|parts| parts.into_iter().map(Some).collect()),
            _ => windows::apply(lift, call, kind)
                .or_else(|| arithmetic::apply(lift, call, kind))
                .or_else(|| matrices::apply(lift, call, kind))
                .or_else(|| shapes::apply(lift, call, kind)),
        },
        "com.microsoft" => arithmetic::apply_fused(lift, call, kind),
        _ => None,
    };
    match known {
        Some(value) => value.map(|value| vec![Some(value)]),
        None => Err(cannot("it is not known")),
    }
}

/// What an operation makes, or nothing if it is of another theme.
type Known = Option<Result<Value, Cannot>>;
