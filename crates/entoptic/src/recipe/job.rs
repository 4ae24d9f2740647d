//! What the runs of a recipe have in common.

use std::{
    fs, io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use burn::tensor::{Device, Tensor};
use entoptic_network::{Activations, Network, Pass, Precision, Wanted};
use serde::Serialize;

use crate::{
    Ending, Error, Networks, Progress, Render, RenderConfig,
    objective::Objective,
    param::Param,
    render::{Checkpoint, check},
    render_from, render_on, whole_file,
};

/// Where the runs of a recipe are computed, who watches them, and where unfinished ones are kept.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use entoptic::{
///     network::zoo,
///     recipe::{Interpolation, InterpolationConfig, Job},
/// };
///
/// let network = zoo::squeezenet_v1_1();
/// let mut steps = 0;
/// let mut job = Job::new(&network).watched(|moment| {
///     steps = moment.done;
///     ControlFlow::Continue(())
/// });
/// let config = InterpolationConfig::new().with_size(32).with_frames(2).with_steps(3);
/// let frames = Interpolation::render(&mut job, ("fire3", 5), ("fire3", 7), &config)?.frames;
/// assert_eq!(frames.dims(), [2, 3, 32, 32]);
/// drop(job);
/// assert_eq!(steps, 4);
/// # Ok::<(), entoptic::Error>(())
/// ```
pub struct Job<'a> {
    networks: Networks<'a>,
    device: Device,
    precision: Precision,
    batch: Option<usize>,
    watch: Box<Watch<'a>>,
    kept: Option<Kept>,
    /// How many runs were begun.
    runs: usize,
    done: usize,
    expected: usize,
    interrupted: bool,
}

type Watch<'a> = dyn FnMut(Moment) -> ControlFlow<()> + 'a;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The steps that were done, of all its runs.
    pub done: usize,
    /// The steps that there will be, if nobody ends it.
    pub expected: usize,
    /// The objective at this step, if there is one.
    pub value: f64,
}

/// Where work that is not finished lies.
struct Kept {
    folder: PathBuf,
    /// What the work is of.
    about: String,
    saved: Instant,
}

/// How much work is lost, at most, if a job ends without notice.
const KEPT_EVERY: Duration = Duration::from_secs(20);

impl<'a> Job<'a> {
    /// A job on the CPU that nobody watches.
    pub fn new(networks: impl Into<Networks<'a>>) -> Self {
        Self {
            networks: networks.into(),
            device: Device::flex(),
            precision: Precision::F32,
            batch: None,
            watch: Box::new(|_| ControlFlow::Continue(())),
            kept: None,
            runs: 0,
            done: 0,
            expected: 0,
            interrupted: false,
        }
    }

    /// The same on another device.
    pub fn on(self, device: Device) -> Self {
        Self { device, ..self }
    }

    /// The same in other numbers.
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The same, of whose images so many at once are kept in memory on their way through the network, see [`Pass::batch`].
    pub fn with_batch(self, batch: Option<usize>) -> Self {
        Self { batch, ..self }
    }

    /// The same under the eyes of `watch`, which sees every step and can end it.
    pub fn watched(self, watch: impl FnMut(Moment) -> ControlFlow<()> + 'a) -> Self {
        Self { watch: Box::new(watch), ..self }
    }

    /// The same, whose unfinished work is kept in `folder`, about every 20 seconds and when it is ended.
    ///
    /// `about` says what the work is. With `resume`, work of that name that lies there is not done again; without, it is
    /// thrown away.
    ///
    /// # Errors
    /// [`Error::NotThisRun`] if other work lies there that is to be resumed, [`Error::Unreadable`] if there is none.
    pub fn kept_in(mut self, folder: &Path, about: &impl Serialize, resume: bool) -> Result<Self, Error> {
        let about = serde_json::to_string(about).expect("it is plain data");
        let kept = Kept { folder: folder.to_owned(), about, saved: Instant::now() };
        if resume {
            let (_, about) = Checkpoint::load(&kept.file(0))?;
            if about != kept.about {
                return Err(Error::NotThisRun);
            }
        } else {
            kept.discard();
        }
        self.kept = Some(kept);
        Ok(self)
    }

    /// Throws away what was kept of unfinished work, such as when the finished one is safe.
    pub fn discard_kept(&self) {
        self.kept.iter().for_each(Kept::discard);
    }

    /// Whether work was kept that a job can resume.
    pub fn has_kept(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.file(0).exists())
    }

    /// Whether it was ended before it was done.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// The networks.
    pub fn networks(&self) -> &Networks<'a> {
        &self.networks
    }

    /// The network meant where none is named.
    pub fn network(&self) -> &'a Network {
        self.networks.first()
    }

    /// Where it is computed.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Says to who watches that so many steps are to be done from now on, or more.
    pub fn expect(&mut self, steps: usize) {
        self.expected = self.expected.max(self.done + steps);
    }

    /// Says to who watches that something was done that counts as a step; whether to go on.
    #[must_use]
    pub fn advance(&mut self) -> bool {
        self.done += 1;
        self.expected = self.expected.max(self.done);
        let moment = Moment { done: self.done, expected: self.expected, value: f64::NAN };
        self.interrupted |= (self.watch)(moment).is_break();
        !self.interrupted
    }

    /// The activations of `layer` for images `[n, 3, h, w]`, as many at once as memory holds: `[n, c, h, w]`.
    ///
    /// # Errors
    /// As [`Network::answer`].
    pub fn activations(&self, images: Tensor<4>, layer: &str) -> Result<Tensor<4>, Error> {
        Ok(self.answer(images, &[Wanted::layer(layer)])?.map(layer)?)
    }

    /// What is wanted of images `[n, 3, h, w]`.
    ///
    /// # Errors
    /// As [`Network::answer`].
    pub fn answer(&self, images: Tensor<4>, wanted: &[Wanted]) -> Result<Activations, Error> {
        let pass = Pass { precision: self.precision, batch: self.batch, ..Pass::default() };
        Ok(self.network().answer(images, wanted, &pass)?)
    }

    /// Whether a run can be done, before others are.
    ///
    /// # Errors
    /// As [`check`](crate::render::check).
    pub fn check(&self, objective: &Objective, param: &Param, config: &RenderConfig) -> Result<(), Error> {
        check(&self.networks, objective, param, config)
    }

    /// Does one run; how is `config`'s, in this job's numbers.
    ///
    /// If the job is ended meanwhile, the run is what it was by then.
    ///
    /// # Errors
    /// As [`render_on`]; [`Error::NotANumber`] if the objective is none, [`Error::NotThisRun`] if what was kept is of
    /// another.
    pub fn render(
        &mut self,
        objective: &Objective,
        param: impl Into<Param>,
        config: &RenderConfig,
    ) -> Result<Render, Error> {
        let config = RenderConfig { precision: self.precision, batch: self.batch, ..config.clone() };
        let (run, before) = (self.runs, self.done);
        self.runs += 1;
        let from = match &self.kept {
            Some(kept) if kept.file(run).exists() => Some(Checkpoint::load(&kept.file(run))?),
            _ => None,
        };
        let Self { networks, device, watch, kept, done, expected, .. } = self;
        if let (Some(kept), Some((_, about))) = (kept.as_ref(), &from)
            && *about != kept.about
        {
            return Err(Error::NotThisRun);
        }
        let mut failure = None;
        let mut ending = false;
        let step = |now: Progress<'_>| {
            *done = before + now.step + 1;
            *expected = (*done).max(*expected);
            ending |= watch(Moment { done: *done, expected: *expected, value: now.value }).is_break();
            // What ends the job needs no keeping.
            let finished = now.last && done < expected;
            let due = |kept: &Kept| ending || finished || kept.saved.elapsed() >= KEPT_EVERY;
            if let Some(kept) = kept.as_mut().filter(|kept| due(kept)) {
                // On a GPU it is one of the next steps that can be put away, or ended at.
                let Some(checkpoint) = now.checkpoint() else { return ControlFlow::Continue(()) };
                failure = kept.save(run, &checkpoint).err();
            }
            if ending || failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let render = match from {
            Some((from, _)) => render_from(from, device, networks.clone(), objective, param, &config, step)?,
            None => render_on(device, networks.clone(), objective, param, &config, step)?,
        };
        if let Some(failure) = failure {
            return Err(failure);
        }
        match render.ending {
            Ending::NotFinite { step } => return Err(Error::NotANumber { step }),
            Ending::Interrupted { .. } => self.interrupted = true,
            Ending::Finished | Ending::Reached { .. } => {}
        }
        self.done = before + render.values.len();
        Ok(render)
    }
}

impl Kept {
    /// The file of one run.
    fn file(&self, run: usize) -> PathBuf {
        self.folder.join(format!("run-{run:04}.safetensors"))
    }

    fn save(&mut self, run: usize, checkpoint: &Checkpoint) -> Result<(), Error> {
        let unwritable = |error: io::Error| Error::Unwritable {
            path: self.folder.clone(),
            reason: whole_file::reason(&error, "folder"),
        };
        fs::create_dir_all(&self.folder).map_err(unwritable)?;
        checkpoint.save(&self.file(run), &self.about)?;
        self.saved = Instant::now();
        Ok(())
    }

    fn discard(&self) {
        for run in 0.. {
            if fs::remove_file(self.file(run)).is_err() {
                break;
            }
        }
        // Unless somebody keeps something else there.
        let _ = fs::remove_dir(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use entoptic_network::zoo;

    use super::*;
    use crate::{objective::channel, param::image, recipe::test_runs::largest};

    /// Three runs of a few steps; the images of those that were begun.
    fn three(job: &mut Job<'_>) -> Result<Vec<Tensor<4>>, Error> {
        let config = RenderConfig::new().with_steps(5);
        job.expect(3 * 6);
        let mut images = Vec::new();
        for c in 0..3 {
            let render = job.render(&channel("fire2", c), image([32, 32]), &config)?;
            images.push(render.images().unwrap().clone());
            if job.is_interrupted() {
                break;
            }
        }
        Ok(images)
    }

    #[test]
    fn what_was_ended_goes_on_as_if_it_had_not() {
        let (network, folder) = (zoo::squeezenet_v1_1(), tempfile::tempdir().unwrap());
        let kept = folder.path().join("kept");
        let whole = three(&mut Job::new(&network)).unwrap();
        for end in [1, 6, 8, 13, 17] {
            let mut ended = Job::new(&network)
                .watched(|moment| if moment.done == end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
                .kept_in(&kept, &"three", false)
                .unwrap();
            let some = three(&mut ended).unwrap();
            assert!(ended.is_interrupted() && ended.has_kept(), "{end}");
            assert_eq!(some.len(), end.div_ceil(6), "{end}");
            let mut seen = Vec::new();
            let mut resumed = Job::new(&network)
                .watched(|moment| {
                    seen.push(moment.done);
                    ControlFlow::Continue(())
                })
                .kept_in(&kept, &"three", true)
                .unwrap();
            let all = three(&mut resumed).unwrap();
            for (whole, resumed) in whole.iter().zip(&all) {
                assert_eq!(largest(whole.clone() - resumed.clone()), 0.0, "{end}");
            }
            resumed.discard_kept();
            drop(resumed);
            assert_eq!(seen, (end + 1..=18).collect::<Vec<_>>(), "no step is done twice");
            assert!(!kept.exists());
        }
    }

    #[test]
    fn other_work_is_not_gone_on_with() {
        let (network, folder) = (zoo::squeezenet_v1_1(), tempfile::tempdir().unwrap());
        let mut ended =
            Job::new(&network).watched(|_| ControlFlow::Break(())).kept_in(folder.path(), &"three", false).unwrap();
        three(&mut ended).unwrap();
        let other = Job::new(&network).kept_in(folder.path(), &"four", true);
        assert!(matches!(other.err(), Some(Error::NotThisRun)));
        let none = Job::new(&network).kept_in(&folder.path().join("none"), &"three", true);
        assert!(matches!(none.err(), Some(Error::Unreadable { .. })));
    }

    #[test]
    fn the_pictures_do_not_depend_on_how_many_images_are_kept_at_once() {
        let network = zoo::squeezenet_v1_1();
        let made = |batch: Option<usize>| {
            let objective = channel("fire3", 5) - channel("fire3", 7).batch(1);
            let mut job = Job::new(&network).with_batch(batch);
            let render =
                job.render(&objective, image([40, 40]).with_batch(3), &RenderConfig::new().with_steps(6)).unwrap();
            render.images().unwrap().clone()
        };
        let whole = made(None);
        for batch in 0..3 {
            assert_eq!(largest(whole.clone() - made(Some(batch))), 0.0, "{batch}");
        }
    }
}
