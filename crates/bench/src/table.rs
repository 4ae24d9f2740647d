//! Times side by side in Markdown, and one by one in JSON.

use std::fmt;

use serde::Serialize;

use crate::case::{Case, Mode, What};

/// The median times of one case.
pub struct Comparison {
    pub case: Case,
    /// Milliseconds of a step.
    pub ms: Vec<(Mode, f64)>,
    /// The floating-point operations of a step, where they are counted.
    pub flops: Option<f64>,
}

/// What was measured of one case in one mode; it prints as a line of JSON.
#[derive(Serialize)]
pub struct Line<'a> {
    #[serde(flatten)]
    pub case: &'a Case,
    pub mode: Mode,
    /// The median milliseconds of a step.
    pub ms: f64,
    /// The most memory the process ever held, in megabytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_mb: Option<f64>,
}

impl<'a> Line<'a> {
    pub fn new(case: &'a Case, mode: Mode, ms: f64) -> Self {
        Self { case, mode, ms, peak_mb: None }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).expect("a line is JSON"))
    }
}

/// The middle value, or the mean of the two in the middle.
///
/// # Panics
/// If there is none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

impl Comparison {
    pub fn time(&self, mode: Mode) -> Option<f64> {
        self.ms.iter().find(|(other, _)| *other == mode).map(|&(_, ms)| ms)
    }

    /// PyTorch's best time in f32 by entoptic's: above 1, entoptic is faster.
    pub fn ratio(&self) -> Option<f64> {
        let best = [Mode::Eager, Mode::ChannelsLast, Mode::Compile]
            .into_iter()
            .filter_map(|mode| self.time(mode))
            .min_by(f64::total_cmp)?;
        Some(best / self.time(Mode::Entoptic)?)
    }

    /// What part of the machine's `peak` operations per second entoptic reaches.
    pub fn of_peak(&self, peak: f64) -> Option<f64> {
        Some(self.flops? / (self.time(Mode::Entoptic)? / 1e3) / peak)
    }
}

/// The first two lines of a table with these modes of PyTorch's.
pub fn header(peers: &[Mode]) -> String {
    let names: String = peers.iter().map(|mode| format!(" PyTorch {mode} |")).collect();
    format!(
        "| network | layer | px | batch | entoptic | of peak | bf16 |{names} best f32 / entoptic |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: |{} ---: |",
        " ---: |".repeat(peers.len())
    )
}

/// A case's line.
pub fn row(comparison: &Comparison, peers: &[Mode], peak: f64) -> String {
    let Case { what, model, layer, size, batch } = &comparison.case;
    let whole = match what {
        What::Network => "",
        What::Run => ", whole step",
    };
    let ms = |mode| cell(comparison.time(mode).map(|ms| format!("{ms:.1}")));
    let of_peak = cell(comparison.of_peak(peak).map(|part| format!("{:.0} %", 100.0 * part)));
    let peers: String = peers.iter().map(|&mode| format!(" {} |", ms(mode))).collect();
    let ratio = cell(comparison.ratio().map(|ratio| format!("{ratio:.2}")));
    let [f32, bf16] = [Mode::Entoptic, Mode::EntopticBf16].map(ms);
    format!("| {model}{whole} | {layer} | {size} | {batch} | {f32} | {of_peak} | {bf16} |{peers} {ratio} |")
}

fn cell(value: Option<String>) -> String {
    value.unwrap_or("–".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(ms: &[(Mode, f64)]) -> Comparison {
        Comparison { case: Case::network("net", "layer", 64, 2), ms: ms.to_vec(), flops: Some(3e9) }
    }

    #[test]
    fn medians_of_odd_and_even_counts() {
        assert_eq!(median(&[9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[9.0, 1.0, 4.0, 2.0]), 3.0);
    }

    #[test]
    fn the_ratio_is_to_the_best_f32_mode() {
        let mut ms = vec![(Mode::Entoptic, 20.0), (Mode::Eager, 30.0), (Mode::Compile, 25.0), (Mode::Bf16, 5.0)];
        assert_eq!(comparison(&ms).ratio(), Some(1.25));
        ms.remove(2);
        assert_eq!(comparison(&ms).ratio(), Some(1.5));
        assert_eq!(comparison(&[(Mode::Entoptic, 20.0), (Mode::Bf16, 5.0)]).ratio(), None);
    }

    #[test]
    fn a_table_has_a_column_for_each_mode() {
        let peers = [Mode::Eager, Mode::Compile, Mode::Bf16];
        // 3e9 operations in 20 ms are 150e9 a second.
        let ms = [(Mode::Entoptic, 20.0), (Mode::EntopticBf16, 4.0), (Mode::Eager, 30.0), (Mode::Bf16, 5.0)];
        let row = row(&comparison(&ms), &peers, 200e9);
        assert_eq!(row, "| net | layer | 64 | 2 | 20.0 | 75 % | 4.0 | 30.0 | – | 5.0 | 1.50 |");
        let columns = |line: &str| line.matches('|').count();
        assert!(header(&peers).lines().all(|line| columns(line) == columns(&row)));
    }
}
