//! From arguments to a run.

use entoptic::{Run, network::zoo, param, picture};

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
    if let (None, Some(model), None) = (&args.objective, &args.model, &args.from)
        && model != zoo::DEFAULT
    {
        let hint = format!("`entoptic layers {model}` lists its layers; `entoptic render -m {model} LAYER:CHANNEL`");
        return Err(Failure::Message(format!("an objective is needed for `{model}`"), Some(hint)));
    }
    if let Some(objective) = &args.objective {
        run.objective = objective.parse().map_err(entoptic::Error::from)?;
    }
    if let Some(model) = &args.model {
        run.model.name.clone_from(model);
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
    if let Some(seed) = args.seed {
        run.render.seed = seed;
    }
    if let Some(thresholds) = &args.thresholds {
        run.render.thresholds.clone_from(thresholds);
        run.render.steps = thresholds.iter().max().copied().unwrap_or(run.render.steps);
    }
    match args.steps {
        Some(0) => return Err(Failure::message("the number of steps cannot be 0; it is 1 or more")),
        Some(steps) => run.render.steps = steps,
        None => {}
    }
    Ok(run)
}

/// A picture's run is only the same with the same weights.
pub fn check_weights(args: &RenderArgs, run: &Run, sha256: &str) -> Result<(), Failure> {
    let name = &run.model.name;
    match args.from.is_some() && args.model.is_none() && run.model.sha256 != sha256 {
        true => Err(Failure::Message(
            format!("the picture was made with other weights of `{name}`"),
            Some(format!("`-m {name}` uses the weights that are here; the picture will differ")),
        )),
        false => Ok(()),
    }
}
