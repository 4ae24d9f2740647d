//! What loading a model takes: about its weights, and for files that are none about their own length.
//!
//! Here is one test, since what it counts is the whole program's.

mod common;

use std::{fs, path::Path, time::Instant};

use common::Fixture;
use entoptic_model::load;
use peak_alloc::PeakAlloc;
use prost::encoding::{WireType, encode_key, encode_varint};
use safetensors::{Dtype, tensor::TensorView};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const MB: f64 = 1e6;

/// What a file may take beside twice its length: as a few bytes of it can be a node, a name or a tensor, each hundreds of bytes
/// of memory, it is their number that is limited, to several times what the largest networks have.
const ALLOWANCE: f64 = 40.0 * MB;

/// How many bytes more than before were in use at once while `f` ran, and how long it took in seconds.
fn cost<T>(f: impl FnOnce() -> T) -> (T, f64, f64) {
    ALLOCATOR.reset_peak_usage();
    let (before, start) = (ALLOCATOR.current_usage(), Instant::now());
    let result = f();
    let peak = ALLOCATOR.peak_usage();
    (result, (peak - before) as f64, start.elapsed().as_secs_f64())
}

/// A field of bytes, or of a message.
fn part(tag: u32, bytes: &[u8]) -> Vec<u8> {
    let mut part = Vec::with_capacity(bytes.len() + 12);
    encode_key(tag, WireType::LengthDelimited, &mut part);
    encode_varint(bytes.len() as u64, &mut part);
    part.extend_from_slice(bytes);
    part
}

/// A field of a whole number.
fn number(tag: u32, value: u64) -> Vec<u8> {
    let mut part = vec![];
    encode_key(tag, WireType::Varint, &mut part);
    encode_varint(value, &mut part);
    part
}

/// A field that says it is so long, and nothing of it.
fn claim(tag: u32, length: u64) -> Vec<u8> {
    let mut part = vec![];
    encode_key(tag, WireType::LengthDelimited, &mut part);
    encode_varint(length, &mut part);
    part
}

mod onnx {
    use super::*;

    pub fn node(kind: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
        let inputs = inputs.iter().flat_map(|input| part(1, input.as_bytes()));
        let rest = [part(2, output.as_bytes()), part(4, kind.as_bytes())].concat();
        let attributes = attributes.iter().flat_map(|attribute| part(5, attribute));
        part(1, &inputs.chain(rest).chain(attributes).collect::<Vec<u8>>())
    }

    pub fn ints(name: &str, values: &[u64]) -> Vec<u8> {
        [part(1, name.as_bytes()), values.iter().flat_map(|&value| number(8, value)).collect()].concat()
    }

    /// A tensor of real numbers: its shape, and whatever else it has.
    pub fn tensor(name: &str, dims: &[u64], rest: &[u8]) -> Vec<u8> {
        let dims: Vec<u8> = dims.iter().flat_map(|&size| number(1, size)).collect();
        part(5, &[&dims[..], &number(2, 1), &part(8, name.as_bytes()), rest].concat())
    }

    fn info(name: &str, dims: &[u64]) -> Vec<u8> {
        let dims: Vec<u8> = dims.iter().flat_map(|&size| part(1, &number(1, size))).collect();
        let tensor = [number(1, 1), part(2, &dims)].concat();
        [part(1, name.as_bytes()), part(2, &part(1, &tensor))].concat()
    }

    /// A file of an image of 32 × 32, and these parts of its graph.
    pub fn file(graph: &[u8]) -> Vec<u8> {
        let graph = part(7, &[graph, &part(11, &info("x", &[1, 3, 32, 32]))].concat());
        let opset = part(8, &number(2, 17));
        [number(1, 8), graph, opset].concat()
    }
}

mod graphdef {
    use super::*;

    pub fn node(name: &str, op: &str, inputs: &[&str], attributes: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let inputs = inputs.iter().flat_map(|input| part(3, input.as_bytes()));
        let entry = |(name, value): &(&str, Vec<u8>)| part(5, &[part(1, name.as_bytes()), part(2, value)].concat());
        let attributes = attributes.iter().flat_map(entry);
        let start = [part(1, name.as_bytes()), part(2, op.as_bytes())].concat();
        part(1, &start.into_iter().chain(inputs).chain(attributes).collect::<Vec<u8>>())
    }

    fn shape(dims: &[u64]) -> Vec<u8> {
        dims.iter().flat_map(|&size| part(2, &number(1, size))).collect()
    }

    pub fn image() -> Vec<u8> {
        let shape = part(7, &shape(&[1, 32, 32, 3]));
        node("x", "Placeholder", &[], &[("dtype", number(6, 1)), ("shape", shape)])
    }

    /// Real numbers: their shape, and whatever else the tensor has.
    pub fn constant(name: &str, dims: &[u64], rest: &[u8]) -> Vec<u8> {
        let tensor = [&number(1, 1)[..], &part(2, &shape(dims)), rest].concat();
        node(name, "Const", &[], &[("dtype", number(6, 1)), ("value", part(8, &tensor))])
    }

    pub fn convolution(name: &str, inputs: &[&str]) -> Vec<u8> {
        let strides = part(1, &[1; 4].iter().flat_map(|&stride| number(3, stride)).collect::<Vec<u8>>());
        node(name, "Conv2D", inputs, &[("strides", strides), ("padding", part(2, b"SAME"))])
    }
}

/// A file of a model, and how many bytes of weights it has.
struct File {
    name: &'static str,
    weights: usize,
}

/// Convolutions of 3 × 3 in a row, 17 of them and 40 MB, the names of their weights, and their channels.
fn convolutions() -> impl Iterator<Item = (String, [u64; 2])> {
    (0..18).map(|i| (format!("conv{i}"), [256, if i == 0 { 3 } else { 256 }]))
}

/// Bytes of some numbers.
fn values(count: u64) -> Vec<u8> {
    (0..count).flat_map(|i| ((i % 7) as f32 * 1e-3).to_le_bytes()).collect()
}

/// Writes one file of each kind.
fn write_models(folder: &Path) -> Vec<File> {
    let state_dict = Fixture::open("torchvision_resnet18").weights();
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = state_dict
        .names()
        .map(|name| {
            let shape = state_dict.shape(name).unwrap();
            (name.to_owned(), shape.to_vec(), values(shape.iter().product::<usize>() as u64))
        })
        .collect();
    let resnet = tensors.iter().map(|(_, _, bytes)| bytes.len()).sum();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("as many numbers as the shape says"))
    });
    fs::write(folder.join("resnet18.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();

    fs::write(folder.join("resnet18.pth"), state_dict_file(&tensors)).unwrap();

    let (mut onnx, mut beside, mut graphdef) = (vec![], vec![], graphdef::image());
    let (mut inline, mut weights, mut before) = (vec![], 0, "x".to_owned());
    let mut outside = vec![];
    for (name, [outputs, inputs]) in convolutions() {
        let kernel = format!("{name}.weight");
        let bytes = values(outputs * inputs * 9);
        let pads = onnx::ints("pads", &[1; 4]);
        onnx.extend(onnx::node("Conv", &[&before, &kernel], &name, &[pads]));
        inline.extend(onnx::tensor(&kernel, &[outputs, inputs, 3, 3], &part(9, &bytes)));
        let offset = weights.to_string();
        let entries = [("location", "beside.bin"), ("offset", &offset)]
            .map(|(key, value)| part(13, &[part(1, key.as_bytes()), part(2, value.as_bytes())].concat()));
        outside.extend(onnx::tensor(
            &kernel,
            &[outputs, inputs, 3, 3],
            &[&entries.concat()[..], &number(14, 1)].concat(),
        ));
        graphdef.extend(graphdef::constant(&kernel, &[3, 3, inputs, outputs], &part(4, &bytes)));
        graphdef.extend(graphdef::convolution(&name, &[&before, &kernel]));
        weights += bytes.len();
        beside.extend(bytes);
        before = name;
    }
    fs::write(folder.join("inline.onnx"), onnx::file(&[&onnx[..], &inline].concat())).unwrap();
    fs::write(folder.join("external.onnx"), onnx::file(&[&onnx[..], &outside].concat())).unwrap();
    fs::write(folder.join("beside.bin"), beside).unwrap();
    fs::write(folder.join("graph.pb"), graphdef).unwrap();
    vec![
        File { name: "resnet18.safetensors", weights: resnet },
        File { name: "resnet18.pth", weights: resnet },
        File { name: "inline.onnx", weights },
        File { name: "external.onnx", weights },
        File { name: "graph.pb", weights },
    ]
}

/// A state dict as `torch.save` wrote it: a pickle, the keys of its storages, and each with its length.
fn state_dict_file(tensors: &[(String, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
    let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let int = |int: usize| [b"J", &(int as u32).to_le_bytes()[..]].concat();
    let tuple =
        |items: &[usize]| [b"(", &items.iter().flat_map(|&item| int(item)).collect::<Vec<u8>>()[..], b"t"].concat();
    let (mut dict, mut keys, mut storages) = (b"}(".to_vec(), b"\x80\x02](".to_vec(), vec![]);
    for (name, shape, bytes) in tensors {
        let count: usize = shape.iter().product();
        let strides: Vec<usize> = (1..=shape.len()).map(|axis| shape[axis..].iter().product()).collect();
        let storage = [&b"("[..], &text("storage"), b"ctorch\nFloatStorage\n", &text(name), &text("cpu"), &int(count)];
        dict.extend([text(name), b"ctorch._utils\n_rebuild_tensor_v2\n(".to_vec(), storage.concat()].concat());
        dict.extend([&b"NtQ"[..], &int(0), &tuple(shape), &tuple(&strides), b"\x89}tR"].concat());
        keys.extend(text(name));
        storages.extend([&(count as u64).to_le_bytes(), &bytes[..]].concat());
    }
    [legacy(&[&dict[..], b"u."].concat()), keys, b"e.".to_vec(), storages].concat()
}

/// A file of PyTorch's older kind: three pickles of what wrote it, then this one.
fn legacy(pickle: &[u8]) -> Vec<u8> {
    let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
    [&magic[..], b"\x80\x02M\xe9\x03.", b"\x80\x02}.", b"\x80\x02", pickle].concat()
}

/// Files that say they are far longer than they are, and files of parts that each are longer in memory.
fn hostile() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    const FOUR_GB: u64 = 1 << 32;
    const HUGE: u64 = 1 << 28;
    let padding = vec![b' '; 900];
    let header = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes(), &padding].concat();
    let conv = onnx::node("Conv", &["x", "w"], "y", &[]);
    let many = |count: usize, each: &dyn Fn(usize) -> Vec<u8>| (0..count).flat_map(each).collect::<Vec<u8>>();
    let name = |i: usize| format!("{i:x}");
    let adds = |i: usize| onnx::node("Add", &["x", "x"], &name(i), &[]);
    let nested = |depth: usize| (0..depth).fold(vec![], |inside: Vec<u8>, _| part(1, &inside));
    let relu = |i: usize| graphdef::node(&name(i), "Relu", &["x"], &[]);
    let with_image = |nodes: Vec<u8>| [graphdef::image(), nodes].concat();
    vec![
        ("a header of 4 GB", "a.safetensors", [&FOUR_GB.to_le_bytes()[..], b"{}", &padding].concat()),
        ("a header of 99 MB", "a.safetensors", [&99_000_000u64.to_le_bytes()[..], b"{}", &padding].concat()),
        (
            "a tensor of 4 GB",
            "a.safetensors",
            header(r#"{"conv1.weight":{"dtype":"F32","shape":[1073741824],"data_offsets":[0,4294967296]}}"#),
        ),
        ("lists in lists", "a.safetensors", header(&"[".repeat(1 << 19))),
        (
            "many empty tensors",
            "a.safetensors",
            header(&format!(
                "{{{}}}",
                (0..1 << 14)
                    .map(|i| format!(r#""{i:x}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#))
                    .collect::<Vec<_>>()
                    .join(",")
            )),
        ),
        ("a graph of 4 GB", "a.onnx", [number(1, 8), claim(7, FOUR_GB), padding.clone()].concat()),
        ("a node of 4 GB", "a.onnx", [number(1, 8), part(7, &[claim(1, FOUR_GB), padding.clone()].concat())].concat()),
        ("bytes of 4 GB", "a.onnx", onnx::file(&[conv.clone(), claim(5, FOUR_GB), claim(9, FOUR_GB)].concat())),
        ("sizes of 4 GB", "a.onnx", onnx::file(&[conv.clone(), onnx::tensor("w", &[1, 3, HUGE, 1], &[])].concat())),
        ("external 4 GB", "a.onnx", {
            let entry = part(13, &[part(1, b"location"), part(2, b"a.onnx")].concat());
            onnx::file(&[conv, onnx::tensor("w", &[HUGE, 3, 1, 1], &[entry, number(14, 1)].concat())].concat())
        }),
        ("a constant of 4 GB", "a.onnx", {
            let shape = [
                number(1, 4),
                number(2, 7),
                part(8, b"s"),
                part(7, &{
                    let mut sizes = vec![];
                    [HUGE, 3, 1, 1].iter().for_each(|&size| encode_varint(size, &mut sizes));
                    sizes
                }),
            ];
            let nodes = [
                onnx::node("ConstantOfShape", &["s"], "w", &[]),
                onnx::node("Exp", &["w"], "e", &[]),
                onnx::node("Conv", &["x", "e"], "y", &[]),
            ];
            onnx::file(&[nodes.concat(), part(5, &shape.concat())].concat())
        }),
        ("parts in parts", "a.onnx", onnx::file(&part(1, &part(5, &part(6, &nested(20_000)))))),
        ("many nodes", "a.onnx", onnx::file(&many((1 << 15) - 1, &adds))),
        ("far too many nodes", "a.onnx", onnx::file(&many(1 << 18, &adds))),
        (
            "many names",
            "a.onnx",
            onnx::file(&many(1 << 7, &|i| {
                let names: Vec<String> = (0..1 << 12).map(|j| name(i << 12 | j)).collect();
                onnx::node("Foo", &names.iter().map(String::as_str).collect::<Vec<_>>(), &format!("y{i}"), &[])
            })),
        ),
        (
            "many tiny tensors",
            "a.onnx",
            onnx::file(&many((1 << 15) - 1, &|i| onnx::tensor(&name(i), &[1], &part(4, &[0; 4])))),
        ),
        ("many inputs", "a.onnx", onnx::file(&many((1 << 15) - 1, &|i| part(11, &part(1, name(i).as_bytes()))))),
        (
            "many functions",
            "a.onnx",
            [onnx::file(&adds(1)), many(1 << 13, &|i| part(25, &part(1, name(i).as_bytes())))].concat(),
        ),
        ("a node of 4 GB", "a.pb", [graphdef::image(), claim(1, FOUR_GB), padding.clone()].concat()),
        (
            "a constant of 4 GB",
            "a.pb",
            with_image(
                [graphdef::constant("w", &[HUGE, 1, 3, 1], &part(5, &[0; 8])), graphdef::convolution("y", &["x", "w"])]
                    .concat(),
            ),
        ),
        (
            "one number 4 GB long",
            "a.pb",
            with_image(
                [
                    graphdef::constant("w", &[HUGE, 1, 3, 1], &part(5, &[0; 4])),
                    graphdef::node("e", "Exp", &["w"], &[]),
                    graphdef::convolution("y", &["x", "e"]),
                ]
                .concat(),
            ),
        ),
        ("parts in parts", "a.pb", with_image(graphdef::node("y", "Relu", &["x"], &[("a", nested(20_000))]))),
        ("many nodes", "a.pb", with_image(many((1 << 15) - 2, &relu))),
        ("far too many nodes", "a.pb", with_image(many(1 << 18, &relu))),
        ("many inputs", "a.pb", with_image(many(1 << 7, &|i| graphdef::node(&name(i), "AddN", &["x"; 1 << 12], &[])))),
        (
            "many attributes",
            "a.pb",
            with_image(many(1 << 7, &|i| {
                let names: Vec<String> = (0..1 << 11).map(name).collect();
                let attributes: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (name.as_str(), vec![])).collect();
                graphdef::node(&name(i), "Relu", &["x"], &attributes)
            })),
        ),
        (
            "many tiny constants",
            "a.pb",
            with_image(many(1 << 15, &|i| graphdef::constant(&name(i), &[1], &part(5, &[0; 4])))),
        ),
        ("a string of 4 GB", "a.pth", legacy(&[b"X\xff\xff\xff\xff", &padding[..]].concat())),
        ("lists in lists", "a.pth", legacy(&b"]".repeat(1 << 18))),
        ("many values", "a.pth", legacy(&b"N".repeat(3 << 20))),
        ("tuples in tuples", "a.pth", legacy(&[b")", &b"\x85".repeat(3 << 20)[..]].concat())),
        ("many remembered", "a.pth", legacy(&[b"N", &b"\x94".repeat(3 << 20)[..]].concat())),
        ("many marks", "a.pth", legacy(&b"(".repeat(3 << 20))),
        ("many sizes", "a.pb", with_image(graphdef::constant("w", &[1; 1 << 16], &[]))),
    ]
}

#[test]
fn loading_takes_no_more_than_weights_and_files() {
    let folder = tempfile::tempdir().unwrap();
    for File { name, weights } in write_models(folder.path()) {
        let (model, peak, seconds) = cost(|| load::open(&folder.path().join(name)));
        let model = model.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(model.graph.nodes().len() > 18, "{name}: all layers are there");
        let times = peak / weights as f64;
        println!(
            "{name:24} {:6.1} MB of weights: {times:.2} times as much at most, {seconds:.2} s",
            weights as f64 / MB
        );
        assert!(peak <= 1.3 * weights as f64 + MB, "{name} takes {times:.2} times its weights");
    }
    let mut wrong = vec![];
    for (what, name, bytes) in hostile() {
        let path = folder.path().join(name);
        fs::write(&path, &bytes).unwrap();
        let length = bytes.len() as f64;
        drop(bytes);
        let (result, peak, seconds) = cost(|| load::open(&path).err().map(|error| error.to_string()));
        let (said, twice) = (result.as_deref().unwrap_or("read"), 2.0 * length + ALLOWANCE);
        let said: String = said.chars().take(110).collect();
        println!("{name:14} {what:22} {:8.3} MB: {:6.1} MB, {seconds:.2} s; {said}", length / MB, peak / MB);
        if peak > twice || seconds > 10.0 {
            wrong.push(format!("{what} in {name}: {:.1} MB of {:.3} MB, {seconds:.1} s", peak / MB, length / MB));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
