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
pub mod doctor;
pub mod import;
pub mod inspect;
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

use std::{io::Write, path::Path};

use entoptic::network::{Network, model::zoo};
use serde::Serialize;

use crate::failure::{Failure, tell};

/// The model `name_or_file`; a line says so if how it takes colors is a guess that nobody has written down.
fn open(name_or_file: &str, folder: &Path) -> Result<Network, Failure> {
    let Some(opened) = zoo::read(name_or_file, folder)? else { return Ok(zoo::squeezenet_v1_1().into()) };
    if let Some(guess) = opened.model.description.guessed_values().filter(|guess| !guess.is_written()) {
        tell(&format!(
            "note: how `{name_or_file}` takes colors is a guess ({}); `entoptic import {}` writes it to a file that can be \
             changed",
            guess.reason,
            opened.path.display()
        ));
    }
    Ok(opened.model.into())
}

/// Prints one JSON value and a newline.
fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(out.flush()?)
}
