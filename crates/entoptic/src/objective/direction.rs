//! Directions in activation space, rather than single channels.

use burn::tensor::Tensor;
use entoptic_network::Wanted;

use super::{Given, Objective, Step, measure::Measure, root::root};
use crate::{
    Error,
    notation::{Arguments, Call, Entry, Parsed},
};

/// Dot product of a layer's activations with a direction, mean over images and positions.
///
/// With `cossim_pow` above 0 it is multiplied by that power of the cosine of the angle between them, which asks for
/// the direction rather than for length; the cosine counts as 0.1 where it is less.
///
/// A direction is numbers `[c]`; or `[n, c]`, one for each image; or a [`Param`](crate::param::Param)
/// `[n, c, 1, 1]`, whose value is taken at each step.
///
/// ```
/// use entoptic::objective::{Objective, direction};
///
/// let objective = direction("conv1", [0.5, -1.0, 2.0], 0.0);
/// assert_eq!("direction(conv1, [0.5, -1, 2])".parse::<Objective>()?, objective);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::WrongShape`] unless the direction is `[c]` or `[n, c]`; [`Error::NotLoaded`] for a
/// file that [`Objective::load`] did not read.
///
/// # Reference
/// [The Building Blocks of Interpretability](https://distill.pub/2018/building-blocks), Olah et al., 2018;
/// `objectives.direction` in Lucid.
pub fn direction(layer: impl Into<String>, direction: impl Into<Given>, cossim_pow: f64) -> Objective {
    Objective::of(Direction { layer: layer.into(), given: direction.into(), cossim_pow, place: Place::Everywhere })
}

/// Dot product of the activations at a position, the center if none is given, with a direction; mean over images.
///
/// The center is `[h / 2, w / 2]`; [`direction_neuron_at`] gives another position. Direction and `cossim_pow` are as
/// for [`direction`](fn@direction).
///
/// ```
/// use entoptic::objective::{Objective, direction_neuron};
///
/// let objective = direction_neuron("conv1", [0.5, -1.0], 2.0);
/// assert_eq!("direction_neuron(conv1, [0.5, -1], cossim_pow=2)".parse::<Objective>()?, objective);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::WrongShape`] unless the direction is `[c]` or `[n, c]`; [`Error::NotLoaded`] for a
/// file that [`Objective::load`] did not read.
///
/// # Reference
/// `objectives.direction_neuron` in Lucid.
pub fn direction_neuron(layer: impl Into<String>, direction: impl Into<Given>, cossim_pow: f64) -> Objective {
    Objective::of(Direction { layer: layer.into(), given: direction.into(), cossim_pow, place: Place::Position(None) })
}

/// Dot product of the activations at `position` `[y, x]` with a direction, mean over images.
///
/// ```
/// use entoptic::objective::{Objective, direction_neuron_at};
///
/// let objective = direction_neuron_at("conv1", [0.5, -1.0], [3, 4], 2.0);
/// assert_eq!("direction_neuron(conv1, [0.5, -1], [3, 4], cossim_pow=2)".parse::<Objective>()?, objective);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::NoSuchPosition`] if `position` is not inside `[h, w]`; what [`direction_neuron`]
/// finds.
///
/// # Reference
/// `objectives.direction_neuron` in Lucid, whose `x` is our `y`: it counts rows.
pub fn direction_neuron_at(
    layer: impl Into<String>,
    direction: impl Into<Given>,
    position: [usize; 2],
    cossim_pow: f64,
) -> Objective {
    let place = Place::Position(Some(position));
    Objective::of(Direction { layer: layer.into(), given: direction.into(), cossim_pow, place })
}

/// Dot product of the activations in the middle of a layer with a whole tensor of them, mean over images and positions.
///
/// The tensor is numbers `[c, h, w]` or `[n, c, h, w]`, no larger than the layer; `cossim_pow` is as for
/// [`direction`](fn@direction).
///
/// ```
/// use entoptic::{array::Array, objective::{Objective, tensor_direction}};
///
/// let tensor = Array { shape: vec![2, 1, 2], values: vec![1.0, 2.0, 3.0, 4.0] };
/// let objective = tensor_direction("conv1", tensor, 0.0);
/// assert_eq!("tensor_direction(conv1, [[[1, 2]], [[3, 4]]])".parse::<Objective>()?, objective);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h', w']`
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::WrongShape`] if the tensor has other channels than the layer, is larger, or is
/// neither one nor one for each image; [`Error::NotLoaded`] for a file that [`Objective::load`] did not read.
///
/// # Reference
/// `objectives.tensor_direction` in Lucid.
pub fn tensor_direction(layer: impl Into<String>, tensor: impl Into<Given>, cossim_pow: f64) -> Objective {
    Objective::of(Direction { layer: layer.into(), given: tensor.into(), cossim_pow, place: Place::Middle })
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "direction",
    usage: "direction(layer, direction, cossim_pow=0)",
    about: "Dot product of a layer's activations with a direction, mean over images and positions.",
    example: "direction(fire2/squeeze1x1, [1, 0, -0.5, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])",
    read: |arguments| {
        let (layer, given) = layer_and_direction(arguments)?;
        Ok(direction(layer, given, cossim_pow(arguments)?))
    },
};

pub(super) const NEURON_ENTRY: Entry<Objective> = Entry {
    name: "direction_neuron",
    usage: "direction_neuron(layer, direction, position=[y, x], cossim_pow=0)",
    about: "Dot product of the activations at a position, the center if none is given, with a direction; mean over images.",
    example: "direction_neuron(fire2/squeeze1x1, [1, 0, -0.5, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [3, 4])",
    read: |arguments| {
        let (layer, given) = layer_and_direction(arguments)?;
        Ok(match arguments.optional("position")? {
            Some(position) => direction_neuron_at(layer, given, position, cossim_pow(arguments)?),
            None => direction_neuron(layer, given, cossim_pow(arguments)?),
        })
    },
};

pub(super) const TENSOR_ENTRY: Entry<Objective> = Entry {
    name: "tensor_direction",
    usage: "tensor_direction(layer, tensor, cossim_pow=0)",
    about: "Dot product of the activations in the middle of a layer with a whole tensor of them, mean over images and positions.",
    example: "tensor_direction(input, [[[1, -1]], [[0, 0]], [[-1, 1]]])",
    read: |arguments| {
        let (layer, given) = (arguments.required::<String>("layer")?, arguments.required::<Given>("tensor")?);
        Ok(tensor_direction(layer, given, cossim_pow(arguments)?))
    },
};

fn layer_and_direction(arguments: &mut Arguments) -> Parsed<(String, Given)> {
    Ok((arguments.required("layer")?, arguments.required("direction")?))
}

fn cossim_pow(arguments: &mut Arguments) -> Parsed<f64> {
    Ok(arguments.optional("cossim_pow")?.unwrap_or(0.0))
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Direction {
    layer: String,
    given: Given,
    cossim_pow: f64,
    place: Place,
}

/// Which activations are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Everywhere,
    /// `[y, x]`; the center if there is none.
    Position(Option<[usize; 2]>),
    /// As many positions as the direction has, around the center.
    Middle,
}

impl Measure for Direction {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn wanted(&self) -> Vec<Wanted> {
        let layer = Wanted::layer(&self.layer);
        match self.place {
            Place::Position(position) => vec![layer.at(position)],
            Place::Everywhere | Place::Middle => vec![layer],
        }
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let activations = match self.place {
            Place::Position(position) => step.position(&self.layer, position)?,
            Place::Everywhere | Place::Middle => step.map(&self.layer)?,
        };
        let direction = self.given.tensor(step)?;
        let ([n, c, h, w], found @ [m, d, to_h, to_w]) = (activations.dims(), direction.dims());
        if d != c || (m != 1 && m != n) || (self.place != Place::Middle && [to_h, to_w] != [1, 1]) {
            let expected = format!("is [{c}] for layer `{}`, or [{n}, {c}] for its images", self.layer);
            return Err(Error::shape("the direction", &found, &expected));
        }
        let activations = match self.place {
            Place::Everywhere | Place::Position(_) => activations,
            Place::Middle if to_h > h || to_w > w => {
                return Err(Error::shape("the tensor", &found, &format!("is at most {h} high and {w} wide")));
            }
            Place::Middle => activations.narrow(2, (h - to_h) / 2, to_h).narrow(3, (w - to_w) / 2, to_w),
        };
        Ok(dot_cossim(activations, direction, self.cossim_pow))
    }

    fn write(&self) -> Call {
        let call = |entry: &Entry<Objective>| Call::new(entry.name).argument(&self.layer).argument(&self.given);
        let call = match &self.place {
            Place::Everywhere => call(&ENTRY),
            Place::Position(Some(position)) => call(&NEURON_ENTRY).argument(position),
            Place::Position(None) => call(&NEURON_ENTRY),
            Place::Middle => call(&TENSOR_ENTRY),
        };
        call.unless(&0.0, "cossim_pow", &self.cossim_pow)
    }

    fn given(&self) -> Vec<&Given> {
        vec![&self.given]
    }

    fn given_mut(&mut self) -> Vec<&mut Given> {
        vec![&mut self.given]
    }
}

/// Added to lengths before they divide; Lucid, `objectives_util.py`.
const EPSILON: f64 = 1e-4;

/// The least a cosine counts as; Lucid, `objectives_util.py`.
pub(super) const LEAST_COSINE: f64 = 0.1;

/// Mean over images and positions of the dot product over channels, times a power of the cosine.
fn dot_cossim(x: Tensor<4>, y: Tensor<4>, cossim_pow: f64) -> Tensor<1> {
    let dot = (x.clone() * y.clone()).sum_dim(1);
    if cossim_pow == 0.0 {
        return dot.mean();
    }
    let cosine = dot.clone() / length(x).add_scalar(EPSILON) / length(y).add_scalar(EPSILON);
    (dot * cosine.clamp_min(LEAST_COSINE).powf_scalar(cossim_pow)).mean()
}

/// The length of each position's activations, `[n, 1, h, w]`.
fn length(x: Tensor<4>) -> Tensor<4> {
    root(x.powi_scalar(2).sum_dim(1))
}
