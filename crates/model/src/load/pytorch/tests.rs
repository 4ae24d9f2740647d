//! Whole files, made here byte by byte: none of them needs Python.

use std::borrow::Cow;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// A pickle's opcodes, as `pickletools.dis` names them.
#[derive(Default, Clone)]
struct Pickle(Vec<u8>);

impl Pickle {
    fn new() -> Self {
        Self(b"\x80\x02".to_vec())
    }

    fn op(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend(bytes.as_ref());
        self
    }

    fn int(self, number: i32) -> Self {
        self.op(b"J").op(number.to_le_bytes())
    }

    fn text(self, text: &str) -> Self {
        self.op(b"X").op((text.len() as u32).to_le_bytes()).op(text)
    }

    fn ints(self, numbers: &[i32]) -> Self {
        numbers.iter().fold(self.op(b"("), |pickle, number| pickle.int(*number)).op(b"t")
    }

    /// A tensor in a storage of its own.
    fn tensor(self, class: &str, key: &str, elements: i32, place: (i32, &[i32], &[i32])) -> Self {
        let (offset, shape, strides) = place;
        self.op("ctorch._utils\n_rebuild_tensor_v2\n((")
            .text("storage")
            .op(format!("ctorch\n{class}\n"))
            .text(key)
            .text("cpu")
            .int(elements)
            .op("tQ")
            .int(offset)
            .ints(shape)
            .ints(strides)
            .op(b"\x89ccollections\nOrderedDict\n)RtR")
    }

    /// f32s in order.
    fn plain(self, key: &str, elements: i32) -> Self {
        self.tensor("FloatStorage", key, elements, (0, &[elements], &[1]))
    }

    fn end(self) -> Vec<u8> {
        self.op(b".").0
    }
}

/// A dictionary of named things, as `OrderedDict`.
fn dict(entries: &[(&str, &dyn Fn(Pickle) -> Pickle)]) -> Vec<u8> {
    let start = Pickle::new().op("ccollections\nOrderedDict\n)R(");
    let fill = |pickle: Pickle, (name, value): &(&str, &dyn Fn(Pickle) -> Pickle)| value(pickle.text(name));
    entries.iter().fold(start, fill).op("u}").text("_metadata").op("}sb").end()
}

fn zipped(pickle: &[u8], files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (path, content) in [("data.pkl", pickle)].iter().chain(files) {
        let path = format!("net/{path}");
        let (mut entry, config) =
            archive.new_file(&path).compression_method(rawzip::CompressionMethod::STORE).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        std::io::Write::write_all(&mut writer, content).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

fn legacy(pickle: &[u8], storages: &[(&str, usize, &[u8])]) -> Vec<u8> {
    let keys = storages.iter().fold(Pickle::new().op("]("), |pickle, (key, ..)| pickle.text(key)).op("e").end();
    let mut bytes = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.".to_vec();
    bytes.extend(Pickle::new().op("}").text("little_endian").op(b"\x88s").end());
    bytes.extend([pickle, &keys].concat());
    for (_, elements, content) in storages {
        bytes.extend((*elements as u64).to_le_bytes());
        bytes.extend(*content);
    }
    bytes
}

fn floats(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn open(bytes: impl Into<Vec<u8>>) -> Result<PytorchFile, String> {
    PytorchFile::open(Cow::Owned(bytes.into()))
}

fn reason(bytes: impl Into<Vec<u8>>) -> String {
    open(bytes).err().expect("refused")
}

fn names(file: &PytorchFile) -> Vec<&str> {
    file.tensors.keys().map(String::as_str).collect()
}

/// Two tensors that share a storage, one of them turned.
fn turned() -> Vec<u8> {
    dict(&[
        ("turned", &|pickle| pickle.tensor("FloatStorage", "0", 6, (0, &[3, 2], &[1, 3]))),
        ("row", &|pickle| pickle.tensor("FloatStorage", "0", 6, (3, &[1, 3], &[3, 1]))),
    ])
}

fn check_turned(file: &PytorchFile) {
    assert_eq!(names(file), ["row", "turned"]);
    assert_eq!(file.tensors["turned"].shape(), [3, 2]);
    assert_eq!(file.read("turned").unwrap(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    assert_eq!(file.read("row").unwrap(), [3.0, 4.0, 5.0]);
}

const SIX: [f32; 6] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];

#[test]
fn both_formats_are_read() {
    check_turned(&open(zipped(&turned(), &[("data/0", &floats(&SIX))])).unwrap());
    check_turned(&open(legacy(&turned(), &[("0", 6, &floats(&SIX))])).unwrap());
}

#[test]
fn storages_may_be_in_big_endian_order() {
    let bytes: Vec<u8> = SIX.iter().flat_map(|number| number.to_be_bytes()).collect();
    check_turned(&open(zipped(&turned(), &[("byteorder", b"big"), ("data/0", &bytes)])).unwrap());
}

#[test]
fn numbers_of_every_precision_are_read() {
    let pickle = dict(&[
        ("half", &|pickle| pickle.tensor("HalfStorage", "0", 1, (0, &[], &[]))),
        ("bf16", &|pickle| pickle.tensor("BFloat16Storage", "1", 1, (0, &[], &[]))),
        ("double", &|pickle| pickle.tensor("DoubleStorage", "2", 1, (0, &[], &[]))),
        ("count", &|pickle| pickle.tensor("LongStorage", "3", 1, (0, &[], &[]))),
    ]);
    let storages: [(&str, &[u8]); 4] = [
        ("data/0", &0x3e00u16.to_le_bytes()),
        ("data/1", &0x3fc0u16.to_le_bytes()),
        ("data/2", &1.5f64.to_le_bytes()),
        ("data/3", &1u64.to_le_bytes()),
    ];
    let file = open(zipped(&pickle, &storages)).unwrap();
    for name in ["half", "bf16", "double"] {
        assert_eq!(file.read(name).unwrap(), [1.5], "{name}");
    }
    let reason = file.read("count").unwrap_err();
    assert_eq!(reason, "it holds int64; f16, bf16, f32 and f64 can be read");
}

#[test]
fn shapes_may_repeat_or_hold_nothing() {
    let pickle = dict(&[
        ("expanded", &|pickle| pickle.tensor("FloatStorage", "0", 6, (2, &[2, 2], &[0, 0]))),
        ("nothing", &|pickle| pickle.tensor("FloatStorage", "0", 6, (0, &[0, 3], &[3, 1]))),
    ]);
    let file = open(zipped(&pickle, &[("data/0", &floats(&SIX))])).unwrap();
    assert_eq!(file.read("expanded").unwrap(), [2.0; 4]);
    assert!(file.read("nothing").unwrap().is_empty());
}

#[test]
fn old_storages_may_be_views_of_others() {
    let pickle = Pickle::new()
        .op("}")
        .text("w")
        .op("ctorch._utils\n_rebuild_tensor\n((")
        .text("storage")
        .op("ctorch.cuda\nFloatStorage\n")
        .text("0")
        .text("cuda:0")
        .int(6)
        .ints(&[1, 2, 3])
        .op("tQ")
        .int(1)
        .ints(&[2])
        .ints(&[1])
        .op("tRs")
        .end();
    let file = open(legacy(&pickle, &[("0", 6, &floats(&SIX))])).unwrap();
    assert_eq!(file.read("w").unwrap(), [3.0, 4.0]);
}

#[test]
fn python_2_made_dictionaries_of_pairs() {
    let pair = Pickle::default().op("](").op("U\x01w").plain("0", 2).op("e").0;
    let pickle = Pickle::new().op("ccollections\nOrderedDict\n](").op(pair).op(b"e\x85R").end();
    let file = open(legacy(&pickle, &[("0", 2, &floats(&[1.0, 2.0]))])).unwrap();
    assert_eq!(file.read("w").unwrap(), [1.0, 2.0]);
}

#[test]
fn the_state_dict_in_a_checkpoint_is_found() {
    let numbers = floats(&[1.0]);
    let open = |pickle: Pickle| open(zipped(&pickle.end(), &[("data/0", &numbers)]));
    let entry = |pickle: Pickle, name| pickle.text(name).plain("0", 1).op("s");
    let start = || Pickle::new().op("}").text("epoch").int(3).op("s");
    let nested = |key| entry(start().text(key).op("}"), "module.w").op("s");
    assert_eq!(names(&open(nested("state_dict")).unwrap()), ["w"]);
    assert_eq!(names(&open(nested("weights")).unwrap()), ["w"]);
    assert_eq!(names(&open(entry(nested("state_dict"), "best")).unwrap()), ["w"]);
    let wrapped = entry(entry(start(), "model._orig_mod.conv.weight"), "model._orig_mod.fc.bias");
    assert_eq!(names(&open(wrapped).unwrap()), ["conv.weight", "fc.bias"]);
    let some = entry(entry(start(), "model.conv"), "head");
    assert_eq!(names(&open(some).unwrap()), ["head", "model.conv"]);
    let two = entry(nested("d").text("g").op("}"), "w").op("s");
    let reason = open(two).err().unwrap();
    assert_eq!(reason, "it holds several state dicts, `d` and `g` among them; save one alone");
    assert!(open(start()).err().unwrap().starts_with("it holds no state dict; "));
}

#[test]
fn nothing_is_executed() {
    let evil = dict(&[("w", &|pickle| pickle.op("cos\nsystem\n").text("rm -rf /").op(b"\x85R"))]);
    let expected = "its pickle calls `os.system`, which is never executed; \
                    a state dict can be read, as `torch.save(model.state_dict(), path)` saves it";
    assert_eq!(reason(zipped(&evil, &[])), expected);
    assert_eq!(reason(legacy(&evil, &[])), expected);
}

#[test]
fn whole_modules_are_refused_by_their_class() {
    let module = Pickle::new().op(b"ctorchvision.models.resnet\nResNet\n)\x81}b").end();
    let expected = "it holds a whole module or other object, of class `torchvision.models.resnet.ResNet`, \
                    not a state dict; a state dict can be read, as `torch.save(model.state_dict(), path)` saves it";
    assert_eq!(reason(zipped(&module, &[])), expected);
    let source = Pickle::new().op("(").text("module").op("ctorchvision.models.resnet\nResNet\n");
    let module = source.text("resnet.py").text("class ResNet: ...").op(b"tQ)\x81}b").end();
    assert_eq!(reason(legacy(&module, &[])), expected);
}

#[test]
fn other_archives_are_named() {
    assert!(reason(zipped(&turned(), &[("constants.pkl", b"")])).starts_with("it is a TorchScript archive"));
    assert!(reason("no pickle").starts_with("it is no file of PyTorch; "));
    assert!(reason("").starts_with("it is no file of PyTorch; "));
    assert!(reason(b"PK\x03\x04").starts_with("it is no whole zip archive ("));
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    assert!(reason(tar).starts_with("it is a tar archive"));
    assert!(reason(zipped(&Pickle::new().op(b"\xff").end(), &[])).contains("opcode, 0xff at byte "));
}

#[test]
fn tensors_stay_within_their_storage_and_that_within_the_file() {
    let reason = |elements, place: (i32, &[i32], &[i32])| {
        let pickle = dict(&[("w", &|pickle| pickle.tensor("FloatStorage", "0", elements, place))]);
        reason(zipped(&pickle, &[("data/0", &floats(&SIX))]))
    };
    assert_eq!(reason(7, (0, &[1], &[1])), "tensor `w` has a storage that is cut off");
    let outside = "tensor `w` of shape [2, 3] and strides [3, 1] does not fit into its storage";
    assert_eq!(reason(6, (1, &[2, 3], &[3, 1])), outside);
    assert!(reason(6, (0, &[i32::MAX; 4], &[0; 4])).ends_with("does not fit into its storage"));
    assert!(reason(6, (0, &[1 << 20], &[0])).ends_with("does not fit into its storage"));
    assert!(reason(6, (0, &[2], &[i32::MAX])).ends_with("does not fit into its storage"));
    assert!(reason(6, (-1, &[1], &[1])).starts_with("its pickle rebuilds a tensor"));
    let pickle = dict(&[("w", &|pickle| pickle.plain("1", 6))]);
    assert_eq!(super::tests::reason(zipped(&pickle, &[])), "tensor `w` has no storage in the file");
}

#[test]
fn lengths_are_checked_before_memory_is_taken() {
    for opcode in [&b"X\xff\xff\xff\xff"[..], b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x8b\xff\xff\xff\x7f"] {
        assert!(reason(zipped(&Pickle::new().op(opcode).end(), &[])).starts_with("its pickle is cut off"));
    }
    let mut archive = zipped(&turned(), &[("data/0", &floats(&SIX))]);
    let directory = archive.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    archive[directory + 20..][..8].copy_from_slice(&0xffff_fff0_ffff_fff0u64.to_le_bytes()); // both sizes
    assert_eq!(reason(archive), "it is cut off in `net/data/0`");
    let count = legacy(&dict(&[("w", &|pickle| pickle.plain("0", 6))]), &[("0", usize::MAX, b"")]);
    assert_eq!(reason(count), "it is cut off after 0 of its storages");
}

#[test]
fn depth_and_sharing_cost_nothing() {
    let deep = Pickle::new().op(")").op(vec![0x85; 1 << 17]).end();
    assert!(reason(zipped(&deep, &[])).starts_with("it holds no state dict"));
    // Each tuple holds the one before twice.
    let doubled = Pickle::new().op(")").op(b"2\x86".repeat(1 << 16)).end();
    assert!(reason(zipped(&doubled, &[])).starts_with("it holds no state dict"));
    let long = Pickle::new().op(")").op(vec![0x85; 1 << 20]).end();
    assert!(reason(zipped(&long, &[])).ends_with("steps"));
    // A list that holds itself, and a dictionary too.
    let cycle = Pickle::new().op("]2a").end();
    assert!(reason(zipped(&cycle, &[])).starts_with("it holds no state dict"));
    let cycle = Pickle::new().op("}2").text("model").op("q\x000h\x000");
    let cycle = cycle.op("q\x01h\x00h\x01s").end();
    assert!(reason(zipped(&cycle, &[])).starts_with("it holds no state dict"));
}

#[test]
fn no_beginning_of_a_file_panics() {
    for whole in samples() {
        for length in 0..whole.len() {
            read_all(&whole[..length]);
        }
    }
}

#[test]
fn no_damage_panics() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for whole in samples() {
        for _ in 0..3000 {
            let mut damaged = whole.clone();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..damaged.len());
                damaged[at] = match rng.random_range(0..3) {
                    0 => damaged[at] ^ 1 << rng.random_range(0..8),
                    1 => 0xff,
                    _ => rng.random(),
                };
            }
            read_all(&damaged);
        }
    }
}

fn samples() -> [Vec<u8>; 2] {
    [zipped(&turned(), &[("data/0", &floats(&SIX))]), legacy(&turned(), &[("0", 6, &floats(&SIX))])]
}

fn read_all(bytes: &[u8]) {
    if let Ok(file) = open(bytes) {
        for name in file.tensors.keys() {
            let _ = file.read(name);
        }
    }
}
