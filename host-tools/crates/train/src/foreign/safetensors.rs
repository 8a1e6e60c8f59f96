//! Weights of PyTorch's `nn.Sequential` in safetensors. The file has no activations, so they have to be told.

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensors};

use super::graph::{Graph, Input, Node, Op};
use super::tensor::{Number, Tensor, bfloat16};
use crate::network::Activation;
use crate::table::container::half;

/// Key of the metadata of this program's own files.
const OWN: &str = "microdistill";

/// Reads a file.
pub(super) fn graph(bytes: &[u8], activation: Option<Activation>) -> Result<Graph, String> {
    let damaged = |error| format!("the file is damaged: {error}; was it copied whole?");
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    if metadata.metadata().as_ref().is_some_and(|map| map.contains_key(OWN)) {
        return Err("this is a model file of microdistill already: use it as it is".into());
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let modules = modules(&tensors)?;
    let activation = activation.ok_or(
        "the file has weights, but no activations: name that of the hidden layers by --activation, such as \
         --activation relu, and give --outputs logits if the outputs are logits of classes",
    )?;
    sequential(modules, activation)
}

/// A module of the sequence, by its parameters.
type Module = BTreeMap<String, Tensor>;

/// Returns the modules by their numbers.
fn modules(tensors: &SafeTensors<'_>) -> Result<BTreeMap<u64, (String, Module)>, String> {
    let mut modules = BTreeMap::<u64, (String, Module)>::new();
    let mut names = tensors.names();
    names.sort_unstable();
    for name in names {
        let (module, parameter) = name.rsplit_once('.').ok_or_else(|| strange(name))?;
        let digits = module.len() - module.trim_end_matches(|digit: char| digit.is_ascii_digit()).len();
        let number = module[module.len() - digits..].parse().map_err(|_| strange(name))?;
        if parameter == "num_batches_tracked" {
            continue;
        }
        let view = tensors.tensor(name).map_err(|error| error.to_string())?;
        let tensor = tensor(view.dtype(), view.shape(), view.data())
            .map_err(|why| format!("the tensor {name:?}: {why}"))?;
        if tensor.dims.len() > 2 {
            return Err(format!(
                "the tensor {name:?} has the shape {:?}, as of a convolution: only linear layers and batch \
                 normalization are imported",
                tensor.dims
            ));
        }
        let (known, module_of) = modules.entry(number).or_insert_with(|| (module.to_owned(), Module::new()));
        if known != module {
            return Err(format!(
                "{known:?} and {module:?} have the same number, so the file is no nn.Sequential: write the model by \
                 torch.onnx.export"
            ));
        }
        module_of.insert(parameter.to_owned(), tensor);
    }
    Ok(modules)
}

fn strange(name: &str) -> String {
    format!(
        "the tensor {name:?} is none of an nn.Sequential, whose names are like 0.weight and 0.bias: write the model by \
         torch.onnx.export"
    )
}

fn tensor(dtype: Dtype, shape: &[usize], bytes: &[u8]) -> Result<Tensor, String> {
    macro_rules! elements {
        ($element:expr) => {
            bytes.as_chunks().0.iter().map(|&bytes| $element(bytes)).collect::<Vec<f64>>()
        };
    }
    let values = match dtype {
        Dtype::F32 => elements!(|bytes| f64::from(f32::from_le_bytes(bytes))),
        Dtype::F64 => elements!(f64::from_le_bytes),
        Dtype::F16 => elements!(|bytes| half(u16::from_le_bytes(bytes))),
        Dtype::BF16 => elements!(|bytes| bfloat16(u16::from_le_bytes(bytes))),
        other => return Err(format!("its numbers are {other}, expected floating point")),
    };
    Tensor::new(shape.to_vec(), values, Number::Float)
}

/// Returns the graph of the modules. Where a number is missing between two, there is an activation.
fn sequential(modules: BTreeMap<u64, (String, Module)>, activation: Activation) -> Result<Graph, String> {
    let mut graph = Graph::default();
    let numbers: Vec<u64> = modules.keys().copied().collect();
    let has_gaps = numbers.windows(2).any(|pair| pair[1] > pair[0] + 1);
    let norms = modules.values().filter(|(_, parameters)| parameters.contains_key("running_mean")).count();
    if !has_gaps && norms > 0 && numbers.len() > norms + 1 {
        return Err("the modules have no gaps between their numbers, so it is not known whether the activations stand before or \
                    behind the batch normalization: write the model by torch.onnx.export"
            .into());
    }
    let (mut before, mut value, mut hidden) = (None, "input".to_owned(), 0);
    for (number, (module, parameters)) in modules {
        if before.is_some_and(|before| number > before + 1 || !has_gaps && norms == 0) {
            let output = format!("{module}#activation");
            graph.nodes.push(Node {
                name: format!("between {} and {number}", before.unwrap_or_default()),
                kind: activation.name().into(),
                op: Op::Activation(activation),
                inputs: vec![value],
                outputs: vec![output.clone()],
            });
            hidden += 1;
            value = output;
        }
        if let (None, Some(weight)) = (before, parameters.get("weight")) {
            let features = weight.dims.last().copied().unwrap_or_default();
            graph.inputs.push(Input { name: value.clone(), dims: vec![features], double: false });
        }
        add(&mut graph, &module, parameters, value)?;
        (before, value) = (Some(number), module);
    }
    let place = if has_gaps {
        "where the numbers of the modules have a gap"
    } else {
        "between all layers, whose numbers have no gaps"
    };
    graph.notes.push(format!(
        "{hidden} activations, {}, {place}; anything else without weights, such as a softmax at the end, is not in the file",
        activation.name()
    ));
    graph.outputs.push(value);
    Ok(graph)
}

/// Adds the node of a module.
fn add(graph: &mut Graph, module: &str, parameters: Module, value: String) -> Result<(), String> {
    let is_norm = parameters.contains_key("running_mean");
    let order: &[&str] =
        if is_norm { &["weight", "bias", "running_mean", "running_var"] } else { &["weight", "bias"] };
    if let Some(other) = parameters.keys().find(|name| !order.contains(&name.as_str())) {
        return Err(strange(&format!("{module}.{other}")));
    }
    if !is_norm && parameters.get("weight").is_none_or(|weight| weight.dims.len() != 2) {
        return Err(format!(
            "{module:?} is neither a linear layer nor a batch normalization with its statistics"
        ));
    }
    let mut inputs = vec![value];
    for name in order {
        let known = parameters.contains_key(*name);
        inputs.push(if known { format!("{module}.{name}") } else { String::new() });
    }
    let names = parameters.into_iter().map(|(name, tensor)| (format!("{module}.{name}"), tensor));
    graph.constants.extend(names);
    let (kind, op) = match is_norm {
        true => ("BatchNorm1d", Op::BatchNorm { epsilon: 1e-5, axis: -1 }),
        false => ("Linear", Op::Dense { by_output: true, flatten: false }),
    };
    let (name, kind) = (module.to_owned(), kind.into());
    graph.nodes.push(Node { name: name.clone(), kind, op, inputs, outputs: vec![name] });
    Ok(())
}
