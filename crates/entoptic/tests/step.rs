//! What a step costs besides its network.

use std::{hint::black_box, time::Instant};

use burn::tensor::{Device, Distribution, Gradients, Tensor};
use entoptic::{
    RenderConfig,
    chance::{Purpose, draws},
    network::{
        Description, Network,
        graph::{GraphBuilder, Op},
    },
    objective::custom,
    optimizer::{Adam, AdamConfig},
    param::{self, Param, Prepared},
    render_on,
    transform::{self, Transform},
};

/// A network whose layer `copy` is the image.
fn copying() -> Network {
    let mut graph = GraphBuilder::new([64, 64]);
    graph.add("copy", Op::Add, &[graph.input()]).unwrap();
    let description =
        Description { name: "copy".into(), sha256: String::new(), labels: Vec::new(), probabilities: "copy".into() };
    Network::new(graph.finish(), description)
}

fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() * 1e-6
}

fn report(what: &str, mut times: Vec<f64>, cpu: f64) {
    times.sort_by(f64::total_cmp);
    println!(
        "  {what:30} min {:8.3} median {:8.3} cpu {:8.3}",
        times[0],
        times[times.len() / 2],
        cpu / times.len() as f64
    );
}

fn time(what: &str, count: usize, mut work: impl FnMut()) {
    if std::env::var("ONLY").is_ok_and(|only| !what.contains(&only)) {
        return;
    }
    for _ in 0..3 {
        work();
    }
    let start_cpu = cpu();
    let times = (0..count)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    report(what, times, cpu() - start_cpu);
}

fn pull(x: Tensor<4>, g: &Tensor<4>) -> Gradients {
    (x * g.clone()).sum().backward()
}

#[test]
#[ignore]
fn breakdown() {
    // Whoever has read a network's weights has freed as much, after which malloc no longer gives memory back.
    drop(black_box(vec![1u8; 31 << 20]));
    let device = Device::flex().autodiff();
    let factor: usize = std::env::var("FACTOR").map_or(1, |f| f.parse().unwrap());
    let cases: Vec<(usize, usize, usize)> = vec![(1, 128, 300), (16, 128, 30), (1, 512, 30)];
    let only: Option<usize> = std::env::var("CASE").ok().map(|f| f.parse().unwrap());
    for (batch, side, count) in
        cases.into_iter().enumerate().filter(|(i, _)| only.is_none_or(|o| *i == o)).map(|(_, c)| c)
    {
        let count = count * factor;
        println!("batch {batch}, {side} px");
        let image: Param = param::image([side, side]).with_batch(batch).into();
        let (prepared, variables) = Prepared::new([&image], &device, &mut draws(0, Purpose::Variables));
        let variables: Vec<_> = variables.into_iter().map(Tensor::require_grad).collect();
        let noise = || draws(0, Purpose::Noise);
        let g = Tensor::<4>::random([batch, 3, side, side], Distribution::Default, &Device::flex()).autodiff();
        let leaf = g.clone().inner().autodiff().require_grad();
        let [h, w] = [side; 2];
        time("(pull alone)", count, || {
            black_box(pull(leaf.clone(), &g));
        });
        let fourier = param::fourier(3 * batch, [h, w], 1.0, &device);
        time("fourier forward", count, || {
            black_box(fourier(variables[0].clone()));
        });
        time("fourier forward, backward (pull)", count, || {
            black_box(pull(fourier(variables[0].clone()).reshape([batch, 3, h, w]), &g));
        });
        time("colors forward", count, || {
            black_box(param::color::to_valid_rgb(leaf.clone(), true, param::color::Squash::Sigmoid));
        });
        time("colors forward, backward (pull)", count, || {
            black_box(pull(param::color::to_valid_rgb(leaf.clone(), true, param::color::Squash::Sigmoid), &g));
        });
        time("param forward", count, || {
            black_box(prepared.evaluate(&variables, &mut noise()));
        });
        time("param forward, backward (pull)", count, || {
            black_box(pull(prepared.evaluate(&variables, &mut noise()).get(&image).unwrap(), &g));
        });
        for (name, text) in [
            ("pad", "pad(12, 0.5)"),
            ("jitter", "jitter(8)"),
            ("scale", "scale(0.96)"),
            ("rotate", "rotate(5)"),
            ("all", "pad(12, 0.5) jitter(8) scale(0.96) rotate(5) jitter(4)"),
        ] {
            let transform: Transform = text.parse().unwrap();
            let mut rng = draws(0, Purpose::Transforms);
            time(&format!("{name} forward"), count, || {
                black_box(transform.apply(leaf.clone(), &mut rng));
            });
            let ones = Tensor::<4>::ones(transform.apply(leaf.clone(), &mut rng).dims(), &Device::flex()).autodiff();
            time(&format!("{name} forward, backward (pull)"), count, || {
                black_box(pull(transform.apply(leaf.clone(), &mut rng), &ones));
            });
        }
        let mut adam = Adam::new(AdamConfig::new());
        let k = Tensor::<1>::ones(variables[0].dims(), &Device::flex()).autodiff();
        let gradients = (variables[0].clone() * k.clone()).sum().backward();
        time("adam", count, || {
            black_box(adam.step(variables.clone(), &gradients));
        });

        let network = copying();
        let objective = custom("squares", ["copy"], |step| {
            let x = step.map("copy")?;
            Ok((x.clone() * x).mean())
        });
        let x = Tensor::<4>::ones([batch, 3, side, side], &device).require_grad();
        time("objective, backward", count, || {
            black_box((x.clone() * x.clone()).mean().backward());
        });
        for transforms in [transform::none(), transform::standard()] {
            let what = format!("step with {}", transforms.to_string().chars().take(20).collect::<String>());
            if std::env::var("ONLY").is_ok_and(|only| !what.contains(&only)) {
                continue;
            }
            let config = RenderConfig::new().with_steps(count + 3).with_transforms(transforms.clone());
            let mut times = Vec::new();
            let mut start = Instant::now();
            let mut start_cpu = 0.0;
            let mut total = 0.0;
            render_on(&Device::flex(), &network, &objective, &image, &config, |progress| {
                if progress.step > 3 {
                    times.push(start.elapsed().as_secs_f64() * 1e3);
                } else {
                    start_cpu = cpu();
                }
                if progress.step == count + 2 {
                    total = cpu() - start_cpu;
                }
                start = Instant::now();
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
            times.pop();
            report(&what, times, total);
        }
    }
}
