//! Pictures in the terminal.

mod blocks;
mod iterm2;
mod kitty;
mod protocol;
mod sixel;

use std::{
    io::{IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use burn::tensor::{Device, Tensor};
use entoptic::{
    Array,
    array::{self, Stored},
    picture,
};

use self::protocol::Cells;
pub use self::protocol::Protocol;
use crate::{
    args::{Channels, Domain, ShowArgs},
    failure::Failure,
};

pub fn run(args: &ShowArgs) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout().lock();
    let protocol = match args.protocol {
        Some(protocol) => Some(protocol),
        None => out.is_terminal().then(|| Protocol::of(|name| std::env::var(name).ok())),
    };
    for file in &args.files {
        let pictures = if array::is_array(file) { arrays(args, file)? } else { vec![photo(file)?] };
        for Picture { about, images } in pictures {
            let Some(protocol) = protocol else {
                writeln!(out, "{}: {about}", file.display())?;
                continue;
            };
            draw(&mut out, &side_by_side(images), protocol, args.width)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What a file holds, in words and as images.
struct Picture {
    about: String,
    /// `[n, c, h, w]`, `c` being 1, 3 or 4.
    images: Tensor<4>,
}

fn photo(file: &Path) -> Result<Picture, Failure> {
    let picture::About { format, size: [h, w], colors } = picture::about(file)?;
    let images = picture::load_rgba(file, &Device::flex())?;
    Ok(Picture { about: format!("{format}, {h}x{w}, {colors}"), images })
}

fn arrays(args: &ShowArgs, file: &Path) -> Result<Vec<Picture>, Failure> {
    let arrays = array::load_stored(file)?;
    if arrays.is_empty() {
        return Err(Failure::message(format!("{} holds no arrays", file.display())));
    }
    let named = arrays.len() > 1;
    let (mut pictures, mut failure) = (Vec::new(), None);
    for (name, stored) in &arrays {
        let what = if named { format!("array `{name}`") } else { "array".to_owned() };
        match images_of(args, stored) {
            Ok(images) => pictures.push(Picture { about: format!("{what}, {}", about(&stored.array)), images }),
            // A file with a picture or more may hold other numbers, too.
            Err(error) => {
                let of = if named { format!(", {what}") } else { String::new() };
                failure.get_or_insert(format!("cannot show {}{of}: {error}", file.display()));
            }
        }
    }
    match failure {
        Some(failure) if pictures.is_empty() => Err(Failure::message(failure)),
        _ => Ok(pictures),
    }
}

/// Shape and range.
fn about(array: &Array) -> String {
    let shape: Vec<String> = array.shape.iter().map(usize::to_string).collect();
    let extreme = |of: fn(f32, f32) -> f32| array.values.iter().copied().reduce(of).expect("a picture has values");
    format!("{}, {} to {}", shape.join("x"), extreme(f32::min), extreme(f32::max))
}

fn images_of(args: &ShowArgs, stored: &Stored) -> Result<Tensor<4>, entoptic::Error> {
    let channels = match args.channels {
        None => picture::Channels::Guess,
        Some(Channels::First) => picture::Channels::First,
        Some(Channels::Last) => picture::Channels::Last,
    };
    let domain = match args.domain {
        None => Some(stored.kind.domain()),
        Some(Domain::Range(range)) => Some(range),
        Some(Domain::Measured) => None,
    };
    picture::from_array(&stored.array, channels, domain, &Device::flex())
}

/// White pixels between images of a batch.
const MARGIN: usize = 2;

/// A batch as one image: `[1, c, h, w]`.
fn side_by_side(images: Tensor<4>) -> Tensor<4> {
    let [n, _, _, _] = images.dims();
    picture::grid(&images, n, MARGIN).expect("a batch has images")
}

fn draw(out: &mut impl Write, image: &Tensor<4>, protocol: Protocol, width: Option<usize>) -> Result<(), Failure> {
    let [_, _, h, w] = image.dims();
    let cells = Cells::of_terminal();
    let [rows, columns] = cells.fit([h, w], width, protocol);
    match protocol {
        Protocol::Kitty => kitty::draw(out, &picture::to_png(image), [rows, columns])?,
        Protocol::Iterm2 => iterm2::draw(out, &picture::to_png(image), columns)?,
        Protocol::Sixel => {
            let [cell_h, cell_w] = cells.pixels;
            sixel::draw(out, &rgb(image, [rows * cell_h, columns * cell_w])?)?;
        }
        Protocol::Truecolor | Protocol::Colors256 | Protocol::Shades => {
            let depth = protocol.depth().expect("blocks have a depth");
            // Two pixels above each other in a cell.
            blocks::draw(out, &rgb(image, [2 * rows, columns])?, depth)?;
        }
    }
    Ok(())
}

/// An image as terminals draw it themselves: rows of RGB.
struct Rows {
    width: usize,
    pixels: Vec<[u8; 3]>,
}

impl Rows {
    fn each(&self) -> std::slice::ChunksExact<'_, [u8; 3]> {
        self.pixels.chunks_exact(self.width)
    }
}

/// Squares of so many pixels have edges sharp enough.
const LARGEST_SQUARE: usize = 32;

fn rgb(image: &Tensor<4>, size: [usize; 2]) -> Result<Rows, Failure> {
    let image = match image.dims()[1] {
        1 => image.clone().repeat_dim(1, 3),
        3 => image.clone(),
        _ => picture::on_white(image.clone()),
    };
    let [_, _, h, w] = image.dims();
    // Few pixels stay squares when they are made larger.
    let factor = (size[0] / h).min(size[1] / w).clamp(1, LARGEST_SQUARE);
    let larger = image.reshape([1, 3, h, 1, w, 1]).repeat(&[1, 1, 1, factor, 1, factor]);
    let image = picture::resize(&larger.reshape([1, 3, h * factor, w * factor]), size)?;
    let values: Vec<f32> = image.permute([0, 2, 3, 1]).try_into_vec_as().expect("images are f32");
    let bytes = values.into_iter().map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8).collect::<Vec<_>>();
    Ok(Rows { width: size[1], pixels: bytes.as_chunks().0.to_vec() })
}
