//! Kitty's graphics protocol: a PNG in base64, in pieces.

use std::io::{self, Write};

use data_encoding::BASE64;

/// The most that one escape sequence may hold.
const PIECE: usize = 4096;

/// Draws a PNG over that many rows and columns.
pub fn draw(out: &mut impl Write, png: &[u8], [rows, columns]: [usize; 2]) -> io::Result<()> {
    let text = BASE64.encode(png);
    let pieces = text.as_bytes().chunks(PIECE);
    let last = pieces.len() - 1;
    for (i, piece) in pieces.enumerate() {
        let more = u8::from(i < last);
        match i {
            // Transmit and display; a PNG; answer nothing, as the answer would land in the prompt.
            0 => write!(out, "\x1b_Ga=T,f=100,q=2,c={columns},r={rows},m={more};")?,
            _ => write!(out, "\x1b_Gm={more};")?,
        }
        out.write_all(piece)?;
        write!(out, "\x1b\\")?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_png() {
        let png: Vec<u8> = (0..10_000u32).map(|i| (i * i % 251) as u8).collect();
        let mut out = Vec::new();
        draw(&mut out, &png, [7, 13]).unwrap();
        let text = String::from_utf8(out).unwrap();
        let commands = text.strip_suffix('\n').unwrap().split_terminator("\x1b\\");
        let (keys, data): (Vec<&str>, Vec<&str>) =
            commands.map(|command| command.strip_prefix("\x1b_G").unwrap().split_once(';').unwrap()).unzip();
        assert_eq!(keys, ["a=T,f=100,q=2,c=13,r=7,m=1", "m=1", "m=1", "m=0"]);
        assert!(data.iter().all(|piece| piece.len() <= PIECE));
        assert_eq!(BASE64.decode(data.concat().as_bytes()).unwrap(), png);
    }
}
