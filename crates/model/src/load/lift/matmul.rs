//! Products of matrices: with weights, and of attention.

use super::{
    Cannot, Constant, Lift, Value, View, arrange, cannot,
    view::{Atom, Part, merge},
};
use crate::graph::{Convolution, Linear, Op, Shape, Weights, Window};

impl Lift {
    /// The product of the last two axes of `a` and `b`; either is transposed first if that is said of it.
    pub fn matmul(
        &mut self,
        name: &str,
        a: &Value,
        b: &Value,
        [transpose_a, transpose_b]: [bool; 2],
    ) -> Result<Value, Cannot> {
        let [rank_a, rank_b] = [a, b].map(|value| value.dims().len());
        if rank_a == 0 || rank_b == 0 || rank_a + rank_b == 2 {
            return Err(cannot("a product of vectors is no layer"));
        }
        let turned = |value: &Value, rank: usize, transpose: bool| {
            let mut order: Vec<usize> = (0..rank).collect();
            if transpose && rank >= 2 {
                order.swap(rank - 2, rank - 1);
            }
            self.transpose(value, &order)
        };
        let (a, b) = (turned(a, rank_a, transpose_a)?, turned(b, rank_b, transpose_b)?);
        match (&a, &b) {
            (Value::Constant(_), Value::Constant(_)) => Err(cannot("it multiplies matrices of constants")),
            (Value::Layer(x), Value::Constant(matrix)) => {
                let matrix = matrix_of(matrix)?;
                self.linear(name, x, x.axes.len() - 1, &matrix, None)
            }
            (Value::Constant(matrix), Value::Layer(x)) => {
                let matrix = matrix_of(matrix)?.transposed(&[1, 0]);
                self.linear(name, x, x.axes.len().saturating_sub(2), &matrix, None)
            }
            (Value::Layer(a), Value::Layer(b)) => self.attention(name, a, b),
        }
    }

    /// `x` times a matrix `[in, out]` along one axis, plus `bias`.
    ///
    /// Along the channels of a map it is a convolution 1×1; along all that there is, a linear layer.
    pub(crate) fn linear(
        &mut self,
        name: &str,
        x: &View,
        axis: usize,
        matrix: &Constant,
        bias: Option<&Constant>,
    ) -> Result<Value, Cannot> {
        let (dims, &[inputs, outputs]) = (x.dims(), matrix.dims()) else {
            return Err(cannot(format!("its weights are {:?}", matrix.dims())));
        };
        if dims[axis] != inputs {
            return Err(cannot(format!("its weights {:?} are not for {dims:?}", matrix.dims())));
        }
        let is_alone = dims.iter().product::<usize>() == inputs;
        let x = match self.channels_fill(x, axis) && (dims.len() > 2 || !is_alone) {
            true => x.clone(),
            false if is_alone => self.vector(x)?,
            false => return Err(cannot(format!("it multiplies axis {axis} of {dims:?}, which is not the channels"))),
        };
        let order = x.axes[axis].clone();
        let in_order = merge(order.iter().copied()).iter().all(|atom| atom.stride == 1);
        let transposed = matrix.transposed(&[1, 0]);
        let is_map = matches!(self.shape(&x), Shape::Map { .. });
        let shape = if is_map { vec![outputs, inputs, 1, 1] } else { vec![outputs, inputs] };
        let weight = match in_order {
            true => self.weights(&transposed, shape)?,
            false => {
                self.spend(transposed.len().saturating_add(4 * inputs))?;
                let mut row_of = vec![0; inputs];
                for (row, channel) in arrange::offsets(&order).into_iter().enumerate() {
                    row_of[channel] = row;
                }
                let [step, row_step] = [transposed.strides()[0], transposed.strides()[1]];
                let places =
                    (0..outputs).flat_map(|output| row_of.iter().map(move |row| output * step + row * row_step));
                Weights::new(shape, places.map(|place| transposed.at(place)).collect())
            }
        };
        let bias = bias.map(|bias| self.weights(bias, [bias.len()])).transpose()?;
        let op = match is_map {
            true => Op::Convolution(Convolution { weight, scale: None, bias, window: Window::new(1, 1), groups: 1 }),
            false => Op::Linear(Linear { weight, bias }),
        };
        let node = self.add(name, op, &[x.node])?;
        Ok(self.rechanneled(&x, axis, node))
    }

    /// The product of two layers, if it is one of attention's: queries with keys, or attention with values.
    fn attention(&mut self, name: &str, a: &View, b: &View) -> Result<Value, Cannot> {
        let (mut a, mut b) = (a.clone(), b.clone());
        let rank = a.axes.len().max(b.axes.len()).max(2);
        for view in [&mut a, &mut b] {
            while view.axes.len() < rank {
                view.axes.insert(0, vec![]);
            }
        }
        let batch = 0..rank - 2;
        let (dims_a, dims_b) = (a.dims(), b.dims());
        let wrong = || cannot(format!("the product of layers {dims_a:?} and {dims_b:?} is not one of attention"));
        if dims_a[batch.clone()] != dims_b[batch.clone()] || dims_a[rank - 1] != dims_b[rank - 2] {
            return Err(wrong());
        }
        let heads: usize = dims_a[batch.clone()].iter().product();
        let last_of_a = &a.axes[rank - 1];
        let is_scores = !last_of_a.is_empty() && last_of_a.iter().all(|atom| atom.part == Part::Channels);
        let (node, last) = if is_scores {
            let (queries, keys) = (self.heads(&a, rank - 1, rank - 2)?, self.heads(&b, rank - 2, rank - 1)?);
            let node = self.add(name, Op::Scores { heads, scale: 1.0 }, &[queries.node, keys.node])?;
            (node, Atom::whole(Part::Columns, dims_b[rank - 1]))
        } else {
            let Shape::Map { h, w, .. } = self.shape(&a) else { return Err(wrong()) };
            let is_attention = merge(a.axes[rank - 2].iter().copied()) == Atom::whole(Part::Rows, h)
                && merge(a.axes[rank - 1].iter().copied()) == Atom::whole(Part::Columns, w);
            if !is_attention {
                return Err(wrong());
            }
            let values = self.heads(&b, rank - 1, rank - 2)?;
            let order: Vec<Atom> = a.axes[batch.clone()].iter().flatten().copied().collect();
            let attention = self.arranged(&a, &order)?;
            let node = self.add(name, Op::Attend, &[attention.node, values.node])?;
            (node, Atom::whole(Part::Channels, dims_b[rank - 1]))
        };
        // The heads are the outer factor of channels, whatever axes they are spread over.
        let mut axes = Vec::with_capacity(rank);
        let mut stride: usize =
            heads * last.iter().filter(|atom| atom.part == Part::Channels).map(|a| a.size).product::<usize>();
        for &size in &dims_a[batch] {
            stride /= size;
            axes.push((size != 1).then_some(Atom { part: Part::Channels, size, stride }).into_iter().collect());
        }
        axes.push(Atom::whole(Part::Rows, dims_a[rank - 2]));
        axes.push(last);
        Ok(Value::Layer(View { node, axes }))
    }

    /// An operand of attention as tokens whose channels are in the order heads, then channels of a head.
    ///
    /// The last two axes are a head's channels and positions; those before are heads.
    fn heads(&mut self, view: &View, channels: usize, positions: usize) -> Result<View, Cannot> {
        let wrong = || cannot(format!("the product of layers with {:?} is not one of attention", view.dims()));
        let batch = view.axes[..channels.min(positions)].iter().flatten();
        let order: Vec<Atom> = batch.chain(&view.axes[channels]).copied().collect();
        let is_channels = |atom: &Atom| atom.part == Part::Channels;
        if !order.iter().all(is_channels) || view.axes[positions].iter().any(is_channels) {
            return Err(wrong());
        }
        let view = self.arranged(view, &order)?;
        let view = self.map_of_vector(&view)?;
        let view = self.tokens(&view)?;
        let [tokens, _] = self.shape(&view).positions();
        match merge(view.axes[positions].iter().copied()) == Atom::whole(Part::Rows, tokens) {
            true => Ok(view),
            false => Err(wrong()),
        }
    }
}

/// A constant of two axes, and perhaps others of size 1 before them.
fn matrix_of(constant: &Constant) -> Result<Constant, Cannot> {
    let mut matrix = constant.clone();
    while matrix.dims().len() > 2 && matrix.dims()[0] == 1 {
        matrix = matrix.without_axis(0);
    }
    match matrix.dims().len() {
        2 => Ok(matrix),
        _ => Err(cannot(format!("its weights are {:?}", constant.dims()))),
    }
}
