//! Grids of units that interact.

use burn::{
    config::Config,
    tensor::{Tensor, s},
};

use super::{Job, Unit, after, check_images};
use crate::{
    Error,
    objective::{Objective, blur_input_each_step},
    param::{Param, ValidRgb, fft_image, lowres_tensor, stack, to_valid_rgb},
    picture::{self, Labels},
};

/// The options of an [`InteractionGrid`], with Lucid's defaults.
#[derive(Config, Debug, PartialEq)]
pub struct InteractionGridConfig {
    /// Pixels of a side of each image, of which the borders are cropped away.
    #[config(default = 128)]
    pub size: usize,
    /// How many steps there are.
    #[config(default = 512)]
    pub steps: usize,
    /// All chance comes from this number.
    #[config(default = 0)]
    pub seed: u64,
    /// The weight of what all images share: more aligns them more.
    #[config(default = 2.0)]
    pub shared: f64,
    /// The weight of a channel's mean beside its neuron in the center.
    #[config(default = 0.2)]
    pub channel: f64,
    /// How much what a blur removes is discouraged.
    #[config(default = 10.0)]
    pub blur: f64,
}

/// Every unit beside every other: images of each two of them, with the same things at the same places.
///
/// # Reference
/// Lucid's notebook `misc/neuron_interaction_grids`.
#[derive(Debug, Clone)]
pub struct InteractionGrid {
    /// The units.
    pub units: Vec<Unit>,
    /// `[n * n, 3, h, w]`: image `n * i + j` is of the units `i` and `j`.
    pub images: Tensor<4>,
}

/// What of an image of 128 pixels is cropped away before it, and after it; Lucid's notebook.
const CROP: [usize; 2] = [15, 25];

impl InteractionGrid {
    /// Optimizes all images at once.
    ///
    /// # Errors
    /// [`Error::TooFewUnits`] for fewer than two; as [`Job::render`].
    pub fn render(job: &mut Job<'_>, units: &[Unit], config: &InteractionGridConfig) -> Result<Self, Error> {
        if units.len() < 2 {
            return Err(Error::TooFewUnits { found: units.len() });
        }
        check_images(units.len() * units.len(), config.size, 16)?;
        let images = Parts::new(units.len(), config.size).images(config.shared);
        job.expect(config.steps);
        let render = job.render(&objective(units, config), images, &after(config.steps, config.seed)?)?;
        Ok(Self { units: units.to_vec(), images: render.images().expect("it ended well").clone() })
    }

    /// The grid, each image cropped to its middle: a column for each unit and a row for each, with their names.
    pub fn picture(&self) -> Tensor<4> {
        let [n, w] = [self.units.len(), self.images.dims()[3]];
        let [before, after] = CROP.map(|pixels| pixels * w / 128);
        let cropped = self.images.clone().slice(s![.., .., before..w - after, before..w - after]);
        let names: Vec<String> = self.units.iter().map(Unit::to_string).collect();
        // Where a name has no room, the channel has.
        let fits = |name: &String| picture::text_width(name) <= cropped.dims()[3];
        let short: Vec<String> = self.units.iter().map(|unit| unit.channel.to_string()).collect();
        let columns = if names.iter().all(fits) { &names } else { &short };
        picture::labeled_grid(&cropped, n, 0, &Labels { columns, rows: &names, captions: &[] })
    }
}

/// What the images are made of.
struct Parts {
    /// What all share.
    shared: Param,
    /// What each unit is alone.
    pure: Param,
    /// What each two blend to, of which the smaller unit first are used.
    blend: Param,
}

impl Parts {
    fn new(n: usize, w: usize) -> Self {
        let shared = fft_image([1, 3, w, w]) + lowres_tensor([1, 3, w, w], [1, 3, w / 4, w / 4]);
        Self { shared, pure: fft_image([n, 3, w, w]), blend: fft_image([n * n, 3, w, w]) }
    }

    /// The images, of which `weight` says how much they share.
    fn images(&self, weight: f64) -> Param {
        let Self { shared, pure, blend } = self;
        let n = pure.batch();
        // A unit alone is optimized for itself; next to another it only gives its look.
        let pure_mix = |i: usize, j: usize| {
            let mix = (pure.image(i) + pure.image(j)) / 2.0;
            if i == j { mix } else { mix.stop_gradient() }
        };
        let own = |i: usize, j: usize| if i == j { pure.image(i) } else { blend.image(n * i.min(j) + i.max(j)) };
        let combined = pairs(n).map(|(i, j)| pure_mix(i, j) + own(i, j) + weight * shared.clone());
        to_valid_rgb(0.5 * stack(combined), ValidRgb::new())
    }
}

/// What the images are optimized for.
fn objective(units: &[Unit], config: &InteractionGridConfig) -> Objective {
    let n = units.len();
    let responds =
        |unit: &Unit, image: usize| config.channel * unit.everywhere().batch(image) + unit.in_the_center().batch(image);
    let both = |(i, j): (usize, usize)| responds(&units[i], n * i + j) + responds(&units[j], n * i + j);
    pairs(n).map(both).sum::<Objective>() - config.blur * blur_input_each_step()
}

/// Each unit with each, row by row.
fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (0..n).map(move |j| (i, j)))
}

#[cfg(test)]
mod tests {
    use entoptic_fixtures::mini_5h;

    use super::*;
    use crate::{
        objective::channel,
        recipe::test_runs::{few, first, largest, moved},
        render,
    };

    fn units() -> Vec<Unit> {
        [("mixed4a_pre_relu", 20), ("mixed4a_pre_relu", 7), ("mixed3b_pre_relu", 5)].map(Unit::from).into()
    }

    #[test]
    fn units_interact_with_each_other_alike() {
        let network = mini_5h();
        let config = InteractionGridConfig::new().with_size(32).with_steps(12);
        let grid = InteractionGrid::render(&mut Job::new(&network), &units(), &config).unwrap();
        let image = |i: usize, j: usize| grid.images.clone().narrow(0, 3 * i + j, 1);
        assert_eq!(largest(image(0, 2) - image(2, 0)), 0.0);
        assert!(largest(image(0, 1) - image(0, 2)) > 0.01);
        let [_, _, h, w] = grid.picture().dims();
        assert!(h > 3 * 23 && w > 3 * 23, "three columns and rows, with their names: {h} x {w}");
    }

    #[test]
    fn two_units_move_what_all_share_and_what_the_two_blend_to() {
        let (network, n) = (mini_5h(), units().len());
        let parts = Parts::new(n, 32);
        let images = parts.images(2.0);
        let pair = render(&network, &channel("mixed4a_pre_relu", 7).batch(1), &images, &few(3)).unwrap();
        assert!(moved(&pair, &images, &parts.shared) > 0.0);
        let blends = pair.params.get(&parts.blend).unwrap() - first(&images, &parts.blend);
        let each: Vec<bool> = (0..n * n).map(|i| largest(blends.clone().narrow(0, i, 1)) > 0.0).collect();
        assert_eq!(each, [false, true, false, false, false, false, false, false, false]);
        assert_eq!(moved(&pair, &images, &parts.pure), 0.0, "not what each is alone");
        let alone = render(&network, &channel("mixed4a_pre_relu", 7).batch(0), &images, &few(3)).unwrap();
        assert!(moved(&alone, &images, &parts.pure) > 0.0);
    }

    #[test]
    fn the_objective_rises() {
        let (network, units) = (mini_5h(), units());
        let config = InteractionGridConfig::new();
        let done = render(&network, &objective(&units, &config), Parts::new(3, 32).images(2.0), &few(12)).unwrap();
        assert!(done.final_value > done.values[0], "{:?} then {}", done.values, done.final_value);
    }

    #[test]
    fn one_unit_is_no_grid() {
        let network = mini_5h();
        let alone = InteractionGrid::render(&mut Job::new(&network), &units()[..1], &InteractionGridConfig::new());
        assert_eq!(
            alone.unwrap_err().to_string(),
            "1 unit is not enough; it takes two or more, such as `fire8:188 fire8:3`"
        );
    }
}
