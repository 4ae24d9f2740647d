//! Sixel graphics: bands of six rows, drawn color by color.

use std::io::{self, Write};

use color_quant::NeuQuant;

use super::Rows;

/// Rows of a band.
const BAND: usize = 6;

/// What all terminals with sixels have.
const COLORS: usize = 256;

pub fn draw(out: &mut impl Write, rows: &Rows) -> io::Result<()> {
    let (colors, indices) = indexed(&rows.pixels);
    // Square pixels; the size lets terminals make room.
    write!(out, "\x1bP0;1q\"1;1;{};{}", rows.width, rows.each().len())?;
    for (i, color) in colors.iter().enumerate() {
        let [r, g, b] = color.map(|value| (u32::from(value) * 100 + 127) / 255); // percent
        write!(out, "#{i};2;{r};{g};{b}")?;
    }
    for (i, band) in indices.chunks(rows.width * BAND).enumerate() {
        if i > 0 {
            write!(out, "-")?; // on to the next band
        }
        let mut used = band.to_vec();
        used.sort_unstable();
        used.dedup();
        for color in used {
            write!(out, "#{color}")?;
            runs(out, (0..rows.width).map(|x| sixel(band, rows.width, x, color)))?;
            write!(out, "$")?; // back to the band's start
        }
    }
    writeln!(out, "\x1b\\")
}

/// Colors, and the place among them of each pixel's: exact where few colors are enough.
fn indexed(pixels: &[[u8; 3]]) -> (Vec<[u8; 3]>, Vec<usize>) {
    let mut colors = pixels.to_vec();
    colors.sort_unstable();
    colors.dedup();
    if colors.len() <= COLORS {
        let indices = pixels.iter().map(|color| colors.binary_search(color).expect("all colors are there"));
        return (colors.clone(), indices.collect());
    }
    let rgba: Vec<u8> = pixels.iter().flat_map(|&[r, g, b]| [r, g, b, u8::MAX]).collect();
    let quantizer = NeuQuant::new(1, COLORS, &rgba); // 1: looks at every pixel
    let indices = rgba.as_chunks::<4>().0.iter().map(|pixel| quantizer.index_of(pixel)).collect();
    (quantizer.color_map_rgb().as_chunks().0.to_vec(), indices)
}

/// The six pixels at `x` that have the color, the topmost in the lowest bit, as a letter.
fn sixel(band: &[usize], width: usize, x: usize, color: usize) -> char {
    let column = band.iter().skip(x).step_by(width);
    let bits = column.enumerate().map(|(y, other)| u8::from(*other == color) << y).sum::<u8>();
    char::from(b'?' + bits)
}

/// Writes letters, those that repeat with their number.
fn runs(out: &mut impl Write, letters: impl Iterator<Item = char>) -> io::Result<()> {
    let mut letters = letters.peekable();
    while let Some(letter) = letters.next() {
        let mut count = 1;
        while letters.next_if_eq(&letter).is_some() {
            count += 1;
        }
        match count {
            1..=3 => (0..count).try_for_each(|_| write!(out, "{letter}"))?,
            _ => write!(out, "!{count}{letter}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_letters_are_counted() {
        let mut out = Vec::new();
        runs(&mut out, "~~~~~?@@".chars()).unwrap();
        assert_eq!(out, b"!5~?@@");
    }

    #[test]
    fn a_column_is_a_letter() {
        // Two wide: the left column has color 1 at the top and in the third row.
        let band = [1, 0, 0, 0, 1, 0];
        assert_eq!(sixel(&band, 2, 0, 1), char::from(b'?' + 0b101));
        assert_eq!(sixel(&band, 2, 1, 1), '?');
    }

    #[test]
    fn every_pixel_is_drawn_once_in_its_color() {
        let pixels: Vec<[u8; 3]> = (0..7 * 9).map(|i| [(i % 7 * 40) as u8, (i / 7 * 28) as u8, 100]).collect();
        let rows = Rows { width: 7, pixels };
        let mut out = Vec::new();
        draw(&mut out, &rows).unwrap();
        let (colors, drawn) = decode(std::str::from_utf8(&out).unwrap(), 7, 9);
        for (i, (pixel, color)) in rows.pixels.iter().zip(&drawn).enumerate() {
            let color = colors[color.expect("every pixel is drawn")];
            let near = pixel.iter().zip(color).all(|(a, b)| (i32::from(*a) * 100 - b * 255).abs() <= 128);
            assert!(near, "pixel {i}: {pixel:?} is drawn as {color:?} percent");
        }
    }

    /// Colors in percent, and the color of each pixel.
    fn decode(text: &str, width: usize, height: usize) -> (Vec<[i32; 3]>, Vec<Option<usize>>) {
        let body = text.strip_prefix("\x1bP0;1q").unwrap().strip_suffix("\x1b\\\n").unwrap();
        let mut body = body.strip_prefix(&format!("\"1;1;{width};{height}")).unwrap().chars().peekable();
        let (mut colors, mut drawn) = (Vec::new(), vec![None; width * height]);
        let (mut x, mut band, mut color) = (0, 0, 0);
        while let Some(command) = body.next() {
            let mut count = 1;
            let mut letter = command;
            let mut numbers = || {
                let mut text = String::new();
                while let Some(c) = body.next_if(|c| c.is_ascii_digit() || *c == ';') {
                    text.push(c);
                }
                text.split(';').map(|number| number.parse::<usize>().unwrap()).collect::<Vec<_>>()
            };
            match command {
                '#' => {
                    match numbers()[..] {
                        [index] => color = index,
                        [_, 2, r, g, b] => colors.push([r, g, b].map(|value| value as i32)),
                        ref other => panic!("{other:?}"),
                    }
                    continue;
                }
                '$' => x = 0,
                '-' => (x, band) = (0, band + 1),
                '!' => {
                    count = numbers()[0];
                    letter = body.next().unwrap();
                }
                _ => {}
            }
            if letter < '?' {
                continue;
            }
            for _ in 0..count {
                let bits = letter as u8 - b'?';
                for y in (0..BAND).filter(|y| bits >> y & 1 == 1) {
                    let pixel = &mut drawn[(band * BAND + y) * width + x];
                    assert_eq!(*pixel, None, "drawn twice");
                    *pixel = Some(color);
                }
                x += 1;
            }
        }
        (colors, drawn)
    }
}
