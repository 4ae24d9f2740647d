//! Who watches a run: a bar on a terminal, and a hand on Ctrl-C.

use std::{
    process::exit,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};

/// The exit code of a program that was interrupted: 128 and the number of SIGINT.
pub const INTERRUPTED: u8 = 130;

/// A run under way, as its user sees it.
pub struct Watch {
    bar: ProgressBar,
    interrupted: Arc<AtomicBool>,
    started: Instant,
}

impl Watch {
    /// Starts to watch; a quiet one shows nothing.
    pub fn start(quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { bar() };
        Self { bar, interrupted: on_interrupt(), started: Instant::now() }
    }

    /// Shows that so many steps of so many are done, and the objective at the last of them.
    pub fn step(&self, done: usize, expected: usize, value: f64) {
        self.bar.set_length(expected as u64);
        self.bar.set_position(done as u64);
        let rate = done as f64 / self.seconds();
        let value = if value.is_nan() { String::new() } else { format!("  value {value:.4}") };
        self.bar.set_message(format!("{rate:.1} steps/s{value}"));
    }

    /// Shows that so many bytes of something have come, of how many, if anybody says.
    pub fn bytes(&self, what: &str, done: u64, total: Option<u64>) {
        let style = match total {
            Some(_) => "{msg}  {bar:32}  {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left",
            None if done > 0 => "{msg}  {decimal_bytes}  {decimal_bytes_per_sec}",
            None => "{msg}  {elapsed}",
        };
        if self.bar.message() != what {
            self.bar.reset();
            self.bar.set_message(what.to_owned());
        }
        self.bar.set_style(ProgressStyle::with_template(style).expect("the template is valid"));
        self.bar.set_length(total.unwrap_or(0));
        self.bar.set_position(done);
    }

    /// Whether the user wants it to end.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// How long it took so far.
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Ends to watch, and takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// A bar on a terminal; nothing elsewhere.
fn bar() -> ProgressBar {
    let style = "{bar:32} {pos}/{len}  {msg}  {eta} left";
    let style = ProgressStyle::with_template(style).expect("the template is valid");
    ProgressBar::new(0).with_style(style)
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
