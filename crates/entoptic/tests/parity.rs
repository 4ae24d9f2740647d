//! Whole default runs reach what Lucid's reach on GoogLeNet: minutes of work, so it is asked for by name.

use std::{collections::BTreeMap, fs, ops::Range, thread};

use entoptic::{
    RenderConfig,
    network::{Precision, zoo},
    objective::{Objective, channel},
    param, render,
};
use serde_json::Value;

/// Lucid's runs of one unit.
struct Unit {
    objective: Objective,
    lucid: Vec<f64>,
}

fn units() -> Vec<Unit> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/runs_public.json");
    let runs: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let runs: BTreeMap<String, Value> = serde_json::from_value(runs["runs"].clone()).unwrap();
    runs.values()
        .filter(|run| run["param"] == "param.image(128)" && run["transforms"] == "standard")
        .map(|run| {
            let objective = run["objective"].as_str().unwrap().replace('\'', "\"").parse().unwrap();
            let seeds = run["seeds"].as_object().unwrap().values();
            Unit { objective, lucid: seeds.map(|seed| seed["final_no_transforms"].as_f64().unwrap()).collect() }
        })
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// How many standard errors one of six units of five seeds each is off by chance in every twentieth table: Student's t
/// with 8 degrees of freedom, at 0.05 / 6.
const BY_CHANCE: f64 = 3.5;

/// The standard error of a mean.
fn error(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64 / values.len() as f64).sqrt()
}

#[test]
#[ignore = "takes about 3 minutes: `just parity`"]
fn default_runs_reach_what_lucids_reach() {
    let network = zoo::open("googlenet_bvlc", &zoo::default_folder()).expect("$ENTOPTIC_MODELS has googlenet_bvlc");
    let final_value = |objective: &Objective, seed: u64| {
        let config = RenderConfig::new().with_seed(seed);
        render(&network, objective, param::image([128, 128]), &config).unwrap().final_value
    };
    println!("{:44} {:>9} {:>7} {:>9} {:>7} {:>7} {:>6}", "unit", "Lucid", "±", "entoptic", "±", "ratio", "SE");
    let mut off = Vec::new();
    let units = units();
    assert!(!units.is_empty());
    for Unit { objective, lucid } in units {
        let values = |seeds: Range<u64>| seeds.map(|seed| final_value(&objective, seed)).collect::<Vec<_>>();
        let values = thread::scope(|scope| {
            let others = scope.spawn(|| values(3..5));
            [values(0..3), others.join().unwrap()].concat()
        });
        let ratio = mean(&values) / mean(&lucid);
        let errors = (mean(&values) - mean(&lucid)).abs() / error(&values).hypot(error(&lucid));
        println!(
            "{:44} {:9.2} {:7.2} {:9.2} {:7.2} {ratio:7.3} {errors:6.2}",
            objective.to_string(),
            mean(&lucid),
            error(&lucid),
            mean(&values),
            error(&values)
        );
        if (ratio - 1.0).abs() > 0.03 && errors > BY_CHANCE {
            off.push(objective.to_string());
        }
    }
    assert!(off.is_empty(), "not Lucid's: {off:?}");
}

#[test]
#[ignore = "takes about 5 minutes: `just parity`"]
fn bf16_changes_less_than_the_seed_does() {
    if let Err(why) = Precision::Bf16.check() {
        return println!("skipped: {why}");
    }
    let network = zoo::open("googlenet_bvlc", &zoo::default_folder()).expect("$ENTOPTIC_MODELS has googlenet_bvlc");
    for (layer, unit) in [("inception_4a_output", 101), ("inception_4c_output", 37), ("inception_5a_output", 333)] {
        let values = [Precision::F32, Precision::Bf16].map(|precision| {
            let config = RenderConfig::new().with_precision(precision);
            let value = |seed| {
                let config = config.clone().with_seed(seed);
                render(&network, &channel(layer, unit), param::image([128, 128]), &config).unwrap().final_value
            };
            (0..8).map(value).collect::<Vec<_>>()
        });
        let [f32, bf16] = values.each_ref().map(|values| mean(values));
        let spread = error(&values[0]) * (values[0].len() as f64).sqrt();
        println!("{layer}:{unit}: {f32:.1} ± {spread:.1} in f32, {bf16:.1} in bf16");
        assert!((f32 - bf16).abs() < spread, "{layer}:{unit}");
    }
}
