use std::{
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::{ExitCode, exit},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use burn::tensor;
use entoptic::{
    Ending, Progress, Render, Run,
    network::zoo,
    param::{self, Basis},
    picture, transform,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::print_json;
use crate::{
    args::{Device, Param, RenderArgs, Transforms},
    failure::Failure,
};

/// A unit of the embedded model whose picture is good: dogs, from any seed.
const DEFAULT_OBJECTIVE: &str = "fire8:188";

/// The side of a picture in pixels, as in Lucid.
const DEFAULT_SIZE: usize = 128;

/// The exit code of a program that was interrupted: 128 and the number of SIGINT.
const INTERRUPTED: u8 = 130;

pub fn run(args: Box<RenderArgs>, folder: &Path) -> Result<ExitCode, Failure> {
    let (mut run, recorded) = describe(&args)?;
    let network = zoo::open(&run.model.name, folder)?;
    run.model.sha256.clone_from(&network.description().sha256);
    check_weights(&args, &run, recorded.as_deref())?;
    run.check(&network)?;
    let out = out_file(args.out.as_deref(), &run)?;
    for step in &run.render.thresholds {
        picture::check_writable(&at_step(&out, *step))?;
    }
    picture::check_writable(&out)?;
    set_threads(args.threads)?;

    let bar = progress_bar(&args, run.render.steps);
    let interrupted = on_interrupt();
    let started = Instant::now();
    let mut saved = Ok(());
    let render = run.render(&network, &device(args.device), |Progress { step, value, snapshot }| {
        bar.set_position(step as u64 + 1);
        let rate = (step + 1) as f64 / started.elapsed().as_secs_f64();
        bar.set_message(format!("{rate:.1} steps/s  value {value:.4}"));
        if let Some(snapshot) = snapshot.filter(|_| step < run.render.steps) {
            saved = picture::save(&at_step(&out, step), &snapshot.images, Some(&run.until(step)));
        }
        match saved.is_err() || interrupted.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    let seconds = started.elapsed().as_secs_f64();
    bar.finish_and_clear();
    saved?;

    let mut written: Vec<PathBuf> = render.snapshots.iter().map(|snapshot| at_step(&out, snapshot.step)).collect();
    if let (Some(last), Some(path)) = (render.snapshots.last(), written.last_mut()) {
        picture::save(&out, &last.images, Some(&run.until(last.step)))?;
        *path = out;
    }
    report(&args, &run, &render, &written, seconds)
}

/// The run that the arguments ask for, and the checksum of the weights that a picture's run had.
fn describe(args: &RenderArgs) -> Result<(Run, Option<String>), Failure> {
    let (mut run, recorded) = match &args.from {
        Some(picture) => {
            let run = picture::description(picture)?;
            let recorded = run.model.sha256.clone();
            (run, Some(recorded))
        }
        None => {
            let objective = DEFAULT_OBJECTIVE.parse().expect("the default objective parses");
            (Run::new(objective, param::image([DEFAULT_SIZE; 2])), None)
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
    match (args.param, args.decay, &mut run.param.basis) {
        (Some(Param::Pixel), Some(_), _) | (None, Some(_), Basis::Pixel) => {
            return Err(Failure::message("--decay belongs to --param fourier; single pixels have no frequencies"));
        }
        (Some(Param::Pixel), None, basis) => *basis = Basis::Pixel,
        (Some(Param::Fourier), None, Basis::Fourier { .. }) => {}
        (Some(Param::Fourier), decay, basis) => *basis = Basis::Fourier { decay_power: decay.unwrap_or(1.0) },
        (None, Some(decay), Basis::Fourier { decay_power }) => *decay_power = decay,
        (None, None, _) => {}
    }
    run.param.decorrelate &= !args.no_decorrelate;
    run.render.relu_override &= !args.no_relu_override;
    match args.transforms {
        Some(Transforms::Standard) => run.render.transforms = transform::standard(),
        Some(Transforms::None) => run.render.transforms = transform::none(),
        None => {}
    }
    if let Some(rate) = args.lr {
        run.render.optimizer.learning_rate = rate;
    }
    if let Some(seed) = args.seed {
        run.render.seed = seed;
    }
    if let Some(thresholds) = &args.thresholds {
        run.render.thresholds.clone_from(thresholds);
        run.render.steps = args.steps.or(thresholds.iter().max().copied()).unwrap_or(run.render.steps);
    }
    if let Some(steps) = args.steps {
        run.render.steps = steps;
    }
    Ok((run, recorded))
}

/// A picture's run is only the same with the same weights.
fn check_weights(args: &RenderArgs, run: &Run, recorded: Option<&str>) -> Result<(), Failure> {
    match recorded {
        Some(recorded) if args.model.is_none() && recorded != run.model.sha256 => Err(Failure::Message(
            format!("the picture was made with other weights of `{}`", run.model.name),
            Some(format!("`-m {}` uses the weights that are here; the picture will differ", run.model.name)),
        )),
        _ => Ok(()),
    }
}

/// The file for the last image.
fn out_file(out: Option<&Path>, run: &Run) -> Result<PathBuf, Failure> {
    let named = || format!("{}.png", file_name(&run.objective.to_string()));
    let Some(out) = out else { return Ok(named().into()) };
    if out.is_dir() || out.to_string_lossy().ends_with(std::path::is_separator) {
        return Ok(out.join(named()));
    }
    match out.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("png") => Ok(out.to_owned()),
        _ => Err(Failure::message(format!(
            "cannot write {}: pictures are PNG files; {} would work",
            out.display(),
            out.with_extension("png").display()
        ))),
    }
}

/// The longest name made of an objective; file systems take 255 bytes.
const LONGEST_NAME: usize = 80;

/// An objective as a file name: `channel(fire5, 20)` is `fire5-20`, `neuron(fire5, 20)` is `neuron-fire5-20`.
fn file_name(objective: &str) -> String {
    let objective = objective.replace("channel(", "(");
    let words = objective.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.');
    let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    name.chars().take(LONGEST_NAME).collect()
}

/// `picture.png` at step 32: `picture-32.png`.
fn at_step(out: &Path, step: usize) -> PathBuf {
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!("{stem}-{step}.png"))
}

/// More than any machine has use for; starting very many takes longer than a run.
const MOST_THREADS: usize = 1024;

fn set_threads(threads: Option<usize>) -> Result<(), Failure> {
    match threads {
        Some(threads) if !(1..=MOST_THREADS).contains(&threads) => {
            Err(Failure::message(format!("the number of threads cannot be {threads}; it is 1 to {MOST_THREADS}")))
        }
        Some(threads) => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build_global().map_err(|error| Failure::message(format!("cannot start {threads} threads: {error}")))
        }
        None => Ok(()),
    }
}

fn device(device: Device) -> tensor::Device {
    match device {
        Device::Cpu => tensor::Device::flex(),
    }
}

/// A bar on a terminal; nothing elsewhere.
fn progress_bar(args: &RenderArgs, steps: usize) -> ProgressBar {
    if args.quiet || args.json {
        return ProgressBar::hidden();
    }
    let style = "{bar:32} {pos}/{len}  {msg}  {eta} left";
    let style = ProgressStyle::with_template(style).expect("the template is valid");
    ProgressBar::new(steps as u64 + 1).with_style(style)
}

/// Set by the first Ctrl-C; the second ends the program at once.
fn on_interrupt() -> Arc<AtomicBool> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = interrupted.clone();
    let handler = move || {
        if flag.swap(true, Ordering::Relaxed) {
            exit(i32::from(INTERRUPTED));
        }
    };
    // Without a handler Ctrl-C ends the program as it always does: worse, but no reason not to run.
    let _ = ctrlc::set_handler(handler);
    interrupted
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    objective: String,
    model: &'a str,
    /// Pixels of a side, or height and width where they differ.
    size: serde_json::Value,
    steps: usize,
    seed: u64,
    transforms: serde_json::Value,
    seconds: f64,
    steps_per_second: f64,
    snapshots: Vec<Kept<'a>>,
    final_value: f64,
}

#[derive(Serialize)]
struct Kept<'a> {
    step: usize,
    value: f64,
    image: &'a Path,
}

fn report(
    args: &RenderArgs,
    run: &Run,
    render: &Render,
    written: &[PathBuf],
    seconds: f64,
) -> Result<ExitCode, Failure> {
    let rate = render.values.len() as f64 / seconds;
    if args.json {
        let kept = render.snapshots.iter().zip(written);
        let [h, w] = run.param.size;
        print_json(&Report {
            objective: run.objective.to_string(),
            model: &run.model.name,
            size: if h == w { h.into() } else { vec![h, w].into() },
            steps: run.render.steps,
            seed: run.render.seed,
            transforms: transforms_name(&run.render.transforms),
            seconds,
            steps_per_second: rate,
            snapshots: kept.map(|(kept, image)| Kept { step: kept.step, value: kept.value, image }).collect(),
            final_value: render.final_value,
        })?;
    } else if let (false, Some(path)) = (args.quiet, written.last()) {
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "{}: {} = {:.4} after {} steps in {seconds:.1} s ({rate:.1} steps/s)",
            path.display(),
            run.objective,
            render.final_value,
            render.values.len(),
        )?;
    }
    match (render.ending, written.last()) {
        (Ending::Finished, _) => Ok(ExitCode::SUCCESS),
        (Ending::Interrupted { step }, _) => {
            eprintln!("interrupted at step {step}; its image was kept");
            Ok(ExitCode::from(INTERRUPTED))
        }
        (Ending::NotFinite { step }, kept) => {
            let kept = kept.map_or("there was no good image to keep".into(), |path| {
                format!("the last good image is {}", path.display())
            });
            let hint = "a smaller --lr often helps".to_owned();
            Err(Failure::Message(format!("the objective is no number at step {step}; {kept}"), Some(hint)))
        }
    }
}

/// `standard`, `none`, or all of it.
fn transforms_name(transforms: &transform::Transform) -> serde_json::Value {
    if *transforms == transform::standard() {
        "standard".into()
    } else if *transforms == transform::none() {
        "none".into()
    } else {
        serde_json::to_value(transforms).expect("transforms are plain data")
    }
}
