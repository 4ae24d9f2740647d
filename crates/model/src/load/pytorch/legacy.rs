//! The files of `torch.save` before 1.6: pickles one after another, then every storage in turn.

use std::{collections::BTreeMap, io::Read, ops::Range};

use super::{
    Contents,
    globals::REMEDY,
    pickle,
    source::{Source, Stream},
    tensor::Storage,
    values::Values,
};
use crate::load::dtype::ByteOrder;

/// What the first pickle holds; from `torch/serialization.py`.
const MAGIC: i128 = 0x1950a86a20f9469cfc6c;

pub fn read(source: &Source) -> Result<Contents, String> {
    let mut stream = Stream::new(source, 0..source.length());
    let magic = pickle::read(&mut stream).ok().and_then(|(values, magic)| values.count(magic));
    if magic != Some(MAGIC) {
        return Err(format!("it is no file of PyTorch; {REMEDY}"));
    }
    let (_protocol, _machine) = (pickle::read(&mut stream)?, pickle::read(&mut stream)?);
    let (values, root) = pickle::read(&mut stream)?;
    let (names, keys) = pickle::read(&mut stream)?;
    let keys = names.items(keys).unwrap_or_default().iter().filter_map(|&key| names.text(key));
    let storages = storages(source, stream.position(), keys, &values)?;
    Ok(Contents { values, root, storages, byte_order: ByteOrder::LittleEndian }) // whatever machine wrote it
}

/// Where each storage is: it tells its number of elements in 8 bytes, and the next one follows.
fn storages<'a>(
    source: &Source,
    start: u64,
    keys: impl Iterator<Item = &'a str>,
    values: &Values,
) -> Result<BTreeMap<String, Range<u64>>, String> {
    let named = |storage: &Storage| Some((values.text(storage.key)?, storage.dtype.size() as u64));
    let sizes: BTreeMap<&str, u64> = values.storages().filter_map(named).collect();
    let mut storages = BTreeMap::new();
    let mut at = start;
    for key in keys {
        let cut_off = || format!("it is cut off after {} of its storages", storages.len());
        let mut elements = [0; 8];
        source.range(at..source.length()).read_exact(&mut elements).map_err(|_| cut_off())?;
        let (elements, start) = (u64::from_le_bytes(elements), at + 8);
        let bytes = sizes.get(key).and_then(|size| elements.checked_mul(*size));
        let end = bytes.and_then(|bytes| start.checked_add(bytes)).filter(|end| *end <= source.length());
        at = end.ok_or_else(cut_off)?;
        storages.insert(key.to_owned(), start..at);
    }
    Ok(storages)
}
