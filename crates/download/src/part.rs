//! What has come of a file: its bytes, their checksum, and which version of the file they are of.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{Checksum, Downloaded, Error, download::beside, error::reason};

/// How much is read at a time, in bytes.
pub const CHUNK: usize = 1 << 16;

/// The file `NAME.part` beside a file that is on its way, locked as long as this value lives.
///
/// Beside it, `NAME.part.from` says where the bytes are from and what the server calls their version; without a
/// version nothing is kept.
pub struct Part {
    destination: PathBuf,
    path: PathBuf,
    file: File,
    hasher: Sha256,
    length: u64,
    /// What the server calls the version that these bytes are of.
    version: Option<String>,
}

impl Part {
    /// Opens what is on its way to `destination`, for one process alone.
    pub fn open(destination: &Path) -> Result<Self, Error> {
        let unwritable = |reason: String| Error::Unwritable { path: destination.to_owned(), reason };
        if destination.is_dir() {
            return Err(unwritable("it is a folder".into()));
        }
        if destination.file_name().is_none() {
            return Err(unwritable("it is no name of a file".into()));
        }
        if let Some(folder) = destination.parent() {
            fs::create_dir_all(folder).map_err(|error| unwritable(reason(&error)))?;
        }
        let path = beside(destination, ".part");
        let file = open_alone(&path).map_err(|error| unwritable(reason(&error)))?;
        let file = file.ok_or_else(|| Error::Busy { path: destination.to_owned() })?;
        let destination = destination.to_owned();
        Ok(Self { destination, path, file, hasher: Sha256::new(), length: 0, version: None })
    }

    /// Takes up what an earlier download from the same address left, if that can be gone on with.
    pub fn take_up(&mut self, url: &str) -> Result<(), Error> {
        let noted = fs::read_to_string(self.note()).unwrap_or_default();
        let Some((_, version)) = noted.split_once('\n').filter(|(from, version)| *from == url && !version.is_empty())
        else {
            return self.clear();
        };
        let mut buffer = vec![0; CHUNK];
        loop {
            let read = self.file.read(&mut buffer).map_err(|error| self.unwritable(&error))?;
            if read == 0 {
                break;
            }
            self.hasher.update(&buffer[..read]);
            self.length += read as u64;
        }
        self.version = (self.length > 0).then(|| version.to_owned());
        Ok(())
    }

    /// Starts anew, with a version of the file at an address.
    pub fn start(&mut self, url: &str, version: Option<&str>) -> Result<(), Error> {
        self.clear()?;
        if let Some(version) = version {
            fs::write(self.note(), format!("{url}\n{version}")).map_err(|error| self.unwritable(&error))?;
            self.version = Some(version.to_owned());
        }
        Ok(())
    }

    /// Forgets what has come.
    pub fn clear(&mut self) -> Result<(), Error> {
        // The note goes first: bytes without one are never taken up.
        let _ = fs::remove_file(self.note());
        let cleared = self.file.set_len(0).and_then(|()| self.file.rewind());
        cleared.map_err(|error| self.unwritable(&error))?;
        (self.hasher, self.length, self.version) = (Sha256::new(), 0, None);
        Ok(())
    }

    /// Adds what has come since.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|error| self.unwritable(&error))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// How many bytes have come.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What the server calls the version that has come in part; `None` if it has to start anew.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref().filter(|_| self.length > 0)
    }

    /// Where the file will be.
    pub fn destination(&self) -> &Path {
        &self.destination
    }

    /// What has come, to be read.
    pub fn read(&self) -> Result<File, Error> {
        self.file.try_clone().map_err(|error| self.unwritable(&error))
    }

    /// Gives the file its name, if its checksum is right. Otherwise nothing is left of it.
    pub fn finish(mut self, source: &str, expected: Option<&Checksum>) -> Result<Downloaded, Error> {
        let sha256: String = self.hasher.finalize_reset().iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(expected) = expected.filter(|expected| !expected.matches(&sha256)) {
            let (source_name, expected) = (source.to_owned(), expected.to_string());
            self.discard();
            return Err(Error::WrongChecksum { source_name, found: sha256, expected });
        }
        let _ = fs::remove_file(self.note());
        self.version = None;
        fs::rename(&self.path, &self.destination).map_err(|error| self.unwritable(&error))?;
        Ok(Downloaded { path: self.destination.clone(), bytes: self.length, sha256 })
    }

    /// Leaves nothing behind.
    pub fn discard(mut self) {
        self.version = None;
    }

    fn note(&self) -> PathBuf {
        beside(&self.path, ".from")
    }

    fn unwritable(&self, error: &io::Error) -> Error {
        Error::Unwritable { path: self.destination.clone(), reason: reason(error) }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Once it has its name, another process may have begun a part of the same name.
        if self.version().is_none() && is_at(&self.file, &self.path).unwrap_or(false) {
            let _ = fs::remove_file(self.note());
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A file that no other process has open here; `None` if one has.
fn open_alone(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            // Some file systems have no locks. Then two processes at once are not noticed before the checksum.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        // Before it was locked, who had it may have given it its name, or removed it.
        if is_at(&file, path)? {
            return Ok(Some(file));
        }
    }
}

/// Whether an open file is still what stands at a path.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let there = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        there => there?,
    };
    let here = file.metadata()?;
    #[cfg(unix)]
    let same = {
        use std::os::unix::fs::MetadataExt;
        (here.dev(), here.ino()) == (there.dev(), there.ino())
    };
    // Elsewhere a file's number is not to be had; its creation says nearly as much.
    #[cfg(not(unix))]
    let same = here.created()? == there.created()?;
    Ok(same)
}
