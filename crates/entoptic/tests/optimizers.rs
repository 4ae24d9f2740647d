//! What holds of a run with every optimizer: the objective rises, seeds decide, schedules are followed.

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex},
};

use burn::tensor::Device;
use entoptic::{
    RenderConfig,
    network::{GradientOverrides, zoo},
    objective::{channel, custom},
    optimizer::{
        AdaGradConfig, AdamConfig, AdamWConfig, AdanConfig, Curve, LbfgsConfig, LionConfig, Optimizer, RmsPropConfig,
        Schedule, SgdConfig, TorchAdamConfig,
    },
    param::{self, Colors, Parameterization},
    render, render_on, transform,
};

fn all() -> [Optimizer; 9] {
    let sgd = SgdConfig::new().with_learning_rate(1.0).with_momentum(0.9).with_nesterov(true);
    [
        AdamConfig::new().into(),
        TorchAdamConfig::new().into(),
        AdamWConfig::new().into(),
        sgd.into(),
        RmsPropConfig::new().into(),
        AdaGradConfig::new().into(),
        LionConfig::new().into(),
        AdanConfig::new().into(),
        LbfgsConfig::new().with_iterations(4).into(),
    ]
}

#[test]
fn the_objective_rises_with_every_optimizer() {
    let network = zoo::squeezenet_v1_1();
    for optimizer in all() {
        let config = RenderConfig::new()
            .with_steps(3)
            .with_transforms(transform::none())
            .with_gradients(GradientOverrides::none())
            .with_optimizer(optimizer.clone());
        let render = render(&network, &channel("fire4_pre_relu", 3), param::image([32, 32]), &config).unwrap();
        println!("{optimizer:?}: {:?} then {}", render.values, render.final_value);
        assert!(
            render.final_value > render.values[0],
            "{optimizer:?}: {:?} then {}",
            render.values,
            render.final_value
        );
    }
}

#[test]
fn a_run_repeats_with_every_optimizer() {
    let network = zoo::squeezenet_v1_1();
    for optimizer in all() {
        let schedule = Curve::Cosine { from: None, to: 0.0, steps: None }.into();
        let config =
            RenderConfig::new().with_steps(3).with_seed(7).with_optimizer(optimizer.clone()).with_schedule(schedule);
        let again = || {
            let render = render(&network, &channel("fire3", 5), param::image([32, 32]), &config).unwrap();
            (render.values.clone(), render.images().unwrap().to_data())
        };
        assert_eq!(again(), again(), "{optimizer:?}");
    }
}

#[test]
fn lbfgs_evaluates_one_draw_of_the_transforms_in_each_step() {
    let network = zoo::squeezenet_v1_1();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sizes = seen.clone();
    let response = custom("response", ["conv1"], move |step| {
        let activations = step.map("conv1")?;
        let [_, _, h, w] = activations.dims();
        sizes.lock().unwrap().push([h, w]);
        Ok(activations.mean())
    });
    let config = RenderConfig::new()
        .with_steps(5)
        .with_transforms(transform::random_scale((10..40).map(|side| f64::from(side) / 20.0).collect::<Vec<_>>()))
        .with_optimizer(LbfgsConfig::new().with_iterations(4).into());
    let mut steps = Vec::new();
    render_on(&Device::flex(), &network, &response, param::image([40, 40]), &config, |_| {
        steps.push(std::mem::take(&mut *seen.lock().unwrap()));
        ControlFlow::Continue(())
    })
    .unwrap();
    for sizes in &mut steps {
        assert!(sizes.len() > 1, "{sizes:?}");
        sizes.dedup();
        assert_eq!(sizes.len(), 1, "{sizes:?}");
    }
    steps.dedup();
    assert!(steps.len() > 1, "every step had the same draw");
}

#[test]
fn the_variables_move_by_the_rates_of_the_schedule() {
    let network = zoo::squeezenet_v1_1();
    // Lion moves every variable by the learning rate; those of grey pixels are the logits of their values.
    let image =
        param::image([32, 32]).with_parameterization(Parameterization::Pixel).with_colors(Colors::Rgb).with_sd(0.0);
    let schedule = Schedule::from(Curve::Constant { rate: Some(0.5) }).then(2, Curve::Constant { rate: None });
    let config = RenderConfig::new()
        .with_steps(3)
        .with_thresholds(vec![0, 1, 2])
        .with_transforms(transform::none())
        .with_optimizer(LionConfig::new().with_learning_rate(0.25).into())
        .with_schedule(schedule);
    let render = render(&network, &channel("input", 1), &image, &config).unwrap();
    for (snapshot, logit) in render.snapshots.iter().zip([0.5, 1.0, 1.25, 1.5_f64]) {
        let green: f32 = snapshot.images.clone().narrow(1, 1, 1).mean().into_scalar();
        let expected = 1.0 / (1.0 + (-logit).exp());
        assert!((f64::from(green) - expected).abs() < 1e-5, "step {}: {green}, not {expected}", snapshot.step);
    }
}

#[test]
fn bad_options_are_refused_before_the_run() {
    let network = zoo::squeezenet_v1_1();
    let refused = |config: RenderConfig| {
        render(&network, &channel("fire3", 5), param::image([32, 32]), &config).unwrap_err().to_string()
    };
    assert_eq!(
        refused(RenderConfig::new().with_optimizer(SgdConfig::new().with_momentum(1.0).into())),
        "the momentum cannot be 1; it is 0 or more and below 1"
    );
    assert_eq!(
        refused(RenderConfig::new().with_schedule(Curve::Exponential { gamma: 2.0, from: None }.into())),
        "gamma cannot be 2; it is above 0 and at most 1"
    );
}
