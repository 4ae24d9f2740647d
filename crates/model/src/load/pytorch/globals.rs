//! The Python names that a state dict's pickle may speak of, and what they stand for.

use std::{mem, rc::Rc};

use super::{
    shown,
    storage_type::StorageType,
    tensor::{Storage, View},
    values::{Ref, Value, Values},
};

/// How to make a file that can be read.
pub const REMEDY: &str = "a state dict can be read, as `torch.save(model.state_dict(), path)` saves it";

/// A function or class, by what becomes of a call to it.
#[derive(Clone)]
pub enum Global {
    /// A dictionary that remembers something besides its entries.
    Dict,
    /// A tuple of sides.
    Size,
    /// A storage of such numbers.
    Storage(StorageType),
    /// A tensor from a storage and its place there.
    Tensor,
    /// A tensor that is passed on.
    Parameter,
    /// Something beside the tensors, which may stay unknown.
    Opaque,
    /// Anything else.
    Unknown(Rc<str>),
}

impl Global {
    pub fn named(module: &str, name: &str) -> Self {
        match (module, name) {
            ("collections", "OrderedDict" | "defaultdict") => Self::Dict,
            ("torch", "Size") => Self::Size,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Self::Tensor,
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => Self::Parameter,
            // Version 3 is for numbers that are not read: float8 and unsigned integers.
            ("torch._utils", "_rebuild_tensor_v3")
            | ("torch", "device")
            | ("torch.serialization", "_get_layout")
            | ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar" | "_reconstruct")
            | ("numpy", "dtype")
            | ("_codecs", "encode")
            | ("argparse", "Namespace")
            | ("collections", "Counter")
            | ("builtins" | "__builtin__", "set" | "frozenset") => Self::Opaque,
            ("torch" | "torch.cuda" | "torch.storage", class) if let Some(dtype) = StorageType::of_class(class) => {
                Self::Storage(dtype)
            }
            _ => Self::Unknown(format!("{}.{}", shown(module), shown(name)).into()),
        }
    }

    /// What a call with these arguments makes.
    pub fn call(&self, arguments: &[Ref], values: &mut Values) -> Result<Ref, String> {
        let value = match (self, arguments) {
            (Self::Dict, &[items, ..]) => Value::Dict(pairs(items, values)?),
            (Self::Dict, []) => Value::Dict(Vec::new()),
            (Self::Size | Self::Parameter, &[value, ..]) => return Ok(value),
            // A tensor may be marked as the negative or the conjugate of what is stored.
            (Self::Tensor, &[.., metadata])
                if values.entries(metadata).is_some_and(|marks| arguments.len() == 7 && !marks.is_empty()) =>
            {
                return Err(format!("it holds a tensor that is a view with metadata; {REMEDY}"));
            }
            (Self::Tensor, &[storage, offset, shape, strides, ..]) => {
                Value::Tensor(View::new([storage, offset, shape, strides], values)?.into())
            }
            (Self::Opaque, _) => Value::Opaque,
            (Self::Unknown(name), _) => {
                return Err(format!("its pickle calls `{name}`, which is never executed; {REMEDY}"));
            }
            _ => return Err("its pickle calls a function with other arguments than PyTorch does".into()),
        };
        Ok(values.add(value))
    }

    /// What a new object of this class is.
    pub fn instance(&self, arguments: &[Ref], values: &mut Values) -> Result<Ref, String> {
        match self {
            Self::Unknown(class) => Err(whole_module(class)),
            known => known.call(arguments, values),
        }
    }
}

/// Why a pickled object cannot be read.
pub fn whole_module(class: &str) -> String {
    format!("it holds a whole module or other object, of class `{class}`, not a state dict; {REMEDY}")
}

/// What a persistent id stands for: `("storage", class, key, device, elements, view)`, where a view into another
/// storage is `(its key, first element, elements)`, and most storages are no view.
pub fn persistent(id: Ref, values: &Values) -> Result<Storage, String> {
    let odd = || "its pickle refers to a storage in a way that PyTorch does not".to_owned();
    let items = values.items(id).unwrap_or_default();
    match (items.first().and_then(|&kind| values.text(kind)), items) {
        (Some("storage"), &[_, class, key, _, elements, ref view @ ..]) => {
            let &Value::Global(Global::Storage(dtype)) = &values[class] else { return Err(odd()) };
            let (first, elements) = match view.first().and_then(|&view| values.items(view)) {
                Some(&[_, first, elements]) => (values.count(first), values.count(elements)),
                _ => (Some(0), values.count(elements)),
            };
            match (first, elements) {
                (Some(first), Some(elements)) => Ok(Storage { dtype, key, first, elements }),
                _ => Err(odd()),
            }
        }
        (Some("module"), &[_, class, ..]) => match &values[class] {
            Value::Global(Global::Unknown(class)) => Err(whole_module(class)),
            _ => Err(odd()),
        },
        _ => Err(odd()),
    }
}

/// The entries of a dictionary made of a list of pairs, as Python 2 pickled them. They are moved and not copied, so
/// that calling again and again makes no more of them.
fn pairs(items: Ref, values: &mut Values) -> Result<Vec<(Ref, Ref)>, String> {
    let Value::List(items) = &mut values[items] else { return Ok(Vec::new()) };
    let items = mem::take(items);
    let pair = |item| match values.items(item) {
        Some(&[key, value]) => Ok((key, value)),
        _ => Err("its pickle makes a dictionary of something else than pairs".to_owned()),
    };
    items.into_iter().map(pair).collect()
}
