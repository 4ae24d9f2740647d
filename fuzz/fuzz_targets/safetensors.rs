//! A file, a header whose file is then made to fit, or the index of two files that are there.
#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use entoptic_fuzz::{reading, take};
use entoptic_model::load::WeightsFile;
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let (folder, shards) = (tempfile::tempdir().expect("a folder"), PathBuf::from("../fixtures/pytorch/sharded"));
    for part in ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] {
        fs::copy(
            [env!("CARGO_MANIFEST_DIR").into(), shards.join(part)].iter().collect::<PathBuf>(),
            folder.path().join(part),
        )
        .expect("a fixture is there");
    }
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let read = || match bytes {
        [b'{', ..] if bytes.windows(10).any(|part| part == b"weight_map") => {
            let index = FOLDER.path().join("model.safetensors.index.json");
            fs::write(&index, bytes).expect("a file can be written");
            WeightsFile::open(&index)
        }
        [b'{', ..] => {
            let body = 4 * bytes.len();
            let whole = [&(bytes.len() as u64).to_le_bytes(), bytes, &vec![0x3f; body]].concat();
            WeightsFile::from_bytes("fuzz.safetensors", whole)
        }
        _ => WeightsFile::from_bytes("fuzz.safetensors", bytes.to_vec()),
    };
    match reading(bytes.len(), read) {
        Ok(file) => take(&file),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
