mod files;
mod report;
mod request;

use std::{
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
use entoptic::{Progress, network::zoo, picture};
use indicatif::{ProgressBar, ProgressStyle};

use self::{
    files::{at_step, out_file},
    report::report,
    request::{check_weights, describe},
};
use crate::{
    args::{Device, RenderArgs},
    failure::Failure,
};

/// The exit code of a program that was interrupted: 128 and the number of SIGINT.
const INTERRUPTED: u8 = 130;

pub fn run(args: Box<RenderArgs>, folder: &Path) -> Result<ExitCode, Failure> {
    let mut run = describe(&args)?;
    let network = zoo::open(&run.model.name, folder)?;
    let sha256 = &network.description().sha256;
    check_weights(&args, &run, sha256)?;
    run.model.sha256.clone_from(sha256);
    run.check(&network)?;
    let out = out_file(args.out.as_deref(), &run);
    picture::check_writable(&out)?;
    for step in &run.render.thresholds {
        picture::check_writable(&at_step(&out, *step))?;
    }
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
