//! TensorFlow Lite: float models become f32, and models of int8 keep their codes.

mod codes;
mod flat;
mod ops;
mod schema;

pub(super) use self::codes::Codes;
use self::schema::{Kind, Model};
use super::graph::Graph;

/// A file as it was read.
pub(super) enum Read {
    /// A network that stays in int8.
    Int8(Box<Codes>),
    /// A graph of real numbers.
    Graph(Graph),
    /// The graph of a network that cannot stay in int8, and why.
    Codes(Graph, String),
}

/// Types of activations that are codes.
const CODES: [Kind; 3] = [Kind::Int8, Kind::UInt8, Kind::Int16];

/// Reads a file. `dequantize`: codes of 8 and 16 bits become real numbers.
pub(super) fn read(bytes: &[u8], dequantize: bool) -> Result<Read, String> {
    let model = schema::model(bytes)?;
    let computed = || model.operators.iter().flat_map(|operator| &operator.outputs);
    let tensor = |&index: &i32| usize::try_from(index).ok().and_then(|index| model.tensors.get(index));
    let is_quantized =
        computed().filter_map(tensor).any(|tensor| CODES.contains(&tensor.kind) && !tensor.scales.is_empty());
    if !is_quantized || dequantize {
        let notes = if is_quantized { vec![AS_FLOAT.into()] } else { Vec::new() };
        return ops::graph(&model, notes).map(Read::Graph);
    }
    match codes::read(&model) {
        Ok(codes) => Ok(Read::Int8(Box::new(codes))),
        Err(why) => Ok(Read::Codes(ops::graph(&model, Vec::new())?, why)),
    }
}

const AS_FLOAT: &str =
    "codes became real numbers in f32, so the outputs are near those of the original, not equal";

impl Model<'_> {
    fn name(&self, index: i32) -> String {
        let tensor = usize::try_from(index).ok().and_then(|index| self.tensors.get(index));
        tensor.map_or(String::new(), |tensor| tensor.name.clone())
    }
}
