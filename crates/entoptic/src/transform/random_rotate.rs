use burn::tensor::Tensor;

use super::{
    Change, Choice, Part, Transform,
    geometry::Geometry,
    rotate::{Rotation, rotate, rotate_bilinear},
};
use crate::{
    Error,
    chance::Rng,
    notation::{Argument, Call, Entry, Value},
};

pub(super) const ENTRY: Entry<Transform> = Entry {
    name: "rotate",
    usage: "rotate(degrees, nearest or bilinear)",
    about: "Rotates counterclockwise about the center by one of some angles in degrees.",
    example: "rotate(-10..10)",
    read: |arguments| {
        let degrees = arguments.required("degrees")?;
        let sampling = arguments.optional("sampling")?.unwrap_or(Sampling::Nearest);
        Ok(Part::RandomRotate(RandomRotate { degrees, sampling }).into())
    },
};

/// Rotates counterclockwise about the center by one of some angles in degrees.
///
/// It draws the angle; see [`rotate`] for how images are rotated.
///
/// Lucid converts degrees with 3.14 for π; here π is π.
///
/// ```
/// use entoptic::transform::random_rotate;
///
/// assert_eq!(random_rotate(-10.0..=10.0).to_string(), "rotate(-10..10)");
/// ```
///
/// # Reference
/// `transform.random_rotate` in Lucid, which has lists only.
pub fn random_rotate(degrees: impl Into<Choice>) -> Transform {
    Part::RandomRotate(RandomRotate { degrees: degrees.into(), sampling: Sampling::Nearest }).into()
}

/// As [`random_rotate`], between the pixels and with the true gradient; see [`rotate_bilinear`].
///
/// ```
/// use entoptic::transform::random_rotate_bilinear;
///
/// assert_eq!(random_rotate_bilinear(-10.0..=10.0).to_string(), "rotate(-10..10, bilinear)");
/// ```
pub fn random_rotate_bilinear(degrees: impl Into<Choice>) -> Transform {
    Part::RandomRotate(RandomRotate { degrees: degrees.into(), sampling: Sampling::Bilinear }).into()
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct RandomRotate {
    degrees: Choice,
    sampling: Sampling,
}

/// Which pixels a pixel is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sampling {
    Nearest,
    Bilinear,
}

impl RandomRotate {
    fn radians(&self, rng: &mut Rng) -> f32 {
        self.degrees.draw(rng).to_radians() as f32
    }
}

impl Change for RandomRotate {
    fn geometry(&self, size: [usize; 2], rng: &mut Rng) -> Option<Geometry> {
        (self.sampling == Sampling::Nearest).then(|| Geometry::Rotation(Rotation::new(size, self.radians(rng))))
    }

    fn apply(&self, images: Tensor<4>, rng: &mut Rng) -> Tensor<4> {
        let radians = self.radians(rng);
        match self.sampling {
            Sampling::Nearest => rotate(images, radians),
            Sampling::Bilinear => rotate_bilinear(images, radians),
        }
    }

    fn check(&self, _images: [usize; 4]) -> Result<(), Error> {
        self.degrees.check("the list of angles")
    }

    fn write(&self) -> Call {
        let call = Call::new(ENTRY.name).argument(&self.degrees);
        match self.sampling {
            Sampling::Nearest => call,
            Sampling::Bilinear => call.argument(&self.sampling),
        }
    }
}

impl Argument for Sampling {
    const FORM: &'static str = "`nearest` or `bilinear`";

    fn from_value(value: Value) -> Option<Self> {
        match String::from_value(value)?.as_str() {
            "nearest" => Some(Self::Nearest),
            "bilinear" => Some(Self::Bilinear),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        let name = match self {
            Self::Nearest => "nearest",
            Self::Bilinear => "bilinear",
        };
        Value::Name(name.into())
    }
}
