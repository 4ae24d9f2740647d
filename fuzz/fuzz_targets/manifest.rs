#![no_main]

use entoptic_fuzz::reading;
use entoptic_model::manifest::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match reading(text.len(), || Manifest::parse(text)) {
    Ok(manifest) => {
        let _ = manifest.preprocessing();
        let again = Manifest::parse(&manifest.to_string());
        assert_eq!(again.as_ref(), Ok(&manifest), "what is written reads the same");
    }
    Err(reason) => assert!(!reason.is_empty()),
});
