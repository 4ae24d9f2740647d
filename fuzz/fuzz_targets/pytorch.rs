#![no_main]

use entoptic_fuzz::{reading, take};
use entoptic_model::load::WeightsFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match reading(bytes.len(), || WeightsFile::from_bytes("fuzz.pth", bytes.to_vec())) {
    Ok(file) => take(&file),
    Err(error) => assert!(!error.to_string().is_empty()),
});
