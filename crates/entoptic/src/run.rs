//! A run as data: all that is needed to make its picture again.

use std::ops::ControlFlow;

use burn::tensor::Device;
use entoptic_network::Network;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    objective::Objective,
    param::{self, Param},
    render::{Progress, Render, RenderConfig, check, render_on},
};

/// The description of a run.
///
/// It is saved in the pictures the run makes, see [`picture::save`](crate::picture::save), and comes back with
/// [`picture::description`](crate::picture::description).
///
/// ```
/// use entoptic::{Run, objective::channel, param};
///
/// let run = Run::new(channel("fire5", 20), param::image([64, 64]));
/// let text = serde_json::to_string(&run).unwrap();
/// assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), run);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of entoptic that described it.
    pub version: String,
    /// The network.
    pub model: Model,
    /// What is maximised.
    pub objective: Objective,
    /// What is optimized.
    pub param: param::Image,
    /// How.
    pub render: RenderConfig,
}

/// Which network a run uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// The name or file it was asked for by.
    pub name: String,
    /// SHA-256 of its weights, in hexadecimal; empty until it was opened.
    pub sha256: String,
}

impl Run {
    /// A run of the embedded model with default options.
    pub fn new(objective: Objective, param: param::Image) -> Self {
        let model = Model { name: entoptic_network::zoo::DEFAULT.into(), sha256: String::new() };
        let version = env!("CARGO_PKG_VERSION").into();
        Self { version, model, objective, param, render: RenderConfig::new() }
    }

    /// Whether the run can be done with `network`, before it starts.
    ///
    /// # Errors
    /// As [`render::check`](crate::render::check).
    pub fn check(&self, network: &Network) -> Result<(), Error> {
        self.param.check()?;
        check(&network.into(), &self.objective, &Param::from(&self.param), &self.render)
    }

    /// Does the run; `progress` sees every step and can end it.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn render(
        &self,
        network: &Network,
        device: &Device,
        progress: impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Render, Error> {
        self.param.check()?;
        render_on(device, network, &self.objective, &self.param, &self.render, progress)
    }

    /// The run whose last image is this run's after `step`.
    pub fn until(&self, step: usize) -> Self {
        let mut run = self.clone();
        run.render.steps = step;
        run.render.thresholds.clear();
        run
    }
}
