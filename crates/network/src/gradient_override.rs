//! Gradient overrides: backward rules that replace the derivative at ReLUs and max pools.

mod max_pool;
mod rectify;
mod resolve;
mod text;

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    max_pool::{L2_POOL_EPSILON, smoothed},
    rectify::{Rectifier, rectify},
    resolve::Resolved,
};

/// How gradients pass ReLUs and max pools, everywhere and at single layers; values are never changed.
///
/// Nothing is overridden unless it is said here. As text it is one word for each override, the layers' after the
/// general ones; `plain` is the derivative, and alone it is [`none`](Self::none).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use entoptic_network::{GradientOverrides, ReluOverride, default_overrides, zoo};
///
/// let overrides = default_overrides().with_layer("fire2/expand1x1", ReluOverride::Identity);
/// assert_eq!(overrides.to_string(), "relu=redirected pool=avg fire2/expand1x1=identity");
/// assert_eq!("relu=redirected pool=avg fire2/expand1x1=identity".parse::<GradientOverrides>()?, overrides);
///
/// let images = Tensor::<4>::full([1, 3, 48, 48], 0.5, &Device::flex().autodiff()).require_grad();
/// let activations = zoo::squeezenet_v1_1().activations_with(images.clone(), &["fire3"], &overrides, 0)?;
/// let gradients = activations.map("fire3")?.mean().backward();
/// assert_eq!(images.grad(&gradients).unwrap().dims(), [1, 3, 48, 48]);
/// # Ok::<(), entoptic_network::Error>(())
/// ```
///
/// # Reference
/// `gradient_override_map` in Lucid, `optvis/overrides/gradient_override.py`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GradientOverrides {
    /// At every ReLU and ReLU6.
    pub relu: Option<ReluOverride>,
    /// At every max pool.
    pub pool: Option<MaxPoolOverride>,
    /// At single layers, by name, instead of the general override; `None` is the derivative.
    pub layers: BTreeMap<String, Option<LayerOverride>>,
}

impl GradientOverrides {
    /// The derivative everywhere.
    pub const fn none() -> Self {
        Self { relu: None, pool: None, layers: BTreeMap::new() }
    }

    /// The same, but at `layer` (a ReLU, ReLU6 or max pool) this override holds.
    pub fn with_layer(mut self, layer: impl Into<String>, with: impl Into<LayerOverride>) -> Self {
        self.layers.insert(layer.into(), Some(with.into()));
        self
    }

    /// The same, but at `layer` (a ReLU, ReLU6 or max pool) nothing is overridden.
    pub fn with_plain_layer(mut self, layer: impl Into<String>) -> Self {
        self.layers.insert(layer.into(), None);
        self
    }
}

/// Redirected ReLUs, as Lucid has them in the first steps of every run.
///
/// # Reference
/// `relu_overrides` in Lucid, `optvis/overrides`.
pub fn relu_overrides() -> GradientOverrides {
    GradientOverrides { relu: Some(ReluOverride::Redirected), ..GradientOverrides::none() }
}

/// Max pools smoothed to averages.
///
/// # Reference
/// `pooling_overrides` in Lucid, `optvis/overrides`.
pub fn pooling_overrides() -> GradientOverrides {
    GradientOverrides { pool: Some(MaxPoolOverride::Average), ..GradientOverrides::none() }
}

/// Redirected ReLUs, and max pools smoothed to averages.
///
/// # Reference
/// `default_overrides` in Lucid, `optvis/overrides`.
pub fn default_overrides() -> GradientOverrides {
    GradientOverrides { pool: Some(MaxPoolOverride::Average), ..relu_overrides() }
}

/// A network whose gradients pass as if it were linear: ReLUs as the identity, max pools as averages.
///
/// Unlike Lucid's, it holds for ReLU6 as well.
///
/// # Reference
/// `linearization_overrides` in Lucid, `optvis/overrides`.
pub fn linearization_overrides() -> GradientOverrides {
    GradientOverrides { relu: Some(ReluOverride::Identity), ..pooling_overrides() }
}

/// How gradients pass a ReLU or ReLU6 instead of by its derivative, which is zero where the unit is off and exactly at
/// its corners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReluOverride {
    /// A dead unit still learns which way is up.
    ///
    /// Where a plain gradient would be zero for a whole image at one ReLU, it passes wherever it would move the
    /// activations back towards where the unit is on; that holds for steps 0 to 16 only. At every step the gradient
    /// passes at the corners (x = 0, and x = 6 for ReLU6), where the plain one does not.
    ///
    /// The incoming gradient is taken to be that of a quantity that is *minimized* (minus the objective).
    ///
    /// # Reference
    /// `redirected_relu_grad.py` in Lucid.
    Redirected,
    /// The gradient passes unchanged.
    ///
    /// # Reference
    /// `identity_grad.py` in Lucid.
    Identity,
}

/// How gradients pass a max pool instead of to the largest input of each window, the first in scan order if several are.
///
/// Padding never counts in the means.
///
/// # Reference
/// `smoothed_maxpool_grad.py` in Lucid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxPoolOverride {
    /// As through the mean of each window.
    Average,
    /// As through `mean(x²) / (mean(|x|) + 0.01)` of each window: large inputs get more.
    L2,
}

/// How gradients pass one layer instead of by its derivative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerOverride {
    /// For a ReLU or ReLU6.
    Relu(ReluOverride),
    /// For a max pool.
    MaxPool(MaxPoolOverride),
}

impl From<ReluOverride> for LayerOverride {
    fn from(relu: ReluOverride) -> Self {
        Self::Relu(relu)
    }
}

impl From<MaxPoolOverride> for LayerOverride {
    fn from(pool: MaxPoolOverride) -> Self {
        Self::MaxPool(pool)
    }
}

/// A constant's values, gradients passing as through `path`: what is added to the values is zero, but has a gradient.
///
/// Burn has no operation for this, and made of its own operations it runs on every device.
fn with_gradient_of<const D: usize>(values: Tensor<D>, path: Tensor<D>) -> Tensor<D> {
    values.autodiff() + (path.clone() - path.inner().autodiff())
}
