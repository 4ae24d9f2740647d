use std::{fmt, fs::File, io, io::Read, path::Path, str::FromStr};

use sha2::{Digest, Sha256};

use crate::{Error, part::CHUNK};

/// A SHA-256 in hexadecimal digits, all 64 or the first of them: names of PyTorch's weights carry 8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum(String);

/// With fewer digits, wrong bytes would pass too often.
const FEWEST_DIGITS: usize = 8;

impl Checksum {
    /// That of a file, all 64 digits.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        let (mut file, mut hasher, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; CHUNK]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(Self(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())),
                read => hasher.update(&buffer[..read]),
            }
        }
    }

    /// Whether a SHA-256 of 64 digits is this one, or begins with it.
    pub fn matches(&self, sha256: &str) -> bool {
        sha256.starts_with(&self.0)
    }
}

impl FromStr for Checksum {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_one = (FEWEST_DIGITS..=64).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_one.then(|| Self(text.to_ascii_lowercase())).ok_or_else(|| Error::NotAChecksum { text: text.to_owned() })
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_8_to_64_digits_in_either_case() {
        let all = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db";
        assert!("57934424".parse::<Checksum>().unwrap().matches(all));
        assert!(all.to_uppercase().parse::<Checksum>().unwrap().matches(all));
        assert!(!"57934425".parse::<Checksum>().unwrap().matches(all));
        for wrong in ["", "5793442", "5793442g", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db0"] {
            assert!(wrong.parse::<Checksum>().is_err(), "{wrong}");
        }
    }
}
