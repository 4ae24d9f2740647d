//! What a network is shown: photos that are part of the program, and noise.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use entoptic_network::{Network, zoo};
use rand::RngExt;

use super::answers::classes;
use crate::{
    Error,
    chance::{Purpose, draws},
    objective::Class,
    picture,
};

/// A photo, and what a network should see on it.
#[derive(Debug, Clone)]
pub struct Photo {
    /// What it is called.
    pub name: String,
    /// `[1, c, h, w]`, in `0..=1`.
    pub image: Tensor<4>,
    /// The classes that are right answers; none if nobody knows.
    pub classes: Vec<usize>,
}

impl Photo {
    /// A photo from a file, cropped to the size that a network was made for, and what is on it, if somebody knows.
    ///
    /// # Errors
    /// [`Error::Unreadable`]; [`Error::NoSuchLabel`] or [`Error::OutOfRange`] for a class that is not its own.
    pub fn load(path: &Path, network: &Network, class: Option<&Class>, device: &Device) -> Result<Self, Error> {
        let count = classes(network).unwrap_or(0);
        let class = class.map(|class| class.index(&network.description().labels, count)).transpose()?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let image = picture::load_filling(path, network.graph().size(), device)?;
        Ok(Self { name, image, classes: class.into_iter().collect() })
    }
}

/// What is on a photo, in the words of ImageNet's classes. A network that sees one of them sees well.
struct Known {
    name: &'static str,
    jpeg: &'static [u8],
    labels: &'static [&'static str],
}

/// Where they come from: `data/README.md`.
const PHOTOS: [Known; 3] = [
    Known {
        name: "cat",
        jpeg: include_bytes!("../../data/photos/cat.jpg"),
        labels: &["tabby", "tiger cat", "Egyptian cat", "lynx"],
    },
    Known {
        name: "coffee",
        jpeg: include_bytes!("../../data/photos/coffee.jpg"),
        labels: &["espresso", "cup", "coffee mug", "eggnog"],
    },
    // No class of ImageNet is right.
    Known { name: "astronaut", jpeg: include_bytes!("../../data/photos/astronaut.jpg"), labels: &[] },
];

/// Whose words the classes of a network are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// The network has labels.
    Labels,
    /// It has none, but as many classes as ImageNet: perhaps they are in the usual order.
    Guessed,
    /// Nobody knows.
    Unknown,
}

pub(super) fn words(network: &Network) -> Words {
    match (network.description().labels.is_empty(), classes(network)) {
        (false, _) => Words::Labels,
        (true, Some(1000 | 1001)) => Words::Guessed,
        (true, _) => Words::Unknown,
    }
}

/// The photos that are part of the program, at the size that a network was made for.
///
/// Their classes are those of the network's labels that fit; of a network without labels but with 1000 or 1001 classes,
/// those of ImageNet in the usual order.
///
/// ```
/// use burn::tensor::Device;
/// use entoptic::{doctor, network::zoo};
///
/// let network = zoo::squeezenet_v1_1();
/// let photos = doctor::photos(&network, &Device::flex())?;
/// assert_eq!(photos[0].image.dims(), [1, 3, 224, 224]);
/// assert_eq!(photos[0].classes, [281, 282, 285, 287]);
/// # Ok::<(), entoptic::Error>(())
/// ```
///
/// # Errors
/// None but for a network of images without pixels, which is [`Error::OutOfRange`].
pub fn photos(network: &Network, device: &Device) -> Result<Vec<Photo>, Error> {
    let (labels, background) = match words(network) {
        Words::Labels => (network.description().labels.clone(), 0),
        // Networks with one class more have a background as their first.
        Words::Guessed => {
            (zoo::squeezenet_v1_1().description().labels.clone(), classes(network).unwrap_or(1000) - 1000)
        }
        Words::Unknown => (Vec::new(), 0),
    };
    let photo = |known: &Known| {
        Ok(Photo {
            name: known.name.into(),
            image: picture::embedded_filling(known.jpeg, network.graph().size(), device)?,
            classes: labelled(&labels, known.labels).map(|class| class + background).collect(),
        })
    };
    PHOTOS.iter().map(photo).collect()
}

/// The places of labels that are one of `words`, or whose synonyms are, as in `tabby, tabby cat`.
fn labelled(labels: &[String], words: &[&str]) -> impl Iterator<Item = usize> {
    let is_one = |label: &String| {
        label.split(',').any(|synonym| words.iter().any(|word| synonym.trim().eq_ignore_ascii_case(word)))
    };
    labels.iter().enumerate().filter(move |(_, label)| is_one(label)).map(|(place, _)| place)
}

/// Noise in blocks of 1, 4, 16, ... pixels, one image each: fine for the first layers, coarse for the last.
///
/// # Shapes
/// - each: `[1, c, h, w]`, in `0..=1`
pub(super) fn noise(count: usize, [c, h, w]: [usize; 3], seed: u64, device: &Device) -> Vec<Tensor<4>> {
    let mut rng = draws(seed, Purpose::Noise);
    let mut blocks = |side: usize| {
        let [rows, columns] = [h, w].map(|size| size.div_ceil(side));
        let colors: Vec<f32> = (0..c * rows * columns).map(|_| rng.random()).collect();
        let mut values = Vec::with_capacity(c * h * w);
        for channel in colors.chunks(rows * columns) {
            values.extend((0..h * w).map(|i| channel[i / w / side * columns + i % w / side]));
        }
        Tensor::from_data(TensorData::new(values, [1, c, h, w]), device)
    };
    (0..count).map(|i| blocks(1 << (2 * i).min(30))).collect()
}

/// A photo of as many channels as a network takes; nothing if they are no colors.
pub(super) fn in_channels(photo: &Tensor<4>, c: usize) -> Option<Tensor<4>> {
    match (photo.dims()[1], c) {
        (own, c) if own == c => Some(photo.clone()),
        (_, 1) => Some(photo.clone().mean_dim(1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_known_by_any_of_their_synonyms() {
        let labels = ["background", "Tabby, tabby cat", "tabby cat", "espresso maker", "Espresso"].map(String::from);
        assert_eq!(labelled(&labels, &["tabby", "espresso"]).collect::<Vec<_>>(), [1, 4]);
    }

    #[test]
    fn noise_is_in_blocks() {
        let images = noise(2, [3, 6, 9], 7, &Device::flex());
        let values: Vec<f32> = images[1].clone().try_into_vec_as().unwrap();
        let at = |c: usize, y: usize, x: usize| values[(c * 6 + y) * 9 + x];
        assert_eq!(at(1, 4, 4), at(1, 5, 7));
        assert!(at(1, 4, 4) != at(1, 3, 4) && at(1, 4, 4) != at(1, 4, 3) && at(1, 4, 4) != at(2, 4, 4));
        assert!(values.iter().all(|value| (0.0..1.0).contains(value)));
    }

    #[test]
    fn gray_networks_see_gray_photos() {
        let photo = Tensor::<4>::from_floats([[[[0.0]], [[0.3]], [[0.9]]]], &Device::flex());
        let gray: Vec<f32> = in_channels(&photo, 1).unwrap().try_into_vec_as().unwrap();
        assert!((gray[0] - 0.4).abs() < 1e-6);
        assert!(in_channels(&photo, 4).is_none());
    }
}
