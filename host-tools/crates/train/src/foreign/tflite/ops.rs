//! Operators of TensorFlow Lite.

use super::schema::{Kind, Model, Operator};
use crate::foreign::graph::{Arithmetic, Axis, Function, Graph, Input, Node, Op};
use crate::foreign::lower::leaky;
use crate::foreign::tensor::{Number, Tensor};
use crate::network::{Activation, Curve};

/// Returns the graph of a model, whose codes are real numbers.
pub(super) fn graph(model: &Model<'_>, notes: Vec<String>) -> Result<Graph, String> {
    let mut builder = Builder { model, graph: Graph { notes, ..Graph::default() } };
    builder.constants()?;
    for operator in &model.operators {
        builder.operator(operator)?;
    }
    for &index in &model.inputs {
        let tensor = &model.tensors[index];
        let dims = match tensor.shape.as_slice() {
            [_, rest @ ..] if !rest.is_empty() => rest.to_vec(),
            shape => shape.to_vec(),
        };
        builder.graph.inputs.push(Input { name: tensor.name.clone(), dims, double: false });
    }
    builder.graph.outputs = model.outputs.iter().map(|&index| model.tensors[index].name.clone()).collect();
    Ok(builder.graph)
}

struct Builder<'a> {
    model: &'a Model<'a>,
    graph: Graph,
}

impl Builder<'_> {
    fn constants(&mut self) -> Result<(), String> {
        let (mut halves, mut codes) = (false, false);
        for tensor in self.model.tensors.iter().filter(|tensor| !tensor.bytes.is_empty()) {
            // Constants of operators that are refused may have any type.
            let Ok(constant) = tensor.constant() else {
                if matches!(tensor.kind, Kind::Other(_)) {
                    continue;
                }
                return tensor.constant().map(|_| ());
            };
            halves |= matches!(tensor.kind, Kind::Float16 | Kind::BFloat16);
            codes |= matches!(tensor.kind, Kind::Int8 | Kind::UInt8) && !tensor.scales.is_empty();
            self.graph.constants.insert(tensor.name.clone(), constant);
        }
        if halves {
            self.graph.notes.push("weights of 16 bits became f32".into());
        }
        if codes && self.graph.notes.is_empty() {
            let note = "int8 weights became f32; the original also rounds the values between layers to 8 bits, row by row, so its \
                        outputs are near, not equal";
            self.graph.notes.push(note.into());
        }
        Ok(())
    }

    /// Adds a node between named values.
    fn add(&mut self, operator: &Operator<'_>, op: Op, inputs: Vec<String>, output: String) {
        let name = operator.outputs.first().map_or(String::new(), |&index| self.model.name(index));
        self.graph.nodes.push(Node { name, kind: operator.kind.clone(), op, inputs, outputs: vec![output] });
    }

    fn operator(&mut self, operator: &Operator<'_>) -> Result<(), String> {
        let mut inputs: Vec<String> = operator.inputs.iter().map(|&index| self.model.name(index)).collect();
        let output = operator.outputs.first().map_or(String::new(), |&index| self.model.name(index));
        let byte = |field| operator.options.map_or(Ok(0), |options| options.byte(field));
        match operator.kind.as_str() {
            "STRIDED_SLICE" => return self.strided(operator, inputs, output),
            "PACK" => {
                let mut parts = Vec::new();
                for (index, input) in inputs.into_iter().enumerate() {
                    let part = format!("{output}#{index}");
                    self.add(operator, Op::Unsqueeze(Some(vec![0])), vec![input], part.clone());
                    parts.push(part);
                }
                self.add(operator, Op::Concat(0), parts, output);
                return Ok(());
            }
            "SOFTMAX" => {
                let beta = operator.options.map_or(Ok(1.0), |options| options.float(0))?;
                if beta != 1.0 {
                    let scaled = format!("{output}#beta");
                    let op = Op::Affine { scale: vec![beta.into()], offset: vec![0.0], axis: -1 };
                    self.add(operator, op, inputs, scaled.clone());
                    inputs = vec![scaled];
                }
            }
            _ => {}
        }
        let (op, fused) = match operator.kind.as_str() {
            "CAST" => (self.cast(operator), None),
            _ => op(operator)?,
        };
        let fused = fused.map_or(Ok(0), byte)?;
        let Some(activation) = fused_activation(fused) else {
            self.add(operator, op, inputs, output);
            return Ok(());
        };
        let sum = format!("{output}#sum");
        self.add(operator, op, inputs, sum.clone());
        self.add(operator, activation, vec![sum], output);
        Ok(())
    }

    fn cast(&self, operator: &Operator<'_>) -> Op {
        let output = operator.outputs.first().and_then(|&index| usize::try_from(index).ok());
        match output.and_then(|index| self.model.tensors.get(index)).map(|tensor| tensor.kind) {
            Some(Kind::Float32 | Kind::Float16 | Kind::BFloat16 | Kind::Float64) => Op::Cast(Number::Float),
            _ => Op::Cast(Number::Integer),
        }
    }

    /// A slice of the lengths of a tensor.
    fn strided(
        &mut self,
        operator: &Operator<'_>,
        inputs: Vec<String>,
        output: String,
    ) -> Result<(), String> {
        let mut masks = [0; 5];
        for (field, mask) in masks.iter_mut().enumerate() {
            *mask = operator.options.map_or(Ok(0), |options| options.int(field))?;
        }
        let constant = |index: usize| {
            let tensor = self.graph.constants.get(inputs.get(index)?)?;
            tensor.integers().filter(|values| values.len() == 1)?.first().copied()
        };
        let op = match (constant(1), constant(2), constant(3), masks) {
            (Some(start), Some(_), Some(1), [0, 0, 0, 0, 1]) => {
                let index = format!("{output}#index");
                self.graph.constants.insert(index.clone(), Tensor::scalar(start as f64, Number::Integer));
                self.add(operator, Op::Gather(0), vec![inputs[0].clone(), index], output);
                return Ok(());
            }
            (Some(start), Some(end), Some(1), [first, last, 0, 0, 0]) => {
                let start = if first & 1 == 1 { 0 } else { start };
                let end = if last & 1 == 1 { i64::from(i32::MAX) } else { end };
                Op::Slice(Some([vec![start], vec![end], vec![0]]))
            }
            _ => Op::Unsupported(String::new()),
        };
        self.add(operator, op, inputs.into_iter().take(1).collect(), output);
        Ok(())
    }
}

/// Returns an operator, and the field of its options that holds a fused activation.
fn op(operator: &Operator<'_>) -> Result<(Op, Option<usize>), String> {
    let byte = |field| operator.options.map_or(Ok(0), |options| options.byte(field));
    let int = |field| operator.options.map_or(Ok(0), |options| options.int(field));
    let float = |field| operator.options.map_or(Ok(0.0), |options| options.float(field));
    let fused = |op| Ok((op, Some(0)));
    let op = match operator.kind.as_str() {
        "FULLY_CONNECTED" if byte(1)? != 0 => Op::Unsupported("of shuffled weights".into()),
        "FULLY_CONNECTED" => return fused(Op::Dense { by_output: true, flatten: byte(2)? == 0 }),
        "ADD" => return fused(Op::Arithmetic(Arithmetic::Add)),
        "SUB" => return fused(Op::Arithmetic(Arithmetic::Sub)),
        "MUL" => return fused(Op::Arithmetic(Arithmetic::Mul)),
        "DIV" => return fused(Op::Arithmetic(Arithmetic::Div)),
        "CONCATENATION" => return Ok((Op::Concat(int(0)?.into()), Some(1))),
        "BATCH_MATMUL" if byte(0)? == 0 => Op::Dense { by_output: byte(1)? != 0, flatten: false },
        "POW" => Op::Arithmetic(Arithmetic::Pow),
        "MAXIMUM" => Op::Arithmetic(Arithmetic::Max),
        "MINIMUM" => Op::Arithmetic(Arithmetic::Min),
        "NEG" => Op::Function(Function::Neg),
        "ABS" => Op::Function(Function::Abs),
        "EXP" => Op::Function(Function::Exp),
        "LOG" => Op::Function(Function::Log),
        "SQRT" => Op::Function(Function::Sqrt),
        "RELU" => Op::Activation(Activation::Relu),
        "RELU6" => Op::Activation(Activation::Relu6),
        "RELU_N1_TO_1" => Op::Clip { lowest: Some(-1.0), highest: Some(1.0) },
        "RELU_0_TO_1" => Op::Clip { lowest: Some(0.0), highest: Some(1.0) },
        "TANH" => Op::Activation(Activation::Tanh),
        "LOGISTIC" => Op::Activation(Activation::Sigmoid),
        "LEAKY_RELU" => Op::Activation(leaky(f64::from(float(0)?))),
        "PRELU" => Op::Prelu,
        "ELU" => Op::Activation(Activation::Curve(Curve::Elu(1.0))),
        "HARD_SWISH" => Op::Activation(Activation::Curve(Curve::HardSwish)),
        "GELU" if byte(0)? != 0 => Op::Activation(Activation::Curve(Curve::GeluTanh)),
        "GELU" => Op::Activation(Activation::Curve(Curve::Gelu)),
        "SOFTMAX" => Op::Softmax(Axis::One(-1)),
        "LOG_SOFTMAX" => Op::Softmax(Axis::One(-1)),
        "ARG_MAX" | "ARG_MIN" => Op::Labels,
        "DEQUANTIZE" | "QUANTIZE" => Op::Same,
        "RESHAPE" => Op::Reshape(given(operator, 0)?),
        "SQUEEZE" => Op::Squeeze(given(operator, 0)?),
        "EXPAND_DIMS" => Op::Unsqueeze(None),
        "TRANSPOSE" => Op::Transpose(None),
        "SHAPE" => Op::Shape,
        _ => Op::Unsupported(String::new()),
    };
    Ok((op, None))
}

/// Returns the numbers of an option, unless there are none or they are an input.
fn given(operator: &Operator<'_>, field: usize) -> Result<Option<Vec<i64>>, String> {
    if operator.inputs.len() > 1 {
        return Ok(None);
    }
    let numbers = operator.options.map_or(Ok(Vec::new()), |options| options.ints(field))?;
    Ok(Some(numbers.into_iter().map(i64::from).collect()).filter(|numbers: &Vec<i64>| !numbers.is_empty()))
}

/// Returns the activation that is a part of another operator.
fn fused_activation(code: i8) -> Option<Op> {
    match code {
        0 => None,
        1 => Some(Op::Activation(Activation::Relu)),
        2 => Some(Op::Clip { lowest: Some(-1.0), highest: Some(1.0) }),
        3 => Some(Op::Activation(Activation::Relu6)),
        4 => Some(Op::Activation(Activation::Tanh)),
        _ => Some(Op::Unsupported("with an unknown activation".into())),
    }
}
