use std::{fmt, sync::Arc};

use burn::tensor::Tensor;

use super::{Objective, Step, measure::Measure};
use crate::{Error, notation::Call, param::Param};

/// An objective of your own: a closure over the activations of `layers`.
///
/// `"input"` is the images before their transforms. A custom objective has no text form that parses; it prints as
/// `custom(name)`.
///
/// ```
/// use entoptic::objective::custom;
///
/// let contrast = custom("contrast", ["mixed4a"], |step| {
///     let a = step.map("mixed4a")?; // [n, c, h, w]
///     Ok(a.clone().max() - a.min())
/// });
/// assert_eq!(contrast.to_string(), "custom(contrast)");
/// ```
///
/// # Shapes
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: what the closure says; [`Error::WrongShape`] if its value is not `[1]`.
pub fn custom<L: Into<String>>(
    name: impl Into<String>,
    layers: impl IntoIterator<Item = L>,
    value: impl Fn(&Step<'_>) -> Result<Tensor<1>, Error> + Send + Sync + 'static,
) -> Objective {
    let layers = layers.into_iter().map(Into::into).collect();
    Objective::of(Custom { name: name.into(), layers, params: Vec::new(), value: Arc::new(value) })
}

/// An objective of a param's own value, rather than of what a network makes of it.
///
/// ```
/// use entoptic::{
///     objective::{channel, of_param},
///     param::{self, Param},
/// };
///
/// // A quarter of the image is to be opaque.
/// let image = Param::from(param::image([64, 64]).with_alpha(true));
/// let opaque = of_param("opaque", &image.channels(3..4), |alpha| -(alpha.mean() - 0.25).powi_scalar(2));
/// let objective = channel("fire5", 20) + 1e4 * opaque;
/// ```
///
/// # Shapes
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::WrongShape`] if its value is not `[1]`.
pub fn of_param(
    name: impl Into<String>,
    param: &Param,
    value: impl Fn(Tensor<4>) -> Tensor<1> + Send + Sync + 'static,
) -> Objective {
    let read = param.clone();
    let value = move |step: &Step<'_>| Ok(value(step.param(&read)));
    Objective::of(Custom { name: name.into(), layers: Vec::new(), params: vec![param.clone()], value: Arc::new(value) })
}

type Value = dyn Fn(&Step<'_>) -> Result<Tensor<1>, Error> + Send + Sync;

#[derive(Clone)]
pub(super) struct Custom {
    name: String,
    layers: Vec<String>,
    params: Vec<Param>,
    value: Arc<Value>,
}

impl Measure for Custom {
    fn layers(&self) -> Vec<&str> {
        self.layers.iter().map(String::as_str).collect()
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        match step.is_rehearsal() {
            // It may count how often it is asked.
            true => Ok(Tensor::zeros([1], &step.device())),
            false => match (self.value)(step)? {
                value if value.dims() == [1] => Ok(value),
                value => Err(Error::shape("the value of a custom objective", &value.dims(), "is [1]: a mean or a sum")),
            },
        }
    }

    fn write(&self) -> Call {
        Call::new("custom").argument(&self.name)
    }

    fn params(&self) -> Vec<Param> {
        self.params.clone()
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.value, &other.value)
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Custom({}, {:?})", self.name, self.layers)
    }
}
