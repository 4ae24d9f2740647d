//! What of Lucid there is here, under which name, and which test holds it to Lucid; and what there is not, and why.
//!
//! The tables follow Lucid's modules. They are tests: a name that no source declares, a test or a file that is not
//! there, and a fixture that nothing names make them fail.

use std::{collections::HashSet, fs, path::Path};

/// Something of Lucid's that there is here.
struct Covered {
    /// Its name there, after its module.
    lucid: &'static str,
    /// What does the same here.
    ours: &'static [&'static str],
    /// The tests that hold it, each after its file.
    tests: &'static [(&'static str, &'static str)],
    /// The files of Lucid's numbers that they compare with; none where Lucid says what holds in words or in its tests.
    fixtures: &'static [&'static str],
}

/// Something of Lucid's that there is not.
struct Absent {
    lucid: &'static str,
    why: &'static str,
}

const ASCENT: &str = "crates/entoptic/tests/ascent.rs";
const GRADIENTS: &str = "crates/entoptic/tests/gradients.rs";
const TORCH: &str = "crates/model/tests/architectures.rs";
const TORCH_HERE: &str = "crates/network/tests/pytorch.rs";
const PYTORCH_FILES: &str = "crates/model/tests/pytorch.rs";
const ONNX: &str = "crates/model/src/load/onnx/fixtures.rs";
const GRAPHDEF: &str = "crates/model/src/load/graphdef/fixtures.rs";
const LUCID: &str = "crates/entoptic/tests/lucid.rs";
const OBJECTIVES: &str = "crates/entoptic/tests/objectives.rs";
const OVERRIDES: &str = "crates/network/tests/gradient_overrides.rs";
const PARAMS: &str = "crates/entoptic/tests/params.rs";
const PARITY: &str = "crates/entoptic/tests/parity.rs";
const PICTURES: &str = "crates/entoptic/tests/pictures.rs";
const REDUCER: &str = "crates/entoptic/tests/reducer.rs";
const SEEDS: &str = "crates/entoptic/tests/seeds.rs";
const ACTIVATION_GRID: &str = "crates/entoptic/src/recipe/activation_grid.rs";
const INTERPOLATION: &str = "crates/entoptic/src/recipe/interpolation.rs";
const TRANSPARENCY: &str = "crates/entoptic/src/recipe/transparency.rs";
const ATTRIBUTION: &str = "crates/entoptic/src/recipe/attribution.rs";
const EXAMPLES: &str = "crates/entoptic/tests/examples.rs";
const PROGRAM: &str = "crates/cli/tests/recipes.rs";
const EVERY_RECIPE: &str = "every_recipe_writes_what_it_makes";
const TENSORFLOW: &str = "crates/network/tests/tensorflow.rs";
const TRANSFORMS: &str = "crates/entoptic/tests/transforms.rs";

/// Value and gradient of an objective in `objectives.safetensors`, and that it rises.
const NUMBERS_AND_ASCENT: &[(&str, &str)] =
    &[(OBJECTIVES, "values_and_gradients_of_objectives"), (ASCENT, "every_objective_rises_under_ascent")];

const fn objective(lucid: &'static str, ours: &'static [&'static str]) -> Covered {
    Covered { lucid, ours, tests: NUMBERS_AND_ASCENT, fixtures: &["objectives"] }
}

const fn covered(
    lucid: &'static str,
    ours: &'static [&'static str],
    tests: &'static [(&'static str, &'static str)],
    fixtures: &'static [&'static str],
) -> Covered {
    Covered { lucid, ours, tests, fixtures }
}

#[rustfmt::skip]
const COVERED: &[Covered] = &[
    // optvis/render.py
    covered("render.render_vis", &["render", "render_on", "RenderConfig", "Snapshot"], &[(LUCID, "whole_runs_on_a_small_network"), (LUCID, "whole_runs_on_googlenet"), (PARITY, "default_runs_reach_what_lucids_reach"), (ASCENT, "snapshots_are_of_the_run_they_belong_to")], &["e2e_mini_5h", "e2e_googlenet_bvlc", "runs_public"]),
    covered("render.make_vis_T", &["render_on", "Values"], &[(ACTIVATION_GRID, "all_icons_get_better_though_few_are_looked_at_in_each_step")], &[]),
    covered("render.make_optimizer", &["Optimizer", "AdamConfig"], &[(LUCID, "adam")], &["adam"]),

    // optvis/objectives.py and objectives_util.py
    covered("objectives.Objective", &["Objective", "add", "mul", "neg", "sum"], NUMBERS_AND_ASCENT, &["objectives"]),
    covered("objectives.as_objective", &["from_str"], NUMBERS_AND_ASCENT, &["objectives"]),
    covered("objectives.wrap_objective", &["custom", "of_param"], &[(ASCENT, "every_objective_rises_under_ascent")], &[]),
    objective("objectives.handle_batch", &["batch"]),
    objective("objectives.neuron", &["neuron", "neuron_at"]),
    objective("objectives.channel", &["channel"]),
    objective("objectives.direction", &["direction"]),
    objective("objectives.direction_cossim", &["direction"]),
    objective("objectives.direction_neuron", &["direction_neuron", "direction_neuron_at"]),
    objective("objectives.tensor_direction", &["tensor_direction"]),
    objective("objectives.deepdream", &["deepdream"]),
    objective("objectives.total_variation", &["total_variation"]),
    objective("objectives.L1", &["l1"]),
    objective("objectives.L2", &["l2"]),
    objective("objectives.blur_input_each_step", &["blur_input_each_step"]),
    objective("objectives.blur_alpha_each_step", &["blur_alpha_each_step"]),
    covered("objectives._tf_blur", &["blur"], &[(OBJECTIVES, "a_step_down_the_blur_penalty_is_a_blur")], &["objectives"]),
    objective("objectives.channel_interpolate", &["channel_interpolate"]),
    covered("objectives.penalize_boundary_complexity", &["penalize_boundary_complexity"], &[(OBJECTIVES, "values_and_gradients_of_objectives"), (OBJECTIVES, "a_mask_says_what_is_the_border")], &["objectives"]),
    objective("objectives.alignment", &["alignment"]),
    objective("objectives.diversity", &["diversity"]),
    objective("objectives.input_diff", &["input_diff"]),
    covered("objectives.class_logit", &["class_logit"], &[(OBJECTIVES, "values_and_gradients_of_objectives"), (OBJECTIVES, "a_label_means_its_class_whatever_the_image")], &["objectives"]),
    objective("recipes.caricature.dot_compare", &["dot_compare"]),
    objective("recipes.activation_atlas.render.direction_neuron_S", &["direction_neuron_s", "whitened"]),
    objective("recipes.activation_atlas.render.direction_neuron_cossim_S", &["direction_neuron_s", "whitened"]),

    // optvis/param
    covered("param.color.to_valid_rgb", &["to_valid_rgb", "from_valid_rgb"], &[(PARAMS, "valid_rgb"), (LUCID, "valid_rgb")], &["to_valid_rgb"]),
    covered("param.images.image", &["image", "Image"], &[(LUCID, "images"), (LUCID, "images_start_as_faint_as_lucids")], &["image"]),
    covered("param.images.grayscale_image_rgb", &["Colors"], &[(LUCID, "images")], &["image"]),
    covered("param.spatial.pixel_image", &["pixel_image", "starting_at"], &[(LUCID, "images"), (ASCENT, "every_param_can_become_a_photo"), (ASCENT, "an_image_starts_at_the_photo_it_is_given")], &["image"]),
    covered("param.spatial.naive", &["pixel_image"], &[(LUCID, "images")], &["image"]),
    covered("param.spatial.rfft2d_freqs", &["frequencies"], &[(LUCID, "fourier_images_before_color")], &["fft_image"]),
    covered("param.spatial.fft_image", &["fft_image", "fourier_inverse"], &[(LUCID, "fourier_images_before_color"), (PARAMS, "a_spectrum_of_an_even_width_is_the_only_one_of_its_image"), (ASCENT, "every_param_can_become_a_photo")], &["fft_image"]),
    covered("param.spatial.laplacian_pyramid_image", &["laplacian_pyramid_image", "laplacian_pyramid"], &[(PARAMS, "pyramids"), (ASCENT, "every_param_can_become_a_photo")], &["laplacian_pyramid_image"]),
    covered("param.spatial.bilinearly_sampled_image", &["bilinearly_sampled_image", "sampled"], &[(PARAMS, "textures"), (PARAMS, "a_texture_repeats_and_blends"), (GRADIENTS, "through_params_that_are_made_of_params")], &["bilinearly_sampled_image"]),
    covered("param.lowres.lowres_tensor", &["lowres_tensor", "lowres"], &[(PARAMS, "low_resolution"), (INTERPOLATION, "coarse_frames_blend_as_lucids_do")], &["lowres_tensor"]),
    covered("param.resize_bilinear_nd.resize_bilinear_nd", &["resize_bilinear_nd"], &[(PARAMS, "resizing")], &["resize_bilinear_nd"]),
    covered("param.random.image_sample", &["image_sample", "ImageSample"], &[(PARAMS, "random_images"), (TRANSPARENCY, "noise_is_another_at_each_step_and_a_color_is_the_same_everywhere")], &["image_sample"]),
    covered("param.cppn.cppn", &["Cppn"], &[(PARAMS, "pattern_producing_networks"), (PARAMS, "pattern_producing_networks_start_as_lucids"), (PARAMS, "a_pattern_producing_network_can_become_xor")], &["cppn"]),
    covered("param.unit_balls.constrain_L2", &["constrain_l2"], &[(PARAMS, "unit_balls")], &["unit_balls"]),
    covered("param.unit_balls.constrain_L_inf", &["constrain_l_inf", "constrain_l_inf_precondition"], &[(PARAMS, "unit_balls")], &["unit_balls"]),
    covered("param.unit_balls.unit_ball_L2", &["l2"], &[(PARAMS, "unit_balls_step_by_step"), (ASCENT, "an_adversarial_image_raises_another_class_and_stays_in_its_ball")], &["unit_balls"]),
    covered("param.unit_balls.unit_ball_L_inf", &["l_inf"], &[(PARAMS, "unit_balls_step_by_step"), (ASCENT, "an_adversarial_image_raises_another_class_and_stays_in_its_ball")], &["unit_balls"]),
    covered("recipes.activation_atlas", &["ActivationAtlas", "Collected", "Icons"], &[(PROGRAM, EVERY_RECIPE)], &[]),
    covered("recipes.caricature", &["Caricature"], &[(PROGRAM, EVERY_RECIPE)], &[]),
    covered("recipes.feature_visualization", &["Spritemap", "Study"], &[(PROGRAM, EVERY_RECIPE)], &[]),
    covered("notebooks.interaction_grids", &["InteractionGrid"], &[(EXAMPLES, "notebooks_run_and_leave_pictures")], &[]),
    covered("notebooks.ActivationGrid", &["ActivationGrid"], &[(EXAMPLES, "notebooks_run_and_leave_pictures")], &[]),
    covered("notebooks.aligned_interpolation", &["Interpolation"], &[(EXAMPLES, "notebooks_run_and_leave_pictures")], &[]),
    covered("notebooks.background_experiments", &["Transparent", "TransparentSet", "Background"], &[(EXAMPLES, "notebooks_run_and_leave_pictures")], &[]),
    covered("notebooks.SemanticDictionary", &["SemanticDictionary"], &[(PROGRAM, EVERY_RECIPE)], &[]),
    covered("notebooks.AttrChannel", &["Attribution"], &[(ATTRIBUTION, "attributions_add_up_to_what_the_layer_changes_the_score_by")], &[]),
    covered("notebooks.AttrSpatial", &["spatial_attribution"], &[(ATTRIBUTION, "a_later_position_owes_most_to_where_it_looks")], &[]),
    covered("notebooks.NeuronGroups", &["NeuronGroups"], &[(PROGRAM, EVERY_RECIPE)], &[]),
    covered("notebooks.infinite_patterns", &["DeepDream"], &[(PROGRAM, EVERY_RECIPE)], &[]),
    covered("notebooks.style_transfer_2d", &["StyleTransfer"], &[(PROGRAM, EVERY_RECIPE)], &[]),
    covered("recipes.image_interpolation_params.multi_interpolation_basis", &["lowres_tensor", "select"], &[(SEEDS, "interpolations_between_many_objectives")], &["recipes"]),

    // optvis/transform.py
    covered("transform.jitter", &["jitter"], &[(LUCID, "pads_crops_alpha_and_normalized_gradients")], &["transforms"]),
    covered("transform.pad", &["pad"], &[(LUCID, "pads_crops_alpha_and_normalized_gradients"), (GRADIENTS, "through_transforms_and_networks")], &["transforms"]),
    covered("transform.random_scale", &["random_scale"], &[(LUCID, "scales_and_rotations"), (LUCID, "scaled_sizes_are_truncated_in_single_precision")], &["transforms_scale_rotate"]),
    covered("transform.random_rotate", &["random_rotate"], &[(LUCID, "scales_and_rotations")], &["transforms_scale_rotate"]),
    covered("transform.normalize_gradient", &["normalize_gradient"], &[(LUCID, "pads_crops_alpha_and_normalized_gradients"), (TRANSFORMS, "a_normalized_gradient_of_zero_is_zero_and_a_tiny_one_is_not")], &["transforms"]),
    covered("transform.compose", &["compose"], &[(LUCID, "standard_transforms")], &["standard_transforms"]),
    covered("transform.collapse_alpha_random", &["collapse_alpha_random"], &[(LUCID, "pads_crops_alpha_and_normalized_gradients"), (ASCENT, "transparent_images_rise_on_random_backgrounds")], &["transforms"]),
    covered("transform.crop_or_pad_to", &["crop_or_pad_to"], &[(LUCID, "pads_crops_alpha_and_normalized_gradients")], &["transforms"]),
    covered("transform.standard_transforms", &["standard"], &[(LUCID, "standard_transforms")], &["standard_transforms"]),

    // optvis/overrides
    covered("overrides.gradient_override_map", &["GradientOverrides", "with_layer"], &[(OVERRIDES, "an_override_of_one_layer_holds_there_alone")], &["mini_5h_expected"]),
    covered("overrides.identity_grad", &["ReluOverride"], &[(OVERRIDES, "an_identity_passes_gradients_unchanged_on_maps_and_vectors")], &[]),
    covered("overrides.redirected_relu_grad", &["ReluOverride"], &[(TENSORFLOW, "redirected_relus"), (OVERRIDES, "redirected_relus_pass_what_leads_back"), (OVERRIDES, "redirection_is_for_each_image_alone")], &["redirected_relu"]),
    covered("overrides.redirected_relu6_grad", &["ReluOverride"], &[(TENSORFLOW, "redirected_relus")], &["redirected_relu"]),
    covered("overrides.make_smoothed_maxpool_grad", &["MaxPoolOverride"], &[(TENSORFLOW, "smoothed_max_pools"), (OVERRIDES, "smoothed_max_pools_have_the_gradient_of_the_smooth_pool")], &["smoothed_maxpool"]),
    covered("overrides.pooling_overrides", &["pooling_overrides"], &[(OVERRIDES, "what_holds_for_every_layer_by_name_holds_in_general")], &[]),
    covered("overrides.relu_overrides", &["relu_overrides"], &[(LUCID, "whole_runs_on_a_small_network")], &["e2e_mini_5h"]),
    covered("overrides.default_overrides", &["default_overrides"], &[(OVERRIDES, "no_override_changes_a_value")], &[]),
    covered("overrides.linearization_overrides", &["linearization_overrides"], &[(OVERRIDES, "a_linearized_network_has_the_gradient_of_a_linear_one")], &[]),

    // optvis/style.py
    covered("style.gram_style", &["gram"], &[(OBJECTIVES, "styles")], &["style"]),
    covered("style.mean_l1_loss", &["Distance"], &[(OBJECTIVES, "styles")], &["style"]),
    covered("style.mean_l2_loss", &["Distance"], &[(OBJECTIVES, "styles")], &["style"]),
    covered("style.StyleLoss", &["style", "StyleTarget", "StyleConfig"], &[(OBJECTIVES, "styles"), (OBJECTIVES, "a_moving_average_of_styles_starts_at_zero"), (GRADIENTS, "a_style_that_is_wanted_does_not_move")], &["style"]),

    // misc
    covered("misc.channel_reducer.ChannelReducer", &["Reducer", "NmfConfig", "PcaConfig", "IcaConfig"], &[(REDUCER, "nmf_reconstructs_as_well_as_scikit_learn"), (REDUCER, "pca_is_scikit_learns"), (REDUCER, "ica_separates_mixed_signals"), (REDUCER, "activations_of_one_direction_need_one_component")], &["channel_reducer"]),
    covered("misc.io.load", &["load", "load_sized"], &[(PICTURES, "photos_are_loaded_at_any_size"), (PICTURES, "photos_of_every_kind_are_read"), ("crates/entoptic/tests/arrays.rs", "every_type_that_numpy_wrote_is_read")], &["numpy", "images", "kinds"]),
    covered("misc.io.save", &["save", "save_with"], &[(PICTURES, "what_is_saved_without_losses_comes_back"), ("crates/entoptic/tests/arrays.rs", "what_is_written_is_read_back")], &[]),
    covered("misc.io.show", &["from_array", "grid"], &[(PICTURES, "arrays_are_shown_as_lucid_shows_them")], &[]),
    covered("misc.io.serialize_array", &["normalize", "to_bytes"], &[(PICTURES, "arrays_become_bytes_as_lucids_do"), (PICTURES, "bytes_in_arrays_are_not_clipped_to_black")], &["misc"]),
    covered("misc.io.collapse_channels", &["collapse_channels", "hue_to_rgb"], &[(PICTURES, "channels_collapse_as_lucids_do"), (PICTURES, "hues_are_lucids")], &["misc"]),
    covered("misc.ndimage_utils.resize", &["resize"], &[(PICTURES, "resizing_keeps_flat_colors_and_smooth_waves")], &[]),
    covered("misc.ndimage_utils.composite", &["composite"], &[(PICTURES, "a_composite_lies_where_it_is_put")], &[]),
    covered("misc.ndimage_utils.soft_alpha_blend", &["soft_alpha_blend"], &[(PICTURES, "soft_alpha_shows_a_pale_copy_where_it_is_transparent")], &[]),

    // TensorFlow's operations, and a network of them
    covered("TensorFlow: Conv2D, MaxPool, AvgPool, LRN, Softmax, MatMul", &["Convolution", "Window", "LocalResponseNorm", "Linear"], &[(TENSORFLOW, "convolutions"), (TENSORFLOW, "max_pools"), (TENSORFLOW, "average_pools"), (TENSORFLOW, "local_response_norms"), (TENSORFLOW, "linear_layers_and_softmax")], &["tf_ops"]),
    covered("modelzoo: inception5h's structure", &["Network"], &[(TENSORFLOW, "every_layer_of_a_whole_network"), (TENSORFLOW, "the_gradient_of_a_whole_network")], &["mini_5h_expected", "mini_5h_weights"]),
    covered("modelzoo.vision_base.Model.import_graph, InceptionV1.post_import", &["import", "Imported"], &[(GRAPHDEF, "every_node_of_thin_networks_agrees_with_tensorflow"), (GRAPHDEF, "every_layer_of_a_whole_network_agrees_with_lucid"), (GRAPHDEF, "googlenet_is_what_its_weights_file_makes")], &["mini_5h", "mini_5h_expected", "tensorflow"]),
    covered("modelzoo.vision_base.Model.load, load_from_metadata, util.extract_metadata", &["Metadata"], &[(GRAPHDEF, "what_lucid_saved_says_itself_what_it_is_fed")], &["tensorflow"]),
    covered("(beyond Lucid) models of PyTorch", &["build", "WeightsFile"], &[(TORCH, "resnets_answer_as_in_pytorch"), (TORCH_HERE, "networks_answer_as_in_pytorch"), (PYTORCH_FILES, "every_kind_of_file_holds_the_same")], &["torch", "pytorch"]),
    covered("(beyond Lucid) models in ONNX", &["Lift"], &[(ONNX, "exported_files_compute_what_onnx_runtime_computes")], &["onnx"]),
];

#[rustfmt::skip]
const ABSENT: &[Absent] = &[
    Absent { lucid: "render.make_print_objective_func", why: "libraries do not print; `Progress` has each step's value" },
    Absent { lucid: "render.import_model", why: "a network is asked for its activations; no graph has to be imported" },
    Absent { lucid: "objectives_util._make_arg_str, _T_force_NHWC", why: "an objective's text says its arguments, and every network answers [n, c, h, w]" },
    Absent { lucid: "param.resize_bilinear_nd.collapse_shape, product", why: "parts of Lucid's resizing; ours goes along one axis at a time" },
    Absent { lucid: "param.random.rand_fft_image", why: "`image_sample` without its colors, which nothing in Lucid uses alone" },
    Absent { lucid: "param.unit_balls.dot", why: "a dot product" },
    Absent { lucid: "overrides.use_gradient, register_to_random_name", why: "a way to write gradients in Python; an override here is one of a few kinds" },
    Absent { lucid: "misc.io.read, write, io_scope, save_context, batch_save", why: "remote files and threads of a notebook's; the standard library has files" },
    Absent { lucid: "misc.io.show.image, images, textured_mesh, graph, array_to_jsbuffer", why: "shown in a notebook's page; the program shows pictures in a terminal" },
    Absent { lucid: "misc.gl, misc.gl.meshutil", why: "an OpenGL renderer of meshes; `Param::sampled` takes the coordinates that any renderer makes" },
    Absent { lucid: "misc.convert_matplotlib, environment, tfutil, iter_nd_utils", why: "helpers of Python's and TensorFlow's" },
    Absent { lucid: "misc.stimuli", why: "synthetic stimuli are not rendered for a network; not yet here" },
    Absent { lucid: "misc.graph_analysis", why: "finds structure in TensorFlow's graphs; a `Graph` here has it" },
    Absent { lucid: "recipes.activation_atlas.layout, normalize_layout, bin_laid_out_activations, make_canvas", why: "atlases are not yet here; `misc.safetensors` has their numbers" },
];

/// The repository's folder.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text of all sources in a folder.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, text),
            false => text.push_str(&read(&path)),
        }
    }
}

/// The words of a text that follow one of `keywords`.
fn declared<'a>(text: &'a str, keywords: &[&str]) -> HashSet<&'a str> {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    words.windows(2).filter(|pair| keywords.contains(&pair[0])).map(|pair| pair[1]).collect()
}

#[test]
fn what_is_covered_is_there_and_tested() {
    let mut text = String::new();
    for library in ["entoptic", "model", "network"] {
        sources(&root().join("crates").join(library).join("src"), &mut text);
    }
    // `as` for what has another name where it is used, such as `fourier_inverse`.
    let ours = declared(&text, &["fn", "struct", "enum", "trait", "as"]);
    for row in COVERED {
        for name in row.ours {
            assert!(ours.contains(name), "{}: there is no `{name}`", row.lucid);
        }
        assert!(!row.tests.is_empty(), "{} is held by nothing", row.lucid);
        for (file, test) in row.tests {
            let text = read(&root().join(file));
            let named = text.lines().any(|line| line.trim_start().starts_with(&format!("fn {test}(")));
            assert!(named, "{}: no test `{test}` in {file}", row.lucid);
        }
        // The network that several tests run is made in one place.
        let texts = row.tests.iter().map(|(file, _)| *file).chain(["crates/fixtures/src/mini_5h.rs"]);
        let texts: Vec<String> = texts.map(|file| read(&root().join(file))).collect();
        for fixture in row.fixtures {
            let forms = [format!("\"{fixture}\""), format!("{fixture}."), format!("/{fixture}/")];
            let named = texts.iter().any(|text| forms.iter().any(|form| text.contains(form)));
            assert!(named, "{}: no test reads the fixture `{fixture}`", row.lucid);
        }
    }
}

#[test]
fn every_fixture_is_named() {
    let named: HashSet<&str> = COVERED.iter().flat_map(|row| row.fixtures).copied().collect();
    let readme = read(&root().join("fixtures/README.md"));
    let mut there = HashSet::new();
    for entry in fs::read_dir(root().join("fixtures")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name != "README" {
            assert!(named.contains(&*name), "fixtures/{name} is named by no row");
            assert!(readme.contains(&format!("`{name}")), "fixtures/{name} is not in fixtures/README.md");
            there.insert(name);
        }
    }
    for name in named {
        assert!(there.contains(name), "there is no fixtures/{name}");
    }
}

#[test]
fn nothing_is_in_both_tables_or_twice() {
    let mut names = HashSet::new();
    for name in COVERED.iter().map(|row| row.lucid).chain(ABSENT.iter().map(|row| row.lucid)) {
        assert!(names.insert(name), "{name} is there twice");
    }
    assert!(ABSENT.iter().all(|row| !row.why.is_empty()));
}
