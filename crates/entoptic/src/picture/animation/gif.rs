use std::io::Write;

use image::{Delay, Frame, RgbaImage, codecs::gif};

use super::{Frames, Rate};
use crate::Error;

/// Browsers slow down what is shown for less than two hundredths of a second.
const HIGHEST: f64 = 50.0;

/// A GIF says how long a frame is shown in 16 bits.
const LOWEST: f64 = 0.01;

pub fn check(Rate(rate): Rate) -> Result<(), Error> {
    match (LOWEST..=HIGHEST).contains(&rate) {
        true => Ok(()),
        false => Err(Error::OutOfRange {
            what: "the number of a GIF's frames per second",
            value: rate.to_string(),
            accepted: "it is 0.01 to 50; .apng and .mp4 can be faster",
        }),
    }
}

pub fn write(to: impl Write, frames: &Frames) -> Result<(), String> {
    let [h, w] = frames.size.map(|side| u32::try_from(side).unwrap_or(u32::MAX));
    let mut encoder = gif::GifEncoder::new(to); // the best palettes, each from every pixel of its frame
    encoder.set_repeat(gif::Repeat::Infinite).map_err(|error| error.to_string())?;
    for (rgb, delay) in frames.each().zip(delays(frames.rate)) {
        let rgba = rgb.as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [r, g, b, u8::MAX]).collect();
        let image = RgbaImage::from_raw(w, h, rgba).expect("a frame has h * w pixels");
        let delay = Delay::from_numer_denom_ms(delay * 10, 1);
        encoder.encode_frame(Frame::from_parts(image, 0, 0, delay)).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// How long each frame is shown, in hundredths of a second: rounded so that no delay adds up.
fn delays(Rate(rate): Rate) -> impl Iterator<Item = u32> {
    let start = move |frame: u32| (f64::from(frame) * 100.0 / rate).round() as u32;
    (0..).map(move |frame| start(frame + 1) - start(frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_frames_take_a_second() {
        let delays: Vec<u32> = delays(Rate(30.0)).take(30).collect();
        assert_eq!(delays.iter().sum::<u32>(), 100);
        assert!(delays.iter().all(|delay| [3, 4].contains(delay)), "{delays:?}");
    }
}
