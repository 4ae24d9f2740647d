//! Optimizers: how far the variables move at each step, and which way.

mod adam;

pub use self::adam::{Adam, AdamConfig};
