//! What every kind of objective can do.

use std::fmt::Debug;

use burn::tensor::Tensor;
use entoptic_network::Wanted;

use super::{Given, Step};
use crate::{Error, notation::Call, param::Param};

/// What an objective is made of: something that can be measured at a step.
pub(super) trait Measure: Debug {
    /// The layers it reads.
    fn layers(&self) -> Vec<&str>;

    /// What it reads of them: what no objective reads is not computed.
    fn wanted(&self) -> Vec<Wanted> {
        self.layers().into_iter().map(Wanted::layer).collect()
    }

    /// Its value; whatever it reads and is not there is an error.
    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error>;

    /// Its text.
    fn write(&self) -> Call;

    /// The numbers it was given.
    fn given(&self) -> Vec<&Given> {
        Vec::new()
    }

    /// The same, to be replaced.
    fn given_mut(&mut self) -> Vec<&mut Given> {
        Vec::new()
    }

    /// The params it reads.
    fn params(&self) -> Vec<Param> {
        self.given().into_iter().filter_map(Given::param).cloned().collect()
    }
}
