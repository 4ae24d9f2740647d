//! Known architectures against what PyTorch's answer with the same weights.

mod common;

use common::{Fixture, made_up};
use entoptic_model::zoo;

#[test]
fn made_up_numbers_are_those_of_python() {
    // import made_up; made_up.weights("layer1.0.conv1.weight", [2, 3, 3, 3]).flat[:3] and so on
    let kernel = made_up::weights("layer1.0.conv1.weight", &[2, 3, 3, 3]);
    assert_eq!(kernel.values()[..3], [0.321_915_72, 0.069_023_73, 0.330_528_8]);
    assert_eq!(made_up::weights("bn1.running_var", &[3]).values(), [1.142_307_5, 1.286_753_4, 1.470_778_8]);
    assert_eq!(made_up::image("image", [1, 2])[..2], [0.691_765_7, 0.948_378_15]);
}

#[test]
fn every_network_is_recognized_by_one_family() {
    for name in Fixture::names() {
        let manifest = Fixture::open(&name).manifest();
        let families: Vec<&str> = zoo::families(&manifest).collect();
        assert_eq!(families.len(), 1, "{name} is {families:?}");
    }
}
