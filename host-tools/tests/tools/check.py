"""Runs exported models by the tools that they are for, and compares their outputs with the desktop's.

The folder holds, for each model, rows (NAME.rows.npy), expected outputs (NAME.expected.npy) and files of its formats. Prints a
line per file with the largest difference, relative to outputs above 1. Ends with 77 if a tool is missing.
"""

import json
import pathlib
import sys

LIMIT = 1e-5


def onnx(path, rows):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (features,) = session.get_inputs()
    kind = {"tensor(float)": np.float32, "tensor(double)": np.float64}[features.type]
    return session.run(None, {features.name: rows.astype(kind)})[0]


def tflite(path, rows):
    """By the reference kernels."""
    resolver = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model_path=str(path), experimental_op_resolver_type=resolver, num_threads=1)
    interpreter.allocate_tensors()
    (x,), (y,) = interpreter.get_input_details(), interpreter.get_output_details()
    outputs = []
    for row in rows.astype(np.float32):
        interpreter.set_tensor(x["index"], row[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(y["index"])[0])
    return np.array(outputs)


def sequential(path, rows):
    """By numpy, in f32. Missing values are put in first, as the documentation says."""
    with safe_open(path, "numpy") as file:
        network = json.loads(file.metadata()["sequential"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    functions = {
        "ReLU()": lambda z: np.maximum(z, 0),
        "ReLU6()": lambda z: np.clip(z, 0, 6),
        "LeakyReLU(0.01)": lambda z: np.where(z < 0, np.float32(0.01) * z, z),
        "Tanh()": np.tanh,
        "Sigmoid()": lambda z: 1 / (1 + np.exp(-z)),
        "Hardtanh(0, 1)": lambda z: np.clip(z, 0, 1),
        "Identity()": lambda z: z,
    }
    x = np.where(np.isfinite(rows), rows - np.array(network.get("origin", 0.0)), network["mean"]).astype(np.float32)
    for index, activation in enumerate([*network["activations"], "Identity()"]):
        weights, bias = tensors[f"{2 * index}.weight"], tensors[f"{2 * index}.bias"]
        assert weights.shape == (network["widths"][index + 1], network["widths"][index])
        x = functions[activation](x @ weights.T + bias)
    if "labels" in network:
        e = np.exp(x - x.max(1, keepdims=True))
        x = e / e.sum(1, keepdims=True)
    return x + np.array(network.get("target_origin", 0.0))


RUN = {".onnx": onnx, ".tflite": tflite, ".safetensors": sequential}


def main():
    folder, failed = pathlib.Path(sys.argv[1]), False
    for path in sorted(path for path in folder.iterdir() if path.suffix in RUN):
        rows = np.load(folder / f"{path.stem}.rows.npy")
        expected = np.load(folder / f"{path.stem}.expected.npy")
        found = RUN[path.suffix](path, rows)
        assert found.shape == expected.shape, (path.name, found.shape, expected.shape)
        difference = np.abs(found - expected) / np.maximum(1, np.abs(expected))
        largest = float(np.max(difference))
        failed |= not largest < LIMIT
        print(f"{path.name}: {len(rows)} rows, largest difference {largest:.2g}")
    return int(failed)


if __name__ == "__main__":
    try:
        import numpy as np
        import onnxruntime
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
        from safetensors import safe_open
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed")
        sys.exit(77)
    sys.exit(main())
