//! One file per command.

pub mod catalog;
pub mod classify;
pub mod completions;
pub mod devices;
pub mod layers;
pub mod models;
pub mod render;
pub mod show;

use std::io::Write;

use serde::Serialize;

use crate::failure::Failure;

/// Prints one JSON value and a newline.
fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(out.flush()?)
}
