//! Invariants of every usable model, whether it was read from a file, trained or built by hand.

use super::format::{KNOTS, member_prefix, network_prefix};
use super::{Body, Knots, Metadata, Model, Preparation, Scaler, Task};
use crate::blend::{Blend, Member, Part};
use crate::dataset::MOST_PIECES;
use crate::network::int8::{Codes, DenseI8, NetworkI8, Table, Values, fixed_codes};
use crate::network::precision::{Bits, LARGEST_GROUP_SCALE};
use crate::network::{Activation, Curve, Network};
use microdistill::quant::GROUP;

impl Model {
    /// Checks the model. An error names the tensor.
    pub(crate) fn check(&self) -> Result<(), String> {
        let features = self.metadata.features.len();
        if features == 0 {
            return Err("the model has no features".into());
        }
        let columns = check_preparation(&self.preparation, features)?;
        self.check_origins()?;
        if self.examples.nrows() != features {
            let width = self.examples.nrows();
            return Err(format!(
                "examples has {width} values per row, but the model has {features} features"
            ));
        }
        finite("examples", self.examples.as_slice())?;
        let outputs = match &self.body {
            Body::F32(network) => check_f32(network, "", columns)?,
            Body::Ensemble(members) => check_ensemble(members, columns)?,
            Body::Blend(blend) => check_blend(blend, features)?,
            Body::Int8(network) => {
                check_table(network, &self.preparation)?;
                check_i8(network, columns.count())?
            }
            Body::Int4(_) if self.preparation.knots().is_some() => {
                return Err("a piecewise-linear first layer has no int4 form".into());
            }
            Body::Int4(network) => check_i4(network, features)?,
        };
        match &self.metadata.task {
            Task::Classification { labels, .. } if labels.len() != outputs => Err(format!(
                "the model has {} labels, but its last layer has {outputs} outputs",
                labels.len()
            )),
            Task::Classification { .. } if self.has_targets() => {
                Err("targets.mean and targets.deviation are for values, but the model has labels".into())
            }
            Task::Classification { .. } if self.has_values() => {
                Err("values.lowest and values.scale are for values, but the model has labels".into())
            }
            Task::Regression { targets } if targets.len() != outputs => Err(format!(
                "the model has {} targets, but its last layer has {outputs} outputs",
                targets.len()
            )),
            _ => Ok(()),
        }
    }

    /// Checks that the core crate has types for the network, so that boards can run it. Models of other tools may have any
    /// activation in any layer.
    pub fn check_types(&self) -> Result<(), String> {
        match &self.body {
            Body::F32(network) => check_types(network.layers().iter().map(|layer| layer.activation)),
            Body::Int8(network) | Body::Int4(network) => {
                // A clamp has other numbers for each layer, and a table other codes, but both do not mix.
                let hidden = network.layers.split_last().map_or(&[][..], |(_, hidden)| hidden);
                match hidden
                    .iter()
                    .find(|layer| layer.activation.is_curved() != hidden[0].activation.is_curved())
                {
                    None => Ok(()),
                    Some(other) => Err(different(hidden[0].activation, other.activation)),
                }
            }
            Body::Ensemble(_) | Body::Blend(_) => Ok(()),
        }
    }

    /// Returns true if the outputs are values with ranges of their own.
    fn has_values(&self) -> bool {
        matches!(&self.body, Body::Int8(network) | Body::Int4(network) if network.values.is_some())
    }

    /// Returns true if the outputs are standardized values.
    fn has_targets(&self) -> bool {
        matches!(&self.body, Body::Blend(blend) if !blend.targets.is_empty())
    }

    /// An origin for each feature or for none, and for each target of a regression or for none.
    fn check_origins(&self) -> Result<(), String> {
        let Metadata { origin, target_origin, task, features, .. } = &self.metadata;
        let (count, features) = (origin.len(), features.len());
        if count != 0 && count != features {
            return Err(format!("origin has {count} values, the model has {features} features"));
        }
        if let Some(value) = origin.iter().chain(target_origin).find(|value| !value.is_finite()) {
            return Err(format!("an origin is {value}: a model has finite numbers only"));
        }
        match (target_origin.as_slice(), task) {
            ([], _) => Ok(()),
            (origin, Task::Classification { .. }) => {
                Err(format!("the target's origin is {origin:?}: classes have none"))
            }
            (origin, Task::Regression { targets }) if origin.len() != targets.len() => Err(format!(
                "target_origin has {} values, the model has {} targets",
                origin.len(),
                targets.len()
            )),
            _ => Ok(()),
        }
    }
}

/// Number of weights per output that the first layer of a network must have.
#[derive(Clone, Copy)]
enum Columns {
    /// One per feature.
    Features(usize),
    /// One per knot of this number of features.
    Knots(usize, usize),
}

impl Columns {
    fn count(self) -> usize {
        match self {
            Columns::Features(count) | Columns::Knots(_, count) => count,
        }
    }
}

/// Checks that the codes of the inputs are those between the knots, if there are any.
fn check_table(network: &NetworkI8, preparation: &Preparation) -> Result<(), String> {
    let wanted = preparation.knots().map(Knots::table);
    let codes = wanted.as_ref().map_or(network.input, Table::codes);
    if network.table != wanted || network.input != codes {
        let Codes { scale, zero } = codes;
        return Err(format!(
            "the inputs must have the codes of their knots: the scale {scale} and the zero point {zero}"
        ));
    }
    Ok(())
}

/// Checks the first step of an inference.
fn check_preparation(preparation: &Preparation, features: usize) -> Result<Columns, String> {
    let per_feature = |name: &str, count: usize| match count == features {
        true => Ok(()),
        false => Err(format!("{name} has {count} values, but the model has {features} features")),
    };
    match preparation {
        Preparation::Scaler(Scaler { mean, scale }) => {
            for (name, values) in [("scaler.mean", mean), ("scaler.scale", scale)] {
                per_feature(name, values.len())?;
                finite(name, values)?;
            }
            Ok(Columns::Features(features))
        }
        Preparation::Knots(Knots { knots, starts, mean }) => {
            let [name, starts_name, mean_name] = KNOTS;
            per_feature(starts_name, starts.len())?;
            per_feature(mean_name, mean.len())?;
            finite(name, knots)?;
            finite(mean_name, mean)?;
            if !(2..=usize::from(u16::MAX)).contains(&knots.len()) {
                return Err(format!(
                    "{name} has {} values, but a table has 2 to {} rows",
                    knots.len(),
                    u16::MAX
                ));
            }
            let ends = starts.iter().skip(1).map(|&start| usize::from(start)).chain([knots.len()]);
            let ordered = starts.iter().zip(ends).all(|(&start, end)| {
                let own = knots.get(usize::from(start)..end).unwrap_or_default();
                (1..=MOST_PIECES + 1).contains(&own.len()) && own.is_sorted_by(|low, high| low < high)
            });
            if starts.first() != Some(&0) || !ordered {
                return Err(format!(
                    "{starts_name} must give each feature 1 to {} knots, in ascending order in {name}",
                    MOST_PIECES + 1
                ));
            }
            Ok(Columns::Knots(features, knots.len()))
        }
    }
}

/// Checks every member of an ensemble, and that all have the same shape. Returns the number of outputs.
fn check_ensemble(members: &[Network], columns: Columns) -> Result<usize, String> {
    let Some(first) = members.first() else { return Err("an ensemble needs at least one member".into()) };
    for (index, member) in members.iter().enumerate() {
        check_f32(member, &member_prefix(index), columns)?;
        if member.widths() != first.widths() {
            return Err(format!("member {index} of the ensemble has another shape than the first one"));
        }
    }
    Ok(first.widths().last().copied().unwrap_or_default())
}

/// Checks every member of a blend. Returns the number of outputs.
fn check_blend(blend: &Blend, features: usize) -> Result<usize, String> {
    let outputs = blend.outputs();
    let Some(first) = blend.members.first() else { return Err("a blend needs at least one member".into()) };
    let mut sum = 0.0;
    for (index, Part { weight, temperature, member }) in blend.members.iter().enumerate() {
        let prefix = member_prefix(index);
        positive(&format!("{prefix}weight"), &[*weight])?;
        positive(&format!("{prefix}temperature"), &[*temperature])?;
        sum += weight;
        check_member(member, &prefix, features)?;
        if member.outputs() != outputs {
            let (wanted, found) = (outputs, member.outputs());
            return Err(format!("{prefix} has {found} outputs, but the first member has {wanted}"));
        }
    }
    if (sum - 1.0).abs() > 1e-3 {
        return Err(format!("the weights of the members sum to {sum}: they must sum to 1"));
    }
    let count = blend.targets.len();
    if count != 0 && count != first.member.outputs() {
        return Err(format!("targets.mean has {count} values, but the model has {outputs} outputs"));
    }
    let (means, deviations): (Vec<f32>, Vec<f32>) = blend.targets.iter().copied().unzip();
    finite("targets.mean", &means)?;
    positive("targets.deviation", &deviations)?;
    Ok(outputs)
}

/// Checks a member of a blend. `prefix` comes before the names of its tensors in errors.
fn check_member(member: &Member, prefix: &str, features: usize) -> Result<(), String> {
    let named = |error| format!("{prefix}{error}");
    match member {
        Member::Trees(trees) => {
            trees.check(features).map_err(named)?;
            finite(&format!("{prefix}trees.thresholds"), &trees.thresholds)?;
            finite(&format!("{prefix}trees.leaves"), &trees.leaves)?;
            finite(&format!("{prefix}trees.base"), &trees.base)
        }
        Member::Kernel(kernel) => {
            kernel.check(features).map_err(named)?;
            finite(&format!("{prefix}kernel.landmarks"), kernel.landmarks.as_slice())?;
            finite(&format!("{prefix}kernel.coefficients"), kernel.coefficients.as_slice())?;
            finite(&format!("{prefix}kernel.offset"), &kernel.offset)
        }
        Member::Networks(networks) => {
            let Some(first) = networks.first() else { return Err(format!("{prefix}networks is empty")) };
            for (index, network) in networks.iter().enumerate() {
                check_f32(network, &network_prefix(prefix, index), Columns::Features(features))?;
                if network.widths() != first.widths() {
                    return Err(format!("{prefix}networks have different shapes"));
                }
            }
            Ok(())
        }
    }
}

/// Checks an f32 network. `prefix` comes before the names of its tensors in errors. Returns the number of outputs.
fn check_f32(network: &Network, prefix: &str, columns: Columns) -> Result<usize, String> {
    check_activations(network.layers().iter().map(|layer| layer.activation))?;
    let (mut width, piecewise) = match columns {
        Columns::Features(features) => (features, None),
        Columns::Knots(features, rows) => (rows, Some(features)),
    };
    for (index, layer) in network.layers().iter().enumerate() {
        let weights = layer.weights();
        let wanted = piecewise.filter(|_| index == 0);
        if layer.is_piecewise_linear() != wanted.is_some()
            || wanted.is_some_and(|inputs| inputs != layer.inputs())
        {
            return Err(format!(
                "layer {index} must be piecewise linear if and only if it is the first one and the inputs have knots"
            ));
        }
        width = chain(index, width, weights.len(), layer.bias.len())?;
        finite(&format!("{prefix}layers.{index}.weights"), &weights)?;
        finite(&format!("{prefix}layers.{index}.bias"), &layer.bias)?;
    }
    Ok(width)
}

fn check_i8(network: &NetworkI8, features: usize) -> Result<usize, String> {
    check_activations(network.layers.iter().map(|layer| layer.activation))?;
    let mut width = features;
    let (mut scales, mut sums) = (vec![network.input.scale], Vec::new());
    for (index, layer) in network.layers.iter().enumerate() {
        let name = layer.activation.name();
        if matches!(layer.activation, Activation::Curve(curve) if !matches!(curve, Curve::LeakyRelu(_))) {
            return Err(format!("layer {index}: {name} has no form in int8"));
        }
        if layer.sums.is_some() != layer.activation.is_curved() {
            let needs =
                if layer.sums.is_none() { "needs the codes of its sums" } else { "has no codes of sums" };
            return Err(format!("layer {index}: {name} {needs}"));
        }
        if let Some(codes) = fixed_codes(layer.activation).filter(|codes| *codes != layer.output) {
            let Codes { scale, zero } = codes;
            return Err(format!(
                "layer {index}: the outputs of {name} must have the scale {scale} and the zero point {zero}"
            ));
        }
        width = chain(index, width, layer.weights.len(), layer.bias.len())?;
        if layer.weights.contains(&i8::MIN) {
            return Err(format!("layers.{index}.weights holds -128: int8 weights must be in [-127, 127]"));
        }
        let count = layer.weight_scales.len();
        if count != 1 && count != width {
            return Err(format!(
                "layers.{index}.weight_scale has {count} values: a layer of {width} outputs needs {width} or 1"
            ));
        }
        positive(&format!("layers.{index}.weight_scale"), &layer.weight_scales)?;
        scales.push(layer.output.scale);
        sums.extend(layer.sums.map(|codes| codes.scale));
    }
    positive("activations.scale", &scales)?;
    positive("sums.scale", &sums)?;
    check_values(network, width)?;
    Ok(width)
}

/// Checks the ranges of values, if the network of `outputs` outputs has any.
fn check_values(network: &NetworkI8, outputs: usize) -> Result<(), String> {
    let Some(Values { lowest, scale }) = &network.values else { return Ok(()) };
    for (name, values) in [("lowest", lowest), ("scale", scale)] {
        if values.len() != outputs {
            let count = values.len();
            return Err(format!(
                "values.{name} has {count} values, but the last layer has {outputs} outputs"
            ));
        }
    }
    finite("values.lowest", lowest)?;
    positive("values.scale", scale)?;
    let Codes { scale, zero } = Values::CODES;
    if network.output() != Values::CODES {
        return Err(format!(
            "the last layer must have the scale {scale} and the zero point {zero} under values.scale"
        ));
    }
    Ok(())
}

/// Checks an int8 network, and that its weights fit in 4 bits with the scales of their groups.
fn check_i4(network: &NetworkI8, features: usize) -> Result<usize, String> {
    let outputs = check_i8(network, features)?;
    let grouped = |layer: &DenseI8| !layer.group_scales.is_empty();
    let all = network.layers.iter().all(grouped);
    for (index, layer) in network.layers.iter().enumerate() {
        let wanted = if all { layer.outputs() * layer.inputs().div_ceil(GROUP) } else { 0 };
        let count = layer.group_scales.len();
        if count != wanted {
            return Err(format!("layers.{index}.group_scale has {count} values, expected {wanted}"));
        }
        if layer.weight_scales.len() != layer.outputs() {
            return Err(format!("layers.{index}.weight_scale has one value: int4 needs one per output"));
        }
        if layer.group_scales.iter().any(|scale| !(1..=LARGEST_GROUP_SCALE).contains(scale)) {
            return Err(format!(
                "layers.{index}.group_scale holds a number outside [1, {LARGEST_GROUP_SCALE}]"
            ));
        }
        let limit = Bits::Four.limit();
        let fits = |(weight, (code, scale)): (&i8, (i8, i8))| code.abs() <= limit && code * scale == *weight;
        if !layer.weights.iter().zip(layer.codes()).all(fits) {
            return Err(format!(
                "layers.{index}.weights: an int4 weight must be the scale of its group times a number in \
                 [-{limit}, {limit}]"
            ));
        }
    }
    Ok(outputs)
}

/// Checks that the last layer is linear, and that the constants of activations are finite.
fn check_activations(mut activations: impl DoubleEndedIterator<Item = Activation>) -> Result<(), String> {
    match activations.next_back() {
        None => return Err("the model has no layers".into()),
        Some(Activation::Identity) => {}
        Some(_) => {
            return Err(
                "the last layer has an activation: it must be linear and give logits or values".into()
            );
        }
    }
    let infinite =
        |activation: &Activation| matches!(activation, Activation::Curve(curve) if !curve.is_finite());
    match activations.find(infinite) {
        Some(activation) => Err(format!("the activation {activation:?} has a constant that is not finite")),
        None => Ok(()),
    }
}

/// Checks that all hidden layers have the same activation, and that the core crate has it, because its types can express no
/// other network.
fn check_types(mut activations: impl DoubleEndedIterator<Item = Activation>) -> Result<(), String> {
    activations.next_back();
    let first = activations.next();
    if let Some((first, other)) = first.zip(activations.find(|activation| Some(*activation) != first)) {
        return Err(different(first, other));
    }
    match first {
        Some(Activation::Curve(curve)) => {
            let name = curve.name();
            Err(format!("the activation of the hidden layers is {name}, which no board runs: {TEACHER}"))
        }
        _ => Ok(()),
    }
}

/// Use of a model that no board runs.
const TEACHER: &str = "it can be a teacher: distill a student from it";

fn different(first: Activation, other: Activation) -> String {
    let (first, other) = (first.name(), other.name());
    format!("hidden layers have different activations ({first} and {other}), which no board runs: {TEACHER}")
}

/// Checks the shape of layer `index`, which has `inputs` inputs, and returns its number of outputs.
fn chain(index: usize, inputs: usize, weights: usize, outputs: usize) -> Result<usize, String> {
    if outputs == 0 || Some(weights) != inputs.checked_mul(outputs) {
        return Err(format!(
            "layers.{index}.weights has {weights} values, but the layer has {inputs} inputs (outputs of the layer \
             before) and {outputs} outputs (length of its bias)"
        ));
    }
    Ok(outputs)
}

fn finite(name: &str, values: &[f32]) -> Result<(), String> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => {
            let value = values[index];
            Err(format!("{name} holds {value} at position {index}: all numbers of a model must be finite"))
        }
    }
}

fn positive(name: &str, scales: &[f32]) -> Result<(), String> {
    finite(name, scales)?;
    match scales.iter().find(|scale| **scale <= 0.0) {
        None => Ok(()),
        Some(scale) => Err(format!("{name} holds {scale}: a scale must be above 0")),
    }
}
