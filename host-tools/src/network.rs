//! An MLP whose shape is known at run time.

use serde::{Deserialize, Serialize};

/// Element-wise activation of a layer: the run-time name of `microdistill::activation`'s types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// `y = z`
    Identity,
    /// `y = max(z, 0)`
    Relu,
    /// `y = tanh z`
    Tanh,
}

/// `y = activation(weights·x + bias)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Shape (outputs, inputs), row-major.
    pub weights: Vec<f32>,
    /// Shape (outputs).
    pub bias: Vec<f32>,
    /// Applied to every output.
    pub activation: Activation,
}

impl Dense {
    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.weights.len() / self.bias.len()
    }
    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }
}

/// Dense layers in a row; the last one is linear (logits, or regression values).
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// At least one.
    pub layers: Vec<Dense>,
}
