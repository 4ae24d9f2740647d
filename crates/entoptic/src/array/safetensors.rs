use std::collections::BTreeMap;

use safetensors::{SafeTensors, tensor::TensorView};

use super::{
    Array, Arrays, Stored,
    dtype::{Dtype, bytes},
};

pub fn read(file: &[u8]) -> Result<BTreeMap<String, Stored>, String> {
    let tensors = SafeTensors::deserialize(file).map_err(|error| format!("no .safetensors file ({error})"))?;
    let array = |(name, view): (&str, TensorView<'_>)| {
        let array = dtype(view.dtype()).and_then(|dtype| dtype.array(view.shape().to_vec(), view.data()));
        Ok((name.to_owned(), array.map_err(|reason| format!("`{name}`: {reason}"))?))
    };
    tensors.iter().map(array).collect()
}

pub fn write(arrays: &Arrays) -> Result<Vec<u8>, String> {
    let named: Vec<(&String, &Array, Vec<u8>)> =
        arrays.iter().map(|(name, array)| (name, array, bytes(array))).collect();
    let views = named.iter().map(|(name, array, bytes)| {
        let view = TensorView::new(safetensors::Dtype::F32, array.shape.clone(), bytes);
        (*name, view.expect("an array has as many values as its shape says"))
    });
    safetensors::serialize(views.collect::<BTreeMap<_, _>>(), None).map_err(|error| error.to_string())
}

fn dtype(dtype: safetensors::Dtype) -> Result<Dtype, String> {
    use safetensors::Dtype as Stored;
    Ok(match dtype {
        Stored::BOOL => Dtype::Bool,
        Stored::I8 => Dtype::I8,
        Stored::U8 => Dtype::U8,
        Stored::I16 => Dtype::I16,
        Stored::U16 => Dtype::U16,
        Stored::I32 => Dtype::I32,
        Stored::U32 => Dtype::U32,
        Stored::I64 => Dtype::I64,
        Stored::U64 => Dtype::U64,
        Stored::F16 => Dtype::F16,
        Stored::BF16 => Dtype::Bf16,
        Stored::F32 => Dtype::F32,
        Stored::F64 => Dtype::F64,
        other => return Err(format!("numbers of type {other:?} are not read; floats of 16 to 64 bits are")),
    })
}
