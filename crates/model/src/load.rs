//! Reading models from files.

mod checksum;
mod safetensors;
mod weights;

pub use weights::WeightsFile;
