//! A run as data: all that is needed to make its picture again.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Map, Value};

use crate::{
    Error, Networks,
    device::DeviceKind,
    objective::Objective,
    optimizer::Schedule,
    param::{self, Param},
    picture,
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
    /// The other networks that the objective may read, by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_models: Vec<Model>,
    /// What is maximized.
    pub objective: Objective,
    /// What is optimized.
    pub param: param::Image,
    /// A photo that the images start at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<PathBuf>,
    /// Photos that stand before the optimized images in the batch and stay as they are: what
    /// [`dot_compare`](crate::objective::dot_compare) and [`style`](crate::objective::style) compare with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<PathBuf>,
    /// Where it is computed, unless on the processor. It rounds differently from one kind of device to another, which many
    /// steps make visible; which device of its kind it is belongs to the machine, not to the run.
    #[serde(default, skip_serializing_if = "DeviceKind::is_cpu")]
    pub device: DeviceKind,
    /// How. Options that a description does not name, such as one by an earlier version, have their defaults.
    #[serde(deserialize_with = "options")]
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
        Self {
            version,
            model,
            other_models: Vec::new(),
            objective,
            param,
            init: None,
            references: Vec::new(),
            device: DeviceKind::Cpu,
            render: RenderConfig::new(),
        }
    }

    /// Whether the run can be done with `networks`, before it starts.
    ///
    /// # Errors
    /// As [`render::check`](crate::render::check); [`Error::Unreadable`] for a file it names.
    pub fn check<'n>(&self, networks: impl Into<Networks<'n>>) -> Result<(), Error> {
        let (objective, param) = self.load()?;
        check(&networks.into(), &objective, &param, &self.render)
    }

    /// Does the run on `device`; `progress` sees every step and can end it.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use burn::tensor::Device;
    /// use entoptic::{Run, network::zoo, objective::channel, param};
    ///
    /// let mut run = Run::new(channel("fire3", 5), param::image([32, 32]));
    /// run.render.steps = 2;
    /// let render = run.render(&zoo::squeezenet_v1_1(), &Device::flex(), |_| ControlFlow::Continue(()))?;
    /// assert_eq!(render.values.len(), 3);
    /// # Ok::<(), entoptic::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn render<'n>(
        &self,
        networks: impl Into<Networks<'n>>,
        device: &Device,
        progress: impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Render, Error> {
        let (objective, param) = self.load()?;
        render_on(device, networks, &objective, param, &self.render, progress)
    }

    /// The objective and the param with what stands in the files they name.
    fn load(&self) -> Result<(Objective, Param), Error> {
        self.param.check()?;
        let device = Device::flex();
        let photo = |path: &PathBuf| picture::load_sized(path, self.param.size, &device);
        let images = match &self.init {
            Some(path) => self.param.starting_at(&photo(path)?)?,
            None => Param::from(&self.param),
        };
        let [_, c, h, w] = images.shape();
        if !self.references.is_empty() && !(3..=4).contains(&c) {
            return Err(Error::shape("the images", &images.shape(), "has three channels beside photos, or four"));
        }
        let mut batch = Vec::new();
        for path in &self.references {
            let photo = param::constant(&photo(path)?);
            batch.push(match c {
                // A photo hides whatever is behind it.
                4 => {
                    let opaque = param::constant(&Tensor::ones([1, 1, h, w], &device));
                    param::stack_channels([photo, opaque])
                }
                _ => photo,
            });
        }
        batch.push(images);
        let mut objective = self.objective.clone();
        objective.load(Path::new(""))?;
        Ok((objective, if batch.len() == 1 { batch.remove(0) } else { param::stack(batch) }))
    }

    /// The run from `seed` whose last image is this run's after `step`.
    pub fn until(&self, step: usize, seed: u64) -> Self {
        let mut run = self.clone();
        (run.render.seed, run.render.attempts) = (seed, 1);
        if run.render.schedule == Schedule::default() {
            run.render.steps = step;
        } else {
            run.render.end = Some(step);
        }
        run.render.stop_at = None;
        run.render.thresholds.clear();
        run
    }
}

fn options<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RenderConfig, D::Error> {
    let mut named = Map::deserialize(deserializer)?;
    let Ok(Value::Object(defaults)) = serde_json::to_value(RenderConfig::new()) else {
        return Err(D::Error::custom("options are an object"));
    };
    for (name, default) in defaults {
        named.entry(name).or_insert(default);
    }
    RenderConfig::deserialize(Value::Object(named)).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{objective::channel, param::image};

    #[test]
    fn options_that_are_not_named_have_their_defaults() {
        let run = Run {
            render: RenderConfig::new().with_steps(7).with_seed(3),
            ..Run::new(channel("fire3", 5), image([32, 32]))
        };
        let Value::Object(mut description) = serde_json::to_value(&run).unwrap() else { panic!("a run is an object") };
        let options = description["render"].as_object_mut().unwrap();
        options.retain(|name, _| name == "steps" || name == "seed");
        assert_eq!(serde_json::from_value::<Run>(description.clone().into()).unwrap(), run);
        description["render"]["steps"] = "many".into();
        let error = serde_json::from_value::<Run>(description.into()).unwrap_err().to_string();
        assert!(error.contains("many"), "{error}");
    }
}
