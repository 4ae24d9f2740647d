//! Times entoptic, beside PyTorch and on growing images; `docs/performance.md` says how to repeat its figures.
//!
//! What is timed is a [`case::Case`]. Whoever times is a process of its own, a [`worker::Worker`]: this program started
//! once more, or `pytorch.py`. Both read requests and write answers, one JSON object a line, so they can take turns.

mod case;
mod compare;
mod flops;
mod machine;
mod measure;
mod scaling;
mod table;
mod worker;

use std::process::ExitCode;

use clap::Parser;

/// Time entoptic, beside PyTorch and on growing images
#[derive(Parser)]
#[command(name = "entoptic-bench", max_term_width = 100)]
enum Command {
    /// Time entoptic and PyTorch in turns; print their times and ratios as a Markdown table
    Compare(compare::Args),
    /// Time growing images and growing batches, each in a process of its own; print a JSON line for each
    Scaling(scaling::Args),
    /// Answer requests for measurements of entoptic, a JSON object a line, as pytorch.py does
    Worker,
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Compare(args) => compare::run(&args),
        Command::Scaling(args) => scaling::run(&args),
        Command::Worker => measure::serve(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
