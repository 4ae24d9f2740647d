use burn::{config::Config, tensor::Tensor};
use entoptic_network::Wanted;

use super::{Given, Objective, Step, direction::LEAST_COSINE, measure::Measure, root::root};
use crate::{
    Error,
    notation::{Call, Entry},
};

/// Mean over channels of the activations at a position times a direction that may be whitened, mean over images.
///
/// Activation atlases ask for directions in this way: `whiten` is the inverse of the layer's uncentered covariance,
/// which makes up for channels that are active together. With `cossim_pow` above 0 the value is multiplied by that
/// power of itself divided by the length of the activations (which counts as 0.1 where it is less): Lucid's
/// `direction_neuron_cossim_S`, where it is 2 by default.
///
/// ```
/// use entoptic::objective::{Objective, WhitenedConfig, direction_neuron_s};
///
/// let objective = direction_neuron_s("conv1", [0.5, -1.0], WhitenedConfig::new().with_cossim_pow(2.0));
/// assert_eq!("direction_neuron_s(conv1, [0.5, -1], cossim_pow=2)".parse::<Objective>()?, objective);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Shapes
/// - activations: `[n, c, h, w]`, or `[n, c]`
/// - direction: `[c]`, or `[n, c]`, one for each image
/// - value: `[1]`
///
/// # Errors
/// When it is evaluated: [`Error::NoSuchPosition`] if the position is not inside `[h, w]`; [`Error::WrongShape`] unless
/// the direction is `[c]` or `[n, c]` and the whitening matrix `[c, c]`; [`Error::NotLoaded`] for a file that
/// [`Objective::load`] did not read.
///
/// # Reference
/// [Activation Atlas](https://distill.pub/2019/activation-atlas), Carter et al., 2019; `direction_neuron_S` and
/// `direction_neuron_cossim_S` in Lucid, `recipes/activation_atlas/render.py`, whose `x` is our `y`.
pub fn direction_neuron_s(layer: impl Into<String>, direction: impl Into<Given>, config: WhitenedConfig) -> Objective {
    Objective::of(Whitened { layer: layer.into(), direction: direction.into(), whiten: None, config })
}

impl Objective {
    /// The same objective, where every [`direction_neuron_s`] in it is whitened by `matrix` `[c, c]`.
    ///
    /// ```
    /// use entoptic::{
    ///     array::Array,
    ///     objective::{Objective, WhitenedConfig, direction_neuron_s},
    /// };
    ///
    /// let matrix = Array::new([2, 2], vec![2.0, 0.0, 0.0, 1.0]);
    /// let objective = direction_neuron_s("conv1", [0.5, -1.0], WhitenedConfig::new()).whitened(matrix);
    /// assert_eq!("direction_neuron_s(conv1, [0.5, -1], whiten=[[2, 0], [0, 1]])".parse::<Objective>()?, objective);
    /// # Ok::<(), entoptic::Error>(())
    /// ```
    pub fn whitened(mut self, matrix: impl Into<Given>) -> Self {
        let matrix = matrix.into();
        self.0.for_each_term(&mut |term| {
            if let super::Kind::Whitened(whitened) = &mut term.kind {
                whitened.whiten = Some(matrix.clone());
            }
        });
        self
    }
}

/// The options of [`direction_neuron_s`].
#[derive(Config, Debug, Copy, PartialEq)]
pub struct WhitenedConfig {
    /// Where, `[y, x]`; the center `[h / 2, w / 2]` if there is none.
    pub position: Option<[usize; 2]>,
    /// The power of the cosine.
    #[config(default = 0.0)]
    pub cossim_pow: f64,
}

pub(super) const ENTRY: Entry<Objective> = Entry {
    name: "direction_neuron_s",
    usage: "direction_neuron_s(layer, direction, position=[y, x], whiten=numbers, cossim_pow=0)",
    about: "Mean over channels of the activations at a position times a direction that may be whitened, mean over images.",
    example: "direction_neuron_s(fire2/squeeze1x1, [1, 0, -0.5, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], cossim_pow=2)",
    read: |arguments| {
        let (layer, direction) = (arguments.required::<String>("layer")?, arguments.required::<Given>("direction")?);
        let position = arguments.optional("position")?;
        let whiten = arguments.keyword::<Given>("whiten")?;
        let cossim_pow = arguments.keyword("cossim_pow")?.unwrap_or(0.0);
        let objective = direction_neuron_s(layer, direction, WhitenedConfig { position, cossim_pow });
        Ok(whiten.into_iter().fold(objective, Objective::whitened))
    },
};

/// Added to the length before it divides; Lucid, `recipes/activation_atlas/render.py`.
const EPSILON: f64 = 1e-4;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Whitened {
    layer: String,
    direction: Given,
    /// `[c, c]`.
    whiten: Option<Given>,
    config: WhitenedConfig,
}

impl Measure for Whitened {
    fn layers(&self) -> Vec<&str> {
        vec![&self.layer]
    }

    fn wanted(&self) -> Vec<Wanted> {
        vec![Wanted::layer(&self.layer).at(self.config.position)]
    }

    fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let activations = step.position(&self.layer, self.config.position)?;
        let [n, c, _, _] = activations.dims();
        let activations = activations.reshape([n, c]);
        let mut direction = matrix(self.direction.tensor(step)?, "the direction", &[1, n], c)?;
        if let Some(whiten) = &self.whiten {
            direction = direction.matmul(matrix(whiten.tensor(step)?, "the whitening matrix", &[c], c)?);
        }
        let dot = (activations.clone() * direction).mean_dim(1); // [n, 1]
        if self.config.cossim_pow == 0.0 {
            return Ok(dot.mean());
        }
        let length = root(activations.powi_scalar(2).sum_dim(1)).add_scalar(EPSILON);
        let cosine = (dot.clone() / length).clamp_min(LEAST_COSINE);
        Ok((dot * cosine.powf_scalar(self.config.cossim_pow)).mean())
    }

    fn write(&self) -> Call {
        let call = Call::new(ENTRY.name).argument(&self.layer).argument(&self.direction);
        let call = match &self.config.position {
            Some(position) => call.argument(position),
            None => call,
        };
        call.optional("whiten", self.whiten.as_ref()).unless(&0.0, "cossim_pow", &self.config.cossim_pow)
    }

    fn given(&self) -> Vec<&Given> {
        std::iter::once(&self.direction).chain(&self.whiten).collect()
    }

    fn given_mut(&mut self) -> Vec<&mut Given> {
        std::iter::once(&mut self.direction).chain(&mut self.whiten).collect()
    }
}

/// What was given as a matrix of so many columns, whose rows are as many as one of these.
fn matrix(given: Tensor<4>, what: &'static str, rows: &[usize], columns: usize) -> Result<Tensor<2>, Error> {
    let found @ [n, c, h, w] = given.dims();
    match [c, h, w] == [columns, 1, 1] && rows.contains(&n) {
        true => Ok(given.reshape([n, c])),
        false => {
            let most = rows.iter().max().copied().unwrap_or(1);
            let vectors = if rows.contains(&1) { format!("[{columns}] or ") } else { String::new() };
            Err(Error::shape(what, &found, &format!("is {vectors}[{most}, {columns}]")))
        }
    }
}
