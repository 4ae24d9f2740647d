//! Manifests as people write them, and as the program does.

use std::path::Path;

use entoptic_model::{
    Error, Preprocessing,
    manifest::{Channels, Guess, Labels, Manifest, Values},
};

/// All that a manifest can say.
fn full() -> Manifest {
    let mut manifest = Manifest { name: Some("my \"net\"\n\u{7f}".into()), ..Manifest::default() };
    manifest.guessed = vec![
        Guess::new("input.mean", "PyTorch wrote the file"),
        Guess::new("input.std", "PyTorch wrote the file"),
        Guess::new("layers.show", "where branches\nmeet"),
    ];
    manifest.file.sha256 = Some("0123456789abcdef".repeat(4));
    manifest.file.kind = Some("onnx".into());
    manifest.file.architecture = Some("ResNet".into());
    manifest.input.name = Some("input.1".into());
    manifest.input.size = Some([224, 200]);
    let Preprocessing { mean, std, .. } = Preprocessing::CAFFE;
    Values::Normalized { mean, std }.write(&mut manifest.input);
    manifest.input.channels = Some(Channels::Bgr);
    manifest.output.probabilities = Some("prob".into());
    manifest.output.logits = Some("fc".into());
    manifest.output.labels = Some(Labels::List(vec!["tench, Tinca tinca".into(), "a\\b\"c\t".into(), String::new()]));
    manifest.layers.show = (0..30).map(|i| format!("layer{i}.add")).collect();
    manifest
}

#[test]
fn what_is_written_reads_back() {
    let manifest = full();
    let text = manifest.to_string();
    assert_eq!(Manifest::parse(&text), Ok(manifest.clone()), "{text}");
    assert_eq!(manifest.preprocessing(), Some(Preprocessing::CAFFE), "to the last bit");
    assert_eq!(Manifest::parse(&Manifest::default().to_string()), Ok(Manifest::default()));
    for labels in [Labels::Imagenet, Labels::ImagenetWithBackground, Labels::File("birds.txt".into())] {
        let mut manifest = Manifest::default();
        manifest.output.labels = Some(labels);
        assert_eq!(Manifest::parse(&manifest.to_string()), Ok(manifest));
    }
}

#[test]
fn guesses_stand_beside_their_fields() {
    let text = full().to_string();
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
    assert_eq!(line("guessed"), r#"guessed = ["input.mean", "input.std", "layers.show"]"#);
    let mean = "mean = [0.4850196, 0.45795685, 0.40760392]";
    assert_eq!(line("mean"), format!("{mean}  # guessed: PyTorch wrote the file; change it if pictures stay grey"));
    assert_eq!(line("std"), "std = [0.003921569, 0.003921569, 0.003921569]  # guessed, as the line above");
    assert!(text.contains("# guessed: where branches meet\nshow = [\n    \"layer0.add\", "));
    assert!(text.lines().all(|line| line.chars().count() <= 140), "{text}");
}

#[test]
fn hands_write_whole_numbers_and_leave_out_what_they_like() {
    let manifest = Manifest::parse("[input]\nrange = [-117, 138]\nsize = [299, 299]").unwrap();
    assert_eq!(manifest.preprocessing(), Some(Preprocessing::range(-117.0, 138.0)));
    assert_eq!(Manifest::parse("[input]\nchannels = 'bgr'").unwrap().preprocessing(), None);
}

#[test]
fn what_cannot_be_is_said_in_one_line() {
    let wrong = [
        ("name = ", "line 1: "),
        ("name = ' '", "name is empty"),
        (
            "nam = 'x'",
            "line 1: unknown field `nam`, expected one of `name`, `guessed`, `file`, `input`, `output`, `layers`",
        ),
        (
            "[input]\n\nsise = [1, 1]",
            "line 3: unknown field `sise`, expected one of `name`, `size`, `range`, `mean`, `std`, `channels`",
        ),
        ("[input]\nsize = [0, 224]", "input.size is [0, 224], an image of no pixels"),
        ("[input]\nsize = [224, 99999]", "input.size is [224, 99999]; 4096 pixels a side are the most"),
        ("[input]\nsize = [224]", "line 2: invalid length 1, expected an array of length 2"),
        ("[input]\nsize = [-1, 3]", "line 2: invalid value: integer `-1`, expected usize"),
        ("[input]\nsize = 224", "line 2: invalid type: integer `224`, expected an array of length 2"),
        ("[input]\nrange = [1, -1]", "input.range is [1, -1]; black comes first, and is less"),
        ("[input]\nrange = [0, inf]", "input.range is [0.0, inf], not finite"),
        ("[input]\nrange = [0, 1]\nmean = [0, 0, 0]", "input has range and mean; one of both says what colors become"),
        ("[input]\nmean = [0, 0, 0]", "input has mean, but no std"),
        (
            "[input]\nmean = [0, 0, 0]\nstd = [1, 0, 1]",
            "input.std is [1.0, 0.0, 1.0]; colors are divided by it, so it is more than 0",
        ),
        ("[input]\nmean = [nan, 0, 0]\nstd = [1, 1, 1]", "input.mean is [NaN, 0.0, 0.0], not finite"),
        ("[input]\nchannels = 'grb'", "line 2: unknown variant `grb`, expected `rgb` or `bgr`"),
        ("[file]\nsha256 = 'abc'", "file.sha256 is `abc`, not 64 digits of 0-9 and a-f"),
        ("[output]\nlabels = []", "output.labels is empty"),
        ("[output]\nlabels = '../x.txt'", "output.labels is `../x.txt`, which is no file beside the model"),
        ("[output]\nlabels = 3", "line 2: labels are \"imagenet\", \"imagenet+background\", a file's name, or a list"),
        ("guessed = ['input.rang']", "guessed names `input.rang`, which is no field such as `input.range`"),
    ];
    for (text, reason) in wrong {
        let found = Manifest::parse(text).unwrap_err();
        assert!(found.starts_with(reason) && !found.contains('\n'), "{text:?}\nsays   {found}\nnot    {reason}");
    }
}

#[test]
fn a_manifest_lies_beside_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("net.v2.onnx");
    assert_eq!(Manifest::find(&model).unwrap(), None);
    let path = Manifest::beside(&model);
    assert_eq!(path, folder.path().join("net.v2.onnx.toml"));
    std::fs::write(&path, "[input]\nrange = [2, 1]").unwrap();
    let Err(error @ Error::BadManifest { .. }) = Manifest::find(&model) else { panic!("a bad manifest") };
    let expected = format!("{}: input.range is [2, 1]; black comes first, and is less", path.display());
    assert_eq!(error.to_string(), expected);
    std::fs::write(&path, "name = 'net'").unwrap();
    assert_eq!(Manifest::find(&model).unwrap().unwrap().name.as_deref(), Some("net"));
}

#[test]
fn labels_are_known_or_lie_beside_the_model() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("two.txt"), "cat\r\ndog \n\n").unwrap();
    let read = |labels: Labels| labels.read(folder.path()).map_err(|error| error.to_string());
    assert_eq!(read(Labels::File("two.txt".into())), Ok(vec!["cat".into(), "dog".into()]));
    let (standard, with) = (read(Labels::Imagenet).unwrap(), read(Labels::ImagenetWithBackground).unwrap());
    assert_eq!((standard.len(), with.len(), with[0].as_str()), (1000, 1001, "background"));
    assert_eq!(standard, with[1..]);
    assert!(read(Labels::File("none.txt".into())).unwrap_err().contains("none.txt"));
    std::fs::write(folder.path().join("empty.txt"), "\n").unwrap();
    assert!(read(Labels::File("empty.txt".into())).unwrap_err().ends_with("it is empty; labels are text, one a line"));
    assert!(Labels::Imagenet.read(Path::new("nowhere")).is_ok());
}
