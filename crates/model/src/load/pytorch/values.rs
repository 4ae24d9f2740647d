use std::ops::{Index, IndexMut};

use super::{
    globals::Global,
    tensor::{Storage, View},
};

/// What a pickle has made so far.
///
/// Values hold one another by their place in here, so one that is used a thousand times is still stored once, and one
/// that holds itself does no harm.
#[derive(Default)]
pub struct Values(Vec<Value>);

/// The place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ref(usize);

pub enum Value {
    /// What no tensor depends on.
    Opaque,
    Int(i128), // PyTorch's magic number has 80 bits
    Text(String),
    Tuple(Vec<Ref>),
    List(Vec<Ref>),
    Dict(Vec<(Ref, Ref)>),
    Global(Global),
    Storage(Box<Storage>),
    Tensor(Box<View>),
}

impl Values {
    pub fn add(&mut self, value: Value) -> Ref {
        self.0.push(value);
        Ref(self.0.len() - 1)
    }

    pub fn text(&self, at: Ref) -> Option<&str> {
        match &self[at] {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number that counts something.
    pub fn count<T: TryFrom<i128>>(&self, at: Ref) -> Option<T> {
        match self[at] {
            Value::Int(number) => number.try_into().ok(),
            _ => None,
        }
    }

    /// What a tuple or a list holds.
    pub fn items(&self, at: Ref) -> Option<&[Ref]> {
        match &self[at] {
            Value::Tuple(items) | Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn entries(&self, at: Ref) -> Option<&[(Ref, Ref)]> {
        match &self[at] {
            Value::Dict(entries) => Some(entries),
            _ => None,
        }
    }

    pub fn storages(&self) -> impl Iterator<Item = &Storage> {
        self.0.iter().filter_map(|value| match value {
            Value::Storage(storage) => Some(&**storage),
            _ => None,
        })
    }
}

impl Index<Ref> for Values {
    type Output = Value;

    fn index(&self, Ref(at): Ref) -> &Value {
        &self.0[at]
    }
}

impl IndexMut<Ref> for Values {
    fn index_mut(&mut self, Ref(at): Ref) -> &mut Value {
        &mut self.0[at]
    }
}
