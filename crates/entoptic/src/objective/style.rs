use burn::{config::Config, tensor::Tensor};

use super::{Given, Objective, Step, measure::Measure, root::root};
use crate::{
    Error,
    notation::{Argument, Call, Entry, Value},
};

/// How far the style of images is from another: the distance between the Gram matrices of a layer's activations.
///
/// All images are of one style, unless one is chosen with [`Objective::batch`]. Several layers are several terms.
///
/// **Sign**: positive, a penalty to subtract.
///
/// ```
/// use entoptic::objective::{Objective, StyleConfig, StyleTarget, style};
///
/// // Image 0 in the style of image 1.
/// let objective = -style("fire2", StyleTarget::Image(1), StyleConfig::new()).batch(0);
/// assert_eq!("-style(fire2, 1, batch=0)".parse::<Objective>()?, objective);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`
/// - target: another image of the batch, or a matrix `[c, c]`
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::NoSuchImage`] if the target is an image that the batch does not have;
/// [`Error::WrongShape`] if it is a matrix of another shape than `[c, c]`; [`Error::NotLoaded`] for a file that
/// [`Objective::load`] did not read; [`Error::OutOfRange`] if `ema_decay` is not from 0 to 1.
///
/// # Reference
/// [Image Style Transfer Using Convolutional Neural
/// Networks](https://openaccess.thecvf.com/content_cvpr_2016/html/Gatys_Image_Style_Transfer_CVPR_2016_paper.html),
/// Gatys et al., 2016; `StyleLoss` in Lucid, `optvis/style.py`.
pub fn style(layer: impl Into<String>, target: StyleTarget, config: StyleConfig) -> Objective {
    Objective::of(Style { layer: layer.into(), target, config })
}

/// What style is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum StyleTarget {
    /// Of this image of the batch, which does not move.
    Image(usize),
    /// Of what has this matrix `[c, c]` for its [`gram`].
    Gram(Given),
}

/// How styles are compared.
#[derive(Config, Debug, PartialEq)]
pub struct StyleConfig {
    /// The distance.
    #[config(default = "Distance::L1")]
    pub distance: Distance,
    /// If there is one, a moving average over steps is compared, of which this much remains at each; its gradient is
    /// the current matrix's. It starts at zero, as Lucid's.
    pub ema_decay: Option<f64>,
}

/// A distance between two matrices.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Distance {
    /// Mean absolute difference.
    L1,
    /// Root of the mean squared difference.
    L2,
}

/// Which channels are active together: the products of all pairs, mean over positions.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic::objective::gram;
///
/// let activations = Tensor::<4>::from_floats([[[[1.0, 2.0]], [[3.0, 4.0]]]], &Device::flex()); // [1, 2, 1, 2]
/// assert_eq!(gram(activations).try_into_vec_as::<f32>().unwrap(), [2.5, 5.5, 5.5, 12.5]);
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`
/// - value: `[n, c, c]`
///
/// # Reference
/// [Image Style Transfer Using Convolutional Neural
/// Networks](https://openaccess.thecvf.com/content_cvpr_2016/html/Gatys_Image_Style_Transfer_CVPR_2016_paper.html),
/// Gatys et al., 2016; `gram_style` in Lucid, `optvis/style.py`, which also takes the mean over images.
pub fn gram(activations: Tensor<4>) -> Tensor<3> {
    let [n, c, h, w] = activations.dims();
    let positions = activations.reshape([n, c, h * w]);
    positions.clone().matmul(positions.transpose()).div_scalar((h * w) as f64)
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "style",
    usage: "style(layer, target, distance=l1|l2, ema_decay=number)",
    about: "How far the style of images is from another: the distance between the Gram matrices of a layer's activations.",
    example: "-style(fire2, 0, batch=1)",
    read: |arguments| {
        let (layer, target) = (arguments.required::<String>("layer")?, arguments.required("target")?);
        let distance = arguments.optional("distance")?.unwrap_or(Distance::L1);
        Ok(style(layer, target, StyleConfig { distance, ema_decay: arguments.optional("ema_decay")? }))
    },
};

impl Argument for StyleTarget {
    const FORM: &'static str = "an image's number, numbers in brackets or the name of a file in quotes";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            number @ Value::Number(_) => usize::from_value(number).map(Self::Image),
            given => Given::from_value(given).map(Self::Gram),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Image(image) => image.to_value(),
            Self::Gram(given) => given.to_value(),
        }
    }
}

impl Argument for Distance {
    const FORM: &'static str = "`l1` or `l2`";

    fn from_value(value: Value) -> Option<Self> {
        match String::from_value(value)?.as_str() {
            "l1" => Some(Self::L1),
            "l2" => Some(Self::L2),
            _ => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Name(match self {
            Self::L1 => "l1".into(),
            Self::L2 => "l2".into(),
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Style {
    layer: String,
    target: StyleTarget,
    config: StyleConfig,
}

impl Measure for Style {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let activations = step.map(&self.layer)?;
        let c = activations.dims()[1];
        let mean_gram = |activations: Tensor<4>| gram(activations).mean_dim(0).reshape([c, c]);
        let target = match &self.target {
            StyleTarget::Gram(given) => self.matrix(given.tensor(step)?, c)?,
            StyleTarget::Image(image) => {
                let all = step.all_images(&self.layer)?;
                let batch = all.dims()[0];
                if *image >= batch {
                    return Err(Error::NoSuchImage { image: *image, batch });
                }
                mean_gram(all.narrow(0, *image, 1)).detach()
            }
        };
        let own = self.averaged(mean_gram(activations), step)?;
        let difference = own - target;
        Ok(match self.config.distance {
            Distance::L1 => difference.abs().mean(),
            Distance::L2 => root(difference.powi_scalar(2).mean()),
        })
    }

    fn write(&self) -> Call {
        Call::new(ENTRY.name)
            .argument(&self.layer)
            .argument(&self.target)
            .unless(&Distance::L1, "distance", &self.config.distance)
            .optional("ema_decay", self.config.ema_decay.as_ref())
    }

    fn given(&self) -> Vec<&Given> {
        match &self.target {
            StyleTarget::Gram(given) => vec![given],
            StyleTarget::Image(_) => Vec::new(),
        }
    }

    fn given_mut(&mut self) -> Vec<&mut Given> {
        match &mut self.target {
            StyleTarget::Gram(given) => vec![given],
            StyleTarget::Image(_) => Vec::new(),
        }
    }
}

impl Style {
    /// What was given, `[c, c]`.
    fn matrix(&self, given: Tensor<4>, c: usize) -> Result<Tensor<2>, Error> {
        match given.dims() {
            [n, d, 1, 1] if [n, d] == [c, c] => Ok(given.reshape([c, c])),
            found => Err(Error::shape("the style", &found, &format!("is [{c}, {c}] for layer `{}`", self.layer))),
        }
    }

    /// The moving average's value with the current matrix's gradient.
    fn averaged(&self, own: Tensor<2>, step: &Step<'_>) -> Result<Tensor<2>, Error> {
        let Some(decay) = self.config.ema_decay else { return Ok(own) };
        if !(0.0..=1.0).contains(&decay) {
            let accepted = "it is from 0 to 1, such as 0.95";
            return Err(Error::out_of_range("the moving average's decay", decay, accepted));
        }
        let [c, d] = own.dims();
        let current = own.clone().detach();
        // A term stays where it is for a whole run; equal ones average for themselves.
        let name = format!("{self:p} of {:?}", step.image());
        let average = step.exchange(&name, |before| {
            let now = current.clone().mul_scalar(1.0 - decay).reshape([1, 1, c, d]);
            match before {
                Some(before) => before.mul_scalar(decay) + now,
                None => now,
            }
        });
        Ok(own + (average.reshape([c, d]) - current))
    }
}
