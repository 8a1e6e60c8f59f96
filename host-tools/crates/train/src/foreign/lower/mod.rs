//! Reduces a graph to a chain of dense layers: everything affine between two activations becomes one layer.
//!
//! Every value of the graph is a constant, or an affine function of the outputs of one activation. Whatever is neither,
//! such as the sum of two branches with activations of their own, is refused by the name of its node.

mod chain;
mod curves;
mod form;
mod shapes;
mod steps;

use std::collections::{HashMap, HashSet};

pub(super) use self::chain::{Chain, Head, Layer};
use self::curves::View;
use self::form::{Form, Matrix};
pub(super) use self::steps::leaky;
use super::graph::{Graph, Node, Op};
use super::tensor::{Number, Tensor};
use crate::network::Activation;

/// A value of the graph.
#[derive(Clone, Debug)]
enum Value {
    Constant(Tensor),
    Flow(Flow),
    /// Probabilities, or their logarithms, of these logits.
    Probabilities(Flow),
    /// An expression that may be a part of an activation: known by its [`View`] only.
    Pending,
    /// Labels instead of numbers.
    Labels,
}

/// An affine function of the outputs of a stage.
#[derive(Clone, Debug)]
struct Flow {
    stage: usize,
    form: Form,
    /// Lengths of the dimensions without that of the batch; their product is the number of outputs of the form.
    dims: Vec<usize>,
    /// True for numbers of 64 bits.
    double: bool,
}

/// The features, or the outputs of an activation.
#[derive(Debug)]
struct Stage {
    /// The stage that it is computed from. The first one, the features, is its own.
    parent: usize,
    /// Affine function before the activation.
    form: Form,
    activation: Activation,
}

/// State of a reduction.
struct Lowering<'a> {
    values: HashMap<&'a str, Value>,
    views: HashMap<&'a str, View>,
    stages: Vec<Stage>,
    /// Nodes that became part of a dense layer or of the scaler.
    folded: Vec<String>,
    /// Nodes that do nothing to a prediction, with the reason.
    passed: Vec<String>,
    /// Values that missing features are replaced with.
    imputed: Option<Vec<f64>>,
    notes: Vec<String>,
    /// Numbers that may still be computed, so that no small file takes long or fills a machine.
    left: usize,
}

/// Numbers that may be computed for a file without constants, and more for each constant.
const BUDGET: [usize; 2] = [1 << 22, 64];

/// Reduces the part of `graph` that computes the output `output`.
///
/// # Errors
/// Names all operators that cannot be imported, or the first node that does not fit into a chain.
pub(super) fn lower(graph: &Graph, output: &str) -> Result<Chain, String> {
    let needed = needed(graph, [output]);
    if let Some(refused) = unsupported_among(graph, &needed) {
        return Err(refused);
    }
    let mut lowering = Lowering::new(graph)?;
    for (_, node) in graph.nodes.iter().enumerate().filter(|(index, _)| needed.contains(index)) {
        let value = lowering.step(node).map_err(|why| format!("{}: {why}", node.named()))?;
        lowering.spend(match &value {
            Value::Constant(tensor) => tensor.values.len(),
            Value::Flow(flow) | Value::Probabilities(flow) => flow.form.size(),
            Value::Pending | Value::Labels => 0,
        })?;
        if let Some(name) = node.outputs.first() {
            lowering.values.insert(name, value);
        }
    }
    lowering.finish(output)
}

/// Names all operators of a graph that cannot be imported; none if there are none.
pub(super) fn unsupported(graph: &Graph) -> Option<String> {
    unsupported_among(graph, &needed(graph, graph.outputs.iter().map(String::as_str)))
}

fn unsupported_among(graph: &Graph, needed: &HashSet<usize>) -> Option<String> {
    let unsupported = |(_, node): (usize, &Node)| match &node.op {
        Op::Unsupported(why) if why.is_empty() => Some(node.named()),
        Op::Unsupported(why) => Some(format!("{} ({why})", node.named())),
        _ => None,
    };
    let nodes = graph.nodes.iter().enumerate().filter(|(index, _)| needed.contains(index));
    let refused: Vec<String> = nodes.filter_map(unsupported).collect();
    match refused.as_slice() {
        [] => None,
        [one] => Some(format!("the model has an operator that is no part of a chain of dense layers: {one}")),
        all => Some(format!(
            "the model has operators that are no part of a chain of dense layers: {}",
            listed(all)
        )),
    }
}

/// Returns the indices of the nodes that outputs depend on.
fn needed<'a>(graph: &'a Graph, outputs: impl IntoIterator<Item = &'a str>) -> HashSet<usize> {
    let mut makers = HashMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        makers.extend(node.outputs.iter().filter(|name| !name.is_empty()).map(|name| (name.as_str(), index)));
    }
    let (mut needed, mut open) = (HashSet::new(), outputs.into_iter().collect::<Vec<_>>());
    while let Some(name) = open.pop() {
        if let Some(&index) = makers.get(name)
            && needed.insert(index)
        {
            open.extend(graph.nodes[index].inputs.iter().map(String::as_str));
        }
    }
    needed
}

/// Returns the names in a sentence; a long list is cut.
fn listed(names: &[String]) -> String {
    const MOST: usize = 40;
    let more = names.len().saturating_sub(MOST);
    let shown = names[..names.len() - more].join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// Most inputs of a model.
const MOST_INPUTS: usize = 1 << 12;

/// Most features of a model.
const MOST_FEATURES: usize = 1 << 20;

impl<'a> Lowering<'a> {
    fn new(graph: &'a Graph) -> Result<Self, String> {
        let constants: usize = graph.constants.values().map(|tensor| tensor.values.len()).sum();
        let left = constants.saturating_mul(BUDGET[1]).saturating_add(BUDGET[0]);
        if graph.inputs.len() > MOST_INPUTS {
            return Err(format!("the model has {} inputs, too many", graph.inputs.len()));
        }
        let mut widths = Vec::new();
        for input in &graph.inputs {
            let width = super::tensor::count(&input.dims).filter(|width| (1..=MOST_FEATURES).contains(width));
            widths.push(width.ok_or_else(|| {
                format!(
                    "the input {:?} has the shape {:?} per row, which is no number of features",
                    input.name, input.dims
                )
            })?);
        }
        let features: usize = widths.iter().sum();
        if !(1..=MOST_FEATURES).contains(&features) {
            return Err("the model has no inputs".into());
        }
        let (form, mut from) = (Form::identity(features), 0);
        let mut values = HashMap::new();
        for (input, width) in graph.inputs.iter().zip(widths) {
            let own: Vec<usize> = (from..from + width).collect();
            from += width;
            let form = form.select(&own).ok_or("the model has too many features in several inputs")?;
            let flow = Flow { stage: 0, form, dims: input.dims.clone(), double: input.double };
            values.insert(input.name.as_str(), Value::Flow(flow));
        }
        values.extend(
            graph.constants.iter().map(|(name, tensor)| (name.as_str(), Value::Constant(tensor.clone()))),
        );
        let first = Stage { parent: 0, form, activation: Activation::Identity };
        Ok(Lowering {
            values,
            views: HashMap::new(),
            stages: vec![first],
            folded: Vec::new(),
            passed: Vec::new(),
            imputed: None,
            notes: Vec::new(),
            left,
        })
    }

    /// Counts numbers that are computed.
    fn spend(&mut self, numbers: usize) -> Result<(), String> {
        let left = self.left.checked_sub(numbers);
        self.left = left.ok_or("the model computes more from its constants than a file of its size may")?;
        Ok(())
    }

    /// Returns an input of a node; none if it is left out.
    fn input(&self, node: &Node, index: usize) -> Result<Option<&Value>, String> {
        match node.inputs.get(index).filter(|name| !name.is_empty()) {
            None => Ok(None),
            Some(name) => match self.values.get(name.as_str()) {
                Some(value) => Ok(Some(value)),
                None => Err(format!("its input {name:?} is not computed before it")),
            },
        }
    }

    /// Returns the first input.
    fn first(&self, node: &Node) -> Result<Value, String> {
        self.input(node, 0)?.cloned().ok_or_else(|| "it has no input".into())
    }

    /// Returns a constant input; none if it is left out.
    fn constant(&self, node: &Node, index: usize) -> Result<Option<Tensor>, String> {
        match self.input(node, index)? {
            None => Ok(None),
            Some(Value::Constant(tensor)) => Ok(Some(tensor.clone())),
            Some(_) => Err(format!(
                "its input {:?} is computed, but only a constant can be imported",
                node.inputs[index]
            )),
        }
    }

    /// Returns a constant input that must be there.
    fn required(&self, node: &Node, index: usize) -> Result<Tensor, String> {
        self.constant(node, index)?.ok_or_else(|| format!("its input {} is missing", index + 1))
    }

    /// Returns whole numbers that are given by the node, or by an input.
    fn numbers(
        &self,
        given: Option<&Vec<i64>>,
        node: &Node,
        index: usize,
    ) -> Result<Option<Vec<i64>>, String> {
        if let Some(given) = given {
            return Ok(Some(given.clone()));
        }
        match self.constant(node, index)? {
            None => Ok(None),
            Some(tensor) => tensor.integers().map(Some).ok_or_else(|| "its numbers are not whole".into()),
        }
    }

    /// Appends a matrix to a flow.
    fn dense(&mut self, mut flow: Flow, matrix: Matrix) -> Flow {
        let outputs = matrix.outputs();
        // A multiplication takes a fraction of the time of a number that is stored.
        self.left = self.left.saturating_sub(flow.form.size().saturating_mul(outputs) / 16);
        let form = match flow.form.then(matrix.clone()) {
            Some(form) => form,
            None => {
                flow = self.push(flow, Activation::Identity);
                Form::identity(flow.form.outputs()).then(matrix).unwrap_or(flow.form)
            }
        };
        Flow { form, dims: vec![outputs], ..flow }
    }

    /// Appends an activation to a flow.
    fn push(&mut self, flow: Flow, activation: Activation) -> Flow {
        let form = Form::identity(flow.form.outputs());
        self.stages.push(Stage { parent: flow.stage, form: flow.form, activation });
        Flow { stage: self.stages.len() - 1, form, ..flow }
    }
}

/// Checks that numbers of 32 and 64 bits are not mixed, which no runtime accepts.
fn check_numbers(flow: &Flow, tensor: &Tensor) -> Result<(), String> {
    let (found, wanted) = match (flow.double, tensor.number) {
        (false, Number::Double) => ("float", "double"),
        (true, Number::Float) => ("double", "float"),
        _ => return Ok(()),
    };
    Err(format!(
        "its input is {found}, but its constants are {wanted}: the file mixes types, which ONNX does not allow"
    ))
}
