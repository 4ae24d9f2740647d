use burn::tensor::{Tensor, TensorData};
use rand_distr::{Distribution, StandardNormal};

use super::{Change, Part, Transform, check_amount};
use crate::{
    Error,
    chance::Rng,
    notation::{Call, Entry},
};

pub(super) const ENTRY: Entry<Transform> = Entry {
    name: "noise",
    usage: "noise(sd)",
    about: "Adds normal noise of some standard deviation to every number.",
    example: "noise(0.1)",
    read: |arguments| Ok(noise(arguments.required("sd")?)),
};

/// Adds normal noise of some standard deviation to every number.
///
/// It draws one number for each of `[n, c, h, w]`, in that order, so that images of a batch differ. The noisy images
/// are not clipped to `0..=1`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::{
///     chance::{Purpose, draws},
///     transform::noise,
/// };
///
/// let gray = Tensor::<4>::full([1, 3, 32, 32], 0.5, &Device::flex());
/// let noisy = noise(0.1).apply(gray, &mut draws(0, Purpose::Transforms));
/// assert!((noisy.var(3).mean().into_scalar::<f32>().sqrt() - 0.1).abs() < 0.01);
/// ```
///
/// # Reference
/// [MACO](https://arxiv.org/abs/2306.06805), Fel et al., 2023, adds such noise to its crops.
pub fn noise(sd: f64) -> Transform {
    Part::Noise(Noise { sd }).into()
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Noise {
    sd: f64,
}

impl Change for Noise {
    fn apply(&self, images: Tensor<4>, rng: &mut Rng) -> Tensor<4> {
        let shape = images.shape();
        let noise: Vec<f32> = StandardNormal.sample_iter(rng).take(shape.num_elements()).collect();
        let noise = Tensor::<4>::from_data(TensorData::new(noise, shape), &images.device());
        images + noise * self.sd
    }

    fn check(&self, _images: [usize; 4]) -> Result<(), Error> {
        check_amount("the noise's standard deviation", self.sd)
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.sd)
    }
}
