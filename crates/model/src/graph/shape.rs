//! What shape comes out of an operation, and whether it takes what goes in.

use std::fmt;

use super::{Op, Padding, Window};
use crate::Error;

/// The shape of a node's output for one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Channels at positions, `[c, h, w]`.
    Map {
        /// Channels.
        c: usize,
        /// Height.
        h: usize,
        /// Width.
        w: usize,
    },
    /// Channels without positions, `[c]`.
    Vector {
        /// Channels.
        c: usize,
    },
}

impl Shape {
    /// How many channels there are.
    pub fn channels(self) -> usize {
        match self {
            Shape::Map { c, .. } | Shape::Vector { c } => c,
        }
    }

    /// Height and width; a vector has one position.
    pub fn positions(self) -> [usize; 2] {
        match self {
            Shape::Map { h, w, .. } => [h, w],
            Shape::Vector { .. } => [1, 1],
        }
    }

    /// The same positions with `c` channels.
    pub fn with_channels(self, c: usize) -> Self {
        match self {
            Shape::Map { h, w, .. } => Shape::Map { c, h, w },
            Shape::Vector { .. } => Shape::Vector { c },
        }
    }

    /// `[c, h, w]` or `[c]`.
    pub fn dims(self) -> Vec<usize> {
        match self {
            Shape::Map { c, h, w } => vec![c, h, w],
            Shape::Vector { c } => vec![c],
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}

/// A window along one axis: how much padding stands before and after, and how many places it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Padding before the map.
    pub before: usize,
    /// Padding after it.
    pub after: usize,
    /// What a last window hangs over the padded edge (with [`Window::ceil`]).
    pub overhang: usize,
    /// How many places the window takes.
    pub output: usize,
}

/// The window's extent down and to the right on a map of `h` × `w`, or nothing when the window does not fit.
pub fn resolve(window: &Window, [h, w]: [usize; 2]) -> Option<[Extent; 2]> {
    let axis = |i: usize, input: usize, explicit: (usize, usize)| {
        let (stride, reach) = (window.stride[i], (window.size[i].max(1) - 1) * window.dilation[i] + 1);
        let (before, after) = match window.padding {
            Padding::Explicit { .. } => explicit,
            Padding::Same => {
                let total = ((input.div_ceil(stride).max(1) - 1) * stride + reach).saturating_sub(input);
                (total / 2, total - total / 2)
            }
        };
        let room = (before + input + after).checked_sub(reach).filter(|_| input > 0)?;
        let mut output = room / stride + 1;
        // A window may hang over the end, but it starts inside the map or its first padding.
        if window.ceil && room % stride != 0 && output * stride < input + before {
            output += 1;
        }
        let overhang = ((output - 1) * stride).saturating_sub(room);
        Some(Extent { before, after, overhang, output })
    };
    let (rows, columns) = match window.padding {
        Padding::Explicit { top, bottom, left, right } => ((top, bottom), (left, right)),
        Padding::Same => ((0, 0), (0, 0)),
    };
    Some([axis(0, h, rows)?, axis(1, w, columns)?])
}

/// How many elements of a window along one axis count in a mean, at each output, on a map that is `input` long there.
pub fn counted(window: &Window, axis: usize, extent: Extent, input: usize, count_padding: bool) -> Vec<usize> {
    let (k, stride, dilation) = (window.size[axis], window.stride[axis], window.dilation[axis]);
    let counts = match count_padding {
        true => 0..extent.before + input + extent.after,
        false => extent.before..extent.before + input,
    };
    let windows = (0..extent.output).map(|i| (0..k).map(move |j| i * stride + j * dilation));
    windows.map(|places| places.filter(|place| counts.contains(place)).count().max(1)).collect()
}

/// The output shape of `op`, or what is wrong with its inputs.
pub(super) fn infer(node: &str, op: &Op, inputs: &[Shape]) -> Result<Shape, Error> {
    let wrong = |reason: String| Error::Shape {
        node: node.to_owned(),
        kind: op.kind(),
        inputs: inputs.iter().map(Shape::to_string).collect::<Vec<_>>().join(", "),
        reason,
    };
    let slide = |window: &Window, c: usize, [h, w]: [usize; 2]| {
        let [rows, columns] = resolve(window, [h, w]).ok_or_else(|| {
            let [kh, kw] = window.size;
            wrong(format!("its {kh}x{kw} window does not fit"))
        })?;
        Ok(Shape::Map { c, h: rows.output, w: columns.output })
    };
    match (op, inputs) {
        (Op::Affine { scale, .. }, &[shape]) => match scale.values().len() {
            n if n == shape.channels() => Ok(shape),
            n => Err(wrong(format!("it has {n} channels"))),
        },
        (Op::Relu | Op::Relu6 | Op::Pointwise(_) | Op::Softmax, &[shape]) => Ok(shape),
        (Op::Constant(values), []) => match *values.shape() {
            [c] => Ok(Shape::Vector { c }),
            [c, h, w] => Ok(Shape::Map { c, h, w }),
            _ => Err(wrong(format!("its numbers are {:?}", values.shape()))),
        },
        (Op::Convolution(convolution), &[Shape::Map { c, h, w }]) => {
            let &[outputs, per_group, kh, kw] = convolution.weight.shape() else {
                return Err(wrong(format!("its kernel is {:?}, not [out, in, kh, kw]", convolution.weight.shape())));
            };
            let groups = convolution.groups;
            if [kh, kw] != convolution.window.size {
                Err(wrong(format!("its kernel is {kh}x{kw}")))
            } else if groups == 0 || c != per_group * groups || outputs % groups != 0 {
                Err(wrong(format!("its kernel takes {per_group} channels in each of {groups} groups")))
            } else if [&convolution.scale, &convolution.bias].into_iter().flatten().any(|w| w.shape() != [outputs]) {
                Err(wrong(format!("its scale or bias is not [{outputs}]")))
            } else {
                slide(&convolution.window, outputs, [h, w])
            }
        }
        (Op::Linear(linear), &[Shape::Vector { c }]) => match *linear.weight.shape() {
            [outputs, inputs] if inputs == c && linear.bias.as_ref().is_none_or(|bias| bias.shape() == [outputs]) => {
                Ok(Shape::Vector { c: outputs })
            }
            _ => Err(wrong(format!("its weights are {:?}", linear.weight.shape()))),
        },
        (Op::MaxPool(window) | Op::AveragePool { window, .. }, &[Shape::Map { c, h, w }]) => slide(window, c, [h, w]),
        (Op::LocalResponseNorm(norm), &[shape @ Shape::Map { .. }]) => match norm.size % 2 {
            1 => Ok(shape),
            _ => Err(wrong(format!("its size {} is not odd", norm.size))),
        },
        (Op::Concat, [first, ..]) => {
            if inputs
                .iter()
                .any(|shape| shape.positions() != first.positions() || shape.dims().len() != first.dims().len())
            {
                return Err(wrong("only channels may differ".into()));
            }
            let c = inputs.iter().map(|shape| shape.channels()).sum();
            Ok(match *first {
                Shape::Map { h, w, .. } => Shape::Map { c, h, w },
                Shape::Vector { .. } => Shape::Vector { c },
            })
        }
        (Op::Add, [first, rest @ ..]) if rest.iter().all(|shape| shape == first) => Ok(*first),
        (Op::Add, [_, ..]) => Err(wrong("all must be the same".into())),
        (Op::Multiply, &[a, b]) => match (a, b) {
            _ if a == b => Ok(a),
            (Shape::Map { c, .. }, Shape::Map { c: d, h: 1, w: 1 }) if c == d => Ok(a),
            (Shape::Map { c: d, h: 1, w: 1 }, Shape::Map { c, .. }) if c == d => Ok(b),
            (Shape::Map { c, .. }, Shape::Vector { c: d }) if c == d => Ok(a),
            (Shape::Vector { c: d }, Shape::Map { c, .. }) if c == d => Ok(b),
            _ => Err(wrong("they must be the same, or one of them [c, 1, 1] or [c]".into())),
        },
        (Op::Flatten, &[shape]) => Ok(Shape::Vector { c: shape.dims().iter().product() }),
        (Op::GlobalMean, &[Shape::Map { c, .. }]) => Ok(Shape::Vector { c }),
        (Op::AdaptiveAveragePool(size), &[Shape::Map { c, .. }]) => {
            let [h, w] = *size;
            if h * w == 0 { Err(wrong("it has no parts".into())) } else { Ok(Shape::Map { c, h, w }) }
        }
        (Op::LayerNorm { gamma, beta, .. }, &[shape]) => match shape.channels() {
            c if gamma.shape() == [c] && beta.shape() == [c] => Ok(shape),
            _ => Err(wrong(format!("its gamma is {:?}, its beta {:?}", gamma.shape(), beta.shape()))),
        },
        (Op::Select(channels), &[shape]) => match channels.iter().max() {
            Some(&last) if last < shape.channels() => Ok(shape.with_channels(channels.len())),
            Some(last) => Err(wrong(format!("it selects channel {last}"))),
            None => Err(wrong("it selects nothing".into())),
        },
        (Op::Pad { rows, columns, .. }, &[Shape::Map { c, h, w }]) => {
            Ok(Shape::Map { c, h: rows[0] + h + rows[1], w: columns[0] + w + columns[1] })
        }
        (&Op::Crop { origin: [y, x], size: [rows, columns] }, &[Shape::Map { c, h, w }]) => {
            match y + rows <= h && x + columns <= w && rows * columns > 0 {
                true => Ok(Shape::Map { c, h: rows, w: columns }),
                false => Err(wrong(format!("it takes {rows}x{columns} from [{y}, {x}] on"))),
            }
        }
        (&Op::ResizeBilinear { size: [rows, columns], .. }, &[Shape::Map { c, h, w }]) => {
            match rows * columns * h * w {
                0 => Err(wrong("nothing has no size".into())),
                _ => Ok(Shape::Map { c, h: rows, w: columns }),
            }
        }
        (Op::Tokens, &[Shape::Map { c, h, w }]) => Ok(Shape::Map { c, h: h * w, w: 1 }),
        (Op::Stack, &[Shape::Map { c, w, .. }, ..]) => {
            let rows = inputs.iter().map(|shape| match *shape {
                Shape::Map { c: d, h, w: v } if (d, v) == (c, w) => Ok(h),
                _ => Err(wrong("only rows may differ".into())),
            });
            Ok(Shape::Map { c, h: rows.sum::<Result<usize, _>>()?, w })
        }
        (&Op::Scores { heads, .. }, &[Shape::Map { c, h: queries, w: 1 }, Shape::Map { c: d, h: keys, w: 1 }]) => {
            match c == d && heads > 0 && c % heads == 0 {
                true => Ok(Shape::Map { c: heads, h: queries, w: keys }),
                false => Err(wrong(format!("its {heads} heads want the same channels of both, a multiple of them"))),
            }
        }
        (Op::RowSoftmax, &[shape @ Shape::Map { .. }]) => Ok(shape),
        (Op::Attend, &[Shape::Map { c: heads, h: queries, w: keys }, Shape::Map { c, h, w: 1 }]) => {
            match h == keys && c % heads == 0 {
                true => Ok(Shape::Map { c, h: queries, w: 1 }),
                false => Err(wrong("the attention is for other values".into())),
            }
        }
        _ => Err(wrong("it takes other inputs".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(window: Window, side: usize) -> Option<usize> {
        resolve(&window, [side, side]).map(|[rows, _]| rows.output)
    }

    #[test]
    fn windows_count_as_in_pytorch_and_tensorflow() {
        assert_eq!(outputs(Window::new(3, 2), 7), Some(3));
        assert_eq!(outputs(Window::new(3, 2), 8), Some(3));
        assert_eq!(outputs(Window::new(3, 2).ceil(), 8), Some(4));
        assert_eq!(outputs(Window::new(3, 2).ceil(), 7), Some(3));
        assert_eq!(outputs(Window::new(3, 2), 2), None);
        assert_eq!(outputs(Window::new(3, 1).dilated(2), 7), Some(3));
        assert_eq!(outputs(Window::new(7, 2).padded(Padding::Same), 45), Some(23));
        // A fourth window would start at row 6 of 6, behind the map: it does not count.
        assert_eq!(outputs(Window::new(1, 2).padded(Padding::all(1)).ceil(), 4), Some(3));
    }

    #[test]
    fn same_padding_puts_the_odd_row_last() {
        let [rows, _] = resolve(&Window::new(3, 2).padded(Padding::Same), [8, 8]).unwrap();
        assert_eq!(rows, Extent { before: 0, after: 1, overhang: 0, output: 4 });
    }

    #[test]
    fn a_wrong_input_is_named_with_its_shape() {
        let error = infer("fire2/concat", &Op::Add, &[Shape::Vector { c: 2 }, Shape::Vector { c: 3 }]).unwrap_err();
        assert_eq!(error.to_string(), "node `fire2/concat` (add) cannot take [2], [3]: all must be the same");
    }
}
