//! A file read from front to back as prost wants it, with its SHA-256.

use std::io::{self, Read};

use prost::bytes::Buf;

use crate::load::checksum::Hashing;

const BLOCK: usize = 1 << 16;

/// Bytes that are still to come of a file of known length; no more than a block of them is in memory.
pub(super) struct Stream<R> {
    reader: Hashing<R>,
    block: Vec<u8>,
    start: usize,
    /// How many bytes come after the block.
    beyond: u64,
    failed: Option<io::Error>,
}

impl<R: Read> Stream<R> {
    /// The next `length` bytes of a reader.
    pub fn new(reader: R, length: u64) -> Self {
        let mut stream = Self { reader: Hashing::new(reader), block: vec![], start: 0, beyond: length, failed: None };
        stream.refill();
        stream
    }

    /// A reader that ends too early, or fails, is zeros from there on: whoever reads a [`Buf`] relies on its length.
    fn refill(&mut self) {
        self.start = 0;
        self.block.resize(self.beyond.min(BLOCK as u64) as usize, 0);
        self.beyond -= self.block.len() as u64;
        if self.failed.is_none()
            && let Err(error) = self.reader.read_exact(&mut self.block)
        {
            self.failed = Some(error);
        }
        if self.failed.is_some() {
            self.block.fill(0);
        }
    }

    /// The SHA-256 of all bytes, in hexadecimal, once all were read, or what went wrong on the way.
    pub fn finish(mut self) -> io::Result<String> {
        while self.has_remaining() {
            self.advance(self.chunk().len());
        }
        match self.failed {
            None => Ok(self.reader.finish()),
            Some(error) => Err(error),
        }
    }

    /// Whether bytes that were read were not those of the file.
    pub fn failed(&mut self) -> Option<io::Error> {
        self.failed.take()
    }
}

impl<R: Read> Buf for Stream<R> {
    fn remaining(&self) -> usize {
        usize::try_from(self.beyond).unwrap_or(usize::MAX).saturating_add(self.block.len() - self.start)
    }

    fn chunk(&self) -> &[u8] {
        &self.block[self.start..]
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining(), "not beyond the end");
        while count > 0 {
            let here = count.min(self.block.len() - self.start);
            self.start += here;
            count -= here;
            if self.start == self.block.len() {
                self.refill();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::checksum::sha256;

    #[test]
    fn a_stream_is_the_file_in_blocks() {
        let bytes: Vec<u8> = (0..3 * BLOCK + 7).map(|i| (i % 251) as u8).collect();
        let mut stream = Stream::new(&bytes[..], bytes.len() as u64);
        stream.advance(BLOCK + 3);
        assert_eq!(stream.copy_to_bytes(BLOCK), bytes[BLOCK + 3..2 * BLOCK + 3]);
        assert_eq!(stream.remaining(), BLOCK + 4);
        assert_eq!(stream.finish().unwrap(), sha256(&bytes[..]).unwrap());
    }

    #[test]
    fn a_file_that_ends_early_is_an_error_at_the_end() {
        let mut stream = Stream::new(&[1u8, 2, 3][..], 10);
        assert_eq!(stream.copy_to_bytes(10).len(), 10);
        assert!(stream.finish().is_err());
    }
}
