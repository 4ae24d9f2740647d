//! Whole images: Lucid's `param.image` and its relatives, described as data.

use burn::{config::Config, tensor::Tensor};

use super::{
    Param, Parameterization, ValidRgb,
    color::{Squash, from_valid_rgb},
    sigmoid, stack_channels, to_valid_rgb,
};
use crate::Error;

/// What the channels of an [`Image`] are.
///
/// ```
/// use entoptic::param::{Colors, Param, image};
///
/// let shape = |colors: Colors| Param::from(image([48, 64]).with_colors(colors)).shape();
/// assert_eq!(shape(Colors::Gray), [1, 3, 48, 64]);
/// assert_eq!(shape(Colors::Channels(10)), [1, 10, 48, 64]);
/// ```
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Colors {
    /// Colors that vary independently of each other, as natural images' do, mixed to RGB. Lucid's default.
    Decorrelated,
    /// Red, green and blue, each free of the others.
    Rgb,
    /// One gray value in all three: Lucid's `grayscale_image_rgb`.
    Gray,
    /// Any number of channels that are no colors.
    Channels(usize),
}

impl Colors {
    /// How many free values there are for each pixel.
    fn free(self) -> usize {
        match self {
            Self::Decorrelated | Self::Rgb => 3,
            Self::Gray => 1,
            Self::Channels(channels) => channels,
        }
    }
}

/// A batch of images, each free of the others, with values in `0..=1`.
///
/// ```
/// use entoptic::param::{self, Colors, Param};
///
/// let image = param::image([48, 64]).with_batch(2).with_colors(Colors::Rgb).with_alpha(true);
/// assert_eq!(Param::from(&image).shape(), [2, 4, 48, 64]);
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct Image {
    /// Height and width in pixels.
    pub size: [usize; 2],
    /// How many images.
    #[config(default = 1)]
    pub batch: usize,
    /// How variables become an image.
    #[config(default = "Parameterization::fourier()")]
    pub parameterization: Parameterization,
    /// Standard deviation of the first variables. Lucid takes 0 for 0.01; here it is 0.
    #[config(default = 0.01)]
    pub sd: f64,
    /// What the channels are.
    #[config(default = "Colors::Decorrelated")]
    pub colors: Colors,
    /// Whether there is one channel more, for opacity.
    ///
    /// A network wants it blended away before: see
    /// [`collapse_alpha_random`](crate::transform::collapse_alpha_random).
    #[config(default = false)]
    pub alpha: bool,
}

/// Images of `size` `[h, w]` in the Fourier basis with decorrelated colors, as Lucid's `param.image`.
///
/// ```
/// use entoptic::param::{self, Param};
///
/// assert_eq!(Param::from(param::image([48, 64])).shape(), [1, 3, 48, 64]);
/// ```
///
/// # Reference
/// `optvis/param/images.py` in Lucid.
pub fn image(size: [usize; 2]) -> Image {
    Image::new(size)
}

impl Image {
    /// Whether such images can be made.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |what, value: &dyn ToString, accepted| Err(Error::out_of_range(what, value.to_string(), accepted));
        if self.size.contains(&0) {
            return wrong("the image size", &self.size[0].min(self.size[1]), "it is 1 pixel or more");
        }
        if self.batch == 0 {
            return wrong("the batch", &0, "it is 1 image or more");
        }
        if !(self.sd as f32).is_finite() || self.sd < 0.0 {
            return wrong("the standard deviation", &self.sd, "it is 0 or above; 0.01 is the default");
        }
        if let Colors::Channels(channels @ (0 | MORE_CHANNELS..)) = self.colors {
            return wrong("the number of channels", &channels, "it is 1 to 4096");
        }
        let pixels = self.size.iter().try_fold(self.batch, |pixels, &side| pixels.checked_mul(side));
        if pixels.is_none_or(|pixels| pixels > MAX_PIXELS) || self.size.iter().any(|&side| side > MAX_SIDE) {
            let [h, w] = self.size;
            let value = format!("{} of {h}x{w}", self.batch);
            return wrong("the images", &value, "8192x8192 is the most, for one of them and for all together");
        }
        if let (Colors::Gray, true) = (self.colors, self.parameterization == Parameterization::Maco) {
            return wrong("the colors of maco", &"gray", "its magnitudes are those of colors");
        }
        self.parameterization.check(self.free_shape())
    }

    /// The same images, but starting at a photo `[1, c, h, w]` of their size, or at one photo for each, `[n, c, h, w]`.
    ///
    /// Photos have three channels, or four with alpha; without it, images with alpha start half transparent.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use entoptic::param;
    ///
    /// let photo = Tensor::<4>::full([1, 3, 64, 64], 0.3, &Device::flex());
    /// let image = param::image([64, 64]).starting_at(&photo)?;
    /// assert_eq!(image.shape(), [1, 3, 64, 64]);
    /// # Ok::<(), entoptic::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`check`](Self::check); [`Error::WrongShape`] for a photo of another size; [`Error::NoStart`] for a parameterization that can be no
    /// given image, such as a CPPN.
    pub fn starting_at(&self, photo: &Tensor<4>) -> Result<Param, Error> {
        self.check()?;
        let ([h, w], found @ [n, c, to_h, to_w]) = (self.size, photo.dims());
        if [to_h, to_w] != [h, w] || !(3..=4).contains(&c) || (n != 1 && n != self.batch) {
            return Err(Error::shape("the photo", &found, &format!("is [1, 3, {h}, {w}], as the image is")));
        }
        let photos = photo.clone().inner().expand([self.batch as i64, -1, -1, -1]);
        let colors = match self.colors {
            Colors::Decorrelated | Colors::Rgb => photos.clone().narrow(1, 0, 3),
            Colors::Gray => photos.clone().narrow(1, 0, 3).mean_dim(1),
            Colors::Channels(_) => return Err(Error::NoStart { what: "channels that are no colors" }),
        };
        let opacity = self.alpha.then(|| match c {
            4 => photos.narrow(1, 3, 1),
            _ => Tensor::full([self.batch, 1, h, w], 0.5, &colors.device()),
        });
        if let Parameterization::Ball { .. } = self.parameterization {
            let valid = Tensor::cat([colors].into_iter().chain(opacity).collect(), 1);
            return Ok(seen(self.parameterization.around(&valid), self.colors));
        }
        let colors = from_valid_rgb(colors, self.colors == Colors::Decorrelated, Squash::Sigmoid);
        let opacity = opacity.map(|opacity| from_valid_rgb(opacity, false, Squash::Sigmoid));
        let free = Tensor::cat([colors].into_iter().chain(opacity).collect(), 1);
        let own = self.parameterization.starting_at(free).ok_or(Error::NoStart { what: "this param" })?;
        Ok(valid(own, self.colors))
    }

    /// `[n, c, h, w]` of what the variables stand for, before it becomes colors.
    fn free_shape(&self) -> [usize; 4] {
        let [h, w] = self.size;
        [self.batch, self.colors.free() + usize::from(self.alpha), h, w]
    }
}

/// The largest side for which the constant matrices of the Fourier basis stay below a gigabyte.
const MAX_SIDE: usize = 8192;

/// What fits in memory on large machines, variables and optimizer together: some gigabytes before the network.
const MAX_PIXELS: usize = MAX_SIDE * MAX_SIDE;

/// One more than any image has channels.
const MORE_CHANNELS: usize = 4097;

/// # Panics
/// If [`Image::check`] finds something wrong.
impl From<&Image> for Param {
    fn from(image: &Image) -> Self {
        image.check().unwrap_or_else(|error| panic!("{error}"));
        let own = image.parameterization.param(image.free_shape(), image.sd);
        match image.parameterization.is_valid() {
            true => seen(own, image.colors),
            false => valid(own, image.colors),
        }
    }
}

/// # Panics
/// If [`Image::check`] finds something wrong.
impl From<Image> for Param {
    fn from(image: Image) -> Self {
        Self::from(&image)
    }
}

/// Free values as colors in `0..=1`, and as opacity what channel is left.
fn valid(free: Param, colors: Colors) -> Param {
    let c = free.shape()[1];
    let own = free.channels(0..colors.free());
    let colored = match colors {
        Colors::Decorrelated => to_valid_rgb(own, ValidRgb::new()),
        Colors::Rgb | Colors::Gray | Colors::Channels(_) => sigmoid(own),
    };
    match c == colors.free() {
        true => seen(colored, colors),
        false => seen(stack_channels([colored, sigmoid(free.channels(c - 1..c))]), colors),
    }
}

/// Values in `0..=1` as a network takes them: one gray value is three.
fn seen(valid: Param, colors: Colors) -> Param {
    if colors != Colors::Gray {
        return valid;
    }
    let c = valid.shape()[1];
    let gray = valid.channels(0..1);
    stack_channels([gray.clone(), gray.clone(), gray].into_iter().chain((c > 1).then(|| valid.channels(1..c))))
}
