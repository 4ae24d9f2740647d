//! Maps and planes against the plain loops.

mod common;

use common::{Held, MANY, Noise, beside, dims, each_isa, same_on_threads};
use entoptic_kernels::{
    Dims,
    planes::{from_planes, to_planes},
    reference,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(common::cases())]

    #[test]
    fn channels_and_planes_are_the_same(dims in dims(), beside in beside(), add: bool, seed: u64) {
        let mut noise = Noise(seed);
        let map = Held::new(dims, beside, |count| noise.floats(count));
        let planes = noise.floats(dims.len());
        let mut expected_planes = planes.clone();
        reference::to_planes(map.map(), &mut expected_planes, add);
        let expected = map.after(|map| reference::from_planes(&planes, map, add));
        each_isa(|cpu| {
            let mut actual = planes.clone();
            to_planes(cpu, map.map(), &mut actual, add);
            assert_eq!(actual, expected_planes);
            assert_eq!(map.after(|map| from_planes(cpu, &planes, map, add)), expected);
        });
    }
}

#[test]
fn threads_change_no_bit() {
    let dims = Dims { n: 2, h: MANY, w: MANY + 1, c: 67 };
    let map = Held::new(dims, [1, 2], |count| Noise(1).floats(count));
    let planes = Noise(2).floats(dims.len());
    same_on_threads(|cpu| {
        let mut there = planes.clone();
        to_planes(cpu, map.map(), &mut there, true);
        (there, map.after(|map| from_planes(cpu, &planes, map, false)))
    });
}
