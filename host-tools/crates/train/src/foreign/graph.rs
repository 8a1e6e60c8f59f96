//! The small graph that every reader turns its file into.

use std::collections::HashMap;

use super::tensor::{Number, Tensor};
use crate::network::Activation;

/// A model of another tool: named values, which nodes compute from inputs and constants.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) inputs: Vec<Input>,
    pub(super) constants: HashMap<String, Tensor>,
    /// Nodes, each behind those that it depends on.
    pub(super) nodes: Vec<Node>,
    pub(super) outputs: Vec<String>,
    /// Labels of the classes, if the file has them.
    pub(super) labels: Option<Vec<String>>,
    /// Remarks of the reader.
    pub(super) notes: Vec<String>,
}

/// An input of a graph.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) name: String,
    /// Lengths of the dimensions without that of the batch.
    pub(super) dims: Vec<usize>,
    /// True for numbers of 64 bits.
    pub(super) double: bool,
}

/// A step of a computation.
#[derive(Debug)]
pub(super) struct Node {
    /// Name in the file, or that of its output.
    pub(super) name: String,
    /// Operator or layer, as the file calls it.
    pub(super) kind: String,
    pub(super) op: Op,
    /// Names of the inputs; empty for one that is left out.
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
}

/// Operation of a node. Inputs are those of the node, in order.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// The input itself: a node that does nothing to a prediction.
    Same,
    /// `x·w + b`, with weights of shape (inputs, outputs) or, if `by_output`, (outputs, inputs). Input and bias are optional to
    /// flatten and to add.
    Dense {
        by_output: bool,
        flatten: bool,
    },
    /// `alpha·x·w + beta·b`
    Gemm {
        alpha: f64,
        beta: f64,
        by_output: bool,
    },
    Arithmetic(Arithmetic),
    /// Inputs: x, scale, offset, mean, variance. Missing ones are 1 and 0.
    BatchNorm {
        epsilon: f64,
        axis: i64,
    },
    /// `x·scale + offset` with constants along an axis, or one for all.
    Affine {
        scale: Vec<f64>,
        offset: Vec<f64>,
        axis: i64,
    },
    Activation(Activation),
    /// Slopes below zero are the second input.
    Prelu,
    /// Bounds are inputs, if they are not given here.
    Clip {
        lowest: Option<f64>,
        highest: Option<f64>,
    },
    Function(Function),
    /// Probabilities, or their logarithms.
    Softmax(Axis),
    /// The new shape, or the second input.
    Reshape(Option<Vec<i64>>),
    /// All dimensions from this one on become one.
    Flatten(i64),
    /// Removes dimensions of length 1; those given here or by the second input.
    Squeeze(Option<Vec<i64>>),
    Unsqueeze(Option<Vec<i64>>),
    Transpose(Option<Vec<i64>>),
    Concat(i64),
    /// Elements along an axis, by the second input.
    Gather(i64),
    /// Starts, ends, axes and steps are given here, or are inputs.
    Slice(Option<[Vec<i64>; 3]>),
    /// The lengths of the input.
    Shape,
    Cast(Number),
    /// Rounds to codes of this range. Scale and zero point are inputs.
    Quantize {
        lowest: f64,
        highest: f64,
    },
    /// Codes to numbers. Scale and zero point are inputs; scales lie along this axis.
    Dequantize(i64),
    /// Replaces missing values with these.
    Impute(Vec<f64>),
    /// Scales each row to sum 1, which does nothing to probabilities.
    Normalize,
    /// Sorts classes, which needs no network: its output is not numbers.
    Labels,
    /// An operator that cannot be imported, and the reason if it is not plain.
    Unsupported(String),
}

/// Axis of a softmax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    One(i64),
    /// All dimensions from this one on, as in older ONNX.
    From(i64),
}

/// Operation on two values, element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Max,
    Min,
}

impl Arithmetic {
    pub(super) fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Arithmetic::Add => a + b,
            Arithmetic::Sub => a - b,
            Arithmetic::Mul => a * b,
            Arithmetic::Div => a / b,
            Arithmetic::Pow => a.powf(b),
            Arithmetic::Max => a.max(b),
            Arithmetic::Min => a.min(b),
        }
    }
}

/// Function of one value that may be a part of an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Neg,
    Abs,
    Exp,
    Log,
    Sqrt,
    Reciprocal,
    Erf,
}

impl Function {
    pub(super) fn apply(self, z: f64) -> f64 {
        match self {
            Function::Neg => -z,
            Function::Abs => z.abs(),
            Function::Exp => z.exp(),
            Function::Log => z.ln(),
            Function::Sqrt => z.sqrt(),
            Function::Reciprocal => 1.0 / z,
            Function::Erf => libm::erf(z),
        }
    }
}

impl Node {
    /// Returns the node as messages name it.
    pub(super) fn named(&self) -> String {
        if self.name.is_empty() || self.name == self.kind {
            self.kind.clone()
        } else {
            format!("{} {:?}", self.kind, self.name)
        }
    }
}
