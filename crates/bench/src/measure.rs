//! entoptic's own times.

use std::{
    collections::HashMap,
    fs,
    io::{self, Write},
    ops::ControlFlow,
    time::{Duration, Instant},
};

use burn::tensor::{Device, Distribution, Tensor};
use entoptic::{
    RenderConfig,
    network::{self, GradientOverrides, Network, Pass, Precision, Wanted},
    objective::channel,
    param, render_on,
};
use serde::Serialize;

use crate::{
    case::{Case, What},
    worker::{Answer, Measured, Ready, Request},
};

/// Answers requests until there are no more.
pub fn serve() -> Result<(), String> {
    say(&Ready { ready: concat!("entoptic ", env!("CARGO_PKG_VERSION")).into() })?;
    let mut networks = HashMap::new();
    for line in io::stdin().lines().map_while(Result::ok) {
        let request = serde_json::from_str(&line).map_err(|error| format!("`{line}` is no request: {error}"));
        say(&match request.and_then(|request: Request| measure(&mut networks, &request)) {
            Ok(measured) => Answer::Good(measured),
            Err(error) => Answer::Failed { error },
        })?;
    }
    Ok(())
}

fn say(answer: &impl Serialize) -> Result<(), String> {
    let line = serde_json::to_string(answer).expect("answers are JSON");
    writeln!(io::stdout(), "{line}").map_err(|error| format!("cannot write to stdout: {error}"))
}

/// The times of some steps. Networks stay open: what one prepares for a size is not part of a step.
fn measure(
    networks: &mut HashMap<String, Network>,
    Request { case, mode, steps }: &Request,
) -> Result<Measured, String> {
    let precision = mode.precision().ok_or_else(|| format!("{mode} is a mode of PyTorch's"))?;
    if !networks.contains_key(&case.model) {
        networks.insert(case.model.clone(), case.open()?);
    }
    let network = &networks[&case.model];
    let times = match case.what {
        What::Network => network_steps(network, case, precision, *steps).map_err(|error| error.to_string())?,
        What::Run => run_steps(network, case, precision, *steps).map_err(|error| error.to_string())?,
    };
    let ms = times.iter().map(|time| time.as_micros() as f64 / 1e3).collect();
    Ok(Measured { ms, peak_mb: peak_mb() })
}

fn network_steps(
    network: &Network,
    case: &Case,
    precision: Precision,
    steps: usize,
) -> Result<Vec<Duration>, network::Error> {
    let Case { layer, size, batch, .. } = case;
    let device = Device::flex().autodiff();
    let images = Tensor::<4>::random([*batch, 3, *size, *size], Distribution::Uniform(0.0, 1.0), &device);
    let images = images.require_grad();
    let (wanted, pass) = ([Wanted::layer(layer)], Pass { precision, ..Pass::default() });
    let step = || {
        let started = Instant::now();
        let value = network.answer(images.clone(), &wanted, &pass)?.map(layer)?.narrow(1, 10, 1).mean();
        images.grad(&value.backward()).expect("every layer depends on the image");
        Ok(started.elapsed())
    };
    step()?;
    (0..steps).map(|_| step()).collect()
}

/// Redirected ReLUs are left out: they are for the first 17 of a run's 513 steps.
fn run_steps(
    network: &Network,
    case: &Case,
    precision: Precision,
    steps: usize,
) -> Result<Vec<Duration>, entoptic::Error> {
    let Case { layer, size, batch, .. } = case;
    let config = RenderConfig::new().with_gradients(GradientOverrides::none()).with_precision(precision);
    let images = param::image([*size, *size]).with_batch(*batch);
    let mut ends = Vec::new();
    render_on(&Device::flex(), network, &channel(layer, 10), images, &config, |_| {
        ends.push(Instant::now());
        if ends.len() <= steps { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(ends.windows(2).map(|pair| pair[1] - pair[0]).collect())
}

/// The most memory this process ever held, in megabytes; Linux tells.
fn peak_mb() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((kilobytes / 1024.0).round())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Mode;

    #[test]
    fn as_many_steps_are_timed_as_were_asked_for() {
        for what in [What::Network, What::Run] {
            let case = Case { what, ..Case::network("squeezenet_v1_1", "fire3", 32, 2) };
            let request = Request { case, mode: Mode::Entoptic, steps: 3 };
            let measured = measure(&mut HashMap::new(), &request).unwrap();
            assert_eq!(measured.ms.len(), 3, "{what:?}");
            assert!(measured.ms.iter().all(|&ms| ms > 0.0), "{what:?}");
        }
    }

    #[test]
    fn an_unknown_layer_is_an_error() {
        let request =
            Request { case: Case::network("squeezenet_v1_1", "fire99", 32, 1), mode: Mode::Entoptic, steps: 1 };
        let error = measure(&mut HashMap::new(), &request).unwrap_err();
        assert!(error.starts_with("no layer `fire99`"), "{error}");
    }
}
