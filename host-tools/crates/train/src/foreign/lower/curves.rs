//! Activations that a file spells out in several operators, such as `z·sigmoid(z)`.
//!
//! Every element-wise node is also computed on sample values of the last value that is no function of a single one: its
//! root. A node that is not affine is compared with the known activations on the samples.

use super::{Flow, Lowering, Value};
use crate::foreign::graph::{Node, Op};
use crate::network::{Activation, Curve};

/// A value as a function of each element of another one.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// Name of that value.
    root: String,
    /// Values of the function at the [samples].
    values: Vec<f64>,
}

/// Points at which functions are compared, on both sides of the bends of all activations.
fn samples() -> impl Iterator<Item = f64> {
    (-40..=40).map(|step| f64::from(step) * 0.21 + 0.013)
}

/// Largest difference from a known activation, relative to 1 or to its value. The constants in files have the digits of f32.
const TOLERANCE: f64 = 2e-6;

/// Known activations without a constant of their own.
const KNOWN: [Activation; 17] = [
    Activation::Relu,
    Activation::Relu6,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Curve(Curve::Silu),
    Activation::Curve(Curve::Gelu),
    Activation::Curve(Curve::GeluTanh),
    Activation::Curve(Curve::HardSwish),
    Activation::Curve(Curve::Mish),
    Activation::Curve(Curve::Softplus),
    Activation::Curve(Curve::Softsign),
    Activation::Curve(Curve::Selu),
    Activation::Curve(Curve::Elu(1.0)),
    Activation::Curve(Curve::TanhShrink),
    Activation::Curve(Curve::LogSigmoid),
    Activation::Curve(Curve::Exponential),
    Activation::Curve(Curve::Square),
];

impl<'a> Lowering<'a> {
    /// Computes a node on the samples, if it is a function of single elements.
    pub(super) fn watch(&mut self, node: &'a Node) {
        let (Some(view), Some(name)) = (self.view(node), node.outputs.first()) else { return };
        self.views.insert(name, view);
    }

    /// Returns true if a node was computed on the samples.
    pub(super) fn is_watched(&self, node: &Node) -> bool {
        node.outputs.first().is_some_and(|name| self.views.contains_key(name.as_str()))
    }

    /// Returns the name of the value that the first input of a node is a function of.
    pub(super) fn root(&self, node: &Node) -> String {
        let name = node.inputs.first().map_or("", String::as_str);
        self.views.get(name).map_or(name, |view| &view.root).to_owned()
    }

    /// Returns a node that is no affine function as an activation, or as a part of one.
    pub(super) fn pending(&mut self, node: &Node) -> Value {
        let view = node.outputs.first().and_then(|name| self.views.get(name.as_str()));
        let Some(view) = view else { return Value::Pending };
        let Some(Value::Flow(flow)) = self.values.get(view.root.as_str()) else { return Value::Pending };
        match known(&view.values) {
            None => Value::Pending,
            Some(activation) => {
                let flow: Flow = flow.clone();
                self.folded.push(node.named());
                Value::Flow(self.push(flow, activation))
            }
        }
    }

    fn view(&self, node: &Node) -> Option<View> {
        let one = |f: &dyn Fn(f64) -> f64| {
            let view = self.input_view(node, 0)?;
            Some(View { values: view.values.iter().map(|&z| f(z)).collect(), ..view })
        };
        match &node.op {
            Op::Same | Op::Cast(_) => one(&|z| z),
            Op::Function(function) => one(&|z| function.apply(z)),
            Op::Activation(activation) => one(&|z| value(*activation, z)),
            Op::Clip { lowest, highest } => {
                let bound = |given: Option<f64>, index| match given {
                    Some(given) => Some(given),
                    None => self.constant(node, index).ok().flatten().and_then(|bound| bound.single()),
                };
                let lowest = bound(*lowest, 1).unwrap_or(f64::NEG_INFINITY);
                let highest = bound(*highest, 2).unwrap_or(f64::INFINITY);
                one(&|z| z.max(lowest).min(highest))
            }
            Op::Arithmetic(operation) => {
                let single = |index| match self.input(node, index) {
                    Ok(Some(Value::Constant(tensor))) => tensor.single(),
                    _ => None,
                };
                if let Some(b) = single(1) {
                    return one(&|a| operation.apply(a, b));
                }
                let second = self.input_view(node, 1)?;
                let values = match single(0) {
                    Some(a) => second.values.iter().map(|&b| operation.apply(a, b)).collect(),
                    None => {
                        let first = self.input_view(node, 0).filter(|first| first.root == second.root)?;
                        let pairs = first.values.iter().zip(&second.values);
                        pairs.map(|(&a, &b)| operation.apply(a, b)).collect()
                    }
                };
                Some(View { values, ..second })
            }
            _ => None,
        }
    }

    /// Returns an input as a function of its root, which is itself if it is no function of another value.
    fn input_view(&self, node: &Node, index: usize) -> Option<View> {
        let name = node.inputs.get(index)?;
        match self.values.get(name.as_str())? {
            Value::Flow(_) | Value::Pending => Some(match self.views.get(name.as_str()) {
                Some(view) => view.clone(),
                None => View { root: name.clone(), values: samples().collect() },
            }),
            _ => None,
        }
    }
}

/// Returns the output of an activation in f64.
fn value(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Identity => z,
        Activation::Relu => z.max(0.0),
        Activation::Relu6 => z.clamp(0.0, 6.0),
        Activation::LeakyRelu => z.max(0.01 * z),
        Activation::Tanh => z.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
        Activation::Curve(curve) => curve.apply(z),
    }
}

/// Returns the activation with these values at the samples.
fn known(values: &[f64]) -> Option<Activation> {
    let is = |activation: Activation| {
        samples().zip(values).all(|(z, &found)| {
            let wanted = value(activation, z);
            (found - wanted).abs() <= TOLERANCE * wanted.abs().max(1.0)
        })
    };
    // Leaky ReLU and ELU have a constant, which the lowest sample tells.
    let (lowest, &found) = samples().zip(values).next()?;
    let leaky = super::steps::leaky((found / lowest * 1e6).round() / 1e6);
    let elu = Activation::Curve(Curve::Elu((found / lowest.exp_m1() * 1e6).round() as f32 / 1e6));
    KNOWN.into_iter().chain([leaky, elu]).find(|&activation| is(activation))
}
