//! What the catalogs say is what the documentation says, and what works.

use std::{fmt, fs, path::Path, str::FromStr};

use burn::tensor::{Device, Distribution, Tensor};
use entoptic::{
    Entry, RenderConfig, SyntaxError,
    chance::{Purpose, draws},
    network::zoo,
    objective::{self, Objective},
    optimizer::{self, Optimizer, Schedule},
    param::{self, Param, Parameterization, Prepared},
    picture, render,
    transform::{self, Transform},
};

/// A documented item of the sources, such as `pub fn channel`.
struct Documented {
    item: String,
    docs: Vec<String>,
}

impl Documented {
    /// Everything that has docs in a file of `src`, or in the files of a folder there, however deep.
    fn read(path: &str) -> Vec<Self> {
        let mut found = Vec::new();
        for source in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path)) {
            let mut docs = Vec::new();
            for line in source.lines().map(str::trim) {
                match line.strip_prefix("///") {
                    Some(text) => docs.push(text.strip_prefix(' ').unwrap_or(text).to_owned()),
                    None if line.starts_with("#[") => {}
                    None if docs.is_empty() => {}
                    None => found.push(Self { item: line.to_owned(), docs: std::mem::take(&mut docs) }),
                }
            }
        }
        found
    }

    /// The one whose item is `start` and goes on with no letter of a name.
    #[track_caller]
    fn find<'a>(all: &'a [Self], start: &str) -> &'a Self {
        let is_it = |item: &str| {
            let rest = item.strip_prefix(start);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        };
        all.iter().find(|documented| is_it(&documented.item)).unwrap_or_else(|| panic!("no `{start}` has docs"))
    }

    /// Its first sentence.
    fn sentence(&self) -> String {
        let paragraph: Vec<&str> = self.docs.iter().map(String::as_str).take_while(|line| !line.is_empty()).collect();
        let paragraph = paragraph.join(" ");
        match paragraph.split_once(". ") {
            Some((sentence, _)) => format!("{sentence}."),
            None => paragraph,
        }
    }

    /// The code of its examples.
    fn examples(&self) -> String {
        let mut inside = false;
        let code = self.docs.iter().filter(|line| {
            let fence = line.starts_with("```");
            inside ^= fence;
            inside && !fence
        });
        code.map(|line| format!("{line}\n")).collect()
    }
}

fn sources(path: &Path) -> Vec<String> {
    if path.is_file() {
        return vec![fs::read_to_string(path).unwrap()];
    }
    let mut paths: Vec<_> = path.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| sources(path)).collect()
}

#[track_caller]
fn assert_described<T>(entry: &Entry<T>, documented: &Documented) {
    assert_eq!(entry.about, documented.sentence(), "{}", entry.name);
}

#[track_caller]
fn assert_shown<T>(entry: &Entry<T>, documented: &Documented) {
    assert!(documented.examples().contains(entry.name), "no example of `{}` has its name", documented.item);
}

#[test]
fn objectives_and_transforms_are_described_by_their_functions() {
    let functions = Documented::read("objective");
    for entry in objective::CATALOG {
        let function = Documented::find(&functions, &format!("pub fn {}", entry.name));
        assert_described(entry, function);
        assert_shown(entry, function);
    }
    let mut functions = Documented::read("transform");
    functions.extend(Documented::read("transform.rs"));
    for entry in transform::CATALOG {
        let name = match entry.name {
            "scale" => "random_scale",
            "rotate" => "random_rotate",
            name => name,
        };
        let function = Documented::find(&functions, &format!("pub fn {name}"));
        assert_described(entry, function);
        assert_shown(entry, function);
    }
}

#[test]
fn params_optimizers_and_schedules_are_described_by_their_variants() {
    let variants = Documented::read("param/parameterization.rs");
    for entry in param::CATALOG {
        assert_described(entry, Documented::find(&variants, &variant(entry)));
    }
    let mut items = Documented::read("optimizer.rs");
    items.extend(Documented::read("optimizer"));
    for entry in optimizer::CATALOG {
        assert_described(entry, Documented::find(&items, &variant(entry)));
        assert_shown(entry, Documented::find(&items, &format!("pub struct {}Config", variant(entry))));
    }
    let curves = Documented::read("optimizer/schedule/curve.rs");
    for entry in optimizer::SCHEDULES {
        assert_described(entry, Documented::find(&curves, &variant(entry)));
        assert_shown(entry, Documented::find(&curves, "pub enum Curve"));
    }
}

/// The enum's name for what a text calls `torch_adam`: `TorchAdam`.
fn variant<T>(entry: &Entry<T>) -> String {
    match entry.name {
        "adamw" => return "AdamW".into(),
        "adagrad" => return "AdaGrad".into(),
        "rmsprop" => return "RmsProp".into(),
        _ => {}
    }
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    entry.name.split('_').map(capital).collect()
}

/// What an entry's example is; it comes back from its own text.
#[track_caller]
fn example<T, E>(entry: &Entry<E>) -> T
where
    T: FromStr<Err = SyntaxError> + fmt::Display + PartialEq + fmt::Debug,
{
    let read = |text: &str| text.parse::<T>().unwrap_or_else(|error| panic!("{error}\n{}", error.caret()));
    let value = read(entry.example);
    assert_eq!(read(&value.to_string()), value, "{}", entry.name);
    assert!(entry.example.contains(entry.name), "{}", entry.example);
    assert!(entry.usage.starts_with(entry.name), "{}", entry.usage);
    value
}

#[test]
fn every_example_of_an_objective_is_optimized() {
    let folder = tempfile::tempdir().unwrap();
    let gray = Tensor::full([1, 3, 64, 64], 0.5, &Device::flex());
    picture::save(&folder.path().join("photo.png"), &gray, None).unwrap();
    let network = zoo::squeezenet_v1_1();
    let collapse: Transform = "collapse_alpha_random(0.5)".parse().unwrap();
    for entry in objective::CATALOG {
        let mut objective: Objective = example(entry);
        objective.load(folder.path()).unwrap();
        let alpha = entry.name == "blur_alpha_each_step";
        let image = param::image([64, 64]).with_batch(3).with_alpha(alpha);
        let transforms = if alpha { collapse.clone() } else { transform::none() };
        let config = RenderConfig::new().with_steps(2).with_transforms(transforms);
        let render = render(&network, &objective, &image, &config);
        let render = render.unwrap_or_else(|error| panic!("{}: {error}", entry.example));
        assert!(render.final_value.is_finite(), "{}: {:?}", entry.example, render.final_value);
    }
}

#[test]
fn every_example_of_a_transform_changes_images() {
    for entry in transform::CATALOG {
        let transform: Transform = example(entry);
        let shape @ [n, c, h, w] = [2, 4, 64, 64];
        transform.check(shape).unwrap_or_else(|error| panic!("{}: {error}", entry.example));
        let images = Tensor::random(shape, Distribution::Uniform(0.0, 1.0), &Device::flex());
        let changed = transform.apply(images.clone(), &mut draws(0, Purpose::Transforms));
        let [smallest_h, smallest_w] = transform.smallest([h, w]);
        let [to_n, to_c, to_h, to_w] = changed.dims();
        assert_eq!([to_n, to_c], [n, transform.channels(c)], "{}", entry.example);
        assert!(to_h >= smallest_h && to_w >= smallest_w, "{}", entry.example);
    }
}

#[test]
fn every_example_of_a_param_makes_images() {
    for entry in param::CATALOG {
        let image = param::image([64, 64]).with_parameterization(example::<Parameterization, _>(entry));
        image.check().unwrap_or_else(|error| panic!("{}: {error}", entry.example));
        let param = Param::from(&image);
        let (prepared, variables) = Prepared::new([&param], &Device::flex(), &mut draws(0, Purpose::Variables));
        let values = prepared.evaluate(&variables, &mut draws(0, Purpose::Noise));
        let images = values.get(&param).unwrap().clone();
        assert_eq!(images.dims(), [1, 3, 64, 64], "{}", entry.example);
        let values = images.try_into_vec_as::<f32>().unwrap();
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)), "{}", entry.example);
    }
}

#[test]
fn every_example_of_an_optimizer_or_a_schedule_makes_sense() {
    for entry in optimizer::CATALOG {
        example::<Optimizer, _>(entry).check().unwrap_or_else(|error| panic!("{}: {error}", entry.example));
    }
    for entry in optimizer::SCHEDULES {
        example::<Schedule, _>(entry).check(0.05).unwrap_or_else(|error| panic!("{}: {error}", entry.example));
    }
}
