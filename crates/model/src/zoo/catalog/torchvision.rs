//! Torchvision's classifiers, of the families that are built here. The table is made by `tools/torchvision_catalog.py`.

use super::{Collection, Entry, Origin};
use crate::{
    Preprocessing,
    manifest::{Channels, Input, Labels, Manifest, Output, Values},
};

const URL: &str = "https://download.pytorch.org/models";

/// Torchvision's builder and what it builds; the file, whose name ends with the start of its SHA-256; pixels of a side of
/// its images; of 100 photos so many right at once; millions of parameters; megabytes.
type Row = (&'static str, &'static str, &'static str, usize, f32, f32, f32);

pub fn entries() -> impl Iterator<Item = Entry> {
    ROWS.iter().map(entry)
}

fn entry(&(name, what, file, side, top1, parameters, megabytes): &Row) -> Entry {
    let (_, sha256) = file.rsplit_once('-').expect("a checksum ends the name");
    let preprocessing = match name {
        // Trained by TensorFlow; torchvision's `transform_input` makes such images of normalized ones.
        "googlenet" | "inception_v3" | "efficientnet_v2_l" => Preprocessing::MINUS_ONE_TO_ONE,
        _ => Preprocessing::IMAGENET,
    };
    let mut input = Input { size: Some([side; 2]), channels: Some(Channels::Rgb), ..Input::default() };
    Values::from(preprocessing).write(&mut input);
    let output = Output { labels: Some(Labels::Imagenet), ..Output::default() };
    Entry {
        about: format!("{what}: {top1:.1} % top-1, {parameters:.1} million parameters"),
        collection: Collection::Torchvision,
        sha256: Some(sha256.into()),
        megabytes: Some(megabytes),
        licence: Some("torchvision's pretrained weights".into()),
        manifest: Manifest { input, output, ..Manifest::default() },
        ..Entry::new(name, "pth", Origin::Url(format!("{URL}/{file}.pth")))
    }
}

#[rustfmt::skip]
const ROWS: [Row; 95] = [
    ("alexnet_torchvision", "AlexNet", "alexnet-owt-7be5be79", 224, 56.5, 61.1, 244.4),
    ("convnext_base", "ConvNeXt-Base", "convnext_base-6075fbad", 224, 84.1, 88.6, 354.5),
    ("convnext_large", "ConvNeXt-Large", "convnext_large-ea097f82", 224, 84.4, 197.8, 791.2),
    ("convnext_small", "ConvNeXt-Small", "convnext_small-0c510722", 224, 83.6, 50.2, 201.0),
    ("convnext_tiny", "ConvNeXt-Tiny", "convnext_tiny-983f1562", 224, 82.5, 28.6, 114.4),
    ("densenet121", "DenseNet-121", "densenet121-a639ec97", 224, 74.4, 8.0, 32.3),
    ("densenet161", "DenseNet-161", "densenet161-8d451a50", 224, 77.1, 28.7, 115.7),
    ("densenet169", "DenseNet-169", "densenet169-b2777c0a", 224, 75.6, 14.1, 57.4),
    ("densenet201", "DenseNet-201", "densenet201-c1103571", 224, 76.9, 20.0, 81.1),
    ("efficientnet_b0", "EfficientNet-B0", "efficientnet_b0_rwightman-7f5810bc", 224, 77.7, 5.3, 21.4),
    ("efficientnet_b1", "EfficientNet-B1", "efficientnet_b1_rwightman-bac287d4", 240, 78.6, 7.8, 31.6),
    ("efficientnet_b1_v2", "EfficientNet-B1, trained anew", "efficientnet_b1-c27df63c", 240, 79.8, 7.8, 31.6),
    ("efficientnet_b2", "EfficientNet-B2", "efficientnet_b2_rwightman-c35c1473", 288, 80.6, 9.1, 36.9),
    ("efficientnet_b3", "EfficientNet-B3", "efficientnet_b3_rwightman-b3899882", 300, 82.0, 12.2, 49.5),
    ("efficientnet_b4", "EfficientNet-B4", "efficientnet_b4_rwightman-23ab8bcd", 380, 83.4, 19.3, 78.1),
    ("efficientnet_b5", "EfficientNet-B5", "efficientnet_b5_lukemelas-1a07897c", 456, 83.4, 30.4, 122.5),
    ("efficientnet_b6", "EfficientNet-B6", "efficientnet_b6_lukemelas-24a108a5", 528, 84.0, 43.0, 173.4),
    ("efficientnet_b7", "EfficientNet-B7", "efficientnet_b7_lukemelas-c5b4e57e", 600, 84.1, 66.3, 267.0),
    ("efficientnet_v2_l", "EfficientNetV2-L", "efficientnet_v2_l-59c71312", 480, 85.8, 118.5, 476.7),
    ("efficientnet_v2_m", "EfficientNetV2-M", "efficientnet_v2_m-dc08266a", 480, 85.1, 54.1, 218.1),
    ("efficientnet_v2_s", "EfficientNetV2-S", "efficientnet_v2_s-dd5fe13b", 384, 84.2, 21.5, 86.7),
    ("googlenet", "GoogLeNet", "googlenet-1378be20", 224, 69.8, 6.6, 52.1),
    ("inception_v3", "Inception v3", "inception_v3_google-0cc3c7bd", 299, 77.3, 27.2, 109.0),
    ("mnasnet0_5", "MNASNet 0.5", "mnasnet0.5_top1_67.823-3ffadce67e", 224, 67.7, 2.2, 9.0),
    ("mnasnet0_75", "MNASNet 0.75", "mnasnet0_75-7090bc5f", 224, 71.2, 3.2, 12.9),
    ("mnasnet1_0", "MNASNet 1.0", "mnasnet1.0_top1_73.512-f206786ef8", 224, 73.5, 4.4, 17.7),
    ("mnasnet1_3", "MNASNet 1.3", "mnasnet1_3-a4c69d6f", 224, 76.5, 6.3, 25.4),
    ("mobilenet_v2", "MobileNetV2", "mobilenet_v2-b0353104", 224, 71.9, 3.5, 14.2),
    ("mobilenet_v2_v2", "MobileNetV2, trained anew", "mobilenet_v2-7ebf99e0", 224, 72.2, 3.5, 14.3),
    ("mobilenet_v3_large", "MobileNetV3-Large", "mobilenet_v3_large-8738ca79", 224, 74.0, 5.5, 22.1),
    ("mobilenet_v3_large_v2", "MobileNetV3-Large, trained anew", "mobilenet_v3_large-5c1a4163", 224, 75.3, 5.5, 22.1),
    ("mobilenet_v3_small", "MobileNetV3-Small", "mobilenet_v3_small-047dcff4", 224, 67.7, 2.5, 10.3),
    ("regnet_x_16gf", "RegNetX-16GF", "regnet_x_16gf-2007eb11", 224, 80.1, 54.3, 217.7),
    ("regnet_x_16gf_v2", "RegNetX-16GF, trained anew", "regnet_x_16gf-ba3796d7", 224, 82.7, 54.3, 217.7),
    ("regnet_x_1_6gf", "RegNetX-1.6GF", "regnet_x_1_6gf-e3633e7f", 224, 77.0, 9.2, 37.1),
    ("regnet_x_1_6gf_v2", "RegNetX-1.6GF, trained anew", "regnet_x_1_6gf-a12f2b72", 224, 79.7, 9.2, 37.1),
    ("regnet_x_32gf", "RegNetX-32GF", "regnet_x_32gf-9d47f8d0", 224, 80.6, 107.8, 432.1),
    ("regnet_x_32gf_v2", "RegNetX-32GF, trained anew", "regnet_x_32gf-6eb8fdc6", 224, 83.0, 107.8, 432.1),
    ("regnet_x_3_2gf", "RegNetX-3.2GF", "regnet_x_3_2gf-f342aeae", 224, 78.4, 15.3, 61.6),
    ("regnet_x_3_2gf_v2", "RegNetX-3.2GF, trained anew", "regnet_x_3_2gf-7071aa85", 224, 81.2, 15.3, 61.6),
    ("regnet_x_400mf", "RegNetX-400MF", "regnet_x_400mf-adf1edd5", 224, 72.8, 5.5, 22.3),
    ("regnet_x_400mf_v2", "RegNetX-400MF, trained anew", "regnet_x_400mf-62229a5f", 224, 74.9, 5.5, 22.3),
    ("regnet_x_800mf", "RegNetX-800MF", "regnet_x_800mf-ad17e45c", 224, 75.2, 7.3, 29.3),
    ("regnet_x_800mf_v2", "RegNetX-800MF, trained anew", "regnet_x_800mf-94a99ebd", 224, 77.5, 7.3, 29.3),
    ("regnet_x_8gf", "RegNetX-8GF", "regnet_x_8gf-03ceed89", 224, 79.3, 39.6, 158.8),
    ("regnet_x_8gf_v2", "RegNetX-8GF, trained anew", "regnet_x_8gf-2b70d774", 224, 81.7, 39.6, 158.8),
    ("regnet_y_16gf", "RegNetY-16GF", "regnet_y_16gf-9e6ed7dd", 224, 80.4, 83.6, 335.0),
    ("regnet_y_16gf_v2", "RegNetY-16GF, trained anew", "regnet_y_16gf-3e4a00f9", 224, 82.9, 83.6, 335.0),
    ("regnet_y_1_6gf", "RegNetY-1.6GF", "regnet_y_1_6gf-b11a554e", 224, 78.0, 11.2, 45.2),
    ("regnet_y_1_6gf_v2", "RegNetY-1.6GF, trained anew", "regnet_y_1_6gf-0d7bc02a", 224, 80.9, 11.2, 45.2),
    ("regnet_y_32gf", "RegNetY-32GF", "regnet_y_32gf-4dee3f7a", 224, 80.9, 145.0, 581.0),
    ("regnet_y_32gf_v2", "RegNetY-32GF, trained anew", "regnet_y_32gf-8db6d4b5", 224, 83.4, 145.0, 581.0),
    ("regnet_y_3_2gf", "RegNetY-3.2GF", "regnet_y_3_2gf-b5a9779c", 224, 78.9, 19.4, 78.2),
    ("regnet_y_3_2gf_v2", "RegNetY-3.2GF, trained anew", "regnet_y_3_2gf-9180c971", 224, 82.0, 19.4, 78.2),
    ("regnet_y_400mf", "RegNetY-400MF", "regnet_y_400mf-c65dace8", 224, 74.0, 4.3, 17.6),
    ("regnet_y_400mf_v2", "RegNetY-400MF, trained anew", "regnet_y_400mf-e6988f5f", 224, 75.8, 4.3, 17.6),
    ("regnet_y_800mf", "RegNetY-800MF", "regnet_y_800mf-1b27b58c", 224, 76.4, 6.4, 26.0),
    ("regnet_y_800mf_v2", "RegNetY-800MF, trained anew", "regnet_y_800mf-58fc7688", 224, 78.8, 6.4, 26.0),
    ("regnet_y_8gf", "RegNetY-8GF", "regnet_y_8gf-d0d0e4a8", 224, 80.0, 39.4, 158.0),
    ("regnet_y_8gf_v2", "RegNetY-8GF, trained anew", "regnet_y_8gf-dc2b1b54", 224, 82.8, 39.4, 158.0),
    ("resnet101", "ResNet-101", "resnet101-63fe2227", 224, 77.4, 44.5, 178.8),
    ("resnet101_v2", "ResNet-101, trained anew", "resnet101-cd907fc2", 224, 81.9, 44.5, 178.8),
    ("resnet152", "ResNet-152", "resnet152-394f9c45", 224, 78.3, 60.2, 241.6),
    ("resnet152_v2", "ResNet-152, trained anew", "resnet152-f82ba261", 224, 82.3, 60.2, 241.7),
    ("resnet18", "ResNet-18", "resnet18-f37072fd", 224, 69.8, 11.7, 46.8),
    ("resnet34", "ResNet-34", "resnet34-b627a593", 224, 73.3, 21.8, 87.3),
    ("resnet50", "ResNet-50", "resnet50-0676ba61", 224, 76.1, 25.6, 102.5),
    ("resnet50_v2", "ResNet-50, trained anew", "resnet50-11ad3fa6", 224, 80.9, 25.6, 102.5),
    ("resnext101_32x8d", "ResNeXt-101 32x8d", "resnext101_32x8d-8ba56ff5", 224, 79.3, 88.8, 356.1),
    ("resnext101_32x8d_v2", "ResNeXt-101 32x8d, trained anew", "resnext101_32x8d-110c445d", 224, 82.8, 88.8, 356.2),
    ("resnext101_64x4d", "ResNeXt-101 64x4d", "resnext101_64x4d-173b62eb", 224, 83.2, 83.5, 334.8),
    ("resnext50_32x4d", "ResNeXt-50 32x4d", "resnext50_32x4d-7cdf4587", 224, 77.6, 25.0, 100.4),
    ("resnext50_32x4d_v2", "ResNeXt-50 32x4d, trained anew", "resnext50_32x4d-1a0047aa", 224, 81.2, 25.0, 100.5),
    ("shufflenet_v2_x0_5", "ShuffleNetV2 x0.5", "shufflenetv2_x0.5-f707e7126e", 224, 60.6, 1.4, 5.5),
    ("shufflenet_v2_x1_0", "ShuffleNetV2 x1.0", "shufflenetv2_x1-5666bf0f80", 224, 69.4, 2.3, 9.2),
    ("shufflenet_v2_x1_5", "ShuffleNetV2 x1.5", "shufflenetv2_x1_5-3c479a10", 224, 73.0, 3.5, 14.2),
    ("shufflenet_v2_x2_0", "ShuffleNetV2 x2.0", "shufflenetv2_x2_0-8be3c8ee", 224, 76.2, 7.4, 29.8),
    ("squeezenet1_0", "SqueezeNet 1.0", "squeezenet1_0-b66bff10", 224, 58.1, 1.2, 5.0),
    ("squeezenet1_1", "SqueezeNet 1.1", "squeezenet1_1-b8a52dc0", 224, 58.2, 1.2, 5.0),
    ("vgg11", "VGG-11", "vgg11-8a719046", 224, 69.0, 132.9, 531.5),
    ("vgg11_bn", "VGG-11 with batch norms", "vgg11_bn-6002323d", 224, 70.4, 132.9, 531.5),
    ("vgg13", "VGG-13", "vgg13-19584684", 224, 69.9, 133.0, 532.2),
    ("vgg13_bn", "VGG-13 with batch norms", "vgg13_bn-abd245e5", 224, 71.6, 133.1, 532.2),
    ("vgg16", "VGG-16", "vgg16-397923af", 224, 71.6, 138.4, 553.4),
    ("vgg16_bn", "VGG-16 with batch norms", "vgg16_bn-6c64b313", 224, 73.4, 138.4, 553.5),
    ("vgg19", "VGG-19", "vgg19-dcbb9e9d", 224, 72.4, 143.7, 574.7),
    ("vgg19_bn", "VGG-19 with batch norms", "vgg19_bn-c79401a0", 224, 74.2, 143.7, 574.8),
    ("vit_b_16", "ViT-B/16", "vit_b_16-c867db91", 224, 81.1, 86.6, 346.3),
    ("vit_b_32", "ViT-B/32", "vit_b_32-d86f8d99", 224, 75.9, 88.2, 353.0),
    ("vit_l_16", "ViT-L/16", "vit_l_16-852ce7e3", 224, 79.7, 304.3, 1217.4),
    ("vit_l_32", "ViT-L/32", "vit_l_32-c7638314", 224, 77.0, 306.5, 1226.3),
    ("wide_resnet101_2", "Wide ResNet-101", "wide_resnet101_2-32ee1156", 224, 78.8, 126.9, 254.7),
    ("wide_resnet101_2_v2", "Wide ResNet-101, trained anew", "wide_resnet101_2-d733dc28", 224, 82.5, 126.9, 508.3),
    ("wide_resnet50_2", "Wide ResNet-50", "wide_resnet50_2-95faca4d", 224, 78.5, 68.9, 138.2),
    ("wide_resnet50_2_v2", "Wide ResNet-50, trained anew", "wide_resnet50_2-9ba9bcbe", 224, 81.6, 68.9, 275.9),
];
