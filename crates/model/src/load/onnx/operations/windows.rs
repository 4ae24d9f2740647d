//! Convolutions, pools and resizing.

use super::{Call, Cannot, Known, Lift, Value, cannot};
use crate::{
    graph::{LocalResponseNorm, Padding, Sampling, Window, resolve},
    load::lift::Layout,
};

pub(super) fn apply(lift: &mut Lift, call: &Call, kind: &str) -> Known {
    Some(match kind {
        "Conv" => convolution(lift, call),
        "MaxPool" => max_pool(lift, call),
        "AveragePool" => average_pool(lift, call),
        "GlobalAveragePool" => call.input(0).and_then(|x| lift.global_mean(&call.name, x, Layout::Nchw)),
        "GlobalMaxPool" => call.input(0).and_then(|x| lift.global_max(&call.name, x, Layout::Nchw)),
        "LRN" => local_response_norm(lift, call),
        "BatchNormalization" => batch_norm(lift, call),
        "Resize" | "Upsample" => resize(lift, call, kind),
        _ => return None,
    })
}

fn convolution(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let (x, kernel, bias) = (call.input(0)?, call.constant(1)?, call.optional_constant(2)?);
    let &[_, _, kh, kw] = kernel.dims() else {
        return Err(cannot(format!("its kernel is {:?}; only two-dimensional ones are known", kernel.dims())));
    };
    let window = window(call, [kh, kw], x)?;
    let groups = call.count("group")?.unwrap_or(1);
    lift.convolution(&call.name, x, kernel, bias, window, groups, Layout::Nchw)
}

fn max_pool(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let window = window(call, kernel_shape(call)?, x)?;
    lift.max_pool(&call.name, x, window, Layout::Nchw)
}

fn average_pool(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let window = window(call, kernel_shape(call)?, x)?;
    let count_padding = call.int("count_include_pad").unwrap_or(0) != 0;
    lift.average_pool(&call.name, x, window, count_padding, Layout::Nchw)
}

fn pair(call: &Call, name: &str) -> Result<Option<[usize; 2]>, Cannot> {
    let wrong = |values: &[i64]| cannot(format!("{name} is {values:?}"));
    match call.ints(name) {
        None | Some([]) => Ok(None),
        Some(values @ &[y, x]) => match (usize::try_from(y), usize::try_from(x)) {
            (Ok(y), Ok(x)) => Ok(Some([y, x])),
            _ => Err(wrong(values)),
        },
        Some(values) => Err(wrong(values)),
    }
}

fn kernel_shape(call: &Call) -> Result<[usize; 2], Cannot> {
    pair(call, "kernel_shape")?.ok_or_else(|| cannot("its kernel has no shape"))
}

fn window(call: &Call, size: [usize; 2], x: &Value) -> Result<Window, Cannot> {
    let stride = pair(call, "strides")?.unwrap_or([1, 1]);
    let dilation = pair(call, "dilations")?.unwrap_or([1, 1]);
    let ceil = call.int("ceil_mode").unwrap_or(0) != 0;
    let window = Window { size, stride, dilation, padding: Padding::NONE, ceil };
    let padding = match call.text("auto_pad").unwrap_or("NOTSET") {
        "NOTSET" => match call.ints("pads") {
            None | Some([]) => Padding::NONE,
            Some(pads @ &[top, left, bottom, right]) => {
                let side = |n: i64| usize::try_from(n).map_err(|_| cannot(format!("pads is {pads:?}")));
                Padding::Explicit { top: side(top)?, bottom: side(bottom)?, left: side(left)?, right: side(right)? }
            }
            Some(pads) => return Err(cannot(format!("pads is {pads:?}"))),
        },
        "VALID" => Padding::NONE,
        "SAME_UPPER" => Padding::Same,
        "SAME_LOWER" => lower(&window, x)?,
        other => return Err(cannot(format!("auto_pad is `{other}`"))),
    };
    Ok(Window { padding, ..window })
}

/// As much padding as `SAME`, the odd one above and to the left, at the graph's own image size.
fn lower(window: &Window, x: &Value) -> Result<Padding, Cannot> {
    let &[_, _, h, w] = &x.dims()[..] else { return Err(cannot("its input is no image")) };
    let small = [window.size, window.stride, window.dilation].iter().flatten().all(|&n| (1..1 << 16).contains(&n));
    let same = Window { padding: Padding::Same, ceil: false, ..*window };
    let [rows, columns] =
        small.then(|| resolve(&same, [h, w])).flatten().ok_or_else(|| cannot("its window does not fit"))?;
    Ok(Padding::Explicit { top: rows.after, bottom: rows.before, left: columns.after, right: columns.before })
}

fn local_response_norm(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let size = call.count("size")?.filter(|&size| size > 0).ok_or_else(|| cannot("it has no size"))?;
    let float = |name: &str, default: f32| call.float(name).unwrap_or(default);
    let norm = LocalResponseNorm::caffe(size, float("alpha", 1e-4), float("beta", 0.75), float("bias", 1.0));
    lift.local_response_norm(&call.name, call.input(0)?, norm, Layout::Nchw)
}

fn batch_norm(lift: &mut Lift, call: &Call) -> Result<Value, Cannot> {
    let constants = [call.constant(1)?, call.constant(2)?, call.constant(3)?, call.constant(4)?];
    if call.int("training_mode").unwrap_or(0) != 0 {
        return Err(cannot("it is in training"));
    }
    lift.batch_norm(&call.name, call.input(0)?, 1, constants, call.float("epsilon").unwrap_or(1e-5))
}

fn resize(lift: &mut Lift, call: &Call, kind: &str) -> Result<Value, Cannot> {
    let x = call.input(0)?;
    let dims = x.dims();
    let mode = call.text("mode").unwrap_or("nearest");
    if dims.len() != 4 {
        return Err(cannot(format!("{dims:?} is not an image")));
    }
    if mode != "linear" && mode != "bilinear" {
        return Err(cannot(format!("its mode is `{mode}`; only `linear` is known")));
    }
    let sampling = match call.text("coordinate_transformation_mode") {
        _ if kind == "Upsample" || call.opset < 11 => Sampling::Asymmetric,
        None | Some("half_pixel" | "pytorch_half_pixel") => Sampling::HalfPixel,
        Some("align_corners") => Sampling::AlignCorners,
        Some("asymmetric") => Sampling::Asymmetric,
        Some(other) => return Err(cannot(format!("its coordinates are `{other}`"))),
    };
    if call.int("antialias").unwrap_or(0) != 0 {
        return Err(cannot("it smooths what it makes smaller"));
    }
    let (scales, sizes) = match (kind, call.opset) {
        ("Upsample", _) | (_, 10) => (1, 9),
        _ => (2, 3),
    };
    let scaled = |axis: usize, scale: f32| (dims[axis] as f32 * scale).floor() as usize;
    let mut wanted = dims.clone();
    let filled = |i: usize| call.optional_constant(i).map(|constant| constant.filter(|constant| constant.len() > 0));
    match (filled(sizes)?, filled(scales)?, call.floats("scales")) {
        (Some(sizes), _, _) if sizes.len() == 4 => {
            for (wanted, size) in wanted.iter_mut().zip(sizes.to_integers()?) {
                *wanted = usize::try_from(size).map_err(|_| cannot("a size is negative"))?;
            }
        }
        (None, Some(scales), _) if scales.len() == 4 => {
            for (axis, scale) in scales.to_floats()?.into_iter().enumerate() {
                wanted[axis] = scaled(axis, scale);
            }
        }
        (None, None, Some(&[_, _, y, x])) => wanted = vec![dims[0], dims[1], scaled(2, y), scaled(3, x)],
        _ => return Err(cannot("it says neither a size nor a scale for each axis")),
    }
    if wanted[..2] != dims[..2] {
        return Err(cannot("it resizes the channels"));
    }
    lift.resize_bilinear(&call.name, x, [wanted[2], wanted[3]], sampling, Layout::Nchw)
}
