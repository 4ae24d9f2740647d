//! Pictures: what is saved comes back, what Lucid computes is computed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use burn::tensor::{Device, Tensor};
use entoptic::{
    Array, Error,
    array::{self, Stored},
    picture::{self, Channels, SaveConfig},
};
use entoptic_fixtures::{Fixture, assert_close};

/// Waves of different lengths in red, green, blue and alpha: `[1, c, h, w]`.
fn waves(c: usize, [h, w]: [usize; 2]) -> Tensor<4> {
    let value = |i: usize| {
        let (channel, y, x) = (i / (h * w), i / w % h, i % w);
        0.5 + 0.5 * ((x + 1) as f32 * 0.11 + y as f32 * 0.07 * (channel + 1) as f32).sin()
    };
    Tensor::<1>::from_floats(&*(0..c * h * w).map(value).collect::<Vec<_>>(), &Device::flex()).reshape([1, c, h, w])
}

fn photo(name: &str) -> Tensor<4> {
    let path = format!("{}/../../fixtures/images/{name}.png", env!("CARGO_MANIFEST_DIR"));
    picture::load(path.as_ref(), &Device::flex()).unwrap()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as().unwrap()
}

/// Asserts that values are those of `expected`, rounded to 8 bits.
#[track_caller]
fn assert_rounded(what: &str, found: Tensor<4>, expected: Tensor<4>) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let difference = (found - expected).abs().max().into_scalar::<f32>();
    assert!(difference < 0.501 / 255.0, "{what}: off by {difference}");
}

/// The colors of decoded frames: `[1, 3, h, w]`.
fn colors(frame: image::Frame) -> Tensor<4> {
    let frame = frame.into_buffer();
    let [h, w] = [frame.height() as usize, frame.width() as usize];
    let values: Vec<f32> = frame.pixels().flat_map(|p| [p[0], p[1], p[2]]).map(|v| f32::from(v) / 255.0).collect();
    Tensor::<1>::from_floats(&*values, &Device::flex()).reshape([1, h, w, 3]).permute([0, 3, 1, 2])
}

#[track_caller]
fn assert_exact(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{what}: at {i} {a} is not {b}");
    }
}

#[test]
fn hues_are_lucids() {
    let fixture = Fixture::open("misc");
    let (_, angles) = fixture.values("hue_to_rgb/in/angle");
    for (out, warp) in [("warp_f64", true), ("no_warp_f64", false)] {
        let found: Vec<f64> = angles.iter().flat_map(|&angle| picture::hue_to_rgb(f64::from(angle), warp)).collect();
        assert_exact(out, &found, &fixture.doubles(&format!("hue_to_rgb/out/{out}")).1);
    }
}

#[test]
fn channels_collapse_as_lucids_do() {
    let fixture = Fixture::open("misc");
    for case in fixture.cases("collapse_channels") {
        let (shape, values) = fixture.doubles(&format!("{case}/in/X_f64"));
        let (_, expected) = fixture.doubles(&format!("{case}/out/rgb_f64"));
        assert_exact(&case, &picture::collapse(&values, *shape.last().unwrap()), &expected);

        let nchw = |shape: &[usize], values: &[f64]| {
            let [.., h, w, c] = *shape else { unreachable!("images have three axes") };
            let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
            let n = values.len() / (h * w * c);
            Tensor::<1>::from_floats(&*values, &Device::flex()).reshape([n, h, w, c]).permute([0, 3, 1, 2])
        };
        let colors = [&shape[..shape.len() - 1], &[3]].concat();
        let found = picture::collapse_channels(&nchw(&shape, &values));
        assert_close(&case, found, nchw(&colors, &expected), 1e-6);
    }
}

#[test]
fn arrays_become_bytes_as_lucids_do() {
    let fixture = Fixture::open("misc");
    for case in fixture.cases("normalize_array") {
        let numbers = match case.as_str() {
            "normalize_array_int" => vec![0.0, 300.0, -5.0, 17.0], // stored as int64
            "normalize_array_float32" => fixture.values(&format!("{case}/in/x")).1.into_iter().map(f64::from).collect(),
            _ => fixture.doubles(&format!("{case}/in/x_f64")).1,
        };
        let domain: Option<[f64; 2]> = serde_json::from_value(fixture.argument(&case, "domain").clone()).unwrap();
        let (_, expected) = fixture.values(&format!("{case}/out/u8"));
        let found: Vec<f32> = picture::to_bytes(&numbers, domain).unwrap().into_iter().map(f32::from).collect();
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn normalized_values_span_their_domain_and_nan_is_an_error() {
    assert_eq!(picture::normalize(&[-1.0, 1.0, 3.0], None).unwrap(), [0.0, 0.5, 1.0]);
    assert_eq!(picture::normalize(&[-1.0, 1.0, 3.0], Some([0.0, 2.0])).unwrap(), [0.0, 0.5, 1.0]);
    assert_eq!(picture::normalize(&[4.0, 4.0], None).unwrap(), [0.0, 0.0]);
    for (values, domain) in [
        (&[0.0, f64::NAN][..], None),
        (&[0.0, f64::NAN], Some([0.0, 1.0])),
        (&[f64::INFINITY], None),
        (&[0.0], Some([1.0, 1.0])),
    ] {
        assert!(matches!(picture::normalize(values, domain), Err(Error::OutOfRange { .. })), "{values:?} {domain:?}");
    }
}

#[test]
fn what_is_saved_without_losses_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    for extension in ["png", "webp", "PNG"] {
        let path = folder.path().join(format!("waves.{extension}"));
        for c in [1, 3, 4] {
            let images = waves(c, [13, 21]);
            picture::save(&path, &Tensor::cat(vec![images.clone(), images.clone()], 0), None).unwrap();
            let back = picture::load_rgba(&path, &Device::flex()).unwrap();
            assert_eq!(back.dims(), [1, 4, 13, 42]);
            let expected = match c {
                1 => {
                    Tensor::cat(vec![images.clone(), images.clone(), images, Tensor::ones_like(&waves(1, [13, 21]))], 1)
                }
                3 => Tensor::cat(vec![images, Tensor::ones_like(&waves(1, [13, 21]))], 1),
                _ => images,
            };
            let expected = Tensor::cat(vec![expected.clone(), expected], 3);
            assert_rounded(extension, back, expected);
        }
        assert_eq!(picture::about(&path).unwrap().colors, "RGB and alpha");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "no temporary file is left");
}

#[test]
fn jpegs_are_close_better_with_quality_and_white_where_transparent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photo.jpg");
    let cat = photo("cat");
    let saved = |quality: u8| {
        picture::save_with(&path, &cat, None, &SaveConfig::new().with_jpeg_quality(quality)).unwrap();
        let error = picture::load(&path, &Device::flex()).unwrap() - cat.clone();
        (fs::metadata(&path).unwrap().len(), error.abs().mean().into_scalar::<f32>())
    };
    let [(small, rough), (large, fine)] = [saved(30), saved(95)];
    assert!(small < large && fine < rough && fine < 0.012, "{small} {rough}, {large} {fine}");

    let black = Tensor::<4>::zeros([1, 3, 16, 16], &Device::flex());
    let half = Tensor::<4>::full([1, 1, 16, 16], 0.5, &Device::flex());
    picture::save(&path, &Tensor::cat(vec![black, half], 1), None).unwrap();
    let back = picture::load(&path, &Device::flex()).unwrap();
    assert!((back - 0.5).abs().max().into_scalar::<f32>() < 0.01);
    for quality in [0, 101] {
        let config = SaveConfig::new().with_jpeg_quality(quality);
        assert!(matches!(picture::save_with(&path, &cat, None, &config), Err(Error::OutOfRange { .. })));
    }
}

#[test]
fn many_channels_are_saved_as_colors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("activations.png");
    let activations = waves(7, [9, 12]) * 0.3;
    picture::save(&path, &activations, None).unwrap();
    let expected = picture::collapse_channels(&activations).clamp(0.0, 1.0);
    assert_rounded("colors", picture::load(&path, &Device::flex()).unwrap(), expected);
}

#[test]
fn other_names_say_what_works() {
    let error = picture::save(Path::new("x.tiff"), &waves(3, [2, 2]), None).unwrap_err().to_string();
    assert_eq!(error, "cannot write x.tiff: a picture's name ends in .png, .jpg, .jpeg or .webp");
    let error = picture::animate(Path::new("x.mov"), &waves(3, [2, 2]), 10.0).unwrap_err().to_string();
    assert_eq!(error, "cannot write x.mov: an animation's name ends in .gif, .apng or .mp4");
}

#[test]
fn photos_are_loaded_at_any_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cat.png");
    let cat = photo("cat");
    picture::save(&path, &cat, None).unwrap();
    let sized = picture::load_sized(&path, [31, 57], &Device::flex()).unwrap();
    assert_close("resized like", sized, picture::resize(&cat, [31, 57]).unwrap(), 2.0 / 255.0);
    assert!(matches!(picture::load_sized(&path, [0, 3], &Device::flex()), Err(Error::OutOfRange { .. })));
}

#[test]
fn resizing_keeps_flat_colors_and_smooth_waves() {
    let flat = Tensor::<4>::full([2, 5, 10, 12], 0.25, &Device::flex());
    let resized = picture::resize(&flat, [7, 31]).unwrap();
    assert_close("flat", resized, Tensor::full([2, 5, 7, 31], 0.25, &Device::flex()), 1e-6);
    // Larger and back again.
    let waves = waves(3, [40, 40]);
    let back = picture::resize(&picture::resize(&waves, [80, 120]).unwrap(), [40, 40]).unwrap();
    assert_close("waves", back, waves.clone(), 0.02);
    assert_close("same size", picture::resize(&waves, [40, 40]).unwrap(), waves, 0.0);
}

#[test]
fn a_composite_lies_where_it_is_put() {
    let device = Device::flex();
    let background = Tensor::<4>::zeros([1, 3, 40, 80], &device);
    let foreground = Tensor::<4>::ones([1, 3, 10, 20], &device);
    let covered = |ratio: f64, position: [f64; 2]| {
        let laid = picture::composite(background.clone(), &foreground, ratio, position).unwrap();
        let laid = values(laid.narrow(1, 0, 1));
        let places: Vec<[usize; 2]> = (0..laid.len()).filter(|i| laid[*i] > 0.5).map(|i| [i / 80, i % 80]).collect();
        (*places.first().unwrap(), *places.last().unwrap(), places.len())
    };
    // A quarter of 80 is 20 wide, and 10 high.
    assert_eq!(covered(0.25, [0.0, 0.0]), ([0, 0], [9, 19], 200));
    assert_eq!(covered(0.25, [1.0, 1.0]), ([30, 60], [39, 79], 200));
    assert_eq!(covered(0.5, [0.0, 0.5]), ([0, 20], [19, 59], 800));
    for (ratio, position) in [(1.5, [0.0; 2]), (0.0, [0.0; 2]), (0.25, [0.0, -0.1])] {
        let laid = picture::composite(background.clone(), &foreground, ratio, position);
        assert!(matches!(laid, Err(Error::OutOfRange { .. })), "{ratio} {position:?}");
    }
    let tall = Tensor::<4>::ones([1, 3, 50, 10], &device);
    assert!(picture::composite(background.clone(), &tall, 0.5, [0.0; 2]).is_err());
}

#[test]
fn soft_alpha_shows_a_pale_copy_where_it_is_transparent() {
    let pixel = |alpha: f32| {
        let rgba = Tensor::<1>::from_floats([0.2, 0.5, 1.0, alpha], &Device::flex()).reshape([1, 4, 1, 1]);
        values(picture::soft_alpha_blend(rgba, 0.333, 2.2))
    };
    // np: rgb = np.array([.2, .5, 1]); bg = .333 * rgb + .667; (a * rgb**2.2 + (1 - a) * bg**2.2) ** (1 / 2.2)
    for (alpha, expected) in [(1.0, [0.2, 0.5, 1.0]), (0.0, [0.7336, 0.8335, 1.0]), (0.25, [0.64924, 0.76633, 1.0])] {
        for (found, expected) in pixel(alpha).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-4, "{alpha}: {found} is not {expected}");
        }
    }
}

#[test]
fn a_grid_puts_images_row_by_row_on_white() {
    let images = Tensor::<1>::from_floats([0.1, 0.2, 0.3], &Device::flex()).reshape([3, 1, 1, 1]);
    let sheet = picture::grid(&images, 2, 1).unwrap();
    assert_eq!(sheet.dims(), [1, 1, 3, 3]);
    assert_eq!(values(sheet), [0.1, 1.0, 0.2, 1.0, 1.0, 1.0, 0.3, 1.0, 1.0]);
    assert_eq!(picture::grid(&images, 5, 0).unwrap().dims(), [1, 1, 1, 5]);
    assert!(matches!(picture::grid(&images, 0, 0), Err(Error::OutOfRange { .. })));
}

#[test]
fn arrays_are_shown_as_lucid_shows_them() {
    let device = Device::flex();
    let shown = |array: &Array, channels| picture::from_array(array, channels, Some([0.0, 1.0]), &device).unwrap();
    let gray = Array::new([2, 3], vec![0.0, 0.5, 1.0, 2.0, -1.0, 0.25]);
    let picture = shown(&gray, Channels::Guess);
    assert_eq!(picture.dims(), [1, 1, 2, 3]);
    assert_eq!(values(picture), [0.0, 0.5, 1.0, 1.0, 0.0, 0.25]);

    // The same image with its channels first and last.
    let waves = waves(3, [5, 6]);
    let first = Array::from(waves.clone());
    let last = Array::from(waves.clone().permute([0, 2, 3, 1]));
    for array in [&first, &last] {
        assert_close("guessed", shown(array, Channels::Guess), waves.clone(), 1e-6);
    }
    assert_close("first", shown(&first, Channels::First), waves.clone(), 1e-6);
    // Read the other way, five positions are channels.
    assert_eq!(shown(&last, Channels::First).dims(), [1, 3, 6, 3]);
    let measured = picture::from_array(&gray, Channels::Guess, None, &device).unwrap();
    assert_eq!(values(measured)[3..5], [1.0, 0.0]);

    let line = picture::from_array(&Array::new([4], vec![0.0; 4]), Channels::Guess, Some([0.0, 1.0]), &device);
    assert!(matches!(line, Err(Error::WrongRank { .. })));
}

#[test]
fn bytes_in_arrays_are_not_clipped_to_black() {
    let arrays = array::load_stored(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/numpy.npz").as_ref()).unwrap();
    // 0 to 23 of [2, 3, 4]: an image of height 2 and width 3 with alpha.
    let shown = |name: &str| {
        let Stored { array, kind } = &arrays[name];
        picture::from_array(array, Channels::Last, Some(kind.domain()), &Device::flex()).unwrap()
    };
    assert_eq!(shown("u1").dims(), [1, 4, 2, 3]);
    assert!((shown("u1").max().into_scalar::<f32>() - 23.0 / 255.0).abs() < 1e-6);
    assert_eq!(shown("f4").max().into_scalar::<f32>(), 1.0);
}

#[test]
fn a_gif_shows_its_frames_forever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("waves.gif");
    let small = |name| picture::resize(&photo(name), [41, 63]).unwrap();
    let frames = Tensor::cat(["cat", "coffee", "palace"].map(small).to_vec(), 0);
    picture::animate(&path, &frames, 30.0).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.windows(19).any(|bytes| bytes == b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"), "loops forever");
    let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(bytes)).unwrap();
    let decoded = image::AnimationDecoder::into_frames(decoder).collect_frames().unwrap();
    assert_eq!(decoded.len(), 3);
    let delays: Vec<u32> = decoded.iter().map(|frame| frame.delay().numer_denom_ms().0).collect();
    assert_eq!(delays, [30, 40, 30], "hundredths of a second, 0.1 s together");
    for (i, frame) in decoded.into_iter().enumerate() {
        let error = (colors(frame) - frames.clone().narrow(0, i, 1)).abs().mean().into_scalar::<f32>();
        assert!(error < 0.015, "frame {i}: {error}");
    }
    assert_eq!(picture::load(&path, &Device::flex()).unwrap().dims(), [1, 3, 41, 63]);
    for rate in [0.0, -1.0, f64::NAN, 60.0] {
        assert!(matches!(picture::animate(&path, &frames, rate), Err(Error::OutOfRange { .. })), "{rate}");
    }
}

#[test]
fn an_apng_holds_its_frames_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("waves.apng");
    let frames = Tensor::cat((0..3).map(|i| waves(3, [21, 33]) * (1.0 - 0.3 * i as f32)).collect(), 0);
    picture::animate(&path, &frames, 12.5).unwrap();
    let bytes = fs::read(&path).unwrap();
    let decoder = image::codecs::png::PngDecoder::new(std::io::Cursor::new(bytes)).unwrap();
    let decoded = image::AnimationDecoder::into_frames(decoder.apng().unwrap()).collect_frames().unwrap();
    assert_eq!(decoded.len(), 3);
    for (i, frame) in decoded.into_iter().enumerate() {
        assert_eq!(frame.delay().numer_denom_ms(), (80, 1));
        assert_rounded("frame", colors(frame), frames.clone().narrow(0, i, 1));
    }
}

#[test]
fn a_video_is_made_or_says_that_ffmpeg_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("waves.mp4");
    match picture::animate(&path, &waves(3, [21, 33]), 25.0) {
        Ok(()) => assert_eq!(fs::read(&path).unwrap()[4..8], *b"ftyp"),
        Err(error) => {
            assert!(error.to_string().contains("videos need the program `ffmpeg`"), "{error}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}

#[test]
fn photos_of_every_kind_are_read() {
    let device = Device::flex();
    let file = |name: &str| PathBuf::from(format!("{}/../../fixtures/kinds/{name}", env!("CARGO_MANIFEST_DIR")));
    let colors = ["exif.jpg", "cmyk.jpg", "progressive.jpg", "palette.png", "rgba.webp", "animated.gif"];
    for name in colors.into_iter().chain(["gray.png", "gray16.png"]) {
        let photo = picture::load(&file(name), &device).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(photo.dims(), [1, 3, 24, 16], "{name}");
        let at = |y: usize, x: usize| -> Vec<f32> {
            photo.clone().narrow(2, y, 1).narrow(3, x, 1).try_into_vec_as().unwrap()
        };
        let expected = match name {
            // What red, green and blue weigh in gray.
            "gray.png" | "gray16.png" => [[0.299; 3], [0.587; 3], [0.114; 3], [1.0; 3]],
            _ => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0; 3]],
        };
        for ([y, x], expected) in [[4, 3], [4, 12], [18, 3], [18, 12]].into_iter().zip(expected) {
            let off = at(y, x).into_iter().zip(expected).map(|(found, expected)| (found - expected).abs());
            assert!(off.fold(0.0, f32::max) < 0.06, "{name} at {y}, {x}: {:?}", at(y, x));
        }
        let square = picture::load_square(&file(name), 40, &device).unwrap();
        assert_eq!(square.dims(), [1, 3, 40, 40], "{name}");
    }
    assert_eq!(picture::load_square(&file("pixel.png"), 32, &device).unwrap().dims(), [1, 3, 32, 32]);
}
