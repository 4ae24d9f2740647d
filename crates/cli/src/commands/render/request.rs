//! From arguments to a run.

use std::path::Path;

use entoptic::{
    Model, Run,
    device::DeviceName,
    network::zoo,
    param, picture,
    transform::{collapse_alpha_random, compose, standard},
};

use crate::{args::RenderArgs, failure::Failure};

/// A unit of the embedded model whose picture is good: dogs, from any seed.
const DEFAULT_OBJECTIVE: &str = "fire8:188";

/// The side of a picture in pixels, as in Lucid.
const DEFAULT_SIZE: usize = 128;

/// The run that the arguments ask for.
pub fn describe(args: &RenderArgs) -> Result<Run, Failure> {
    let mut run = match &args.from {
        Some(picture) => picture::description(picture)?,
        None => {
            let objective = DEFAULT_OBJECTIVE.parse().expect("the default objective parses");
            Run::new(objective, param::image([DEFAULT_SIZE; 2]))
        }
    };
    if let (None, [model, ..], None) = (&args.objective, &args.model[..], &args.from)
        && model != zoo::DEFAULT
    {
        let hint = format!("`entoptic layers {model}` lists its layers; `entoptic render -m {model} LAYER:CHANNEL`");
        return Err(Failure::Message(format!("an objective is needed for `{model}`"), Some(hint)));
    }
    if let Some(objective) = &args.objective {
        run.objective = objective.parse().map_err(entoptic::Error::from)?;
    }
    let mut models = args.model.iter().map(|name| Model { name: name.clone(), sha256: String::new() });
    if let Some(model) = models.next() {
        run.model = model;
        run.other_models = models.collect();
    }
    if let Some(init) = &args.init {
        run.init = Some(init.clone());
        run.param.size = size_of(init)?;
    }
    if !args.reference.is_empty() {
        run.references.clone_from(&args.reference);
    }
    if let Some(size) = args.size {
        run.param.size = size;
    }
    if let Some(batch) = args.batch {
        run.param.batch = batch;
    }
    if let Some(param) = &args.param {
        run.param.parameterization = param.parse().map_err(entoptic::Error::from)?;
    }
    if let Some(colors) = args.colors {
        run.param.colors = colors.into();
    }
    run.param.alpha |= args.alpha;
    if let Some(gradients) = &args.gradients {
        run.render.gradients = gradients.parse()?;
    }
    if args.no_relu_override {
        run.render.gradients.relu = None;
    }
    if let Some(transforms) = &args.transforms {
        run.render.transforms = transforms.parse().map_err(entoptic::Error::from)?;
    } else if args.alpha && run.render.transforms == standard() {
        // Lucid's `recipes/feature_visualization.py`.
        run.render.transforms = compose([standard(), collapse_alpha_random(0.5)]);
    }
    if let Some(optimizer) = &args.optimizer {
        run.render.optimizer = optimizer.parse().map_err(entoptic::Error::from)?;
    }
    if let Some(schedule) = &args.schedule {
        run.render.schedule = schedule.parse().map_err(entoptic::Error::from)?;
    }
    if let Some(rate) = args.lr {
        run.render.optimizer.set_learning_rate(rate);
    }
    if let Some(precision) = &args.precision {
        run.render.precision = precision.parse()?;
    }
    if let Some(seed) = args.seed {
        run.render.seed = seed;
    }
    if let Some(thresholds) = &args.thresholds {
        run.render.thresholds.clone_from(thresholds);
        run.render.steps = thresholds.iter().max().copied().unwrap_or(run.render.steps);
        run.render.end = None;
    }
    match args.steps {
        Some(0) => return Err(Failure::message("the number of steps cannot be 0; it is 1 or more")),
        Some(steps) => (run.render.steps, run.render.end) = (steps, None),
        None => {}
    }
    let last = run.render.end.map_or(run.render.steps, |end| end.min(run.render.steps));
    if let Some(distance) = frame_distance(args, last)? {
        run.render.thresholds = (0..=last).step_by(distance).collect();
    }
    if let Some(device) = &args.device {
        run.device = device.parse::<DeviceName>()?.kind;
    }
    run.render.stop_at = args.stop_at.or(run.render.stop_at);
    run.render.attempts = args.attempts.unwrap_or(run.render.attempts);
    Ok(run)
}

/// The longest side in pixels of images that start at a picture, where nobody says their size.
const LONGEST_SIDE: usize = 512;

/// The size of a picture's images: its own, if that is not too large.
fn size_of(picture: &Path) -> Result<[usize; 2], Failure> {
    let [h, w] = picture::about(picture)?.size;
    let longest = h.max(w);
    Ok(match longest > LONGEST_SIDE {
        true => [h, w].map(|side| (side * LONGEST_SIDE).div_ceil(longest)),
        false => [h, w],
    })
}

/// How many frames an animation has, about, where nobody says every how many steps there is one.
const FRAMES: usize = 64;

/// More images than this are neither looked at nor held in memory.
const MOST_KEPT: usize = 10_000;

/// How many steps lie between the images kept.
fn frame_distance(args: &RenderArgs, steps: usize) -> Result<Option<usize>, Failure> {
    match (args.every, &args.animate, &args.thresholds) {
        (Some(0), _, _) => Err(Failure::message("--every cannot be 0; it is 1 step or more")),
        (Some(every), _, _) if steps / every >= MOST_KEPT => Err(Failure::message(format!(
            "--every {every} keeps more than {MOST_KEPT} images of {steps} steps; --every {} does not",
            steps / MOST_KEPT + 1
        ))),
        (Some(every), _, _) => Ok(Some(every)),
        (None, Some(_), None) => Ok(Some((steps / FRAMES).max(1))),
        (None, _, _) => Ok(None),
    }
}

/// A picture's run is only the same with the same weights.
pub fn check_weights(args: &RenderArgs, model: &Model, sha256: &str) -> Result<(), Failure> {
    let name = &model.name;
    match args.from.is_some() && args.model.is_empty() && model.sha256 != sha256 {
        true => Err(Failure::Message(
            format!("the picture was made with other weights of `{name}`"),
            Some(format!("`-m {name}` uses the weights that are here; the picture will differ")),
        )),
        false => Ok(()),
    }
}
