//! One file out of a zip archive.

use std::{fs::File, io::Read};

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipArchive};

use crate::{
    Error,
    part::{CHUNK, Part},
};

/// Copies a file out of an archive; `name` is what errors call the archive.
pub fn extract(archive: File, name: &str, member: &str, part: &mut Part) -> Result<(), Error> {
    let damaged = |reason: String| Error::NotAnArchive { archive: name.to_owned(), reason };
    let no_zip = |error: rawzip::Error| damaged(format!("it is no zip archive, or a damaged one ({error})"));
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_file(archive, &mut buffer).map_err(no_zip)?;

    let (mut found, mut holds) = (Vec::new(), Vec::new());
    let mut entries = archive.entries(&mut buffer);
    while let Some(entry) = entries.next_entry().map_err(no_zip)? {
        let path = String::from_utf8_lossy(entry.file_path().as_ref()).into_owned();
        if is_at(&path, member) {
            found.push((path.clone(), entry.wayfinder(), entry.compression_method()));
        }
        if !entry.is_dir() {
            holds.push(path);
        }
    }
    if found.len() > 1 && found.iter().any(|(path, ..)| path == member) {
        found.retain(|(path, ..)| path == member);
    }
    let (archive_name, member) = (name.to_owned(), member.to_owned());
    let (wayfinder, method) = match &found[..] {
        [(_, wayfinder, method)] => (*wayfinder, *method),
        [] => return Err(Error::NoSuchMember { archive: archive_name, member, holds }),
        several => {
            let holds = several.iter().map(|(path, ..)| path.clone()).collect();
            return Err(Error::SeveralMembers { archive: archive_name, member, holds });
        }
    };

    let stored = archive.get_entry(wayfinder).map_err(no_zip)?;
    let mut bytes: Box<dyn Read + '_> = match method {
        CompressionMethod::STORE => Box::new(stored.verifying_reader(stored.reader())),
        CompressionMethod::DEFLATE => Box::new(stored.verifying_reader(DeflateDecoder::new(stored.reader()))),
        other => {
            return Err(damaged(format!("`{member}` is compressed with {other:?}; stored and deflate would work")));
        }
    };
    part.clear()?;
    let mut buffer = vec![0; CHUNK];
    loop {
        match bytes.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => part.write(&buffer[..read])?,
            Err(error) => return Err(damaged(format!("`{member}` is damaged ({error})"))),
        }
    }
}

/// Whether a path ends in another, in whole names.
fn is_at(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
}
