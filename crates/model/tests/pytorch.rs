//! Files that PyTorch wrote, of each kind, against the same tensors in safetensors.

use std::{env, path::PathBuf};

use entoptic_model::load::WeightsFile;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pytorch/").join(name)
}

/// A tensor's name, shape and values, which integers have not.
type Tensor = (String, Vec<usize>, Option<Vec<f32>>);

fn tensors(name: &str) -> Vec<Tensor> {
    let file = WeightsFile::open(&fixture(name)).unwrap_or_else(|error| panic!("{error}"));
    let values = |name: &str, shape: &[usize]| file.take(name, shape).map(|weights| weights.values().to_vec());
    let tensor = |name: &str| {
        let shape = file.shape(name).unwrap().to_vec();
        (name.to_owned(), shape.clone(), values(name, &shape).ok())
    };
    file.names().map(tensor).collect()
}

#[test]
fn every_kind_of_file_holds_the_same() {
    let expected = tensors("expected.safetensors");
    assert!(expected.len() >= 10 && expected.iter().filter(|(_, _, values)| values.is_none()).count() == 1);
    for name in [
        "zip.pth",
        "zip_protocol_4.pth",
        "legacy.pth",
        "ordered.pth",
        "ordered_legacy.pth",
        "checkpoint.pth",
        "checkpoint_legacy.pth",
        "parameters.pth",
        "parameters_legacy.pth",
        "sharded/model.safetensors.index.json",
    ] {
        assert_eq!(tensors(name), expected, "{name}");
    }
}

#[test]
fn a_state_dict_of_modules_is_read() {
    let expected = tensors("expected_network.safetensors");
    for name in ["network_state.pth", "network_state_legacy.pth"] {
        assert_eq!(tensors(name), expected, "{name}");
    }
}

#[test]
fn nothing_in_a_pickle_is_executed() {
    let folder = tempfile::tempdir().unwrap();
    env::set_current_dir(folder.path()).unwrap();
    for (name, names) in [
        ("evil.pth", "system"),
        ("evil_legacy.pth", "system"),
        ("network.pth", "torch.nn.modules"),
        ("network_legacy.pth", "torch.nn.modules"),
    ] {
        let error = WeightsFile::open(&fixture(name)).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(names) && !error.contains('\n'), "{name}: {error}");
    }
    assert!(folder.path().read_dir().unwrap().next().is_none());
}
