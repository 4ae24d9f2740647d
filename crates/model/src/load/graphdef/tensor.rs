//! What a `Const` holds.

use half::{bf16, f16};

use super::message::{DataType, Tensor, TensorShape};
use crate::load::lift::{Cannot, Constant, cannot, product};

/// How many bytes numbers may take that the file does not: where types are wider in memory, or the last number goes on.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

impl Budget {
    /// As many as a file of `length` bytes has once more, and what a small network might want.
    pub fn of_file(length: usize) -> Self {
        Self { left: length.saturating_add(1 << 24) }
    }

    fn spend(&mut self, numbers: usize, width: usize, stored: usize) -> Result<(), Cannot> {
        let more = numbers.saturating_mul(width).saturating_sub(stored);
        let too_many = || cannot(format!("its numbers unfold to {more} bytes more than the file has"));
        self.left = self.left.checked_sub(more).ok_or_else(too_many)?;
        Ok(())
    }
}

/// The numbers of `tensor`, which are taken out of it.
pub fn read(tensor: Tensor, budget: &mut Budget) -> Result<Constant, Cannot> {
    let Tensor { dtype, shape, content, floats, doubles, ints, longs, bools, halves, .. } = tensor;
    let dims = shape.as_ref().map_or(Ok(vec![]), known_shape)?;
    let count = product(&dims)?;
    let bytes = Bytes { content: &content, count };
    match DataType::try_from(dtype) {
        Ok(DataType::Float) => {
            let listed = bytes.or(floats, f32::from_le_bytes, |v| v, budget)?;
            spread(dims, listed, count, budget, Constant::floats)
        }
        Ok(DataType::Double) => {
            let listed = bytes.or(doubles, |b| f64::from_le_bytes(b) as f32, |v| v as f32, budget)?;
            spread(dims, listed, count, budget, Constant::floats)
        }
        Ok(DataType::Half) => {
            let read = |b| f16::from_le_bytes(b).to_f32();
            let listed = bytes.or(halves, read, |bits| f16::from_bits(bits as u16).to_f32(), budget)?;
            spread(dims, listed, count, budget, Constant::floats)
        }
        Ok(DataType::Bfloat16) => {
            let read = |b| bf16::from_le_bytes(b).to_f32();
            let listed = bytes.or(halves, read, |bits| bf16::from_bits(bits as u16).to_f32(), budget)?;
            spread(dims, listed, count, budget, Constant::floats)
        }
        Ok(DataType::Int64) => {
            let listed = bytes.or(longs, i64::from_le_bytes, |v| v, budget)?;
            spread(dims, listed, count, budget, Constant::integers)
        }
        Ok(DataType::Bool) => {
            let listed = bytes.or(bools, |[b]: [u8; 1]| b.into(), i64::from, budget)?;
            spread(dims, listed, count, budget, Constant::integers)
        }
        Ok(small @ (DataType::Int32 | DataType::Int16 | DataType::Uint16 | DataType::Int8 | DataType::Uint8)) => {
            let listed = match small {
                DataType::Int32 => bytes.or(ints, |b| i32::from_le_bytes(b).into(), i64::from, budget)?,
                DataType::Int16 => bytes.or(ints, |b| i16::from_le_bytes(b).into(), i64::from, budget)?,
                DataType::Uint16 => bytes.or(ints, |b| u16::from_le_bytes(b).into(), i64::from, budget)?,
                DataType::Int8 => bytes.or(ints, |[b]: [u8; 1]| (b as i8).into(), i64::from, budget)?,
                _ => bytes.or(ints, |[b]: [u8; 1]| b.into(), i64::from, budget)?,
            };
            spread(dims, listed, count, budget, Constant::integers)
        }
        Ok(DataType::String) => Err(cannot("it is text")),
        Ok(DataType::Invalid) | Err(_) => Err(cannot(format!("its numbers are of type {dtype}, which is not read"))),
    }
}

/// The sizes of a shape of which everything is known.
fn known_shape(shape: &TensorShape) -> Result<Vec<usize>, Cannot> {
    let sizes = shape.dim.iter().map(|dim| usize::try_from(dim.size).ok());
    match sizes.collect::<Option<_>>() {
        Some(sizes) if !shape.unknown_rank => Ok(sizes),
        _ => Err(cannot("a constant's shape is not known")),
    }
}

/// A constant's numbers as bytes in little-endian order, where it has them so.
struct Bytes<'a> {
    content: &'a [u8],
    count: usize,
}

impl Bytes<'_> {
    /// The numbers, read from bytes of `N` each; where there are none, those of `field`.
    fn or<const N: usize, T, F>(
        &self,
        field: Vec<F>,
        read: impl Fn([u8; N]) -> T,
        convert: impl Fn(F) -> T,
        budget: &mut Budget,
    ) -> Result<Vec<T>, Cannot> {
        let bytes = self.content.len();
        match self.content.as_chunks() {
            ([], []) => Ok(field.into_iter().map(convert).collect()),
            (chunks, []) if chunks.len() == self.count => {
                budget.spend(chunks.len(), size_of::<T>(), bytes)?;
                Ok(chunks.iter().map(|&chunk| read(chunk)).collect())
            }
            _ => Err(cannot(format!("{bytes} bytes are no {} numbers of {N} bytes", self.count))),
        }
    }
}

/// The first `count` numbers; where fewer are listed the last one goes on, and of none all are zero.
fn spread<T: Copy + Default>(
    dims: Vec<usize>,
    mut listed: Vec<T>,
    count: usize,
    budget: &mut Budget,
    constant: impl Fn(Vec<usize>, Vec<T>) -> Result<Constant, Cannot>,
) -> Result<Constant, Cannot> {
    let last = listed.last().copied().unwrap_or_default();
    if listed.len() <= 1 && count > 1 {
        return constant(vec![], vec![last])?.broadcast(&dims);
    }
    budget.spend(count, size_of::<T>(), listed.len() * size_of::<T>())?;
    listed.resize(count, last);
    constant(dims, listed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::graphdef::message::Dim;

    fn tensor(dtype: DataType, shape: &[i64]) -> Tensor {
        let dim = shape.iter().map(|&size| Dim { size }).collect();
        Tensor { dtype: dtype.into(), shape: Some(TensorShape { dim, unknown_rank: false }), ..Tensor::default() }
    }

    fn numbers(tensor: Tensor) -> Result<Vec<i64>, String> {
        let constant = read(tensor, &mut Budget::of_file(0)).map_err(|cannot| cannot.reason)?;
        Ok(constant.to_integers().unwrap())
    }

    #[test]
    fn the_last_number_goes_on() {
        let two = Tensor { floats: vec![1.0, 2.0], ..tensor(DataType::Float, &[2, 2]) };
        assert_eq!(numbers(two), Ok(vec![1, 2, 2, 2]));
        assert_eq!(numbers(Tensor { ints: vec![7], ..tensor(DataType::Uint8, &[]) }), Ok(vec![7]));
        assert_eq!(numbers(tensor(DataType::Bool, &[3])), Ok(vec![0; 3]));
        assert_eq!(numbers(Tensor { halves: vec![0x3c00], ..tensor(DataType::Half, &[2]) }), Ok(vec![1; 2]));
        let bfloats = Tensor { halves: vec![0x3f80, 0xbf80], ..tensor(DataType::Bfloat16, &[2]) };
        assert_eq!(numbers(bfloats), Ok(vec![1, -1]));
    }

    #[test]
    fn bytes_are_little_endian_and_as_many_as_the_shape_says() {
        let content = Tensor { content: vec![1, 0, 255, 255].into(), ..tensor(DataType::Int16, &[2]) };
        assert_eq!(numbers(content), Ok(vec![1, -1]));
        let short = Tensor { content: vec![0; 4].into(), ..tensor(DataType::Float, &[2]) };
        assert_eq!(numbers(short), Err("4 bytes are no 2 numbers of 4 bytes".into()));
    }

    #[test]
    fn nothing_unfolds_without_bound() {
        let one = Tensor { floats: vec![1.0], ..tensor(DataType::Float, &[1 << 30]) };
        let one = read(one, &mut Budget::of_file(0)).unwrap();
        assert_eq!((one.len(), one.is_packed()), (1 << 30, false), "it is one number, repeated");
        let two = Tensor { floats: vec![1.0, 2.0], ..tensor(DataType::Float, &[1 << 30]) };
        assert_eq!(numbers(two), Err("its numbers unfold to 4294967288 bytes more than the file has".into()));
        assert!(numbers(tensor(DataType::Float, &[1 << 40, 1 << 40])).is_err());
        assert!(numbers(tensor(DataType::Float, &[-1])).is_err());
        assert_eq!(numbers(tensor(DataType::String, &[])), Err("it is text".into()));
    }
}
