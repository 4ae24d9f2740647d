mod gif;
mod mp4;

use std::{io::BufWriter, path::Path};

use burn::tensor::Tensor;

use super::save::byte;
use crate::{Error, whole_file};

/// Writes frames as an animation, in the format that the file's name asks for.
///
/// | name | holds |
/// | --- | --- |
/// | `.gif` | 256 colors for each frame, at most 50 frames per second; loops forever |
/// | `.apng` | all colors; loops forever |
/// | `.mp4` | a video with losses, made by the program `ffmpeg`, which must be on the `PATH`; a side of odd length is one pixel longer, its last pixels twice |
///
/// Values are clipped to `0..=1` and rounded to 8 bits. An existing file is replaced only once the new one is complete.
///
/// # Shapes
/// - frames: `[t, 3, h, w]`, in `0..=1`
///
/// # Errors
/// [`Error::OutOfRange`] for frames per second that are none, [`Error::Unwritable`] otherwise; the file is then as it was.
///
/// # Panics
/// If there are not three channels.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::picture;
///
/// let [black, white] = [0.0, 1.0].map(|v| Tensor::<4>::full([1, 3, 24, 32], v, &Device::flex()));
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("blink.gif");
/// picture::animate(&path, &Tensor::cat(vec![black, white], 0), 2.0)?;
/// # Ok::<(), entoptic::Error>(())
/// ```
pub fn animate(path: &Path, frames: &Tensor<4>, frames_per_second: f64) -> Result<(), Error> {
    let (format, rate) = (Format::of(path)?, Rate::of(frames_per_second)?);
    let frames = Frames::of(frames, rate);
    match format {
        Format::Gif => gif::check(frames.rate)
            .and_then(|()| whole_file::write(path, "", |file| gif::write(BufWriter::new(file), &frames))),
        Format::Apng => {
            let write = |file: &mut _| apng(BufWriter::new(file), &frames).map_err(|error| error.to_string());
            whole_file::write(path, "", write)
        }
        Format::Mp4 => whole_file::write(path, ".mp4", |file| mp4::write(FFMPEG, file.path(), &frames)),
    }
}

/// Whether an animation can be written at `path`, without touching what is there.
///
/// # Errors
/// As [`animate`].
pub fn check_animatable(path: &Path, frames_per_second: f64) -> Result<(), Error> {
    let (format, rate) = (Format::of(path)?, Rate::of(frames_per_second)?);
    match format {
        Format::Gif => gif::check(rate)?,
        Format::Apng => {}
        Format::Mp4 => {
            mp4::check(FFMPEG).map_err(|reason| Error::Unwritable { path: path.to_owned(), reason })?;
        }
    }
    whole_file::check(path)
}

/// The program that makes videos.
const FFMPEG: &str = "ffmpeg";

enum Format {
    Gif,
    Apng,
    Mp4,
}

impl Format {
    fn of(path: &Path) -> Result<Self, Error> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("gif") => Ok(Self::Gif),
            Some("apng") => Ok(Self::Apng),
            Some("mp4") => Ok(Self::Mp4),
            _ => {
                let reason = "an animation's name ends in .gif, .apng or .mp4".into();
                Err(Error::Unwritable { path: path.to_owned(), reason })
            }
        }
    }
}

/// Frames per second, more than 0.
#[derive(Clone, Copy)]
struct Rate(f64);

impl Rate {
    /// More than any screen shows.
    const HIGHEST: f64 = 1000.0;

    fn of(frames_per_second: f64) -> Result<Self, Error> {
        match frames_per_second > 0.0 && frames_per_second <= Self::HIGHEST {
            true => Ok(Self(frames_per_second)),
            false => Err(Error::OutOfRange {
                what: "the number of frames per second",
                value: frames_per_second.to_string(),
                accepted: "it is more than 0 and at most 1000",
            }),
        }
    }
}

/// What the encoders take: 8 bits a value, `[t, h, w, 3]`.
struct Frames {
    bytes: Vec<u8>,
    size: [usize; 2],
    rate: Rate,
}

impl Frames {
    fn of(frames: &Tensor<4>, rate: Rate) -> Self {
        let [_, c, h, w] = frames.dims();
        assert_eq!(c, 3, "frames have three channels");
        let values = frames.clone().permute([0, 2, 3, 1]).try_into_vec_as::<f32>().expect("frames hold f32");
        Self { bytes: values.into_iter().map(byte).collect(), size: [h, w], rate }
    }

    /// The frames in turn, each `[h, w, 3]`.
    fn each(&self) -> std::slice::ChunksExact<'_, u8> {
        let [h, w] = self.size;
        self.bytes.chunks_exact(h * w * 3)
    }
}

fn apng(to: impl std::io::Write, frames: &Frames) -> Result<(), png::EncodingError> {
    let side = |pixels: usize| u32::try_from(pixels).map_err(|_| png::EncodingError::LimitsExceeded);
    let [h, w] = frames.size;
    let count = side(frames.each().len())?;
    let [numerator, denominator] = delay(frames.rate);
    let mut encoder = png::Encoder::new(to, side(w)?, side(h)?);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_animated(count, 0)?; // 0: forever
    encoder.set_frame_delay(numerator, denominator)?;
    let mut writer = encoder.write_header()?;
    for frame in frames.each() {
        writer.write_image_data(frame)?;
    }
    writer.finish()
}

/// How long a frame is shown, as a fraction of seconds in 16 bits.
fn delay(Rate(rate): Rate) -> [u16; 2] {
    if rate >= 1.0 && rate.fract() == 0.0 {
        return [1, rate as u16];
    }
    // In milliseconds if that fits, else in whole seconds; `as` stops at the largest.
    match (1000.0 / rate).round() {
        milliseconds if milliseconds <= f64::from(u16::MAX) => [milliseconds as u16, 1000],
        milliseconds => [(milliseconds / 1000.0).round() as u16, 1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_exact_for_whole_rates_and_close_for_others() {
        assert_eq!(delay(Rate(60.0)), [1, 60]);
        assert_eq!(delay(Rate(23.976)), [42, 1000]);
        assert_eq!(delay(Rate(0.5)), [2000, 1000]);
        assert_eq!(delay(Rate(0.01)), [100, 1]);
    }
}
