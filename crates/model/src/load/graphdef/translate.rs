//! What each of TensorFlow's operations is.

mod arithmetic;
mod axes;
mod windows;

use super::{
    attributes::Layout,
    import::Import,
    message::{DataType, NodeDef},
    tensor,
};
use crate::load::lift::{self, Cannot, Constant, Value, axis_of, cannot};
use arithmetic::Uniform;
use windows::Batched;

/// One output of a node.
#[derive(Debug, Clone)]
pub(super) enum Output {
    /// A tensor.
    Value(Value),
    /// Numbers drawn anew for each image, all in one interval.
    Uniform(Uniform),
    /// A map whose positions were moved into the batch, for a dilated convolution.
    Batched(Box<Batched>),
    /// On a branch that is not taken.
    Dead,
}

impl From<Value> for Output {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl From<Constant> for Output {
    fn from(constant: Constant) -> Self {
        Self::Value(Value::Constant(constant))
    }
}

impl From<Layout> for lift::Layout {
    fn from(layout: Layout) -> Self {
        match layout {
            Layout::Nhwc => Self::Nhwc,
            Layout::Nchw => Self::Nchw,
        }
    }
}

impl Output {
    /// One number.
    pub fn number(number: f32) -> Self {
        Constant::scalar(number).into()
    }
}

/// The inputs of a node, in order.
#[derive(Clone, Copy)]
struct Inputs<'a>(&'a [Output]);

impl<'a> Inputs<'a> {
    fn get(self, i: usize) -> Result<&'a Output, Cannot> {
        self.0.get(i).ok_or_else(|| cannot(format!("it has {} inputs", self.0.len())))
    }

    fn value(self, i: usize) -> Result<&'a Value, Cannot> {
        value(self.get(i)?)
    }

    fn constant(self, i: usize) -> Result<&'a Constant, Cannot> {
        self.value(i)?.constant()
    }

    /// Sizes, axes or indices.
    fn integers(self, i: usize) -> Result<Vec<i64>, Cannot> {
        self.constant(i)?.to_integers()
    }

    /// One size, axis or index.
    fn integer(self, i: usize) -> Result<i64, Cannot> {
        match self.integers(i)?[..] {
            [one] => Ok(one),
            ref several => Err(cannot(format!("{} numbers stand where it takes one", several.len()))),
        }
    }

    /// An axis of the tensor `of`.
    fn axis(self, i: usize, of: &Value) -> Result<usize, Cannot> {
        axis_of(self.integer(i)?, of.dims().len())
    }

    /// Axes of the tensor `of`, each once.
    fn axes(self, i: usize, of: &Value) -> Result<Vec<usize>, Cannot> {
        axes(&self.integers(i)?, of)
    }

    fn values(self, range: std::ops::Range<usize>) -> Result<Vec<Value>, Cannot> {
        range.map(|i| self.value(i).cloned()).collect()
    }
}

fn value(output: &Output) -> Result<&Value, Cannot> {
    match output {
        Output::Value(value) => Ok(value),
        Output::Uniform(_) => Err(cannot("it depends on chance")),
        Output::Batched(_) => Err(cannot("its positions are in the batch, and it is no convolution")),
        Output::Dead => Err(cannot("it is on a branch that is not taken")),
    }
}

fn axes(axes: &[i64], of: &Value) -> Result<Vec<usize>, Cannot> {
    let rank = of.dims().len();
    let mut axes: Vec<usize> = axes.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<_, _>>()?;
    axes.sort_unstable();
    axes.dedup();
    Ok(axes)
}

fn size(size: i64) -> Result<usize, Cannot> {
    usize::try_from(size).map_err(|_| cannot(format!("{size} is no size")))
}

fn layout(node: &NodeDef) -> Result<Layout, Cannot> {
    node.layout().map_err(cannot)
}

impl Import {
    /// The outputs of a node.
    pub(super) fn translate(&mut self, node: &mut NodeDef, inputs: &[Output]) -> Result<Vec<Output>, Cannot> {
        let op = std::mem::take(&mut node.op);
        let outputs = self.operation(&op, node, Inputs(inputs));
        node.op = op;
        outputs
    }

    fn operation(&mut self, op: &str, node: &mut NodeDef, x: Inputs<'_>) -> Result<Vec<Output>, Cannot> {
        let one = |value: Value| Ok(vec![value.into()]);
        match op {
            "Const" => {
                let tensor = node.take_tensor().ok_or_else(|| cannot("it has no value"))?;
                one(Value::Constant(tensor::read(tensor, &mut self.budget)?))
            }
            "Placeholder" | "PlaceholderV2" => Err(cannot("it has to be fed, as the image is")),
            "Identity"
            | "StopGradient"
            | "PreventGradient"
            | "CheckNumerics"
            | "Snapshot"
            | "PlaceholderWithDefault"
            | "EnsureShape"
            | "RefIdentity"
            | "CheckNumericsV2" => Ok(vec![x.get(0)?.clone()]),
            "IdentityN" => Ok(x.0.to_vec()),
            "Switch" | "RefSwitch" => {
                let data = x.get(0)?.clone();
                match x.constant(1)?.single() {
                    Some(0.0) => Ok(vec![data, Output::Dead]),
                    Some(_) => Ok(vec![Output::Dead, data]),
                    None => Err(cannot("it takes one condition")),
                }
            }
            "Merge" | "RefMerge" => Ok(vec![x.get(0)?.clone()]),
            "Cast" => self.cast(node, x.get(0)?).map(|output| vec![output]),
            _ => {
                if let Some(outputs) = self.windows(op, node, x)? {
                    return Ok(outputs);
                }
                if let Some(outputs) = self.axes(op, node, x)? {
                    return Ok(outputs);
                }
                match self.arithmetic(op, node, x)? {
                    Some(output) => Ok(vec![output]),
                    None => Err(cannot("it is not known")),
                }
            }
        }
    }

    fn cast(&mut self, node: &NodeDef, x: &Output) -> Result<Output, Cannot> {
        let target = node.data_type("DstT").and_then(|dtype| DataType::try_from(dtype).ok());
        let to_integer =
            !matches!(target, Some(DataType::Float | DataType::Double | DataType::Half | DataType::Bfloat16) | None);
        match x {
            Output::Value(Value::Constant(constant)) => {
                let constant = self.lift.cast(constant, to_integer)?;
                match target {
                    Some(DataType::Bool) => self.not_zero(&constant).map(Output::from),
                    _ => Ok(constant.into()),
                }
            }
            Output::Value(Value::Layer(_)) if to_integer => Err(cannot("it cuts a layer to whole numbers")),
            other => Ok(other.clone()),
        }
    }
}
