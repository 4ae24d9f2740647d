use std::ops::RangeInclusive;

use proptest::{
    option,
    prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest},
};

use super::{Call, Entry, SyntaxError, read};
use crate::array::Array;

#[derive(Debug, PartialEq)]
struct All {
    name: String,
    whole: usize,
    number: f64,
    single: Option<f32>,
    flag: Option<bool>,
    position: Option<[usize; 2]>,
    range: Option<RangeInclusive<f64>>,
    names: Option<Vec<String>>,
    array: Option<Array>,
}

const CATALOG: &[Entry<All>] = &[Entry {
    name: "all",
    usage: "all(name, whole, number=2)",
    about: "Every type of argument.",
    example: "all(a, 1, -2.5)",
    read: |arguments| {
        Ok(All {
            name: arguments.required("name")?,
            whole: arguments.required("whole")?,
            number: arguments.optional("number")?.unwrap_or(2.0),
            single: arguments.optional("single")?,
            flag: arguments.keyword("flag")?,
            position: arguments.keyword("position")?,
            range: arguments.keyword("range")?,
            names: arguments.keyword("names")?,
            array: arguments.keyword("array")?,
        })
    },
}];

impl All {
    fn new(name: &str, whole: usize, number: f64) -> Self {
        let (single, flag, position, range) = (None, None, None, None);
        Self { name: name.into(), whole, number, single, flag, position, range, names: None, array: None }
    }

    fn write(&self) -> Call {
        Call::new("all")
            .argument(&self.name)
            .argument(&self.whole)
            .unless(&2.0, "number", &self.number)
            .optional("single", self.single.as_ref())
            .optional("flag", self.flag.as_ref())
            .optional("position", self.position.as_ref())
            .optional("range", self.range.as_ref())
            .optional("names", self.names.as_ref())
            .optional("array", self.array.as_ref())
    }
}

fn read_all(text: &str) -> Result<All, SyntaxError> {
    read(text, "an all", CATALOG)
}

#[test]
fn points_belong_to_numbers_or_to_ranges() {
    let range = |text: &str| read_all(&format!("all(a, 1, 2, range={text})")).unwrap().range.unwrap();
    assert_eq!(range("0.9..1.1"), 0.9..=1.1);
    assert_eq!(range("-10..10"), -10.0..=10.0);
    assert_eq!(range("-1e-3 .. -.5e-3"), -0.001..=-0.0005);
    assert_eq!(range("1...5e1"), 1.0..=5.0);
}

#[test]
fn a_call_is_written_as_it_would_be_by_hand() {
    let all = All {
        single: Some(0.1),
        flag: Some(true),
        range: Some(0.9..=1.1),
        names: Some(vec!["a/b.c".into(), "d:0".into()]),
        array: Some(Array { shape: vec![2, 3], values: vec![0.0, 1.0, 2.5, -3.0, 4.0, 1e-7] }),
        ..All::new("mixed4a", 7, -1e-12)
    };
    let text = "all(mixed4a, 7, number=-1e-12, single=0.1, flag=true, range=0.9..1.1, names=[a/b.c, \"d:0\"], \
                array=[[0, 1, 2.5], [-3, 4, 1e-7]])";
    assert_eq!(all.write().to_string(), text);
    assert_eq!(Call::new("standard").to_string(), "standard");
}

#[test]
fn an_error_points_at_its_place() {
    let table = [
        ("", 0, "one of `all`"),
        ("al(a)", 0, "one of `all`"),
        ("all", 3, "`all(name, whole, number=2)`"),
        ("all(a, 1, 2) b", 13, "the end"),
        ("all(a, -1, 2)", 7, "a whole number, as in `all(name, whole, number=2)`"),
        ("all(a, 9007199254740993e3, 2)", 7, "a whole number, as in `all(name, whole, number=2)`"),
        ("all(a, 1, 2, flag=yes)", 13, "`true` or `false`, as in `all(name, whole, number=2)`"),
        ("all(a, 1, 2, range=2..1)", 13, "a range such as `0.9..1.1`, as in `all(name, whole, number=2)`"),
        ("all(a, 1, 2, 1e39)", 13, "a number, as in `all(name, whole, number=2)`"),
        ("all(a, 1, 2, array=[[1], [2, 3]])", 13, "numbers in brackets, as in `all(name, whole, number=2)`"),
        ("all(a, 1, 2, names=[a, 1])", 13, "a list in brackets, as in `all(name, whole, number=2)`"),
        ("all(a, 1, 2, names=[a; 1])", 21, "`,` or `]`"),
        ("all(a, 1, 2, other=1)", 13, "`all(name, whole, number=2)`"),
        ("all(a, 1, 2, flag=)", 18, "`all(name, whole, number=2)`"),
        ("all(a, 1..a)", 10, "a number"),
        ("all(a, 1.2.3)", 10, "`,` or `)`"),
        ("all(a, -b)", 8, "a number"),
    ];
    for (text, place, expected) in table {
        let error = read_all(text).unwrap_err();
        assert_eq!(error.to_string(), format!("`{text}` is not an all: expected {expected}"));
        assert_eq!(error.caret().lines().last().unwrap().len() - 1, place, "{text}");
    }
}

/// Up to `length` of `characters`.
fn characters(characters: &str, length: usize) -> impl Strategy<Value = String> + use<> {
    let character = proptest::sample::select(characters.chars().collect::<Vec<_>>());
    proptest::collection::vec(character, 0..=length).prop_map(String::from_iter)
}

#[test]
fn of_a_long_text_an_error_shows_a_part() {
    let numbers = vec!["0.125"; 100].join(", ");
    let error = read_all(&format!("all(a, 1, array=[{numbers}; {numbers}])")).unwrap_err();
    let caret = error.caret();
    let (line, below) = caret.split_once('\n').unwrap();
    assert!(line.starts_with("...") && line.ends_with("...") && line.len() == 126, "{line}");
    assert!(error.to_string().starts_with(&format!("`{line}` is not an all")), "{error}");
    assert_eq!(line.as_bytes()[below.len() - 1], b';');

    let error = read_all("all(a,\n1, b\t)").unwrap_err();
    assert_eq!(error.caret(), "all(a, 1, b )\n          ^");
}

fn alls() -> impl Strategy<Value = All> {
    let finite = || any::<f64>().prop_filter("finite", |number| number.is_finite());
    let numbers = prop_oneof![finite(), -10.0..10.0f64, Just(0.0), Just(-0.0), Just(1e16), Just(f64::MIN_POSITIVE)];
    let single = any::<f32>().prop_filter("finite", |number| number.is_finite());
    let name = || characters("aZ_/.0\"\\ :é-)[,", 6);
    let range = (finite(), finite()).prop_map(|(a, b)| a.min(b)..=a.max(b));
    let array = (proptest::collection::vec(0..4usize, 1..4), single.clone()).prop_map(|(mut shape, value)| {
        let inner = shape.iter().position(|&side| side == 0).map_or(shape.len(), |empty| empty + 1);
        shape.truncate(inner);
        let values = (0..shape.iter().product()).map(|i| value / (i + 1) as f32).collect();
        Array { shape, values }
    });
    (
        (name(), 0..=1usize << 53, numbers, option::of(single), option::of(any::<bool>())),
        option::of([0..9usize, 0..9usize]),
        option::of(range),
        option::of(proptest::collection::vec(name(), 0..3)),
        option::of(array),
    )
        .prop_map(|((name, whole, number, single, flag), position, range, names, array)| All {
            name,
            whole,
            number,
            single,
            flag,
            position,
            range,
            names,
            array,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn what_is_written_is_read_back(all in alls()) {
        let text = all.write().to_string();
        prop_assert_eq!(read_all(&text).map_err(|error| error.to_string()), Ok(all), "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in characters("all(c0139e.,=-[]\"\\) é", 24)) {
        if let Err(error) = read_all(&format!("all({text}")) {
            error.caret();
        }
    }
}
