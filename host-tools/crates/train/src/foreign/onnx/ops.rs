//! Operators of ONNX.

use super::{Reader, proto, tensors};
use crate::foreign::graph::{Arithmetic, Axis, Function, Op};
use crate::foreign::lower::leaky;
use crate::foreign::tensor::{Number, Tensor};
use crate::network::{Activation, Curve};

impl Reader<'_> {
    /// Adds a node of the file.
    pub(super) fn node(&mut self, node: &proto::Node) -> Result<(), String> {
        match (node.domain.as_str(), node.kind.as_str()) {
            ("" | "ai.onnx", "Constant") => self.constant(node),
            ("" | "ai.onnx", "Sum" | "Max" | "Min") if node.inputs.len() > 2 => {
                self.several(node);
                Ok(())
            }
            ("" | "ai.onnx", _) => {
                let op = self.op(node);
                self.push(node, op);
                Ok(())
            }
            ("ai.onnx.ml", _) => {
                self.scaler_node(node);
                Ok(())
            }
            (domain, _) => {
                self.push(node, Op::Unsupported(format!("of the domain {domain:?}")));
                Ok(())
            }
        }
    }

    /// Adds an operation on several values, two at a time.
    fn several(&mut self, node: &proto::Node) {
        let operation = match node.kind.as_str() {
            "Max" => Arithmetic::Max,
            "Min" => Arithmetic::Min,
            _ => Arithmetic::Add,
        };
        let (output, count) = (node.outputs.first().cloned().unwrap_or_default(), node.inputs.len());
        let mut all = node.inputs[0].clone();
        for (index, input) in node.inputs.iter().enumerate().skip(1) {
            let to = if index + 1 == count { output.clone() } else { format!("{output}#{index}") };
            self.add(node, Op::Arithmetic(operation), vec![all, input.clone()], vec![to.clone()]);
            all = to;
        }
    }

    fn constant(&mut self, node: &proto::Node) -> Result<(), String> {
        let Some(name) = node.outputs.first() else { return Ok(()) };
        if let Some(stored) = node.tensor("value") {
            return self.store(name, stored);
        }
        let (tensor, kind) = if let Some(value) = node.float("value_float") {
            (Tensor::scalar(value, Number::Float), tensors::FLOAT)
        } else if let Some(values) = node.floats("value_floats") {
            (Tensor::vector(values.to_vec(), Number::Float), tensors::FLOAT)
        } else if let Some(value) = node.integer("value_int") {
            (Tensor::scalar(value as f64, Number::Integer), 7)
        } else if let Some(values) = node.integers("value_ints") {
            (Tensor::vector(values.iter().map(|&value| value as f64).collect(), Number::Integer), 7)
        } else {
            self.push(node, Op::Unsupported("of texts or sparse values".into()));
            return Ok(());
        };
        self.keep(name, tensor, kind);
        Ok(())
    }

    fn op(&self, node: &proto::Node) -> Op {
        let unsupported = |why: &str| Op::Unsupported(why.into());
        let pair = |operation| match node.inputs.len() {
            1 => Op::Same,
            2 => Op::Arithmetic(operation),
            _ => Op::Unsupported("of more than two values".into()),
        };
        match node.kind.as_str() {
            "Identity" | "Dropout" => Op::Same,
            "MatMul" => Op::Dense { by_output: false, flatten: false },
            "Gemm" if node.integer("transA").unwrap_or(0) != 0 => unsupported("with transA"),
            "Gemm" => Op::Gemm {
                alpha: node.float("alpha").unwrap_or(1.0),
                beta: node.float("beta").unwrap_or(1.0),
                by_output: node.integer("transB").unwrap_or(0) != 0,
            },
            "Add" | "Sum" => pair(Arithmetic::Add),
            "Sub" => pair(Arithmetic::Sub),
            "Mul" => pair(Arithmetic::Mul),
            "Div" => pair(Arithmetic::Div),
            "Pow" => pair(Arithmetic::Pow),
            "Max" => pair(Arithmetic::Max),
            "Min" => pair(Arithmetic::Min),
            "Neg" => Op::Function(Function::Neg),
            "Abs" => Op::Function(Function::Abs),
            "Exp" => Op::Function(Function::Exp),
            "Log" => Op::Function(Function::Log),
            "Sqrt" => Op::Function(Function::Sqrt),
            "Reciprocal" => Op::Function(Function::Reciprocal),
            "Erf" => Op::Function(Function::Erf),
            "BatchNormalization" if node.integer("training_mode").unwrap_or(0) != 0 => {
                unsupported("in training mode")
            }
            "BatchNormalization" => Op::BatchNorm { epsilon: node.float("epsilon").unwrap_or(1e-5), axis: 1 },
            "PRelu" => Op::Prelu,
            "Clip" => Op::Clip { lowest: node.float("min"), highest: node.float("max") },
            "Softmax" | "LogSoftmax" => {
                let axis = node.integer("axis");
                let axis = if self.opset < 13 {
                    Axis::From(axis.unwrap_or(1))
                } else {
                    Axis::One(axis.unwrap_or(-1))
                };
                Op::Softmax(axis)
            }
            "ArgMax" => Op::Labels,
            "QuantizeLinear" => {
                let zero = node.inputs.get(2).and_then(|name| self.kinds.get(name));
                match zero.copied().unwrap_or(node.integer("output_dtype").unwrap_or(tensors::UINT8)) {
                    tensors::UINT8 => Op::Quantize { lowest: 0.0, highest: 255.0 },
                    tensors::INT8 => Op::Quantize { lowest: -128.0, highest: 127.0 },
                    4 => Op::Quantize { lowest: 0.0, highest: 65535.0 },
                    5 => Op::Quantize { lowest: -32768.0, highest: 32767.0 },
                    _ => unsupported("to codes of another type than 8 or 16 bits"),
                }
            }
            "DequantizeLinear" if node.integer("block_size").unwrap_or(0) != 0 => unsupported("in blocks"),
            "DequantizeLinear" => Op::Dequantize(node.integer("axis").unwrap_or(1)),
            _ => self.shape_op(node).unwrap_or_else(|| activation(node)),
        }
    }

    /// Operators that change shapes and types; none for others.
    fn shape_op(&self, node: &proto::Node) -> Option<Op> {
        let list = |name: &str| node.integers(name).map(<[i64]>::to_vec);
        Some(match node.kind.as_str() {
            "Reshape" => Op::Reshape(list("shape")),
            "Flatten" => Op::Flatten(node.integer("axis").unwrap_or(1)),
            "Squeeze" => Op::Squeeze(list("axes")),
            "Unsqueeze" => Op::Unsqueeze(list("axes")),
            "Transpose" => Op::Transpose(list("perm")),
            "Concat" => Op::Concat(node.integer("axis").unwrap_or(1)),
            "Gather" => Op::Gather(node.integer("axis").unwrap_or(0)),
            "Slice" => {
                let given = list("starts").zip(list("ends"));
                Op::Slice(given.map(|(starts, ends)| {
                    let axes = list("axes").unwrap_or_else(|| (0..starts.len() as i64).collect());
                    [starts, ends, axes]
                }))
            }
            "Shape" if node.integer("start").unwrap_or(0) != 0 || node.integer("end").is_some() => {
                Op::Unsupported("of a part of the dimensions".into())
            }
            "Shape" => Op::Shape,
            "Cast" => Op::Cast(match node.integer("to") {
                Some(tensors::FLOAT | tensors::FLOAT16 | tensors::BFLOAT16) => Number::Float,
                Some(tensors::DOUBLE) => Number::Double,
                _ => Number::Integer,
            }),
            _ => return None,
        })
    }
}

/// Activations, and all that is not supported.
fn activation(node: &proto::Node) -> Op {
    let float = |name: &str, default: f64| node.float(name).unwrap_or(default);
    let is = |name: &str, default: f64| (float(name, default) - default).abs() < 1e-6;
    let curve = |curve| Op::Activation(Activation::Curve(curve));
    let other = |why: &str| Op::Unsupported(why.into());
    match node.kind.as_str() {
        "Relu" => Op::Activation(Activation::Relu),
        "Tanh" => Op::Activation(Activation::Tanh),
        "Sigmoid" => Op::Activation(Activation::Sigmoid),
        "LeakyRelu" => Op::Activation(leaky(float("alpha", 0.01))),
        "Elu" => curve(Curve::Elu(float("alpha", 1.0) as f32)),
        "Celu" if is("alpha", 1.0) => curve(Curve::Elu(1.0)),
        "Selu" if is("alpha", 1.673_263_2) && is("gamma", 1.050_701) => curve(Curve::Selu),
        "Selu" => other("of other constants"),
        "Gelu" if node.text("approximate") == Some("tanh") => curve(Curve::GeluTanh),
        "Gelu" => curve(Curve::Gelu),
        "Swish" if is("alpha", 1.0) => curve(Curve::Silu),
        "HardSwish" => curve(Curve::HardSwish),
        "HardSigmoid" => curve(Curve::HardSigmoid(float("alpha", 0.2) as f32, float("beta", 0.5) as f32)),
        "Softplus" => curve(Curve::Softplus),
        "Softsign" => curve(Curve::Softsign),
        "Mish" => curve(Curve::Mish),
        "Shrink" => match (float("lambd", 0.5) as f32, float("bias", 0.0) as f32) {
            (lambda, 0.0) => curve(Curve::HardShrink(lambda)),
            (lambda, bias) if lambda == bias => curve(Curve::SoftShrink(lambda)),
            _ => other("of other constants"),
        },
        "ThresholdedRelu" => curve(Curve::Threshold(float("alpha", 1.0) as f32)),
        "ReduceProd" => other("which multiplies features"),
        _ => Op::Unsupported(String::new()),
    }
}
