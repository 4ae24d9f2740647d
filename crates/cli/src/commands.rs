//! One file per command.

pub mod activation_grid;
pub mod atlas;
pub mod attribute;
pub mod caricature;
pub mod catalog;
pub mod classify;
pub mod completions;
pub mod deepdream;
pub mod devices;
pub mod dictionary;
pub mod interaction_grid;
pub mod interpolate;
pub mod layers;
pub mod models;
pub mod neuron_groups;
pub mod pull;
mod recipe;
pub mod render;
pub mod show;
pub mod spritemap;
pub mod study;
pub mod style;
pub mod transparent;

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
