use burn::tensor::{Int, Tensor, TensorData, ops};
use serde::{Deserialize, Serialize};

/// What the pixels added around an image hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PadMode {
    /// The image mirrored at its outermost pixels, which are not repeated.
    Reflect,
    /// The image mirrored at its edge: the outermost pixels are repeated.
    Symmetric,
    /// This value.
    Constant(f32),
    /// One gray in `0..1`, drawn at each step.
    Uniform,
}

impl PadMode {
    /// Whether an image of `size` has enough to mirror.
    pub(super) fn fits(self, width: usize, [h, w]: [usize; 2]) -> bool {
        match self {
            Self::Reflect => width < h.min(w),
            Self::Symmetric => width <= h.min(w),
            Self::Constant(_) | Self::Uniform => true,
        }
    }
}

/// Adds `width` pixels on each side.
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - value: `[n, c, h + 2 width, w + 2 width]`
///
/// # Panics
/// If there is not enough to mirror; if `mode` is [`PadMode::Uniform`], for which a transform draws a constant.
pub fn pad(images: Tensor<4>, width: usize, mode: PadMode) -> Tensor<4> {
    let [_, _, h, w] = images.dims();
    assert!(mode.fits(width, [h, w]), "an image of {h}x{w} cannot be mirrored {width} pixels wide");
    let repeated = match mode {
        PadMode::Constant(value) => {
            return images.pad((width, width, width, width), ops::PadMode::Constant(value));
        }
        PadMode::Uniform => panic!("a uniform gray is drawn before it is padded with"),
        PadMode::Reflect => 0,
        PadMode::Symmetric => 1,
    };
    let mirrored = |side: usize| -> Vec<i64> {
        let before = (0..width).rev().map(|i| i + 1 - repeated);
        let after = (0..width).map(|i| side - 2 + repeated - i);
        before.chain(0..side).chain(after).map(|i| i as i64).collect()
    };
    let device = images.device().without_autodiff();
    let select = |images: Tensor<4>, axis: usize, side: usize| {
        let indices = mirrored(side);
        let count = indices.len();
        images.select(axis, Tensor::<1, Int>::from_data(TensorData::new(indices, [count]), &device))
    };
    select(select(images, 2, h), 3, w)
}
