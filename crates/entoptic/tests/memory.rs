//! A default run of the embedded network needs little memory. A process of its own, so that the peak is its own.

#[test]
#[cfg(target_os = "linux")]
fn a_default_run_stays_below_400_megabytes() {
    use entoptic::{RenderConfig, network::zoo, objective::channel, param, render};

    // All sizes that random scaling makes come up in the first steps; later ones reuse what those needed.
    let config = RenderConfig::new().with_steps(24);
    render(&zoo::squeezenet_v1_1(), &channel("logits", 285), param::image([128, 128]), &config).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux reports the peak");
    let kilobytes: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    println!("peak: {} MB", kilobytes / 1024);
    assert!(kilobytes < 400 * 1024, "peak: {kilobytes} kB");
}
