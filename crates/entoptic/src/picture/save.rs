use std::{
    io::{BufWriter, Cursor, Write},
    path::Path,
};

use burn::{config::Config, tensor::Tensor};
use image::{ExtendedColorType, ImageError, codecs};

use serde::Serialize;

use super::{Made, collapse_channels, description::describe, on_white};
use crate::{
    Error, Run,
    whole_file::{self, reason},
};

/// How pictures are written.
#[derive(Config, Debug, PartialEq, Eq)]
pub struct SaveConfig {
    /// Of JPEG, 1 to 100. Lucid's figures use 90 (`misc/io/showing.py`).
    #[config(default = 90)]
    pub jpeg_quality: u8,
}

/// Writes a batch as one picture, its images side by side, in the format that the file's name asks for.
///
/// | name | holds |
/// | --- | --- |
/// | `.png` | all as it is, and the description of the run that made it |
/// | `.webp` | all as it is (lossless) |
/// | `.jpg`, `.jpeg` | colors, with losses; what has alpha is laid on white, see [`on_white`] |
///
/// One channel is gray, three are RGB, four are RGB and alpha; any other number becomes colors through
/// [`collapse_channels`]. Values are clipped to `0..=1` and rounded to 8 bits (Lucid truncates, see [`to_bytes`]).
/// An existing file is replaced only once the new one is complete.
///
/// # Shapes
/// - images: `[n, c, h, w]`, in `0..=1`
///
/// # Errors
/// [`Error::Unwritable`]; the file is then as it was.
///
/// [`to_bytes`]: super::to_bytes
pub fn save(path: &Path, images: &Tensor<4>, description: Option<&Run>) -> Result<(), Error> {
    save_with(path, images, description, &SaveConfig::new())
}

/// Writes a picture as [`save`] does, with options.
///
/// # Shapes
/// - images: `[n, c, h, w]`, in `0..=1`
///
/// # Errors
/// [`Error::Unwritable`]; the file is then as it was. [`Error::OutOfRange`] for a quality that is none.
pub fn save_with(path: &Path, images: &Tensor<4>, description: Option<&Run>, config: &SaveConfig) -> Result<(), Error> {
    write(path, images, description, config)
}

/// Writes a picture as [`save`] does, which says that it was `made` by more than one run.
///
/// # Shapes
/// - images: `[n, c, h, w]`, in `0..=1`
///
/// # Errors
/// [`Error::Unwritable`]; the file is then as it was.
pub fn save_made(path: &Path, images: &Tensor<4>, made: &Made) -> Result<(), Error> {
    write(path, images, Some(made), &SaveConfig::new())
}

fn write(
    path: &Path,
    images: &Tensor<4>,
    description: Option<&impl Serialize>,
    config: &SaveConfig,
) -> Result<(), Error> {
    let format = Format::of(path)?;
    if !(1..=100).contains(&config.jpeg_quality) {
        let value = config.jpeg_quality.to_string();
        return Err(Error::OutOfRange { what: "a JPEG's quality", value, accepted: "it is 1 to 100" });
    }
    let images = match format {
        Format::Jpeg if images.dims()[1] == 4 => on_white(images.clone()),
        _ => images.clone(),
    };
    let pixels = Pixels::of(images);
    whole_file::write(path, "", |file| {
        let to = BufWriter::new(file);
        match format {
            Format::Png => png(to, &pixels, description).map_err(|error| match error {
                png::EncodingError::IoError(error) => reason(&error, "folder"),
                error => error.to_string(),
            }),
            Format::WebP => pixels.write(codecs::webp::WebPEncoder::new_lossless(to)),
            Format::Jpeg => pixels.write(codecs::jpeg::JpegEncoder::new_with_quality(to, config.jpeg_quality)),
        }
    })
}

/// A batch as the bytes of one PNG, as [`save`] writes it, without a description.
///
/// # Shapes
/// - images: `[n, c, h, w]`, in `0..=1`
pub fn to_png(images: &Tensor<4>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    png(&mut bytes, &Pixels::of(images.clone()), None::<&Run>).expect("memory takes any PNG");
    bytes.into_inner()
}

/// A batch as the bytes of one JPEG, as [`save`] writes it.
///
/// # Shapes
/// - images: `[n, c, h, w]`, in `0..=1`, without alpha
pub fn to_jpeg(images: &Tensor<4>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let encoder = codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, SaveConfig::new().jpeg_quality);
    Pixels::of(images.clone()).write(encoder).expect("memory takes any JPEG");
    bytes.into_inner()
}

/// Whether a picture can be written at `path`, without touching what is there.
///
/// # Errors
/// [`Error::Unwritable`].
pub fn check_writable(path: &Path) -> Result<(), Error> {
    Format::of(path)?;
    whole_file::check(path)
}

#[derive(Clone, Copy)]
enum Format {
    Png,
    Jpeg,
    WebP,
}

impl Format {
    fn of(path: &Path) -> Result<Self, Error> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("png") => Ok(Self::Png),
            Some("jpg" | "jpeg") => Ok(Self::Jpeg),
            Some("webp") => Ok(Self::WebP),
            _ => {
                let reason = "a picture's name ends in .png, .jpg, .jpeg or .webp".into();
                Err(Error::Unwritable { path: path.to_owned(), reason })
            }
        }
    }
}

/// What the encoders take: 8 bits a value, `[h, n * w, c]`.
struct Pixels {
    bytes: Vec<u8>,
    size: [usize; 2],
    channels: usize,
}

impl Pixels {
    fn of(images: Tensor<4>) -> Self {
        let images = match images.dims()[1] {
            1 | 3 | 4 => images,
            _ => collapse_channels(&images),
        };
        let [n, c, h, w] = images.dims();
        // Side by side: [h, n, w, c].
        let values = images.permute([2, 0, 3, 1]).try_into_vec_as::<f32>().expect("images hold f32");
        Self { bytes: values.into_iter().map(byte).collect(), size: [h, n * w], channels: c }
    }

    fn write(&self, encoder: impl image::ImageEncoder) -> Result<(), String> {
        let [h, w] = self.size.map(|side| u32::try_from(side).unwrap_or(u32::MAX));
        let color = match self.channels {
            1 => ExtendedColorType::L8,
            3 => ExtendedColorType::Rgb8,
            _ => ExtendedColorType::Rgba8,
        };
        encoder.write_image(&self.bytes, w, h, color).map_err(|error| match error {
            ImageError::IoError(error) => reason(&error, "folder"),
            error => error.to_string(),
        })
    }
}

/// A value of `0..=1` as 8 bits.
pub(super) fn byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

fn png(to: impl Write, pixels: &Pixels, description: Option<&impl Serialize>) -> Result<(), png::EncodingError> {
    let side = |pixels: usize| u32::try_from(pixels).map_err(|_| png::EncodingError::LimitsExceeded);
    let [h, w] = pixels.size;
    let mut encoder = png::Encoder::new(to, side(w)?, side(h)?);
    encoder.set_color(match pixels.channels {
        1 => png::ColorType::Grayscale,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    });
    encoder.set_depth(png::BitDepth::Eight);
    if let Some(how) = description {
        describe(&mut encoder, how)?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels.bytes)?;
    writer.finish()
}
