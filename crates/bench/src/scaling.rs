//! How time and memory grow with the image and the batch.

use clap::value_parser;

use crate::{
    case::{Mode, growing},
    machine::{threads, warn_if_busy},
    table::{Line, median},
    worker::{Request, Worker},
};

#[derive(clap::Args)]
pub struct Args {
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    threads: Option<u16>,

    /// Timed steps of each case
    #[arg(long, value_name = "N", default_value = "9", value_parser = value_parser!(u16).range(1..))]
    steps: u16,
}

pub fn run(args: &Args) -> Result<(), String> {
    warn_if_busy();
    for case in growing() {
        // A process of its own, so that the most memory it ever held is this case's.
        let mut worker = Worker::entoptic(threads(args.threads))?;
        let mut request = Request { case, mode: Mode::Entoptic, steps: 1 };
        worker.measure(&request)?;
        request.steps = usize::from(args.steps);
        let measured = worker.measure(&request)?;
        let line = Line { peak_mb: measured.peak_mb, ..Line::new(&request.case, Mode::Entoptic, median(&measured.ms)) };
        println!("{line}");
    }
    Ok(())
}
