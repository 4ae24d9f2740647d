//! Shows what is inside a vision network: finds the image that makes a chosen part of it respond.
//!
//! ```text
//! param ──image──▶ transforms ──image──▶ network ──activations──▶ objective ──value──▶ gradient ──▶ optimizer ──▶ param
//! ```
//!
//! An [`objective`] says what is maximized, a [`param`] what is optimized and how it becomes an image, [`transform`]s
//! what the image must survive; [`render()`] is the ascent. A [`Run`] holds all of that as data, and [`picture`]s carry
//! the run that made them. An [`array`](mod@array) is any other table of numbers that stands in a file.
//!
//! ```
//! use entoptic::{RenderConfig, network::zoo, objective::channel, param, picture, render};
//!
//! let network = zoo::squeezenet_v1_1();
//! let config = RenderConfig::new().with_steps(2);
//! let render = render(&network, &channel("fire5", 20), param::image([48, 48]), &config)?;
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("fire5.png");
//! picture::save(&path, render.images().unwrap(), None)?;
//! # Ok::<(), entoptic::Error>(())
//! ```

pub mod array;
mod band;
pub mod chance;
mod cpu;
pub mod device;
pub mod doctor;
mod error;
mod networks;
mod notation;
pub mod objective;
pub mod optimizer;
pub mod page;
pub mod param;
pub mod picture;
pub mod recipe;
pub mod reducer;
pub mod render;
mod resize;
mod run;
pub mod transform;
mod umap;
mod whole_file;

#[doc(no_inline)]
pub use entoptic_network as network;

pub use array::Array;
pub use error::Error;
pub use networks::Networks;
pub use notation::{Entry, SyntaxError};
pub use render::{Checkpoint, Ending, Progress, Render, RenderConfig, Snapshot, render, render_from, render_on};
pub use resize::resize_bilinear_nd;
pub use run::{Model, Run};
pub use whole_file::write_text;
