use burn::tensor::Tensor;
use rand::RngExt;

use super::{Change, Part, Transform};
use crate::{
    chance::Rng,
    notation::{Call, Entry},
};

pub(super) const ENTRY: Entry<Transform> = Entry {
    name: "flip",
    usage: "flip",
    about: "Mirrors left and right, every other time on average.",
    example: "flip",
    read: |_| Ok(flip()),
};

/// Mirrors left and right, every other time on average.
///
/// It draws whether to. Text and whatever else has a handedness does not survive it.
///
/// ```
/// use entoptic::transform::flip;
///
/// assert_eq!(flip().smallest([128, 96]), [128, 96]);
/// ```
pub fn flip() -> Transform {
    Part::Flip(Flip).into()
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Flip;

impl Change for Flip {
    fn apply(&self, images: Tensor<4>, rng: &mut Rng) -> Tensor<4> {
        match rng.random::<bool>() {
            true => images.flip([3]),
            false => images,
        }
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name)
    }
}
