//! ONNX: the exporters of PyTorch, skl2onnx, tf2onnx, and quantized models in the form QDQ.

mod ops;
mod proto;
mod scalers;
mod tensors;
mod wire;

use std::collections::HashMap;
use std::path::Path;

use self::proto::{Contents, Model, Stored, Value};
use super::graph::{Graph, Input, Node, Op};
use super::tensor::Tensor;

/// Reads a file. Weights in files of their own are looked for in `folder` only.
pub(super) fn graph(bytes: &[u8], folder: Option<&Path>) -> Result<Graph, String> {
    let model = proto::model(bytes)?;
    let Some(from) = &model.graph else {
        return Err("neither a graph nor a model of a known kind is in the file: was it copied whole?".into());
    };
    let mut reader = Reader::new(&model, folder);
    if from.has_sparse {
        return Err("sparse weights are not supported: export the model with dense ones".into());
    }
    for stored in &from.initializers {
        reader.store(&stored.name, stored)?;
    }
    for node in &from.nodes {
        reader.node(node)?;
    }
    reader.graph.outputs = outputs(&from.outputs);
    for value in &from.inputs {
        // Unsupported operators are the better reason.
        reader.input(value).map_err(|why| super::lower::unsupported(&reader.graph).unwrap_or(why))?;
    }
    Ok(reader.graph)
}

/// Types of outputs that are labels: integers, texts and truth values.
const LABELS: [i64; 6] = [5, 6, 7, 8, 9, 12];

/// Returns the outputs that may be probabilities, logits or values; all, if none is.
fn outputs(all: &[Value]) -> Vec<String> {
    let numbers = || all.iter().filter(|value| !LABELS.contains(&value.kind));
    let names = |value: &Value| value.name.clone();
    if numbers().next().is_none() { all.iter().map(names).collect() } else { numbers().map(names).collect() }
}

/// Builder of the graph.
struct Reader<'a> {
    graph: Graph,
    folder: Option<&'a Path>,
    /// Version of ONNX's own operators.
    opset: i64,
    /// Constants of texts, such as labels.
    texts: HashMap<String, Vec<String>>,
    /// Types of elements of constants.
    kinds: HashMap<String, i64>,
}

impl<'a> Reader<'a> {
    fn new(model: &Model, folder: Option<&'a Path>) -> Self {
        let own = model.opsets.iter().find(|(domain, _)| domain.is_empty() || domain == "ai.onnx");
        let opset = own.map_or(1, |(_, version)| *version);
        Reader { graph: Graph::default(), folder, opset, texts: HashMap::new(), kinds: HashMap::new() }
    }

    /// Keeps a constant.
    fn store(&mut self, name: &str, stored: &Stored) -> Result<(), String> {
        let tensor = match &stored.contents {
            Contents::Numbers(tensor) => tensor.clone(),
            Contents::External(external) => external
                .load(stored.kind, self.folder)
                .map_err(|why| format!("the tensor {name:?}: {why}"))?,
            Contents::Texts(texts) => {
                self.texts.insert(name.to_owned(), texts.clone());
                return Ok(());
            }
        };
        self.keep(name, tensor, stored.kind);
        Ok(())
    }

    fn keep(&mut self, name: &str, tensor: Tensor, kind: i64) {
        self.kinds.insert(name.to_owned(), kind);
        self.graph.constants.insert(name.to_owned(), tensor);
    }

    /// Adds an input, unless it is a constant that may be replaced.
    fn input(&mut self, value: &Value) -> Result<(), String> {
        let name = &value.name;
        if self.graph.constants.contains_key(name) {
            return Ok(());
        }
        if value.kind == tensors::STRING {
            return Err(format!("the input {name:?} is text: only numbers can be features"));
        }
        let dims = match value.dims.as_deref() {
            Some([_, rest @ ..]) if !rest.is_empty() => rest.to_vec(),
            Some([] | [_]) => {
                return Err(format!(
                    "the input {name:?} has no dimension of features: export the model with inputs of the shape (batch, features)"
                ));
            }
            _ => vec![-1],
        };
        let known: Option<Vec<usize>> = dims.iter().map(|&length| usize::try_from(length).ok()).collect();
        let dims = match known {
            Some(dims) => dims,
            None if dims.len() == 1 => vec![self.features_of(name).ok_or_else(|| {
                format!("the number of features of the input {name:?} is not in the file: export the model with an input of a known shape")
            })?],
            None => return Err(format!("the shape of the input {name:?} is not in the file: export the model with an input of a known shape")),
        };
        self.graph.inputs.push(Input { name: name.clone(), dims, double: value.kind == tensors::DOUBLE });
        Ok(())
    }

    /// Returns the number of features that the nodes behind an input take.
    fn features_of(&self, input: &str) -> Option<usize> {
        let mut name = input;
        for node in &self.graph.nodes {
            if node.inputs.first().map(String::as_str) != Some(name) {
                continue;
            }
            let weights = || self.graph.constants.get(node.inputs.get(1)?);
            match &node.op {
                Op::Same | Op::Cast(_) => name = node.outputs.first()?,
                Op::Affine { scale, .. } if scale.len() > 1 => return Some(scale.len()),
                Op::Dense { by_output, .. } | Op::Gemm { by_output, .. } => {
                    return weights()?.dims.get(usize::from(*by_output)).copied();
                }
                Op::Arithmetic(_) => match weights()?.dims.last() {
                    Some(&length) if length > 1 => return Some(length),
                    _ => name = node.outputs.first()?,
                },
                _ => return None,
            }
        }
        None
    }

    /// Adds a node to the graph.
    fn push(&mut self, node: &proto::Node, op: Op) {
        self.add(node, op, node.inputs.clone(), node.outputs.clone());
    }

    fn add(&mut self, node: &proto::Node, op: Op, inputs: Vec<String>, outputs: Vec<String>) {
        let (name, kind) = (node.named().to_owned(), node.kind.clone());
        self.graph.nodes.push(Node { name, kind, op, inputs, outputs });
    }
}
