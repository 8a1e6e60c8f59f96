//! The tables of a TensorFlow Lite file that are needed.

use super::flat::{Read, Table, root};
use crate::foreign::tensor::{Number, Tensor as Constant, bfloat16, count};
use crate::table::container::half;

/// A model: its first subgraph.
pub(super) struct Model<'a> {
    pub(super) tensors: Vec<Tensor<'a>>,
    pub(super) operators: Vec<Operator<'a>>,
    pub(super) inputs: Vec<usize>,
    pub(super) outputs: Vec<usize>,
}

/// A tensor: a constant if it has bytes.
pub(super) struct Tensor<'a> {
    /// Name, which no other tensor has.
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) kind: Kind,
    pub(super) bytes: &'a [u8],
    /// Scales, zero points and the axis that they lie along.
    pub(super) scales: Vec<f32>,
    pub(super) zeros: Vec<i64>,
    pub(super) axis: usize,
    pub(super) is_sparse: bool,
}

/// Type of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Float32,
    Float16,
    Int32,
    UInt8,
    Int64,
    Bool,
    Int16,
    Int8,
    Float64,
    BFloat16,
    Other(i8),
}

/// An operator.
pub(super) struct Operator<'a> {
    /// Name of the operation, such as `FULLY_CONNECTED`.
    pub(super) kind: String,
    /// Indices of tensors; −1 for one that is left out.
    pub(super) inputs: Vec<i32>,
    pub(super) outputs: Vec<i32>,
    pub(super) options: Option<Table<'a>>,
}

/// Names of the builtin operations, by their codes.
const NAMES: [&str; 153] = [
    "ADD",
    "AVERAGE_POOL_2D",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "DEPTH_TO_SPACE",
    "DEQUANTIZE",
    "EMBEDDING_LOOKUP",
    "FLOOR",
    "FULLY_CONNECTED",
    "HASHTABLE_LOOKUP",
    "L2_NORMALIZATION",
    "L2_POOL_2D",
    "LOCAL_RESPONSE_NORMALIZATION",
    "LOGISTIC",
    "LSH_PROJECTION",
    "LSTM",
    "MAX_POOL_2D",
    "MUL",
    "RELU",
    "RELU_N1_TO_1",
    "RELU6",
    "RESHAPE",
    "RESIZE_BILINEAR",
    "RNN",
    "SOFTMAX",
    "SPACE_TO_DEPTH",
    "SVDF",
    "TANH",
    "CONCAT_EMBEDDINGS",
    "SKIP_GRAM",
    "CALL",
    "CUSTOM",
    "EMBEDDING_LOOKUP_SPARSE",
    "PAD",
    "UNIDIRECTIONAL_SEQUENCE_RNN",
    "GATHER",
    "BATCH_TO_SPACE_ND",
    "SPACE_TO_BATCH_ND",
    "TRANSPOSE",
    "MEAN",
    "SUB",
    "DIV",
    "SQUEEZE",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "STRIDED_SLICE",
    "BIDIRECTIONAL_SEQUENCE_RNN",
    "EXP",
    "TOPK_V2",
    "SPLIT",
    "LOG_SOFTMAX",
    "DELEGATE",
    "BIDIRECTIONAL_SEQUENCE_LSTM",
    "CAST",
    "PRELU",
    "MAXIMUM",
    "ARG_MAX",
    "MINIMUM",
    "LESS",
    "NEG",
    "PADV2",
    "GREATER",
    "GREATER_EQUAL",
    "LESS_EQUAL",
    "SELECT",
    "SLICE",
    "SIN",
    "TRANSPOSE_CONV",
    "SPARSE_TO_DENSE",
    "TILE",
    "EXPAND_DIMS",
    "EQUAL",
    "NOT_EQUAL",
    "LOG",
    "SUM",
    "SQRT",
    "RSQRT",
    "SHAPE",
    "POW",
    "ARG_MIN",
    "FAKE_QUANT",
    "REDUCE_PROD",
    "REDUCE_MAX",
    "PACK",
    "LOGICAL_OR",
    "ONE_HOT",
    "LOGICAL_AND",
    "LOGICAL_NOT",
    "UNPACK",
    "REDUCE_MIN",
    "FLOOR_DIV",
    "REDUCE_ANY",
    "SQUARE",
    "ZEROS_LIKE",
    "FILL",
    "FLOOR_MOD",
    "RANGE",
    "RESIZE_NEAREST_NEIGHBOR",
    "LEAKY_RELU",
    "SQUARED_DIFFERENCE",
    "MIRROR_PAD",
    "ABS",
    "SPLIT_V",
    "UNIQUE",
    "CEIL",
    "REVERSE_V2",
    "ADD_N",
    "GATHER_ND",
    "COS",
    "WHERE",
    "RANK",
    "ELU",
    "REVERSE_SEQUENCE",
    "MATRIX_DIAG",
    "QUANTIZE",
    "MATRIX_SET_DIAG",
    "ROUND",
    "HARD_SWISH",
    "IF",
    "WHILE",
    "NON_MAX_SUPPRESSION_V4",
    "NON_MAX_SUPPRESSION_V5",
    "SCATTER_ND",
    "SELECT_V2",
    "DENSIFY",
    "SEGMENT_SUM",
    "BATCH_MATMUL",
    "PLACEHOLDER_FOR_GREATER_OP_CODES",
    "CUMSUM",
    "CALL_ONCE",
    "BROADCAST_TO",
    "RFFT2D",
    "CONV_3D",
    "IMAG",
    "REAL",
    "COMPLEX_ABS",
    "HASHTABLE",
    "HASHTABLE_FIND",
    "HASHTABLE_IMPORT",
    "HASHTABLE_SIZE",
    "REDUCE_ALL",
    "CONV_3D_TRANSPOSE",
    "VAR_HANDLE",
    "READ_VARIABLE",
    "ASSIGN_VARIABLE",
    "BROADCAST_ARGS",
    "RANDOM_STANDARD_NORMAL",
    "BUCKETIZE",
    "RANDOM_UNIFORM",
    "MULTINOMIAL",
    "GELU",
    "DYNAMIC_UPDATE_SLICE",
    "RELU_0_TO_1",
];

/// Reads the tables of a file.
pub(super) fn model(bytes: &[u8]) -> Read<Model<'_>> {
    let root = root(bytes)?;
    let mut codes = Vec::new();
    for code in root.tables(1)? {
        // Codes above 127 are in a field of their own.
        let number = i32::from(code.byte(0)?).max(code.int(3)?);
        let custom = code.text(1)?;
        let name = usize::try_from(number).ok().and_then(|number| NAMES.get(number));
        codes.push(match name {
            Some(&"CUSTOM") => format!("custom operator {custom}"),
            Some(name) => (*name).to_owned(),
            None => format!("operator {number} of TensorFlow Lite"),
        });
    }
    let buffers = root.tables(4)?;
    let graphs = root.tables(2)?;
    let graph = graphs.first().ok_or("the file has no graph")?;
    let mut tensors: Vec<Tensor<'_>> = Vec::new();
    let mut names = std::collections::HashSet::new();
    for (index, table) in graph.tables(0)?.into_iter().enumerate() {
        let mut tensor = tensor(bytes, table, &buffers)?;
        if tensor.name.is_empty() || !names.insert(tensor.name.clone()) {
            tensor.name = format!("{}#{index}", tensor.name);
        }
        tensors.push(tensor);
    }
    let mut operators = Vec::new();
    for table in graph.tables(3)? {
        let code = usize::try_from(table.int(0)?).ok().and_then(|code| codes.get(code));
        operators.push(Operator {
            kind: code.ok_or("an operator has no code")?.clone(),
            inputs: table.ints(1)?,
            outputs: table.ints(2)?,
            options: table.table(4)?,
        });
    }
    let indices = |list: Vec<i32>| {
        let index = |index| usize::try_from(index).ok().filter(|&index| index < tensors.len());
        list.into_iter()
            .map(index)
            .collect::<Option<Vec<_>>>()
            .ok_or("the graph has an input or output that is no tensor")
    };
    let (inputs, outputs) = (indices(graph.ints(1)?)?, indices(graph.ints(2)?)?);
    Ok(Model { tensors, operators, inputs, outputs })
}

fn tensor<'a>(file: &'a [u8], table: Table<'a>, buffers: &[Table<'a>]) -> Read<Tensor<'a>> {
    let name = table.text(3)?;
    let negative = || format!("the tensor {name:?} has a negative length");
    let shape: Option<Vec<usize>> =
        table.ints(0)?.into_iter().map(|length| usize::try_from(length).ok()).collect();
    let shape = shape.ok_or_else(negative)?;
    let kind = match table.byte(1)? {
        0 => Kind::Float32,
        1 => Kind::Float16,
        2 => Kind::Int32,
        3 => Kind::UInt8,
        4 => Kind::Int64,
        6 => Kind::Bool,
        7 => Kind::Int16,
        9 => Kind::Int8,
        10 => Kind::Float64,
        18 => Kind::BFloat16,
        other => Kind::Other(other),
    };
    let buffer = usize::try_from(table.int(2)?).ok().and_then(|index| buffers.get(index));
    let bytes = buffer.map_or(Ok(&[][..]), |buffer| data(file, buffer))?;
    let (mut scales, mut zeros, mut axis) = (Vec::new(), Vec::new(), 0);
    if let Some(quantization) = table.table(4)? {
        scales.extend(
            quantization.vector(2)?.unwrap_or_default().iter().map(|&bytes| f32::from_le_bytes(bytes)),
        );
        zeros.extend(
            quantization.vector(3)?.unwrap_or_default().iter().map(|&bytes| i64::from_le_bytes(bytes)),
        );
        axis = usize::try_from(quantization.int(6)?).unwrap_or_default();
    }
    let is_sparse = table.table(6)?.is_some();
    Ok(Tensor { name, shape, kind, bytes, scales, zeros, axis, is_sparse })
}

/// Returns the bytes of a buffer, in its table or, in large files, behind the tables.
fn data<'a>(file: &'a [u8], buffer: &Table<'a>) -> Read<&'a [u8]> {
    if let Some(bytes) = buffer.vector::<1>(0)? {
        return Ok(bytes.as_flattened());
    }
    let (offset, size) = (buffer.unsigned(1)?, buffer.unsigned(2)?);
    if offset < 2 {
        return Ok(&[]);
    }
    let place = usize::try_from(offset).ok().zip(usize::try_from(size).ok());
    let bytes = place.and_then(|(offset, size)| file.get(offset..)?.get(..size));
    bytes.ok_or_else(|| "a buffer lies behind the end of the file: was it copied whole?".into())
}

impl Tensor<'_> {
    /// Returns the elements, with codes as real numbers.
    pub(super) fn constant(&self) -> Read<Constant> {
        let wrong = |why: String| format!("the tensor {:?}: {why}", self.name);
        if self.is_sparse {
            return Err(wrong(
                "it is sparse, which is not supported: convert the model without sparsity".into(),
            ));
        }
        macro_rules! elements {
            ($element:expr) => {
                self.bytes.as_chunks().0.iter().map(|&bytes| $element(bytes)).collect::<Vec<f64>>()
            };
        }
        let (size, mut values) = match self.kind {
            Kind::Float32 => (4, elements!(|bytes| f64::from(f32::from_le_bytes(bytes)))),
            Kind::Float16 => (2, elements!(|bytes| half(u16::from_le_bytes(bytes)))),
            Kind::BFloat16 => (2, elements!(|bytes| bfloat16(u16::from_le_bytes(bytes)))),
            Kind::Float64 => (8, elements!(f64::from_le_bytes)),
            Kind::Int32 => (4, elements!(|bytes| f64::from(i32::from_le_bytes(bytes)))),
            Kind::Int64 => (8, elements!(|bytes| i64::from_le_bytes(bytes) as f64)),
            Kind::Int16 => (2, elements!(|bytes| f64::from(i16::from_le_bytes(bytes)))),
            Kind::Int8 => (1, elements!(|bytes| f64::from(i8::from_le_bytes(bytes)))),
            Kind::UInt8 | Kind::Bool => (1, elements!(|bytes| f64::from(u8::from_le_bytes(bytes)))),
            Kind::Other(code) => {
                return Err(wrong(format!("its elements have the type {code}, which is not supported")));
            }
        };
        if count(&self.shape).and_then(|count| count.checked_mul(size)) != Some(self.bytes.len()) {
            let (shape, found) = (&self.shape, self.bytes.len());
            return Err(wrong(format!(
                "its shape {shape:?} does not fit the {found} bytes that the file holds"
            )));
        }
        if !self.scales.is_empty() {
            self.decode(&mut values).ok_or_else(|| wrong("its scales do not fit its shape".into()))?;
        }
        let is_real = !self.scales.is_empty()
            || matches!(self.kind, Kind::Float32 | Kind::Float16 | Kind::Float64 | Kind::BFloat16);
        Constant::new(self.shape.clone(), values, if is_real { Number::Float } else { Number::Integer })
            .map_err(wrong)
    }

    /// Turns codes into real numbers.
    fn decode(&self, values: &mut [f64]) -> Option<()> {
        let inner = count(self.shape.get(self.axis + 1..).unwrap_or_default())?.max(1);
        let length = self.shape.get(self.axis).copied().unwrap_or(1).max(1);
        if self.scales.len() != 1 && self.scales.len() != length {
            return None;
        }
        for (index, value) in values.iter_mut().enumerate() {
            let channel = if self.scales.len() == 1 { 0 } else { index / inner % length };
            let zero = self.zeros.get(channel).or(self.zeros.first()).copied().unwrap_or(0);
            *value = (*value - zero as f64) * f64::from(*self.scales.get(channel)?);
        }
        Some(())
    }
}
