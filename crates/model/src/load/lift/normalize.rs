//! What mixes numbers along axes: means, norms, softmax.

use super::{
    Cannot, Constant, Lift, Value, View, arrange, axis_of, cannot, fold, product,
    view::{Atom, Part},
};
use crate::graph::{Convolution, Linear, Op, Shape, Weights, Window};

/// What becomes of the numbers along axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reduction {
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// The largest.
    Max,
    /// Of constants only: their product.
    Product,
}

impl Lift {
    /// Softmax along an axis.
    pub fn softmax(&mut self, name: &str, x: &Value, axis: i64) -> Result<Value, Cannot> {
        let rank = x.dims().len();
        let axis = axis_of(axis, rank)?;
        self.softmax_over(name, x, &[axis])
    }

    /// Softmax along axes taken together.
    pub fn softmax_over(&mut self, name: &str, x: &Value, axes: &[usize]) -> Result<Value, Cannot> {
        let view = x.layer()?;
        let atoms: Vec<Atom> = axes.iter().flat_map(|&axis| view.axes[axis].iter().copied()).collect();
        let shape = self.shape(view);
        let [_, w] = shape.positions();
        let size: usize = atoms.iter().map(|atom| atom.size).product();
        let all = |part: Part| atoms.iter().all(|atom| atom.part == part);
        let op = if all(Part::Columns) && size == w && w > 1 {
            Op::RowSoftmax
        } else if all(Part::Channels) && size == shape.channels() {
            Op::Softmax
        } else {
            return Err(cannot(format!(
                "it runs along {axes:?} of {:?}, which is neither channels nor keys",
                x.dims()
            )));
        };
        let node = self.add(name, op, &[view.node])?;
        Ok(Value::Layer(view.of(node)))
    }

    /// A layer norm over `axes`, which are all channels.
    pub fn layer_norm(
        &mut self,
        name: &str,
        x: &Value,
        axes: &[usize],
        gamma: Option<&Constant>,
        beta: Option<&Constant>,
        epsilon: f32,
    ) -> Result<Value, Cannot> {
        let view = x.layer()?;
        let atoms = self.channels_of(view, axes)?;
        let c = self.shape(view).channels();
        self.spend(6 * c)?;
        let mut channel_of: Vec<usize> = arrange::offsets(&atoms);
        if atoms.is_empty() {
            channel_of = vec![0];
        }
        let mut in_order = |constant: Option<&Constant>, default: f32| {
            let mut values = vec![default; c];
            if let Some(constant) = constant {
                if constant.len() != c {
                    return Err(cannot(format!("its weights {:?} are not for {c} channels", constant.dims())));
                }
                let given = self.weights(constant, [c])?;
                for (&channel, &value) in channel_of.iter().zip(given.values()) {
                    values[channel] = value;
                }
            }
            Ok(Weights::new([c], values))
        };
        let (gamma, beta) = (in_order(gamma, 1.0)?, in_order(beta, 0.0)?);
        let node = self.add(name, Op::LayerNorm { gamma, beta, epsilon }, &[view.node])?;
        Ok(Value::Layer(view.of(node)))
    }

    /// The atoms of axes that are all channels.
    fn channels_of(&self, view: &View, axes: &[usize]) -> Result<Vec<Atom>, Cannot> {
        let atoms: Vec<Atom> = axes.iter().flat_map(|&axis| view.axes[axis].iter().copied()).collect();
        let is_channels = atoms.iter().all(|atom| atom.part == Part::Channels)
            && atoms.iter().map(|atom| atom.size).product::<usize>() == self.shape(view).channels();
        match is_channels {
            true => Ok(atoms),
            false => Err(cannot(format!("axes {axes:?} of {:?} are not the channels", view.dims()))),
        }
    }

    /// Numbers along `axes` reduced to one, the axes kept with size 1 or left out.
    pub fn reduce(
        &mut self,
        name: &str,
        x: &Value,
        reduction: Reduction,
        axes: &[usize],
        keep: bool,
    ) -> Result<Value, Cannot> {
        let view = match x {
            Value::Constant(constant) => {
                self.spend(constant.len())?;
                return fold::reduce(reduction, constant, axes, keep).map(Value::Constant);
            }
            Value::Layer(view) => view,
        };
        let atoms: Vec<Atom> = axes.iter().flat_map(|&axis| view.axes[axis].iter().copied()).collect();
        let shape = self.shape(view);
        let [h, w] = shape.positions();
        let size = |part: Part| -> usize { atoms.iter().filter(|a| a.part == part).map(|a| a.size).product() };
        let (channels, positions) = (size(Part::Channels), size(Part::Rows) * size(Part::Columns));
        let wrong = || cannot(format!("it reduces axes {axes:?} of {:?}", view.dims()));
        let mut reduced = view.clone();
        if positions != 1 && positions != h * w {
            return Err(wrong());
        }
        if (positions == h * w && positions > 1) || (atoms.is_empty() && matches!(shape, Shape::Map { h: 1, w: 1, .. }))
        {
            let part = if channels > 1 { format!("{name}_positions") } else { name.to_owned() };
            let Value::Layer(mean) = (match reduction {
                Reduction::Mean => self.mean_of_positions(&part, &reduced)?,
                Reduction::Sum => self.mean_of_positions(&format!("{part}_mean"), &reduced)?,
                Reduction::Max => self.max_of_positions(&part, &reduced)?,
                Reduction::Product => return Err(wrong()),
            }) else {
                unreachable!("a layer's mean is a layer")
            };
            reduced = mean;
            if reduction == Reduction::Sum {
                let sum = self.binary(
                    &part,
                    super::Binary::Multiply,
                    &Value::Layer(reduced),
                    &Value::Constant(Constant::scalar(positions as f32)),
                )?;
                reduced = sum.layer()?.clone();
            }
        }
        if channels > 1 {
            if channels != shape.channels() {
                return Err(wrong());
            }
            reduced = self.reduce_channels(name, &reduced, reduction)?;
            if positions == 1 && reduction == Reduction::Mean {
                self.note_mean(reduced.node, view);
            }
        }
        let mut dims: Vec<Vec<Atom>> = Vec::new();
        for (axis, atoms) in reduced.axes.into_iter().enumerate() {
            match axes.contains(&axis) {
                true if keep => dims.push(vec![]),
                true => {}
                false => dims.push(atoms),
            }
        }
        Ok(Value::Layer(View { node: reduced.node, axes: dims }))
    }

    /// The mean or sum over all channels, as one channel.
    fn reduce_channels(&mut self, name: &str, view: &View, reduction: Reduction) -> Result<View, Cannot> {
        let shape = self.shape(view);
        let c = shape.channels();
        self.spend(product(&[c])?)?;
        let factor = match reduction {
            Reduction::Mean => 1.0 / c as f32,
            Reduction::Sum => 1.0,
            Reduction::Max | Reduction::Product => return Err(cannot("channels have no such reduction")),
        };
        let op = match shape {
            Shape::Map { .. } => {
                let weight = Weights::new([1, c, 1, 1], vec![factor; c]);
                Op::Convolution(Convolution { weight, scale: None, bias: None, window: Window::new(1, 1), groups: 1 })
            }
            Shape::Vector { .. } => Op::Linear(Linear { weight: Weights::new([1, c], vec![factor; c]), bias: None }),
        };
        let node = self.add(name, op, &[view.node])?;
        let mut view = view.of(node);
        for axis in &mut view.axes {
            axis.retain(|atom| atom.part != Part::Channels);
        }
        Ok(view)
    }
}
