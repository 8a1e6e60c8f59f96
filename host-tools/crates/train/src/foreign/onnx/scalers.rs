//! Operators of classical machine learning, `ai.onnx.ml`: scalers, linear models and what stands around labels.

use super::{Reader, proto};
use crate::foreign::graph::{Arithmetic, Axis, Op};
use crate::foreign::tensor::{Number, Tensor};
use crate::network::Activation;

impl Reader<'_> {
    /// Adds a node of the domain.
    pub(super) fn scaler_node(&mut self, node: &proto::Node) {
        let unsupported = |why: &str| Op::Unsupported(why.into());
        let op = match node.kind.as_str() {
            "Scaler" => scaler(node),
            "Normalizer" if node.text("norm") == Some("L1") => Op::Normalize,
            "Imputer" => imputer(node),
            "ArrayFeatureExtractor" => {
                self.keep_labels(node);
                Op::Gather(1)
            }
            "ZipMap" => {
                self.label(node.texts("classlabels_strings"), node.integers("classlabels_int64s"));
                Op::Same
            }
            "LabelEncoder" => Op::Labels,
            "Cast" => Op::Cast(Number::Float),
            "LinearRegressor" if matches!(node.text("post_transform"), None | Some("NONE")) => {
                return self.linear(node, "targets");
            }
            "LinearClassifier" => return self.classifier(node),
            "LinearRegressor" => unsupported("with a function behind it"),
            _ => unsupported(""),
        };
        self.push(node, op);
    }

    /// Keeps the labels that an index selects.
    fn keep_labels(&mut self, node: &proto::Node) {
        let Some(name) = node.inputs.first() else { return };
        let is_index = |index: &String| {
            self.graph.nodes.iter().any(|node| matches!(node.op, Op::Labels) && node.outputs.contains(index))
        };
        if !node.inputs.get(1).is_some_and(is_index) {
            return;
        }
        let texts = self.texts.get(name).cloned();
        let integers = self.graph.constants.get(name).and_then(Tensor::integers);
        self.label(texts.as_deref(), integers.as_deref());
    }

    /// Keeps the labels of the classes.
    fn label(&mut self, texts: Option<&[String]>, integers: Option<&[i64]>) {
        let texts = texts.filter(|texts| !texts.is_empty()).map(<[String]>::to_vec);
        let integers = || integers.filter(|integers| !integers.is_empty());
        let labels = texts.or_else(|| integers().map(|all| all.iter().map(i64::to_string).collect()));
        self.graph.labels = labels.or(self.graph.labels.take());
    }

    /// Adds a linear model as a dense layer; false if it is damaged.
    fn dense(&mut self, node: &proto::Node, rows: usize, input: &str, output: &str) -> bool {
        let (Some(weights), bias) =
            (node.floats("coefficients"), node.floats("intercepts").unwrap_or_default())
        else {
            return false;
        };
        if rows == 0
            || weights.is_empty()
            || !weights.len().is_multiple_of(rows)
            || ![0, rows].contains(&bias.len())
        {
            return false;
        }
        let Ok(tensor) = Tensor::new(vec![rows, weights.len() / rows], weights.to_vec(), Number::Integer)
        else {
            return false;
        };
        let names = [format!("{output}#weights"), format!("{output}#bias")];
        self.graph.constants.insert(names[0].clone(), tensor);
        let mut inputs = vec![input.to_owned(), names[0].clone()];
        if !bias.is_empty() {
            self.graph.constants.insert(names[1].clone(), Tensor::vector(bias.to_vec(), Number::Integer));
            inputs.push(names[1].clone());
        }
        self.add(node, Op::Dense { by_output: true, flatten: false }, inputs, vec![output.to_owned()]);
        true
    }

    fn linear(&mut self, node: &proto::Node, count: &str) {
        let rows = usize::try_from(node.integer(count).unwrap_or(1)).unwrap_or(0);
        let (input, output) = (node.inputs.first().cloned(), node.outputs.first().cloned());
        let (input, output) = (input.unwrap_or_default(), output.unwrap_or_default());
        if !self.dense(node, rows, &input, &output) {
            self.push(node, Op::Unsupported("of coefficients that do not fit its intercepts".into()));
        }
    }

    /// Adds a linear classifier: its first output is a label, the second has a score for each class.
    fn classifier(&mut self, node: &proto::Node) {
        let classes = node.texts("classlabels_strings").map_or(0, <[String]>::len);
        let classes = classes.max(node.integers("classlabels_ints").map_or(0, <[i64]>::len));
        self.label(node.texts("classlabels_strings"), node.integers("classlabels_ints"));
        let rows = node.floats("intercepts").map_or(classes, <[f64]>::len);
        let input = node.inputs.first().cloned().unwrap_or_default();
        let label = node.outputs.first().cloned().unwrap_or_default();
        let scores = node.outputs.get(1).cloned().unwrap_or_default();
        let logits = format!("{scores}#logits");
        let post = node.text("post_transform").unwrap_or("NONE").to_owned();
        let weights = node.floats("coefficients").unwrap_or_default();
        let opposite = |(low, high): (&[f64], &[f64])| low.iter().zip(high).all(|(a, b)| *a == -*b);
        // Of two rows that are opposites, the second is the logit of the second class.
        let both =
            rows == 2 && weights.len().is_multiple_of(2) && opposite(weights.split_at(weights.len() / 2));
        let outputs =
            if scores.is_empty() { vec![label.clone()] } else { vec![label.clone(), scores.clone()] };
        let refused = |why: &str| Op::Unsupported(why.into());
        let last = match (post.as_str(), rows) {
            ("NONE", rows) if rows == classes => Op::Same,
            ("SOFTMAX", rows) if rows == classes => Op::Softmax(Axis::One(-1)),
            ("LOGISTIC", 1 | 2) if classes == 2 && (rows == 1 || both) => Op::Activation(Activation::Sigmoid),
            ("LOGISTIC", rows) if rows == classes => Op::Activation(Activation::Sigmoid),
            _ => {
                return self.add(
                    node,
                    refused(&format!("with {post} of {rows} scores for {classes} classes")),
                    node.inputs.clone(),
                    outputs,
                );
            }
        };
        if !self.dense(node, rows, &input, &logits) {
            return self.add(
                node,
                refused("of coefficients that do not fit its intercepts"),
                node.inputs.clone(),
                outputs,
            );
        }
        self.add(node, Op::Labels, vec![logits.clone()], vec![label]);
        if post != "LOGISTIC" || classes != 2 {
            return self.add(node, last, vec![logits], vec![scores]);
        }
        let [one, logit, first, second] =
            ["one", "logit", "first", "second"].map(|name| format!("{scores}#{name}"));
        let number = |value: f64| Tensor::vector(vec![value], Number::Integer);
        self.graph.constants.insert(one.clone(), number(1.0));
        let index = format!("{scores}#index");
        self.graph.constants.insert(index.clone(), number((rows - 1) as f64));
        self.add(node, Op::Gather(1), vec![logits, index], vec![logit.clone()]);
        self.add(node, last, vec![logit], vec![second.clone()]);
        self.add(node, Op::Arithmetic(Arithmetic::Sub), vec![one, second.clone()], vec![first.clone()]);
        self.add(node, Op::Concat(1), vec![first, second], vec![scores]);
    }
}

/// `(x − offset)·scale`
fn scaler(node: &proto::Node) -> Op {
    let scale = node.floats("scale").unwrap_or(&[1.0]).to_vec();
    let offset = node.floats("offset").unwrap_or(&[0.0]);
    let at = |values: &[f64], index: usize| values.get(index).or(values.first()).copied().unwrap_or_default();
    if scale.len() != offset.len() && ![scale.len(), offset.len()].contains(&1) {
        return Op::Unsupported("with as many offsets as it has no scales".into());
    }
    let factors = (0..scale.len().max(offset.len())).map(|index| (at(&scale, index), at(offset, index)));
    let (scale, offset) = factors.map(|(scale, offset)| (scale, -offset * scale)).unzip();
    Op::Affine { scale, offset, axis: -1 }
}

fn imputer(node: &proto::Node) -> Op {
    let values = node.floats("imputed_value_floats").unwrap_or_default();
    let replaced = node.float("replaced_value_float");
    if values.is_empty() || !replaced.is_some_and(f64::is_nan) {
        return Op::Unsupported("of other values than missing ones".into());
    }
    Op::Impute(values.to_vec())
}
