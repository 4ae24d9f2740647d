use rand::RngExt;

use super::{Change, Part, Transform, geometry::Geometry, window::Window};
use crate::{
    Error,
    chance::Rng,
    notation::{Call, Entry},
};

pub(super) const ENTRY: Entry<Transform> = Entry {
    name: "jitter",
    usage: "jitter(pixels)",
    about: "Crops to some pixels less in height and width, at a random place.",
    example: "jitter(8)",
    read: |arguments| Ok(jitter(arguments.required("pixels")?)),
};

/// Crops to some pixels less in height and width, at a random place.
///
/// It draws two whole numbers in `0..=pixels`: how far down the crop starts, and how far right.
///
/// ```
/// use entoptic::transform::jitter;
///
/// assert_eq!(jitter(8).smallest([128, 96]), [120, 88]);
/// ```
///
/// # Reference
/// `transform.jitter` in Lucid.
pub fn jitter(pixels: usize) -> Transform {
    Part::Jitter(Jitter { pixels }).into()
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Jitter {
    pixels: usize,
}

impl Change for Jitter {
    fn geometry(&self, size: [usize; 2], rng: &mut Rng) -> Option<Geometry> {
        let offset = [rng.random_range(0..=self.pixels), rng.random_range(0..=self.pixels)];
        let to = size.map(|side| side - self.pixels);
        Some(Geometry::Window(Window::new(size, offset.map(usize::cast_signed), to, 0.0)))
    }

    fn sizes(&self, size: [usize; 2]) -> [[usize; 2]; 2] {
        [size.map(|side| side.saturating_sub(self.pixels)); 2]
    }

    fn check(&self, [_, _, h, w]: [usize; 4]) -> Result<(), Error> {
        match self.pixels < h.min(w) {
            true => Ok(()),
            false => Err(Error::out_of_range("the jitter", self.pixels, "it is less than the image's side")),
        }
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.pixels)
    }
}
