use std::{io::Write, ops::ControlFlow, path::Path, process::ExitCode};

use entoptic::network::zoo::{self, Entry};
use entoptic_pull::{Error, Options, Pulled, Verified, download, kept, pull};

use crate::{
    args::PullArgs,
    failure::{Failure, tell},
    watch::{INTERRUPTED, Watch},
};

pub fn run(args: &PullArgs, folder: &Path) -> Result<ExitCode, Failure> {
    // Whatever is misspelt is told before anything is downloaded.
    let entries = args.names.iter().map(|name| zoo::find(name)).collect::<Result<Vec<_>, _>>()?;
    let options = Options { force: args.force, ..Options::default() };
    let watch = Watch::start(args.quiet);
    for entry in entries {
        let pulled = pull(entry, folder, &options, &mut |progress| {
            watch.bytes(&entry.name, progress.bytes, progress.total);
            if watch.is_interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        watch.end();
        match pulled {
            Ok(pulled) if !args.quiet => report(entry, &pulled)?,
            Ok(_) => {}
            Err(Error::Download(download::Error::Ended { .. })) => {
                tell(&interrupted(entry, folder));
                return Ok(ExitCode::from(INTERRUPTED));
            }
            Err(error) => return Err(Failure::Message(error.to_string(), hint(&error, entry))),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report(entry: &Entry, pulled: &Pulled) -> Result<(), Failure> {
    let Pulled { path, sha256, verified, was_there, missing_labels, opened } = pulled;
    let (name, path) = (&entry.name, path.display());
    let megabytes = opened.bytes as f64 / 1e6;
    let already = if *was_there { ", which was there already" } else { "" };
    let checksum = match verified {
        Verified::Catalog => "its SHA-256 is right".to_owned(),
        Verified::Manifest => "its SHA-256 is still the one it came with".to_owned(),
        Verified::Nothing => format!(
            "its SHA-256 is {sha256}; nobody says what it should be, so it is noted beside the file and held against later"
        ),
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name}: {path} ({megabytes:.1} MB){already}; {checksum}")?;
    if let Some(error) = missing_labels {
        tell(&format!("warning: classes are numbers, as their names could not be had: {error}"));
    }
    let show = &opened.model.description.show;
    if let Some(layer) = show.get(show.len() * 2 / 3) {
        let quote = if layer.contains(|c: char| !c.is_alphanumeric() && !"_./-".contains(c)) { "'" } else { "" };
        writeln!(out, "next: entoptic render -m {name} {quote}{layer}:0{quote}")?;
    }
    Ok(out.flush()?)
}

/// What an interrupted download says.
fn interrupted(entry: &Entry, folder: &Path) -> String {
    match kept(entry, folder) {
        Some(bytes) => {
            let megabytes = bytes as f64 / 1e6;
            format!("interrupted; {megabytes:.1} MB are kept, and `entoptic pull {}` goes on from there", entry.name)
        }
        None => "interrupted; nothing is kept".to_owned(),
    }
}

fn hint(error: &Error, entry: &Entry) -> Option<String> {
    match error {
        Error::ByHand { how, .. } => Some(how.clone()),
        Error::Different { name, .. } => Some(format!("`entoptic pull {name} --force` replaces it")),
        // A file that is the right one would be the same again.
        Error::Unusable { .. } if entry.sha256.is_some() => None,
        Error::Unusable { name, .. } => Some(format!("`entoptic pull {name} --force` downloads it anew")),
        Error::PartOfTheProgram { name } => Some(format!("`entoptic render -m {name}` uses it")),
        Error::Manifest(_) | Error::File { .. } | Error::Download(_) => None,
    }
}
