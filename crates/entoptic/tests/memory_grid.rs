//! An activation grid of 784 icons needs no more than they and their optimizer do. A process of its own, so that the peak is
//! its own.

#[test]
#[cfg(target_os = "linux")]
fn a_grid_of_784_icons_stays_below_1500_megabytes() {
    use burn::tensor::Device;
    use entoptic::{
        network::zoo,
        picture,
        recipe::{ActivationGrid, ActivationGridConfig, Job},
    };

    let network = zoo::squeezenet_v1_1();
    let path = format!("{}/../../fixtures/images/cat.png", env!("CARGO_MANIFEST_DIR"));
    // Large enough for 28 x 28 positions.
    let photo = picture::load_square(path.as_ref(), 232, &Device::flex()).unwrap();
    let config = ActivationGridConfig::new().with_steps(4);
    let grid = ActivationGrid::render(&mut Job::new(&network), &photo, "fire4", &config).unwrap();
    assert_eq!(grid.icons.dims(), [784, 3, 48, 48]);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux reports the peak");
    let kilobytes: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    println!("peak: {} MB", kilobytes / 1024);
    assert!(kilobytes < 1500 * 1024, "peak: {kilobytes} kB");
}
