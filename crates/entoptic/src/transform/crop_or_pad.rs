use burn::tensor::{Tensor, ops};

use super::{Change, Part, Transform, crop};
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
pub fn crop_or_pad(images: Tensor<4>, [to_h, to_w]: [usize; 2]) -> Tensor<4> {
    let [_, _, h, w] = images.dims();
    let too_much = |side: usize, to: usize| side.saturating_sub(to) / 2;
    let images = crop(images, [too_much(h, to_h), too_much(w, to_w)], [h.min(to_h), w.min(to_w)]);
    let missing = |side: usize, to: usize| {
        let missing = to.saturating_sub(side);
        (missing / 2, missing - missing / 2)
    };
    let ((top, bottom), (left, right)) = (missing(h, to_h), missing(w, to_w));
    match top + bottom + left + right {
        0 => images,
        _ => images.pad((left, right, top, bottom), ops::PadMode::Constant(0.0)),
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct CropOrPad {
    size: [usize; 2],
}

impl Change for CropOrPad {
    fn apply(&self, images: Tensor<4>, _rng: &mut Rng) -> Tensor<4> {
        crop_or_pad(images, self.size)
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
