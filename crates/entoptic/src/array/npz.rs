//! NumPy's archives: a zip file of `.npy` files.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
};

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveWriter};

use super::{Array, Arrays, Stored, npy};

pub fn read(file: &[u8]) -> Result<BTreeMap<String, Stored>, String> {
    let no_npz = |error: rawzip::Error| format!("no .npz file ({error})");
    let archive = ZipArchive::from_slice(file).map_err(no_npz)?;
    let mut entries = archive.entries();
    let mut arrays = BTreeMap::new();
    while let Some(entry) = entries.next_entry().map_err(no_npz)? {
        let path = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
        let Some(name) = path.strip_suffix(".npy") else { continue };
        let stored = archive.get_entry(entry.wayfinder()).map_err(no_npz)?;
        let mut bytes = Vec::new();
        let read = match entry.compression_method() {
            CompressionMethod::STORE => stored.verifying_reader(stored.data()).read_to_end(&mut bytes),
            CompressionMethod::DEFLATE => {
                stored.verifying_reader(DeflateDecoder::new(stored.data())).read_to_end(&mut bytes)
            }
            other => return Err(format!("`{name}` is compressed with {other:?}; np.savez_compressed would work")),
        };
        read.map_err(|error| format!("`{name}` is damaged ({error})"))?;
        arrays.insert(name.to_owned(), npy::read(&bytes).map_err(|reason| format!("`{name}`: {reason}"))?);
    }
    Ok(arrays)
}

pub fn write(arrays: &Arrays) -> Result<Vec<u8>, String> {
    let mut file = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut file);
    let mut add = |(name, array): (&String, &Array)| {
        let path = format!("{name}.npy");
        let (mut entry, config) = archive.new_file(&path).compression_method(CompressionMethod::STORE).start()?;
        let mut writer = config.wrap(&mut entry);
        writer.write_all(&npy::write(array)).map_err(rawzip::Error::from)?;
        let (_, descriptor) = writer.finish()?;
        entry.finish(descriptor)
    };
    let added = arrays.iter().try_for_each(|array| add(array).map(drop));
    added.and_then(|()| archive.finish().map(drop)).map_err(|error| io::Error::other(error).to_string())?;
    Ok(file)
}
