//! The 31 models of Lucid's zoo, under Lucid's names.
//!
//! # Reference
//! `modelzoo/{caffe_models,other_models,slim_models}` of [Lucid](https://github.com/tensorflow/lucid) 0.3.10: files, sizes, ranges,
//! labels and layers.

use super::{Collection, Entry, LabelsFrom, Origin, braces::expand};
use crate::{
    Preprocessing,
    manifest::{Channels, Input, Labels, Manifest, Output, Values},
};

/// What Lucid calls `gs://modelzoo`.
const URL: &str = "https://storage.googleapis.com/modelzoo";

/// Images minus the mean of all colors.
const MINUS_MEAN: Preprocessing = Preprocessing::range(-117.0, 255.0 - 117.0);

struct Model {
    name: &'static str,
    /// Its path in the zoo, without `.pb`.
    file: &'static str,
    about: &'static str,
    /// Pixels of a side of its images.
    side: usize,
    preprocessing: Preprocessing,
    labels: Classes,
    /// About; at four bytes a parameter.
    megabytes: f32,
    licence: Option<&'static str>,
    /// What its layers' names begin with.
    within: &'static str,
    /// Those that Lucid lists, as patterns of a shell.
    layers: String,
    /// The layer of class probabilities, with `within`; empty if it has none.
    probabilities: String,
}

enum Classes {
    Imagenet,
    /// Behind a class of anything else.
    ImagenetWithBackground,
    /// One of the zoo's own files of labels.
    File(&'static str),
    None,
}

/// As Caffe's models are: blue first, minus each color's mean.
const CAFFE: Model = Model {
    name: "",
    file: "",
    about: "",
    side: 224,
    preprocessing: Preprocessing::CAFFE,
    labels: Classes::Imagenet,
    megabytes: 0.0,
    licence: None,
    within: "",
    layers: String::new(),
    probabilities: String::new(),
};

/// As TensorFlow's slim models are.
const SLIM: Model = Model {
    name: "",
    file: "",
    about: "",
    side: 224,
    preprocessing: Preprocessing::MINUS_ONE_TO_ONE,
    labels: Classes::ImagenetWithBackground,
    megabytes: 0.0,
    licence: Some("Apache-2.0"),
    within: "",
    layers: String::new(),
    probabilities: String::new(),
};

const PLACES205: Classes = Classes::File("Places205");
const PLACES365: Classes = Classes::File("Places365");

pub fn entries() -> impl Iterator<Item = Entry> {
    models().into_iter().map(entry)
}

fn entry(model: Model) -> Entry {
    let Model { name, file, about, side, preprocessing, labels, megabytes, licence, within, .. } = model;
    let mut input = Input { size: Some([side; 2]), ..Input::default() };
    input.channels = Some(if preprocessing.bgr { Channels::Bgr } else { Channels::Rgb });
    Values::from(preprocessing).write(&mut input);
    let (labels, labels_from) = match labels {
        Classes::Imagenet => (Some(Labels::Imagenet), None),
        Classes::ImagenetWithBackground => (Some(Labels::ImagenetWithBackground), None),
        Classes::File(file) => (None, Some(LabelsFrom::Url(format!("{URL}/labels/{file}.txt")))),
        Classes::None => (None, None),
    };
    let probabilities = (!model.probabilities.is_empty()).then(|| format!("{within}{}", model.probabilities));
    let mut manifest =
        Manifest { input, output: Output { probabilities, labels, logits: None }, ..Manifest::default() };
    manifest.layers.show = expand(&model.layers).into_iter().map(|layer| format!("{within}{layer}")).collect();
    Entry {
        about: about.into(),
        collection: Collection::Lucid,
        megabytes: Some(megabytes),
        licence: licence.map(str::to_owned),
        labels: labels_from,
        manifest,
        ..Entry::new(name, "pb", Origin::Url(format!("{URL}/vision/{file}.pb")))
    }
}

fn models() -> Vec<Model> {
    let googlenet = || {
        "conv1_7x7_s2/conv1_7x7_s2 conv2_3x3_reduce/conv2_3x3_reduce conv2_3x3/conv2_3x3 \
         inception_3{a,b}_output inception_4{a,b,c,d,e}_output inception_5{a,b}_output"
            .to_owned()
    };
    let alexnet = || "conv5/concat conv5/conv5 fc6/fc6 fc7/fc7".to_owned();
    let inception_v1 = || {
        "conv2d{0..2} mixed3{a,b} mixed4{a,b,c,d,e} mixed5{a,b} \
         head0_bottleneck nn0 softmax0 head1_bottleneck nn1 softmax1"
            .to_owned()
    };
    let predictions = || "Predictions/Softmax".to_owned();
    vec![
        Model {
            name: "AlexNet_caffe_Places365",
            file: "caffe_models/AlexNet_places365",
            about: "AlexNet, trained on 365 kinds of places",
            side: 227,
            labels: PLACES365,
            megabytes: 234.0,
            layers: alexnet(),
            probabilities: "prob".into(),
            ..CAFFE
        },
        Model {
            name: "InceptionV1_caffe",
            file: "caffe_models/InceptionV1",
            about: "GoogLeNet as BVLC trained it",
            megabytes: 28.0,
            licence: Some("unrestricted use"),
            layers: googlenet(),
            probabilities: "prob".into(),
            ..CAFFE
        },
        Model {
            name: "InceptionV1_caffe_Places205",
            file: "caffe_models/InceptionV1_places205",
            about: "GoogLeNet, trained on 205 kinds of places",
            labels: PLACES205,
            megabytes: 25.0,
            layers: googlenet(),
            probabilities: "prob".into(),
            ..CAFFE
        },
        Model {
            name: "InceptionV1_caffe_Places365",
            file: "caffe_models/InceptionV1_places365",
            about: "GoogLeNet, trained on 365 kinds of places",
            labels: PLACES365,
            megabytes: 25.0,
            layers: googlenet(),
            probabilities: "prob".into(),
            ..CAFFE
        },
        Model {
            name: "CaffeNet_caffe",
            file: "caffe_models/CaffeNet",
            about: "CaffeNet, nearly AlexNet",
            side: 227,
            megabytes: 244.0,
            licence: Some("unrestricted use"),
            layers: alexnet(),
            probabilities: "prob".into(),
            ..CAFFE
        },
        Model {
            name: "VGG16_caffe",
            file: "caffe_models/VGG16",
            about: "VGG-16 as its authors trained it",
            megabytes: 553.0,
            licence: Some("CC BY 4.0"),
            layers: vgg([2, 2, 3, 3, 3]),
            probabilities: "prob".into(),
            ..CAFFE
        },
        Model {
            name: "VGG19_caffe",
            file: "caffe_models/VGG19",
            about: "VGG-19 as its authors trained it",
            megabytes: 575.0,
            licence: Some("CC BY 4.0"),
            layers: vgg([2, 2, 4, 4, 4]),
            probabilities: "prob".into(),
            ..CAFFE
        },
        Model {
            name: "AlexNet",
            file: "other_models/AlexNet",
            about: "AlexNet with its two halves, as its authors trained it",
            side: 227,
            megabytes: 244.0,
            layers: "Conv2D Conv2D_{1..7} Relu Relu_1".into(),
            probabilities: "Softmax".into(),
            ..CAFFE
        },
        Model {
            name: "Clip_ResNet50_4x",
            file: "other_models/Clip_ResNet50_4x",
            about: "CLIP's image tower, a ResNet-50 four times as large",
            side: 288,
            preprocessing: Preprocessing::range(0.0, 255.0),
            labels: Classes::None,
            megabytes: 348.0,
            licence: Some("MIT"),
            ..CAFFE
        },
        Model {
            name: "InceptionV1",
            file: "other_models/InceptionV1",
            about: "GoogLeNet of TensorFlow's tutorials, which Lucid's articles show",
            preprocessing: MINUS_MEAN,
            labels: Classes::File("ImageNet_alternate"),
            megabytes: 54.0,
            layers: inception_v1(),
            probabilities: "softmax2".into(),
            ..CAFFE
        },
        Model {
            name: "InceptionV1_adv_finetuned",
            file: "other_models/InceptionV1_adv_finetuned",
            about: "InceptionV1, then trained to withstand adversarial images",
            preprocessing: MINUS_MEAN,
            labels: Classes::File("ImageNet_alternate"),
            megabytes: 54.0,
            layers: inception_v1(),
            probabilities: "softmax2".into(),
            ..CAFFE
        },
        Model {
            name: "InceptionV1_slim",
            file: "slim_models/InceptionV1",
            about: "GoogLeNet with batch norms",
            megabytes: 27.0,
            within: "InceptionV1/",
            layers: "InceptionV1/{Conv2d_1a_7x7,Conv2d_2b_1x1,Conv2d_2c_3x3}/Relu \
                     InceptionV1/Mixed_{3b,3c,4b,4c,4d,4e,4f,5b,5c}/concat"
                .into(),
            probabilities: "Logits/Predictions/Softmax".into(),
            ..SLIM
        },
        Model {
            name: "InceptionV2_slim",
            file: "slim_models/InceptionV2",
            about: "Inception v2",
            megabytes: 45.0,
            within: "InceptionV2/",
            layers: "InceptionV2/{Conv2d_1a_7x7,Conv2d_2b_1x1,Conv2d_2c_3x3}/Relu \
                     InceptionV2/Mixed_{3b,3c,4a,4b,4c,4d,4e,5a,5b,5c}/concat"
                .into(),
            probabilities: predictions(),
            ..SLIM
        },
        Model {
            name: "InceptionV3_slim",
            file: "slim_models/InceptionV3",
            about: "Inception v3",
            side: 299,
            megabytes: 95.0,
            within: "InceptionV3/",
            layers: "InceptionV3/Conv2d_{1a_3x3,2a_3x3,2b_3x3,3b_1x1,4a_3x3}/Relu \
                     InceptionV3/Mixed_{5b,5c,5d,6a,6b,6c,6d,6e,7a,7b,7c}/concat"
                .into(),
            probabilities: predictions(),
            ..SLIM
        },
        Model {
            name: "InceptionV4_slim",
            file: "slim_models/InceptionV4",
            about: "Inception v4",
            side: 299,
            megabytes: 171.0,
            within: "InceptionV4/",
            layers: "InceptionV4/Conv2d_{1a_3x3,2a_3x3,2b_3x3}/Relu \
                     InceptionV4/Mixed_{3a,4a,5a,5b,5c,5d,5e,6a,6b,6c,6d,6e,6f,6g,6h,7a,7b,7c,7d}/concat"
                .into(),
            probabilities: "Logits/Predictions".into(),
            ..SLIM
        },
        Model {
            name: "InceptionResnetV2_slim",
            file: "slim_models/InceptionResnetV2",
            about: "Inception-ResNet v2",
            side: 299,
            megabytes: 223.0,
            within: "InceptionResnetV2/",
            layers: "InceptionResnetV2/Conv2d_{1a_3x3,2a_3x3,2b_3x3,3b_1x1,4a_3x3}/Relu \
                     InceptionResnetV2/Mixed_5b/concat InceptionResnetV2/Repeat/block35_{1..10}/{add,Relu} \
                     InceptionResnetV2/Mixed_6a/concat InceptionResnetV2/Repeat_1/block17_{1..20}/{add,Relu} \
                     InceptionResnetV2/Mixed_7a/concat InceptionResnetV2/Repeat_2/block8_{1..9}/{add,Relu} \
                     InceptionResnetV2/Block8/add InceptionResnetV2/Conv2d_7b_1x1/Relu"
                .into(),
            probabilities: "Logits/Predictions".into(),
            ..SLIM
        },
        Model {
            name: "MobilenetV1_slim",
            file: "slim_models/MobilenetV1",
            about: "MobileNet v1",
            megabytes: 17.0,
            within: "MobilenetV1/",
            layers: MOBILENET_V1.into(),
            probabilities: predictions(),
            ..SLIM
        },
        Model {
            name: "MobilenetV1_050_slim",
            file: "slim_models/MobilenetV1050",
            about: "MobileNet v1, half as wide",
            megabytes: 5.3,
            within: "MobilenetV1/",
            layers: MOBILENET_V1.into(),
            probabilities: predictions(),
            ..SLIM
        },
        Model {
            name: "MobilenetV1_025_slim",
            file: "slim_models/MobilenetV1025",
            about: "MobileNet v1, a quarter as wide",
            megabytes: 1.9,
            within: "MobilenetV1/",
            layers: MOBILENET_V1.into(),
            probabilities: predictions(),
            ..SLIM
        },
        Model {
            name: "MobilenetV2_10_slim",
            file: "slim_models/MobilenetV2_10",
            about: "MobileNet v2",
            megabytes: 14.0,
            within: "MobilenetV2/",
            layers: MOBILENET_V2.into(),
            probabilities: predictions(),
            ..SLIM
        },
        Model {
            name: "MobilenetV2_14_slim",
            file: "slim_models/MobilenetV2_14",
            about: "MobileNet v2, 1.4 times as wide",
            megabytes: 24.0,
            within: "MobilenetV2/",
            layers: MOBILENET_V2.into(),
            probabilities: predictions(),
            ..SLIM
        },
        Model {
            name: "ResnetV1_50_slim",
            file: "slim_models/ResnetV1_50",
            about: "ResNet-50 v1",
            megabytes: 102.0,
            within: "resnet_v1_50/",
            ..resnet_v1([3, 4, 6, 3])
        },
        Model {
            name: "ResnetV1_101_slim",
            file: "slim_models/ResnetV1_101",
            about: "ResNet-101 v1",
            megabytes: 178.0,
            within: "resnet_v1_101/",
            ..resnet_v1([3, 4, 23, 3])
        },
        Model {
            name: "ResnetV1_152_slim",
            file: "slim_models/ResnetV1_152",
            about: "ResNet-152 v1",
            megabytes: 241.0,
            within: "resnet_v1_152/",
            ..resnet_v1([3, 8, 36, 3])
        },
        Model {
            name: "ResnetV2_50_slim",
            file: "slim_models/ResnetV2_50",
            about: "ResNet-50 v2: norms and ReLUs before convolutions",
            megabytes: 102.0,
            within: "resnet_v2_50/",
            ..resnet_v2([3, 4, 6, 3])
        },
        Model {
            name: "ResnetV2_101_slim",
            file: "slim_models/ResnetV2_101",
            about: "ResNet-101 v2",
            megabytes: 178.0,
            within: "resnet_v2_101/",
            ..resnet_v2([3, 4, 23, 3])
        },
        Model {
            name: "ResnetV2_152_slim",
            file: "slim_models/ResnetV2_152",
            about: "ResNet-152 v2",
            megabytes: 241.0,
            within: "resnet_v2_152/",
            ..resnet_v2([3, 8, 36, 3])
        },
        Model {
            name: "NasnetMobile_slim",
            file: "slim_models/NasnetMobile",
            about: "NASNet-A for phones, found by a search",
            megabytes: 21.0,
            layers: nasnet(&["cell_{0..3}", "cell_{4..7}", "cell_{8..11}"]),
            probabilities: "final_layer/predictions".into(),
            ..SLIM
        },
        Model {
            name: "NasnetLarge_slim",
            file: "slim_models/NasnetLarge",
            about: "NASNet-A, found by a search",
            side: 331,
            megabytes: 356.0,
            layers: nasnet(&["cell_{0..5}", "cell_{6..11}", "cell_{12..17}"]),
            probabilities: "final_layer/predictions".into(),
            ..SLIM
        },
        Model {
            name: "PnasnetMobile_slim",
            file: "slim_models/PnasnetMobile",
            about: "PNASNet for phones, found by a search in steps",
            megabytes: 20.0,
            layers: nasnet(&["cell_{0..8}"]),
            probabilities: "final_layer/predictions".into(),
            ..SLIM
        },
        Model {
            name: "PnasnetLarge_slim",
            file: "slim_models/PnasnetLarge",
            about: "PNASNet, found by a search in steps",
            side: 331,
            megabytes: 344.0,
            layers: nasnet(&["cell_{0..11}"]),
            probabilities: "final_layer/predictions".into(),
            ..SLIM
        },
    ]
}

const MOBILENET_V1: &str = "MobilenetV1/Conv2d_0/Relu6 MobilenetV1/Conv2d_{1..13}_pointwise/Relu6";

/// The sums of blocks that keep their map's size.
const MOBILENET_V2: &str = "expanded_conv_{2,4,5,7,8,9,11,12,14,15}/add";

/// So many convolutions before each of the five pools.
fn vgg(stages: [usize; 5]) -> String {
    let convolutions =
        stages.into_iter().zip(1..).flat_map(|(n, stage)| (1..=n).map(move |i| format!("conv{stage}_{i}")));
    let layers: Vec<String> = convolutions.chain(["fc6".into(), "fc7".into()]).collect();
    layers.iter().map(|layer| format!("{layer}/{layer}")).collect::<Vec<_>>().join(" ")
}

/// So many units in each of the four blocks.
fn resnet_v1(units: [usize; 4]) -> Model {
    let blocks =
        units.into_iter().zip(1..).map(|(n, block)| format!(" block{block}/unit_{{1..{n}}}/bottleneck_v1/Relu"));
    Model {
        preprocessing: MINUS_MEAN,
        labels: Classes::Imagenet,
        layers: "conv1/Relu".to_owned() + &blocks.collect::<String>(),
        probabilities: "predictions/Softmax".into(),
        ..SLIM
    }
}

/// So many units in each of the four blocks.
fn resnet_v2(units: [usize; 4]) -> Model {
    let blocks = units.into_iter().zip(1..).map(|(n, block)| {
        format!("block{block}/unit_1/bottleneck_v2/preact/Relu block{block}/unit_{{1..{n}}}/bottleneck_v2/add ")
    });
    Model { layers: blocks.collect::<String>() + "postnorm/Relu", probabilities: "predictions/Softmax".into(), ..SLIM }
}

/// These cells, a reduction between each two groups of them.
fn nasnet(cells: &[&str]) -> String {
    let cells = cells.iter().enumerate().map(|(i, &cells)| match i {
        0 => format!("{cells}/cell_output/concat"),
        _ => format!("reduction_cell_{}/cell_output/concat {cells}/cell_output/concat", i - 1),
    });
    format!("conv0/Conv2D cell_stem_{{0,1}}/cell_output/concat {}", cells.collect::<Vec<_>>().join(" "))
}
