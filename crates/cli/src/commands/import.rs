use std::{io::Write, path::Path, process::ExitCode};

use entoptic::{
    network::{
        load::Opened,
        model::manifest::{Channels, Labels, Manifest},
    },
    write_text,
};

use super::inspect::write_unsupported;
use crate::{args::ImportArgs, failure::Failure};

pub fn run(args: &ImportArgs) -> Result<ExitCode, Failure> {
    let given = given(args)?;
    given.check().map_err(Failure::message)?;
    let opened = Opened::described(&args.file, &given)?;
    let path = Manifest::beside(&opened.path);
    if path.exists() && !args.force {
        let hint = "change it by hand, or write it anew with --force".to_owned();
        return Err(Failure::Message(format!("{} is there already", path.display()), Some(hint)));
    }
    write_text(&path, &opened.manifest.to_string())?;

    let Opened { model, manifest, .. } = &opened;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} describes `{}`", path.display(), model.description.name)?;
    if !manifest.guessed.is_empty() {
        writeln!(out, "\nGuessed, to be checked there:")?;
        let width = manifest.guessed.iter().map(|guess| guess.field.len()).max().unwrap_or(0);
        for guess in &manifest.guessed {
            writeln!(out, "  {:width$}  {}", guess.field, guess.reason)?;
        }
    }
    write_unsupported(&mut out, &model.graph)?;
    Ok(ExitCode::SUCCESS)
}

/// What the arguments say of the model.
fn given(args: &ImportArgs) -> Result<Manifest, Failure> {
    let mut manifest = Manifest { name: args.name.clone(), ..Manifest::default() };
    manifest.input.size = args.size;
    manifest.input.range = args.range;
    manifest.input.mean = args.mean;
    manifest.input.std = args.std;
    manifest.input.channels = args.bgr.then_some(Channels::Bgr);
    manifest.output.labels = args.labels.as_deref().map(|labels| self::labels(labels, &args.file)).transpose()?;
    Ok(manifest)
}

/// Labels by name, or those in a file: by its name if it lies beside the model, else all of them.
fn labels(text: &str, model: &Path) -> Result<Labels, Failure> {
    match text {
        "imagenet" => return Ok(Labels::Imagenet),
        "imagenet+background" => return Ok(Labels::ImagenetWithBackground),
        _ => {}
    }
    let file = Path::new(text);
    let lines = Labels::File(text.into()).read(Path::new(""))?;
    let folder = |path: &Path| Some(path.canonicalize().ok()?.parent()?.to_owned());
    match file.file_name().and_then(|name| name.to_str()) {
        Some(name) if folder(file).is_some() && folder(file) == folder(model) => Ok(Labels::File(name.into())),
        _ => Ok(Labels::List(lines)),
    }
}
