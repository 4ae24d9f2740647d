use burn::tensor::{Device, Tensor, TensorData};

/// The size that [`scale()`](fn@scale) makes of `size`: the product in single precision, truncated, as Lucid does.
pub fn scaled(size: [usize; 2], factor: f32) -> [usize; 2] {
    size.map(|side| (factor * side as f32) as usize)
}

/// Resizes bilinearly, by the rule of TensorFlow 1: the source of pixel `i` is `i * in / out`, without half-pixel
/// centers, clamped at the last one.
///
/// # Shapes
/// - images: `[n, c, h, w]`
/// - value: `[n, c, h', w']`, see [`scaled`]
pub fn scale(images: Tensor<4>, factor: f32) -> Tensor<4> {
    let [n, c, h, w] = images.dims();
    let [to_h, to_w] = scaled([h, w], factor);
    let device = images.device();
    let images = match to_w == w {
        true => images,
        false => {
            let columns = interpolation(w, to_w, &device).transpose();
            images.reshape([n * c * h, w]).matmul(columns).reshape([n, c, h, to_w])
        }
    };
    match to_h == h {
        true => images,
        false => interpolation(h, to_h, &device).unsqueeze::<4>().matmul(images),
    }
}

/// The weights `[to, from]` with which each output reads its two nearest inputs.
fn interpolation(from: usize, to: usize, device: &Device) -> Tensor<2> {
    let step = from as f32 / to as f32;
    let mut weights = vec![0.0; to * from];
    for (i, row) in weights.chunks_mut(from).enumerate() {
        let source = i as f32 * step;
        let below = (source as usize).min(from - 1);
        let above = (below + 1).min(from - 1);
        let fraction = source - below as f32;
        row[below] += 1.0 - fraction;
        row[above] += fraction;
    }
    Tensor::from_data(TensorData::new(weights, [to, from]), device)
}
