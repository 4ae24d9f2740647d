//! What a `Const` holds.

use super::message::{DataType, Tensor, TensorShape};
use crate::load::{
    dtype::{Dtype, Real, Whole},
    lift::{Cannot, Constant, cannot, product},
};

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
    let dtype = dtype(tensor.dtype)?;
    let dims = tensor.shape.as_ref().map_or(Ok(vec![]), known_shape)?;
    let count = product(&dims)?;
    let (bytes, size) = (tensor.content.len(), dtype.size());
    if bytes == 0 {
        return listed(tensor, dtype, dims, count, budget);
    }
    if bytes != count * size {
        return Err(cannot(format!("{bytes} bytes are no {count} numbers of {size} bytes")));
    }
    budget.spend(count, dtype.size_in_memory(), bytes)?;
    Constant::new(dims, dtype.numbers(&tensor.content))
}

fn dtype(number: i32) -> Result<Dtype, Cannot> {
    Ok(match DataType::try_from(number) {
        Ok(DataType::Float) => Dtype::Real(Real::F32),
        Ok(DataType::Double) => Dtype::Real(Real::F64),
        Ok(DataType::Half) => Dtype::Real(Real::F16),
        Ok(DataType::Bfloat16) => Dtype::Real(Real::Bf16),
        Ok(DataType::Bool) => Dtype::Whole(Whole::Bool),
        Ok(DataType::Int8) => Dtype::Whole(Whole::I8),
        Ok(DataType::Uint8) => Dtype::Whole(Whole::U8),
        Ok(DataType::Int16) => Dtype::Whole(Whole::I16),
        Ok(DataType::Uint16) => Dtype::Whole(Whole::U16),
        Ok(DataType::Int32) => Dtype::Whole(Whole::I32),
        Ok(DataType::Int64) => Dtype::Whole(Whole::I64),
        Ok(DataType::String) => return Err(cannot("it is text")),
        Ok(DataType::Invalid) | Err(_) => {
            return Err(cannot(format!("its numbers are of type {number}, which is not read")));
        }
    })
}

/// The numbers of a tensor in the field of their type.
fn listed(
    tensor: Tensor,
    dtype: Dtype,
    dims: Vec<usize>,
    count: usize,
    budget: &mut Budget,
) -> Result<Constant, Cannot> {
    let Tensor { floats, doubles, ints, longs, bools, halves, .. } = tensor;
    match dtype {
        Dtype::Real(real) => {
            let listed = match real {
                Real::F32 => floats,
                Real::F64 => doubles.into_iter().map(|value| value as f32).collect(),
                Real::F16 | Real::Bf16 => halves.into_iter().map(|bits| real.of_bits(bits as u16)).collect(),
            };
            spread(dims, listed, count, budget, Constant::floats)
        }
        Dtype::Whole(whole) => {
            let listed = match whole {
                Whole::I64 => longs,
                Whole::Bool => bools.into_iter().map(i64::from).collect(),
                _ => ints.into_iter().map(i64::from).collect(),
            };
            spread(dims, listed, count, budget, Constant::integers)
        }
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
