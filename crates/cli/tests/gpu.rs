//! The program on a GPU; software such as lavapipe counts as one.
//!
//! Tests name themselves as skipped where there is none, unless `$ENTOPTIC_DEVICE` says that there is.

use std::{
    env,
    io::{self, Write},
    process::{Command, Output},
};

use entoptic::{
    device::{DeviceKind, DeviceName},
    picture,
};
use serde_json::Value;
use tempfile::TempDir;

fn gpu(test: &str) -> Option<DeviceName> {
    let asked = env::var("ENTOPTIC_DEVICE").ok();
    if let Some(name) = asked {
        return Some(name.parse().unwrap());
    }
    let kinds = [DeviceKind::Cuda, DeviceKind::Wgpu];
    let name = kinds.map(DeviceName::from).into_iter().find(|name| name.open().is_ok());
    if name.is_none() {
        // Written past the test runner, which swallows what is printed.
        io::stderr().write_all(format!("skipped {test}: no GPU\n").as_bytes()).expect("stderr can be written");
    }
    name
}

fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entoptic"));
    // Where it is missing, the system's own libraries complain on stderr.
    command.env("XDG_RUNTIME_DIR", folder.path());
    command.args(arguments).current_dir(folder.path()).output().unwrap()
}

fn json(folder: &TempDir, arguments: &[&str]) -> Value {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_gpu_is_listed_and_renders() {
    let Some(name) = gpu("a_gpu_is_listed_and_renders") else { return };
    let (folder, device) = (tempfile::tempdir().unwrap(), name.to_string());
    let devices = json(&folder, &["devices", "--json"]);
    let listed = devices.as_array().unwrap().iter().find(|listed| listed["name"] == device.as_str()).unwrap();
    assert_ne!((&listed["about"], &listed["hardware"]), (&"".into(), &"processor".into()));

    let short = ["fire2:3", "-n", "4", "-s", "40", "--json"];
    let made = json(&folder, &[&["render", "--device", &device, "-o", "made.png"], &short[..]].concat());
    assert_eq!(made["device"], name.kind.to_string());
    assert_eq!(picture::description(&folder.path().join("made.png")).unwrap().device, name.kind);
    let again = json(&folder, &["render", "--from", "made.png", "-o", "again.png", "--json"]);
    assert_eq!((&again["device"], &again["objective"]), (&made["device"], &made["objective"]));
    let here = json(&folder, &[&["render", "-o", "here.png"], &short[..]].concat());
    let [made, again, here] = [&made, &again, &here].map(|report| report["final_value"].as_f64().unwrap());
    assert!((again - made).abs() <= 1e-3 * made.abs() && (here - made).abs() <= 1e-2 * made.abs());
}

#[test]
fn a_gpu_classifies_photos() {
    let Some(name) = gpu("a_gpu_classifies_photos") else { return };
    let cat = format!("{}/../../fixtures/images/cat.png", env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let classes = json(&folder, &["classify", &cat, "--device", &name.to_string(), "--json"]);
    assert_eq!(classes[0]["label"], "Egyptian cat");
    assert!((classes[0]["probability"].as_f64().unwrap() - 0.52).abs() < 0.01, "{classes}");
}

#[test]
fn a_gpu_too_many_is_one_clear_line() {
    let Some(name) = gpu("a_gpu_too_many_is_one_clear_line") else { return };
    let folder = tempfile::tempdir().unwrap();
    let output = run(&folder, &["render", "--device", &format!("{}:99", name.kind)]);
    let error = String::from_utf8(output.stderr).unwrap();
    let line = error.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(line.starts_with(&format!("error: no device `{}:99`; there are `cpu`, ", name.kind)), "{line}");
    assert!(line.contains(&format!("`{name}`")), "{line}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn recipes_run_there() {
    let Some(name) = gpu("recipes_run_there") else { return };
    let (folder, device) = (tempfile::tempdir().unwrap(), name.to_string());
    let cat = format!("{}/../../fixtures/images/cat.png", env!("CARGO_MANIFEST_DIR"));
    let recipes: [&[&str]; 2] = [&["neuron-groups", &cat, "285", "--groups", "2"], &["transparent", "fire2:3"]];
    for recipe in recipes {
        let made = json(&folder, &[recipe, &["--device", &device, "-n", "1", "-s", "40", "--json"]].concat());
        assert_eq!(made["ending"], "finished", "{recipe:?}");
    }
}
