//! Lucid's own names, which are read, too.

/// What Lucid calls something, and what it is called here.
const NAMES: &[(&str, &str)] = &[
    ("L1", "l1"),
    ("L2", "l2"),
    ("direction_cossim", "direction"),
    ("direction_neuron_S", "direction_neuron_s"),
    ("fft_image", "fourier"),
    ("pixel_image", "pixel"),
    ("naive", "pixel"),
    ("laplacian_pyramid_image", "pyramid"),
    ("laplacian_pyramid", "pyramid"),
    ("lowres_tensor", "lowres"),
    ("random_scale", "scale"),
    ("random_rotate", "rotate"),
    ("standard_transforms", "standard"),
];

/// The name that stands in a catalog for `name`, which may be Lucid's.
pub fn ours(name: &str) -> &str {
    NAMES.iter().find(|(lucid, _)| *lucid == name).map_or(name, |(_, ours)| ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objective::{self, l1},
        param, transform,
    };

    #[test]
    fn names_of_lucid_are_read() {
        assert_eq!("L1(input)".parse::<objective::Objective>().unwrap(), l1("input", 0.0));
        assert_eq!("naive".parse::<param::Parameterization>().unwrap(), param::Parameterization::Pixel);
        let transforms = "standard_transforms random_scale([1, 2])".parse::<transform::Transform>().unwrap();
        assert_eq!(transforms, "standard scale([1, 2])".parse().unwrap());
    }

    #[test]
    fn every_name_means_something() {
        let objectives = objective::CATALOG.iter().map(|entry| entry.name);
        let params = param::CATALOG.iter().map(|entry| entry.name);
        let transforms = transform::CATALOG.iter().map(|entry| entry.name);
        let known: Vec<&str> = objectives.chain(params).chain(transforms).collect();
        for (lucid, ours) in NAMES {
            assert!(known.contains(ours) && !known.contains(lucid), "{lucid}");
        }
    }
}
