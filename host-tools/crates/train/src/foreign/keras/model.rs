//! Models of Keras: `Sequential` and functional ones, in each other.

use std::collections::HashMap;

use serde_json::Value;

use super::weights::{Place, Weights};
use crate::foreign::graph::{Graph, Input, Node, Op};

/// Builder of the graph of a model.
pub(super) struct Reader<'a> {
    pub(super) weights: &'a Weights,
    /// True for Keras 3, where some activations are other functions.
    pub(super) is_three: bool,
    /// True if a layer computes with 16 bits.
    pub(super) halves: bool,
    pub(super) graph: Graph,
}

/// A layer of a model.
pub(super) struct Layer<'a> {
    pub(super) class: &'a str,
    pub(super) config: &'a Value,
    /// Name, which is that of its outputs.
    pub(super) name: &'a str,
    /// Name of its class that the archive keeps its weights under.
    pub(super) key: String,
    /// True for a function, such as one of `keras.ops`, which may have the name of a layer.
    pub(super) is_function: bool,
}

/// A tensor of a configuration: layer, number of the call, number of the output.
type Named = (String, u64, u64);

/// A call of a layer: its number, and the tensors it takes.
type Call<'l, 'v> = (&'l Layer<'v>, u64, Vec<Named>);

/// Most layers of a model.
const MOST_LAYERS: usize = 10_000;

/// Most models in each other.
const MOST_LEVELS: usize = 10;

impl<'a> Reader<'a> {
    pub(super) fn new(weights: &'a Weights, version: &str) -> Self {
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        Reader {
            weights,
            is_three: major.is_some_and(|major| major >= 3),
            halves: false,
            graph: Graph::default(),
        }
    }

    /// Reads the configuration of a model.
    pub(super) fn read(mut self, value: &Value) -> Result<Graph, String> {
        let class = text(value, "class_name").unwrap_or_default();
        let config = value.get("config").ok_or("the configuration of the model has no member config")?;
        let outputs = self.model(class, config, &Place::default(), None, 0)?;
        self.graph.outputs = outputs;
        if self.halves {
            let note = "the original computes with 16 bits, and the model with 32, so its outputs are near, not equal";
            self.graph.notes.push(note.into());
        }
        Ok(self.graph)
    }

    /// Adds a model and returns the names of its outputs. `inputs` are those of a model in another one.
    pub(super) fn model(
        &mut self,
        class: &str,
        config: &Value,
        place: &Place,
        inputs: Option<Vec<String>>,
        level: usize,
    ) -> Result<Vec<String>, String> {
        if level > MOST_LEVELS {
            return Err("its models are nested too deeply".into());
        }
        // The oldest files have a list of layers where others have an object.
        let layers = config.get("layers").unwrap_or(config).as_array();
        let layers = layers.ok_or_else(|| {
            let other =
                if class.is_empty() { "a model".into() } else { format!("a model of the class {class}") };
            format!("{other}, whose layers are code: only Sequential and functional models are imported")
        })?;
        if layers.len() > MOST_LAYERS {
            return Err(format!("the model has {} layers, too many", layers.len()));
        }
        let mut counts = HashMap::new();
        let layers: Vec<Layer<'_>> =
            layers.iter().map(|layer| Layer::new(layer, &mut counts)).collect::<Result<_, _>>()?;
        match config.get("input_layers") {
            Some(ends) => self.functional(config, ends, &layers, place, inputs, level),
            None => self.sequential(config, &layers, place, inputs, level),
        }
    }

    fn sequential(
        &mut self,
        config: &Value,
        layers: &[Layer<'_>],
        place: &Place,
        inputs: Option<Vec<String>>,
        level: usize,
    ) -> Result<Vec<String>, String> {
        let mut values = inputs.unwrap_or_default();
        if values.is_empty() {
            let shape = layers
                .iter()
                .find_map(|layer| shape(layer.config))
                .or_else(|| config.get("build_input_shape"));
            let first = layers.iter().find(|layer| layer.class != "InputLayer");
            let first = first.ok_or("the model has no layers")?;
            let dims = self.dims(shape, first, place)?;
            let name = format!("input of {}", first.name);
            self.graph.inputs.push(Input { name: name.clone(), dims, double: false });
            values = vec![name];
        }
        for layer in layers.iter().filter(|layer| layer.class != "InputLayer") {
            values = self.layer(layer, place, values, &prefixed(place, layer.name), level)?;
        }
        Ok(values)
    }

    fn functional(
        &mut self,
        config: &Value,
        ends: &Value,
        layers: &[Layer<'_>],
        place: &Place,
        inputs: Option<Vec<String>>,
        level: usize,
    ) -> Result<Vec<String>, String> {
        let mut values = HashMap::<Named, String>::new();
        let starts = tensors(ends);
        for (index, (name, ..)) in starts.iter().enumerate() {
            let layer = layers.iter().find(|layer| layer.name == name);
            let layer = layer.ok_or_else(|| format!("the input {name:?} is no layer"))?;
            let value = match &inputs {
                Some(inputs) => {
                    inputs.get(index).cloned().ok_or("a nested model has fewer inputs than it takes")?
                }
                None => {
                    let dims = self.dims(shape(layer.config), layer, place)?;
                    self.graph.inputs.push(Input { name: name.clone(), dims, double: false });
                    name.clone()
                }
            };
            values.insert((name.clone(), 0, 0), value);
        }
        let list = config.get("layers").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut open: Vec<Call<'_, '_>> = Vec::new();
        for (layer, value) in layers.iter().zip(list).filter(|(layer, _)| layer.class != "InputLayer") {
            let calls = value.get("inbound_nodes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            open.extend(calls.iter().zip(0..).map(|(call, index)| (layer, index, tensors(call))));
        }
        if open.len() > MOST_LAYERS {
            return Err("its layers are called too often".into());
        }
        // Layers are in the order of their depth, but shared ones need not be.
        while !open.is_empty() {
            let before = open.len();
            let mut later = Vec::new();
            for (layer, index, from) in open {
                let Some(inputs) =
                    from.iter().map(|place| values.get(place).cloned()).collect::<Option<Vec<_>>>()
                else {
                    later.push((layer, index, from));
                    continue;
                };
                let output = prefixed(place, layer.name);
                let output = if index == 0 { output } else { format!("{output}:{index}") };
                for (tensor, name) in (0..).zip(self.layer(layer, place, inputs, &output, level)?) {
                    values.insert((layer.name.to_owned(), index, tensor), name);
                }
            }
            open = later;
            if open.len() == before {
                break;
            }
        }
        let ends = tensors(config.get("output_layers").unwrap_or(&Value::Null));
        let outputs = ends.iter().map(|end| values.get(end).cloned()).collect::<Option<Vec<_>>>();
        outputs
            .filter(|outputs| !outputs.is_empty())
            .ok_or_else(|| "its outputs depend on layers without inputs".into())
    }

    /// Returns the dimensions of an input without that of the batch.
    fn dims(&self, shape: Option<&Value>, layer: &Layer<'_>, place: &Place) -> Result<Vec<usize>, String> {
        let all = shape.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let rest = all.get(1..).unwrap_or_default();
        let known: Option<Vec<usize>> =
            rest.iter().map(|length| length.as_u64().and_then(|length| length.try_into().ok())).collect();
        let kernel = || self.weights.of(place, &layer.key, layer.name).ok()?.first()?.dims.first().copied();
        match known {
            Some(dims) if !dims.is_empty() => Ok(dims),
            _ if rest.len() <= 1 => kernel().map(|features| vec![features]).ok_or_else(|| {
                format!(
                    "the number of features of {:?} is not in the file: build the model before model.save",
                    layer.name
                )
            }),
            _ => Err(format!("the shape of the input of {:?} is not in the file", layer.name)),
        }
    }

    /// Adds a node.
    pub(super) fn add(&mut self, layer: &Layer<'_>, op: Op, inputs: Vec<String>, output: String) {
        let (name, kind) = (layer.name.to_owned(), layer.class.to_owned());
        self.graph.nodes.push(Node { name, kind, op, inputs, outputs: vec![output] });
    }
}

/// Returns a name that tells layers of nested models apart.
pub(super) fn prefixed(place: &Place, name: &str) -> String {
    if place.path.is_empty() { name.to_owned() } else { format!("{}/{name}", place.path) }
}

pub(super) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

/// Returns the shape of the input of a layer, if it tells one.
fn shape(config: &Value) -> Option<&Value> {
    ["batch_shape", "batch_input_shape"]
        .iter()
        .find_map(|name| config.get(*name))
        .filter(|shape| shape.is_array())
}

/// Returns the tensors that a value of a configuration names. Keras 2 lists them; Keras 3 has objects with their history.
fn tensors(value: &Value) -> Vec<Named> {
    let mut found = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(list) => match list.as_slice() {
                [Value::String(name), Value::Number(call), Value::Number(output), ..] => {
                    found.push((name.clone(), call.as_u64().unwrap_or(0), output.as_u64().unwrap_or(0)));
                }
                list => open.extend(list.iter().rev()),
            },
            Value::Object(object) => {
                match object.get("config").and_then(|config| config.get("keras_history")) {
                    Some(history) => open.push(history),
                    None => open.extend(["kwargs", "args"].iter().filter_map(|name| object.get(*name))),
                }
            }
            _ => {}
        }
    }
    found
}

impl<'a> Layer<'a> {
    fn new(value: &'a Value, counts: &mut HashMap<String, usize>) -> Result<Self, String> {
        let class = text(value, "class_name").ok_or("a layer of the configuration has no class_name")?;
        let config = value.get("config").ok_or_else(|| format!("the layer {class} has no configuration"))?;
        let name = text(config, "name").or(text(value, "name")).unwrap_or(class);
        let key = snake(class);
        let count = counts.entry(key.clone()).or_default();
        let key = if *count == 0 { key } else { format!("{key}_{count}") };
        *count += 1;
        let module = text(value, "module").unwrap_or("keras.layers");
        let parts: Vec<&str> = module.split('.').collect();
        let is_function =
            !parts.iter().any(|part| matches!(*part, "layers" | "models")) && parts != ["keras"];
        Ok(Layer { class, config, name, key, is_function })
    }
}

/// Returns the name of a class as Keras writes it in archives: `BatchNormalization` → `batch_normalization`.
fn snake(class: &str) -> String {
    let letters: Vec<char> =
        class.chars().filter(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    // A letter before a capital that begins a word, and then one between a small and a capital letter.
    let mut words = Vec::new();
    let mut index = 0;
    while index < letters.len() {
        words.push(letters[index]);
        let begins = |at: usize| {
            letters.get(at).is_some_and(char::is_ascii_uppercase)
                && letters.get(at + 1).is_some_and(char::is_ascii_lowercase)
        };
        if begins(index + 1) {
            words.push('_');
            index += 1;
            words.push(letters[index]);
            while letters.get(index + 1).is_some_and(char::is_ascii_lowercase) {
                index += 1;
                words.push(letters[index]);
            }
        }
        index += 1;
    }
    let mut name = String::new();
    for (index, letter) in words.iter().enumerate() {
        let after_small = index > 0 && words[index - 1].is_ascii_lowercase();
        if after_small && letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_the_names_of_archives() {
        for (class, name) in [
            ("Dense", "dense"),
            ("BatchNormalization", "batch_normalization"),
            ("ReLU", "re_lu"),
            ("LeakyReLU", "leaky_re_lu"),
            ("PReLU", "p_re_lu"),
            ("ELU", "elu"),
            ("GaussianNoise", "gaussian_noise"),
            ("SpatialDropout1D", "spatial_dropout1d"),
        ] {
            assert_eq!(snake(class), name);
        }
    }
}
