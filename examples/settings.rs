//! How large and how long the examples' runs are: in full, or with `--quick` or `--tiny` behind `--`.

use std::env;

/// Pixels of a side and steps: these, or those of a preview.
pub fn size_and_steps(size: usize, steps: usize) -> (usize, usize) {
    match env::args().nth(1).as_deref() {
        None => (size, steps),
        Some("--quick") => (size.min(64), steps.min(64)),
        Some("--tiny") => (size.min(64), 2),
        Some(other) => panic!("an example takes --quick, --tiny or nothing, not {other}"),
    }
}
