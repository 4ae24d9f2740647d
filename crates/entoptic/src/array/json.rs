//! Lists of lists of numbers.

use std::iter;

use serde_json::Value;

use super::{Array, Kind, Stored};

pub fn read(file: &[u8]) -> Result<Stored, String> {
    let value: Value = serde_json::from_slice(file).map_err(|error| format!("no JSON ({error})"))?;
    let shape = shape(&value);
    let mut values = Vec::new();
    collect(&value, &shape, &mut values)?;
    Ok(Stored { array: Array::new(shape, values), kind: Kind::Real })
}

pub fn write(array: &Array) -> Result<Vec<u8>, String> {
    if let Some(value) = array.values.iter().find(|value| !value.is_finite()) {
        return Err(format!("JSON has no {value}; .npy and .safetensors do"));
    }
    Ok(nested(&array.shape, &array.values).into_bytes())
}

/// The shape that a list of lists has if its first elements are like the others.
fn shape(value: &Value) -> Vec<usize> {
    let firsts = iter::successors(Some(value), |value| value.as_array()?.first());
    firsts.map_while(Value::as_array).map(Vec::len).collect()
}

fn collect(value: &Value, shape: &[usize], values: &mut Vec<f32>) -> Result<(), String> {
    match (value, shape) {
        (Value::Number(number), []) => {
            values.push(number.as_f64().expect("without arbitrary precision every number is one") as f32);
            Ok(())
        }
        (Value::Array(list), [length, inner @ ..]) if list.len() == *length => {
            list.iter().try_for_each(|value| collect(value, inner, values))
        }
        (Value::Number(_) | Value::Array(_), _) => Err("its lists differ in length or depth".into()),
        (other, _) => Err(format!("`{other}` is no number")),
    }
}

/// Numbers in as few digits as name them among f32.
fn nested(shape: &[usize], values: &[f32]) -> String {
    match shape {
        [] => format!("{:?}", values[0]),
        [length, inner @ ..] => {
            let size = inner.iter().product::<usize>();
            let lists = (0..*length).map(|i| nested(inner, &values[i * size..(i + 1) * size]));
            format!("[{}]", lists.collect::<Vec<_>>().join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_lists_are_read_and_written() {
        for text in ["[[1.5,2.0,-3.0],[0.0,1e-7,4.0]]", "[]", "2.5", "[[],[]]"] {
            let array = read(text.as_bytes()).unwrap().array;
            assert_eq!(read(&write(&array).unwrap()).unwrap().array, array, "{text}");
        }
        assert_eq!(write(&Array::new([2, 1], vec![0.1, 3e30])).unwrap(), b"[[0.1],[3e30]]");
        let array = read(b"[[1, 2, 3], [4, 5, 6]]").unwrap().array;
        assert_eq!(array, Array::new([2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    }

    #[test]
    fn ragged_lists_and_words_are_errors() {
        for text in ["[[1, 2], [3]]", "[1, [2]]", "[[1], 2]"] {
            assert!(read(text.as_bytes()).unwrap_err().contains("differ"), "{text}");
        }
        assert!(read(b"[1, \"two\"]").unwrap_err().contains("\"two\""));
        assert!(write(&Array::new([1], vec![f32::NAN])).unwrap_err().contains("NaN"));
    }
}
