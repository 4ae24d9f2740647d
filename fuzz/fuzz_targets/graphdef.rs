#![no_main]

use entoptic_fuzz::{ask, reading};
use entoptic_model::load::{Options, graphdef};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    |bytes: &[u8]| match reading(bytes.len(), || graphdef::from_bytes("fuzz.pb", bytes, &Options::default())) {
        Ok(imported) => ask(&imported.graph),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
);
