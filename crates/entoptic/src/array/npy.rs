//! NumPy's format: a magic number, a header that is a Python dictionary, the numbers.
//!
//! # Reference
//! `numpy.lib.format` in NumPy's documentation.

use std::collections::BTreeMap;

use winnow::{
    ModalResult, Parser,
    ascii::{dec_uint, multispace0},
    combinator::{alt, delimited, opt, separated, separated_pair, terminated},
    token::take_till,
};

use super::{
    Array, Stored,
    dtype::{Dtype, bytes},
};

const MAGIC: &[u8] = b"\x93NUMPY";

/// Where the numbers start is a multiple of this.
const ALIGNMENT: usize = 64;

pub fn write(array: &Array) -> Vec<u8> {
    let sides: Vec<String> = array.shape.iter().map(usize::to_string).collect();
    let comma = if sides.len() == 1 { "," } else { "" }; // without it Python sees a number, not a tuple
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{comma}), }}", sides.join(", "));
    // Version 1.0 tells the header's length in two bytes; the header ends with a newline.
    let before = MAGIC.len() + 2 + 2;
    let length = (before + header.len() + 1).next_multiple_of(ALIGNMENT) - before;
    let header = format!("{header:width$}\n", width = length - 1);
    let length = u16::try_from(length).expect("a shape is short").to_le_bytes();
    [MAGIC, &[1, 0], &length, header.as_bytes(), &bytes(array)].concat()
}

pub fn read(file: &[u8]) -> Result<Stored, String> {
    let no_npy = || "no .npy file".to_owned();
    let [major, _minor, rest @ ..] = file.strip_prefix(MAGIC).ok_or_else(no_npy)? else { return Err(no_npy()) };
    let split = match major {
        1 => rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_le_bytes(*length)), rest)),
        _ => rest.split_first_chunk().map(|(length, rest)| (u32::from_le_bytes(*length) as usize, rest)),
    };
    let split = split.and_then(|(length, rest)| rest.split_at_checked(length));
    let (header, numbers) = split.ok_or_else(|| "its header is cut off".to_owned())?;
    let Header { dtype, big_endian, fortran_order, shape } = Header::read(&String::from_utf8_lossy(header))?;
    let numbers = if big_endian { swapped(numbers, dtype.size()) } else { numbers.to_vec() };
    let mut stored = dtype.array(shape, &numbers)?;
    if fortran_order {
        stored.array.values = first_axis_fastest(&stored.array);
    }
    Ok(stored)
}

struct Header {
    dtype: Dtype,
    big_endian: bool,
    fortran_order: bool,
    shape: Vec<usize>,
}

/// What stands in the dictionary.
enum Item {
    Text(String),
    Truth(bool),
    Sides(Vec<usize>),
}

impl Header {
    fn read(text: &str) -> Result<Self, String> {
        let odd = || format!("its header is not understood: {}", text.trim());
        let mut items = dictionary.parse(text.trim()).map_err(|_| odd())?;
        let mut take = |key: &str| items.remove(key);
        match (take("descr"), take("fortran_order"), take("shape")) {
            (Some(Item::Text(dtype)), Some(Item::Truth(fortran_order)), Some(Item::Sides(shape))) => {
                let (dtype, big_endian) = numbers(&dtype)?;
                Ok(Self { dtype, big_endian, fortran_order, shape })
            }
            _ => Err(odd()),
        }
    }
}

/// The type that NumPy calls `<f4`, and whether its bytes are in big endian order.
fn numbers(name: &str) -> Result<(Dtype, bool), String> {
    let dtype = match name.trim_start_matches(['<', '>', '|', '=']) {
        "b1" | "?" => Dtype::Bool,
        "i1" => Dtype::I8,
        "u1" => Dtype::U8,
        "i2" => Dtype::I16,
        "u2" => Dtype::U16,
        "i4" => Dtype::I32,
        "u4" => Dtype::U32,
        "i8" => Dtype::I64,
        "u8" => Dtype::U64,
        "f2" => Dtype::F16,
        "f4" => Dtype::F32,
        "f8" => Dtype::F64,
        _ => return Err(format!("numbers of type `{name}` are not read; floats, integers and booleans are")),
    };
    Ok((dtype, name.starts_with('>')))
}

fn dictionary(input: &mut &str) -> ModalResult<BTreeMap<String, Item>> {
    let entry = separated_pair(padded(text), ':', padded(item));
    delimited('{', terminated(separated(0.., entry, ','), (opt(','), multispace0)), '}').parse_next(input)
}

fn item(input: &mut &str) -> ModalResult<Item> {
    let side = terminated(dec_uint::<_, usize, _>, opt('L')); // Python 2 wrote long numbers so
    let sides = terminated(separated(0.., padded(side), ','), (opt(','), multispace0));
    alt((
        text.map(Item::Text),
        "True".value(()).map(|()| Item::Truth(true)),
        "False".value(()).map(|()| Item::Truth(false)),
        delimited('(', sides, ')').map(Item::Sides),
    ))
    .parse_next(input)
}

fn text(input: &mut &str) -> ModalResult<String> {
    let quoted = |quote: char| delimited(quote, take_till(0.., quote), quote);
    alt((quoted('\''), quoted('"'))).map(str::to_owned).parse_next(input)
}

fn padded<'a, T>(
    inner: impl Parser<&'a str, T, winnow::error::ErrMode<winnow::error::ContextError>>,
) -> impl Parser<&'a str, T, winnow::error::ErrMode<winnow::error::ContextError>> {
    delimited(multispace0, inner, multispace0)
}

fn swapped(bytes: &[u8], size: usize) -> Vec<u8> {
    bytes.chunks(size).flat_map(|number| number.iter().rev().copied()).collect()
}

/// The values of an array stored with its first axis varying fastest, in the usual order.
fn first_axis_fastest(array: &Array) -> Vec<f32> {
    let strides = array.shape.iter().scan(1, |stride, side| {
        let this = *stride;
        *stride *= side;
        Some(this)
    });
    let axes: Vec<(usize, usize)> = array.shape.iter().copied().zip(strides).collect();
    let place = |index: usize| {
        let (_, place) = axes
            .iter()
            .rev()
            .fold((index, 0), |(index, place), (side, stride)| (index / side, place + index % side * stride));
        place
    };
    (0..array.values.len()).map(|index| array.values[place(index)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_numpy_writes_them() {
        let read = |text: &str| Header::read(text).map(|header| (header.dtype, header.fortran_order, header.shape));
        let one = read("{'descr': '<f8', 'fortran_order': False, 'shape': (7,), }     \n");
        assert_eq!(one, Ok((Dtype::F64, false, vec![7])));
        let none = read("{\"descr\":\"|u1\",\"shape\":(),\"fortran_order\":True}");
        assert_eq!(none, Ok((Dtype::U8, true, vec![])));
        let old = read("{'descr': '|b1', 'fortran_order': False, 'shape': (2L, 3L), }");
        assert_eq!(old, Ok((Dtype::Bool, false, vec![2, 3])));
        assert!(read("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }").is_err());
        assert!(read("{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }").unwrap_err().contains("`<c8`"));
    }

    #[test]
    fn what_is_written_is_what_numpy_writes() {
        // np.save(f, np.arange(6, dtype='<f4').reshape(2, 3))
        let file = write(&Array::new([2, 3], (0..6).map(|v| v as f32).collect()));
        assert_eq!(file.len(), 128 + 24);
        assert_eq!(&file[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(&file[10..70], b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } ");
        assert_eq!(file[127], b'\n');
        assert_eq!(read(&file).unwrap().array.values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn fortran_order_is_turned() {
        // [[0, 1, 2], [3, 4, 5]], stored column by column.
        let array = Array::new([2, 3], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(first_axis_fastest(&array), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }
}
