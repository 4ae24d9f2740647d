use std::{io::Write, path::Path, process::ExitCode};

use entoptic::network::zoo;
use serde::Serialize;

use super::print_json;
use crate::{args::ModelsArgs, failure::Failure};

#[derive(Serialize)]
struct Model {
    name: &'static str,
    about: &'static str,
    found: bool,
    /// Where the weights are, or should be; nothing for a model that is part of the program.
    path: Option<String>,
    how_to_get: Option<&'static str>,
}

pub fn run(args: &ModelsArgs, folder: &Path) -> Result<ExitCode, Failure> {
    let models = zoo::KNOWN.iter().map(|known| {
        let path = known.weights_path(folder);
        Model {
            name: known.name,
            about: known.about,
            found: path.as_ref().is_none_or(|path| path.is_file()),
            path: path.map(|path| path.display().to_string()),
            how_to_get: known.how_to_get,
        }
    });
    if args.json {
        print_json(&models.collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::stdout().lock();
    for Model { name, about, found, path, how_to_get } in models {
        writeln!(out, "{name}\n    {about}")?;
        match (path, found) {
            (None, _) => {}
            (Some(path), true) => writeln!(out, "    found: {path}")?,
            (Some(path), false) => {
                writeln!(out, "    not found: {path}")?;
                if let Some(how) = how_to_get {
                    writeln!(out, "    to get it: {how}")?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
