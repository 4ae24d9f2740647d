use std::{io::Write, process::ExitCode};

use entoptic::device::{self, DeviceKind};
use serde::Serialize;

use super::print_json;
use crate::{args::DevicesArgs, failure::Failure};

#[derive(Serialize)]
struct Device {
    name: String,
    hardware: String,
    about: String,
    memory: Option<u64>,
}

pub fn run(args: &DevicesArgs) -> Result<ExitCode, Failure> {
    let devices: Vec<Device> = device::devices()
        .into_iter()
        .map(|found| Device {
            name: found.name.to_string(),
            hardware: found.hardware.to_string(),
            about: found.about,
            memory: found.memory,
        })
        .collect();
    if args.json {
        print_json(&devices)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::stdout().lock();
    for Device { name, hardware, about, memory } in devices {
        let memory = memory.map_or(String::new(), |bytes| format!(", {:.1} GiB", bytes as f64 / f64::from(1 << 30)));
        writeln!(out, "{name:<8}{hardware}: {about}{memory}")?;
    }
    for kind in DeviceKind::ALL {
        if !kind.is_built_in() {
            writeln!(out, "{kind:<8}not in this program; `{}` adds it", how_to_build(kind))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What makes a program that can use a kind of devices.
pub fn how_to_build(kind: DeviceKind) -> String {
    format!("cargo install --path crates/cli --features {kind}")
}
