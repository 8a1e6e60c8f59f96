//! Models whose activations are int8: they keep their codes, so that every output is the original's.

use super::schema::{Kind, Model, Operator, Tensor};
use crate::foreign::lower::leaky;
use crate::network::Activation;
use crate::network::int8::{self, DenseI8, NetworkI8};

/// A network of codes.
pub(in crate::foreign) struct Codes {
    pub(in crate::foreign) network: NetworkI8,
    /// True if a softmax stood behind it.
    pub(in crate::foreign) softmax: bool,
    /// True if a sigmoid of one output stood behind it, whose logit is now the second of two.
    pub(in crate::foreign) sigmoid: bool,
    pub(in crate::foreign) passed: Vec<String>,
}

/// State of the walk along the chain of operators.
struct Walk<'a> {
    model: &'a Model<'a>,
    /// Tensor that the operators so far compute.
    at: usize,
    /// Codes of the features, once they are known.
    input: Option<int8::Codes>,
    layers: Vec<DenseI8>,
    softmax: bool,
    sigmoid: bool,
    passed: Vec<String>,
}

/// Reads a model whose operators form a chain.
pub(super) fn read(model: &Model<'_>) -> Result<Codes, String> {
    let (&[input], &[output]) = (model.inputs.as_slice(), model.outputs.as_slice()) else {
        return Err("it has several inputs or outputs".into());
    };
    let mut walk = Walk {
        model,
        at: input,
        input: None,
        layers: Vec::new(),
        softmax: false,
        sigmoid: false,
        passed: Vec::new(),
    };
    let first = &model.tensors[input];
    if matches!(first.kind, Kind::Int8 | Kind::UInt8) {
        walk.input = Some(codes(first)?);
    }
    for operator in &model.operators {
        let name = operator.outputs.first().map_or(String::new(), |&index| model.name(index));
        walk.step(operator).map_err(|why| format!("{} {name:?}: {why}", operator.kind))?;
    }
    if walk.at != output {
        return Err("its output is not that of the last operator".into());
    }
    let Walk { input, mut layers, softmax, sigmoid, passed, .. } = walk;
    let input = input.ok_or("its features have no codes")?;
    let Some(last) = layers.last_mut() else { return Err("it has no FULLY_CONNECTED layer".into()) };
    if last.activation != Activation::Identity {
        let name = last.activation.name();
        return Err(format!(
            "its last layer has the activation {name}, which only hidden layers have in int8"
        ));
    }
    if sigmoid {
        two_logits(last);
    }
    let network = NetworkI8 { input, table: None, layers, values: None };
    Ok(Codes { network, softmax, sigmoid, passed })
}

/// Returns the only scale and zero point of a tensor of 8 bits, as int8.
fn codes(tensor: &Tensor<'_>) -> Result<int8::Codes, String> {
    let shift = match tensor.kind {
        Kind::Int8 => 0,
        Kind::UInt8 => 128,
        kind => return Err(format!("the tensor {:?} is {}, expected INT8", tensor.name, named(kind))),
    };
    let (&[scale], zero) = (tensor.scales.as_slice(), tensor.zeros.first().copied().unwrap_or(0)) else {
        return Err(format!("the tensor {:?} has no single scale", tensor.name));
    };
    let zero = i8::try_from(zero - shift);
    let zero =
        zero.map_err(|_| format!("the tensor {:?} has a zero point outside of its codes", tensor.name))?;
    if !(scale.is_finite() && scale > 0.0) {
        return Err(format!("the tensor {:?} has the scale {scale}", tensor.name));
    }
    Ok(int8::Codes { scale, zero })
}

fn named(kind: Kind) -> String {
    match kind {
        Kind::Float32 => "FLOAT32".into(),
        Kind::Float16 => "FLOAT16".into(),
        Kind::Int32 => "INT32".into(),
        Kind::UInt8 => "UINT8".into(),
        Kind::Int64 => "INT64".into(),
        Kind::Bool => "BOOL".into(),
        Kind::Int16 => "INT16".into(),
        Kind::Int8 => "INT8".into(),
        Kind::Float64 => "FLOAT64".into(),
        Kind::BFloat16 => "BFLOAT16".into(),
        Kind::Other(code) => format!("the type {code}"),
    }
}

impl<'a> Walk<'a> {
    fn tensor(&self, index: Option<&i32>) -> Option<&'a Tensor<'a>> {
        index.and_then(|&index| usize::try_from(index).ok()).and_then(|index| self.model.tensors.get(index))
    }

    fn step(&mut self, operator: &Operator<'_>) -> Result<(), String> {
        if self
            .tensor(operator.outputs.first())
            .is_some_and(|output| matches!(output.kind, Kind::Int32 | Kind::Int64))
        {
            // It computes a shape.
            return Ok(());
        }
        let from = operator.inputs.first().copied().and_then(|index| usize::try_from(index).ok());
        if from != Some(self.at) {
            return Err("it does not follow the operator before it".into());
        }
        if self.softmax || self.sigmoid {
            match operator.kind.as_str() {
                "QUANTIZE" | "DEQUANTIZE" | "RESHAPE" => {}
                _ => return Err("it stands behind the end of the network".into()),
            }
        }
        let output = self.tensor(operator.outputs.first()).ok_or("it has no output")?;
        match operator.kind.as_str() {
            "FULLY_CONNECTED" => {
                let layer = self.dense(operator, output)?;
                self.layers.push(layer);
            }
            "QUANTIZE" => self.quantize(output)?,
            "DEQUANTIZE" | "RESHAPE" | "SQUEEZE" | "EXPAND_DIMS" => {
                self.passed.push(format!("{} {:?}", operator.kind, output.name))
            }
            "SOFTMAX" => {
                let beta = operator.options.map_or(Ok(1.0), |options| options.float(0))?;
                let outputs = self.layers.last().map_or(0, DenseI8::outputs);
                if beta != 1.0 || outputs < 2 {
                    return Err(format!("a softmax of {outputs} outputs with beta {beta}"));
                }
                self.softmax = true;
            }
            "LOGISTIC" if self.model.outputs.first().is_some_and(|&index| self.ends_at(output, index)) => {
                if self.layers.last().map_or(0, DenseI8::outputs) != 1 {
                    return Err("a sigmoid of several outputs has no form in int8".into());
                }
                self.sigmoid = true;
            }
            "RELU" | "RELU6" | "TANH" | "LOGISTIC" | "LEAKY_RELU" => self.activation(operator, output)?,
            _ => return Err("it has no form in int8".into()),
        }
        let index = operator.outputs.first().copied().and_then(|index| usize::try_from(index).ok());
        self.at = index.ok_or("it has no output")?;
        Ok(())
    }

    /// Returns true if the output `index` of the model is that tensor, but for a conversion.
    fn ends_at(&self, tensor: &Tensor<'_>, index: usize) -> bool {
        let name = |index: Option<&i32>| self.tensor(index).map(|tensor| tensor.name.as_str());
        let end = &self.model.tensors[index];
        let converts = |operator: &Operator<'_>| {
            matches!(operator.kind.as_str(), "QUANTIZE" | "DEQUANTIZE" | "RESHAPE")
                && name(operator.inputs.first()) == Some(&tensor.name)
                && name(operator.outputs.first()) == Some(&end.name)
        };
        end.name == tensor.name || self.model.operators.iter().any(converts)
    }

    /// A conversion: of the features to codes, or of codes to the same ones of another type.
    fn quantize(&mut self, output: &Tensor<'_>) -> Result<(), String> {
        let from = &self.model.tensors[self.at];
        let to = codes(output)?;
        if from.kind == Kind::Float32 && self.input.is_none() {
            self.input = Some(to);
        } else if codes(from)? != to {
            return Err("it changes the scale of codes".into());
        }
        self.passed.push(format!("QUANTIZE {:?}", output.name));
        Ok(())
    }

    fn dense(&mut self, operator: &Operator<'_>, output: &Tensor<'_>) -> Result<DenseI8, String> {
        let (input, sums) = (codes(&self.model.tensors[self.at])?, codes(output)?);
        if self.input.is_none() {
            self.input = Some(input);
        }
        let weights = self.tensor(operator.inputs.get(1)).ok_or("it has no weights")?;
        let (Kind::Int8, &[outputs, inputs]) = (weights.kind, weights.shape.as_slice()) else {
            let (kind, shape) = (named(weights.kind), &weights.shape);
            return Err(format!(
                "its weights are {kind} of the shape {shape:?}, expected INT8 of two dimensions"
            ));
        };
        if outputs == 0
            || inputs == 0
            || outputs.checked_mul(inputs) != Some(weights.bytes.len())
            || weights.is_sparse
        {
            return Err("its weights are not as many as their shape says".into());
        }
        let expected = match self.layers.last() {
            Some(layer) => Some(layer.outputs()),
            None => self.model.tensors[self.at]
                .shape
                .iter()
                .skip(1)
                .try_fold(1usize, |all, &length| all.checked_mul(length)),
        };
        if expected != Some(inputs) {
            return Err(format!(
                "its weights have {inputs} inputs, but it gets {} values",
                expected.unwrap_or_default()
            ));
        }
        if weights.zeros.iter().any(|&zero| zero != 0) || (weights.scales.len() > 1 && weights.axis != 0) {
            return Err("its weights have zero points, or scales along their inputs".into());
        }
        let (shuffled, fused) = match operator.options {
            Some(options) => (options.byte(1)?, options.byte(0)?),
            None => (0, 0),
        };
        let activation = match fused {
            0 => Activation::Identity,
            1 => Activation::Relu,
            3 => Activation::Relu6,
            _ => return Err("its fused activation has no form in int8".into()),
        };
        if shuffled != 0 {
            return Err("its weights are shuffled".into());
        }
        let bias = match self.tensor(operator.inputs.get(2)) {
            None => vec![0; outputs],
            Some(bias) if bias.kind == Kind::Int32 && bias.bytes.len() == 4 * outputs => {
                bias.bytes.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect()
            }
            Some(bias) => {
                return Err(format!("its bias is {}, expected one INT32 for each output", named(bias.kind)));
            }
        };
        Ok(DenseI8 {
            weights: weights.bytes.iter().map(|byte| byte.cast_signed()).collect(),
            group_scales: Vec::new(),
            bias,
            weight_scales: weights.scales.clone(),
            activation,
            sums: None,
            output: sums,
        })
    }

    /// An activation behind a layer: a clamp, or a table of codes.
    fn activation(&mut self, operator: &Operator<'_>, output: &Tensor<'_>) -> Result<(), String> {
        let output = codes(output)?;
        let slope = operator.options.map_or(Ok(0.0), |options| options.float(0))?;
        let last = self.layers.last_mut().filter(|layer| layer.activation == Activation::Identity);
        let last = last.ok_or("it does not follow a FULLY_CONNECTED layer without an activation")?;
        last.activation = match operator.kind.as_str() {
            "RELU" => Activation::Relu,
            "RELU6" => Activation::Relu6,
            "TANH" => Activation::Tanh,
            "LOGISTIC" => Activation::Sigmoid,
            _ => leaky(slope.into()),
        };
        if matches!(last.activation, Activation::Relu | Activation::Relu6 | Activation::Identity) {
            return if last.output == output { Ok(()) } else { Err("it changes the scale of codes".into()) };
        }
        last.sums = Some(last.output);
        last.output = output;
        Ok(())
    }
}

/// Makes the only output the second of two logits, of which the first is always zero.
fn two_logits(layer: &mut DenseI8) {
    let inputs = layer.weights.len();
    layer.weights.splice(..0, std::iter::repeat_n(0, inputs));
    layer.bias.insert(0, 0);
}
