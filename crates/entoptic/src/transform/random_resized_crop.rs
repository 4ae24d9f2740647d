use burn::tensor::Tensor;
use rand::RngExt;

use super::{
    Change, Choice, Part, Transform,
    geometry::{self, Geometry},
};
use crate::{
    Error,
    band::{Band, Resampling},
    chance::Rng,
    notation::{Argument, Call, Entry},
};

pub(super) const ENTRY: Entry<Transform> = Entry {
    name: "random_resized_crop",
    usage: "random_resized_crop(sides, [height, width])",
    about: "Crops to a fraction of each side at a random place, resized to one size.",
    example: "random_resized_crop(0.2..0.6, [224, 224])",
    read: |arguments| Ok(random_resized_crop(arguments.required::<Choice>("sides")?, arguments.required("size")?)),
};

/// Crops to a fraction of each side at a random place, resized to one size.
///
/// It draws one of `sides`, then how far down and how far right the crop starts: two numbers in `0..1`, fractions of
/// the way it can go. See [`resized_crop`] for how it is resized.
///
/// ```
/// use entoptic::transform::random_resized_crop;
///
/// assert_eq!(random_resized_crop(0.2..=0.6, [224, 224]).smallest([512, 512]), [224, 224]);
/// ```
///
/// # Reference
/// [MACO](https://arxiv.org/abs/2306.06805), Fel et al., 2023. There the crop's center is drawn from a normal
/// distribution and what lies outside of the image is black; here crops lie within the image, each place as likely.
pub fn random_resized_crop(sides: impl Into<Choice>, size: [usize; 2]) -> Transform {
    Part::RandomResizedCrop(RandomResizedCrop { sides: sides.into(), size }).into()
}

/// The part of images that starts `start` `[y, x]` pixels from the top left corner and is `extent` `[h, w]` pixels
/// large, resized to `size` `[h, w]`: neither need be whole pixels.
///
/// Bilinear between the centers of pixels; beyond the outermost centers the image goes on as it ends.
///
/// # Shapes
/// - images: `[n, c, h', w']`
/// - value: `[n, c, h, w]`
pub fn resized_crop(images: Tensor<4>, start: [f64; 2], extent: [f64; 2], size: [usize; 2]) -> Tensor<4> {
    let [_, _, h, w] = images.dims();
    geometry::apply(vec![resized([h, w], start, extent, size)], images)
}

fn resized(from: [usize; 2], start: [f64; 2], extent: [f64; 2], to: [usize; 2]) -> Geometry {
    let bands = [0, 1].map(|axis| {
        let place = |i: usize| start[axis] + (i as f64 + 0.5) * extent[axis] / to[axis] as f64 - 0.5;
        Some(Band::linear(from[axis], to[axis], place))
    });
    Geometry::Resampling(Resampling::new(from, bands).into())
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct RandomResizedCrop {
    /// In `0..=1`, of each side.
    sides: Choice,
    size: [usize; 2],
}

impl Change for RandomResizedCrop {
    fn geometry(&self, size @ [h, w]: [usize; 2], rng: &mut Rng) -> Option<Geometry> {
        let side = self.sides.draw(rng);
        let extent = size.map(|whole| side * whole as f64);
        let start = [h as f64 - extent[0], w as f64 - extent[1]].map(|room| rng.random::<f64>() * room);
        Some(resized(size, start, extent, self.size))
    }

    fn sizes(&self, _size: [usize; 2]) -> [[usize; 2]; 2] {
        [self.size; 2]
    }

    fn check(&self, _images: [usize; 4]) -> Result<(), Error> {
        self.sides.check("the list of sides")?;
        let [smallest, largest] = self.sides.ends();
        if smallest <= 0.0 || largest > 1.0 {
            return Err(Error::out_of_range(
                "the side of a crop",
                self.sides.to_value(),
                "it is above 0 and at most 1, the image's",
            ));
        }
        match self.size.contains(&0) {
            true => Err(Error::out_of_range("the size of a crop", 0, "it is one pixel or more")),
            false => Ok(()),
        }
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.sides).argument(&self.size)
    }
}
