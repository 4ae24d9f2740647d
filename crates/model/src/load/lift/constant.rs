//! Numbers that a file holds: weights, and what sizes are computed with.

use std::sync::Arc;

use super::{Cannot, cannot};
use crate::graph::Weights;

/// No axis and no product of axes is longer than this.
pub(crate) const LONGEST: usize = 1 << 31;

/// A tensor has no more axes than this.
pub(crate) const MOST_AXES: usize = 32;

/// The numbers of a [`Constant`].
#[derive(Debug, Clone)]
pub(crate) enum Numbers {
    /// Real numbers.
    F32(Arc<Vec<f32>>),
    /// Whole numbers, and booleans as 0 and 1.
    I64(Arc<Vec<i64>>),
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::I64(values) => values.len(),
        }
    }
}

/// A tensor of frozen numbers: axes over shared memory, so that transposing, slicing and repeating copy nothing.
#[derive(Debug, Clone)]
pub(crate) struct Constant {
    dims: Vec<usize>,
    strides: Vec<usize>,
    offset: usize,
    numbers: Numbers,
}

/// The product of all sizes, if it is not absurd; nor may it be without those that are 0.
pub(crate) fn product(dims: &[usize]) -> Result<usize, Cannot> {
    let largest = dims.iter().try_fold(1usize, |product, &size| product.checked_mul(size.max(1)));
    match largest {
        Some(largest) if largest <= LONGEST && dims.len() <= MOST_AXES => Ok(dims.iter().product()),
        _ => Err(cannot(format!("a tensor of {} axes is too large", dims.len()))),
    }
}

/// How far one step along each axis goes where all is row by row.
fn packed_strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    strides
}

impl Constant {
    /// Numbers of shape `dims`, row by row.
    pub fn new(dims: Vec<usize>, numbers: Numbers) -> Result<Self, Cannot> {
        let expected = product(&dims)?;
        if expected != numbers.len() {
            return Err(cannot(format!("{} numbers are no {dims:?}", numbers.len())));
        }
        Ok(Self { strides: packed_strides(&dims), dims, offset: 0, numbers })
    }

    /// Real numbers of shape `dims`, row by row.
    pub fn floats(dims: Vec<usize>, values: Vec<f32>) -> Result<Self, Cannot> {
        Self::new(dims, Numbers::F32(Arc::new(values)))
    }

    /// Whole numbers of shape `dims`, row by row.
    pub fn integers(dims: Vec<usize>, values: Vec<i64>) -> Result<Self, Cannot> {
        Self::new(dims, Numbers::I64(Arc::new(values)))
    }

    /// One real number.
    pub fn scalar(value: f32) -> Self {
        Self { dims: vec![], strides: vec![], offset: 0, numbers: Numbers::F32(Arc::new(vec![value])) }
    }

    /// A list of sizes.
    pub fn sizes(sizes: &[usize]) -> Self {
        let values = sizes.iter().map(|&size| size as i64).collect();
        Self { dims: vec![sizes.len()], strides: vec![1], offset: 0, numbers: Numbers::I64(Arc::new(values)) }
    }

    /// The size of each axis.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether these are whole numbers.
    pub fn is_integer(&self) -> bool {
        matches!(self.numbers, Numbers::I64(_))
    }

    /// How far one step along each axis goes.
    pub(super) fn strides(&self) -> &[usize] {
        &self.strides
    }

    /// The value at a place, counted in steps from the first element.
    pub(super) fn at(&self, place: usize) -> f32 {
        match &self.numbers {
            Numbers::F32(values) => values[self.offset + place],
            Numbers::I64(values) => values[self.offset + place] as f32,
        }
    }

    /// As [`at`](Self::at), as a whole number.
    pub(super) fn integer_at(&self, place: usize) -> i64 {
        match &self.numbers {
            Numbers::F32(values) => values[self.offset + place] as i64,
            Numbers::I64(values) => values[self.offset + place],
        }
    }

    /// The only element, if there is only one.
    pub fn single(&self) -> Option<f32> {
        (self.len() == 1).then(|| self.at(0))
    }

    /// All elements as whole numbers, which are sizes, axes or indices: no more than [`MOST_INDICES`].
    pub fn to_integers(&self) -> Result<Vec<i64>, Cannot> {
        match self.len() {
            0..=MOST_INDICES => Ok(places(&self.dims, &self.strides).map(|place| self.integer_at(place)).collect()),
            n => Err(cannot(format!("{n} are too many indices"))),
        }
    }

    /// All elements as real numbers, no more than [`MOST_INDICES`].
    pub fn to_floats(&self) -> Result<Vec<f32>, Cannot> {
        match self.len() {
            0..=MOST_INDICES => Ok(places(&self.dims, &self.strides).map(|place| self.at(place)).collect()),
            n => Err(cannot(format!("{n} are too many"))),
        }
    }

    /// Whether elements stand row by row, without gaps.
    pub fn is_packed(&self) -> bool {
        let packed = packed_strides(&self.dims);
        self.offset == 0
            && self.len() == self.numbers.len()
            && self.dims.iter().zip(&self.strides).zip(&packed).all(|((&size, a), b)| size == 1 || a == b)
    }

    /// All elements row by row; only those that are not are copied.
    pub(super) fn packed(&self) -> Self {
        match self.is_packed() {
            true => self.clone(),
            false => self.copied(),
        }
    }

    fn copied(&self) -> Self {
        let numbers = match &self.numbers {
            Numbers::F32(values) => Numbers::F32(Arc::new(self.gathered(values))),
            Numbers::I64(values) => Numbers::I64(Arc::new(self.gathered(values))),
        };
        Self { dims: self.dims.clone(), strides: packed_strides(&self.dims), offset: 0, numbers }
    }

    fn gathered<T: Copy + Default>(&self, values: &[T]) -> Vec<T> {
        let count = self.len();
        let values = &values[self.offset.min(values.len())..];
        if let ([rows, columns], [row, column]) = (&self.dims[..], &self.strides[..])
            && count > 0
        {
            // A matrix turned: in squares, which stay in the cache.
            const SIDE: usize = 32;
            let mut gathered = vec![T::default(); count];
            for (i, j) in (0..*rows).step_by(SIDE).flat_map(|i| (0..*columns).step_by(SIDE).map(move |j| (i, j))) {
                for i in i..(i + SIDE).min(*rows) {
                    for j in j..(j + SIDE).min(*columns) {
                        gathered[i * columns + j] = values[i * row + j * column];
                    }
                }
            }
            return gathered;
        }
        let mut gathered = Vec::with_capacity(count);
        gathered.extend(places(&self.dims, &self.strides).map(|place| values[place]));
        gathered
    }

    /// Packed real numbers as weights of a shape of the same product; they share their memory.
    pub(super) fn into_weights(self, shape: Vec<usize>) -> Weights {
        let values = match self.packed().numbers {
            Numbers::F32(values) => values,
            Numbers::I64(values) => Arc::new(values.iter().map(|&value| value as f32).collect()),
        };
        Weights::shared(shape, values)
    }

    /// The axes in another order.
    pub fn transposed(&self, order: &[usize]) -> Self {
        let pick = |list: &[usize]| order.iter().map(|&axis| list[axis]).collect();
        Self { dims: pick(&self.dims), strides: pick(&self.strides), ..self.clone() }
    }

    /// Packed numbers with other axes of the same product.
    pub(super) fn regrouped(&self, dims: Vec<usize>) -> Self {
        debug_assert!(self.is_packed());
        Self { strides: packed_strides(&dims), dims, ..self.clone() }
    }

    /// An axis of size 1 at `axis`.
    pub(super) fn with_axis(mut self, axis: usize) -> Self {
        self.dims.insert(axis, 1);
        self.strides.insert(axis, 0);
        self
    }

    /// Without `axis`, which has size 1.
    pub(super) fn without_axis(mut self, axis: usize) -> Self {
        self.dims.remove(axis);
        self.strides.remove(axis);
        self
    }

    /// `count` elements of an axis, from `start` in steps of `step`.
    pub(super) fn sliced(&self, axis: usize, start: usize, step: usize, count: usize) -> Self {
        let mut sliced = self.clone();
        sliced.dims[axis] = count;
        if count > 0 {
            sliced.offset += start * self.strides[axis];
        }
        sliced.strides[axis] *= step;
        sliced
    }

    /// Repeated along axes of size 1 until it has the shape `dims`.
    pub fn broadcast(&self, dims: &[usize]) -> Result<Self, Cannot> {
        product(dims)?;
        let wrong = || cannot(format!("{:?} does not spread over {dims:?}", self.dims));
        let missing = dims.len().checked_sub(self.dims.len()).ok_or_else(wrong)?;
        let mut strides = vec![0; missing];
        for ((&size, &stride), &wanted) in self.dims.iter().zip(&self.strides).zip(&dims[missing..]) {
            match size {
                _ if size == wanted => strides.push(stride),
                1 => strides.push(0),
                _ => return Err(wrong()),
            }
        }
        Ok(Self { dims: dims.to_vec(), strides, offset: self.offset, numbers: self.numbers.clone() })
    }

    /// As real or whole numbers.
    pub(super) fn cast(&self, to_integer: bool) -> Self {
        if self.is_integer() == to_integer {
            return self.clone();
        }
        let numbers = match &self.numbers {
            Numbers::F32(values) => Numbers::I64(Arc::new(values.iter().map(|&value| value as i64).collect())),
            Numbers::I64(values) => Numbers::F32(Arc::new(values.iter().map(|&value| value as f32).collect())),
        };
        Self { numbers, ..self.clone() }
    }

    /// How many numbers are in memory, seen or not.
    pub(super) fn stored(&self) -> usize {
        self.numbers.len()
    }
}

/// Lists of sizes, axes and indices are not longer than this.
pub(crate) const MOST_INDICES: usize = 1 << 16;

/// The places of all elements, row by row.
pub(super) fn places<'a>(dims: &'a [usize], strides: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    let (outer, last) = dims.split_at(dims.len().saturating_sub(1));
    let (count, step) = (last.first().copied().unwrap_or(1), strides.last().copied().unwrap_or(1));
    let rows = if count == 0 { 0 } else { outer.iter().product() };
    let mut digits = vec![0; outer.len()];
    let mut start = 0;
    (0..rows).flat_map(move |row| {
        if row > 0 {
            for axis in (0..digits.len()).rev() {
                digits[axis] += 1;
                start += strides[axis];
                if digits[axis] < outer[axis] {
                    break;
                }
                start -= outer[axis] * strides[axis];
                digits[axis] = 0;
            }
        }
        let first = start;
        (0..count).map(move |i| first + i * step)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(constant: &Constant) -> Vec<i64> {
        constant.to_integers().unwrap()
    }

    #[test]
    fn views_share_memory_until_they_are_packed() {
        let constant = Constant::integers(vec![2, 3], (0..6).collect()).unwrap();
        let transposed = constant.transposed(&[1, 0]);
        assert_eq!((transposed.dims(), values(&transposed)), ([3, 2].as_slice(), vec![0, 3, 1, 4, 2, 5]));
        assert!(!transposed.is_packed() && transposed.transposed(&[1, 0]).is_packed());
        assert_eq!(values(&transposed.sliced(0, 1, 1, 2).packed()), [1, 4, 2, 5]);
        assert_eq!(values(&constant.sliced(1, 0, 2, 2).broadcast(&[2, 2, 2]).unwrap()), [0, 2, 3, 5, 0, 2, 3, 5]);
    }

    #[test]
    fn nothing_absurd_has_a_product() {
        assert!(product(&[1 << 40]).is_err() && product(&[1 << 20, 1 << 20]).is_err() && product(&[1; 33]).is_err());
        assert!(product(&[usize::MAX, usize::MAX]).is_err());
        assert!(product(&[1 << 40, 0]).is_err() && product(&[0, 1 << 20, 1 << 20]).is_err());
        assert_eq!(product(&[0, 1 << 20]).unwrap(), 0);
        assert_eq!(product(&[]).unwrap(), 1);
    }
}
