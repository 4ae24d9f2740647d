//! L-BFGS.

use std::cell::RefCell;

use burn::{
    config::Config,
    module::Param,
    optim::{GradientsParams, LBFGSConfig, LineSearchFn},
    tensor::{Device, Tensor},
};

use super::{
    Loss, Memory, Optimizer, Options, Update, accept, gradient,
    text::{Text, options_as_text},
};
use crate::{Error, notation::Entry, param::Variables};

/// The options of L-BFGS.
///
/// One step of a run does up to `iterations` steps of L-BFGS on one draw of the transforms, with at most five evaluations
/// of the objective for four of them. What it learnt of the curvature holds for that draw, so it starts afresh at the
/// next. It suits runs with few steps and no transforms, such as feature inversion; while ReLU gradients
/// are redirected they are not those of the objective, and its line search may find no way up.
///
/// ```
/// use entoptic::optimizer::{LbfgsConfig, Optimizer};
///
/// let options = LbfgsConfig::new().with_iterations(10);
/// assert_eq!("lbfgs(iterations=10)".parse::<Optimizer>()?, options.into());
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Reference
/// [On the limited memory BFGS method](https://doi.org/10.1007/BF01589116), Liu and Nocedal, 1989.
#[derive(Config, Debug, PartialEq)]
pub struct LbfgsConfig {
    /// How far the line search looks first, or a step goes without it, in units of the step the curvature suggests.
    #[config(default = 1.0)]
    pub learning_rate: f64,
    /// The most steps of L-BFGS at each step of the run; 20 is Burn's and PyTorch's.
    #[config(default = 20)]
    pub iterations: usize,
    /// How many of its steps tell the curvature; 3 to 20 in Nocedal and Wright's Numerical Optimization.
    #[config(default = 10)]
    pub history: usize,
    /// Whether each step goes as far as the strong Wolfe conditions ask.
    #[config(default = true)]
    pub line_search: bool,
}

pub(super) const ENTRY: Entry<Optimizer> = Entry {
    name: "lbfgs",
    usage: "lbfgs(learning_rate=1, iterations=20, history=10, line_search=true)",
    about: "Many steps in one, along directions that follow the curvature.",
    example: "lbfgs(iterations=10)",
    read: |arguments| Ok(LbfgsConfig::read(arguments)?.into()),
};

options_as_text!(LbfgsConfig: iterations, history, line_search);

impl Options for LbfgsConfig {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), Error> {
        accept(self.iterations > 0, "the number of iterations", self.iterations, "it is 1 or more")?;
        accept(self.history > 0, "the history", self.history, "it is 1 step or more")
    }

    fn start(&self) -> Box<dyn Update> {
        let line_search = if self.line_search { LineSearchFn::StrongWolfe } else { LineSearchFn::None };
        let options = LBFGSConfig::new()
            .with_max_iter(self.iterations)
            .with_max_eval(Some(self.iterations + self.iterations / 4 + 1))
            .with_history_size(self.history)
            .with_line_search_fn(line_search);
        Box::new(Lbfgs { options })
    }
}

struct Lbfgs {
    options: LBFGSConfig,
}

impl Update for Lbfgs {
    fn step(
        &mut self,
        learning_rate: f64,
        variables: Variables,
        loss: Tensor<1>,
        again: &Loss<'_>,
    ) -> Result<Variables, Error> {
        let params: Vec<_> = variables.iter().cloned().map(Param::from_tensor).collect();
        let mut known = Some((variables, loss));
        let failure = RefCell::new(None);
        let slope = |params: Vec<Param<Tensor<1>>>| {
            let (variables, loss) = known.take().unwrap_or_else(|| {
                let variables: Variables = params.iter().map(Param::val).collect();
                let loss = again(&variables).unwrap_or_else(|error| {
                    failure.replace(Some(error));
                    nowhere(&variables)
                });
                (variables, loss)
            });
            let value = loss.clone().into_scalar::<f64>();
            let gradients = loss.backward();
            let mut slope = GradientsParams::new();
            for (param, variable) in params.iter().zip(&variables) {
                slope.register(param.id, gradient(variable, &gradients));
            }
            (value, slope)
        };
        let (moved, _) = self.options.init().step(learning_rate, params, slope);
        match failure.into_inner() {
            Some(error) => Err(error),
            None => Ok(moved.iter().map(|param| param.val().detach().require_grad()).collect()),
        }
    }

    /// Nothing: it starts afresh at each step of a run.
    fn memory(&self) -> Memory {
        Memory::default()
    }

    fn remember(&mut self, _: Memory, _: &Device) -> bool {
        true
    }
}

/// A loss without a slope: there is no way on from it.
fn nowhere(variables: &[Tensor<1>]) -> Tensor<1> {
    variables[0].clone().sum().mul_scalar(0.0)
}
