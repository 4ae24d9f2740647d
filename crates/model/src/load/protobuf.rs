//! Protocol buffers, walked field by field, so that what a file holds can be counted before it is stored.
//!
//! # Reference
//! [Encoding](https://protobuf.dev/programming-guides/encoding/).

use prost::{
    DecodeError, Message,
    bytes::{Buf, Bytes},
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};

/// Why bytes are no message.
pub(super) type Malformed = String;

pub(super) fn malformed(error: DecodeError) -> Malformed {
    error.to_string()
}

/// A field: its number, its type, and how many bytes are left behind it.
///
/// What is not a number, a message or bytes is skipped already, and has the number 0, which no field has.
pub(super) struct Field {
    pub number: u32,
    wire_type: WireType,
    /// Of a message or bytes: how many bytes are left where it ends.
    pub end: usize,
}

/// The next field of what ends where `end` bytes are left, or nothing at its end.
pub(super) fn next_field(buf: &mut impl Buf, end: usize) -> Result<Option<Field>, Malformed> {
    if buf.remaining() == end {
        return Ok(None);
    }
    if buf.remaining() < end {
        return Err("a part is longer than what it is part of".into());
    }
    let (number, wire_type) = decode_key(buf).map_err(malformed)?;
    let mut field = Field { number, wire_type, end };
    match wire_type {
        WireType::LengthDelimited => field.end = end_of_part(buf, end, u64::MAX)?,
        WireType::Varint => {}
        _ => {
            skip_field(wire_type, number, buf, DecodeContext::default()).map_err(malformed)?;
            field.number = 0;
        }
    }
    Ok(Some(field))
}

/// Reads a part's length, no more than `longest`: how many bytes are left where it ends.
pub(super) fn end_of_part(buf: &mut impl Buf, end: usize, longest: u64) -> Result<usize, Malformed> {
    let length = decode_varint(buf).map_err(malformed)?;
    let left = buf.remaining().saturating_sub(end) as u64;
    if length > left {
        return Err(format!("it ends too soon, within a part of {length} bytes"));
    }
    if length > longest {
        return Err(format!("a part of {length} bytes is far too long"));
    }
    Ok(buf.remaining() - length as usize)
}

impl Field {
    /// Whether it is a message, bytes or text.
    pub fn is_part(&self) -> bool {
        self.wire_type == WireType::LengthDelimited
    }

    /// Whether it is a number.
    pub fn is_number(&self) -> bool {
        self.wire_type == WireType::Varint
    }

    /// Goes on behind it.
    pub fn skip(&self, buf: &mut impl Buf) -> Result<(), Malformed> {
        match self.wire_type {
            WireType::LengthDelimited => buf.advance(buf.remaining() - self.end),
            WireType::Varint => drop(decode_varint(buf).map_err(malformed)?),
            _ => {}
        }
        Ok(())
    }

    /// The number that it holds.
    pub fn varint(&self, buf: &mut impl Buf) -> Result<u64, Malformed> {
        decode_varint(buf).map_err(malformed)
    }

    /// Its bytes, if there are no more than `longest`.
    pub fn bytes(&self, buf: &mut impl Buf, longest: usize) -> Result<Bytes, Malformed> {
        let length = buf.remaining() - self.end;
        match length <= longest {
            true => Ok(buf.copy_to_bytes(length)),
            false => Err(format!("a part of {length} bytes is far too long")),
        }
    }

    /// Its message, if it is no longer than `longest` bytes.
    pub fn message<M: Message + Default>(&self, buf: &mut impl Buf, longest: usize) -> Result<M, Malformed> {
        M::decode(self.bytes(buf, longest)?).map_err(malformed)
    }

    /// Its text, if it is no longer than `longest` bytes.
    pub fn text(&self, buf: &mut impl Buf, longest: usize) -> Result<String, Malformed> {
        let bytes = self.bytes(buf, longest)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| "a name is not UTF-8".to_owned())
    }
}
