//! What a layer makes of a photo, at each position.

use burn::{
    config::Config,
    tensor::{Tensor, s},
};

use serde::Serialize;

use super::{Job, after, check_groups, check_images, vectors};
use crate::{
    Error, RenderConfig,
    objective::direction,
    page::{self, Heading, Sheet},
    param::{Param, ValidRgb, constant, fft_image, image, random_choice, to_valid_rgb},
    picture,
    reducer::{Algorithm, NmfConfig},
};

/// The options of an [`ActivationGrid`], with Lucid's defaults.
#[derive(Config, Debug, PartialEq)]
pub struct ActivationGridConfig {
    /// Pixels of a side of each icon, of which two at each border are cropped away.
    #[config(default = 48)]
    pub size: usize,
    /// How many steps there are.
    #[config(default = 1024)]
    pub steps: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
    /// How many groups of like positions share parameters, so that their icons are alike; with 0 every icon is by itself.
    #[config(default = 6)]
    pub groups: usize,
    /// How many icons, drawn anew, are optimized at each step; nothing for all at each.
    #[config(default = "Some(64)")]
    pub at_once: Option<usize>,
}

impl ActivationGridConfig {
    /// The simple form: every icon by itself, all at each step.
    pub fn naive() -> Self {
        Self::new().with_groups(0).with_at_once(None)
    }
}

/// An icon for each position of a layer: the image of the direction that the layer's activations have there.
///
/// # Reference
/// [The Building Blocks of Interpretability](https://distill.pub/2018/building-blocks), Olah et al., 2018; Lucid's
/// notebook `building-blocks/ActivationGrid`.
#[derive(Debug, Clone)]
pub struct ActivationGrid {
    /// The photo, `[1, 3, h, w]`.
    pub photo: Tensor<4>,
    /// The layer's rows and columns.
    pub positions: [usize; 2],
    /// `[rows * columns, 3, size, size]`, row by row.
    pub icons: Tensor<4>,
}

/// How much of an icon is its own, and how much comes from its groups; Lucid's notebook.
const OWN: f64 = 0.7;
const SHARED: f64 = 0.5;

/// What is cropped away of an icon at each border, in pixels; Lucid's notebook.
const BORDER: usize = 2;

impl ActivationGrid {
    /// Optimizes an icon for each position of `layer` on `photo` `[1, 3, h, w]`.
    ///
    /// # Errors
    /// [`NoPositions`](entoptic_network::model::Error::NoPositions) for a layer that has one position only; [`Error::OutOfRange`] for icons of fewer than 8
    /// pixels; as [`Job::render`].
    pub fn render(
        job: &mut Job<'_>,
        photo: &Tensor<4>,
        layer: &str,
        config: &ActivationGridConfig,
    ) -> Result<Self, Error> {
        let (directions, [rows, columns]) = vectors(job, photo, layer)?;
        let [n, c] = directions.dims();
        check_images(n, config.size, 4 * BORDER)?;
        job.expect(config.steps + usize::from(config.at_once.is_none()));
        let all = icons(&directions, config)?;
        let icons = match config.at_once.filter(|&at_once| at_once < n || config.groups > 0) {
            Some(0) => return Err(Error::out_of_range("the number of icons at each step", 0, "it is 1 or more")),
            Some(at_once) => {
                let chosen = random_choice(n, at_once);
                let goals = constant(&directions.reshape([n, c, 1, 1])).gather(&chosen);
                let objective = at_once as f64 * direction(layer, &goals, 0.0);
                let run = after(config.steps, config.seed)?;
                let render = job.render(&objective, all.gather(&chosen), &run)?;
                render.params.get(&all).expect("the chosen ones are some of all")
            }
            None => {
                // `render_vis`, which does one step more and redirects the gradients of ReLUs.
                let objective = n as f64 * direction(layer, &directions, 0.0);
                let run = RenderConfig::new().with_steps(config.steps).with_seed(config.seed);
                let render = job.render(&objective, all, &run)?;
                render.images().expect("it ended well").clone()
            }
        };
        Ok(Self { photo: photo.clone(), positions: [rows, columns], icons })
    }

    /// The icons without their borders, `[rows * columns, 3, size - 4, size - 4]`.
    pub fn cropped(&self) -> Tensor<4> {
        let [.., w] = self.icons.dims();
        self.icons.clone().slice(s![.., .., BORDER..w - BORDER, BORDER..w - BORDER])
    }

    /// The grid, each icon where its activations are.
    pub fn picture(&self) -> Tensor<4> {
        let [_, columns] = self.positions;
        picture::grid(&self.cropped(), columns, 0).expect("there are icons")
    }

    /// A page with the photo beside the grid, on which one can point at positions.
    pub fn page(&self, heading: &Heading) -> String {
        #[derive(Serialize)]
        struct Data {
            photo: String,
            photo_size: [usize; 2],
            rows: usize,
            columns: usize,
            icons: Sheet,
        }
        let ([_, _, h, w], [rows, columns]) = (self.photo.dims(), self.positions);
        let (photo, icons) = (page::photo(&self.photo), Sheet::new(&self.cropped()));
        let data = Data { photo, photo_size: [h, w], rows, columns, icons };
        page::page(include_str!("../page/activation_grid.html"), heading, &data)
    }
}

/// All icons: each by itself, or made of what its groups share, too.
fn icons(directions: &Tensor<2>, config: &ActivationGridConfig) -> Result<Param, Error> {
    let ([n, _], w) = (directions.dims(), config.size);
    check_groups(config.groups, directions.dims())?;
    if config.groups == 0 {
        return Ok(image([w, w]).with_batch(n).into());
    }
    let (_, groups) = NmfConfig::new(config.groups).fit_transform(directions.clone().clamp_min(0.0))?;
    let groups = groups.clone() / groups.max_dim(0).clamp_min(f32::MIN_POSITIVE);
    let shared = fft_image([config.groups, 3, w, w]).combine(&groups);
    Ok(to_valid_rgb(OWN * fft_image([n, 3, w, w]) + SHARED * shared, ValidRgb::new()))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use entoptic_fixtures::mini_5h;

    use super::*;
    use crate::{recipe::test_runs::first, render::value_of};

    fn photo() -> Tensor<4> {
        let path = format!("{}/../../fixtures/images/cat.png", env!("CARGO_MANIFEST_DIR"));
        picture::load_square(path.as_ref(), 64, &Device::flex()).unwrap()
    }

    #[test]
    fn all_icons_get_better_though_few_are_looked_at_in_each_step() {
        let (network, layer) = (mini_5h(), "mixed4a");
        let job = &mut Job::new(&network);
        let config = ActivationGridConfig::new().with_size(24).with_steps(41).with_groups(3).with_at_once(Some(6));
        let grid = ActivationGrid::render(job, &photo(), layer, &config).unwrap();
        assert_eq!(grid.positions, [4, 4]);
        assert_eq!(grid.icons.dims(), [16, 3, 24, 24]);
        assert_eq!(grid.picture().dims(), [1, 3, 80, 80]);
        let (directions, _) = vectors(job, &photo(), layer).unwrap();
        let all = |images: Tensor<4>| -> f32 {
            value_of(&network, &direction(layer, &directions, 0.0), images).unwrap().into_scalar()
        };
        let start = icons(&directions, &config).unwrap();
        let (before, after) = (all(first(&start, &start)), all(grid.icons));
        assert!(after > before, "{before} then {after}");
    }

    #[test]
    fn icons_of_like_positions_share_what_they_are_made_of() {
        let values = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]];
        let directions = Tensor::<2>::from_floats(values, &Device::flex());
        let start = |groups: usize| {
            let param = icons(&directions, &ActivationGridConfig::new().with_size(64).with_groups(groups)).unwrap();
            first(&param, &param)
        };
        let alike = |images: &Tensor<4>, i: usize, j: usize| -> f32 {
            let [a, b] = [i, j].map(|i| {
                let image = images.clone().narrow(0, i, 1).reshape([1, 1, 1, 3 * 64 * 64]);
                image.clone() - image.mean_dim(3)
            });
            let product = |a: &Tensor<4>, b: &Tensor<4>| -> f32 { (a.clone() * b.clone()).sum().into_scalar() };
            product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
        };
        let shared = start(2);
        // Of one group entirely: what it shares is 0.25 of its variance beside 0.49 of its own, 0.34 in all.
        let (same, other, apart) = (alike(&shared, 0, 1), alike(&shared, 0, 2), alike(&start(0), 0, 1));
        assert!(same > other + 0.1 && same > apart + 0.1, "{same}, {other}, {apart}");
    }

    #[test]
    fn the_simple_form_has_an_icon_for_each_position_too() {
        let network = mini_5h();
        let config = ActivationGridConfig::naive().with_size(16).with_steps(2);
        let grid = ActivationGrid::render(&mut Job::new(&network), &photo(), "mixed4a", &config).unwrap();
        assert_eq!(grid.icons.dims(), [16, 3, 16, 16]);
    }

    #[test]
    fn a_layer_without_positions_has_no_grid() {
        let network = entoptic_network::zoo::squeezenet_v1_1();
        let grid = ActivationGrid::render(&mut Job::new(&network), &photo(), "logits", &ActivationGridConfig::new());
        let expected = "layer `logits` has no positions, only channels; an earlier layer has both";
        assert_eq!(grid.unwrap_err().to_string(), expected);
    }
}
