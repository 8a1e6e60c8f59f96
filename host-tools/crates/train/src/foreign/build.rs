//! A model file from a chain of layers, or from codes.

use nalgebra::DMatrix;

use super::graph::Graph;
use super::lower::{Chain, Head, Layer, lower};
use super::tflite::Codes;
use super::{Imported, Options, Report};
use crate::dataset::{Scaler, Task};
use crate::model::{Body, Metadata, Model, Role};
use crate::network::{Dense, Network};

/// Meaning of the outputs of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outputs {
    /// Probabilities behind a softmax, or behind a sigmoid of one output; else values.
    #[default]
    Auto,
    /// Logits of classes; a single one is that of the second class.
    Logits,
    /// Probabilities of classes.
    Probabilities,
    /// Values of a regression.
    Values,
}

/// Names that replace those of a file.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Features, in the order of the inputs.
    pub features: Option<Vec<String>>,
    /// Labels, in the order of the outputs.
    pub labels: Option<Vec<String>>,
    /// Columns of the targets: one for classes, and one per output for values.
    pub targets: Option<Vec<String>>,
}

/// Builds the model of a graph.
pub(super) fn model(format: &'static str, graph: Graph, options: &Options) -> Result<Imported, String> {
    let output = output(&graph, options.output.as_deref())?;
    if let [first, second, ..] = graph.inputs.as_slice()
        && graph.inputs.iter().any(|input| input.dims != [1])
    {
        let readers =
            |name: &str| graph.nodes.iter().find(|node| node.inputs.iter().any(|input| input == name));
        let reader =
            readers(&second.name).map_or(String::new(), |node| format!(", which {} reads", node.named()));
        return Err(format!(
            "the model has several inputs, {:?} and {:?}{reader}: only models of one are imported",
            first.name, second.name
        ));
    }
    let chain = lower(&graph, &output)?;
    let mut notes = graph.notes;
    notes.extend(chain.notes.iter().cloned());
    let head = head(chain.head, &chain, options.outputs)?;
    notes.extend(head.note.map(str::to_owned));
    let labels = options.names.labels.clone().or(graph.labels);
    let inputs = || graph.inputs.iter().map(|input| input.name.clone()).collect();
    let features = options.names.features.clone().or_else(|| (graph.inputs.len() > 1).then(inputs));
    let Chain { columns, mut layers, folded, passed, imputed, .. } = chain;
    if head.one_logit {
        two_logits(&mut layers);
    }
    let scaler = scaler(&columns, imputed.as_deref(), &mut layers);
    let network = Network::new(layers.iter().map(dense));
    let names = Meaning {
        classes: head.classes,
        outputs: network.widths().last().copied().unwrap_or(0),
        labels,
        features,
    };
    let metadata = metadata(names, scaler.mean.len(), &options.names)?;
    let examples = examples(&scaler);
    let model = Model { metadata, preparation: scaler.into(), body: Body::F32(network), examples };
    finished(format, model, head.name, folded, passed, notes)
}

/// Builds the model of codes.
pub(super) fn int8(codes: Codes, options: &Options) -> Result<Imported, String> {
    let Codes { network, softmax, sigmoid, passed } = codes;
    let mut notes = Vec::new();
    let outputs = network.layers.last().map_or(0, |layer| layer.outputs());
    let inputs = network.layers.first().map_or(0, |layer| layer.inputs());
    let classes = match options.outputs {
        Outputs::Values if softmax || sigmoid => return Err(SOFTMAX_VALUES.into()),
        Outputs::Probabilities if !softmax && !sigmoid => return Err(NO_PROBABILITIES.into()),
        Outputs::Logits if outputs < 2 => {
            return Err("one logit in int8 cannot become two: import the float model".into());
        }
        Outputs::Auto => softmax || sigmoid,
        Outputs::Logits | Outputs::Probabilities => true,
        Outputs::Values => false,
    };
    if !classes && options.outputs == Outputs::Auto && outputs > 1 {
        notes.push(AS_VALUES.into());
    }
    if softmax || sigmoid {
        let end = if softmax { "SOFTMAX" } else { "LOGISTIC" };
        notes.push(format!("the final {end} is dropped: probabilities are computed in float, without the rounding of its codes"));
    }
    let names = Meaning {
        classes,
        outputs,
        labels: options.names.labels.clone(),
        features: options.names.features.clone(),
    };
    let metadata = metadata(names, inputs, &options.names)?;
    let scaler = Scaler { mean: vec![0.0; inputs], scale: vec![1.0; inputs] };
    let codes = network.input;
    let examples = DMatrix::from_fn(inputs, EXAMPLES, |feature, row| {
        let code = i8::try_from((feature * 37 + row * 101) % 255).unwrap_or_default();
        (f32::from(code) - f32::from(codes.zero)) * codes.scale
    });
    let model = Model { metadata, preparation: scaler.into(), body: Body::Int8(network), examples };
    let head = match (softmax, sigmoid) {
        (true, _) => "softmax",
        (_, true) => "sigmoid",
        _ => "linear",
    };
    finished("a TensorFlow Lite model", model, head, Vec::new(), passed, notes)
}

fn finished(
    format: &'static str,
    model: Model,
    head: &'static str,
    folded: Vec<String>,
    passed_over: Vec<String>,
    notes: Vec<String>,
) -> Result<Imported, String> {
    model.check()?;
    let activations = match &model.body {
        Body::F32(network) => network.layers().iter().map(|layer| layer.activation.name()).collect(),
        Body::Int8(network) => network.layers.iter().map(|layer| layer.activation.name()).collect(),
        _ => Vec::new(),
    };
    let report = Report {
        format,
        widths: model.widths(),
        activations,
        head,
        labels: model.labels().to_vec(),
        folded,
        passed_over,
        not_exportable: model.check_types().err(),
    };
    Ok(Imported { model, report, notes })
}

/// Returns the output to import.
fn output(graph: &Graph, asked: Option<&str>) -> Result<String, String> {
    match (graph.outputs.as_slice(), asked) {
        ([], _) => Err("the model has no outputs".into()),
        (all, Some(name)) if all.iter().any(|output| output == name) => Ok(name.into()),
        (all, Some(name)) => Err(format!("the model has no output {name:?}: its outputs are {all:?}")),
        ([one], None) => Ok(one.clone()),
        (all, None) => Err(format!("the model has several outputs, {all:?}: choose one by --output NAME")),
    }
}

const SOFTMAX_VALUES: &str =
    "the model ends with a softmax, so its outputs are probabilities: leave out --outputs values";
const NO_PROBABILITIES: &str = "the model ends without a softmax or sigmoid, so its outputs are no probabilities: give --outputs logits or values";
const AS_VALUES: &str = "the model ends without a softmax, so its outputs are taken for values; if they are logits of classes, \
     give --outputs logits";

/// Meaning of the outputs.
struct Meant {
    classes: bool,
    /// True if the only output is the logit of the second class.
    one_logit: bool,
    name: &'static str,
    note: Option<&'static str>,
}

fn head(head: Head, chain: &Chain, asked: Outputs) -> Result<Meant, String> {
    let outputs = chain.layers.last().map_or(0, |layer| layer.bias.len());
    let meant = |classes, name, note| Meant { classes, one_logit: classes && outputs == 1, name, note };
    match (head, asked) {
        (Head::Softmax, Outputs::Values) => Err(SOFTMAX_VALUES.into()),
        (Head::Softmax, _) => {
            Ok(meant(true, "softmax", Some("the final softmax is dropped: model files hold logits")))
        }
        (Head::Sigmoid, Outputs::Values) => {
            Err("the model ends with a sigmoid of one output, which is taken for the probability of the second of two \
                 classes: leave out --outputs values"
                .into())
        }
        (Head::Sigmoid, _) => Ok(meant(
            true,
            "sigmoid",
            Some("the final sigmoid is dropped: its output was the probability of the second class, whose logits are 0 and its sum"),
        )),
        (Head::Linear, Outputs::Probabilities) => Err(NO_PROBABILITIES.into()),
        (Head::Linear, Outputs::Logits) => Ok(meant(true, "linear", None)),
        (Head::Linear, Outputs::Values) => Ok(meant(false, "linear", None)),
        (Head::Linear, Outputs::Auto) => Ok(meant(false, "linear", (outputs > 1).then_some(AS_VALUES))),
    }
}

/// Makes the only logit that of the second of two classes.
fn two_logits(layers: &mut [Layer]) {
    if let Some(Layer { weights, bias, .. }) = layers.last_mut() {
        let inputs = weights.len();
        weights.splice(..0, std::iter::repeat_n(0.0, inputs));
        bias.insert(0, 0.0);
    }
}

/// Returns the scaler of the features, whose rounding to f32 goes into the first layer. A missing value becomes the mean,
/// which is therefore the value that the model replaces it with, if it does.
fn scaler(columns: &[(f64, f64)], imputed: Option<&[f64]>, layers: &mut [Layer]) -> Scaler {
    let mut scaler = Scaler { mean: Vec::new(), scale: Vec::new() };
    for (column, &(scale, offset)) in columns.iter().enumerate() {
        let mean = -offset / scale;
        let mean = imputed.and_then(|values| values.get(column)).copied().unwrap_or(mean) as f32;
        let mean = if mean.is_finite() { mean } else { 0.0 };
        let rounded = scale as f32;
        let rest = offset + scale * f64::from(mean);
        let factor = if rounded == 0.0 { 0.0 } else { scale / f64::from(rounded) };
        if let Some(Layer { weights, bias, .. }) = layers.first_mut() {
            let weights = weights.iter_mut().skip(column).step_by(columns.len());
            for (weight, bias) in weights.zip(bias) {
                *bias += *weight * rest;
                *weight *= factor;
            }
        }
        scaler.mean.push(mean);
        scaler.scale.push(rounded);
    }
    scaler
}

fn dense(layer: &Layer) -> Dense {
    let round = |values: &[f64]| values.iter().map(|&value| value as f32).collect();
    Dense::new(round(&layer.weights), round(&layer.bias), layer.activation)
}

/// Inputs and outputs that need names.
struct Meaning {
    classes: bool,
    outputs: usize,
    labels: Option<Vec<String>>,
    features: Option<Vec<String>>,
}

/// Most features and outputs whose names are made up.
const MOST_NAMES: usize = 1 << 20;

fn metadata(meaning: Meaning, inputs: usize, names: &Names) -> Result<Metadata, String> {
    let Meaning { classes, outputs, labels, features } = meaning;
    if inputs > MOST_NAMES || outputs > MOST_NAMES {
        return Err(format!("the model has {inputs} inputs and {outputs} outputs, too many"));
    }
    let counted = |what: &str, names: Vec<String>, wanted: usize| match names.len() == wanted {
        true => Ok(names),
        false => Err(format!("{} {what} are named, but the model has {wanted}", names.len())),
    };
    let numbered = |name: &str, count: usize| (0..count).map(|index| format!("{name}{index}")).collect();
    let features = counted("features", features.unwrap_or_else(|| numbered("x", inputs)), inputs)?;
    let target = || names.targets.clone();
    let task = if classes {
        let labels = counted("labels", labels.unwrap_or_else(|| numbered("", outputs)), outputs)?;
        let target = counted("targets", target().unwrap_or_else(|| vec!["target".into()]), 1)?;
        Task::Classification { target: target.concat(), labels }
    } else {
        let made = if outputs == 1 { vec!["target".into()] } else { numbered("target_", outputs) };
        Task::Regression { targets: counted("targets", target().unwrap_or(made), outputs)? }
    };
    Ok(Metadata::new(Role::Teacher, task, features))
}

/// Number of example rows.
const EXAMPLES: usize = 4;

/// Made-up rows around the mean of the features: an export makes its golden vectors from them.
fn examples(scaler: &Scaler) -> DMatrix<f32> {
    DMatrix::from_fn(scaler.mean.len(), EXAMPLES, |feature, row| {
        let (mean, scale) = (scaler.mean[feature], scaler.scale[feature]);
        let step = ((feature * 7 + row * 5) % 9) as f32 / 4.0 - 1.0;
        let value = mean + step / scale;
        if value.is_finite() { value } else { mean }
    })
}
