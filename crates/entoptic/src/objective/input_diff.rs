use burn::tensor::Tensor;

use super::{Given, INPUT, Objective, Step, measure::Measure, root::root};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// Root of the mean squared difference between the images and a given one.
///
/// The given image is `[3, h, w]` or `[n, 3, h, w]`, of the size of the images.
///
/// **Sign**: positive, a penalty to subtract.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::objective::{channel, input_diff};
///
/// let photo = Tensor::<4>::zeros([1, 3, 64, 64], &Device::flex());
/// let near_the_photo = channel("fire5", 20) - 10.0 * input_diff(&photo);
/// ```
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::WrongShape`] if the given image has another size or other channels, or is neither one
/// nor one for each image; [`Error::NotLoaded`] for a file that [`Objective::load`] did not read.
///
/// # Reference
/// `objectives.input_diff` in Lucid.
pub fn input_diff(image: impl Into<Given>) -> Objective {
    Objective::of(InputDiff { image: image.into() })
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "input_diff",
    usage: "input_diff(image)",
    about: "Root of the mean squared difference between the images and a given one.",
    example: "fire5:20 - 10*input_diff(\"photo.png\")",
    read: |arguments| Ok(input_diff(arguments.required::<Given>("image")?)),
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct InputDiff {
    image: Given,
}

impl Measure for InputDiff {
    fn layers(&self) -> Vec<&str> {
        vec![INPUT]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let (images, given) = (step.map(INPUT)?, self.image.tensor(step)?);
        let ([n, c, h, w], found @ [m, ..]) = (images.dims(), given.dims());
        if found[1..] != [c, h, w] || (m != 1 && m != n) {
            return Err(Error::shape("the given image", &found, &format!("is [{c}, {h}, {w}], as the images are")));
        }
        Ok(root((images - given).powi_scalar(2).mean()))
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name).argument(&self.image)
    }

    fn given(&self) -> Vec<&Given> {
        vec![&self.image]
    }

    fn given_mut(&mut self) -> Vec<&mut Given> {
        vec![&mut self.image]
    }
}
