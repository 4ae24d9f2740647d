//! The ascent: network, objective, param and transform meet here.

use std::{mem, ops::ControlFlow};

use burn::{
    config::Config,
    tensor::{Device, Tensor},
};
use entoptic_network::{Network, ReluGradient};

use crate::{
    Error,
    chance::{Purpose, Rng, draws},
    objective::Objective,
    optimizer::{Adam, AdamConfig},
    param::{ImageMap, Param, Variables},
    transform::{Transform, standard},
};

/// The options of a run, with Lucid's defaults (`optvis/render.py`).
#[derive(Config, Debug, PartialEq)]
pub struct RenderConfig {
    /// The last step; steps count from 0, so there are `steps + 1` updates, as in Lucid: 0 is a run of one step.
    #[config(default = 512)]
    pub steps: usize,
    /// The steps after which the image is kept, besides the last.
    #[config(default = "Vec::new()")]
    pub thresholds: Vec<usize>,
    /// What happens to the image before each step.
    #[config(default = "standard()")]
    pub transforms: Transform,
    /// The optimizer.
    #[config(default = "AdamConfig::new()")]
    pub optimizer: AdamConfig,
    /// Whether gradients are redirected at ReLUs in the first steps, see [`ReluGradient::Redirected`].
    #[config(default = true)]
    pub relu_override: bool,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
}

/// The image at a chosen step.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The step after whose update the image was kept.
    pub step: usize,
    /// The objective at that step: before its update, on its draw of the transforms.
    pub value: f64,
    /// `[n, c, h, w]`, in `0..=1`.
    pub images: Tensor<4>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All steps were done.
    Finished,
    /// The caller stopped it after this step; the last snapshot is of it.
    Interrupted {
        /// The step.
        step: usize,
    },
    /// The objective was no finite number at this step; the last snapshot is the last image that was good.
    NotFinite {
        /// The step.
        step: usize,
    },
}

/// What a run made.
#[derive(Debug, Clone)]
pub struct Render {
    /// The images kept, in the order of their steps; none only if the run went wrong before there was a good one.
    pub snapshots: Vec<Snapshot>,
    /// The objective at each step, before its update, on its draw of the transforms.
    pub values: Vec<f64>,
    /// The objective of the final image without transforms.
    pub final_value: f64,
    /// How the run ended.
    pub ending: Ending,
}

impl Render {
    /// The last image, `[n, c, h, w]` in `0..=1`.
    pub fn images(&self) -> Option<&Tensor<4>> {
        self.snapshots.last().map(|snapshot| &snapshot.images)
    }
}

/// A step that has just been done.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The step.
    pub step: usize,
    /// The objective at this step.
    pub value: f64,
    /// The image, where it is kept.
    pub snapshot: Option<&'a Snapshot>,
}

/// Optimizes images for an objective on the CPU.
///
/// ```
/// use entoptic::{RenderConfig, network::zoo, objective::channel, param, render};
///
/// let network = zoo::squeezenet_v1_1();
/// let config = RenderConfig::new().with_steps(3).with_seed(7);
/// let render = render(&network, &channel("fire3", 5), &param::image([32, 32]), &config)?;
/// assert_eq!(render.images().unwrap().dims(), [1, 3, 32, 32]);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Errors
/// As [`check`].
pub fn render(
    network: &Network,
    objective: &Objective,
    param: &dyn Param,
    config: &RenderConfig,
) -> Result<Render, Error> {
    render_on(&Device::flex(), network, objective, param, config, |_| ControlFlow::Continue(()))
}

/// Optimizes images for an objective on a device; `progress` sees every step and can end the run.
///
/// # Errors
/// As [`check`].
///
/// # Reference
/// `render_vis` in Lucid, `optvis/render.py`.
pub fn render_on(
    device: &Device,
    network: &Network,
    objective: &Objective,
    param: &dyn Param,
    config: &RenderConfig,
    mut progress: impl FnMut(Progress<'_>) -> ControlFlow<()>,
) -> Result<Render, Error> {
    check(network, objective, param, config)?;
    let mut ascent = Ascent::new(device, network, objective, param, config);
    let (mut snapshots, mut values, mut ending) = (Vec::new(), Vec::new(), Ending::Finished);

    for step in 0..=config.steps {
        let Some(value) = ascent.step(step)? else {
            ending = Ending::NotFinite { step };
            break;
        };
        values.push(value);
        let keep = step == config.steps || config.thresholds.contains(&step);
        if keep {
            let Some(snapshot) = ascent.snapshot(step, value) else {
                ending = Ending::NotFinite { step: step + 1 };
                break;
            };
            snapshots.push(snapshot);
        }
        if progress(Progress { step, value, snapshot: snapshots.last().filter(|_| keep) }).is_break() {
            ending = Ending::Interrupted { step };
            snapshots.extend(ascent.snapshot(step, value).filter(|_| !keep));
            break;
        }
    }

    if let Ending::NotFinite { step } = ending {
        let good = ascent.last_good(step, &values);
        snapshots.retain(|snapshot| good.as_ref().is_some_and(|good| snapshot.step < good.step));
        snapshots.extend(good);
    }
    let final_value = match snapshots.last() {
        Some(snapshot) => value_of(network, objective, snapshot.images.clone())?,
        None => f64::NAN,
    };
    Ok(Render { snapshots, values, final_value, ending })
}

/// A run under way.
struct Ascent<'a> {
    network: &'a Network,
    objective: &'a Objective,
    config: &'a RenderConfig,
    layers: Vec<String>,
    image: ImageMap,
    adam: Adam,
    chance: Rng,
    variables: Variables,
    /// The variables before the last update.
    before: Variables,
}

impl<'a> Ascent<'a> {
    fn new(
        device: &Device,
        network: &'a Network,
        objective: &'a Objective,
        param: &dyn Param,
        config: &'a RenderConfig,
    ) -> Self {
        let device = device.clone().autodiff();
        let variables = param.variables(&mut draws(config.seed, Purpose::Variables), &device);
        let variables: Variables = variables.into_iter().map(Tensor::require_grad).collect();
        Self {
            network,
            objective,
            config,
            layers: objective.layers(),
            image: param.map(&device),
            adam: Adam::new(config.optimizer.clone()),
            chance: draws(config.seed, Purpose::Transforms),
            before: variables.clone(),
            variables,
        }
    }

    /// One step of the method: the objective's value, after which the variables have moved uphill; nothing, and no
    /// move, if the value is no finite number.
    fn step(&mut self, step: usize) -> Result<Option<f64>, Error> {
        let relu = match self.config.relu_override {
            true => ReluGradient::Redirected { step },
            false => ReluGradient::Plain,
        };
        let image = self.config.transforms.apply((self.image)(&self.variables), &mut self.chance);
        let activations = self.network.activations_with(image, &self.layers, relu)?;
        let value = self.objective.value(&activations)?;
        let number = f64::from(value.clone().into_scalar::<f32>());
        if !number.is_finite() {
            return Ok(None);
        }
        let gradients = (-value).backward();
        let moved = self.adam.step(self.variables.clone(), &gradients);
        self.before = mem::replace(&mut self.variables, moved);
        Ok(Some(number))
    }

    /// The image after the update of `step`, if it is one.
    fn snapshot(&self, step: usize, value: f64) -> Option<Snapshot> {
        let images = (self.image)(&self.variables).inner();
        images.clone().is_finite().all().into_scalar::<bool>().then_some(Snapshot { step, value, images })
    }

    /// The image that `step`, which went wrong, started from; or the one before, if the update between them was wrong.
    fn last_good(&mut self, step: usize, values: &[f64]) -> Option<Snapshot> {
        let step = step.checked_sub(1)?;
        self.snapshot(step, values[step]).or_else(|| {
            mem::swap(&mut self.variables, &mut self.before);
            let step = step.checked_sub(1)?;
            self.snapshot(step, values[step])
        })
    }
}

/// The objective of `images` `[n, 3, h, w]` as they are.
///
/// # Errors
/// As [`Objective::value`] and [`Network::activations`].
pub fn value_of(network: &Network, objective: &Objective, images: Tensor<4>) -> Result<f64, Error> {
    let activations = network.activations(images, &objective.layers())?;
    Ok(f64::from(objective.value(&activations)?.into_scalar::<f32>()))
}

/// Whether a run can be done, before it starts.
///
/// # Errors
/// [`Error::OutOfRange`] for an option, [`Error::Network`] for an unknown layer or an image too small for it,
/// [`Error::NoSuchChannel`], [`Error::NoSuchPosition`], [`Error::NoSuchImage`].
pub fn check(network: &Network, objective: &Objective, param: &dyn Param, config: &RenderConfig) -> Result<(), Error> {
    let wrong = |what, value: String, accepted| Err(Error::OutOfRange { what, value, accepted });
    if let Some(threshold) = config.thresholds.iter().find(|&&threshold| threshold > config.steps) {
        return wrong("a threshold", threshold.to_string(), "it is the last step or one before it");
    }
    let rate = config.optimizer.learning_rate;
    if !rate.is_finite() || rate <= 0.0 {
        return wrong("the learning rate", rate.to_string(), "it is above 0; 0.05 is the default");
    }
    if objective.layers().is_empty() {
        return wrong("the objective", objective.to_string(), "it reads a layer");
    }
    let [h, w] = param.size();
    config.transforms.check([param.batch(), 3, h, w])?;
    let smallest = config.transforms.smallest(param.size());
    for size in [param.size(), smallest] {
        objective.check(network, size, param.batch())?;
    }
    Ok(())
}
