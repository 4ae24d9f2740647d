//! The models known by name, ready to be asked.

use std::path::Path;

pub use entoptic_model::zoo::{
    Collection, DEFAULT, Entry, LabelsFrom, Origin, catalog, default_folder, find, unknown_in,
};

use crate::{Error, Network};

/// SqueezeNet v1.1, which is part of the program.
///
/// # Reference
/// [SqueezeNet](https://arxiv.org/abs/1602.07360), Iandola et al., 2016.
pub fn squeezenet_v1_1() -> Network {
    entoptic_model::zoo::squeezenet_v1_1().into()
}

/// The model `name_or_file`: one known by name, its weights in the models folder, or a file.
///
/// # Errors
/// As [`entoptic_model::zoo::open`].
pub fn open(name_or_file: &str, folder: &Path) -> Result<Network, Error> {
    Ok(entoptic_model::zoo::open(name_or_file, folder)?.into())
}
