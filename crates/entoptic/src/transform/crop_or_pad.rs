use burn::tensor::Tensor;

use super::{
    Change, Part, Transform,
    geometry::{self, Geometry},
    window::Window,
};
use crate::{
    Error,
    chance::Rng,
    notation::{Call, Entry},
};

pub(super) const ENTRY: Entry<Transform> = Entry {
    name: "crop_or_pad_to",
    usage: "crop_or_pad_to([height, width])",
    about: "Crops or pads with zeros to one size, about the center.",
    example: "crop_or_pad_to([224, 224])",
    read: |arguments| Ok(crop_or_pad_to(arguments.required("size")?)),
};

/// Crops or pads with zeros to one size, about the center.
///
/// It draws nothing; see [`crop_or_pad`].
///
/// ```
/// use entoptic::transform::crop_or_pad_to;
///
/// assert_eq!(crop_or_pad_to([224, 224]).smallest([128, 300]), [224, 224]);
/// ```
///
/// # Reference
/// `transform.crop_or_pad_to` in Lucid, which takes height and width.
pub fn crop_or_pad_to(size: [usize; 2]) -> Transform {
    Part::CropOrPad(CropOrPad { size }).into()
}

/// Crops or pads with zeros to `size` `[h, w]`, each axis on its own; of an odd difference the larger part is at the
/// bottom and at the right.
///
/// # Shapes
/// - images: `[n, c, h', w']`
/// - value: `[n, c, h, w]`
///
/// # Reference
/// `tf.image.resize_image_with_crop_or_pad`.
pub fn crop_or_pad(images: Tensor<4>, to: [usize; 2]) -> Tensor<4> {
    let [_, _, h, w] = images.dims();
    geometry::apply(vec![central([h, w], to)], images)
}

fn central(size: [usize; 2], to: [usize; 2]) -> Geometry {
    let start = [0, 1].map(|axis| match size[axis] >= to[axis] {
        true => ((size[axis] - to[axis]) / 2).cast_signed(),
        false => -((to[axis] - size[axis]) / 2).cast_signed(),
    });
    Geometry::Window(Window::new(size, start, to, 0.0))
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct CropOrPad {
    size: [usize; 2],
}

impl Change for CropOrPad {
    fn geometry(&self, size: [usize; 2], _rng: &mut Rng) -> Option<Geometry> {
        Some(central(size, self.size))
    }

    fn sizes(&self, _size: [usize; 2]) -> [[usize; 2]; 2] {
        [self.size; 2]
    }

    fn check(&self, _images: [usize; 4]) -> Result<(), Error> {
        match self.size.contains(&0) {
            true => Err(Error::out_of_range("the size to crop or pad to", 0, "it is one pixel or more")),
            false => Ok(()),
        }
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.size)
    }
}
