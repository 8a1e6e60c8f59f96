"""Random cases that TensorFlow Lite defines, and the outputs of its reference kernels for them.

A network's weights, biases, channel scales and inputs are hashes of its seed, so that a case fits in one line of text.
`cases.rs` draws the same numbers.
"""

import ctypes
import ctypes.util
from dataclasses import dataclass, field

import numpy as np

from model import FUSED, Model

f32 = np.float32
LIMIT = 1 << 31
OUTPUTS = {"tanh": (f32(1 / 128), 0), "sigmoid": (f32(1 / 256), -128)}
CODES = np.arange(-128, 128)


def codes_to_text(codes):
    """Two hexadecimal digits per code."""
    return np.asarray(codes, np.int8).tobytes().hex()


def numbers_to_text(numbers):
    return " ".join(str(number) for number in numbers)


def hashes(seed, stream, count):
    """`count` numbers of 32 bits: a counter hashed by the finalizer of MurmurHash3."""

    def mix(x):
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        return x ^ (x >> np.uint32(16))

    with np.errstate(over="ignore"):
        start = mix(np.uint32(seed) + mix(np.uint32(stream) + np.uint32(1)))
        return mix(start + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9))


def scale(rng, low, high):
    """A scale between 2**low and 2**high, as f32."""
    return f32(2.0 ** rng.uniform(low, high))


def zero(rng):
    """A zero point; one in three is at an end of the range."""
    return int(rng.choice([-128, 127, *rng.integers(-128, 128, 4)]))


def width(rng):
    """A width of 1 to 257, small ones more often; one in ten is larger."""
    if rng.random() < 0.1:
        return int(rng.integers(511, 1026))
    return int(257 ** rng.random())


@dataclass
class Network:
    """Dense layers, each followed by the activation."""

    widths: list
    seed: int
    fill: str
    bias_bits: int
    activation: str
    channels: str
    # Of the input, then of every operator's output.
    scales: list = field(default_factory=list)
    zeros: list = field(default_factory=list)
    weight_scales: list = field(default_factory=list)

    HEADER = "widths,seed,fill,bias_bits,activation,channels,scales,zeros,weight_scales,outputs"

    def text(self, outputs):
        lists = [numbers_to_text(numbers) for numbers in (self.scales, self.zeros, self.weight_scales)]
        start = [numbers_to_text(self.widths), self.seed, self.fill, self.bias_bits, self.activation, self.channels]
        return ",".join(map(str, [*start, *lists, codes_to_text(outputs)]))

    def layer(self, index):
        """Weights (O, I), biases (O) and channel scales, (O) or (1), before they are multiplied by `weight_scales`."""
        inputs, outputs = self.widths[index : index + 2]
        drawn = hashes(self.seed, 3 * index, inputs * outputs)
        weights = {
            "uniform": lambda: np.maximum(drawn.astype(np.int8), -127),
            "corners": lambda: np.where(drawn & 1 == 1, 127, -127),
            "lowest": lambda: np.full(drawn.shape, 127),
            "sparse": lambda: drawn % 3 - 1.0,
        }[self.fill]()
        bias = hashes(self.seed, 3 * index + 1, outputs).astype(np.int32)
        bias = bias >> (32 - self.bias_bits) if self.bias_bits > 0 else bias * 0
        channels = outputs if self.channels == "per-channel" else 1
        factors = 1 + (hashes(self.seed, 3 * index + 2, channels) >> 9).astype(f32) / f32(1 << 23)
        return weights.astype(np.int8).reshape(outputs, inputs), bias, factors

    def input(self):
        drawn = hashes(self.seed, 3 * len(self.widths), self.widths[0])
        return {
            "uniform": lambda: drawn.astype(np.int8),
            "corners": lambda: np.where(drawn & 1 == 1, 127, -128),
            "lowest": lambda: np.full(drawn.shape, -128),
            "sparse": lambda: np.clip(self.zeros[0] + (drawn % 3 - 1.0), -128, 127),
        }[self.fill]().astype(np.int8)

    def outputs(self):
        """TensorFlow Lite's outputs."""
        stages = iter(zip(self.scales, self.zeros))
        model = Model(self.widths[0], *next(stages))
        for index, weight_scale in enumerate(self.weight_scales):
            weights, bias, factors = self.layer(index)
            fused = self.activation if self.activation in FUSED else "identity"
            model.dense(weights, bias, factors * weight_scale, *next(stages), fused)
            if self.activation not in FUSED:
                model.table(self.activation, *next(stages), f32(0.01))
        return model.run(self.input())


def network(rng):
    """Draws until TensorFlow Lite defines the case: no overflow for any input, and no dependence on the C library."""
    while True:
        widths = [width(rng) for _ in range(rng.integers(2, 5))]
        case = Network(
            widths,
            int(rng.integers(1 << 32)),
            str(rng.choice(["uniform", "uniform", "uniform", "corners", "lowest", "sparse"])),
            int(rng.choice([*rng.integers(0, 17, 3), rng.integers(0, 31)])),
            str(rng.choice(["identity", "relu", "relu6", "tanh", "sigmoid", "leaky-relu"])),
            str(rng.choice(["per-channel", "per-layer"])),
        )
        case.scales.append(scale(rng, -12, 2))
        case.zeros.append(zero(rng))
        if all(add_layer(rng, case, index) for index in range(len(widths) - 1)):
            return case


def add_layer(rng, case, index):
    """Draws the scales and zero points of a layer. Returns true if TensorFlow Lite defines its outputs."""
    input_scale, input_zero = case.scales[-1], case.zeros[-1]
    weights, bias, factors = case.layer(index)
    magnitude = np.abs(weights.astype(np.int64)).sum(1)
    largest = int((magnitude * (128 + abs(input_zero)) + np.abs(bias.astype(np.int64))).max())
    # Typical size of a sum, as opposed to the largest possible one.
    usual = 1 + np.sqrt((weights.astype(np.float64) ** 2).sum(1)).mean() * 90 + np.abs(bias).mean()
    output_scale, output_zero = scale(rng, -10, 2), zero(rng)
    if case.activation in OUTPUTS:
        output_scale = scale(rng, -9, -2)
    # Typical output in codes; one in ten cases has an extreme shift.
    reach = 2.0 ** (rng.uniform(3, 9) if rng.random() < 0.9 else rng.uniform(-16, 30))
    weight_scale = f32(output_scale * reach / (usual * input_scale))
    smallest = f32(input_scale * weight_scale)
    if not (np.finfo(f32).tiny < weight_scale < 1e30 and np.finfo(f32).tiny < smallest < 1e30):
        return False
    real = float(input_scale) * float(weight_scale * factors.max()) / float(output_scale)
    # The left shift, the product and the zero point stay within an i32. With a larger factor, the kernel rejects the bias
    # scale, which is f32, as too far from the product.
    if largest * max(1.0, 2 * real) >= LIMIT - 1024 or real >= 1 << 18:
        return False
    case.weight_scales.append(weight_scale)
    case.scales.append(output_scale)
    case.zeros.append(output_zero)
    if case.activation not in FUSED:
        after = OUTPUTS.get(case.activation) or (output_scale * scale(rng, -3, 3), zero(rng))
        if hangs_on_the_library(case.activation, output_scale, output_zero):
            return False
        case.scales.append(after[0])
        case.zeros.append(after[1])
    return True


@dataclass
class Table:
    """The outputs for all codes."""

    function: str
    slope: np.float32
    scales: list
    zeros: list

    HEADER = "function,slope,scales,zeros,outputs"

    def text(self, outputs):
        lists = [numbers_to_text(numbers) for numbers in (self.scales, self.zeros)]
        return ",".join([self.function, str(self.slope), *lists, codes_to_text(outputs)])

    def outputs(self):
        model = Model(256, self.scales[0], self.zeros[0])
        model.table(self.function, self.scales[1], self.zeros[1], self.slope)
        return model.run(CODES)


def table(rng):
    function = str(rng.choice(["tanh", "sigmoid", "leaky-relu"]))
    slope = f32(rng.choice([0.0, 0.01, 0.1, 0.25, 1.0, rng.random()]))
    while True:
        scales, zeros = [scale(rng, -14, 4), scale(rng, -14, 4)], [zero(rng), zero(rng)]
        if function in OUTPUTS:
            scales[1], zeros[1] = OUTPUTS[function]
        if not hangs_on_the_library(function, scales[0], zeros[0]):
            return Table(function, slope, scales, zeros)


@dataclass
class Softmax:
    """A row of logits, converted to probabilities."""

    scale: np.float32
    logits: np.ndarray

    HEADER = "scale,logits,outputs"

    def text(self, outputs):
        return ",".join([str(self.scale), codes_to_text(self.logits), codes_to_text(outputs)])

    def outputs(self):
        model = Model(len(self.logits), self.scale, 0)
        model.softmax()
        return model.run(self.logits)


def softmax(rng):
    classes = int(rng.choice([*range(1, 13), 16, 17, 31, 64, 100, 257, 511]))
    low, high = sorted(rng.integers(-128, 128, 2))
    logits = rng.integers(low, high + 1, classes)
    return Softmax(scale(rng, *rng.choice([(-9, 1), (-25, 9)])), logits)


libm = ctypes.CDLL(ctypes.util.find_library("m"))
for name in ("tanhf", "expf"):
    getattr(libm, name).argtypes, getattr(libm, name).restype = [ctypes.c_float], ctypes.c_float


def hangs_on_the_library(function, scale, zero):
    """Returns true if a code of the table depends on the last bit of the C library's tanhf or expf."""

    def codes(values):
        steps = np.asarray(values, f32).astype(np.float64) / OUTPUTS[function][0]
        return np.copysign(np.floor(np.abs(steps) + 0.5), steps)

    z = scale * (CODES - zero).astype(f32)
    with np.errstate(over="ignore"):
        if function == "tanh":
            return (codes([libm.tanhf(x) for x in z]) != codes(np.tanh(z.astype(np.float64)))).any()
        if function == "sigmoid":
            e = [np.array([libm.expf(-x) for x in z], f32), np.exp(-z.astype(np.float64)).astype(f32)]
            return (codes(1 / (1 + e[0])) != codes(1 / (1 + e[1]))).any()
    return False
