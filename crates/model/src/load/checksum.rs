use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// What is read, and the SHA-256 of it.
pub(super) struct Hashing<R> {
    reader: R,
    hash: Sha256,
}

impl<R: Read> Hashing<R> {
    /// Hashes what will be read from here on.
    pub fn new(reader: R) -> Self {
        Self { reader, hash: Sha256::new() }
    }

    /// The SHA-256 of all that was read, in hexadecimal.
    pub fn finish(self) -> String {
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.hash.update(&buffer[..n]);
        Ok(n)
    }
}

/// SHA-256 of all that can be read, in hexadecimal.
pub(super) fn sha256(bytes: impl Read) -> io::Result<String> {
    let mut hashing = Hashing::new(bytes);
    let mut block = vec![0; 1 << 16];
    while hashing.read(&mut block)? > 0 {}
    Ok(hashing.finish())
}
