use super::{
    Change, Choice, Part, Transform,
    geometry::Geometry,
    scale::{scaled, scaling},
};
use crate::{
    Error,
    chance::Rng,
    notation::{Argument, Call, Entry},
};

pub(super) const ENTRY: Entry<Transform> = Entry {
    name: "scale",
    usage: "scale(factors)",
    about: "Resizes by one of some factors.",
    example: "scale(0.9..1.1)",
    read: |arguments| Ok(random_scale(arguments.required::<Choice>("factors")?)),
};

/// Resizes by one of some factors.
///
/// It draws the factor; see [`scale()`](fn@super::scale) for how images are resized, and [`scaled`] for their size.
///
/// ```
/// use entoptic::transform::random_scale;
///
/// assert_eq!(random_scale([0.9, 1.1]).smallest([128, 128]), [115, 115]);
/// assert_eq!(random_scale(0.5..=2.0).smallest([128, 128]), [64, 64]);
/// ```
///
/// # Reference
/// `transform.random_scale` in Lucid, which has lists only.
pub fn random_scale(factors: impl Into<Choice>) -> Transform {
    Part::RandomScale(RandomScale { factors: factors.into() }).into()
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct RandomScale {
    factors: Choice,
}

impl Change for RandomScale {
    fn geometry(&self, size: [usize; 2], rng: &mut Rng) -> Option<Geometry> {
        Some(scaling(size, self.factors.draw(rng) as f32))
    }

    fn sizes(&self, size: [usize; 2]) -> [[usize; 2]; 2] {
        self.factors.ends().map(|factor| scaled(size, factor as f32))
    }

    fn check(&self, [_, _, h, w]: [usize; 4]) -> Result<(), Error> {
        self.factors.check("the list of scales")?;
        match self.sizes([h, w])[0].contains(&0) {
            true => Err(Error::out_of_range("a scale", self.factors.to_value(), "it leaves one pixel or more")),
            false => Ok(()),
        }
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.factors)
    }
}
