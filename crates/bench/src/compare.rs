//! entoptic and PyTorch in turns, so that whatever else the machine does slows both.

use std::{path::PathBuf, process::Command, thread, time::Duration};

use clap::value_parser;
use entoptic::network::zoo;

use crate::{
    case::{Case, Mode, What, compared},
    flops::flops,
    machine::{f32_peak, threads, warn_if_busy},
    table::{Comparison, Line, header, median, row},
    worker::{Request, Worker},
};

#[derive(clap::Args)]
pub struct Args {
    /// A Python that has torch, numpy and safetensors
    #[arg(long, env = "PYTHON", default_value = "python3")]
    python: PathBuf,

    /// How PyTorch computes
    #[arg(long, value_name = "MODE,...", value_delimiter = ',', default_value = "eager,channels_last,compile,bf16")]
    modes: Vec<Mode>,

    /// Only cases whose name contains this; names are such as
    /// "network googlenet_bvlc inception_4a_output batch 4 at 128 px" and "run googlenet_bvlc ..."
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,

    /// Threads of each [default: one for each core]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    threads: Option<u16>,

    /// How often each has its turn
    #[arg(long, value_name = "N", default_value = "5", value_parser = value_parser!(u16).range(1..))]
    turns: u16,

    /// Timed steps of each turn
    #[arg(long, value_name = "N", default_value = "5", value_parser = value_parser!(u16).range(1..))]
    steps: u16,

    /// Print a JSON line for each case and mode, not a table
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), String> {
    let Args { modes, only, turns, steps, json, .. } = args;
    let mut cases = compared();
    let names = format!("they are such as `{}`", cases[0].name());
    cases.retain(|case| only.as_ref().is_none_or(|only| case.name().contains(only)));
    if let (Some(only), []) = (only, &cases[..]) {
        return Err(format!("`{only}` is part of no case's name; {names}"));
    }
    let threads = threads(args.threads);
    let mut entoptic = Worker::entoptic(threads)?;
    let mut pytorch = pytorch(args, threads)?;
    warn_if_busy();
    let peak = f32_peak(threads);
    if !json {
        println!(
            "{} and {} in turns on {threads} threads; medians of {} steps, in ms. The f32 peak is {:.0} GFLOP/s.\n",
            entoptic.name,
            pytorch.name,
            usize::from(*turns) * usize::from(*steps),
            peak / 1e9
        );
        println!("{}", header(modes));
    }
    for case in cases {
        let comparison = compare(args, case, &mut entoptic, &mut pytorch)?;
        if *json {
            for &(mode, ms) in &comparison.ms {
                println!("{}", Line::new(&comparison.case, mode, ms));
            }
        } else {
            println!("{}", row(&comparison, modes, peak));
        }
    }
    Ok(())
}

fn pytorch(args: &Args, threads: usize) -> Result<Worker, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/pytorch.py");
    Worker::start(Command::new(&args.python).arg(script).arg(zoo::default_folder()), threads)
        .map_err(|error| format!("{error}; --python or $PYTHON names a Python with torch, numpy and safetensors"))
}

/// Threads that have computed wait busily for more to do; before the next turn they are asleep.
const PAUSE: Duration = Duration::from_millis(300);

/// entoptic's modes on this machine.
fn ours() -> impl Iterator<Item = Mode> {
    let modes = [Mode::Entoptic, Mode::EntopticBf16].into_iter();
    modes.filter(|mode| mode.precision().is_some_and(|precision| precision.check().is_ok()))
}

fn compare(args: &Args, case: Case, entoptic: &mut Worker, pytorch: &mut Worker) -> Result<Comparison, String> {
    // PyTorch compiles for one size; a run's images have another size each step.
    let peers = args.modes.iter().filter(|&&mode| !(mode == Mode::Compile && case.what == What::Run));
    let mut times: Vec<(Mode, Vec<f64>)> = ours().chain(peers.copied()).map(|mode| (mode, vec![])).collect();
    // In the first turn everybody prepares.
    for turn in 0..=args.turns {
        for (mode, times) in &mut times {
            let worker = if mode.precision().is_some() { &mut *entoptic } else { &mut *pytorch };
            thread::sleep(PAUSE);
            let measured =
                worker.measure(&Request { case: case.clone(), mode: *mode, steps: usize::from(args.steps) })?;
            if turn > 0 {
                times.extend(measured.ms);
            }
        }
    }
    let flops = match case.what {
        What::Network => Some(flops(&case.open()?, &case).map_err(|error| error.to_string())?),
        What::Run => None,
    };
    let ms = times.into_iter().map(|(mode, times)| (mode, median(&times))).collect();
    Ok(Comparison { case, ms, flops })
}
