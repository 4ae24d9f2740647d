//! Files that appear whole or not at all.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use tempfile::NamedTempFile;

use crate::Error;

/// Writes a file through `fill`; an existing one is replaced only once the new one is complete.
///
/// `fill` says in a few words why it cannot. The temporary file stands beside `path` and ends in `suffix`.
///
/// # Errors
/// [`Error::Unwritable`]; the file is then as it was.
pub fn write(
    path: &Path,
    suffix: &str,
    fill: impl FnOnce(&mut NamedTempFile) -> Result<(), String>,
) -> Result<(), Error> {
    let unwritable = |reason: String| Error::Unwritable { path: path.to_owned(), reason };
    let mut file = beside(path, suffix).map_err(|error| unwritable(reason(&error, "folder")))?;
    fill(&mut file).map_err(unwritable)?;
    file.persist(path).map_err(|error| unwritable(reason(&error.error, "folder")))?;
    Ok(())
}

/// Writes a text to a file; an existing one is replaced only once the new one is complete.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("numbers.json");
/// entoptic::write_text(&path, "[1, 2, 3]")?;
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Errors
/// [`Error::Unwritable`]; the file is then as it was.
pub fn write_text(path: &Path, text: &str) -> Result<(), Error> {
    write(path, "", |file| file.write_all(text.as_bytes()).map_err(|error| reason(&error, "folder")))
}

/// Whether a file can be written at `path`, without touching what is there.
///
/// # Errors
/// [`Error::Unwritable`].
pub fn check(path: &Path) -> Result<(), Error> {
    let unwritable = |reason: String| Error::Unwritable { path: path.to_owned(), reason };
    if path.is_dir() {
        return Err(unwritable("it is a folder".into()));
    }
    beside(path, "").map(drop).map_err(|error| unwritable(reason(&error, "folder")))
}

/// All of a file.
///
/// # Errors
/// [`Error::Unreadable`].
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| Error::Unreadable { path: path.to_owned(), reason: reason(&error, "file") })
}

/// An empty temporary file in the folder of `path`, gone again unless it is persisted.
fn beside(path: &Path, suffix: &str) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".entoptic-").suffix(suffix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask, as any new file
    builder.tempfile_in(folder)
}

/// Why a file cannot be opened or made, in a few words; `missing` is what is not there if something is not.
pub fn reason(error: &io::Error, missing: &str) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no such {missing}"),
        kind => kind.to_string(),
    }
}
