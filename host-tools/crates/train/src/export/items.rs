//! The items of an exported file, in their order.

use super::parts::{GOLDEN, Parts};
use super::text::{Items, Node, array, call, comment, leaf};
use crate::dataset::{Task, Text};
use crate::model::{Metadata, Model};
use crate::network::macs;

/// A model on its way into a file.
pub(super) struct File<'a> {
    pub(super) model: &'a Model,
    /// Name of the network's static.
    pub(super) name: &'a str,
    pub(super) type_name: String,
    pub(super) parts: Parts,
}

impl File<'_> {
    /// The network's types, the network, and its edges.
    pub(super) fn network(&self, items: &mut Items) {
        let File { name, type_name, parts, .. } = self;
        let network_type = Node::Leaf(parts.network_type.clone());
        items.item("The network's type.", &format!("type {type_name}"), &network_type);
        let array_of = |width| Node::Leaf(format!("[{}; {width}]", parts.number));
        items.item("Input of the network.", "type Input", &array_of(self.inputs()));
        items.item("Output of the network.", "type Output", &array_of(self.outputs()));
        let (edge, value) = &parts.input;
        let doc = "Raw features to the network's input. A feature that is NaN or infinite counts as missing and becomes its mean; `microdistill::Strict` refuses it instead.";
        items.item(doc, &format!("static INPUT: {edge}"), value);
        let doc = format!("`{name}.predict(&INPUT.apply(&raw))` {}.", parts.gives);
        let (names, value) = &parts.network;
        let tensors = parts.tensors.iter().map(|tensor| (tensor.head.as_str(), &tensor.value));
        items.item_with(&doc, &format!("static {name}: {type_name}"), names, tensors, value);
        if let Some((edge, value)) = &parts.output {
            items.item(&format!("Codes to {}.", self.real("to")), &format!("static OUTPUT: {edge}"), value);
        }
    }

    /// Names of classes and features, and what makes features of texts.
    pub(super) fn words(&self, items: &mut Items) {
        let (labels, features) = (self.model.labels(), self.model.features());
        let head = format!("static LABELS: [&str; {}]", labels.len());
        let doc = "Classes, in the order of the outputs; none for regression.";
        items.item(doc, &head, &array(labels));
        let targets = self.targets();
        if !targets.is_empty() {
            let head = format!("static TARGETS: [&str; {}]", targets.len());
            items.item("Targets, in the order of the outputs.", &head, &array(targets));
        }
        let head = format!("static FEATURES: [&str; {}]", features.len());
        let doc = "Features, in the order of the inputs; `column=category` is 1 for that category, 0 for another or none.";
        items.item(doc, &head, &array(features));
        for (place, Text { column, lengths: [shortest, longest], features }) in Text::all(features) {
            let (name, column) = (text_name(place), comment(&column));
            let doc = format!(
                "The features from {place} on are `{name}.features(text)`, of the column \"{column}\"."
            );
            let head = format!("static {name}: ::microdistill::text::NGrams<{features}>");
            let value = call("::microdistill::text::NGrams::new", [leaf(shortest), leaf(longest)]);
            items.item(&doc, &head, &value);
        }
    }

    /// Origins of features and target, where f32 cannot hold the values themselves.
    pub(super) fn origins(&self, items: &mut Items) {
        let Metadata { origin, target_origin, .. } = &self.model.metadata;
        if !origin.is_empty() {
            let doc = "Origins of the features: a raw feature is `(value - ORIGIN[i]) as f32`, subtracted in f64, here and in exported rows.";
            items.item(doc, &format!("const ORIGIN: [f64; {}]", origin.len()), &array(origin));
        }
        match target_origin.as_slice() {
            [] => {}
            [origin] => {
                let doc = "Origin of the target: the value is `TARGET_ORIGIN + f64::from(predict(&raw)[0])`, added in f64.";
                items.item(doc, "const TARGET_ORIGIN: f64", &leaf(origin));
            }
            origins => {
                let doc = "Origins of the targets: value `i` is `TARGET_ORIGIN[i] + f64::from(predict(&raw)[i])`, added in f64.";
                items.item(doc, &format!("const TARGET_ORIGIN: [f64; {}]", origins.len()), &array(origins));
            }
        }
    }

    /// The golden vectors.
    pub(super) fn golden(&self, items: &mut Items) {
        let (inputs, rows) = (self.inputs(), self.model.examples.ncols());
        let (examples, missing) = &self.parts.golden;
        let vector = format!("{GOLDEN}<{inputs}, Input, Output>");
        let doc = "Outputs that the desktop computed. `self_test` compares them.";
        items.item_with(doc, &format!("static GOLDEN: [{vector}; {rows}]"), GOLDEN, [], examples);
        let doc = "The same for a row whose features are all missing.";
        items.item(doc, &format!("static MISSING: {vector}"), missing);
    }

    /// Writes the sizes of the network.
    pub(super) fn sizes(&self, items: &mut Items) {
        let File { model, type_name, parts, .. } = self;
        let multiplications = leaf(macs(&model.widths()));
        items.item("Weights and biases.", "const PARAMETERS: usize", &leaf(model.parameters()));
        items.item("Multiplications of an inference.", "const MACS: usize", &multiplications);
        let doc = "Bytes of flash: the network and its edges. `const _: () = assert!(FLASH_BYTES <= 4096);` holds it to a budget.";
        items.item(doc, "const FLASH_BYTES: usize", &leaf(parts.flash));
        let doc = "Bytes of the buffer that an inference works in, on this target; its input and its output come on top.";
        let scratch = Node::Leaf(format!("{type_name}::SCRATCH_BYTES"));
        items.item(doc, "const SCRATCH_BYTES: usize", &scratch);
        let doc = "Name of the kernel that the network uses on the target it is compiled for; `-C target-cpu` may give a faster one.";
        items.item(doc, "const KERNEL: &str", &Node::Leaf(parts.kernel.into()));
    }

    /// Writes the functions that firmware calls.
    pub(super) fn functions(&self, items: &mut Items) {
        let File { name, parts, .. } = self;
        let (inputs, outputs) = (self.inputs(), self.outputs());
        items.function(
            "The network alone: its input to its output.",
            "fn run(input: &Input) -> Output",
            &format!("{name}.predict(input)"),
        );
        items.function(
            &format!("The network's output as {}.", self.real("as")),
            &format!("fn decode(output: &Output) -> [f32; {outputs}]"),
            if parts.output.is_some() { "OUTPUT.apply(output)" } else { "*output" },
        );
        items.function(
            &format!("Raw features to {}.", self.real("to")),
            &format!("fn predict(raw: &[f32; {inputs}]) -> [f32; {outputs}]"),
            "decode(&run(&::microdistill::Prepare::apply(&INPUT, raw)))",
        );
        items.function(
            "Compares this machine with the desktop, to the bit.",
            "fn self_test() -> Result<(), ::microdistill::golden::Mismatch>",
            &format!("::microdistill::golden::self_test_with(&INPUT, &{name}, &GOLDEN, &MISSING)"),
        );
    }

    /// That the compiler lays the statics out in as many bytes as the file says.
    pub(super) fn assertion(&self, items: &mut Items) {
        let output = self.parts.output.as_ref().map(|_| "OUTPUT");
        let statics = [self.name, "INPUT"].into_iter().chain(output);
        let sizes: Vec<String> = statics.map(|name| format!("::core::mem::size_of_val(&{name})")).collect();
        items.equation("FLASH_BYTES", &sizes);
    }

    /// What outputs stand for, in a sentence with this word before it.
    fn real(&self, word: &str) -> String {
        if self.targets().len() > 1 { "values".into() } else { format!("logits, or {word} a value") }
    }

    /// Names of several targets; empty for one.
    fn targets(&self) -> &[String] {
        match &self.model.metadata.task {
            Task::Regression { targets } if targets.len() > 1 => targets,
            Task::Regression { .. } | Task::Classification { .. } => &[],
        }
    }

    fn inputs(&self) -> usize {
        self.model.features().len()
    }

    fn outputs(&self) -> usize {
        self.model.outputs()
    }
}

/// The static of the text whose features begin at `place`.
fn text_name(place: usize) -> String {
    if place == 0 { "TEXT".into() } else { format!("TEXT_{place}") }
}
