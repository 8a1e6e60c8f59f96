//! The result of a reduction: layers from input to output, and what the outputs mean.

use super::form::{Columns, Form, Matrix};
use super::{Flow, Lowering, Value};
use crate::network::Activation;

/// A chain of dense layers.
#[derive(Debug)]
pub(in crate::foreign) struct Chain {
    /// Scale and offset of each feature, before the first layer.
    pub(in crate::foreign) columns: Columns,
    /// Layers from input to output, at least one. The last one is linear.
    pub(in crate::foreign) layers: Vec<Layer>,
    pub(in crate::foreign) head: Head,
    pub(in crate::foreign) folded: Vec<String>,
    pub(in crate::foreign) passed: Vec<String>,
    /// Values that missing features are replaced with.
    pub(in crate::foreign) imputed: Option<Vec<f64>>,
    pub(in crate::foreign) notes: Vec<String>,
}

/// A dense layer.
#[derive(Debug)]
pub(in crate::foreign) struct Layer {
    /// Shape (outputs, inputs), row-major.
    pub(in crate::foreign) weights: Vec<f64>,
    pub(in crate::foreign) bias: Vec<f64>,
    pub(in crate::foreign) activation: Activation,
}

/// Meaning of the outputs, as far as the graph tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::foreign) enum Head {
    /// Logits or values: the graph ends with an affine function.
    Linear,
    /// Logits: the graph ends with a softmax, which was dropped.
    Softmax,
    /// One logit, for the second of two classes: the graph ends with a sigmoid, which was dropped.
    Sigmoid,
}

impl Lowering<'_> {
    /// Returns the chain that computes the value `output`.
    pub(super) fn finish(mut self, output: &str) -> Result<Chain, String> {
        let (flow, mut head) = match self.values.get(output) {
            Some(Value::Flow(flow)) => (flow.clone(), Head::Linear),
            Some(Value::Probabilities(flow)) => (flow.clone(), Head::Softmax),
            Some(Value::Constant(_)) => return Err(format!("the output {output:?} is a constant")),
            Some(Value::Labels) => {
                return Err(format!("the output {output:?} holds labels instead of numbers"));
            }
            Some(Value::Pending) => {
                return Err(format!(
                    "the output {output:?} is computed by a function that is no known activation"
                ));
            }
            None => return Err(format!("the output {output:?} is not computed")),
        };
        let mut flow = flow;
        if let Some((logit, turned)) = self.one_sigmoid(&flow) {
            head = Head::Sigmoid;
            flow = if turned { Flow { form: logit.form.scaled(&[-1.0], &[0.0]), ..logit } } else { logit };
        }
        let (columns, layers) = self.layers(&flow)?;
        let Lowering { folded, passed, imputed, .. } = self;
        let notes = std::mem::take(&mut self.notes);
        Ok(Chain { columns, layers, head, folded, passed, imputed, notes })
    }

    /// Returns true if a flow is the probabilities of two classes by a sigmoid.
    pub(super) fn is_distribution(&self, flow: &Flow) -> bool {
        self.one_sigmoid(flow).is_some()
    }

    /// Returns the logit if the output is the sigmoid of one, or both the sigmoid and one less it; and true if the first class
    /// has the sigmoid.
    fn one_sigmoid(&self, flow: &Flow) -> Option<(Flow, bool)> {
        let stage = self.stages.get(flow.stage).filter(|stage| stage.activation == Activation::Sigmoid)?;
        if stage.form.outputs() != 1 {
            return None;
        }
        let Matrix { weights, bias } = flow.form.folded()?;
        let turned = match (weights.as_slice(), bias.as_slice()) {
            ([1.0], [0.0]) | ([-1.0, 1.0], [1.0, 0.0]) => false,
            ([1.0, -1.0], [0.0, 1.0]) => true,
            _ => return None,
        };
        let form = stage.form.clone();
        Some((Flow { stage: stage.parent, dims: vec![1], form, double: flow.double }, turned))
    }

    /// Returns the factors of the features and the layers that compute a flow.
    fn layers(&self, flow: &Flow) -> Result<(Columns, Vec<Layer>), String> {
        let (mut form, mut stage, mut activation) = (&flow.form, flow.stage, Activation::Identity);
        let mut layers = Vec::new();
        let layer = |Matrix { weights, bias }: Matrix, activation| Layer { weights, bias, activation };
        let too_wide =
            |form: &Form| format!("a layer without weights has {} units, too many", form.outputs());
        while stage != 0 {
            layers.push(layer(form.folded().ok_or_else(|| too_wide(form))?, activation));
            let before = &self.stages[stage];
            (form, stage, activation) = (&before.form, before.parent, before.activation);
        }
        layers.push(layer(form.matrix().ok_or_else(|| too_wide(form))?, activation));
        layers.reverse();
        Ok((form.columns(), layers))
    }
}
