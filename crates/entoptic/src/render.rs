//! The ascent: network, objective, param and transform meet here.

mod checkpoint;
mod pace;

use std::{
    collections::VecDeque,
    fmt, mem,
    ops::ControlFlow,
    sync::{Arc, Mutex},
};

use burn::{
    config::Config,
    tensor::{Device, Tensor},
};
use entoptic_network::{Activations, GradientOverrides, Network, Pass, Precision, Wanted, relu_overrides};

pub use self::checkpoint::Checkpoint;
use self::{checkpoint::tensor, pace::Pace};
use crate::{
    Error, Networks,
    chance::{Purpose, Rng, draws},
    objective::{Evaluated, Memory, Objective, Seen},
    optimizer::{Descent, Optimizer, Schedule},
    param::{Param, Prepared, Values, Variables},
    transform::{Transform, collapse_alpha, standard},
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
    #[config(default = "Optimizer::default()")]
    pub optimizer: Optimizer,
    /// Its learning rate at each step.
    #[config(default = "Schedule::default()")]
    pub schedule: Schedule,
    /// How gradients pass ReLUs and max pools; as in Lucid, ReLUs redirect them in the first steps.
    #[config(default = "relu_overrides()")]
    pub gradients: GradientOverrides,
    /// In which numbers the network multiplies.
    #[config(default = "Precision::F32")]
    pub precision: Precision,
    /// Of how many images at once the network's way is kept in memory, see [`Pass::batch`]; what comes out does not depend
    /// on it.
    pub batch: Option<usize>,
    /// The run ends once the objective reaches this value.
    pub stop_at: Option<f64>,
    /// The run ends after this step, while its schedule is that of all `steps`.
    pub end: Option<usize>,
    /// How many runs are made, each from a seed one higher; the one whose final image has the highest value is kept.
    #[config(default = 1)]
    pub attempts: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
}

impl RenderConfig {
    /// The last step, unless the objective reaches its value earlier.
    fn last(&self) -> usize {
        self.end.map_or(self.steps, |end| end.min(self.steps))
    }
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
    /// The objective reached the value it was to stop at; the last snapshot is of this step.
    Reached {
        /// The step.
        step: usize,
    },
    /// The caller stopped it after this step; the last snapshot is of it, or of an earlier attempt that was better.
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
    /// The objective of the final image without transforms; on gray where they lay it on random backgrounds.
    pub final_value: f64,
    /// What every param was at the end: the one that was optimized, what it is made of, and those the objective reads.
    pub params: Values,
    /// How the run ended.
    pub ending: Ending,
    /// The seed it started from.
    pub seed: u64,
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
    /// Which of the attempts, counted from 0.
    pub attempt: usize,
    /// The step.
    pub step: usize,
    /// The objective at this step.
    pub value: f64,
    /// The image, where it is kept.
    pub snapshot: Option<&'a Snapshot>,
    /// Whether it was the attempt's last, if nobody ends it earlier.
    pub last: bool,
    /// Puts the run away.
    put_away: PutAway<'a>,
}

impl Progress<'_> {
    /// The run as it is after this step, to go on later with [`render_from`]; nothing where steps after it are already
    /// under way, as on a GPU: one of the next 16 has it.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        (self.put_away.0)()
    }
}

#[derive(Clone, Copy)]
struct PutAway<'a>(&'a dyn Fn() -> Option<Checkpoint>);

impl fmt::Debug for PutAway<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// Optimizes images for an objective on the CPU.
///
/// ```
/// use entoptic::{RenderConfig, network::zoo, objective::channel, param, render};
///
/// let network = zoo::squeezenet_v1_1();
/// let config = RenderConfig::new().with_steps(3).with_seed(7);
/// let render = render(&network, &channel("fire3", 5), param::image([32, 32]), &config)?;
/// assert_eq!(render.images().unwrap().dims(), [1, 3, 32, 32]);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Errors
/// As [`check`].
pub fn render<'n>(
    networks: impl Into<Networks<'n>>,
    objective: &Objective,
    param: impl Into<Param>,
    config: &RenderConfig,
) -> Result<Render, Error> {
    render_on(&Device::flex(), networks, objective, param, config, |_| ControlFlow::Continue(()))
}

/// Optimizes images for an objective on a device; `progress` sees every step and can end the run.
///
/// A GPU works while the processor prepares the steps that come: up to 16 are done before their values are read, but no
/// more than take a tenth of a second or two. So `progress` sees some steps at a time, a little later. What it sees, and
/// the image a run ends with, is the same: a step that turns out to be the last one leaves nothing of those after it.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use burn::tensor::Device;
/// use entoptic::{Ending, RenderConfig, network::zoo, objective::channel, param, render_on};
///
/// let (network, objective, config) = (zoo::squeezenet_v1_1(), channel("fire3", 5), RenderConfig::new());
/// let render = render_on(&Device::flex(), &network, &objective, param::image([32, 32]), &config, |progress| {
///     if progress.step < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// })?;
/// assert_eq!(render.ending, Ending::Interrupted { step: 2 });
/// assert_eq!(render.values.len(), 3);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Errors
/// As [`check`].
///
/// # Reference
/// `render_vis` in Lucid, `optvis/render.py`.
pub fn render_on<'n>(
    device: &Device,
    networks: impl Into<Networks<'n>>,
    objective: &Objective,
    param: impl Into<Param>,
    config: &RenderConfig,
    mut progress: impl FnMut(Progress<'_>) -> ControlFlow<()>,
) -> Result<Render, Error> {
    let (networks, param) = (networks.into(), param.into());
    check(&networks, objective, &param, config)?;
    let mut best: Option<Render> = None;
    for attempt in 0..config.attempts {
        let config = RenderConfig { seed: config.seed.wrapping_add(attempt as u64), ..config.clone() };
        let ascent = Ascent::new(device, &networks, objective, &param, &config)?;
        let render = ascent.climb(attempt, None, &mut progress)?;
        let interrupted = Some(render.ending).filter(|ending| matches!(ending, Ending::Interrupted { .. }));
        if best.as_ref().is_none_or(|best| best.final_value.is_nan() || render.final_value > best.final_value) {
            best = Some(render);
        }
        if let (Some(ending), Some(best)) = (interrupted, &mut best) {
            best.ending = ending;
            break;
        }
    }
    Ok(best.expect("there is an attempt or more"))
}

/// Goes on with a run that was put away: what comes out is what [`render_on`] would have made without a pause.
///
/// # Errors
/// As [`check`]; [`Error::NotThisRun`] for a checkpoint of another run, [`Error::OutOfRange`] for several attempts.
pub fn render_from<'n>(
    checkpoint: Checkpoint,
    device: &Device,
    networks: impl Into<Networks<'n>>,
    objective: &Objective,
    param: impl Into<Param>,
    config: &RenderConfig,
    mut progress: impl FnMut(Progress<'_>) -> ControlFlow<()>,
) -> Result<Render, Error> {
    let (networks, param) = (networks.into(), param.into());
    check(&networks, objective, &param, config)?;
    if config.attempts != 1 {
        let accepted = "a run that goes on has one";
        return Err(Error::out_of_range("the number of attempts", config.attempts, accepted));
    }
    Ascent::new(device, &networks, objective, &param, config)?.climb(0, Some(checkpoint), &mut progress)
}

/// A run under way.
struct Ascent<'a> {
    networks: &'a Networks<'a>,
    /// What each network is asked for.
    wanted: Vec<Vec<Wanted>>,
    objective: &'a Objective,
    config: &'a RenderConfig,
    param: &'a Param,
    prepared: Prepared,
    state: State,
    variables: Variables,
    /// The variables before the last update.
    before: Variables,
    /// Steps that were done already, from the next on.
    ahead: VecDeque<Done>,
    pace: Pace,
}

/// What a step left.
struct Done {
    value: f64,
    variables: Variables,
    state: State,
}

impl<'a> Ascent<'a> {
    fn new(
        device: &Device,
        networks: &'a Networks<'a>,
        objective: &'a Objective,
        param: &'a Param,
        config: &'a RenderConfig,
    ) -> Result<Self, Error> {
        let params: Vec<Param> = [param.clone()].into_iter().chain(objective.params()).collect();
        let mut first = draws(config.seed, Purpose::Variables);
        let (prepared, variables) = Prepared::new(&params, &device.clone().autodiff(), &mut first);
        let variables: Variables = variables.into_iter().map(Tensor::require_grad).collect();
        Ok(Self {
            networks,
            wanted: objective.wanted_by_network(networks)?,
            objective,
            config,
            param,
            prepared,
            state: State::new(config.seed),
            before: variables.clone(),
            variables,
            ahead: VecDeque::new(),
            pace: Pace::on(device),
        })
    }

    /// All steps of the method, or as many as it takes; `progress` sees each and can end it.
    fn climb(
        mut self,
        attempt: usize,
        from: Option<Checkpoint>,
        mut progress: impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Render, Error> {
        let config = self.config;
        let mut descent = config.optimizer.start();
        let (mut snapshots, mut values, mut ending) = (Vec::new(), Vec::new(), Ending::Finished);
        if let Some(from) = from {
            (snapshots, values) = self.take_up(from, &mut descent).ok_or(Error::NotThisRun)?;
        }
        let first = values.len();
        let mut rates = config.schedule.rates(config.optimizer.learning_rate(), config.steps)?.skip(first);

        for step in first..=config.last() {
            let Some(value) = self.step(step, &mut rates, &mut descent)? else {
                ending = Ending::NotFinite { step };
                break;
            };
            values.push(value);
            let reached = config.stop_at.is_some_and(|target| value >= target);
            let last = reached || step == config.last();
            let keep = last || config.thresholds.contains(&step);
            if keep {
                let Some(snapshot) = self.snapshot(step, value) else {
                    ending = Ending::NotFinite { step: step + 1 };
                    break;
                };
                snapshots.push(snapshot);
            }
            let snapshot = snapshots.last().filter(|_| keep);
            let put_away = || self.put_away(&values, &snapshots, &descent);
            let now = Progress { attempt, step, value, snapshot, last, put_away: PutAway(&put_away) };
            let interrupted = progress(now).is_break();
            if interrupted || reached {
                ending = if interrupted { Ending::Interrupted { step } } else { Ending::Reached { step } };
                snapshots.extend(self.snapshot(step, value).filter(|_| !keep));
                break;
            }
        }

        if let Ending::NotFinite { step } = ending {
            let good = self.last_good(step, &values);
            snapshots.retain(|snapshot| good.as_ref().is_some_and(|good| snapshot.step < good.step));
            snapshots.extend(good);
        }
        let (final_value, params) = match snapshots.last() {
            Some(_) => (self.final_value()?, self.params()),
            None => (f64::NAN, Values::default()),
        };
        Ok(Render { snapshots, values, final_value, params, ending, seed: config.seed })
    }

    /// One step of the method: the objective's value, after which the variables have moved uphill; nothing, and no
    /// move, if the value is no finite number.
    fn step(
        &mut self,
        step: usize,
        rates: &mut impl Iterator<Item = f64>,
        descent: &mut Descent,
    ) -> Result<Option<f64>, Error> {
        if self.ahead.is_empty() {
            self.go_ahead(step, rates, descent)?;
        }
        let Done { value, variables, state } = self.ahead.pop_front().expect("a step was done");
        if !value.is_finite() {
            return Ok(None);
        }
        self.before = mem::replace(&mut self.variables, variables);
        self.state = state;
        Ok(Some(value))
    }

    /// Does as many steps as the pace says, and reads their values.
    fn go_ahead(
        &mut self,
        first: usize,
        rates: &mut impl Iterator<Item = f64>,
        descent: &mut Descent,
    ) -> Result<(), Error> {
        let end = (first + self.pace.steps()).min(self.config.last() + 1);
        let (mut variables, mut state) = (self.variables.clone(), self.state.copy());
        let (mut values, mut after) = (Vec::new(), Vec::new());
        for (step, rate) in (first..end).zip(rates) {
            let before = state.copy();
            let value = self.value(&variables, &mut state, step)?;
            values.push(value.clone().inner());
            // Alone it can be read before the move, and no move is made from what is no number.
            if end - first > 1 || value.clone().into_scalar::<f32>().is_finite() {
                if !value.is_tracked() {
                    let accepted = "it changes with what is optimized";
                    return Err(Error::out_of_range("the objective", self.objective, accepted));
                }
                let again = |variables: &[Tensor<1>]| Ok(-self.value(variables, &mut before.copy(), step)?);
                variables = descent.step(rate, variables, -value, again)?;
            }
            after.push((variables.clone(), state.copy()));
        }
        let values: Vec<f32> = Tensor::cat(values, 0).try_into_vec_as().expect("values are f32");
        self.pace.values_read();
        let done = |(value, (variables, state))| Done { value: f64::from(value), variables, state };
        self.ahead.extend(values.into_iter().zip(after).map(done));
        Ok(())
    }

    /// The run as it is now, if nothing after it is under way.
    fn put_away(&self, values: &[f64], snapshots: &[Snapshot], descent: &Descent) -> Option<Checkpoint> {
        let State { transforms, noise, memory } = &self.state;
        let memory = memory.lock().expect("no thread panics while it holds the memory");
        self.ahead.is_empty().then(|| Checkpoint {
            step: values.len() - 1,
            values: values.to_vec(),
            variables: self.variables.iter().map(|variable| variable.to_data()).collect(),
            optimizer: descent.memory(),
            memory: memory.iter().map(|(key, tensor)| (key.clone(), tensor.to_data())).collect(),
            snapshots: snapshots
                .iter()
                .map(|Snapshot { step, value, images }| (*step, *value, images.to_data()))
                .collect(),
            drawn: [transforms, noise].map(|draws| draws.get_word_pos()),
        })
    }

    /// Goes back to where a run was put away: its snapshots and values; nothing if it was another run.
    fn take_up(&mut self, from: Checkpoint, descent: &mut Descent) -> Option<(Vec<Snapshot>, Vec<f64>)> {
        let device = self.variables.first().map_or_else(Device::flex, |variable| variable.device());
        let plain = device.clone().without_autodiff();
        let alike = self.variables.iter().zip(&from.variables).all(|(own, kept)| own.dims()[..] == kept.shape()[..]);
        let done = from.values.len() == from.step + 1 && from.step <= self.config.last();
        if !alike || self.variables.len() != from.variables.len() || !done {
            return None;
        }
        let snapshots = from.snapshots(&plain)?;
        let variables: Option<Variables> = from.variables.iter().map(|kept| tensor(kept, &device)).collect();
        self.variables = variables?.into_iter().map(Tensor::require_grad).collect();
        self.before = self.variables.clone();
        let kept = from.memory.iter().map(|(key, kept)| Some((key.clone(), tensor(kept, &plain)?)));
        *self.state.memory.lock().expect("no thread panics while it holds the memory") = kept.collect::<Option<_>>()?;
        let [transforms, noise] = from.drawn;
        self.state.transforms.set_word_pos(transforms);
        self.state.noise.set_word_pos(noise);
        descent.remember(from.optimizer, &plain).then_some((snapshots, from.values))
    }

    /// The objective of variables.
    fn value(&self, variables: &[Tensor<1>], state: &mut State, step: usize) -> Result<Tensor<1>, Error> {
        let params = self.prepared.evaluate(variables, &mut state.noise);
        let images = self.images(&params);
        let transformed = self.config.transforms.apply(images.clone(), &mut state.transforms);
        let evaluated = evaluate(self.networks, &self.wanted, images, |network, wanted| {
            let gradients = known_to(network, &self.config.gradients);
            let &RenderConfig { precision, batch, .. } = self.config;
            network.answer(transformed.clone(), wanted, &Pass { gradients, step, precision, batch })
        })?;
        self.objective.value(&evaluated.with(params, state.memory.clone()).step())
    }

    fn images(&self, params: &Values) -> Tensor<4> {
        params.get(self.param).expect("the param was prepared")
    }

    /// The objective of the image as it is now, without transforms.
    fn final_value(&self) -> Result<f64, Error> {
        let State { mut noise, memory, .. } = self.state.copy();
        let params = self.prepared.evaluate(&self.variables, &mut noise);
        let images = self.images(&params);
        let plain = untransformed(images.clone(), &self.config.transforms);
        let pass = Pass { precision: self.config.precision, ..Pass::default() };
        let evaluated = evaluate(self.networks, &self.wanted, images, |network, wanted| {
            network.answer(plain.clone(), wanted, &pass)
        })?;
        let value = self.objective.value(&evaluated.with(params, memory).step())?;
        Ok(f64::from(value.into_scalar::<f32>()))
    }

    /// What the params are now, without what made them.
    fn params(&self) -> Values {
        self.prepared.evaluate(&self.variables, &mut self.state.noise.clone()).inner()
    }

    /// The image after the update of `step`, if it is one.
    fn snapshot(&self, step: usize, value: f64) -> Option<Snapshot> {
        let images = self.images(&self.params());
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

/// What objectives read of `images`, where `ask` asks each network for what is `wanted`.
fn evaluate(
    networks: &Networks<'_>,
    wanted: &[Vec<Wanted>],
    images: Tensor<4>,
    ask: impl Fn(&Network, &[Wanted]) -> Result<Activations, entoptic_network::Error>,
) -> Result<Evaluated, Error> {
    let seen = networks.iter().zip(wanted).map(|(network, wanted)| {
        let activations = match wanted[..] {
            [] => Activations::default(),
            [..] => ask(network, wanted).map_err(|error| networks.error(network, error))?,
        };
        Ok(Seen::new(network, activations))
    });
    Ok(Evaluated::of(seen.collect::<Result<_, Error>>()?, images))
}

/// The overrides for a network: those of layers that only others have are left out.
fn known_to(network: &Network, gradients: &GradientOverrides) -> GradientOverrides {
    let mut gradients = gradients.clone();
    gradients.layers.retain(|layer, _| network.graph().find(layer).is_ok());
    gradients
}

/// Images as a network sees them without transforms; alpha that the transforms collapse is laid on gray.
fn untransformed(images: Tensor<4>, transforms: &Transform) -> Tensor<4> {
    let [n, c, h, w] = images.dims();
    match transforms.channels(c) {
        seen if seen == c => images,
        seen => {
            let gray = Tensor::full([n, seen, h, w], 0.5, &images.device());
            collapse_alpha(images, gray)
        }
    }
}

/// What evaluations draw from and remember: with the same state, the same variables have the same value.
struct State {
    transforms: Rng,
    noise: Rng,
    memory: Memory,
}

impl State {
    fn new(seed: u64) -> Self {
        let [transforms, noise] = [Purpose::Transforms, Purpose::Noise].map(|purpose| draws(seed, purpose));
        Self { transforms, noise, memory: Memory::default() }
    }

    /// A state of its own that goes on from here.
    fn copy(&self) -> Self {
        let memory = self.memory.lock().expect("no thread panics while it holds the memory").clone();
        Self { transforms: self.transforms.clone(), noise: self.noise.clone(), memory: Arc::new(Mutex::new(memory)) }
    }
}

/// The objective of `images` `[n, c, h, w]` as they are, differentiable with respect to them.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::{network::zoo, objective::channel, render::value_of};
///
/// let images = Tensor::<4>::full([1, 3, 32, 32], 0.5, &Device::flex().autodiff()).require_grad();
/// let value = value_of(&zoo::squeezenet_v1_1(), &channel("fire3", 5), images.clone())?;
/// let gradient = images.grad(&value.backward()).unwrap();
/// assert_eq!(gradient.dims(), [1, 3, 32, 32]);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Errors
/// As [`Objective::value`] and [`Network::activations`].
pub fn value_of<'n>(
    networks: impl Into<Networks<'n>>,
    objective: &Objective,
    images: Tensor<4>,
) -> Result<Tensor<1>, Error> {
    let networks = networks.into();
    if !objective.params().is_empty() {
        let accepted = "it reads layers alone; params have values in a run";
        return Err(Error::out_of_range("the objective", objective, accepted));
    }
    let wanted = objective.wanted_by_network(&networks)?;
    let evaluated = evaluate(&networks, &wanted, images.clone(), |network, wanted| {
        network.answer(images.clone(), wanted, &Pass::default())
    })?;
    objective.value(&evaluated.step())
}

/// Whether a run can be done, before it starts.
///
/// # Errors
/// [`Error::OutOfRange`] for an option; [`Error::Network`] or [`Error::OneOfNetworks`] for an unknown layer, an image
/// too small for it or a layer whose gradient cannot be overridden; what [`Objective::value`] finds.
pub fn check(
    networks: &Networks<'_>,
    objective: &Objective,
    param: &Param,
    config: &RenderConfig,
) -> Result<(), Error> {
    let wrong = |what, value: String, accepted| Err(Error::out_of_range(what, value, accepted));
    if param.shape().contains(&0) {
        return Err(Error::shape("the images", &param.shape(), "has one number or more along each axis"));
    }
    if config.attempts == 0 {
        return wrong("the number of attempts", "0".into(), "it is 1 or more");
    }
    if let Some(target) = config.stop_at.filter(|target| !target.is_finite()) {
        return wrong("the value to stop at", target.to_string(), "it is a number");
    }
    if let Some(threshold) = config.thresholds.iter().find(|&&threshold| threshold > config.steps) {
        return wrong("a threshold", threshold.to_string(), "it is the last step or one before it");
    }
    config.precision.check()?;
    config.optimizer.check()?;
    config.schedule.check(config.optimizer.learning_rate())?;
    if objective.layers().is_empty() && objective.params().is_empty() {
        return wrong("the objective", objective.to_string(), "it reads a layer");
    }
    for network in networks.iter() {
        known_to(network, &config.gradients).check(network.graph())?;
    }
    let unknown = |layer: &&String| networks.iter().all(|network| network.graph().find(layer).is_err());
    if let Some(layer) = config.gradients.layers.keys().find(unknown) {
        networks.first().graph().find(layer)?;
    }
    config.transforms.check(param.shape())?;
    let smallest = config.transforms.smallest(param.size());
    for [h, w] in [param.size(), smallest] {
        let [n, c, _, _] = param.shape();
        objective.check(networks, param.shape(), [n, config.transforms.channels(c), h, w])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use entoptic_network::zoo;

    use super::*;
    use crate::{
        objective::{StyleConfig, StyleTarget, channel, custom, style},
        param::image,
        transform::{collapse_alpha_random, compose},
    };

    /// A run on the processor whose values are read after so many steps, and the bits of all numbers it gives out.
    fn climbed(pace: usize, objective: &Objective, config: &RenderConfig, end: usize) -> (Render, Vec<u64>) {
        let network = zoo::squeezenet_v1_1();
        let (networks, param) = (Networks::from(&network), image([32, 32]).with_batch(2).with_alpha(true).into());
        let mut ascent = Ascent::new(&Device::flex(), &networks, objective, &param, config).unwrap();
        ascent.pace = Pace::starting_at(pace, pace);
        let mut numbers = Vec::new();
        let render = ascent.climb(0, None, |Progress { step, value, snapshot, last, .. }| {
            numbers.extend([step as f64, value, f64::from(snapshot.is_some()), f64::from(last)]);
            if step == end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let render = render.unwrap();
        for Snapshot { step, value, images } in &render.snapshots {
            numbers.extend([*step as f64, *value]);
            numbers.extend(images.clone().try_into_vec_as::<f64>().unwrap());
        }
        let last = render.params.get(&param).map_or(Vec::new(), |image| image.try_into_vec_as::<f64>().unwrap());
        numbers.extend(render.values.iter().copied().chain([render.final_value]).chain(last));
        (render, numbers.into_iter().map(f64::to_bits).collect())
    }

    #[test]
    fn steps_done_ahead_change_nothing() {
        // Random in all ways there are, and with something to remember.
        let objective = || {
            let style = style("fire2", StyleTarget::Image(0), StyleConfig::new().with_ema_decay(Some(0.5))).batch(1);
            channel("fire3", 3) - 0.01 * style
        };
        let config = RenderConfig::new()
            .with_steps(11)
            .with_thresholds(vec![1, 6])
            .with_transforms(compose([standard(), collapse_alpha_random(0.5)]));
        let (whole, _) = climbed(1, &objective(), &config, usize::MAX);
        let broken = || {
            let evaluations = AtomicUsize::new(0);
            custom("broken", ["fire3"], move |step| {
                let mean = step.map("fire3")?.mean();
                let evaluation = evaluations.fetch_add(1, Ordering::Relaxed);
                Ok(if evaluation == 7 { mean.mul_scalar(f32::NAN) } else { mean })
            })
        };
        let highest = whole.values[3..9].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let wild = "constant until 5 then constant(1e38)".parse().unwrap();
        type Case<'a> = (&'a dyn Fn() -> Objective, RenderConfig, usize, fn(Ending) -> bool);
        let cases: [Case<'_>; 5] = [
            (&objective, config.clone(), usize::MAX, |ending| ending == Ending::Finished),
            (&objective, config.clone().with_stop_at(Some(highest)), usize::MAX, |e| {
                matches!(e, Ending::Reached { .. })
            }),
            (&objective, config.clone(), 7, |ending| ending == Ending::Interrupted { step: 7 }),
            (&broken, config.clone(), usize::MAX, |ending| ending == Ending::NotFinite { step: 7 }),
            (&objective, config.with_schedule(wild), usize::MAX, |ending| matches!(ending, Ending::NotFinite { .. })),
        ];
        for (objective, config, end, ends) in cases {
            let [one, four, all] = [1, 4, 16].map(|pace| {
                let (render, numbers) = climbed(pace, &objective(), &config, end);
                assert!(ends(render.ending), "{:?}", render.ending);
                numbers
            });
            assert!(one == four && one == all);
        }
    }
}
