mod files;
mod report;
mod request;

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::ExitCode,
};

use self::{
    files::{at_step, out_file},
    report::{Outcome, report},
    request::{check_weights, describe},
};
use crate::{args::RenderArgs, failure::Failure, machine, watch::Watch};
use burn::tensor::{Device, Tensor};
use entoptic::{Error, Networks, Progress, Render, Run, device::DeviceName, network::Network, picture};

pub fn run(args: Box<RenderArgs>, folder: &Path) -> Result<ExitCode, Failure> {
    let mut run = describe(&args)?;
    let networks = open(&args, &mut run, folder)?;
    let networks = Networks::new(&networks[0], &networks[1..]);
    run.check(networks.clone())?;
    let out = out_file(args.out.as_deref(), &run);
    picture::check_writable(&out)?;
    // An animation's frames are no files.
    let on_the_way = match &args.animate {
        Some(animation) => {
            picture::check_animatable(animation, args.fps.unwrap_or(FRAMES_PER_SECOND))?;
            &[]
        }
        None => &run.render.thresholds[..],
    };
    for step in on_the_way {
        picture::check_writable(&at_step(&out, *step))?;
    }
    machine::set_threads(args.threads)?;
    let device = device(&args, &run)?;

    let watch = Watch::start(args.quiet || args.json);
    let expected = (run.render.steps + 1) * run.render.attempts;
    let mut saved = Ok(());
    let mut done = 0;
    let render = run.render(networks, &device, |Progress { step, value, snapshot, last, .. }| {
        done += 1;
        watch.step(done, expected, value);
        // Of several attempts the best is only known at the end.
        let save = args.animate.is_none() && run.render.attempts == 1 && !last;
        if let Some(snapshot) = snapshot.filter(|_| save) {
            let description = run.until(step, run.render.seed);
            saved = picture::save(&at_step(&out, step), &snapshot.images, Some(&description));
        }
        match saved.is_err() || watch.is_interrupted() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    let seconds = watch.seconds();
    watch.end();
    saved?;
    let written = save(&args, &run, &render, out)?;
    let animation = args.animate.clone().filter(|_| !written.is_empty());
    report(&args, &run, &Outcome { render, written, animation, steps: done, seconds })
}

/// The run's networks, whose weights it then names.
fn open(args: &RenderArgs, run: &mut Run, folder: &Path) -> Result<Vec<Network>, Failure> {
    let mut networks: Vec<Network> = Vec::new();
    for model in std::iter::once(&mut run.model).chain(&mut run.other_models) {
        let network = super::open(&model.name, folder)?;
        let description = network.description();
        if networks.iter().any(|other| other.description().name == description.name) {
            return Err(Failure::message(format!("`{}` is asked for twice; once is enough", description.name)));
        }
        check_weights(args, model, &description.sha256)?;
        model.sha256.clone_from(&description.sha256);
        networks.push(network);
    }
    if args.size.is_none() && args.init.is_none() && args.from.is_none() {
        run.param.size = only_size(&networks, run).unwrap_or(run.param.size);
    }
    Ok(networks)
}

/// The size of images that a layer of the objective takes, if it takes no other.
fn only_size(networks: &[Network], run: &Run) -> Option<[usize; 2]> {
    let layers = run.objective.layers();
    let sizes = networks
        .iter()
        .map(Network::graph)
        .flat_map(|graph| layers.iter().filter_map(|layer| graph.only_size(graph.find(layer).ok()?)));
    sizes.max()
}

/// Saves what a run made and has not been saved yet, and says where each snapshot is that has a file.
fn save(args: &RenderArgs, run: &Run, render: &Render, out: PathBuf) -> Result<Vec<Option<PathBuf>>, Failure> {
    let Some((last, before)) = render.snapshots.split_last() else { return Ok(Vec::new()) };
    let mut written = vec![None; before.len()];
    if let Some(animation) = &args.animate {
        let frames = render.snapshots.iter().map(|snapshot| frame(&snapshot.images)).collect::<Result<_, _>>()?;
        picture::animate(animation, &Tensor::cat(frames, 0), args.fps.unwrap_or(FRAMES_PER_SECOND))?;
    } else {
        for (snapshot, written) in before.iter().zip(&mut written) {
            let path = at_step(&out, snapshot.step);
            if run.render.attempts > 1 {
                picture::save(&path, &snapshot.images, Some(&run.until(snapshot.step, render.seed)))?;
            }
            *written = Some(path);
        }
    }
    picture::save(&out, &last.images, Some(&run.until(last.step, render.seed)))?;
    written.push(Some(out));
    Ok(written)
}

/// Fast enough to be seen as motion, slow enough to follow.
const FRAMES_PER_SECOND: f64 = 20.0;

/// A batch as one frame `[1, 3, h, n * w]`.
fn frame(images: &Tensor<4>) -> Result<Tensor<4>, Error> {
    let [n, c, _, _] = images.dims();
    let opaque = if c == 4 { picture::on_white(images.clone()) } else { images.clone() };
    picture::grid(&opaque, n, 0)
}

/// The device asked for, or such a one as made the picture.
fn device(args: &RenderArgs, run: &Run) -> Result<Device, Failure> {
    let Some(name) = &args.device else {
        return DeviceName::from(run.device).open().map_err(|error| {
            let hint = format!("the picture was made on `{}`; with `--device cpu` its details will differ", run.device);
            Failure::Message(error.to_string(), Some(hint))
        });
    };
    machine::device(name)
}
