//! Activations of Keras, by their names.

use serde_json::Value;

use crate::foreign::graph::{Axis, Op};
use crate::foreign::lower::leaky;
use crate::network::{Activation, Curve};

/// Returns the activation in the configuration of a layer; none if it is linear.
pub(super) fn of(value: Option<&Value>, is_three: bool) -> Option<Op> {
    match value {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => named(name, is_three),
        Some(Value::Object(object)) => {
            let class = object.get("class_name").and_then(Value::as_str).unwrap_or_default();
            match object.get("config") {
                // Keras knows its own functions by their names; the code of others is not in the file.
                Some(Value::String(name)) => match object.get("module") {
                    Some(module) if !module.is_null() && !is_keras(module) => Some(unknown(name)),
                    _ => named(name, is_three),
                },
                Some(config) => Some(layer(class, config, is_three).unwrap_or_else(|| unknown(class))),
                None => Some(unknown(class)),
            }
        }
        Some(_) => Some(unknown("?")),
    }
}

fn is_keras(module: &Value) -> bool {
    module.as_str().is_some_and(|module| module == "builtins" || module.starts_with("keras"))
}

fn unknown(name: &str) -> Op {
    Op::Unsupported(format!("the activation {name}"))
}

/// Returns the activation of a name.
fn named(name: &str, is_three: bool) -> Option<Op> {
    let curve = |curve| Op::Activation(Activation::Curve(curve));
    Some(match name {
        "linear" => return None,
        "relu" => Op::Activation(Activation::Relu),
        "relu6" => Op::Activation(Activation::Relu6),
        "tanh" => Op::Activation(Activation::Tanh),
        "sigmoid" => Op::Activation(Activation::Sigmoid),
        "leaky_relu" => Op::Activation(leaky(0.2)),
        "elu" => curve(Curve::Elu(1.0)),
        "celu" => curve(Curve::Elu(1.0)),
        "selu" => curve(Curve::Selu),
        "gelu" => curve(Curve::Gelu),
        "silu" | "swish" => curve(Curve::Silu),
        "hard_silu" | "hard_swish" => curve(Curve::HardSwish),
        "softplus" => curve(Curve::Softplus),
        "softsign" => curve(Curve::Softsign),
        "exponential" => curve(Curve::Exponential),
        "mish" => curve(Curve::Mish),
        "log_sigmoid" => curve(Curve::LogSigmoid),
        "hard_tanh" => Op::Clip { lowest: Some(-1.0), highest: Some(1.0) },
        "tanh_shrink" => curve(Curve::TanhShrink),
        "soft_shrink" => curve(Curve::SoftShrink(0.5)),
        "hard_shrink" => curve(Curve::HardShrink(0.5)),
        // Keras 3 has another function of this name.
        "hard_sigmoid" if is_three => curve(Curve::HardSigmoid(1.0 / 6.0, 0.5)),
        "hard_sigmoid" => curve(Curve::HardSigmoid(0.2, 0.5)),
        "softmax" => Op::Softmax(Axis::One(-1)),
        "log_softmax" => Op::Softmax(Axis::One(-1)),
        other => unknown(other),
    })
}

/// Returns the activation of a layer that is nothing else; none for other layers.
pub(super) fn layer(class: &str, config: &Value, is_three: bool) -> Option<Op> {
    let number = |names: &[&str], default: f64| match names.iter().find_map(|name| config.get(name)) {
        Some(Value::Null) | None => Some(default),
        // Keras 2 stores some numbers as arrays of NumPy.
        Some(Value::Object(object)) => object.get("value").or(object.get("config")?.get("value"))?.as_f64(),
        Some(value) => value.as_f64(),
    };
    let op = match class {
        "LeakyReLU" => number(&["negative_slope", "alpha"], 0.3).map(|slope| Op::Activation(leaky(slope))),
        "ELU" => {
            number(&["alpha"], 1.0).map(|alpha| Op::Activation(Activation::Curve(Curve::Elu(alpha as f32))))
        }
        "ThresholdedReLU" => number(&["theta"], 1.0)
            .map(|theta| Op::Activation(Activation::Curve(Curve::Threshold(theta as f32)))),
        "Softmax" => match config.get("axis") {
            None | Some(Value::Null) => Some(Op::Softmax(Axis::One(-1))),
            Some(Value::Array(axes)) if axes.len() == 1 => {
                axes[0].as_i64().map(|axis| Op::Softmax(Axis::One(axis)))
            }
            Some(axis) => axis.as_i64().map(|axis| Op::Softmax(Axis::One(axis))),
        },
        "Activation" => {
            return Some(of(config.get("activation"), is_three).unwrap_or(Op::Same));
        }
        "ReLU" => relu(
            number(&["negative_slope"], 0.0)?,
            number(&["threshold"], 0.0)?,
            config.get("max_value").filter(|value| !value.is_null()).map(|_| number(&["max_value"], 0.0)),
        ),
        _ => return None,
    };
    Some(op.unwrap_or_else(|| Op::Unsupported("with constants that are no numbers".into())))
}

/// A ReLU with the constants of Keras's layer.
fn relu(slope: f64, threshold: f64, highest: Option<Option<f64>>) -> Option<Op> {
    Some(match (slope, threshold, highest) {
        (_, _, Some(None)) => return None,
        (slope, 0.0, None) => Op::Activation(leaky(slope)),
        (0.0, 0.0, Some(highest)) => Op::Clip { lowest: Some(0.0), highest },
        (0.0, threshold, None) => Op::Activation(Activation::Curve(Curve::Threshold(threshold as f32))),
        _ => Op::Unsupported("with a threshold, or with both a slope and a largest value".into()),
    })
}
