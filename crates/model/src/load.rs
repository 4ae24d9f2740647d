//! Reading weights from files.

mod safetensors;

pub use safetensors::WeightsFile;
