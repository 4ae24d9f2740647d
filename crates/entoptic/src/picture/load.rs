use std::{fs, io::BufReader, path::Path};

use burn::tensor::{Device, Tensor, TensorData};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, imageops::FilterType};

use crate::{Error, whole_file::reason};

/// Reads a photo (PNG, JPEG, WebP, the first frame of a GIF) as RGB in `0..=1`, turned the way its EXIF says.
///
/// Gray becomes three equal channels; alpha is dropped, see [`load_rgba`].
///
/// # Shapes
/// - value: `[1, 3, h, w]`
///
/// # Errors
/// [`Error::Unreadable`].
pub fn load(path: &Path, device: &Device) -> Result<Tensor<4>, Error> {
    Ok(rgb(&decode(path)?.1, device))
}

/// Reads a photo as [`load`] does, with its alpha as the fourth channel; a photo without alpha is opaque.
///
/// # Shapes
/// - value: `[1, 4, h, w]`
///
/// # Errors
/// [`Error::Unreadable`].
pub fn load_rgba(path: &Path, device: &Device) -> Result<Tensor<4>, Error> {
    let photo = decode(path)?.1.into_rgba32f();
    let [h, w] = [photo.height() as usize, photo.width() as usize];
    Ok(channels_first(photo.into_raw(), [1, h, w, 4], device))
}

/// Reads a photo as [`load`] does and resizes it, with Lanczos's filter, to exactly `[h, w]` pixels.
///
/// # Shapes
/// - value: `[1, 3, h, w]`
///
/// # Errors
/// [`Error::Unreadable`]; [`Error::OutOfRange`] for a side of 0.
pub fn load_sized(path: &Path, [h, w]: [usize; 2], device: &Device) -> Result<Tensor<4>, Error> {
    let [h, w] = [side(h)?, side(w)?];
    Ok(rgb(&decode(path)?.1.resize_exact(w, h, FilterType::Lanczos3), device))
}

/// Reads a photo so that it fills a square of `side` pixels, cropping what does not fit.
///
/// # Shapes
/// - value: `[1, 3, side, side]`
///
/// # Errors
/// [`Error::Unreadable`]; [`Error::OutOfRange`] for a side of 0.
pub fn load_square(path: &Path, side_length: usize, device: &Device) -> Result<Tensor<4>, Error> {
    load_filling(path, [side_length; 2], device)
}

/// Reads a photo so that it fills `[h, w]` pixels, cropping what does not fit.
///
/// # Shapes
/// - value: `[1, 3, h, w]`
///
/// # Errors
/// [`Error::Unreadable`]; [`Error::OutOfRange`] for a side of 0.
pub(crate) fn load_filling(path: &Path, size: [usize; 2], device: &Device) -> Result<Tensor<4>, Error> {
    filling(&decode(path)?.1, size, device)
}

/// As [`load_filling`], of a photo that is part of the program.
///
/// # Errors
/// [`Error::OutOfRange`] for a side of 0.
///
/// # Panics
/// If the bytes are no photo.
pub(crate) fn embedded_filling(bytes: &[u8], size: [usize; 2], device: &Device) -> Result<Tensor<4>, Error> {
    filling(&image::load_from_memory(bytes).expect("it is a photo"), size, device)
}

fn filling(photo: &DynamicImage, [h, w]: [usize; 2], device: &Device) -> Result<Tensor<4>, Error> {
    let [h, w] = [side(h)?, side(w)?];
    Ok(rgb(&photo.resize_to_fill(w, h, FilterType::Lanczos3), device))
}

/// What kind of picture a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// `PNG`, `JPEG`, `WebP` or `GIF`.
    pub format: &'static str,
    /// Height and width in pixels, turned the way its EXIF says.
    pub size: [usize; 2],
    /// `gray`, `gray and alpha`, `RGB` or `RGB and alpha`.
    pub colors: &'static str,
}

/// Reads a picture and says what kind it is.
///
/// # Errors
/// [`Error::Unreadable`].
pub fn about(path: &Path) -> Result<About, Error> {
    let (format, photo) = decode(path)?;
    let format = match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Gif => "GIF",
        other => unreachable!("{other:?} is not read"),
    };
    let colors = match photo.color().channel_count() {
        // Every GIF is decoded with alpha, though few have any.
        4 if format == "GIF" && photo.to_rgba8().pixels().all(|pixel| pixel.0[3] == u8::MAX) => "RGB",
        1 => "gray",
        2 => "gray and alpha",
        3 => "RGB",
        _ => "RGB and alpha",
    };
    Ok(About { format, size: [photo.height() as usize, photo.width() as usize], colors })
}

/// A side as `image` counts it.
pub(super) fn side(pixels: usize) -> Result<u32, Error> {
    u32::try_from(pixels).ok().filter(|pixels| *pixels > 0).ok_or_else(|| Error::OutOfRange {
        what: "a picture's side",
        value: pixels.to_string(),
        accepted: "it is 1 pixel or more",
    })
}

fn decode(path: &Path) -> Result<(ImageFormat, DynamicImage), Error> {
    let unreadable = |reason: String| Error::Unreadable { path: path.to_owned(), reason };
    let no_image =
        |error: &dyn ToString| unreadable(format!("no PNG, JPEG, WebP or GIF image ({})", error.to_string()));
    let file = fs::File::open(path).map_err(|error| unreadable(reason(&error, "file")))?;
    let reader = ImageReader::new(BufReader::new(file)).with_guessed_format();
    let reader = reader.map_err(|error| unreadable(reason(&error, "file")))?;
    let format = reader.format();
    let mut decoder = reader.into_decoder().map_err(|error| no_image(&error))?;
    let orientation = decoder.orientation().map_err(|error| no_image(&error))?;
    let mut photo = DynamicImage::from_decoder(decoder).map_err(|error| no_image(&error))?;
    photo.apply_orientation(orientation);
    Ok((format.expect("what has a decoder has a format"), photo))
}

fn rgb(photo: &DynamicImage, device: &Device) -> Tensor<4> {
    let photo = photo.to_rgb32f();
    let [h, w] = [photo.height() as usize, photo.width() as usize];
    channels_first(photo.into_raw(), [1, h, w, 3], device)
}

/// `[n, h, w, c]` as it lies in memory, to `[n, c, h, w]`.
pub(super) fn channels_first(values: Vec<f32>, shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::<4>::from_data(TensorData::new(values, shape), device).permute([0, 3, 1, 2])
}
