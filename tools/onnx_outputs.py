"""Networks as ONNX files without their weights, and what ONNX Runtime answers: writes fixtures/onnx/<name>.{onnx,safetensors}.

    python -m venv venv
    venv/bin/pip install torch torchvision timm transformers onnx onnxruntime onnxscript numpy safetensors
    venv/bin/python tools/onnx_outputs.py [NAME...]

A float initializer of 16 elements or more gets the made-up value of its name and moves to a file "weights" beside the model, which
is not kept: a test writes it again from the same names. Smaller ones (scalars, short biases) stay in the model as exported.
"""

import io
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import timm
import torch
import torchvision
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torchvision.models import convnext, densenet, vgg

import made_up
from torch_outputs import OPTIONS, fill, vit_small_test

OUT = Path(__file__).parent.parent / "fixtures" / "onnx"
SMALL = 16
LIMIT = 60_000


def torchvision_of(model, **options):
    return torchvision.models.get_model(model, weights=None, num_classes=10, **OPTIONS.get(model, {}), **options)


def thin_head(network, inputs):
    """A narrow classifier in place of AlexNet's or VGG's two layers of 4096."""
    for index, layer in enumerate(network.classifier):
        if isinstance(layer, nn.Linear):
            network.classifier[index] = nn.Linear(inputs, 32)
            inputs = 32
    return network


def thin_vgg(widths):
    return thin_head(vgg.VGG(vgg.make_layers(widths), num_classes=10), 49 * widths[-2])


def thin_convnext():
    blocks = [(24, 48, 1), (48, 64, 1), (64, 96, 2), (96, None, 1)]
    return convnext.ConvNeXt([convnext.CNBlockConfig(*block) for block in blocks], num_classes=10)


def timm_vit():
    return timm.models.VisionTransformer(
        img_size=64, patch_size=16, embed_dim=48, depth=3, num_heads=3, mlp_ratio=2, num_classes=10
    )


class ClipImages(nn.Module):
    """CLIP's image tower, small: pictures in, embeddings out."""

    def __init__(self):
        super().__init__()
        from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

        config = CLIPVisionConfig(
            hidden_size=48, intermediate_size=96, projection_dim=32, num_hidden_layers=3, num_attention_heads=3,
            image_size=64, patch_size=16, hidden_act="quick_gelu", attn_implementation="eager",
        )  # fmt: skip
        self.clip = CLIPVisionModelWithProjection(config)

    def forward(self, pixels):
        return self.clip(pixel_values=pixels).image_embeds


THIN_VGG = [8, "M", 16, "M", 32, 32, "M", 48, 48, "M"]
ALEXNET = lambda: thin_head(torchvision_of("alexnet"), 9216)  # noqa: E731
DENSENET = lambda: densenet.DenseNet(8, (2, 2, 2, 2), 16, bn_size=2, num_classes=10)  # noqa: E731

# name: (the network, image size, exporter, opset, what else)
CASES = {
    "alexnet_9": (ALEXNET, [224, 224], "classic", 9, {}),
    "vgg_thin_7": (lambda: thin_vgg(THIN_VGG), [112, 224], "classic", 7, {}),
    "googlenet_11": (lambda: torchvision_of("googlenet"), [64, 80], "classic", 11, {}),
    "resnet18_11": (lambda: torchvision_of("resnet18"), [64, 80], "classic", 11, {"dynamic": {0: "n"}}),
    "densenet_thin_13": (DENSENET, [64, 64], "classic", 13, {}),
    "densenet_thin_9": (DENSENET, [64, 64], "classic", 9, {"unfolded": True}),
    "mobilenet_v2_13": (lambda: torchvision_of("mobilenet_v2"), [65, 97], "classic", 13, {"dynamic": {2: "h", 3: "w"}}),
    "mobilenet_v3_small_17": (lambda: torchvision_of("mobilenet_v3_small"), [65, 97], "classic", 17, {}),
    "efficientnet_b0_13": (lambda: torchvision_of("efficientnet_b0"), [64, 80], "classic", 13, {}),
    "convnext_thin_17": (thin_convnext, [64, 80], "classic", 17, {}),
    "regnet_y_400mf_17": (lambda: torchvision_of("regnet_y_400mf"), [64, 80], "classic", 17, {}),
    "shufflenet_v2_x0_5_11": (lambda: torchvision_of("shufflenet_v2_x0_5"), [64, 80], "classic", 11, {}),
    "mnasnet0_5_12": (lambda: torchvision_of("mnasnet0_5"), [64, 80], "classic", 12, {}),
    "squeezenet1_1_9": (lambda: torchvision_of("squeezenet1_1"), [64, 80], "classic", 9, {}),
    "inception_v3_11": (lambda: torchvision_of("inception_v3"), [80, 96], "classic", 11, {}),
    "vit_14": (vit_small_test, [64, 64], "classic", 14, {}),
    "vit_17": (vit_small_test, [64, 64], "classic", 17, {}),
    "timm_vit_14": (timm_vit, [64, 64], "classic", 14, {}),
    "timm_vit_17": (timm_vit, [64, 64], "classic", 17, {"dynamic": {0: "n"}}),
    "clip_14": (ClipImages, [64, 64], "classic", 14, {}),
    "clip_17": (ClipImages, [64, 64], "classic", 17, {"dynamic": {0: "n"}}),
    "resnet18_dynamo_18": (lambda: torchvision_of("resnet18"), [64, 80], "dynamo", 18, {}),
    "efficientnet_b0_dynamo_18": (lambda: torchvision_of("efficientnet_b0"), [64, 80], "dynamo", 18, {}),
    "convnext_thin_dynamo_20": (thin_convnext, [64, 80], "dynamo", 20, {}),
    "mobilenet_v3_small_dynamo_18": (lambda: torchvision_of("mobilenet_v3_small"), [65, 97], "dynamo", 18, {"dynamic": {0: "n"}}),
    "vit_dynamo_18": (vit_small_test, [64, 64], "dynamo", 18, {}),
    "timm_vit_dynamo_18": (timm_vit, [64, 64], "dynamo", 18, {"dynamic": {0: "n"}}),
    "clip_dynamo_18": (ClipImages, [64, 64], "dynamo", 18, {}),
    "inline_raw_13": (lambda: thin_vgg([4, "M", 2, "M"]), [28, 56], "classic", 13, {"inline": "raw_data"}),
    "inline_float_data_13": (lambda: thin_vgg([4, "M", 2, "M"]), [28, 56], "classic", 13, {"inline": "float_data"}),
}


def exported(network, size, exporter, opset, dynamic):
    # Dynamic axes are exported at another size and of two images, so that nothing of the size can stick.
    shape = [2 if 0 in dynamic else 1, 3, 64 if 2 in dynamic else size[0], 64 if 3 in dynamic else size[1]]
    image = torch.from_numpy(made_up.uniform("export", shape))
    names = {"input_names": ["image"], "output_names": ["logits"], "opset_version": opset}
    if exporter == "classic":
        file = io.BytesIO()
        torch.onnx.export(network, (image,), file, dynamo=False, dynamic_axes={"image": dynamic} if dynamic else None, **names)
        return onnx.load_from_string(file.getvalue())
    shapes = ({axis: torch.export.Dim(label) for axis, label in dynamic.items()},) if dynamic else None
    program = torch.onnx.export(network, (image,), dynamo=True, dynamic_shapes=shapes, verbose=False, **names)
    return onnx.load_from_string(program.model_proto.SerializeToString())


def unfolded(model):
    """Weights as outputs of Constant nodes, as some converters leave them: the small ones only."""
    graph = model.graph
    for tensor in [t for t in graph.initializer if np.prod(t.dims) < SMALL]:
        graph.node.insert(0, helper.make_node("Constant", [], [tensor.name], value=tensor))
        graph.initializer.remove(tensor)


def strip(model):
    """Leaves out what only people read: doc strings, metadata and the shapes in between."""
    graph = model.graph
    for message in [model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output]:
        message.doc_string = ""
        if hasattr(message, "metadata_props"):
            del message.metadata_props[:]
    del graph.value_info[:]


def made_up_weights(model, inline=None):
    """Gives the initializers their values; returns names and shapes of those, and the bytes of the file "weights"."""
    filled, data = [], bytearray()
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < SMALL:
            continue
        shape = list(tensor.dims)
        value = made_up.weights(tensor.name, shape)
        filled.append([tensor.name, shape])
        for field in ("raw_data", "float_data"):
            tensor.ClearField(field)
        if inline == "raw_data":
            tensor.raw_data = value.tobytes()
        elif inline == "float_data":
            tensor.float_data.extend(value.reshape(-1).tolist())
        else:
            tensor.data_location = TensorProto.EXTERNAL
            for key, entry in [("location", "weights"), ("offset", len(data)), ("length", value.nbytes)]:
                tensor.external_data.add(key=key, value=str(entry))
            data += value.tobytes()
    return filled, bytes(data)


def run(model, data, image):
    """Every float that ONNX Runtime computes, by its name."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    outputs = {output.name for output in model.graph.output}
    for node in model.graph.node:
        for name in node.output:
            if name and name not in outputs and node.op_type != "Constant":
                model.graph.output.append(helper.make_empty_tensor_value_info(name))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "weights").write_bytes(data)
        onnx.save(model, Path(folder) / "model.onnx")
        session = onnxruntime.InferenceSession(str(Path(folder) / "model.onnx"), options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        values = session.run(names, {session.get_inputs()[0].name: image})
    return {name: value for name, value in zip(names, values) if isinstance(value, np.ndarray) and value.dtype == np.float32 and value.size}


def write(name, model, size, weights, nodes, **more):
    case = {"size": size, "mean": made_up.MEAN, "std": made_up.STD, "image": "image", "input": model.graph.input[0].name}
    case |= {"output": model.graph.output[0].name, "opset": model.opset_import[0].version, "weights": weights, **more}
    (OUT / f"{name}.onnx").write_bytes(model.SerializeToString())
    length = made_up.write(OUT / f"{name}.safetensors", case, nodes, limit=LIMIT)
    kinds = sorted({node.op_type for node in model.graph.node})
    logits = made_up.scale(nodes[case["output"]])[0] if case["output"] in nodes else float("nan")
    finite = all(np.isfinite(value).all() for value in nodes.values())
    print(f"{name}: {model.ByteSize()} + {length} B, {len(nodes)} nodes, opset {case['opset']}, logits {logits:.3g}, finite {finite}, "
          f"{sum(int(np.prod(shape)) for _, shape in weights)} weights; {' '.join(kinds)}", flush=True)  # fmt: skip


def export(name):
    build, size, exporter, opset, more = CASES[name]
    network = build().eval()
    fill(network)
    with torch.no_grad():
        model = exported(network, size, exporter, opset, more.get("dynamic", {}))
    if more.get("unfolded"):
        unfolded(model)
    strip(model)
    weights, data = made_up_weights(model, more.get("inline"))
    onnx.checker.check_model(model) if more.get("inline") else None
    nodes = run(model, data, made_up.preprocessed(made_up.image("image", size)))
    library = "transformers" if build is ClipImages else "timm" if build is timm_vit else "torchvision"
    made_by = {"exporter": f"torch {torch.__version__} {exporter}", "library": f"{library} {version(library)}"}
    write(name, model, size, weights, nodes, runtime=f"onnxruntime {onnxruntime.__version__}", **made_by)


def by_hand(nodes, shapes, opset, outputs=(1, 10), domains=()):
    """A small graph whose weights, by `shapes`, are inside."""
    tensors = [numpy_helper.from_array(made_up.weights(name, shape), name) for name, shape in shapes.items()]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 32, 40])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, list(outputs))
    graph = helper.make_graph(nodes, "by_hand", [image], [logits], tensors)
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8, producer_name="entoptic")


def tiny():
    """Convolution, ReLU, average and a matrix: the least a classifier is. Before IR 4 weights were inputs, too."""
    nodes = [
        helper.make_node("Conv", ["image", "conv.weight", "conv.bias"], ["conv"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("Gemm", ["flat", "fc.weight", "fc.bias"], ["logits"], transB=1),
    ]
    shapes = {"conv.weight": [8, 3, 3, 3], "conv.bias": [8], "fc.weight": [10, 8], "fc.bias": [10]}
    model = by_hand(nodes, shapes, 7)
    model.ir_version = 3
    for name, shape in shapes.items():
        model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    onnx.checker.check_model(model)
    nodes = run(model, b"", made_up.preprocessed(made_up.image("image", [32, 40])))
    write("tiny_7", model, [32, 40], list(map(list, shapes.items())), nodes, exporter="by hand")


def unsupported():
    """Good layers, an operation nobody knows, and good layers behind it; answers are recorded up to there."""
    before = [
        helper.make_node("Conv", ["image", "conv1.weight", "conv1.bias"], ["conv1"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv1"], ["relu1"]),
        helper.make_node("MaxPool", ["relu1"], ["pool1"], kernel_shape=[2, 2], strides=[2, 2]),
    ]
    behind = [
        helper.make_node("Mystery", ["pool1"], ["mystery"], name="the_mystery", domain="org.example", depth=3),
        helper.make_node("Conv", ["mystery", "conv2.weight", "conv2.bias"], ["conv2"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv2"], ["relu2"]),
        helper.make_node("GlobalAveragePool", ["relu2"], ["pool2"]),
        helper.make_node("Flatten", ["pool2"], ["flat"]),
        helper.make_node("Gemm", ["flat", "fc.weight", "fc.bias"], ["logits"], transB=1),
    ]
    shapes = {"conv1.weight": [8, 3, 3, 3], "conv1.bias": [8], "conv2.weight": [8, 8, 3, 3], "conv2.bias": [8]}
    shapes |= {"fc.weight": [10, 8], "fc.bias": [10]}
    good = by_hand(before, shapes, 13)
    good.graph.output[0].CopyFrom(helper.make_empty_tensor_value_info("pool1"))
    nodes = run(good, b"", made_up.preprocessed(made_up.image("image", [32, 40])))
    model = by_hand(before + behind, shapes, 13, domains=["org.example"])
    write("unsupported", model, [32, 40], list(map(list, shapes.items())), nodes, exporter="by hand", unsupported="mystery")


def main(names):
    torch.set_num_threads(2)
    OUT.mkdir(parents=True, exist_ok=True)
    for name in CASES:
        if not names or name in names:
            try:
                export(name)
            except Exception as error:
                print(f"{name}: {type(error).__name__}: {error}"[:600])
    if not names:
        tiny()
        unsupported()


if __name__ == "__main__":
    main(sys.argv[1:])
