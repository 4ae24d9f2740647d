use burn::tensor::{Int, Tensor, TensorData};
use rand::RngExt;

use super::{
    Change, Part, Transform,
    geometry::{self, Geometry},
    window::Window,
};
use crate::{
    Error,
    chance::Rng,
    notation::{Argument, Call, Entry, Value},
};

pub(super) const ENTRY: Entry<Transform> = Entry {
    name: "pad",
    usage: "pad(width, gray or uniform or reflect or symmetric)",
    about: "Adds some pixels on each side.",
    example: "pad(12, 0.5)",
    read: |arguments| {
        let width = arguments.required("width")?;
        // Mirrored by default, as in Lucid.
        Ok(pad(width, arguments.optional("mode")?.unwrap_or(PadMode::Reflect)))
    },
};

/// Adds some pixels on each side.
///
/// It draws nothing, or the gray of [`PadMode::Uniform`].
///
/// ```
/// use entoptic::transform::{PadMode, pad};
///
/// assert_eq!(pad(12, PadMode::Constant(0.5)).to_string(), "pad(12, 0.5)");
/// assert_eq!(pad(12, PadMode::Reflect).smallest([128, 96]), [152, 120]);
/// ```
///
/// # Reference
/// `transform.pad` in Lucid.
pub fn pad(width: usize, mode: PadMode) -> Transform {
    Part::Pad(Pad { width, mode }).into()
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pad {
    width: usize,
    mode: PadMode,
}

/// What the pixels added around an image hold.
#[derive(Debug, Clone, Copy, PartialEq)]
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

impl Change for Pad {
    fn geometry(&self, size: [usize; 2], rng: &mut Rng) -> Option<Geometry> {
        match self.mode {
            PadMode::Constant(gray) => Some(padding(size, self.width, gray)),
            PadMode::Uniform => Some(padding(size, self.width, rng.random())),
            PadMode::Reflect | PadMode::Symmetric => None,
        }
    }

    fn apply(&self, images: Tensor<4>, _rng: &mut Rng) -> Tensor<4> {
        pad_image(images, self.width, self.mode)
    }

    fn sizes(&self, size: [usize; 2]) -> [[usize; 2]; 2] {
        [size.map(|side| side.saturating_add(self.width.saturating_mul(2))); 2]
    }

    fn check(&self, [_, _, h, w]: [usize; 4]) -> Result<(), Error> {
        match self.mode {
            PadMode::Constant(gray) if !gray.is_finite() => {
                Err(Error::out_of_range("the gray of a padding", gray, "it is a number"))
            }
            mode if !mode.fits(self.width, [h, w]) => {
                Err(Error::out_of_range("the padding", self.width, "it mirrors at most what the image holds"))
            }
            _ => Ok(()),
        }
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.width).argument(&self.mode)
    }
}

impl Argument for PadMode {
    const FORM: &'static str = "a gray, `uniform`, `reflect` or `symmetric`";

    fn from_value(value: Value) -> Option<Self> {
        let Value::Name(name) = value else {
            return f32::from_value(value).map(Self::Constant);
        };
        match name.as_str() {
            "reflect" => Some(Self::Reflect),
            "symmetric" => Some(Self::Symmetric),
            "uniform" => Some(Self::Uniform),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        let name = match self {
            Self::Constant(gray) => return gray.to_value(),
            Self::Reflect => "reflect",
            Self::Symmetric => "symmetric",
            Self::Uniform => "uniform",
        };
        Value::Name(name.into())
    }
}

impl PadMode {
    /// Whether an image of `size` has enough to mirror.
    fn fits(self, width: usize, [h, w]: [usize; 2]) -> bool {
        match self {
            Self::Reflect => width < h.min(w),
            Self::Symmetric => width <= h.min(w),
            Self::Constant(_) | Self::Uniform => true,
        }
    }
}

fn padding(size: [usize; 2], width: usize, gray: f32) -> Geometry {
    let to = size.map(|side| side + 2 * width);
    Geometry::Window(Window::new(size, [-width.cast_signed(); 2], to, gray))
}

/// Adds `width` pixels on each side.
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - value: `[n, c, h + 2 width, w + 2 width]`
///
/// # Panics
/// If there is not enough to mirror; if `mode` is [`PadMode::Uniform`], for which a transform draws a constant.
pub fn pad_image(images: Tensor<4>, width: usize, mode: PadMode) -> Tensor<4> {
    let [_, _, h, w] = images.dims();
    assert!(mode.fits(width, [h, w]), "an image of {h}x{w} cannot be mirrored {width} pixels wide");
    let repeated = match mode {
        PadMode::Constant(value) => {
            return geometry::apply(vec![padding([h, w], width, value)], images);
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
