//! Models known by name, brought into the models folder.
//!
//! [`pull`] downloads the file of an [`Entry`](entoptic_model::zoo::Entry) of the catalog, holds it against its checksum,
//! opens it, and writes beside it what the catalog knows of the model. Nothing here prints: who calls watches, and can end
//! it.

mod error;
mod pull;

pub use entoptic_download as download;

pub use error::Error;
pub use pull::{Options, Pulled, Verified, kept, pull};
