//! Windows over maps, and other operations on the channels and positions of images.

use super::{Cannot, Constant, Inputs, Output, Value, cannot, layout, size};
use crate::{
    graph::{LocalResponseNorm, Padding, Sampling, Window},
    load::{
        graphdef::{attributes::Layout, import::Import, message::NodeDef},
        lift,
    },
};

/// A map of which every so manyth row and column makes an image of its own, as dilated convolutions were written.
#[derive(Debug, Clone)]
pub(in crate::load::graphdef) struct Batched {
    /// The map.
    x: Value,
    /// How many images rows and columns are spread over.
    block: [usize; 2],
    /// The border that it was given before that: rows above and below, columns to the left and to the right.
    border: [[usize; 2]; 2],
    /// What is computed of it.
    convolution: Option<(String, Kernel)>,
}

/// A kernel as lift takes it, and into how many groups channels fall.
#[derive(Debug, Clone)]
struct Kernel {
    weights: Constant,
    groups: usize,
}

impl Import {
    pub(super) fn windows(&mut self, op: &str, node: &NodeDef, x: Inputs<'_>) -> Result<Option<Vec<Output>>, Cannot> {
        let name = &*node.name;
        let value = match op {
            "Conv2D" | "DepthwiseConv2dNative" => {
                return self.convolution(op, node, x).map(|output| Some(vec![output]));
            }
            "BiasAdd" | "BiasAddV1" => {
                let axis = match layout(node)? {
                    Layout::Nchw if x.value(0)?.dims().len() > 2 => 1,
                    _ => x.value(0)?.dims().len().saturating_sub(1),
                };
                self.lift.bias_add(name, x.value(0)?, x.constant(1)?, axis)?
            }
            "FusedBatchNorm" | "FusedBatchNormV2" | "FusedBatchNormV3" => {
                if node.flag("is_training", true) {
                    return Err(cannot("it normalizes by the batch, as in training"));
                }
                // TensorFlow orders them scale, offset, mean, variance, as gamma, beta, mean and variance are.
                let constants = [x.constant(1)?, x.constant(2)?, x.constant(3)?, x.constant(4)?];
                let epsilon = node.float("epsilon", 1e-4);
                self.lift.batch_norm(name, x.value(0)?, layout(node)?.channels(), constants, epsilon)?
            }
            "MaxPool" | "AvgPool" | "MaxPoolV2" => {
                let window = match op {
                    "MaxPoolV2" => self.window_of_inputs(node, x)?,
                    _ => Window {
                        size: spatial(node, "ksize")?,
                        stride: spatial(node, "strides")?,
                        padding: padding(node)?,
                        ..Window::new(1, 1)
                    },
                };
                let layout = layout(node)?.into();
                match op {
                    "AvgPool" => self.lift.average_pool(name, x.value(0)?, window, false, layout)?,
                    _ => self.lift.max_pool(name, x.value(0)?, window, layout)?,
                }
            }
            "LRN" => {
                let radius = size(node.integer("depth_radius", 5))?;
                let radius = if radius > 1 << 16 { return Err(cannot("its radius is too large")) } else { radius };
                let [bias, alpha, beta] =
                    [("bias", 1.0), ("alpha", 1.0), ("beta", 0.5)].map(|(name, default)| node.float(name, default));
                let norm = LocalResponseNorm::tensorflow(radius, alpha, beta, bias);
                self.lift.local_response_norm(name, x.value(0)?, norm, lift::Layout::Nhwc)?
            }
            "ResizeBilinear" => {
                let sampling = match (node.flag("align_corners", false), node.flag("half_pixel_centers", false)) {
                    (true, _) => Sampling::AlignCorners,
                    (false, true) => Sampling::HalfPixel,
                    (false, false) => Sampling::Asymmetric,
                };
                let &[h, w] = &x.integers(1)?[..] else { return Err(cannot("it takes a height and a width")) };
                self.lift.resize_bilinear(name, x.value(0)?, [size(h)?, size(w)?], sampling, lift::Layout::Nhwc)?
            }
            "SpaceToBatchND" => {
                let ([block, border], x) = (blocks(x)?, x.value(0)?.clone());
                let block = block.map(|[block, _]| block);
                return Ok(Some(vec![Output::Batched(Box::new(Batched { x, block, border, convolution: None }))]));
            }
            "BatchToSpaceND" => self.from_batch(x)?,
            _ => return Ok(None),
        };
        Ok(Some(vec![value.into()]))
    }

    fn convolution(&mut self, op: &str, node: &NodeDef, x: Inputs<'_>) -> Result<Output, Cannot> {
        let kernel = match op {
            "Conv2D" => self.kernel(x.value(0), x.value(1)?, layout(node)?)?,
            _ => self.depthwise_kernel(x.value(1)?)?,
        };
        let window = Window {
            stride: spatial(node, "strides")?,
            dilation: spatial(node, "dilations")?,
            padding: padding(node)?,
            ..Window::new(1, 1)
        };
        match x.get(0)? {
            Output::Batched(batched) if batched.convolution.is_none() => match window {
                Window { stride: [1, 1], dilation: [1, 1], padding: Padding::NONE, .. } => {
                    let convolution = Some((node.name.clone(), kernel));
                    Ok(Output::Batched(Box::new(Batched { convolution, ..(**batched).clone() })))
                }
                _ => Err(cannot("its positions are in the batch, and it has strides or padding")),
            },
            output => {
                let (x, layout) = (super::value(output)?, layout(node)?.into());
                let convolved =
                    self.lift.convolution(&node.name, x, &kernel.weights, None, window, kernel.groups, layout)?;
                Ok(convolved.into())
            }
        }
    }

    /// A kernel `[h, w, in / groups, out]` as `[out, in / groups, h, w]`; its input says how many groups there are.
    fn kernel(&mut self, x: Result<&Value, Cannot>, kernel: &Value, layout: Layout) -> Result<Kernel, Cannot> {
        let weights = kernel.constant()?.clone();
        let &[_, _, inputs, _] = weights.dims() else {
            return Err(cannot(format!("its kernel is {:?}, not [h, w, in, out]", weights.dims())));
        };
        let channels = x.ok().and_then(|x| x.dims().get(layout.channels()).copied()).unwrap_or(inputs);
        let groups = if inputs > 0 && channels % inputs == 0 { channels / inputs } else { 1 };
        Ok(Kernel { weights: weights.transposed(&[3, 2, 0, 1]), groups })
    }

    /// A kernel `[h, w, in, multiplier]` as `[in multiplier, 1, h, w]`, every channel a group.
    fn depthwise_kernel(&mut self, kernel: &Value) -> Result<Kernel, Cannot> {
        let &[h, w, inputs, multiplier] = kernel.constant()?.dims() else {
            return Err(cannot(format!("its kernel is {:?}, not [h, w, in, multiplier]", kernel.dims())));
        };
        let outputs = inputs.checked_mul(multiplier).ok_or_else(|| cannot("its kernel is too large"))?;
        let kernel = self.lift.transpose(kernel, &[2, 3, 0, 1])?;
        let kernel = self.lift.reshape(&kernel, &[outputs as i64, 1, h as i64, w as i64], false)?;
        Ok(Kernel { weights: kernel.constant()?.clone(), groups: inputs })
    }

    fn window_of_inputs(&mut self, node: &NodeDef, x: Inputs<'_>) -> Result<Window, Cannot> {
        let layout = layout(node)?;
        let two = |axes: Vec<i64>| {
            let axes = <[i64; 4]>::try_from(axes).ok().and_then(|axes| layout.spatial(axes, 1));
            let [rows, columns] = axes.ok_or_else(|| cannot("its window runs over images or channels"))?;
            Ok::<_, Cannot>([size(rows)?, size(columns)?])
        };
        let (size, stride) = (two(x.integers(1)?)?, two(x.integers(2)?)?);
        Ok(Window { size, stride, padding: padding(node)?, ..Window::new(1, 1) })
    }

    /// The end of a dilated convolution: its positions back from the batch.
    fn from_batch(&mut self, inputs: Inputs<'_>) -> Result<Value, Cannot> {
        let Output::Batched(batched) = inputs.get(0)? else { return Err(cannot("it takes images apart")) };
        let Batched { x, block, border, convolution } = &**batched;
        let [of, crops] = blocks(inputs)?;
        if of.map(|[block, _]| block) != *block {
            return Err(cannot("positions come back from the batch otherwise than they went there"));
        }
        let Some((name, kernel)) = convolution else { return Err(cannot("it has no convolution before it")) };
        // What is cut off after the convolution need not be there before it.
        let side = |axis: usize, end: usize| {
            let rest = border[axis][end].checked_sub(crops[axis][end]);
            rest.ok_or_else(|| cannot("it cuts off more than was added"))
        };
        let padding =
            Padding::Explicit { top: side(0, 0)?, bottom: side(0, 1)?, left: side(1, 0)?, right: side(1, 1)? };
        let window = Window { dilation: *block, padding, ..Window::new(1, 1) };
        let Kernel { weights, groups } = kernel;
        self.lift.convolution(name, x, weights, None, window, *groups, lift::Layout::Nhwc)
    }
}

/// The second and third input of SpaceToBatchND and its inverse: block sizes (each twice), and rows and columns at each end.
fn blocks(x: Inputs<'_>) -> Result<[[[usize; 2]; 2]; 2], Cannot> {
    let (block, border) = (x.integers(1)?, x.integers(2)?);
    match (&block[..], &border[..]) {
        (&[rows, columns], &[top, bottom, left, right]) => {
            let (rows, columns) = (size(rows)?, size(columns)?);
            let border = [[size(top)?, size(bottom)?], [size(left)?, size(right)?]];
            Ok([[[rows; 2], [columns; 2]], border])
        }
        _ => Err(cannot("it moves other axes than rows and columns")),
    }
}

fn spatial(node: &NodeDef, name: &str) -> Result<[usize; 2], Cannot> {
    node.spatial(name).map_err(cannot)
}

fn padding(node: &NodeDef) -> Result<Padding, Cannot> {
    match (node.text("padding"), node.integers("explicit_paddings")) {
        (Some("SAME"), _) => Ok(Padding::Same),
        (Some("VALID"), _) => Ok(Padding::NONE),
        (Some("EXPLICIT"), Some(sides)) => {
            let pairs: Vec<[i64; 2]> = sides.as_chunks().0.to_vec();
            let two = <[[i64; 2]; 4]>::try_from(pairs).ok().and_then(|axes| layout(node).ok()?.spatial(axes, [0, 0]));
            let [rows, columns] = two.ok_or_else(|| cannot(format!("its paddings are {sides:?}")))?;
            let [top, bottom] = [size(rows[0])?, size(rows[1])?];
            Ok(Padding::Explicit { top, bottom, left: size(columns[0])?, right: size(columns[1])? })
        }
        (other, _) => Err(cannot(format!("its padding is {other:?}"))),
    }
}
