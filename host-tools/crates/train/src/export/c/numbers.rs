//! f32 networks in C.

use super::{Header, buffers, by_row};
use crate::model::Preparation;
use crate::network::{Activation, Network};

/// The line that includes what the activations need.
pub(super) fn include(network: &Network) -> &'static str {
    let curved = |activation| matches!(activation, Activation::Tanh | Activation::Sigmoid);
    if network.layers().iter().any(|layer| curved(layer.activation)) { "#include <math.h>\n" } else { "" }
}

impl Header<'_> {
    /// Appends the arrays and functions of a network.
    pub(super) fn network(&mut self, network: &Network) {
        let mut body = match &self.model.preparation {
            Preparation::Scaler(scaler) => {
                self.scaler(&scaler.mean, &scaler.scale);
                input("standardized", self.model.features().len())
            }
            Preparation::Knots(knots) => {
                self.knots(knots);
                input("coordinate", self.model.features().len())
            }
        };
        let mut has_dense = false;
        for (index, layer) in network.layers().iter().enumerate() {
            let (inputs, outputs) = (layer.inputs(), layer.outputs());
            let [from, to] = buffers(index);
            self.text.push('\n');
            if layer.is_piecewise_linear() {
                self.array("table", &by_row(&layer.weights(), outputs), outputs);
                body += &format!(
                    "    PREFIX_pieces(PREFIX_bias_{index}, {from}, {to}, {inputs}, {}, {outputs});\n",
                    layer.columns()
                );
            } else {
                has_dense = true;
                self.array(&format!("weights_{index}"), &layer.weights(), inputs);
                // As in the core, layers after the first skip inputs that are zero: a sum of -0 stays -0.
                let skip = u8::from(index > 0);
                body += &format!(
                    "    PREFIX_dense(PREFIX_weights_{index}, PREFIX_bias_{index}, {from}, {to}, {inputs}, {outputs}, {skip});\n"
                );
            }
            self.array(&format!("bias_{index}"), &layer.bias, usize::MAX);
            body += &activation(layer.activation, to, outputs);
        }
        let layers = network.layers().len();
        if has_dense {
            self.add(DENSE);
        }
        if self.model.preparation.knots().is_some() {
            self.add(PIECES);
        }
        let (last, outputs) = (buffers(layers)[0], self.model.outputs());
        body += &format!("    for (i = 0; i < {outputs}; i++) {{\n        outputs[i] = {last}[i];\n    }}\n");
        self.predict("float", &network.widths(), &body);
    }
}

/// The loop that prepares all features.
fn input(function: &str, inputs: usize) -> String {
    format!("    for (i = 0; i < {inputs}; i++) {{\n        a[i] = PREFIX_{function}(x[i], i);\n    }}\n")
}

/// The loop that applies an activation to a buffer.
fn activation(activation: Activation, buffer: &str, outputs: usize) -> String {
    let statement = match activation {
        // No format holds a curve.
        Activation::Identity | Activation::Curve(_) => return String::new(),
        Activation::Relu => "Y = Y < 0.0f ? 0.0f : Y;",
        Activation::Relu6 => "Y = Y < 0.0f ? 0.0f : Y > 6.0f ? 6.0f : Y;",
        Activation::LeakyRelu => "Y = Y < 0.0f ? 0.01f * Y : Y;",
        Activation::Tanh => "Y = tanhf(Y);",
        Activation::Sigmoid => "Y = Y < 0.0f ? expf(Y) / (1.0f + expf(Y)) : 1.0f / (1.0f + expf(-Y));",
    };
    let statement = statement.replace('Y', &format!("{buffer}[i]"));
    format!("    for (i = 0; i < {outputs}; i++) {{\n        {statement}\n    }}\n")
}

const DENSE: &str = "
/* y = weights * x + bias: the bias first, then the inputs by index, but for those that are zero if skip is set. */
static inline void PREFIX_dense(const float *weights, const float *bias, const float *x, float *y, int inputs, int outputs,
                                int skip) {
    int i, o;
    for (o = 0; o < outputs; o++) {
        float sum = bias[o];
        for (i = 0; i < inputs; i++) {
            if (!skip || x[i] != 0.0f) {
                sum += weights[o * inputs + i] * x[i];
            }
        }
        y[o] = sum;
    }
}
";

const PIECES: &str = "
/* y = bias, and for each input a share of the row at its coordinate and of the next one. */
static inline void PREFIX_pieces(const float *bias, const float *x, float *y, int inputs, int rows, int outputs) {
    int i, o, side;
    for (o = 0; o < outputs; o++) {
        y[o] = bias[o];
    }
    for (i = 0; i < inputs; i++) {
        const int row = (int)x[i] < rows - 2 ? (int)x[i] : rows - 2;
        const float above = x[i] - (float)row;
        const float share = above > 1.0f ? 1.0f : above > 0.0f ? above : 0.0f;
        for (side = 0; side < 2; side++) {
            const float part = side == 0 ? 1.0f - share : share;
            for (o = 0; o < outputs && part != 0.0f; o++) {
                y[o] += part * PREFIX_table[(row + side) * outputs + o];
            }
        }
    }
}
";
