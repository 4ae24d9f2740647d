//! Arrays in files: what NumPy wrote is read, what we write is read back, what is broken is named.

use std::{collections::BTreeMap, fs, path::Path};

use burn::tensor::{Device, Tensor};
use entoptic::{
    Array, Error,
    array::{self, Arrays, Kind, Stored},
};

fn numpys() -> BTreeMap<String, Stored> {
    array::load_stored(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/numpy.npz").as_ref()).unwrap()
}

#[test]
fn every_type_that_numpy_wrote_is_read() {
    let counted: Vec<f32> = (0..24).map(|v| v as f32).collect();
    let arrays = numpys();
    assert_eq!(arrays.len(), 16);
    for (name, Stored { array, kind: found }) in &arrays {
        let (kind, values) = match name.as_str() {
            "scalar" => {
                assert_eq!((array, *found), (&Array::new([], vec![0.5]), Kind::Real));
                continue;
            }
            "bool" => (Kind::Truth, counted.iter().map(|v| v % 2.0).collect()),
            "fortran" | "f2" | "f4" | "f8" | "big_f4" => (Kind::Real, counted.clone()),
            _ => (Kind::Whole, counted.clone()),
        };
        assert_eq!((array, *found), (&Array::new([2, 3, 4], values), kind), "{name}");
    }
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let values = vec![0.1, -2.5, 1e-30, 3e30, 0.0, 7.0];
    for (i, shape) in [&[6][..], &[2, 3], &[1, 2, 1, 3]].into_iter().enumerate() {
        for extension in ["npy", "npz", "safetensors", "json", "NPY"] {
            let path = folder.path().join(format!("{i}.{extension}"));
            let array = Array::new(shape, values.clone());
            array::save(&path, &array).unwrap();
            assert_eq!(array::load(&path).unwrap(), array, "{extension}");
        }
    }
    let two = Arrays::from([("a", [2]), ("b/c", [1])].map(|(name, [n])| (name.into(), Array::new([n], vec![1.5; n]))));
    for extension in ["npz", "safetensors"] {
        let path = folder.path().join(format!("two.{extension}"));
        array::save_all(&path, &two).unwrap();
        assert_eq!(array::load_all(&path).unwrap(), two);
        assert!(array::load(&path).unwrap_err().to_string().contains("2 arrays"));
    }
    let error = array::save_all(&folder.path().join("two.npy"), &two).unwrap_err().to_string();
    assert!(error.ends_with(".npz and .safetensors would work"), "{error}");
}

#[test]
fn an_array_is_a_tensor_of_its_own_rank_only() {
    let device = Device::flex();
    let tensor = Tensor::<2>::from_floats([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &device);
    let array = Array::from(tensor.clone());
    assert_eq!(array, Array::new([2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    array.tensor::<2>(&device).unwrap().into_data().assert_eq(&tensor.into_data(), true);
    let error = array.tensor::<1>(&device).unwrap_err();
    assert_eq!(error.to_string(), "an array of shape [2, 3] has 2 axes; 1 would work");
}

#[test]
fn broken_files_are_named_with_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.npy");
    array::save(&whole, &Array::new([4], vec![1.0; 4])).unwrap();
    let bytes = fs::read(&whole).unwrap();
    let numpy = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/numpy.npz")).unwrap();
    let mut damaged = numpy.clone();
    damaged[100] ^= 0xff;
    let cases: [(&str, &[u8], &str); 9] = [
        ("empty.npy", b"", "no .npy file"),
        ("header.npy", &bytes[..40], "its header is cut off"),
        ("cut.npy", &bytes[..bytes.len() - 1], "it may be cut off"),
        ("text.npz", b"not a zip", "no .npz file"),
        ("cut.npz", &numpy[..numpy.len() / 2], "no .npz file"),
        ("damaged.npz", &damaged, "is damaged"),
        ("text.safetensors", b"not tensors", "no .safetensors file"),
        ("text.json", b"[1, ", "no JSON"),
        ("text.txt", b"1 2 3", "an array's file name ends in .npy, .npz, .safetensors or .json"),
    ];
    for (name, bytes, expected) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = array::load(&path).unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{name}");
        assert!(error.to_string().contains(expected), "{name}: {error}");
    }
    let error = array::load(Path::new("nowhere.npy")).unwrap_err().to_string();
    assert_eq!(error, "cannot read nowhere.npy: there is no such file");
}
