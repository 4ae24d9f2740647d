//! Weights and images made from names, the same here as in `tools/made_up.py`, so that tests need no file of weights.
//!
//! Element i of a tensor is splitmix64 of (FNV-1a of its name) and i, as a number in -1..1, scaled by what the name says
//! it is.
//!
//! # Reference
//! [FNV](http://www.isthe.com/chongo/tech/comp/fnv/), [splitmix64](https://prng.di.unimi.it/splitmix64.c).

/// The made-up numbers of the weight called `name`, the last axis running fastest.
pub fn weight(name: &str, shape: &[usize]) -> Vec<f32> {
    let last = name.rsplit(['.', '/']).next().expect("a split has a part");
    let fan_in: usize = shape.iter().skip(1).product();
    let (offset, factor) = if last.contains("var") {
        (1.0, 0.5)
    } else if last.contains("mean") || last.contains("bias") || last.contains("beta") || last == "b" {
        (0.0, 0.1)
    } else if shape.len() >= 2 && fan_in > 1 {
        (0.0, (6.0 / fan_in as f64).sqrt() as f32)
    } else {
        (1.0, 0.2)
    };
    uniform(name).take(shape.iter().product()).map(|u| offset + factor * u).collect()
}

/// The made-up image of `size` `[h, w]`, RGB in `0..=1` before preprocessing, `[3, h, w]`.
pub fn image(name: &str, [h, w]: [usize; 2]) -> Vec<f32> {
    uniform(name).take(3 * h * w).map(|u| 0.5 + 0.5 * u).collect()
}

/// The numbers in -1..1 that all of that is made of, without end.
pub fn uniform(name: &str) -> impl Iterator<Item = f32> {
    let seed = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    (1..).map(move |i: u64| {
        let mut z = seed.wrapping_add(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        ((z >> 40) as f64 / f64::from(1 << 23) - 1.0) as f32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_numbers_are_those_of_python() {
        // import made_up; made_up.weights("layer1.0.conv1.weight", [2, 3, 3, 3]).flat[:3] and so on
        let kernel = weight("layer1.0.conv1.weight", &[2, 3, 3, 3]);
        assert_eq!(kernel[..3], [0.321_915_72, 0.069_023_73, 0.330_528_8]);
        assert_eq!(weight("bn1.running_var", &[3]), [1.142_307_5, 1.286_753_4, 1.470_778_8]);
        assert_eq!(image("image", [1, 2])[..2], [0.691_765_7, 0.948_378_15]);
    }
}
