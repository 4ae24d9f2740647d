//! The programs that people wrote with Lucid can be written here, line by line: its notebooks, in small.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, s};
use entoptic::{
    Render, RenderConfig,
    chance::{Purpose, Rng, draws},
    network::GradientOverrides,
    objective::{
        Objective, alignment, blur_input_each_step, channel, channel_interpolate, direction, neuron, of_param,
    },
    optimizer::AdamConfig,
    param::{
        self, ImageSampleConfig, Param, Prepared, ValidRgb, constant, fft_image, image, image_sample, lowres_tensor,
        random_choice, sigmoid, stack, stack_channels, to_valid_rgb,
    },
    picture,
    reducer::{Algorithm, NmfConfig},
    render,
    render::value_of,
    transform,
};
use entoptic_fixtures::{Fixture, assert_close, mini_5h};

fn largest<const D: usize>(tensor: Tensor<D>) -> f32 {
    tensor.abs().max().into_scalar()
}

fn mean(tensor: Tensor<4>) -> f32 {
    tensor.mean().into_scalar()
}

/// Few steps, without transforms or overrides, as the notebooks' `make_vis_T` is used here.
fn config(steps: usize) -> RenderConfig {
    let config = RenderConfig::new().with_steps(steps).with_gradients(GradientOverrides::none());
    config.with_transforms(transform::none()).with_optimizer(AdamConfig::new().with_learning_rate(0.05).into())
}

/// What `part` is when a run with seed 0 that optimizes `whole` starts.
fn first(whole: &Param, part: &Param) -> Tensor<4> {
    drawn(whole, part, &mut draws(0, Purpose::Noise))
}

/// The same, with chance that goes on.
fn drawn(whole: &Param, part: &Param, chance: &mut Rng) -> Tensor<4> {
    let (prepared, variables) = Prepared::new([whole], &Device::flex(), &mut draws(0, Purpose::Variables));
    prepared.evaluate(&variables, chance).get(part).expect("it is a part")
}

/// How far a part of what was optimized has moved.
fn moved(render: &Render, whole: &Param, part: &Param) -> f32 {
    largest(render.params.get(part).expect("it is a part") - first(whole, part))
}

/// Grids of neurons that interact, of which [`neuron_interaction_grid`] is the program.
struct InteractionGrid {
    shared: Param,
    pure: Param,
    blend: Param,
    images: Param,
    objective: Objective,
}

fn neuron_interaction_grid(neurons: &[(&str, usize)], w: usize) -> InteractionGrid {
    let n = neurons.len();
    let shared = fft_image([1, 3, w, w]) + lowres_tensor([1, 3, w, w], [1, 3, w / 4, w / 4]);
    let pure = fft_image([n, 3, w, w]);
    let blend = fft_image([n * n, 3, w, w]);
    let pure_mix = |i: usize, j: usize| {
        let mix = (pure.image(i) + pure.image(j)) / 2.0;
        if i == j { mix } else { mix.stop_gradient() }
    };
    let get_blend = |i: usize, j: usize| if i == j { pure.image(i) } else { blend.image(n * i.min(j) + i.max(j)) };
    let pairs = || (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
    let combined = pairs().map(|(i, j)| pure_mix(i, j) + get_blend(i, j) + 2.0 * shared.clone());
    let images = to_valid_rgb(0.5 * stack(combined), ValidRgb::new());

    let both =
        |(layer, c): (&str, usize), image: usize| 0.2 * channel(layer, c).batch(image) + neuron(layer, c).batch(image);
    let objective: Objective = pairs().map(|(i, j)| both(neurons[i], n * i + j) + both(neurons[j], n * i + j)).sum();
    let objective = objective - 10.0 * blur_input_each_step();
    InteractionGrid { shared, pure, blend, images, objective }
}

#[test]
fn neuron_interaction_grids() {
    let network = mini_5h();
    let neurons = [("mixed4a_pre_relu", 20), ("mixed4a_pre_relu", 7), ("mixed3b_pre_relu", 5)];
    let (n, w) = (neurons.len(), 32);
    let InteractionGrid { shared, pure, blend, images, objective } = neuron_interaction_grid(&neurons, w);
    let done = render(&network, &objective, &images, &config(12)).unwrap();
    assert!(done.final_value > done.values[0], "{:?} then {}", done.values, done.final_value);

    let result = done.images().unwrap().clone();
    let image = |i: usize, j: usize| result.clone().narrow(0, n * i + j, 1);
    assert_eq!(largest(image(0, 2) - image(2, 0)), 0.0, "neurons interact with each other alike");
    assert!(largest(image(0, 1) - image(0, 2)) > 0.01);
    let cropped = result.clone().slice(s![.., .., 3..-5, 3..-5]);
    assert_eq!(picture::grid(&cropped, n, 0).unwrap().dims(), [1, 3, n * (w - 8), n * (w - 8)]);

    // The image of two neurons moves what all share and what the two blend to, but not what each is alone.
    let (layer, c) = neurons[1];
    let pair = render(&network, &channel(layer, c).batch(1), &images, &config(3)).unwrap();
    assert!(moved(&pair, &images, &shared) > 0.0);
    let blends = pair.params.get(&blend).unwrap() - first(&images, &blend);
    let each: Vec<bool> = (0..n * n).map(|i| largest(blends.clone().narrow(0, i, 1)) > 0.0).collect();
    assert_eq!(each, [false, true, false, false, false, false, false, false, false]);
    assert_eq!(moved(&pair, &images, &pure), 0.0);
    let alone = render(&network, &channel(layer, c).batch(0), &images, &config(3)).unwrap();
    assert!(moved(&alone, &images, &pure) > 0.0);
}

#[test]
fn activation_grids_less_naive() {
    let network = mini_5h();
    let (layer, w, groups, batch) = ("mixed4a", 24, 3, 6);
    let photo = format!("{}/../../fixtures/images/cat.png", env!("CARGO_MANIFEST_DIR"));
    let photo = picture::load_square(photo.as_ref(), 64, &Device::flex()).unwrap();

    let acts = network.activations(photo, &[layer]).unwrap().map(layer).unwrap();
    let [_, c, rows, columns] = acts.dims();
    let n = rows * columns;
    let acts_flat = acts.permute([0, 2, 3, 1]).reshape([n, c]);
    let (_, grouped) = NmfConfig::new(groups).fit_transform(acts_flat.clone()).unwrap();
    let grouped = grouped.clone() / grouped.max_dim(0);

    let group_imgs_raw = fft_image([groups, 3, w, w]);
    let unique_imgs_raw = fft_image([n, 3, w, w]);
    let opt_imgs = to_valid_rgb(0.7 * unique_imgs_raw + 0.5 * group_imgs_raw.combine(&grouped), ValidRgb::new());

    let rand_inds = random_choice(n, batch);
    let pres_imgs = opt_imgs.gather(&rand_inds);
    let pres_acts = constant(&acts_flat.clone().reshape([n, c, 1, 1])).gather(&rand_inds);
    let objective: Objective = (0..batch).map(|i| direction(layer, &pres_acts.image(i), 0.0).batch(i)).sum();

    let done = render(&network, &objective, &pres_imgs, &config(40)).unwrap();
    let all = |images: Tensor<4>| -> f32 {
        value_of(&network, &direction(layer, &acts_flat, 0.0), images).unwrap().into_scalar()
    };
    let vis_imgs = done.params.get(&opt_imgs).unwrap();
    assert_eq!(vis_imgs.dims(), [n, 3, w, w]);
    let (before, after) = (all(first(&pres_imgs, &opt_imgs)), all(vis_imgs.clone()));
    assert!(after > before, "of all images, {before} then {after}");

    // What is presented are images, each with the activations it is for, others at each step.
    let at_the_end = |param: &Param| done.params.get(param).unwrap();
    let chosen = at_the_end(&rand_inds).reshape([batch]).int();
    assert_eq!(largest(at_the_end(&pres_imgs) - vis_imgs.select(0, chosen.clone())), 0.0);
    assert_eq!(largest(at_the_end(&pres_acts).reshape([batch, c]) - acts_flat.select(0, chosen)), 0.0);
    let chance = &mut draws(0, Purpose::Noise);
    let choices: Vec<Vec<f32>> =
        (0..4).map(|_| drawn(&pres_imgs, &rand_inds, chance).try_into_vec_as().unwrap()).collect();
    assert!(choices.windows(2).all(|two| two[0] != two[1]), "{choices:?}");

    // One objective for all of the batch says the same as one for each image.
    let mean = render(&network, &direction(layer, &pres_acts, 0.0), &pres_imgs, &config(0)).unwrap();
    assert!((mean.values[0] * batch as f64 / done.values[0] - 1.0).abs() < 1e-4);
}

#[test]
fn aligned_interpolation() {
    let network = mini_5h();
    let (neuron1, neuron2) = (("mixed4a_pre_relu", 20), ("mixed4a_pre_relu", 7));
    let shape @ [n, _, w, _] = [6, 3, 32, 32];
    let start = |param: Param| first(&param, &param);
    let each = |images: &Tensor<4>, i: usize| images.clone().narrow(0, i, 1);

    // Written out, and by its name.
    let terms = (0..5).map(|i| {
        let weight = i as f64 / 4.0;
        (1.0 - weight) * channel(neuron1.0, neuron1.1).batch(i) + weight * channel(neuron2.0, neuron2.1).batch(i)
    });
    let images = start(image([w, w]).with_batch(5).with_sd(0.5).into());
    let value = |objective: &Objective| value_of(&network, objective, images.clone()).unwrap();
    let objective = channel_interpolate(neuron1, neuron2);
    assert_close("interpolation", value(&terms.sum()), value(&objective), 1e-5);

    let simple_shared = to_valid_rgb(lowres_tensor(shape, [1, 3, w, w]), ValidRgb::new());
    let done = render(&network, &objective, &simple_shared, &config(8)).unwrap();
    assert!(done.final_value > done.values[0]);
    let same = done.images().unwrap();
    assert!((1..n).all(|i| largest(each(same, i) - each(same, 0)) == 0.0), "all share everything");

    let lowres_interpolate = lowres_tensor(shape, [2, 3, w / 16, w / 16]);
    let done = render(&network, &objective, to_valid_rgb(lowres_interpolate.clone(), ValidRgb::new()), &config(8));
    let done = done.unwrap();
    let blended = done.params.get(&lowres_interpolate).unwrap();
    let between = |weight: f64| each(&blended, 0) * (1.0 - weight) + each(&blended, 5) * weight;
    for (i, weight) in [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0, 1.0, 1.0].into_iter().enumerate() {
        assert_close(&format!("image {i}"), each(&blended, i), between(weight), 1e-5);
    }

    let interpolate = || {
        let unique = fft_image(shape);
        let shared = [(1, 2), (1, 4), (1, 8), (2, 8), (1, 16), (2, 16)];
        let shared: Param = shared.map(|(count, k)| lowres_tensor(shape, [count, 3, w / k, w / k])).into_iter().sum();
        to_valid_rgb(unique + shared, ValidRgb::new())
    };
    let independent = render(&network, &objective, image([w, w]).with_batch(n), &config(24)).unwrap();
    let shared = render(&network, &objective, interpolate(), &config(24)).unwrap();
    let alignment = alignment("mixed3b", 5.0) + alignment("mixed4a", 5.0);
    let aligned = render(&network, &(objective + 0.1 * alignment.clone()), interpolate(), &config(24)).unwrap();
    for render in [&independent, &shared, &aligned] {
        assert!(render.final_value > render.values[0], "{:?} then {}", render.values, render.final_value);
    }
    // How much an image differs from the next, next to how much it differs from gray.
    let steps = |render: &Render| -> f32 {
        let images = render.images().unwrap().clone();
        let differences = images.clone().narrow(0, 1, n - 1) - images.clone().narrow(0, 0, n - 1);
        mean(differences.abs()) / mean((images - 0.5).abs())
    };
    assert!(steps(&shared) < 0.8 * steps(&independent), "{} and {}", steps(&shared), steps(&independent));
    let apart = |render: &Render| -> f32 {
        value_of(&network, &alignment, render.images().unwrap().clone()).unwrap().into_scalar()
    };
    assert!(apart(&aligned) > apart(&shared), "{} and {}", apart(&aligned), apart(&shared));
}

/// Backgrounds of the semi-transparent experiments.
#[derive(Clone, Copy)]
enum Background {
    /// One that is optimized, at a place drawn anew within this many pixels.
    Image { jitter: usize },
    /// One color that is optimized.
    Color,
}

fn background(w: usize, background: Background, noise_ratio: f64, sd: f64, decay_power: f64) -> Param {
    let var_img = match background {
        Background::Image { jitter } => Param::from(image([w + jitter, w + jitter])).jitter(jitter),
        Background::Color => Param::from(image([5, 5])).crop([3, 3], [1, 1]),
    };
    let sd = sd * 20f64.powf(1.0 - decay_power);
    let noise = image_sample(1, [w, w], &ImageSampleConfig::new().with_sd(sd).with_decay_power(decay_power));
    (1.0 - noise_ratio) * var_img + noise_ratio * noise
}

/// What an alpha experiment is made of.
struct AlphaExperiment {
    foreground: Param,
    background: Param,
    /// The foreground's way to the network, then the background's.
    flat: Param,
    objective: Objective,
}

fn alpha_experiment((layer, c): (&str, usize), background: Param, bg_adv: bool, jitter: usize) -> AlphaExperiment {
    let [_, _, w, _] = background.shape();
    let img = Param::from(image([w, w]).with_alpha(true));
    let (rgb, alpha) = (img.channels(0..3), img.channels(3..4));
    let (rgb_, alpha_, bg_) = (rgb.jitter(jitter), alpha.clone().jitter(jitter), background.clone().jitter(jitter));
    let opaque = rgb_ * alpha_.clone();
    let clear = 1.0 - alpha_;
    let flat = stack([
        opaque.clone() + clear.clone() * bg_.clone().stop_gradient(),
        opaque.stop_gradient() + clear.stop_gradient() * bg_,
    ]);

    let quarter = of_param("a quarter is opaque", &alpha, |alpha| -(alpha.mean() - 0.25).powi_scalar(2));
    let sign = if bg_adv { -1.0 } else { 1.0 };
    let objective = channel(layer, c).batch(0) + sign * channel(layer, c).batch(1) + 1e4 * quarter;
    AlphaExperiment { foreground: img, background, flat, objective }
}

#[test]
fn semi_transparent() {
    let network = mini_5h();
    let unit @ (layer, c) = ("mixed4a_pre_relu", 20);
    let w = 32;
    let backgrounds = [
        background(w, Background::Image { jitter: 0 }, 0.0, 0.3, 1.5),
        background(w, Background::Image { jitter: 8 }, 0.0, 0.3, 1.5),
        background(w, Background::Color, 0.0, 0.3, 1.5),
        background(w, Background::Color, 1.0, 0.1, 2.0),
        background(w, Background::Image { jitter: 0 }, 0.5, 0.4, 1.5),
    ];
    for bg in &backgrounds {
        assert_eq!(bg.shape(), [1, 3, w, w]);
        for bg_adv in [true, false] {
            let experiment = alpha_experiment(unit, bg.clone(), bg_adv, 2);
            let done = render(&network, &experiment.objective, &experiment.flat, &config(40)).unwrap();
            let opaque = |img: Tensor<4>| (mean(img.narrow(1, 3, 1)) - 0.25).abs();
            let img = done.params.get(&experiment.foreground).unwrap();
            let (before, after) = (opaque(first(&experiment.flat, &experiment.foreground)), opaque(img.clone()));
            assert!(after < 0.6 * before, "from {before} to {after} off");
            assert!(done.final_value > done.values[0], "{:?} then {}", done.values, done.final_value);
            let shown = picture::on_white(img);
            assert_eq!(shown.dims(), [1, 3, w, w]);
        }
    }

    // The image on a background moves the image alone, the background under it the background alone.
    let AlphaExperiment { foreground, background, flat, .. } = alpha_experiment(unit, backgrounds[0].clone(), true, 2);
    let of_image = render(&network, &channel(layer, c).batch(0), &flat, &config(3)).unwrap();
    assert!(moved(&of_image, &flat, &foreground) > 0.0);
    assert_eq!(moved(&of_image, &flat, &background), 0.0);
    let of_background = render(&network, &-channel(layer, c).batch(1), &flat, &config(3)).unwrap();
    assert_eq!(moved(&of_background, &flat, &foreground), 0.0);
    assert!(moved(&of_background, &flat, &background) > 0.0);
    assert!(of_background.final_value > of_background.values[0], "an adversarial background works against the unit");

    // Noise is another at each step, and a color that is optimized is the same everywhere.
    let chance = &mut draws(0, Purpose::Noise);
    let [one, other] = [0, 1].map(|_| drawn(&backgrounds[3], &backgrounds[3], chance));
    assert!(largest(one - other) > 0.05);
    let color = first(&backgrounds[2], &backgrounds[2]);
    assert!(largest(color.clone() - color.narrow(2, 0, 1).narrow(3, 0, 1)) < 1e-6);
}

#[test]
fn semi_transparent_and_aligned() {
    let (network, (layer, c), w, shared_param_coef) = (mini_5h(), ("mixed4a_pre_relu", 20), 32, 0.5);
    let bgs = [
        (true, background(w, Background::Image { jitter: 2 }, 0.0, 0.3, 1.5)),
        (true, background(w, Background::Color, 0.0, 0.3, 1.5)),
        (false, background(w, Background::Image { jitter: 0 }, 0.0, 0.3, 1.5)),
    ];
    let make_param = || {
        let levels = [1, 2, 4, 8].map(|k| lowres_tensor([1, 4, w, w], [1, 4, w / k, w / k]));
        levels.into_iter().sum::<Param>() / 4.0
    };
    let shared_param = make_param();
    let fgs: Vec<Param> = bgs
        .iter()
        .map(|_| {
            let fg = shared_param_coef * shared_param.clone() + make_param();
            stack_channels([to_valid_rgb(fg.channels(0..3), ValidRgb::new()), sigmoid(fg.channels(3..4))])
        })
        .collect();

    let mut flats = Vec::new();
    let mut objective = Objective::from(0.0);
    for (n, (fg, (adv, bg))) in fgs.iter().zip(&bgs).enumerate() {
        let [rgb, alpha, bg] = [fg.channels(0..3), fg.channels(3..4), bg.clone()].map(|part| part.jitter(2));
        flats.push((rgb.clone() * alpha.clone()) + (1.0 - alpha.clone()) * bg.clone().stop_gradient());
        flats.push((rgb * alpha.clone()).stop_gradient() + (1.0 - alpha).stop_gradient() * bg);
        let under = neuron(layer, c).batch(2 * n + 1) + channel(layer, c).batch(2 * n + 1);
        let sign = if *adv { -1.0 } else { 1.0 };
        let quarter = of_param("a quarter", &fg.channels(3..4), |alpha| -(alpha.mean() - 0.25).powi_scalar(2));
        objective = objective + neuron(layer, c).batch(2 * n) + sign * under + 1e4 * quarter;
    }
    let flat = stack(flats);
    let done = render(&network, &objective, &flat, &config(40)).unwrap();
    assert!(done.final_value > done.values[0], "{:?} then {}", done.values, done.final_value);
    assert_eq!(done.images().unwrap().dims(), [6, 3, w - 2, w - 2]);
    for fg in &fgs {
        let alpha = |fg: Tensor<4>| (mean(fg.narrow(1, 3, 1)) - 0.25).abs();
        assert!(alpha(done.params.get(fg).unwrap()) < 0.5 * alpha(first(&flat, fg)));
    }
    // All foregrounds change what they share.
    let of_last = render(&network, &neuron(layer, c).batch(4), &flat, &config(3)).unwrap();
    assert!(moved(&of_last, &flat, &shared_param) > 0.0 && moved(&of_last, &flat, &fgs[0]) > 0.0);
}

/// Images on the way between each two of `n` objectives, in `m` steps; `[a][b]` are those from `a` to `b`.
struct InterpolationBasis {
    /// What all share, then what is of one objective, then what is of two.
    parts: Vec<Param>,
    paths: Vec<Vec<Param>>,
}

/// Lucid's `multi_interpolation_basis`, with every path back the mirror image of the path there.
fn multi_interpolation_basis(n: usize, m: usize, w: usize) -> InterpolationBasis {
    let levels = |count: usize, factors: &[usize]| -> Param {
        factors.iter().map(|k| lowres_tensor([m, 3, w, w], [count, 3, w / k, w / k])).sum()
    };
    let mirrored = |path: &Param| path.select((0..m).rev());
    let constant = levels(1, &[1, 2, 4, 8]);
    let ends: Vec<Param> = (0..n).map(|_| levels(2, &[1, 2, 4, 8])).collect();
    let between: HashMap<(usize, usize), Param> = pairs(n).map(|pair| (pair, levels(m, &[1, 2]))).collect();
    let there = |a: usize, b: usize| {
        let both = constant.clone() + ends[a].clone() + mirrored(&ends[b]);
        between.get(&(a, b)).into_iter().fold(both, |both, own| both + own.clone())
    };
    let path = |a: usize, b: usize| if a <= b { there(a, b) } else { mirrored(&there(b, a)) };
    let paths = (0..n).map(|a| (0..n).map(|b| path(a, b)).collect()).collect();
    let own = pairs(n).map(|pair| between[&pair].clone());
    InterpolationBasis { parts: [constant].into_iter().chain(ends).chain(own).collect(), paths }
}

/// Each two of `n`, the smaller first.
fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |a| (a + 1..n).map(move |b| (a, b)))
}

#[test]
fn interpolations_between_many_objectives() {
    let fixture = Fixture::open("recipes");
    for (case, n, m) in [("multi_interpolation_basis_N2_M3_W8", 2, 3), ("multi_interpolation_basis_N3_M4_W8", 3, 4)] {
        let InterpolationBasis { parts, paths } = multi_interpolation_basis(n, m, 8);
        let all: Vec<&Param> = parts.iter().chain(paths.iter().flatten()).collect();
        let (prepared, own) = Prepared::new(all, &Device::flex(), &mut draws(0, Purpose::Variables));
        // Lucid's variables are [h, w, c], or [.., h, w, c] with an axis for the steps.
        let variables: Vec<Tensor<1>> = (0..own.len())
            .map(|i| {
                let (shape, values) = fixture.values(&format!("{case}/in/var{i:02}"));
                let [.., h, w, c] = shape[..] else { panic!("{shape:?}") };
                let values = Tensor::<1>::from_floats(&*values, &Device::flex());
                let count = values.dims()[0] / (h * w * c);
                values.reshape([count, h, w, c]).permute([0, 3, 1, 2]).reshape([-1])
            })
            .collect();
        for (variable, own) in variables.iter().zip(own) {
            assert_eq!(variable.dims(), own.dims());
        }
        let values = prepared.evaluate(&variables, &mut draws(0, Purpose::Noise));
        let path = |a: usize, b: usize| values.get(&paths[a][b]).unwrap();

        let size = m * 8 * 8 * 3;
        let (_, t) = fixture.values(&format!("{case}/out/t"));
        let lucids = |a: usize, b: usize| {
            let path = &t[(a * n + b) * size..][..size];
            Tensor::<1>::from_floats(path, &Device::flex()).reshape([m, 8, 8, 3]).permute([0, 3, 1, 2])
        };
        let mirrored = |path: Tensor<4>| path.flip([0]);
        for (a, b) in pairs(n).chain((0..n).map(|a| (a, a))) {
            assert_close(&format!("{case} {a} to {b}"), path(a, b), lucids(a, b), 1e-5);
        }
        for (a, b) in pairs(n) {
            // On the way back Lucid mirrors what another pair has between it, or nothing: `n - a` stands there for `a`.
            let between = |pair: (usize, usize)| {
                let place = pairs(n).position(|known| known == pair);
                place.map(|place| mirrored(values.get(&parts[1 + n + place]).unwrap()))
            };
            let back = path(b, a) - between((a, b)).unwrap();
            let back = between((a, n - b)).into_iter().fold(back, |back, other| back + other);
            assert_close(&format!("{case} {b} to {a}, as Lucid"), back, lucids(b, a), 1e-5);
            // What it is said to be: the same way back, ends that are each objective's own.
            assert_eq!(largest(path(b, a) - mirrored(path(a, b))), 0.0);
            let start = |a: usize, b: usize| path(a, b).narrow(0, 0, 1);
            assert!(largest(start(a, b) - start(b, a)) > 0.0);
        }
    }
}

#[test]
fn mini_lucid() {
    // Several objectives of one layer evaluate it once.
    let objective = channel("mixed4a", 20) + 0.5 * neuron("mixed4a", 7) - 0.1 * channel("mixed3b", 2);
    assert_eq!(objective.layers(), ["mixed4a", "mixed3b"]);
    let standard = RenderConfig::new().with_steps(24);
    let done = render(&mini_5h(), &objective, image([48, 48]), &standard).unwrap();
    assert!(done.final_value > done.values[0], "{:?} then {}", done.values, done.final_value);

    // Between a spectrum and its image one can go back and forth.
    let result = done.images().unwrap().clone().reshape([3, 48, 48]);
    for decay_power in [0.0, 1.0, 2.0] {
        let spectrum = param::fourier_inverse([48, 48], decay_power, &Device::flex())(result.clone());
        let again = param::fourier(3, [48, 48], decay_power, &Device::flex())(spectrum);
        assert_close(&format!("decay {decay_power}"), again, result.clone(), 1e-4);
    }
}
