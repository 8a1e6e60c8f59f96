//! Layers of Keras as nodes.

use serde_json::Value;

use super::activations;
use super::model::{Layer, Reader, prefixed, text};
use super::weights::Place;
use crate::foreign::graph::{Arithmetic, Op};
use crate::foreign::tensor::Tensor;

/// Smallest standard deviation of a normalization.
const EPSILON: f64 = 1e-7;

impl Reader<'_> {
    /// Adds a layer, and returns the names of its outputs: `output`, or those of a nested model.
    pub(super) fn layer(
        &mut self,
        layer: &Layer<'_>,
        place: &Place,
        inputs: Vec<String>,
        output: &str,
        level: usize,
    ) -> Result<Vec<String>, String> {
        let Layer { class, config, name, .. } = layer;
        if matches!(*class, "Sequential" | "Functional" | "Model") && config.get("layers").is_some() {
            let path = format!(
                "{}layers/{}",
                if place.path.is_empty() { String::new() } else { format!("{}/", place.path) },
                layer.key
            );
            let outermost =
                if place.outermost.is_empty() { (*name).to_owned() } else { place.outermost.clone() };
            return self.model(class, config, &Place { path, outermost }, Some(inputs), level + 1);
        }
        let op = match self.op(layer, place, output)? {
            Some(op @ (Op::Concat(_) | Op::Unsupported(_))) => op,
            Some(_) if inputs.len() != 1 => Op::Unsupported(format!("of {} inputs", inputs.len())),
            None if inputs.len() < 2 => Op::Unsupported("of one input".into()),
            Some(op) => op,
            None => return Ok(vec![self.arithmetic(layer, inputs, output)]),
        };
        let mut all = inputs;
        if matches!(op, Op::Dense { .. } | Op::BatchNorm { .. } | Op::Prelu) {
            for index in 0..4 {
                let name = format!("{output}#{index}");
                all.push(if self.graph.constants.contains_key(&name) { name } else { String::new() });
            }
        }
        let activation =
            if *class == "Dense" { activations::of(config.get("activation"), self.is_three) } else { None };
        let Some(activation) = activation else {
            self.add(layer, op, all, output.to_owned());
            return Ok(vec![output.to_owned()]);
        };
        let sum = format!("{output}#sum");
        self.add(layer, op, all, sum.clone());
        self.add(layer, activation, vec![sum], output.to_owned());
        Ok(vec![output.to_owned()])
    }

    /// Returns what a layer computes, and keeps its weights; none for an operation on several values.
    fn op(&mut self, layer: &Layer<'_>, place: &Place, output: &str) -> Result<Option<Op>, String> {
        let Layer { class, config, is_function, .. } = layer;
        if *is_function {
            return Ok(Some(Op::Unsupported("a function instead of a layer".into())));
        }
        if let Some(op) = activations::layer(class, config, self.is_three) {
            return Ok(Some(op));
        }
        Ok(Some(match *class {
            "Dense" | "BatchNormalization" | "PReLU" | "Normalization" => {
                self.weighted(layer, place, output)?
            }
            "Rescaling" => {
                let list = |member: &str, default: f64| match config.get(member) {
                    Some(Value::Array(values)) => values.iter().map(Value::as_f64).collect(),
                    Some(value) => value.as_f64().map(|value| vec![value]),
                    None => Some(vec![default]),
                };
                match (list("scale", 1.0), list("offset", 0.0)) {
                    (Some(scale), Some(offset)) => Op::Affine { scale, offset, axis: -1 },
                    _ => Op::Unsupported("with constants that are no numbers".into()),
                }
            }
            "Dropout" | "GaussianDropout" | "GaussianNoise" | "AlphaDropout" | "ActivityRegularization" => {
                Op::Same
            }
            "SpatialDropout1D" | "SpatialDropout2D" | "Identity" => Op::Same,
            "Flatten" if text(config, "data_format") == Some("channels_first") => {
                Op::Unsupported("of channels that come first".into())
            }
            "Flatten" => Op::Flatten(1),
            "Reshape" => match numbers(config.get("target_shape")) {
                Some(shape) => Op::Reshape(Some([-1].into_iter().chain(shape).collect())),
                None => Op::Unsupported("without a shape".into()),
            },
            "Permute" => match numbers(config.get("dims")) {
                Some(order) => Op::Transpose(Some([0].into_iter().chain(order).collect())),
                None => Op::Unsupported("without an order".into()),
            },
            "Concatenate" => Op::Concat(config.get("axis").and_then(Value::as_i64).unwrap_or(-1)),
            "Add" | "Subtract" | "Multiply" | "Average" | "Maximum" | "Minimum" => return Ok(None),
            "Lambda" => Op::Unsupported("its code is never loaded".into()),
            _ => Op::Unsupported(String::new()),
        }))
    }

    /// Returns what a layer with weights computes, and keeps them.
    fn weighted(&mut self, layer: &Layer<'_>, place: &Place, output: &str) -> Result<Op, String> {
        let Layer { class, config, name, key, .. } = layer;
        let policy = config.get("dtype");
        if policy.and_then(|dtype| text(dtype, "class_name")).is_some_and(|class| class.contains("Quantized"))
        {
            return Ok(Op::Unsupported("with quantized weights".into()));
        }
        let number = policy.and_then(|dtype| dtype.as_str().or_else(|| text(dtype.get("config")?, "name")));
        self.halves |= number.is_some_and(|number| number.contains("float16"));
        let tensors = self.weights.of(place, key, name)?.to_vec();
        let flag = |member: &str| config.get(member).and_then(Value::as_bool).unwrap_or(true);
        let axis = match config.get("axis") {
            None | Some(Value::Null) => -1,
            Some(Value::Array(axes)) if axes.len() == 1 => axes[0].as_i64().unwrap_or(-1),
            Some(axis) => axis.as_i64().unwrap_or(-1),
        };
        // The tensors that a layer has, in the order of the inputs of its node.
        let (parts, op) = match *class {
            "Dense" => (vec![true, flag("use_bias")], Op::Dense { by_output: false, flatten: false }),
            "BatchNormalization" => {
                let epsilon = config.get("epsilon").and_then(Value::as_f64).unwrap_or(1e-3);
                (vec![flag("scale"), flag("center"), true, true], Op::BatchNorm { epsilon, axis })
            }
            "PReLU" => (vec![true], Op::Prelu),
            _ => match normalization(config, &tensors, axis) {
                Some(op) => return Ok(op),
                None => (vec![true, true], Op::Same),
            },
        };
        let wanted = parts.iter().filter(|part| **part).count();
        if tensors.len() != wanted {
            let (path, found) = (prefixed(place, name), tensors.len());
            return Err(format!(
                "the layer {path:?} ({class}) has {found} weights in the file, expected {wanted}"
            ));
        }
        let units = config.get("units").and_then(Value::as_u64).filter(|_| *class == "Dense");
        if units.is_some_and(|units| tensors[0].dims.last().is_none_or(|&outputs| outputs as u64 != units)) {
            let (path, shape) = (prefixed(place, name), &tensors[0].dims);
            return Err(format!(
                "the layer {path:?} has weights of the shape {shape:?} in the file, but another number of units"
            ));
        }
        let places = parts.iter().enumerate().filter(|(_, part)| **part).map(|(index, _)| index);
        let names = places.map(|index| format!("{output}#{index}"));
        self.graph.constants.extend(names.zip(tensors));
        Ok(op)
    }

    /// Adds an operation on several values, two at a time.
    fn arithmetic(&mut self, layer: &Layer<'_>, inputs: Vec<String>, output: &str) -> String {
        let operation = match layer.class {
            "Subtract" => Arithmetic::Sub,
            "Multiply" => Arithmetic::Mul,
            "Maximum" => Arithmetic::Max,
            "Minimum" => Arithmetic::Min,
            _ => Arithmetic::Add,
        };
        let count = inputs.len();
        let mut inputs = inputs.into_iter();
        let mut all = inputs.next().unwrap_or_default();
        for (index, input) in inputs.enumerate() {
            let to = if index + 2 == count && layer.class != "Average" {
                output.to_owned()
            } else {
                format!("{output}#{index}")
            };
            self.add(layer, Op::Arithmetic(operation), vec![all, input], to.clone());
            all = to;
        }
        if layer.class == "Average" {
            let op = Op::Affine { scale: vec![1.0 / count.max(1) as f64], offset: vec![0.0], axis: -1 };
            self.add(layer, op, vec![all], output.to_owned());
            all = output.to_owned();
        }
        all
    }
}

fn numbers(value: Option<&Value>) -> Option<Vec<i64>> {
    value?.as_array()?.iter().map(Value::as_i64).collect()
}

/// A normalization by the statistics of its weights or of its configuration; none if they are missing.
fn normalization(config: &Value, tensors: &[Tensor], axis: i64) -> Option<Op> {
    let given = |member: &str| match config.get(member)? {
        Value::Array(values) => flat(values),
        value => value.as_f64().map(|value| vec![value]),
    };
    let (mean, variance) = match (given("mean"), given("variance"), tensors) {
        (Some(mean), Some(variance), _) => (mean, variance),
        (_, _, [mean, variance, ..]) => (mean.values.to_vec(), variance.values.to_vec()),
        _ => return None,
    };
    if mean.len() != variance.len() {
        return None;
    }
    let deviation = variance.iter().map(|variance| variance.sqrt().max(EPSILON));
    let factors = mean.iter().zip(deviation).map(|(mean, deviation)| {
        match config.get("invert").and_then(Value::as_bool).unwrap_or(false) {
            true => (deviation, *mean),
            false => (1.0 / deviation, -mean / deviation),
        }
    });
    let (scale, offset) = factors.unzip();
    Some(Op::Affine { scale, offset, axis })
}

/// Returns the numbers of lists in each other, as NumPy's arrays are written.
fn flat(values: &[Value]) -> Option<Vec<f64>> {
    let mut all = Vec::new();
    for value in values {
        match value {
            Value::Array(values) => all.extend(values.iter().map(Value::as_f64).collect::<Option<Vec<_>>>()?),
            value => all.push(value.as_f64()?),
        }
    }
    Some(all)
}
