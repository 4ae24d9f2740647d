//! The files of `torch.save` since 1.6: a zip archive of a pickle and of every storage, none of them compressed.

use std::{collections::BTreeMap, ops::Range};

use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipLocator};

use super::{
    Contents,
    globals::REMEDY,
    pickle, shown,
    source::{Source, Stream},
};
use crate::load::dtype::ByteOrder;

pub fn read(source: &Source) -> Result<Contents, String> {
    let mut entries = entries(source)?;
    // All entries are in one folder, which torch.save calls by the file's name.
    let folder = entries.keys().find_map(|path| path.strip_suffix("data.pkl").filter(|folder| folder.ends_with('/')));
    let Some(folder) = folder.map(str::to_owned) else {
        return Err(format!("it is a zip archive, but none of PyTorch; {REMEDY}"));
    };
    if entries.contains_key(&format!("{folder}constants.pkl")) {
        return Err(format!("it is a TorchScript archive, not a state dict; {REMEDY}"));
    }
    if entries.values().any(|entry| !entry.plain) {
        return Err("it is a zip archive packed anew; as `torch.save` wrote it, it can be read".into());
    }
    let mut take = |name: &str| entries.remove(&format!("{folder}{name}")).map(|entry| entry.bytes);
    let description = take("data.pkl").expect("the folder is named after it");
    let byte_order = match take("byteorder") {
        Some(order) if Stream::new(source, order.clone()).array()? == *b"big" => ByteOrder::BigEndian,
        _ => ByteOrder::LittleEndian,
    };
    let prefix = format!("{folder}data/");
    let storage = |(path, entry): (String, Entry)| Some((path.strip_prefix(&prefix)?.to_owned(), entry.bytes));
    let storages = entries.into_iter().filter_map(storage).collect();
    let (values, root) = pickle::read(&mut Stream::new(source, description))?;
    Ok(Contents { values, root, storages, byte_order })
}

struct Entry {
    /// Where in the file it is.
    bytes: Range<u64>,
    /// Whether it is there as it is, neither compressed nor encrypted.
    plain: bool,
}

fn entries(source: &Source) -> Result<BTreeMap<String, Entry>, String> {
    let damaged = |error: rawzip::Error| format!("it is no whole zip archive ({error})");
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let located = ZipLocator::new().locate_in_reader(source.reader(), &mut buffer, source.length());
    let archive = located.map_err(|(_, error)| damaged(error))?;
    let mut directory = archive.entries(&mut buffer);
    let mut entries = BTreeMap::new();
    while let Some(entry) = directory.next_entry().map_err(damaged)? {
        let path = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
        let (start, end) = archive.get_entry(entry.wayfinder()).map_err(damaged)?.compressed_data_range();
        if end > source.length() {
            return Err(format!("it is cut off in `{}`", shown(&path)));
        }
        let plain = entry.compression_method() == CompressionMethod::STORE && !entry.flags().is_encrypted();
        entries.insert(path, Entry { bytes: start..end, plain });
    }
    Ok(entries)
}
