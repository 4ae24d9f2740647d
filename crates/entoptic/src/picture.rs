//! Pictures: reading photos, writing PNGs that say how they were made.

use std::{
    fs,
    io::{self, BufReader, BufWriter, Write},
    path::Path,
};

use burn::tensor::{Device, Tensor, TensorData};
use image::{DynamicImage, ImageDecoder, ImageReader, imageops::FilterType};

use crate::{Error, Run};

/// The keyword under which a picture's text says how it was made.
const KEYWORD: &str = "entoptic";

/// Reads a photo (PNG, JPEG, WebP) as RGB in `0..=1`, turned the way its EXIF says.
///
/// # Shapes
/// - value: `[1, 3, h, w]`
///
/// # Errors
/// [`Error::Unreadable`].
pub fn load(path: &Path, device: &Device) -> Result<Tensor<4>, Error> {
    Ok(tensor(&decode(path)?, device))
}

/// Reads a photo so that it fills a square of `side` pixels, cropping what does not fit.
///
/// # Shapes
/// - value: `[1, 3, side, side]`
///
/// # Errors
/// [`Error::Unreadable`].
pub fn load_square(path: &Path, side: usize, device: &Device) -> Result<Tensor<4>, Error> {
    let photo = decode(path)?;
    let side = u32::try_from(side).expect("a side fits in 32 bits");
    Ok(tensor(&photo.resize_to_fill(side, side, FilterType::Lanczos3), device))
}

fn decode(path: &Path) -> Result<DynamicImage, Error> {
    let unreadable = |reason: String| Error::Unreadable { path: path.to_owned(), reason };
    let file = fs::File::open(path).map_err(|error| unreadable(reason(&error, "file")))?;
    let reader = ImageReader::new(BufReader::new(file)).with_guessed_format();
    let reader = reader.map_err(|error| unreadable(reason(&error, "file")))?;
    let no_image = |error: image::ImageError| unreadable(format!("no PNG, JPEG or WebP image ({error})"));
    let mut decoder = reader.into_decoder().map_err(no_image)?;
    let orientation = decoder.orientation().map_err(no_image)?;
    let mut photo = DynamicImage::from_decoder(decoder).map_err(no_image)?;
    photo.apply_orientation(orientation);
    Ok(photo)
}

fn tensor(photo: &DynamicImage, device: &Device) -> Tensor<4> {
    let photo = photo.to_rgb32f();
    let (w, h) = (photo.width() as usize, photo.height() as usize);
    Tensor::<4>::from_data(TensorData::new(photo.into_raw(), [1, h, w, 3]), device).permute([0, 3, 1, 2])
}

/// Writes a batch as one PNG, its images side by side, with the description of the run that made it.
///
/// Values are rounded to 8 bits. An existing file is replaced only once the new one is complete.
///
/// # Shapes
/// - images: `[n, 3, h, w]`, in `0..=1`
///
/// # Errors
/// [`Error::Unwritable`]; the file is then as it was.
pub fn save(path: &Path, images: &Tensor<4>, description: Option<&Run>) -> Result<(), Error> {
    let unwritable = |reason: String| Error::Unwritable { path: path.to_owned(), reason };
    let mut file = beside(path).map_err(|error| unwritable(reason(&error, "folder")))?;
    encode(BufWriter::new(&mut file), images, description).map_err(|error| match error {
        png::EncodingError::IoError(error) => unwritable(reason(&error, "folder")),
        error => unwritable(error.to_string()),
    })?;
    file.persist(path).map_err(|error| unwritable(reason(&error.error, "folder")))?;
    Ok(())
}

/// Whether a file can be written at `path`, without touching what is there.
///
/// # Errors
/// [`Error::Unwritable`].
pub fn check_writable(path: &Path) -> Result<(), Error> {
    let unwritable = |reason: String| Error::Unwritable { path: path.to_owned(), reason };
    if path.is_dir() {
        return Err(unwritable("it is a folder".into()));
    }
    beside(path).map(drop).map_err(|error| unwritable(reason(&error, "folder")))
}

/// An empty temporary file in the folder of `path`, gone again unless it is persisted.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".entoptic-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask, as any new file
    builder.tempfile_in(folder)
}

/// Why a file cannot be opened or made, in a few words; `missing` is what is not there if something is not.
fn reason(error: &io::Error, missing: &str) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no such {missing}"),
        kind => kind.to_string(),
    }
}

fn encode(to: impl Write, images: &Tensor<4>, description: Option<&Run>) -> Result<(), png::EncodingError> {
    let [n, c, h, w] = images.dims();
    assert_eq!(c, 3, "a picture has three channels");
    // Side by side: [h, n * w, 3].
    let rows = images.clone().permute([2, 0, 3, 1]).reshape([h, n * w * 3]);
    let values = rows.try_into_vec_as::<f32>().expect("images hold f32");
    let bytes: Vec<u8> = values.iter().map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
    let side = |pixels: usize| u32::try_from(pixels).map_err(|_| png::EncodingError::LimitsExceeded);
    let mut encoder = png::Encoder::new(to, side(n * w)?, side(h)?);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    if let Some(run) = description {
        let text = serde_json::to_string(run).expect("a run is plain data");
        encoder.add_itxt_chunk(KEYWORD.into(), text)?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bytes)?;
    writer.finish()
}

/// The description of the run that made a picture.
///
/// # Errors
/// [`Error::Unreadable`] for a file that is no PNG or whose description cannot be understood,
/// [`Error::NoDescription`] for a PNG without one.
pub fn description(path: &Path) -> Result<Run, Error> {
    let unreadable = |reason: String| Error::Unreadable { path: path.to_owned(), reason };
    let file = fs::File::open(path).map_err(|error| unreadable(reason(&error, "file")))?;
    let mut reader =
        png::Decoder::new(BufReader::new(file)).read_info().map_err(|error| unreadable(format!("no PNG ({error})")))?;
    let found = |reader: &png::Reader<_>| {
        let text = reader.info().utf8_text.iter().find(|text| text.keyword == KEYWORD)?;
        text.get_text().ok()
    };
    let text = found(&reader).or_else(|| {
        // Text may also stand behind the image.
        reader.finish().ok()?;
        found(&reader)
    });
    let text = text.ok_or_else(|| Error::NoDescription { path: path.to_owned() })?;
    serde_json::from_str(&text).map_err(|error| unreadable(format!("its description is not understood ({error})")))
}
