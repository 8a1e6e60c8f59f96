"""Models of int8 activations in TensorFlow Lite's file format, run by its reference kernels."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

FUSED = {
    "identity": schema.ActivationFunctionType.NONE,
    "relu": schema.ActivationFunctionType.RELU,
    "relu6": schema.ActivationFunctionType.RELU6,
}
TABLES = {
    "tanh": (schema.BuiltinOperator.TANH, None, None),
    "sigmoid": (schema.BuiltinOperator.LOGISTIC, None, None),
    "leaky-relu": (
        schema.BuiltinOperator.LEAKY_RELU,
        schema.BuiltinOptions.LeakyReluOptions,
        schema.LeakyReluOptionsT,
    ),
}


class Model:
    """A chain of operators over one row of codes, input first."""

    def __init__(self, width, scale, zero):
        self.buffers = [schema.BufferT()]  # the format requires an empty first buffer
        self.tensors, self.operators, self.codes = [], [], []
        self.last = self._tensor([1, width], schema.TensorType.INT8, [scale], [zero])
        self.scale, self.width = scale, width

    def dense(self, weights, bias, weight_scales, scale, zero, activation):
        """FULLY_CONNECTED: int8 weights (O, I), biases (O) with scales s_in·s_w, and one or O `weight_scales`."""
        outputs, inputs = weights.shape
        nothing = [0] * len(weight_scales)
        w = self._tensor([outputs, inputs], schema.TensorType.INT8, weight_scales, nothing, weights)
        bias_scales = [np.float32(self.scale) * np.float32(s) for s in weight_scales]
        b = self._tensor([outputs], schema.TensorType.INT32, bias_scales, nothing, bias)
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = FUSED[activation]
        kind = schema.BuiltinOptions.FullyConnectedOptions
        self._operator(schema.BuiltinOperator.FULLY_CONNECTED, [w, b], outputs, scale, zero, kind, options)

    def table(self, function, scale, zero, slope=None):
        """TANH, LOGISTIC or LEAKY_RELU, element by element."""
        code, kind, options = TABLES[function]
        options = options and options()
        if options:
            options.alpha = slope
        self._operator(code, [], self.width, scale, zero, kind, options)

    def softmax(self):
        """SOFTMAX with β = 1; its output has the scale 1/256 and the zero point -128."""
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        kind = schema.BuiltinOptions.SoftmaxOptions
        self._operator(schema.BuiltinOperator.SOFTMAX, [], self.width, 1 / 256, -128, kind, options)

    def run(self, row):
        """The output codes of a row of input codes."""
        resolver = OpResolverType.BUILTIN_REF
        interpreter = Interpreter(model_content=self._bytes(), experimental_op_resolver_type=resolver, num_threads=1)
        interpreter.allocate_tensors()
        (x,), (y,) = interpreter.get_input_details(), interpreter.get_output_details()
        interpreter.set_tensor(x["index"], np.asarray(row, np.int8)[None])
        interpreter.invoke()
        return interpreter.get_tensor(y["index"])[0]

    def _operator(self, code, constants, width, scale, zero, kind, options):
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.codes)
        operator.inputs = [self.last, *constants]
        self.last = self._tensor([1, width], schema.TensorType.INT8, [scale], [zero])
        self.scale, self.width = scale, width
        operator.outputs = [self.last]
        operator.builtinOptionsType = kind or schema.BuiltinOptions.NONE
        operator.builtinOptions = options
        self.operators.append(operator)
        self.codes.append(schema.OperatorCodeT())
        self.codes[-1].builtinCode = code
        self.codes[-1].deprecatedBuiltinCode = code
        self.codes[-1].version = 1

    def _tensor(self, shape, kind, scales, zeros, data=None):
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = shape, kind, 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer)
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = [float(np.float32(s)) for s in scales]
        tensor.quantization.zeroPoint = zeros
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def _bytes(self):
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = [0], [self.last]
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers, model.operatorCodes = 3, [graph], self.buffers, self.codes
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())
