//! Params made of params.

use std::{
    iter::Sum,
    ops::{Add, Div, Mul, Neg, Range, Sub},
};

use burn::tensor::{Int, Tensor, TensorData};
use rand::RngExt;

use super::{Param, ValidRgb, bilinearly_sampled_image, color, drawn};

/// All images in one batch.
///
/// ```
/// use entoptic::param::{fft_image, stack};
///
/// let images = stack([fft_image([1, 3, 64, 64]), fft_image([2, 3, 64, 64])]);
/// assert_eq!(images.shape(), [3, 3, 64, 64]);
/// ```
///
/// # Panics
/// If there is none, or if they differ in channels or size.
pub fn stack(params: impl IntoIterator<Item = Param>) -> Param {
    concatenate(0, params)
}

/// All channels in one image, such as colors and alpha.
///
/// ```
/// use entoptic::param::{fft_image, pixel_image, stack_channels};
///
/// let image = stack_channels([fft_image([1, 3, 64, 64]), pixel_image([1, 1, 64, 64])]);
/// assert_eq!(image.shape(), [1, 4, 64, 64]);
/// ```
///
/// # Panics
/// If there is none, or if they differ in batch or size.
pub fn stack_channels(params: impl IntoIterator<Item = Param>) -> Param {
    concatenate(1, params)
}

fn concatenate(axis: usize, params: impl IntoIterator<Item = Param>) -> Param {
    let params: Vec<Param> = params.into_iter().collect();
    let mut shape = params.first().expect("a stack holds a param or more").shape();
    shape[axis] = params.iter().map(|param| param.shape()[axis]).sum();
    for param in &params {
        let differs = (0..4).any(|other| other != axis && param.shape()[other] != shape[other]);
        assert!(!differs, "{:?} cannot be stacked with {:?} along axis {axis}", param.shape(), params[0].shape());
    }
    Param::of(params, shape, move |_| Box::new(move |inputs, _| Tensor::cat(inputs.to_vec(), axis)))
}

/// Free values `[n, 3, h, w]` as colors in `0..=1`.
///
/// ```
/// use entoptic::param::{ValidRgb, fft_image, to_valid_rgb};
///
/// let image = to_valid_rgb(0.5 * fft_image([1, 3, 64, 64]), ValidRgb::new());
/// assert_eq!(image.shape(), [1, 3, 64, 64]);
/// ```
///
/// # Panics
/// If there are not three channels.
///
/// # Reference
/// `to_valid_rgb` in Lucid, `color.py`; [`color::to_valid_rgb`] is the formula.
pub fn to_valid_rgb(free: Param, ValidRgb { decorrelate, squash }: ValidRgb) -> Param {
    let shape @ [_, c, _, _] = free.shape();
    assert_eq!(c, 3, "colors have three channels");
    free.map(shape, move |free| color::to_valid_rgb(free, decorrelate, squash))
}

/// Free values in `0..=1`, each for itself, such as opacity.
///
/// ```
/// use entoptic::param::{ValidRgb, fft_image, sigmoid, stack_channels, to_valid_rgb};
///
/// let free = fft_image([1, 4, 64, 64]);
/// let colors = to_valid_rgb(free.channels(0..3), ValidRgb::new());
/// let image = stack_channels([colors, sigmoid(free.channels(3..4))]);
/// assert_eq!(image.shape(), [1, 4, 64, 64]);
/// ```
pub fn sigmoid(free: Param) -> Param {
    let shape = free.shape();
    free.map(shape, color::sigmoid)
}

/// `count` whole numbers below `n`, each as likely, drawn anew at each step: `[count, 1, 1, 1]`.
///
/// What is gathered by the same choice, images and the directions they are optimized for, stays together. See
/// [`Param::gather`].
///
/// ```
/// use entoptic::param::random_choice;
///
/// assert_eq!(random_choice(10, 3).shape(), [3, 1, 1, 1]);
/// ```
///
/// # Panics
/// If `n` is 0.
pub fn random_choice(n: usize, count: usize) -> Param {
    assert!(n > 0, "there is something to choose from");
    drawn([count, 1, 1, 1], move |chance, device| {
        let chosen: Vec<f32> = (0..count).map(|_| chance.random_range(0..n) as f32).collect();
        Tensor::from_data(TensorData::new(chosen, [count, 1, 1, 1]), device)
    })
}

impl Param {
    /// The same value, through which no gradient passes.
    ///
    /// ```
    /// use entoptic::param::fft_image;
    ///
    /// let image = fft_image([1, 4, 64, 64]);
    /// let alpha = image.channels(3..4);
    /// // Opacity decides what the colors weigh, but does not learn from them.
    /// let colors = image.channels(0..3) * alpha.stop_gradient();
    /// assert_eq!(colors.shape(), [1, 3, 64, 64]);
    /// ```
    pub fn stop_gradient(self) -> Self {
        let shape = self.shape();
        self.map(shape, Tensor::detach)
    }

    /// Image `i` alone, still as a batch (of one).
    ///
    /// ```
    /// use entoptic::param::fft_image;
    ///
    /// assert_eq!(fft_image([5, 3, 64, 64]).image(4).shape(), [1, 3, 64, 64]);
    /// ```
    ///
    /// # Panics
    /// If there is none.
    pub fn image(&self, i: usize) -> Self {
        self.images(i..i + 1)
    }

    /// Some images of the batch.
    ///
    /// ```
    /// use entoptic::param::fft_image;
    ///
    /// assert_eq!(fft_image([5, 3, 64, 64]).images(1..4).shape(), [3, 3, 64, 64]);
    /// ```
    ///
    /// # Panics
    /// If they are not all there.
    pub fn images(&self, range: Range<usize>) -> Self {
        self.narrow(0, range)
    }

    /// Some channels: of an image with alpha, `0..3` are its colors and `3..4` is its alpha.
    ///
    /// ```
    /// use entoptic::param::fft_image;
    ///
    /// let image = fft_image([1, 4, 64, 64]);
    /// assert_eq!(image.channels(0..3).shape(), [1, 3, 64, 64]);
    /// assert_eq!(image.channels(3..4).shape(), [1, 1, 64, 64]);
    /// ```
    ///
    /// # Panics
    /// If they are not all there.
    pub fn channels(&self, range: Range<usize>) -> Self {
        self.narrow(1, range)
    }

    /// The part of `size` `[h, w]` that starts at `offset` `[y, x]`.
    ///
    /// ```
    /// use entoptic::param::fft_image;
    ///
    /// assert_eq!(fft_image([1, 3, 64, 64]).crop([8, 0], [48, 64]).size(), [48, 64]);
    /// ```
    ///
    /// # Panics
    /// If it is not all there.
    pub fn crop(&self, [y, x]: [usize; 2], [h, w]: [usize; 2]) -> Self {
        self.narrow(2, y..y + h).narrow(3, x..x + w)
    }

    fn narrow(&self, axis: usize, range: Range<usize>) -> Self {
        let mut shape = self.shape();
        assert!(range.end <= shape[axis], "{range:?} is not within axis {axis} of {shape:?}");
        shape[axis] = range.len();
        self.clone().map(shape, move |x| x.narrow(axis, range.start, range.len()))
    }

    /// The same images `d` pixels smaller, cropped at a place drawn anew at each step.
    ///
    /// As the transform [`jitter`](crate::transform::jitter), but of this param alone: foreground and background can
    /// move against each other.
    ///
    /// ```
    /// use entoptic::param::fft_image;
    ///
    /// assert_eq!(fft_image([1, 3, 72, 72]).jitter(8).size(), [64, 64]);
    /// ```
    ///
    /// # Panics
    /// If the images are no larger than `d`.
    pub fn jitter(self, d: usize) -> Self {
        let [n, c, h, w] = self.shape();
        assert!(d < h.min(w), "an image of {h}x{w} cannot lose {d} pixels");
        self.map_by_chance([n, c, h - d, w - d], move |images, chance| {
            let [y, x] = [chance.random_range(0..=d), chance.random_range(0..=d)];
            images.narrow(2, y, h - d).narrow(3, x, w - d)
        })
    }

    /// The images that `choice` `[count, 1, 1, 1]` names at each step, such as a [`random_choice`].
    ///
    /// ```
    /// use entoptic::param::{fft_image, random_choice};
    ///
    /// let all = fft_image([10, 3, 64, 64]);
    /// let some = all.gather(&random_choice(10, 3));
    /// assert_eq!(some.shape(), [3, 3, 64, 64]);
    /// ```
    ///
    /// # Panics
    /// If `choice` is of another shape; at a step, if it names an image that is not there.
    pub fn gather(&self, choice: &Param) -> Self {
        let [_, c, h, w] = self.shape();
        let [count, rest @ ..] = choice.shape();
        assert_eq!(rest, [1, 1, 1], "a choice is one number for each image");
        Self::of([self.clone(), choice.clone()], [count, c, h, w], |_| {
            Box::new(|inputs, _| {
                let indices = inputs[1].clone().inner().flatten::<1>(0, 3).round().int();
                inputs[0].clone().select(0, indices)
            })
        })
    }

    /// The images at `indices`, in that order, each as often as it is named.
    ///
    /// ```
    /// use entoptic::param::fft_image;
    ///
    /// let images = fft_image([2, 3, 64, 64]);
    /// let there_and_back = images.select([0, 1, 0]);
    /// assert_eq!(there_and_back.batch(), 3);
    /// ```
    ///
    /// # Panics
    /// If one is not there.
    pub fn select(&self, indices: impl IntoIterator<Item = usize>) -> Self {
        let [n, c, h, w] = self.shape();
        let indices: Vec<i64> = indices.into_iter().map(|i| i as i64).collect();
        assert!(indices.iter().all(|&i| i < n as i64), "every image of {indices:?} is one of {n}");
        let count = indices.len();
        Self::of([self.clone()], [count, c, h, w], move |device| {
            let indices = TensorData::new(indices.clone(), [count]);
            let indices = Tensor::<1, Int>::from_data(indices, &device.clone().without_autodiff());
            Box::new(move |inputs, _| inputs[0].clone().select(0, indices.clone()))
        })
    }

    /// Weighted sums of the images: one for each row of `weights` `[count, n]`, which has one weight for each image.
    ///
    /// The factors of a [reducer](mod@crate::reducer) are such weights: images for similar activations share what they
    /// are made of.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use entoptic::param::fft_image;
    ///
    /// let weights = Tensor::<2>::from_floats([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], &Device::flex());
    /// let from_one_to_the_other = fft_image([2, 3, 64, 64]).combine(&weights);
    /// assert_eq!(from_one_to_the_other.batch(), 3);
    /// ```
    ///
    /// # Panics
    /// If a row is longer or shorter than the batch.
    pub fn combine(&self, weights: &Tensor<2>) -> Self {
        let ([n, c, h, w], [count, columns]) = (self.shape(), weights.dims());
        assert_eq!(columns, n, "there is one weight for each image");
        let weights = weights.to_data();
        Self::of([self.clone()], [count, c, h, w], move |device| {
            let weights = Tensor::<2>::from_data(weights.clone(), device);
            Box::new(move |inputs, _| {
                weights.clone().matmul(inputs[0].clone().reshape([n, c * h * w])).reshape([count, c, h, w])
            })
        })
    }

    /// The images as textures seen through coordinates `[h, w, 2]`, such as a surface's.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use entoptic::param::fft_image;
    ///
    /// let uv = Tensor::<3>::full([48, 64, 2], 0.5, &Device::flex());
    /// assert_eq!(fft_image([1, 3, 256, 256]).sampled(&uv).shape(), [1, 3, 48, 64]);
    /// ```
    ///
    /// # Panics
    /// If the coordinates are no pairs.
    ///
    /// # Reference
    /// `bilinearly_sampled_image` in Lucid, `spatial.py`; [`bilinearly_sampled_image`] is the formula.
    pub fn sampled(self, uv: &Tensor<3>) -> Self {
        let ([n, c, _, _], [h, w, two]) = (self.shape(), uv.dims());
        assert_eq!(two, 2, "coordinates are pairs");
        let uv = uv.to_data();
        Self::of([self], [n, c, h, w], move |device| {
            let uv = Tensor::<3>::from_data(uv.clone(), device);
            Box::new(move |inputs, _| bilinearly_sampled_image(inputs[0].clone(), uv.clone()))
        })
    }

    /// This where `mask` is 1, `other` where it is 0, and in between what lies between.
    ///
    /// ```
    /// use entoptic::param::{fft_image, sigmoid};
    ///
    /// let [one, other] = [fft_image([1, 3, 64, 64]), fft_image([1, 3, 64, 64])];
    /// let mask = sigmoid(fft_image([1, 1, 64, 64]));
    /// assert_eq!(one.blend(mask, other).shape(), [1, 3, 64, 64]);
    /// ```
    ///
    /// # Panics
    /// If a shape differs in an axis that is not 1.
    pub fn blend(self, mask: Param, other: Param) -> Self {
        mask.clone() * self + (1.0 - mask) * other
    }

    /// One value for each element of two params; an axis of 1 is repeated.
    fn combined(self, other: Self, function: fn(Tensor<4>, Tensor<4>) -> Tensor<4>) -> Self {
        let (a, b) = (self.shape(), other.shape());
        let fits = a.iter().zip(b).all(|(&a, b)| a == b || a == 1 || b == 1);
        assert!(fits, "{a:?} and {b:?} differ in an axis that is not 1");
        let shape = std::array::from_fn(|axis| a[axis].max(b[axis]));
        Self::of([self, other], shape, move |_| {
            Box::new(move |inputs, _| function(inputs[0].clone(), inputs[1].clone()))
        })
    }

    fn each(self, function: impl Fn(Tensor<4>) -> Tensor<4> + Send + Sync + 'static) -> Self {
        let shape = self.shape();
        self.map(shape, function)
    }
}

macro_rules! of_two {
    ($($operator:ident::$method:ident),*) => {$(
        impl $operator for Param {
            type Output = Param;

            fn $method(self, other: Param) -> Param {
                self.combined(other, $operator::$method)
            }
        }
    )*};
}

of_two!(Add::add, Sub::sub, Mul::mul);

impl Add<f64> for Param {
    type Output = Param;

    fn add(self, number: f64) -> Param {
        self.each(move |x| x.add_scalar(number))
    }
}

impl Sub<f64> for Param {
    type Output = Param;

    fn sub(self, number: f64) -> Param {
        self + -number
    }
}

impl Sub<Param> for f64 {
    type Output = Param;

    fn sub(self, param: Param) -> Param {
        -param + self
    }
}

impl Mul<f64> for Param {
    type Output = Param;

    fn mul(self, number: f64) -> Param {
        self.each(move |x| x.mul_scalar(number))
    }
}

impl Mul<Param> for f64 {
    type Output = Param;

    fn mul(self, param: Param) -> Param {
        param * self
    }
}

impl Div<f64> for Param {
    type Output = Param;

    fn div(self, number: f64) -> Param {
        self * (1.0 / number)
    }
}

impl Neg for Param {
    type Output = Param;

    fn neg(self) -> Param {
        self * -1.0
    }
}

/// # Panics
/// If there is nothing to add.
impl Sum for Param {
    fn sum<I: Iterator<Item = Self>>(params: I) -> Self {
        params.reduce(Add::add).expect("a sum has a param or more")
    }
}
