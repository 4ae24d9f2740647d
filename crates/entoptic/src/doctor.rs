//! Whether a network is right, before hours are spent on gray pictures.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//!
//! use burn::tensor::Device;
//! use entoptic::{doctor::{self, DoctorConfig, Severity}, network::zoo};
//!
//! let (network, device) = (zoo::open("model.safetensors", "".as_ref())?, Device::flex());
//! let photos = doctor::photos(&network, &device)?;
//! let examination =
//!     doctor::examine(&network, &device, &photos, &DoctorConfig::new(), |_| ControlFlow::Continue(()))?;
//! for finding in &examination.findings {
//!     if finding.severity >= Severity::Warning {
//!         println!("{}: {}", finding.check, finding.measured);
//!     }
//! }
//! # Ok::<(), entoptic::Error>(())
//! ```

mod answers;
mod gradients;
mod input;
mod layers;
mod photos;
mod ranges;

use std::{fmt, ops::ControlFlow};

use burn::{
    config::Config,
    tensor::{Device, Tensor},
};
use entoptic_network::Network;
use serde::Serialize;

pub use self::{
    answers::Answer,
    gradients::UnitGradient,
    layers::LayerStatistics,
    photos::{Photo, photos},
    ranges::RangeTried,
};
use crate::{
    Error,
    recipe::{Job, Moment},
};

/// The options of an examination.
#[derive(Config, Debug, PartialEq, Eq)]
pub struct DoctorConfig {
    /// How many images of noise are shown, in blocks of 1, 4, 16, ... pixels.
    #[config(default = 4)]
    pub noise: usize,
    /// Of how many layers, at most, a unit's gradient is measured.
    #[config(default = 40)]
    pub layers: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
}

/// What was found out about a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Examination {
    /// The network's name.
    pub model: String,
    /// SHA-256 of its weights file, in hexadecimal.
    pub sha256: String,
    /// The height and width it was made for.
    pub size: [usize; 2],
    /// What to think of it, check by check.
    pub findings: Vec<Finding>,
    /// The values that it was given photos in, and what it saw; its own first.
    pub ranges: Vec<RangeTried>,
    /// What its layers answered.
    pub layers: Vec<LayerStatistics>,
    /// How units of its layers can be moved.
    pub gradients: Vec<UnitGradient>,
}

impl Examination {
    /// How bad the worst of it is.
    pub fn severity(&self) -> Severity {
        self.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Fine)
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked.
    pub check: Check,
    /// How bad it is.
    pub severity: Severity,
    /// What was measured.
    pub measured: String,
    /// What to change, if something is to be.
    pub advice: Option<String>,
}

/// What is checked, in the order of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// What images it takes.
    Input,
    /// Which operations of its file it lacks.
    Operations,
    /// What it sees on photos.
    Photos,
    /// In which range of values it sees best.
    Range,
    /// What its layers answer.
    Layers,
    /// Which units never answer.
    DeadUnits,
    /// Whether units can be moved.
    Gradients,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Input => "input",
            Self::Operations => "operations",
            Self::Photos => "photos",
            Self::Range => "range",
            Self::Layers => "layers",
            Self::DeadUnits => "dead units",
            Self::Gradients => "gradients",
        })
    }
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Fine,
    /// Something to know.
    Remark,
    /// Something that spoils some pictures.
    Warning,
    /// Something that spoils most pictures.
    Wrong,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fine => "fine",
            Self::Remark => "remark",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        })
    }
}

fn finding(check: Check, severity: Severity, measured: String, advice: Option<String>) -> Finding {
    Finding { check, severity, measured, advice }
}

/// A number in two digits or three.
fn size(value: f64) -> String {
    match value {
        100.0..1e4 => format!("{value:.0}"),
        1.0..100.0 => format!("{value:.1}"),
        0.01..1.0 => format!("{value:.2}"),
        _ => format!("{value:.0e}"),
    }
}

/// `1 layer`, `2 layers`.
fn count(count: usize, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}

/// Examines a network on `device`; `observer` sees every step and can end it.
///
/// The [`photos`] that are part of the program do; a network of other classes than ImageNet's is better known by photos
/// of its own.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use burn::tensor::Device;
/// use entoptic::{doctor::{self, DoctorConfig, Severity}, network::zoo};
///
/// let (network, device) = (zoo::squeezenet_v1_1(), Device::flex());
/// let photos = doctor::photos(&network, &device)?;
/// let config = DoctorConfig::new().with_layers(3);
/// let examination = doctor::examine(&network, &device, &photos, &config, |_| ControlFlow::Continue(()))?;
/// assert!(examination.severity() < Severity::Warning);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Errors
/// [`Error::Ended`] if `observer` ends it; [`Error::WrongShape`] for a photo that is none; as [`Network::answer`].
pub fn examine(
    network: &Network,
    device: &Device,
    photos: &[Photo],
    config: &DoctorConfig,
    observer: impl FnMut(Moment) -> ControlFlow<()>,
) -> Result<Examination, Error> {
    let (graph, description) = (network.graph(), network.description());
    let ([h, w], c) = (graph.size(), graph.channels());
    let photos = fitting(photos, c)?;
    let mut images: Vec<Tensor<4>> = photos.iter().map(|photo| photo.image.clone()).collect();
    images.extend(photos::noise(config.noise, [c, h, w], config.seed, device));
    let own = ranges::own(graph).filter(|_| c == 3 && answers::last(network).is_some() && !photos.is_empty());
    let candidates = own.as_ref().map_or_else(Vec::new, ranges::candidates);
    let units = gradients::layers(network, config.layers);
    let mut job = Job::new(network).on(device.clone()).watched(observer);
    job.expect(images.len() + 2 * candidates.len() * photos.len() + 2 * units.len());

    let mut examination = Examination {
        model: description.name.clone(),
        sha256: description.sha256.clone(),
        size: [h, w],
        findings: input::findings(network),
        ranges: Vec::new(),
        layers: layers::measure(&mut job, &images)?,
        gradients: Vec::new(),
    };
    let Examination { findings, layers, .. } = &mut examination;
    findings.extend(input::unsupported(network));
    let shown = format!("{} and {} of noise", count(photos.len(), "photo"), count(config.noise, "image"));
    findings.extend(layers::findings(graph, layers, &shown));
    // Where numbers are none, all that follows would say so once more.
    if layers.iter().any(|layer| layer.not_finite > 0) {
        return Ok(examination);
    }
    findings.extend(layers::dead_units(layers, &shown));
    if let Some(own) = own {
        examination.ranges = ranges::try_all(&mut job, &photos, &own, &candidates)?;
        examination.findings.extend(ranges::findings(photos::words(network), &examination.ranges));
    }
    examination.gradients = gradients::measure(&mut job, &units, config.seed)?;
    examination.findings.extend(gradients::findings(network, &examination.gradients));
    examination.findings.sort_by_key(|finding| finding.check);
    Ok(examination)
}

/// The photos in a network's channels; none if those are no colors.
fn fitting(photos: &[Photo], c: usize) -> Result<Vec<Photo>, Error> {
    let mut fitting = Vec::new();
    for photo in photos {
        let shape = photo.image.dims();
        if shape[0] != 1 || shape[1] != 3 {
            return Err(Error::shape("a photo", &shape, "has one image of three channels"));
        }
        fitting.extend(photos::in_channels(&photo.image, c).map(|image| Photo { image, ..photo.clone() }));
    }
    Ok(fitting)
}
