//! iTerm2's inline images: a PNG in base64.

use std::io::{self, Write};

use data_encoding::BASE64;

/// Draws a PNG over that many columns.
pub fn draw(out: &mut impl Write, png: &[u8], columns: usize) -> io::Result<()> {
    let (size, text) = (png.len(), BASE64.encode(png));
    writeln!(out, "\x1b]1337;File=inline=1;size={size};width={columns};preserveAspectRatio=1:{text}\x07")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_png() {
        let mut out = Vec::new();
        draw(&mut out, b"not really a PNG", 13).unwrap();
        let text = String::from_utf8(out).unwrap();
        let (keys, data) = text.strip_prefix("\x1b]1337;File=").unwrap().split_once(':').unwrap();
        assert_eq!(keys, "inline=1;size=16;width=13;preserveAspectRatio=1");
        assert_eq!(BASE64.decode(data.strip_suffix("\x07\n").unwrap().as_bytes()).unwrap(), b"not really a PNG");
    }
}
