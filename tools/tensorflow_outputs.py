"""Makes `fixtures/tensorflow`: thin graphs like those of Lucid's model zoo, and what TensorFlow computes from them.

    python -m venv tf && tf/bin/pip install tensorflow-cpu==2.15.1 tf_slim==1.1.0 safetensors==0.8.0
    tf/bin/python tools/tensorflow_outputs.py            # all of them
    tf/bin/python tools/tensorflow_outputs.py alexnet    # some of them
    TF_ENABLE_ONEDNN_OPTS=0 tf/bin/python tools/tensorflow_outputs.py --compare   # other kernels against what is there

Weights are made up (`made_up`), each from its Const's name. `fixtures/tensorflow/README.md` says what the files hold.
"""

import collections
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tensorflow_2
import tensorflow.compat.v1 as tf
import tf_slim as slim
from keras.src.legacy_tf_layers import normalization
from safetensors.numpy import load_file, save_file
from tf_slim.nets import resnet_utils, resnet_v1, resnet_v2

# tf_slim's batch norm asks for this by the name it had for a while.
sys.modules["tf_keras.legacy_tf_layers.normalization"] = normalization
tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)

FOLDER = Path(__file__).parent.parent / "fixtures" / "tensorflow"
SAMPLES, GRADIENT_SAMPLES = 48, 256

Case = collections.namedtuple("Case", "build size range bgr edits feed input")
CASES = {}


def case(size, range, bgr=False, edits=(), feed=None, input=None):
    """Registers a function that builds a graph and returns its outputs, the one to take the gradient of first."""

    def register(build):
        CASES[build.__name__] = Case(build, size, range, bgr, edits, feed or {}, input)
        return build

    return register


# Made-up numbers


def u(name, shape):
    """In [-1, 1): FNV-1a of the name, then splitmix64, in row-major order."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    count = int(np.prod(shape))
    z = np.uint64(h) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float64) / 2**23 - 1).astype(np.float32).reshape(shape)


def made_up(name, shape):
    """The weights of this name."""
    f = np.float32
    last = name.replace("/", ".").split(".")[-1]
    if "var" in last:
        return f(1.0) + f(0.5) * u(name, shape)
    if "mean" in last or "bias" in last or "beta" in last or last == "b":
        return f(0.1) * u(name, shape)
    if len(shape) >= 2 and np.prod(shape[1:]) > 1:
        fan_in = np.prod(shape[:2] if "depthwise" in last else shape[:-1])
        return f(np.sqrt(6 / fan_in)) * u(name, shape)
    return f(1.0) + f(0.2) * u(name, shape)


def image(size):
    """[1, h, w, 3], RGB in 0..1."""
    return (np.float32(0.5) + np.float32(0.5) * u("image", [1, 3, *size])).transpose(0, 2, 3, 1)


# Freezing, and what older versions of TensorFlow wrote differently


def freeze(outputs, variable_names=None):
    """The default graph with made-up weights as Consts, each behind its Identity `<name>/read`, as in Lucid's files."""
    with tf.Session() as session:
        for variable in tf.global_variables():
            name = (variable_names or {}).get(variable.op.name, variable.op.name)
            value = made_up(name, variable.shape.as_list())
            variable.load(value.astype(variable.dtype.as_numpy_dtype), session)
        graph = tf.get_default_graph().as_graph_def()
        return tf.graph_util.convert_variables_to_constants(session, graph, outputs)


def rename(graph, names):
    """Gives nodes other names wherever they are read."""

    def renamed(tensor):
        node, *output = tensor.lstrip("^").split(":")
        return ("^" if tensor.startswith("^") else "") + ":".join([names.get(node, node), *output])

    for node in graph.node:
        node.name = names.get(node.name, node.name)
        node.input[:] = [renamed(tensor) for tensor in node.input]


def as_in_2017(graph):
    """Without what came after TensorFlow 1.4: AddV2, attributes, another name for batch norm's parts."""
    graph.versions.producer = 24
    rename(graph, {node.name: node.name.replace("/batchnorm_1/", "/batchnorm/") for node in graph.node})
    for node in graph.node:
        node.op = {"AddV2": "Add"}.get(node.op, node.op)
        for attribute in ["explicit_paddings", "dilations", "half_pixel_centers", "exponential_avg_factor"]:
            if attribute != "dilations" or set(node.attr[attribute].list.i) == {1}:
                node.attr.pop(attribute, None)
        if not node.attr["dilations"].list.i:
            node.attr.pop("dilations", None)


def old_concat(graph):
    """Concat, with its axis first, was what came before ConcatV2."""
    axes = {}
    for node in graph.node:
        if node.op == "ConcatV2":
            node.op = "Concat"
            *inputs, axis = node.input
            node.input[:] = [axis, *inputs]
            node.attr.pop("Tidx")
            axes[axis] = node.name + "/concat_dim"
    rename(graph, axes)


def all_fused_batch_norms(graph):
    """FusedBatchNorm, FusedBatchNormV2 and FusedBatchNormV3 in turn."""
    names = {}
    norms = [node for node in graph.node if node.op == "FusedBatchNormV3"]
    for i, node in enumerate(norms):
        node.op = ["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"][i % 3]
        names[node.name] = node.name.replace("FusedBatchNormV3", node.op)
        if node.op == "FusedBatchNorm":
            node.attr.pop("U")
    rename(graph, names)


def values_one_by_one(graph):
    """Consts as `float_val` rather than as bytes."""
    for node in graph.node:
        tensor = node.attr["value"].tensor
        if node.op == "Const" and tensor.dtype == tf.float32.as_datatype_enum and tensor.tensor_content:
            values = np.frombuffer(tensor.tensor_content, np.float32)
            tensor.ClearField("tensor_content")
            tensor.float_val.extend(values.tolist())
        elif node.op != "Const":
            node.attr.pop("value", None)


def set_const(graph, name, **fields):
    """Writes a Const's values into these fields, whatever its shape: the last one stands for all that follow."""
    (tensor,) = [node.attr["value"].tensor for node in graph.node if node.name == name]
    tensor.ClearField("tensor_content")
    tensor.ClearField("float_val")
    for field, values in fields.items():
        getattr(tensor, field).extend(values)


# The networks


def placeholder(size, name="input", batch=None):
    return tf.placeholder(tf.float32, [batch, *size, 3], name=name)


def slim_scope(fused, scale, activation=tf.nn.relu, epsilon=0.001):
    """Convolutions followed by batch norm, then by the activation."""
    norm = {"is_training": False, "fused": fused, "scale": scale, "epsilon": epsilon}
    convolutions = [slim.conv2d, slim.separable_conv2d]
    return slim.arg_scope(
        convolutions, activation_fn=activation, normalizer_fn=slim.batch_norm, normalizer_params=norm, padding="SAME"
    )


def slim_logits(net, classes, dropout, conv):
    """Dropout that lets everything pass, a 1x1 convolution, and without height and width."""
    net = slim.dropout(net, is_training=False, scope=dropout)
    logits = slim.conv2d(net, classes, 1, activation_fn=None, normalizer_fn=None, scope=conv)
    return tf.squeeze(logits, [1, 2], name="SpatialSqueeze")


@case([45, 37], [-1, 1], edits=[as_in_2017])
def inception():
    """Slim's Inception V1 and V3: batch norm in its parts, towers, a reduction without padding."""
    net = placeholder([45, 37])
    with slim_scope(fused=False, scale=False), tf.variable_scope("InceptionV1") as scope:
        with tf.variable_scope(scope):
            net = slim.conv2d(net, 8, 7, stride=2, scope="Conv2d_1a_7x7")
            net = slim.max_pool2d(net, 3, stride=2, padding="SAME", scope="MaxPool_2a_3x3")
            net = slim.conv2d(net, 10, 1, scope="Conv2d_2b_1x1")
            with tf.variable_scope("Mixed_3b"):
                with tf.variable_scope("Branch_0"):
                    a = slim.conv2d(net, 8, 1, scope="Conv2d_0a_1x1")
                with tf.variable_scope("Branch_1"):
                    b = slim.conv2d(net, 6, 1, scope="Conv2d_0a_1x1")
                    b = slim.conv2d(b, 10, 3, scope="Conv2d_0b_3x3")
                with tf.variable_scope("Branch_2"):
                    c = slim.max_pool2d(net, 3, stride=1, padding="SAME", scope="MaxPool_0a_3x3")
                    c = slim.conv2d(c, 6, 1, scope="Conv2d_0b_1x1")
                net = tf.concat([a, b, c], 3)
            with tf.variable_scope("Mixed_6a"):
                with tf.variable_scope("Branch_0"):
                    a = slim.conv2d(net, 7, 3, stride=2, padding="VALID", scope="Conv2d_1a_3x3")
                with tf.variable_scope("Branch_1"):
                    b = slim.max_pool2d(net, 3, stride=2, padding="VALID", scope="MaxPool_1a_3x3")
                net = tf.concat([a, b], 3)
            with tf.variable_scope("Mixed_6b"):
                with tf.variable_scope("Branch_0"):
                    a = slim.conv2d(net, 6, 1, scope="Conv2d_0a_1x1")
                with tf.variable_scope("Branch_1"):
                    b = slim.conv2d(net, 6, 1, scope="Conv2d_0a_1x1")
                    b = slim.conv2d(b, 6, [1, 7], scope="Conv2d_0b_1x7")
                    b = slim.conv2d(b, 8, [7, 1], scope="Conv2d_0c_7x1")
                with tf.variable_scope("Branch_2"):
                    c = slim.avg_pool2d(net, 3, stride=1, padding="SAME", scope="AvgPool_0a_3x3")
                    c = slim.conv2d(c, 6, 1, scope="Conv2d_0b_1x1")
                net = tf.concat([a, b, c], 3)
        with tf.variable_scope("Logits"):
            net = slim.avg_pool2d(net, net.shape[1:3], stride=1, padding="VALID", scope="AvgPool_0a_7x7")
            logits = slim_logits(net, 9, "Dropout_0b", "Conv2d_0c_1x1")
            return [slim.softmax(logits, scope="Predictions")]


@case([39, 47], [-1, 1], edits=[as_in_2017, all_fused_batch_norms])
def inception_resnet():
    """Slim's Inception-ResNet V2: residuals scaled by a constant, and flattened as TensorFlow 1.0 did."""
    net = placeholder([39, 47])

    def block(net, scale, scope, activation):
        with tf.variable_scope(scope):
            with tf.variable_scope("Branch_0"):
                a = slim.conv2d(net, 4, 1, scope="Conv2d_1x1")
            with tf.variable_scope("Branch_1"):
                b = slim.conv2d(net, 4, 1, scope="Conv2d_0a_1x1")
                b = slim.conv2d(b, 5, [1, 3], scope="Conv2d_0b_1x3")
                b = slim.conv2d(b, 6, [3, 1], scope="Conv2d_0c_3x1")
            mixed = tf.concat([a, b], 3)
            up = slim.conv2d(mixed, net.shape[3], 1, normalizer_fn=None, activation_fn=None, scope="Conv2d_1x1")
            net += scale * up
            return activation(net) if activation else net

    with slim_scope(fused=True, scale=False), tf.variable_scope("InceptionResnetV2") as scope:
        with tf.variable_scope(scope):
            net = slim.conv2d(net, 6, 3, stride=2, padding="VALID", scope="Conv2d_1a_3x3")
            net = slim.conv2d(net, 10, 3, scope="Conv2d_2b_3x3")
            net = slim.max_pool2d(net, 3, stride=2, padding="VALID", scope="MaxPool_3a_3x3")
            with tf.variable_scope("Repeat"):
                net = block(net, 0.17, "block35_1", tf.nn.relu)
            net = block(net, 1.0, "Block8", None)
            net = slim.conv2d(net, 8, 1, scope="Conv2d_7b_1x1")
        with tf.variable_scope("Logits"):
            net = slim.avg_pool2d(net, [4, 4], padding="VALID", stride=3, scope="AvgPool_1a_8x8")
            with tf.name_scope("Flatten"):
                shape = tf.shape(net)
                positions = tf.expand_dims(tf.reduce_prod(tf.slice(shape, [1], [3])), 0)
                shape = tf.concat([tf.slice(shape, [0], [1]), positions], 0)
                features = int(np.prod(net.shape[1:].as_list()))
                net = tf.reshape(net, shape)
                net.set_shape([None, features])
            net = slim.dropout(net, is_training=False, scope="Dropout")
            logits = slim.fully_connected(net, 9, activation_fn=None, scope="Logits")
            return [tf.nn.softmax(logits, name="Predictions")]


@case([47, 33], [-1, 1], edits=[as_in_2017, values_one_by_one])
def mobilenet_v1():
    """Slim's MobileNet V1: depthwise convolutions, ReLU6, batch norm in its parts."""
    net = placeholder([47, 33])
    with slim_scope(fused=False, scale=True, activation=tf.nn.relu6), tf.variable_scope("MobilenetV1") as scope:
        with tf.variable_scope(scope):
            net = slim.conv2d(net, 8, 3, stride=2, scope="Conv2d_0")
            for i, (stride, depth) in enumerate([(1, 10), (2, 12), (2, 14)], start=1):
                net = slim.separable_conv2d(net, None, 3, 1, stride=stride, scope=f"Conv2d_{i}_depthwise")
                net = slim.conv2d(net, depth, 1, scope=f"Conv2d_{i}_pointwise")
        with tf.variable_scope("Logits"):
            net = slim.avg_pool2d(net, net.shape[1:3], padding="VALID", scope="AvgPool_1a")
            logits = slim_logits(net, 9, "Dropout_1b", "Conv2d_1c_1x1")
        return [slim.softmax(logits, scope="Predictions")]


@case([41, 50], [-1, 1])
def mobilenet_v2():
    """Slim's MobileNet V2: expanded, depthwise, projected without activation, and added; Identity nodes for names."""
    net = placeholder([41, 50])

    def expanded(net, depth, stride, scope, factor=3):
        with tf.variable_scope(scope):
            block = net = tf.identity(net, "input")
            if factor > 1:
                net = slim.conv2d(net, factor * int(net.shape[3]), 1, scope="expand")
                net = tf.identity(net, "expansion_output")
            net = slim.separable_conv2d(net, None, 3, 1, stride=stride, scope="depthwise")
            net = tf.identity(net, "depthwise_output")
            net = slim.conv2d(net, depth, 1, activation_fn=tf.identity, scope="project")
            if stride == 1 and net.shape[3] == block.shape[3]:
                net += block
            return tf.identity(net, "output")

    with slim_scope(fused=True, scale=True, activation=tf.nn.relu6), tf.variable_scope("MobilenetV2"):
        net = tf.identity(net, "input")
        net = slim.conv2d(net, 8, 3, stride=2, scope="Conv")
        net = expanded(net, 6, 1, "expanded_conv", factor=1)
        net = expanded(net, 8, 2, "expanded_conv_1")
        net = expanded(net, 8, 1, "expanded_conv_2")
        net = expanded(net, 10, 2, "expanded_conv_3")
        net = slim.conv2d(net, 16, 1, scope="Conv_1")
        net = tf.identity(net, "embedding")
        with tf.variable_scope("Logits"):
            net = tf.nn.avg_pool(net, [1, *net.shape[1:3].as_list(), 1], [1, 1, 1, 1], "VALID", name="AvgPool")
            net = slim.dropout(net, is_training=False, scope="Dropout")
            logits = slim.conv2d(net, 9, 1, activation_fn=None, normalizer_fn=None, scope="Conv2d_1c_1x1")
            logits = tf.identity(tf.squeeze(logits, [1, 2]), name="output")
        return [slim.softmax(logits, scope="Predictions")]


def slim_resnet(name, module, units, root_norm, logits_scope):
    """What slim's ResNets have in common, with a thin root."""
    arguments = ["depth", "depth_bottleneck", "stride"]
    blocks = [
        resnet_utils.Block(f"block{i}", module.bottleneck, [dict(zip(arguments, unit)) for unit in block])
        for i, block in enumerate(units, start=1)
    ]
    with tf.variable_scope(name):
        root = {} if root_norm else {"activation_fn": None, "normalizer_fn": None}
        with slim.arg_scope([slim.conv2d], **root):
            net = resnet_utils.conv2d_same(placeholder_of_resnet(), 8, 7, stride=2, scope="conv1")
        net = slim.max_pool2d(net, 3, stride=2, padding="SAME", scope="pool1")
        net = resnet_utils.stack_blocks_dense(net, blocks)
        if not root_norm:
            net = slim.batch_norm(net, activation_fn=tf.nn.relu, scope="postnorm")
        net = tf.reduce_mean(net, [1, 2], name="pool5", keepdims=True)
        logits = slim.conv2d(net, 9, 1, activation_fn=None, normalizer_fn=None, scope=logits_scope)
        logits = tf.squeeze(logits, [1, 2], name="SpatialSqueeze")
        # The gradient of the logits: such a softmax is saturated in the first version, where the range is wide.
        return [logits, slim.softmax(logits, scope="predictions")]


def placeholder_of_resnet():
    with tf.name_scope(None):
        return placeholder([49, 42])


@case([49, 42], [-117, 138], edits=[as_in_2017])
def resnet_v1_50():
    """Slim's ResNet V1: Pad and a convolution without padding, shortcuts subsampled by a max pool of one pixel."""
    norm = {"is_training": False, "fused": False, "scale": True, "epsilon": 1e-5}
    with slim.arg_scope([slim.conv2d], activation_fn=tf.nn.relu, normalizer_fn=slim.batch_norm, normalizer_params=norm):
        units = [[(16, 4, 1), (16, 4, 2)], [(20, 5, 1)]]
        return slim_resnet("resnet_v1_50", resnet_v1, units, root_norm=True, logits_scope="logits")


@case([49, 42], [-1, 1], edits=[as_in_2017, all_fused_batch_norms])
def resnet_v2_50():
    """Slim's ResNet V2: batch norm and ReLU come before the convolutions."""
    norm = {"is_training": False, "fused": True, "scale": True, "epsilon": 1e-5}
    with slim.arg_scope([slim.conv2d], activation_fn=tf.nn.relu, normalizer_fn=slim.batch_norm, normalizer_params=norm):
        with slim.arg_scope([slim.batch_norm], **norm):
            units = [[(16, 4, 1), (16, 4, 2)], [(20, 5, 1)]]
            return slim_resnet("resnet_v2_50", resnet_v2, units, root_norm=False, logits_scope="logits")


@case([51, 43], [-1, 1], edits=[as_in_2017])
def nasnet():
    """Slim's NASNet and PNASNet, with the first convolution of Inception V2: separable convolutions, a shifted path."""
    net = placeholder([51, 43])
    norm = {"is_training": False, "fused": True, "scale": True, "epsilon": 0.001}
    convolutions = slim.arg_scope([slim.conv2d, slim.separable_conv2d], activation_fn=None, biases_initializer=None)
    with convolutions, slim.arg_scope([slim.batch_norm], **norm):
        net = slim.separable_conv2d(net, 8, 7, 4, stride=2, scope="Conv2d_1a_7x7")
        first = net = slim.batch_norm(net, scope="conv0_bn")

        def separable(net, kernel, depth, stride):
            for i, stride in enumerate([stride, 1], start=1):
                net = tf.nn.relu(net)
                scope = f"separable_{kernel}x{kernel}_{i}"
                net = slim.separable_conv2d(net, depth, kernel, 1, stride=stride, scope=scope)
                net = slim.batch_norm(net, scope=f"bn_sep_{kernel}x{kernel}_{i}")
            return net

        with tf.variable_scope("cell_stem_0"):
            beginning = slim.conv2d(tf.nn.relu(net), 6, 1, scope="1x1")
            beginning = slim.batch_norm(beginning, scope="beginning_bn")
            (beginning,) = tf.split(beginning, 1, axis=3)
            with tf.variable_scope("comb_iter_0"):
                with tf.variable_scope("left"):
                    left = separable(beginning, 5, 6, 2)
                with tf.variable_scope("right"):
                    right = separable(first, 7, 6, 2)
                with tf.variable_scope("combine"):
                    a = left + right
            with tf.variable_scope("comb_iter_1"):
                with tf.variable_scope("left"):
                    left = slim.max_pool2d(beginning, 3, stride=2, padding="SAME")
                with tf.variable_scope("right"):
                    right = slim.avg_pool2d(beginning, 3, stride=2, padding="SAME")
                with tf.variable_scope("combine"):
                    b = left + right
            with tf.variable_scope("comb_iter_2"):
                with tf.variable_scope("left"):
                    left = slim.avg_pool2d(a, 3, stride=1, padding="SAME")
                with tf.variable_scope("combine"):
                    c = left + b
            with tf.variable_scope("cell_output"):
                with tf.variable_scope("reduction_0"):
                    one = tf.nn.avg_pool(first, [1, 1, 1, 1], [1, 2, 2, 1], "VALID")
                    one = slim.conv2d(one, 3, 1, scope="path1_conv")
                    two = tf.pad(first, [[0, 0], [0, 1], [0, 1], [0, 0]])[:, 1:, 1:, :]
                    two = tf.nn.avg_pool(two, [1, 1, 1, 1], [1, 2, 2, 1], "VALID")
                    two = slim.conv2d(two, 3, 1, scope="path2_conv")
                    paths = slim.batch_norm(tf.concat([one, two], 3), scope="final_path_bn")
                net = tf.concat([a, b, c, paths], 3)
        with tf.variable_scope("final_layer"):
            net = tf.reduce_mean(tf.nn.relu(net), [1, 2])
            net = slim.dropout(net, is_training=False, scope="dropout")
            logits = slim.fully_connected(net, 9, activation_fn=None, scope="FC")
            return [tf.nn.softmax(logits, name="predictions")]


@case([37, 46], [-1, 1])
def dilated():
    """Dilated convolutions, as an attribute and as TensorFlow 1 wrote them: space moved into the batch, and back."""
    net = placeholder([37, 46], batch=1)

    def through_batch(net, rate, convolve, kernel):
        """`convolve` (without padding) with `rate`, as `padding="SAME"` was computed."""
        size, base = net.shape[1:3].as_list(), [[rate * (kernel - 1) // 2] * 2] * 2
        paddings, crops = tf.required_space_to_batch_paddings(size, [rate] * 2, base)
        paddings, crops = tf.get_static_value(paddings), tf.get_static_value(crops)
        net = tf.space_to_batch_nd(net, [rate] * 2, paddings)
        return tf.batch_to_space_nd(convolve(net), [rate] * 2, crops)

    def weights(name, shape):
        return tf.get_variable(name, shape)

    with tf.variable_scope("conv1"):
        net = slim.conv2d(net, 8, 3, stride=2, scope="root")
        net = tf.nn.conv2d(net, weights("weights", [3, 3, 8, 8]), 1, "SAME", dilations=[1, 2, 3, 1])
        net = tf.nn.relu(tf.nn.bias_add(net, weights("biases", [8])))
    with tf.variable_scope("block4/unit_1/bottleneck_v1/conv2"):
        w = weights("weights", [3, 3, 8, 10])
        net = through_batch(net, 2, lambda x: tf.nn.conv2d(x, w, 1, "VALID", name="Conv2D"), 3)
        net = tf.nn.relu(tf.nn.bias_add(net, weights("biases", [10])))
    with tf.variable_scope("Conv2d_12_depthwise"):
        d = weights("depthwise_weights", [3, 3, 10, 1])
        net = through_batch(net, 4, lambda x: tf.nn.depthwise_conv2d(x, d, [1, 1, 1, 1], "VALID"), 3)
        net = tf.nn.relu6(net)
    with tf.variable_scope("valid"):
        net = tf.nn.conv2d(net, weights("weights", [3, 3, 10, 6]), 1, "VALID", dilations=[1, 2, 2, 1])
    with tf.variable_scope("explicit"):
        paddings = [[0, 0], [1, 2], [0, 3], [0, 0]]
        net = tf.nn.conv2d(net, weights("weights", [3, 2, 6, 6]), [1, 2, 1, 1], paddings, name="Conv2D")
    return [tf.sigmoid(net, name="output")]


def without_scope_conv(net, kernel, depth, stride, scope, padding="SAME", groups=1):
    """A convolution as in tensorflow-alexnet-model: only its weights are in its scope."""
    with tf.variable_scope(scope):
        weights = tf.get_variable("weights", [kernel, kernel, net.shape[3] // groups, depth])
        biases = tf.get_variable("biases", [depth])
    strides = [1, stride, stride, 1]
    if groups == 1:
        net = tf.nn.conv2d(net, weights, strides, padding)
    else:
        inputs = tf.split(net, groups, axis=3)
        kernels = tf.split(weights, groups, axis=3)
        net = tf.concat([tf.nn.conv2d(x, k, strides, padding) for x, k in zip(inputs, kernels)], axis=3)
    return tf.nn.relu(tf.reshape(tf.nn.bias_add(net, biases), tf.shape(net)), name=scope)


@case([63, 51], [-117, 138], bgr=True, edits=[as_in_2017])
def alexnet():
    """Lucid's AlexNet: convolutions in two groups, a Reshape to the shape it has already, local response norm."""
    lrn = {"depth_radius": 2, "alpha": 1e-3, "beta": 0.75, "bias": 1.0}
    net = placeholder([63, 51], name="Placeholder")
    net = without_scope_conv(net, 11, 12, 4, "conv1", padding="VALID")
    net = tf.nn.lrn(net, name="norm1", **lrn)
    net = tf.nn.max_pool(net, 3, 2, "VALID", name="pool1")
    net = without_scope_conv(net, 5, 16, 1, "conv2", groups=2)
    net = tf.nn.lrn(net, name="norm2", **lrn)
    net = without_scope_conv(net, 3, 12, 1, "conv3")
    net = without_scope_conv(net, 3, 16, 1, "conv4", groups=2)
    net = tf.nn.max_pool(net, 3, 2, "VALID", name="pool5")
    net = tf.reshape(net, [-1, 2 * 2 * 16])
    for name, inputs, outputs in [("fc6", 64, 24), ("fc7", 24, 20), ("fc8", 20, 9)]:
        with tf.variable_scope(name):
            weights = tf.get_variable("weights", [inputs, outputs])
            biases = tf.get_variable("biases", [outputs])
            net = tf.nn.xw_plus_b(net, weights, biases, name="")
        if name != "fc8":
            net = tf.nn.relu(net)
    return [net, tf.nn.softmax(net)]


@case([59, 64], [-117, 138], bgr=True, edits=[as_in_2017, old_concat], feed={"use_dropout": 0.0})
def caffenet():
    """caffe-tensorflow's CaffeNet: Split and the old Concat in a layer's scope, dropout that a placeholder switches."""
    lrn = {"depth_radius": 2, "alpha": 1e-3, "beta": 0.75, "bias": 1.0}
    use_dropout = tf.placeholder_with_default(tf.constant(1.0), [], name="use_dropout")
    net = placeholder([59, 64], name="data")

    def conv(net, kernel, depth, stride, name, padding="SAME", groups=1):
        with tf.variable_scope(name) as scope:
            weights = tf.get_variable("weights", [kernel, kernel, net.shape[3] // groups, depth])
            strides = [1, stride, stride, 1]
            if groups == 1:
                net = tf.nn.conv2d(net, weights, strides, padding)
            else:
                inputs = tf.split(net, groups, axis=3)
                kernels = tf.split(weights, groups, axis=3)
                parts = [tf.nn.conv2d(x, k, strides, padding) for x, k in zip(inputs, kernels)]
                net = tf.concat(parts, 3)
            net = tf.nn.bias_add(net, tf.get_variable("biases", [depth]))
            return tf.nn.relu(net, name=scope.name)

    def fc(net, outputs, name, relu=True):
        with tf.variable_scope(name) as scope:
            if len(net.shape) == 4:
                net = tf.reshape(net, [-1, int(np.prod(net.shape[1:].as_list()))])
            weights = tf.get_variable("weights", [net.shape[1], outputs])
            biases = tf.get_variable("biases", [outputs])
            return (tf.nn.relu_layer if relu else tf.nn.xw_plus_b)(net, weights, biases, name=scope.name)

    def dropout(net, keep_probability, name):
        """As TensorFlow 0.x wrote it: the floor of what is kept plus a random number."""
        keep = 1 - use_dropout + use_dropout * keep_probability
        with tf.name_scope(name):
            kept = tf.floor(keep + tf.random_uniform(tf.shape(net), tf.constant(0.0), tf.constant(1.0)))
            return tf.multiply(tf.raw_ops.Div(x=net, y=keep, name="div"), kept)

    net = conv(net, 11, 12, 4, "conv1", padding="VALID")
    net = tf.nn.max_pool(net, 3, 2, "VALID", name="pool1")
    net = tf.nn.lrn(net, name="norm1", **lrn)
    net = conv(net, 5, 16, 1, "conv2", groups=2)
    net = conv(net, 3, 12, 1, "conv3")
    net = conv(net, 3, 12, 1, "conv5", groups=2)
    net = tf.nn.max_pool(net, 3, 2, "VALID", name="pool5")
    net = dropout(fc(net, 24, "fc6"), 0.5, "drop6")
    net = dropout(fc(net, 20, "fc7"), 0.5, "drop7")
    logits = fc(net, 9, "fc8", relu=False)
    return [logits, tf.nn.softmax(logits, name="prob")]


@case([40, 33], [0, 255], edits=[lambda graph: set_const(graph, "scale", float_val=[0.5])])
def keras():
    """As Keras exports: its names, swish, squeeze and excitation, a Reshape to a shape put together from numbers."""
    net = placeholder([40, 33], name="input_1")
    net = net / 127.5 - 1.0

    def norm(net, name):
        depth = int(net.shape[3])
        with tf.variable_scope(name):
            parts = [tf.get_variable(part, [depth]) for part in ["gamma", "beta", "moving_mean", "moving_variance"]]
            return tf.nn.fused_batch_norm(net, *parts, epsilon=1.001e-5, is_training=False)[0]

    def conv(net, kernel, depth, stride, padding, name, bias=True):
        with tf.variable_scope(name):
            net = tf.nn.conv2d(net, tf.get_variable("kernel", [kernel, kernel, net.shape[3], depth]), stride, padding)
            return tf.nn.bias_add(net, tf.get_variable("bias", [depth])) if bias else net

    with tf.name_scope("conv1_pad"):
        net = tf.pad(net, [[0, 0], [3, 3], [2, 3], [0, 0]])
    net = norm(conv(net, 7, 8, 2, "VALID", "conv1_conv"), "conv1_bn")
    with tf.name_scope("swish"):
        net = tf.multiply(net, tf.sigmoid(net))
    with tf.name_scope("se_squeeze"):
        squeezed = tf.reshape(tf.reduce_mean(net, [1, 2]), [-1, 1, 1, 8])
    squeezed = tf.nn.relu(conv(squeezed, 1, 4, 1, "SAME", "se_reduce"))
    excited = tf.sigmoid(conv(squeezed, 1, 8, 1, "SAME", "se_expand"))
    net = tf.multiply(net, excited, name="se_excite/mul")
    net = norm(conv(net, 3, 10, 2, "SAME", "conv2_conv", bias=False), "conv2_bn")
    net = tf.nn.leaky_relu(net, 0.3, name="leaky_re_lu/LeakyRelu")
    with tf.name_scope("hard_swish"):
        net = net * tf.nn.relu6(net + 3.0) * (1 / 6)
    net = tf.nn.max_pool(net, 2, 2, "VALID", name="max_pooling2d/MaxPool")
    net = tf.multiply(net, tf.constant(0.5, shape=[10], name="scale"), name="rescaling/mul")
    with tf.name_scope("flatten"):
        batch = tf.shape(net)[0]
        flat = tf.reshape(net, tf.stack([batch, -1]))
        flat.set_shape([None, int(np.prod(net.shape[1:].as_list()))])
    with tf.variable_scope("fc1"):
        net = tf.matmul(flat, tf.get_variable("kernel", [flat.shape[1], 12]))
        net = tf.tanh(tf.nn.bias_add(net, tf.get_variable("bias", [12])))
    with tf.variable_scope("predictions"):
        net = tf.matmul(net, tf.get_variable("kernel", [12, 9])) + tf.get_variable("bias", [9])
        return [tf.nn.softmax(net)]


@case([44, 57], [0, 255])
def preprocessing():
    """Before the first convolution: any input size, other channel orders, crops, arithmetic, all ways to resize."""
    net = placeholder([None, None], name="image")
    net = tf.cast(tf.check_numerics(tf.identity(net), "not a number"), tf.float32)
    net = tf.cast(tf.cast(net, tf.float64) * 0.5, tf.float32)
    net = net[:, :, :, ::-1]
    net = tf.reverse(tf.reverse(net, [-1])[..., ::-1], [-1])
    net = net[:, 2:-1, 3:54, :]
    net = tf.slice(net, [0, 1, 0, 0], [-1, 39, -1, 3])
    net = tf.realdiv(tf.subtract(net, tf.constant([103.939, 116.779, 123.68])), tf.constant(57.0))
    net = tf.image.resize_bilinear(net, [45, 53], align_corners=True, name="resize_corners")
    net = tf.raw_ops.ResizeBilinear(images=net, size=[41, 39], half_pixel_centers=True, name="resize_half")
    net = tf.image.resize_bilinear(net, [33, 48], name="resize_legacy")
    net = 1.5 - net * 0.5
    with tf.variable_scope("conv"):
        net = tf.nn.conv2d(net, tf.get_variable("weights", [5, 5, 3, 8]), 2, "SAME")
        net = tf.nn.relu(net + tf.get_variable("biases", [8]))
    return [net]


def odd_consts(graph):
    """Consts as few writers store them."""
    set_const(graph, "few_values", float_val=[0.25, -0.5, 0.125])
    half = u("half_values", [8]).astype(np.float16)
    set_const(graph, "half_values", half_val=half.view(np.uint16).tolist())


@case([34, 45], [-1, 1], edits=[odd_consts])
def constants():
    """Weights and sizes that are computed from constants, in types other than f32, or stored in short."""
    net = placeholder([34, 45])
    with tf.variable_scope("computed"):
        v = tf.get_variable("weights", [5, 3, 3, 8])
        scale = tf.rsqrt(tf.reduce_sum(tf.square(v), [0, 1, 2]) + 1e-6)
        net = tf.nn.conv2d(net, v * scale * (tf.sqrt(4.0) + 1.0), [1, 2, 1, 1], "SAME")
        half = tf.get_variable("half_weights", [3, 3, 8, 6], dtype=tf.float16)
        net = tf.nn.relu(tf.nn.conv2d(net, tf.cast(half, tf.float32), 1, "SAME"))
        turned = tf.transpose(tf.reshape(tf.get_variable("flat_weights", [6, 8 * 9]), [6, 8, 3, 3]), [2, 3, 0, 1])
        net = tf.nn.conv2d(net, turned, 1, "VALID")
        double = tf.constant(u("double", [8]).astype(np.float64))
        net = net + tf.cast(double * 2.0, tf.float32)
    net = net + tf.constant(0.0, shape=[8], name="few_values")
    net = net * (1 + tf.cast(tf.constant(0.0, tf.float16, [8], name="half_values"), tf.float32))
    net = net + tf.fill([8], 0.25) - tf.ones([8]) * 0.125
    net = tf.nn.relu(net + tf.cast(tf.range(8), tf.float32) * 0.01)
    net = tf.nn.max_pool(net, [1, 3, 2, 1], [1, 3, 2, 1], "VALID")
    with tf.name_scope("flatten"):
        shape = tf.shape(net)
        rest = tf.reduce_prod(shape[1:])
        flat = tf.reshape(net, tf.stack([-1, rest]))
        flat.set_shape([None, int(np.prod(net.shape[1:].as_list()))])
    with tf.variable_scope("head"):
        w = tf.get_variable("weights", [7, flat.shape[1]])
        return [tf.matmul(flat, w, transpose_b=True, name="output")]


@case([35, 46], [-1, 1])
def pointwise():
    """Functions of one activation, sums, maxima, means, other orders of axes, dropout that is off."""
    net = placeholder([35, 46])
    keep = tf.placeholder_with_default(tf.constant(1.0), [], name="keep_prob")
    net = slim.conv2d(net, 8, 5, stride=2, activation_fn=None, scope="conv1")
    with tf.name_scope("functions"):
        leaky = tf.maximum(net, 0.1 * net)
        parts = [tf.nn.elu(net), tf.sigmoid(net), tf.tanh(leaky), tf.nn.softplus(net), tf.nn.leaky_relu(net, 0.2)]
        net = tf.add_n(parts)
        net = tf.minimum(net * tf.sigmoid(1.5 * net), 4.0)
    net = tf.divide(net, keep, name="dropout/div")
    with tf.name_scope("channels_first"):
        first = tf.transpose(net, [0, 3, 1, 2])
        first = first + tf.constant(u("offsets", [1, 8, 1, 1]))
        net = tf.transpose(first, [0, 2, 3, 1])
    with tf.name_scope("summaries"):
        largest = tf.reduce_max(net, [1, 2], keepdims=True)
        mean = tf.reduce_mean(net, tf.constant([1, 2], tf.int64), keepdims=True)
        net = tf.concat([net - mean, net / (1.0 + largest * largest)], -1)
        mean = tf.expand_dims(tf.expand_dims(tf.reduce_mean(net, [1, 2]), 1), 1)
        net = tf.nn.relu(net - mean)
    net = tf.reduce_sum(net, [1, 2]) * 0.01 + tf.reduce_max(net, [1, 2])
    return [tf.nn.softmax(slim.fully_connected(net, 9, activation_fn=None, scope="logits"), name="output")]


@case([38, 31], [-1, 1])
def rarer():
    """What feature visualization meets seldom; each part stands in a scope of its own, from the same first layer."""
    net = placeholder([38, 31])
    net = slim.conv2d(net, 8, 3, stride=2, activation_fn=None, scope="conv1")
    outputs = []
    with tf.name_scope("functions"):
        parts = [tf.nn.selu(net), tf.nn.softsign(net), tf.abs(net), tf.square(net)]
        parts += [tf.exp(-tf.abs(net)), tf.negative(net)]
        parts += [tf.sqrt(tf.square(net) + 1.0), tf.log(tf.nn.relu(net) + 1.0), tf.clip_by_value(net, -0.5, 0.75)]
        parts += [tf.pow(tf.abs(net) + 0.1, 1.5), tf.squared_difference(net, 1.0), tf.sin(net), tf.erf(net)]
        outputs.append(tf.add_n(parts))
    with tf.name_scope("nearest"):
        outputs.append(tf.image.resize_nearest_neighbor(net, [30, 25]))
        outputs.append(tf.image.resize_nearest_neighbor(net, tf.shape(net)[1:3] * tf.constant([2, 2])))
    with tf.name_scope("mirror"):
        outputs.append(tf.pad(net, [[0, 0], [1, 2], [2, 1], [0, 0]], "REFLECT"))
        outputs.append(tf.pad(net, [[0, 0], [1, 2], [2, 1], [0, 0]], "SYMMETRIC"))
        outputs.append(tf.pad(net, [[0, 0], [1, 0], [0, 1], [0, 0]], constant_values=0.5))
    with tf.name_scope("depth"):
        outputs.append(tf.space_to_depth(net[:, :18, :], 2))
        outputs.append(tf.depth_to_space(net, 2))
    with tf.variable_scope("transposed"):
        kernel = tf.get_variable("weights", [3, 3, 5, 8])
        outputs.append(tf.nn.conv2d_transpose(net, kernel, [1, 38, 32, 5], 2, "SAME"))
    with tf.name_scope("parts"):
        a, b = tf.split(net, [3, 5], axis=3)
        outputs += [a, b, tf.gather(net, [5, 0, 2], axis=3), tf.tile(a, [1, 1, 1, 2])]
    with tf.name_scope("maps"):
        outputs += [tf.nn.softmax(net), tf.nn.log_softmax(tf.reduce_mean(net, [1, 2])), tf.nn.l2_normalize(net, 3)]
    total = tf.add_n([tf.reduce_mean(output) for output in outputs], name="output")
    return [tf.reshape(total, [1, 1])]


@case([36, 41], [-1, 1])
def unsupported():
    """Good layers, then one that sorts, and more behind it."""
    net = placeholder([36, 41])
    net = slim.conv2d(net, 8, 5, stride=2, scope="conv1")
    good = slim.conv2d(net, 10, 3, scope="conv2")
    values, _ = tf.nn.top_k(good, 4, name="sorted")
    net = slim.conv2d(values, 6, 3, scope="conv3")
    net = tf.reduce_mean(net, [1, 2])
    return [good, tf.nn.softmax(slim.fully_connected(net, 5, activation_fn=None, scope="fc"), name="output")]


def as_lucid_saves(input_name, image_shape, image_value_range):
    """What Lucid's `Model.save` does after freezing: no Identity left, and a Const with JSON that nothing reads."""

    def save(graph):
        output = graph.node[-1].name
        graph.CopyFrom(tf.graph_util.remove_training_nodes(graph, protected_nodes=[input_name, output]))
        metadata = {"input_name": input_name, "image_shape": image_shape, "image_value_range": image_value_range}
        with tf.Graph().as_default() as other:
            tf.constant(json.dumps(metadata), name="lucid_metadata_json")
            graph.node.extend(other.as_graph_def().node)

    return save


def small(net):
    net = slim.conv2d(net, 8, 5, stride=2, scope="conv1")
    net = slim.max_pool2d(net, 3, padding="SAME", scope="pool1")
    net = slim.conv2d(net, 10, 3, scope="conv2")
    net = tf.reduce_mean(net, [1, 2])
    return [tf.nn.softmax(slim.fully_connected(net, 7, activation_fn=None, scope="logits"), name="probabilities")]


@case([38, 35], [-117, 138], edits=[as_lucid_saves("input_image", [38, 35, 3], [-117, 138])])
def lucid_metadata():
    """A graph that Lucid's `Model.save` wrote: it says itself what it is fed."""
    return small(placeholder([38, 35], name="input_image", batch=1) * (1 / 128))


@case([38, 35], [0, 1], edits=[as_lucid_saves("truediv", [38, 35, 3], [0, 1])], input="truediv")
def lucid_metadata_bytes():
    """The same of a graph that reads bytes: what Lucid feeds is the division behind its placeholder."""
    pixels = tf.placeholder(tf.uint8, [None, None, None, 3], name="image_bytes")
    return small(tf.cast(pixels, tf.float32) / 255)


CLIP_STATISTICS = {}


@case([48, 40], [0, 255])
def clip_resnet():
    """In the way of Lucid's Clip_ResNet50_4x: batch norm of reshaped statistics, average pools, attention."""
    net = placeholder([48, 40], name="input_image")
    mean, deviation = [122.77, 116.75, 104.09], [68.5, 66.63, 70.32]
    net = (net - tf.constant(mean)) / tf.constant(deviation)

    def norm(net, name):
        depth = int(net.shape[3])
        with tf.variable_scope(name):
            g, b = tf.get_variable("g", [depth]), tf.get_variable("b", [depth])
        with tf.name_scope(None):
            statistics = [tf.Variable(tf.zeros([depth])) for _ in range(2)]
        for variable, kind in zip(statistics, ["mean", "variance"]):
            CLIP_STATISTICS[variable.op.name] = f"{variable.op.name}/{kind}"
        g, b, mean, variance = [tf.reshape(x, [1, 1, 1, depth]) for x in [g, b, *statistics]]
        return (net - mean) * (tf.rsqrt(variance + 1e-5) * g) + b

    def conv(net, kernel, depth, name, stride=1):
        with tf.variable_scope(name):
            weights = tf.get_variable("w", [kernel, kernel, net.shape[3], depth])
            return tf.nn.conv2d(net, weights, stride, "SAME")

    def bottleneck(net, depth, stride):
        x = tf.nn.relu(norm(conv(net, 1, depth, "c1"), "bn1"))
        x = tf.nn.relu(norm(conv(x, 3, depth, "c2"), "bn2"))
        if stride > 1:
            x, net = [tf.nn.avg_pool(y, stride, stride, "VALID") for y in [x, net]]
        x = norm(conv(x, 1, 4 * depth, "c3"), "bn3")
        if net.shape[3] != x.shape[3]:
            net = norm(conv(net, 1, 4 * depth, "proj_c1"), "proj_bn1")
        return tf.nn.relu(net + x)

    with tf.variable_scope("image_block"):
        for i, (depth, stride) in enumerate([(6, 2), (6, 1), (8, 1)], start=1):
            net = tf.nn.relu(norm(conv(net, 3, depth, f"c{i}", stride), f"bn{i}"))
        net = tf.nn.avg_pool(net, 2, 2, "VALID")
    for name, depth, stride in [("image_block_1/0", 4, 1), ("image_block_1/1", 4, 1), ("image_block_2/0", 5, 2)]:
        with tf.variable_scope(name):
            net = bottleneck(net, depth, stride)
    good = net

    with tf.variable_scope("image_block/attn"):
        _, h, w, c = net.shape.as_list()
        tokens = tf.reshape(net, [-1, h * w, c])
        tokens = tf.concat([tf.reduce_mean(tokens, 1, keepdims=True), tokens], 1)
        tokens = tokens + 0.1 * tf.get_variable("position_embedding", [h * w + 1, c])

        def linear(x, name, outputs=c):
            with tf.variable_scope(name):
                w, b = tf.get_variable("w", [1, c, outputs]), tf.get_variable("b", [outputs])
                flat = tf.matmul(tf.reshape(x, [-1, c]), tf.reshape(w, [-1, outputs])) + b
                return tf.reshape(flat, tf.stack([tf.shape(x)[0], int(x.shape[1]), outputs]))

        heads = 4
        q, k, v = [
            tf.transpose(tf.reshape(linear(x, name), [-1, int(x.shape[1]), heads, c // heads]), [0, 2, 1, 3])
            for x, name in [(tokens[:, :1], "q"), (tokens, "k"), (tokens, "v")]
        ]
        weights = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * (c // heads) ** -0.5)
        pooled = tf.reshape(tf.transpose(tf.matmul(weights, v), [0, 2, 1, 3]), [-1, 1, c])
        return [good, tf.squeeze(linear(pooled, "proj", 12), 1, name="image_features")]


# What TensorFlow computes


def depends_on(graph, start):
    """Names of nodes whose values depend on this one's, in the graph's order. A shape does not."""
    found = {start}
    by_name = {node.name: node for node in graph.node}
    order = []

    def visit(name):
        stack = [(name, iter(by_name[name].input))]
        seen.add(name)
        while stack:
            current, inputs = stack[-1]
            for tensor in inputs:
                parent = tensor.lstrip("^").split(":")[0]
                if parent not in seen:
                    seen.add(parent)
                    stack.append((parent, iter(by_name[parent].input)))
                    break
            else:
                order.append(current)
                stack.pop()

    seen = set()
    for node in graph.node:
        if node.name not in seen:
            visit(node.name)
    for name in order:
        node = by_name[name]
        parents = {tensor.split(":")[0] for tensor in node.input if not tensor.startswith("^")}
        if parents & found and node.op not in ["Shape", "Size", "Rank", "ShapeN"]:
            found.add(name)
    return [name for name in order if name in found]


def samples(values, count):
    flat = values.reshape(-1)
    count = min(count, len(flat))
    return flat[[k * (len(flat) - 1) // max(count - 1, 1) for k in range(count)]]


def root_mean_square(values):
    return np.array([np.sqrt(np.mean(np.square(values.astype(np.float64))))], np.float32)


def evaluate(graph, name):
    """Every value that depends on the image, and the gradient of `sum(output * u("gradient"))`."""
    this = CASES[name]
    (h, w), (low, high) = this.size, this.range
    # Every node as it stands: nothing folded, nothing fused.
    config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = -1
    with tf.Graph().as_default() as imported, tf.Session(config=config) as session:
        # In a scope of its own, so that no name of the graph is taken.
        with tf.name_scope("of_the_test/"):
            pixels = tf.placeholder(tf.float32, [1, h, w, 3], name="pixels")
            fed = (pixels[..., ::-1] if this.bgr else pixels) * (high - low) + low
            feeds = {this.input + ":0": fed} | {key + ":0": tf.constant(value) for key, value in this.feed.items()}
        tf.import_graph_def(graph, feeds, name="")
        tensors = {this.input: fed}
        for node in depends_on(graph, this.input)[1:]:
            for i, tensor in enumerate(imported.get_operation_by_name(node).outputs):
                if tensor.dtype == tf.float32 and (i == 0 or tensor.consumers()):
                    tensors[node if i == 0 else f"{node}:{i}"] = tensor
        output = tensors[this.output]
        values = session.run(tensors, {pixels: image(this.size)})
        weights = u("gradient", values[this.output].shape)
        (gradient,) = tf.gradients(tf.reduce_sum(output * weights), pixels)
        return values, session.run(gradient, {pixels: image(this.size)})


Frozen = collections.namedtuple("Frozen", Case._fields + ("output",))


def make(name):
    this = CASES[name]
    tf.reset_default_graph()
    CLIP_STATISTICS.clear()
    outputs = [tensor.op.name for tensor in this.build()]
    graph = freeze(outputs, CLIP_STATISTICS)
    for edit in this.edits:
        edit(graph)
    (fed,) = [node.name for node in graph.node if node.op == "Placeholder"]
    CASES[name] = Frozen(*this._replace(input=this.input or fed), outputs[0])
    return graph


def report(name, graph):
    """What the case is, and its numbers, as they are stored."""
    values, gradient = evaluate(graph, name)
    this = CASES[name]
    ops = {node.name: node.op for node in graph.node}
    tensors = {"gradient": samples(gradient, GRADIENT_SAMPLES), "gradient_scale": root_mean_square(gradient)}
    for node, value in values.items():
        assert np.isfinite(value).all(), node
        tensors["node/" + node] = samples(value, SAMPLES)
        tensors["scale/" + node] = root_mean_square(value)
    nodes = [[node, ops[node.split(":")[0]], list(value.shape)] for node, value in values.items()]
    described = {
        "input": this.input,
        "size": this.size,
        "range": this.range,
        "bgr": this.bgr,
        "feed": this.feed,
        "output": this.output,
        "version": tensorflow_2.__version__,
        "nodes": nodes,
    }
    return described, {key: np.ascontiguousarray(value, np.float32) for key, value in tensors.items()}


def compare(name, tensors):
    """The largest differences from what is stored, relative to each node's scale."""
    stored = load_file(FOLDER / f"{name}.safetensors")

    def difference(key, scale):
        return float(np.abs(stored[key] - tensors[key]).max() / stored[scale][0])

    nodes = max((difference(key, "scale" + key[4:]), key) for key in stored if key.startswith("node/"))
    print(f"{name}: {nodes[0]:.1e} in {nodes[1]}, gradient {difference('gradient', 'gradient_scale'):.1e}")


def main():
    names = [argument for argument in sys.argv[1:] if not argument.startswith("--")] or list(CASES)
    FOLDER.mkdir(exist_ok=True)
    for name in names:
        graph = make(name)
        # Before it is imported: that adds to the graph what it lacks.
        frozen = graph.SerializeToString(deterministic=True)
        described, tensors = report(name, graph)
        if "--compare" in sys.argv:
            compare(name, tensors)
            continue
        path = FOLDER / f"{name}.pb"
        path.write_bytes(frozen)
        metadata = {"case": json.dumps(described, separators=(",", ":"))}
        save_file(tensors, path.with_suffix(".safetensors"), metadata)
        sizes = [path.stat().st_size, path.with_suffix(".safetensors").stat().st_size]
        scales = [float(tensors["scale/" + node[0]][0]) for node in described["nodes"]]
        print(f"{name}: {sizes} bytes, {len(scales)} nodes, scales {min(scales):.1e}..{max(scales):.1e},", end=" ")
        print(f"gradient {tensors['gradient_scale'][0]:.1e}, {sorted({node.op for node in graph.node})}")


if __name__ == "__main__":
    main()
