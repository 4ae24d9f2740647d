use std::ops::Range;

use super::{
    Contents, Source, StorageType,
    source::unreadable,
    values::{Ref, Value, Values},
};
use crate::load::dtype::{ByteOrder, REAL_TYPES};

/// More axes than any weights have.
const MOST_AXES: usize = 8;

/// A tensor with more elements than its storage may have this many; a stride of 0 would let it have any number.
const MOST_REPEATED: usize = 1 << 18;

/// Numbers beside one another, or a part of them.
#[derive(Clone, Copy)]
pub struct Storage {
    pub dtype: StorageType,
    /// What the file calls it.
    pub key: Ref,
    /// How many numbers come before, if it is a part.
    pub first: u64,
    pub elements: u64,
}

/// A tensor as the pickle tells of it: elements of a storage, seen as an array.
pub struct View {
    storage: Storage,
    offset: u64,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl View {
    /// The view that these arguments of `_rebuild_tensor` describe.
    pub fn new([storage, offset, shape, strides]: [Ref; 4], values: &Values) -> Result<Self, String> {
        let odd = || "its pickle rebuilds a tensor in a way that PyTorch does not".to_owned();
        let sides = |sides| -> Option<Vec<usize>> {
            let sides = values.items(sides).filter(|sides| sides.len() <= MOST_AXES)?;
            sides.iter().map(|&side| values.count(side)).collect()
        };
        let Value::Storage(storage) = &values[storage] else { return Err(odd()) };
        let offset = values.count(offset).ok_or_else(odd)?;
        match (sides(shape), sides(strides)) {
            (Some(shape), Some(strides)) if shape.len() == strides.len() => {
                Ok(Self { storage: **storage, offset, shape, strides })
            }
            _ => Err(odd()),
        }
    }

    /// The tensor, if it lies within its storage and that within the file.
    pub fn locate(&self, contents: &Contents) -> Result<Tensor, String> {
        let Self { storage, offset, shape, strides } = self;
        let key = contents.values.text(storage.key).unwrap_or_default();
        let Some(file) = contents.storages.get(key) else { return Err("has no storage in the file".into()) };
        let bytes = storage.bytes().and_then(|bytes| within(bytes, file));
        let Some(bytes) = bytes else { return Err("has a storage that is cut off".into()) };

        let outside = || format!("of shape {shape:?} and strides {strides:?} does not fit into its storage");
        let (elements, span) = extent(shape, strides).ok_or_else(outside)?;
        let size = storage.dtype.size() as u64;
        if elements > MOST_REPEATED && elements as u64 > storage.elements {
            return Err(outside());
        }
        if span > 0 && offset.checked_add(span as u64).is_none_or(|end| end > storage.elements) {
            return Err(outside());
        }
        let start = if span > 0 { bytes.start + offset * size } else { bytes.start };
        let (dtype, shape, strides) = (storage.dtype, shape.clone(), strides.clone());
        Ok(Tensor { dtype, shape, strides, elements, span, start, byte_order: contents.byte_order })
    }
}

impl Storage {
    /// Its bytes, counted from where the storage that it is a view of begins.
    fn bytes(&self) -> Option<Range<u64>> {
        let size = self.dtype.size() as u64;
        let end = self.first.checked_add(self.elements)?;
        Some(self.first.checked_mul(size)?..end.checked_mul(size)?)
    }
}

/// The place in the file of bytes that are counted from where `outer` begins, if they are in it.
fn within(inner: Range<u64>, outer: &Range<u64>) -> Option<Range<u64>> {
    (inner.end <= outer.end - outer.start).then(|| outer.start + inner.start..outer.start + inner.end)
}

/// How many elements there are, and over how many places they spread.
fn extent(shape: &[usize], strides: &[usize]) -> Option<(usize, usize)> {
    if shape.contains(&0) {
        return Some((0, 0));
    }
    shape.iter().zip(strides).try_fold((1usize, 1usize), |(elements, span), (side, stride)| {
        Some((elements.checked_mul(*side)?, span.checked_add((side - 1).checked_mul(*stride)?)?))
    })
}

/// A tensor and its place in the file.
#[derive(Debug)]
pub struct Tensor {
    dtype: StorageType,
    shape: Vec<usize>,
    strides: Vec<usize>,
    elements: usize,
    /// How many numbers there are from its first to its last.
    span: usize,
    /// Where in the file its first number is.
    start: u64,
    byte_order: ByteOrder,
}

impl Tensor {
    /// Its sides; a scalar has none.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its values, the last axis varying fastest.
    pub(super) fn read(&self, source: &Source) -> Result<Vec<f32>, String> {
        let sides = self.shape.iter().copied().zip(self.strides.iter().copied());
        let axes: Vec<(usize, usize)> = sides.filter(|(side, _)| *side != 1).collect();
        let contiguous = axes.iter().rev().try_fold(1, |next, (side, stride)| (*stride == next).then(|| next * side));
        let span = self.read_span(source)?;
        if self.elements == 0 || contiguous.is_some() {
            return Ok(span);
        }
        let mut values = Vec::with_capacity(self.elements);
        gather(&span, &axes, &mut values);
        Ok(values)
    }

    /// The numbers from the tensor's first to its last, in the order of the file.
    fn read_span(&self, source: &Source) -> Result<Vec<f32>, String> {
        let real = match self.dtype {
            StorageType::Real(real) => real,
            StorageType::Other { name, .. } => return Err(format!("it holds {name}; {REAL_TYPES} can be read")),
        };
        let end = self.start + (self.span * real.size()) as u64;
        real.numbers_from(source.range(self.start..end), self.span, self.byte_order).map_err(unreadable)
    }
}

/// Adds the elements of an array with these sides and strides, the last axis varying fastest.
fn gather(from: &[f32], axes: &[(usize, usize)], values: &mut Vec<f32>) {
    match axes {
        [] => values.push(from[0]),
        [(side, stride), rest @ ..] => (0..*side).for_each(|i| gather(&from[i * stride..], rest, values)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strided_elements_are_gathered_in_order() {
        // np.arange(6).reshape(2, 3).T.ravel()
        let mut values = Vec::new();
        gather(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &[(3, 1), (2, 3)], &mut values);
        assert_eq!(values, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    }

    #[test]
    fn extents_are_of_elements_and_of_places() {
        assert_eq!(extent(&[], &[]), Some((1, 1)));
        assert_eq!(extent(&[2, 3], &[6, 1]), Some((6, 9)));
        assert_eq!(extent(&[usize::MAX, 0], &[usize::MAX, 1]), Some((0, 0)));
        assert_eq!(extent(&[1 << 40, 1 << 40], &[1, 1]), None);
        assert_eq!(extent(&[3], &[usize::MAX]), None);
    }
}
