#!/usr/bin/env python3
"""Writes small models of other tools, and cases.json with rows and the outputs that each gives.

    pip install tensorflow tf_keras onnx onnxruntime skl2onnx scikit-learn safetensors
    python3 models.py
"""
import json
import pathlib
import warnings

import keras
import numpy as np
import onnx
import onnxruntime
import safetensors.numpy
import skl2onnx
import tensorflow as tf
import tf_keras
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).parent
RANDOM = np.random.default_rng(1)
X = (RANDOM.normal(size=(6, 4)) * [1, 2, 0.5, 3] + [0, 10, -2, 1]).astype(np.float32)
CASES = []


def case(name, outputs, meaning, x=X, tolerance=2e-5, **more):
    """Adds a case. `meaning`: probabilities, second (of two classes), logits or values."""
    rows = lambda values: [[float(v) for v in row] for row in np.asarray(values, np.float64).reshape(len(values), -1)]
    CASES.append(dict(file=name, meaning=meaning, tolerance=tolerance, inputs=rows(x), outputs=rows(outputs), **more))


def shake(model):
    """Gives all weights random values, also statistics."""
    for weight in model.weights:
        if "seed" in weight.name or "count" in weight.name:
            continue
        values = RANDOM.normal(size=weight.shape) * 0.6
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)


def of_keras():
    layers = keras.layers
    normalization = layers.Normalization()
    normalization.adapt(X)
    model = keras.Sequential([
        keras.Input((4,)), normalization, layers.Dense(6, use_bias=False), layers.BatchNormalization(), layers.LeakyReLU(),
        layers.Dropout(0.5), layers.Dense(5, activation="gelu"), layers.Dense(3, activation="softmax"),
    ])
    for weight in model.weights[3:]:
        if "seed" not in weight.name:
            values = RANDOM.normal(size=weight.shape) * 0.6
            weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    model.save(FOLDER / "sequential.keras")
    case("sequential.keras", model.predict(X, verbose=0), "probabilities")

    start = keras.Input((2, 2), name="raw")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(5, activation="hard_sigmoid"), layers.ReLU(6.0)], name="inner")
    end = layers.Dense(1, activation="sigmoid")(inner(layers.Rescaling(0.5, -1.0)(layers.Flatten()(start))))
    model = keras.Model(start, end)
    shake(model)
    for name in ["functional.keras", "functional.h5"]:
        model.save(FOLDER / name)
        case(name, model.predict(X.reshape(-1, 2, 2), verbose=0), "second")

    model = tf_keras.Sequential([
        tf_keras.layers.Dense(6, activation="hard_sigmoid", input_shape=(4,)), tf_keras.layers.BatchNormalization(scale=False),
        tf_keras.layers.LeakyReLU(), tf_keras.layers.Dense(2),
    ])
    shake(model)
    for name in ["keras2.h5", "keras2.keras"]:
        model.save(FOLDER / name)
        case(name, model.predict(X, verbose=0), "values")


def of_lite():
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((4,)), layers.Dense(6, activation="relu"), layers.Dense(5, activation="relu6"), layers.Dense(3),
    ])
    shake(model)
    calibration = lambda: ([X[k:k + 1]] for k in range(len(X)))

    def convert(name, meaning, tolerance=2e-5, set=lambda converter: None, model=model, **more):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        set(converter)
        data = converter.convert()
        (FOLDER / name).write_bytes(data)
        # The kernels of the reference, as on microcontrollers.
        resolver = tf.lite.experimental.OpResolverType.BUILTIN_REF
        interpreter = tf.lite.Interpreter(model_content=data, experimental_op_resolver_type=resolver)
        interpreter.allocate_tensors()
        start, end = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        outputs, inputs = [], []
        for row in X:
            scale, zero = start["quantization"]
            x = row if scale == 0 else np.clip(np.round(row / scale) + zero, *codes(start["dtype"]))
            interpreter.set_tensor(start["index"], x.astype(start["dtype"]).reshape(1, -1))
            interpreter.invoke()
            y = interpreter.get_tensor(end["index"])[0].astype(np.float64)
            inputs.append(row if scale == 0 else (x - zero) * scale)
            outputs.append(y if end["quantization"][0] == 0 else (y - end["quantization"][1]) * end["quantization"][0])
        case(name, outputs, meaning, x=np.array(inputs, np.float32), tolerance=tolerance, **more)

    codes = lambda dtype: (np.iinfo(dtype).min, np.iinfo(dtype).max)

    def half(converter):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]

    def full(kind, uint8=False):
        def set(converter):
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = calibration
            converter.target_spec.supported_ops = [kind]
            if uint8:
                converter.inference_input_type = converter.inference_output_type = tf.uint8
        return set

    eight = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
    sixteen = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    convert("float.tflite", "logits")
    convert("half.tflite", "logits", set=half, tolerance=1e-3)
    convert("int8.tflite", "values", set=full(eight), tolerance=1e-6, kind="int8")
    convert("uint8.tflite", "values", set=full(eight, True), tolerance=1e-6, kind="int8")
    convert("int16.tflite", "values", set=full(sixteen), tolerance=0.05, dequantize=True)
    curved = keras.Sequential([
        keras.Input((4,)), layers.Dense(6, activation="tanh"), layers.Dense(5), layers.LeakyReLU(0.2), layers.Dense(2),
    ])
    shake(curved)
    convert("curved.tflite", "values", set=full(eight), tolerance=1e-6, model=curved, kind="int8")
    binary = keras.Sequential([
        keras.Input((4,)), layers.Rescaling(0.1, -0.2), layers.Dense(6, activation="relu"), layers.Dense(1, activation="sigmoid"),
    ])
    shake(binary)
    convert("binary.tflite", "second", model=binary)
    convert("binary8.tflite", "second", set=full(eight), tolerance=0.003, model=binary, dequantize=True)


def of_sklearn():
    iris = load_iris()
    x, labels = iris.data.astype(np.float32), iris.target_names[iris.target]
    rows = x[::25]

    def convert(name, model, meaning, column=1, **options):
        data = skl2onnx.to_onnx(model, x[:1], options=options.pop("options", None), target_opset=18)
        (FOLDER / name).write_bytes(data.SerializeToString())
        outputs = onnxruntime.InferenceSession(data.SerializeToString()).run(None, {"X": rows})[-1]
        if isinstance(outputs, list):
            outputs = [list(row.values()) for row in outputs]
        case(name, outputs, meaning, x=rows, **options)

    seeded = dict(random_state=1, max_iter=200)
    names = [str(name) for name in iris.target_names]
    convert("labels.onnx", make_pipeline(StandardScaler(), PCA(3), MLPClassifier(hidden_layer_sizes=(6,), **seeded)).fit(x, labels), "probabilities", labels=names)
    two = iris.target > 0
    convert("two.onnx", make_pipeline(StandardScaler(), MLPClassifier(hidden_layer_sizes=(5,), activation="tanh", **seeded)).fit(x, two * 1), "probabilities", labels=["0", "1"], options={"zipmap": False})
    convert("linear.onnx", make_pipeline(StandardScaler(), LogisticRegression()).fit(x, two * 1), "probabilities", labels=["0", "1"], options={"zipmap": False})
    convert("values.onnx", make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(5,), activation="logistic", **seeded)).fit(x, x[:, 0] + x[:, 1]), "values", tolerance=1e-4)


def of_onnx():
    tensor = lambda name, values: numpy_helper.from_array(np.asarray(values, np.float32), name)
    normal = lambda *shape: RANDOM.normal(size=shape) * 0.5

    def write(name, nodes, initializers, meaning="values", opset=17, dims=(4,), **more):
        value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(nodes, "g", [value("x", ["N", *dims])], [value("y", None)], initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        (FOLDER / name).write_bytes(model.SerializeToString())
        x = X.reshape(len(X), *dims)
        outputs = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]
        case(name, outputs, meaning, **more)

    node = helper.make_node
    gelu = [
        node("Div", ["h", "root"], ["d"], "d"), node("Erf", ["d"], ["e"], "e"), node("Add", ["e", "one"], ["f"], "f"),
        node("Mul", ["h", "f"], ["g"], "g"), node("Mul", ["g", "half"], ["a"], "a"),
    ]
    batch = [tensor("scale", normal(6)), tensor("shift", normal(6)), tensor("mean", normal(6)), tensor("variance", np.abs(normal(6)) + 0.5)]
    write("gelu.onnx", [
        node("Sub", ["x", "m"], ["c"], "c"), node("Div", ["c", "s"], ["z"], "z"), node("Gemm", ["z", "w", "b"], ["h"], "h", transB=1),
        *gelu, node("BatchNormalization", ["a", "scale", "shift", "mean", "variance"], ["n"], "n"),
        node("MatMul", ["n", "v"], ["o"], "o"), node("Neg", ["o"], ["y"], "y"),
    ], [
        tensor("m", [0, 10, -2, 1]), tensor("s", [1, 2, 0.5, 3]), tensor("w", normal(6, 4)), tensor("b", normal(6)),
        tensor("root", 2 ** 0.5), tensor("one", 1), tensor("half", 0.5), *batch, tensor("v", normal(6, 3)),
    ])
    write("shapes.onnx", [
        node("Shape", ["x"], ["shape"], "shape"), node("Gather", ["shape", "zero"], ["rows"], "rows"),
        node("Unsqueeze", ["rows", "axis"], ["n"], "n"), node("Concat", ["n", "rest"], ["to"], "to", axis=0),
        node("Reshape", ["x", "to"], ["flat"], "flat"), node("MatMul", ["flat", "w"], ["h"], "h"), node("PRelu", ["h", "slopes"], ["p"], "p"),
        node("Gemm", ["p", "v"], ["o"], "o", alpha=0.5), node("Softmax", ["o"], ["y"], "y"),
    ], [
        numpy_helper.from_array(np.array(0), "zero"), numpy_helper.from_array(np.array([0]), "axis"),
        numpy_helper.from_array(np.array([-1]), "rest"), tensor("w", normal(4, 5)), tensor("slopes", [0.1, 0.2, 0, -0.3, 1]),
        tensor("v", normal(5, 3)),
    ], "probabilities", dims=(2, 2))
    write("branches.onnx", [
        node("Gemm", ["x", "w"], ["a"], "left"), node("Relu", ["a"], ["b"], "left_relu"), node("Gemm", ["x", "v"], ["c"], "right"),
        node("Add", ["b", "c"], ["y"], "join"),
    ], [tensor("w", normal(4, 3)), tensor("v", normal(4, 3))], refused="Add \"join\"")
    write("normalized.onnx", [
        node("Gemm", ["x", "w"], ["a"], "first"), node("LayerNormalization", ["a", "s"], ["b"], "norm"), node("Sin", ["b"], ["y"], "wave"),
    ], [tensor("w", normal(4, 3)), tensor("s", np.ones(3))], refused="LayerNormalization \"norm\", Sin \"wave\"")


def of_torch():
    weights = {f"net.{k}.{name}": RANDOM.normal(size=shape).astype(kind) * np.dtype(kind).type(0.5) for k, name, shape, kind in [
        (0, "weight", (6, 4), np.float32), (0, "bias", (6,), np.float32), (10, "weight", (3, 6), np.float16), (10, "bias", (3,), np.float16),
    ]}
    safetensors.numpy.save_file(weights, FOLDER / "sequential.safetensors")
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    hidden = np.maximum(X @ w["net.0.weight"].T + w["net.0.bias"], 0)
    case("sequential.safetensors", hidden @ w["net.10.weight"].T + w["net.10.bias"], "logits", activation="relu")


of_keras()
of_lite()
of_sklearn()
of_onnx()
of_torch()
(FOLDER / "cases.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in CASES) + "\n]\n")
