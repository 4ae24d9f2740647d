use std::{
    borrow::Cow,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    ops::Range,
};

use rawzip::{FileReader, RangeReader, ReaderAt};

/// Bytes that can be read at any place: a file's or the memory's.
pub struct Source {
    reader: Box<dyn ReaderAt + Send + Sync>,
    length: u64,
}

impl Source {
    /// How many bytes there are.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The bytes as a zip archive wants them.
    pub(super) fn reader(&self) -> &dyn ReaderAt {
        &*self.reader
    }

    /// The bytes from one place to another, to be read in order.
    pub(super) fn range(&self, range: Range<u64>) -> RangeReader<&dyn ReaderAt> {
        RangeReader::new(self.reader(), range)
    }
}

impl From<File> for Source {
    fn from(mut file: File) -> Self {
        let length = file.seek(SeekFrom::End(0)).unwrap_or(0); // what has no end has nothing that can be read
        Self { reader: Box::new(FileReader::from(file)), length }
    }
}

impl From<Cow<'static, [u8]>> for Source {
    fn from(bytes: Cow<'static, [u8]>) -> Self {
        Self { length: bytes.len() as u64, reader: Box::new(bytes) }
    }
}

/// No pickle is read further than this: that of a state dict takes about a hundred bytes for a tensor.
const LONGEST_PICKLE: u64 = 4 << 20;

/// Bytes taken one after another, never more of them than there are.
pub struct Stream<'a> {
    reader: BufReader<RangeReader<&'a dyn ReaderAt>>,
    left: u64,
    end: u64,
}

impl<'a> Stream<'a> {
    /// The bytes of `range`, which lies within the source.
    pub fn new(source: &'a Source, range: Range<u64>) -> Self {
        let left = LONGEST_PICKLE.min(range.end - range.start);
        Self { left, end: range.start + left, reader: BufReader::new(source.range(range)) }
    }

    /// Where in the file the next byte is.
    pub fn position(&self) -> u64 {
        self.end - self.left
    }

    pub fn byte(&mut self) -> Result<u8, String> {
        self.array().map(|[byte]| byte)
    }

    pub fn array<const SIZE: usize>(&mut self) -> Result<[u8; SIZE], String> {
        self.spend(SIZE as u64)?;
        let mut bytes = [0; SIZE];
        self.reader.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    pub fn bytes(&mut self, length: u64) -> Result<Vec<u8>, String> {
        self.spend(length)?;
        let mut bytes = vec![0; length as usize];
        self.reader.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    /// What comes before the next line feed, which is passed over.
    pub fn line(&mut self) -> Result<String, String> {
        let mut bytes = Vec::new();
        let length = self.reader.by_ref().take(self.left).read_until(b'\n', &mut bytes).map_err(unreadable)?;
        self.spend(length as u64)?;
        match bytes.pop() {
            Some(b'\n') => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            _ => Err(cut_off()),
        }
    }

    fn spend(&mut self, length: u64) -> Result<(), String> {
        self.left = self.left.checked_sub(length).ok_or_else(cut_off)?;
        Ok(())
    }
}

fn cut_off() -> String {
    "its pickle is cut off, or longer than that of any state dict".into()
}

pub fn unreadable(error: io::Error) -> String {
    error.kind().to_string()
}
