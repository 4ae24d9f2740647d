//! Pictures made of letters: a half block is two pixels, its color the upper one, its background the lower one; without
//! color a letter is as bright as the two are together.

use std::io::{self, Write};

use super::Rows;

/// How many colors the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    Truecolor,
    Colors256,
    Shades,
}

const UPPER_HALF: char = '▀';

/// From dark to bright, on a dark terminal.
const SHADES: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];

/// Draws an even number of rows.
pub fn draw(out: &mut impl Write, rows: &Rows, depth: Depth) -> io::Result<()> {
    let rows: Vec<&[[u8; 3]]> = rows.each().collect();
    for pair in rows.as_chunks::<2>().0 {
        let pixels = || pair[0].iter().copied().zip(pair[1].iter().copied());
        match depth {
            Depth::Shades => {
                let line: String = pixels().map(|(upper, lower)| shade(upper, lower)).collect();
                writeln!(out, "{}", line.trim_end())?;
            }
            Depth::Truecolor => line(out, pixels(), |[r, g, b]| format!("2;{r};{g};{b}"))?,
            Depth::Colors256 => line(out, pixels(), |color| format!("5;{}", nearest(color)))?,
        }
    }
    Ok(())
}

/// One line; a color is named where it changes.
fn line(
    out: &mut impl Write,
    pixels: impl Iterator<Item = ([u8; 3], [u8; 3])>,
    name: impl Fn([u8; 3]) -> String,
) -> io::Result<()> {
    let mut before = None;
    for (upper, lower) in pixels {
        let colors = (name(upper), name(lower));
        if before.as_ref() != Some(&colors) {
            write!(out, "\x1b[38;{};48;{}m", colors.0, colors.1)?;
        }
        write!(out, "{UPPER_HALF}")?;
        before = Some(colors);
    }
    writeln!(out, "\x1b[0m")
}

fn shade(upper: [u8; 3], lower: [u8; 3]) -> char {
    // How bright the eye finds the primaries: ITU-R BT.709.
    let light = |[r, g, b]: [u8; 3]| 0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b);
    let light = (light(upper) + light(lower)) / 2.0 / 255.0;
    SHADES[(light * (SHADES.len() - 1) as f64).round() as usize]
}

/// The steps of red, green and blue in the terminal's 6 x 6 x 6 colors, which start at 16.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest of the terminal's colors and grays; grays start at 232 and are 8, 18, 28, .., 238.
fn nearest(color: [u8; 3]) -> usize {
    let closest = |value: u8| (0..STEPS.len()).min_by_key(|i| STEPS[*i].abs_diff(value)).expect("there are steps");
    let [r, g, b] = color.map(closest);
    let mean = color.iter().copied().map(usize::from).sum::<usize>() / 3;
    let gray = (mean.saturating_sub(3) / 10).min(23);
    let distance = |other: [u8; 3]| color.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>();
    match distance([(8 + 10 * gray) as u8; 3]) < distance([r, g, b].map(|i| STEPS[i])) {
        true => 232 + gray,
        false => 16 + 36 * r + 6 * g + b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: [u8; 3] = [255, 0, 0];
    const WHITE: [u8; 3] = [255; 3];

    fn drawn(depth: Depth) -> String {
        let rows = Rows { width: 3, pixels: vec![RED, RED, WHITE, WHITE, WHITE, WHITE] };
        let mut out = Vec::new();
        draw(&mut out, &rows, depth).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_letter_is_two_pixels() {
        let mixed = "\x1b[38;2;255;0;0;48;2;255;255;255m▀▀";
        let white = "\x1b[38;2;255;255;255;48;2;255;255;255m▀";
        assert_eq!(drawn(Depth::Truecolor), format!("{mixed}{white}\x1b[0m\n"));
        assert_eq!(drawn(Depth::Colors256), "\x1b[38;5;196;48;5;231m▀▀\x1b[38;5;231;48;5;231m▀\x1b[0m\n");
        assert_eq!(drawn(Depth::Shades), "++@\n");
    }

    #[test]
    fn the_nearest_color_is_found_among_colors_and_grays() {
        assert_eq!(nearest([0, 0, 0]), 16);
        assert_eq!(nearest([8, 8, 8]), 232);
        assert_eq!(nearest([130, 128, 127]), 244);
        assert_eq!(nearest([90, 140, 250]), 16 + 36 + 12 + 5);
    }
}
