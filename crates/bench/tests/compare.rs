//! `entoptic-bench compare` with scripts in Python's place.
#![cfg(unix)]

use std::process::{Command, Output};

/// A case that takes a moment.
const ONLY: [&str; 2] = ["--only", "squeezenet_v1_1 fire5 batch 1 at"];

fn compare(peer: &str, arguments: &[&str]) -> Output {
    let python = format!("{}/tests/peers/{peer}", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_entoptic-bench"));
    command.args(["compare", "--turns", "1", "--steps", "3"]).args(arguments).env("PYTHON", python).output().unwrap()
}

#[test]
fn a_case_is_a_row() {
    let output = compare("quick", &[&ONLY[..], &["--modes", "eager,compile"]].concat());
    let table = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<&str> = table.lines().skip(2).collect();
    let [header, _, row] = rows[..] else { panic!("{table}") };
    assert!(header.ends_with("| bf16 | PyTorch eager | PyTorch compile | best f32 / entoptic |"), "{header}");
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let ["", model, layer, size, batch, entoptic, _, _, eager, compile, ratio, ""] = cells[..] else { panic!("{row}") };
    assert_eq!([model, layer, size, batch, eager, compile], ["squeezenet_v1_1", "fire5", "128", "1", "5.0", "5.0"]);
    let [entoptic, ratio] = [entoptic, ratio].map(|cell| cell.parse::<f64>().unwrap());
    assert!((entoptic * ratio - 5.0).abs() < 0.05 * ratio + 0.005 * entoptic + 1e-9, "{row}");
}

#[test]
fn json_has_a_line_for_each_mode() {
    let output = compare("quick", &[&ONLY[..], &["--modes", "eager", "--json"]].concat());
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // In bf16 too where this machine can.
    let ours: Vec<_> = lines.iter().filter(|line| line["mode"] != "eager").map(|line| &line["mode"]).collect();
    assert!(matches!(&ours[..], [first, ..] if *first == "entoptic"), "{ours:?}");
    assert!(lines[0]["ms"].as_f64().unwrap() > 0.0);
    let peers = serde_json::json!({
        "what": "network", "model": "squeezenet_v1_1", "layer": "fire5", "size": 128, "batch": 1, "mode": "eager", "ms": 5.0
    });
    assert_eq!(lines.last(), Some(&peers));
}

#[test]
fn what_is_wrong_is_one_line() {
    let cases = [
        ("without_torch", &ONLY, "error: No module named torch: install it; --python or $PYTHON names"),
        ("nowhere", &ONLY, "error: cannot start `"),
        ("quick", &["--only", "resnet"], "error: `resnet` is part of no case's name; they are such as `network "),
    ];
    for (peer, arguments, expected) in cases {
        let output = compare(peer, arguments);
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((error.starts_with(expected), error.lines().count()), (true, 1), "{error}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_peer_that_ends_early_is_named() {
    let output = compare("tired", &ONLY);
    let errors = String::from_utf8(output.stderr).unwrap();
    let expected =
        "error: eager, network squeezenet_v1_1 fire5 batch 1 at 128 px: Peer 1.0 ended early: exit status: 3";
    // Before it may stand that the machine is busy.
    assert_eq!(errors.lines().last(), Some(expected));
}
