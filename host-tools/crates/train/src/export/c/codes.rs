//! int8 networks in C, in integers between the codes of the input and those of the output.

use super::{Header, buffers};
use crate::model::Preparation;
use crate::network::int8::{Folded, NetworkI8, Stage, Table};

impl Header<'_> {
    /// Appends the arrays and functions of a network of codes. 4-bit weights are stored as the 8-bit ones that they stand for.
    pub(super) fn codes(&mut self, network: &NetworkI8) {
        let inputs = self.model.features().len();
        let folded = network.folded();
        let mut body = self.coded_input(network, inputs);
        let mut before = inputs;
        for (index, layer) in folded.iter().enumerate() {
            body += &self.layer(index, layer, before);
            before = layer.bias.len();
        }
        if folded.iter().any(|layer| layer.table.is_none()) {
            self.add(DENSE);
        }
        if let Some(Table { steps, .. }) = &network.table {
            let rows = self.model.preparation.knots().map_or(0, |knots| knots.rows());
            let pieces = PIECES.replace("STEPS", &steps.to_string()).replace("ROWS", &rows.to_string());
            self.add(&pieces);
        }
        let last = buffers(folded.len())[0];
        let output = match &network.values {
            Some(values) => {
                self.array("lowest", &values.lowest, usize::MAX);
                self.array("step", &values.scale, usize::MAX);
                format!("PREFIX_lowest[i] + (float)({last}[i] + 128) * PREFIX_step[i]")
            }
            None => {
                let output = network.output();
                format!("(float)({last}[i] - {}) * {:?}f", parenthesized(output.zero), output.scale)
            }
        };
        let outputs = self.model.outputs();
        body += &format!("    for (i = 0; i < {outputs}; i++) {{\n        outputs[i] = {output};\n    }}\n");
        self.predict("int8_t", &network.widths(), &body);
    }

    /// Appends what turns features into codes. Returns the loop that does so.
    fn coded_input(&mut self, network: &NetworkI8, inputs: usize) -> String {
        let steps = match (&self.model.preparation, &network.table) {
            (Preparation::Knots(knots), Some(Table { steps, .. })) => {
                self.knots(knots);
                format!("(PREFIX_coordinate(x[i], i) - (float)PREFIX_starts[i]) * {steps}.0f, -128")
            }
            (preparation, _) => {
                if let Preparation::Scaler(scaler) = preparation {
                    self.scaler(&scaler.mean, &scaler.scale);
                }
                let input = network.input;
                format!("PREFIX_standardized(x[i], i) / {:?}f, {}", input.scale, input.zero)
            }
        };
        self.add(CODE);
        format!("    for (i = 0; i < {inputs}; i++) {{\n        a[i] = PREFIX_code({steps});\n    }}\n")
    }

    /// Appends the arrays of a layer of so many inputs. Returns the statements that run it.
    fn layer(&mut self, index: usize, layer: &Folded<'_>, inputs: usize) -> String {
        let [from, to] = buffers(index);
        let outputs = layer.bias.len();
        let (multipliers, shifts): (Vec<i32>, Vec<i8>) =
            layer.requantize.iter().map(|factor| (factor.multiplier(), factor.shift())).unzip();
        let by_output = u8::from(multipliers.len() > 1);
        self.text.push('\n');
        let (weights, function) = match layer.table {
            Some(_) => ("table".to_owned(), "pieces"),
            None => (format!("weights_{index}"), "dense"),
        };
        let row = if layer.table.is_some() { outputs } else { inputs };
        self.array(&weights, &layer.weights, row);
        self.array(&format!("bias_{index}"), &layer.bias, usize::MAX);
        self.array(&format!("multipliers_{index}"), &multipliers, usize::MAX);
        self.array(&format!("shifts_{index}"), &shifts, usize::MAX);
        let (zero, statement) = match &layer.stage {
            Stage::Clamp(clamp) => {
                let cut = |sign: char, limit: i8| {
                    format!("        {to}[i] = {to}[i] {sign} {limit} ? {limit} : {to}[i];\n")
                };
                let lowest = if clamp.lowest > i8::MIN { cut('<', clamp.lowest) } else { String::new() };
                let highest = if clamp.highest < i8::MAX { cut('>', clamp.highest) } else { String::new() };
                (clamp.zero, lowest + &highest)
            }
            Stage::Table(table) => {
                let codes: Vec<i8> = (0..=u8::MAX).map(|code| table.map(code as i8)).collect();
                self.array(&format!("activation_{index}"), &codes, 16);
                (
                    microdistill::quant::Stage::zero(&**table),
                    format!("        {to}[i] = PREFIX_activation_{index}[(uint8_t){to}[i]];\n"),
                )
            }
        };
        let mut body = format!(
            "    PREFIX_{function}(PREFIX_{weights}, PREFIX_bias_{index}, PREFIX_multipliers_{index}, PREFIX_shifts_{index}, \
             {by_output}, {zero}, {from}, {to}, {inputs}, {outputs});\n"
        );
        if !statement.is_empty() {
            body += &format!("    for (i = 0; i < {outputs}; i++) {{\n{statement}    }}\n");
        }
        body
    }
}

/// A number behind a minus sign.
fn parenthesized(number: i8) -> String {
    if number < 0 { format!("({number})") } else { number.to_string() }
}

const CODE: &str = "
/* round(steps) + zero, halves away from zero, cut to a code. */
static inline int8_t PREFIX_code(float steps, int zero) {
    /* What lies beyond is cut all the same. */
    const float near = steps > 300.0f ? 300.0f : steps > -300.0f ? steps : -300.0f;
    int code = (int)near;
    const float rest = near - (float)code;
    code += (rest >= 0.5f) - (rest <= -0.5f) + zero;
    return (int8_t)(code < -128 ? -128 : code > 127 ? 127 : code);
}

/* round(sum * multiplier / 2^(31 - shift)) + zero, rounded twice as TensorFlow Lite's reference kernels do, cut to a code. */
static inline int8_t PREFIX_requantized(uint32_t sum, int32_t multiplier, int shift, int zero) {
    const int right = shift < 0 ? -shift : 0;
    /* Conversions to signed types wrap, and right shifts of negative numbers keep the sign, as on all usual compilers. */
    int64_t value = (int64_t)(int32_t)sum * ((int64_t)1 << (shift > 0 ? shift : 0));
    const int64_t mask = ((int64_t)1 << right) - 1;
    value = value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : value;
    value = (value * multiplier + ((int64_t)1 << 30)) >> 31;
    value = (value >> right) + ((value & mask) > (mask >> 1) + (value < 0)) + zero;
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}
";

const DENSE: &str = "
/* y = requantized(weights * x + bias), with a factor for each output, or one for all. */
static inline void PREFIX_dense(const int8_t *weights, const int32_t *bias, const int32_t *multipliers, const int8_t *shifts,
                                int by_output, int zero, const int8_t *x, int8_t *y, int inputs, int outputs) {
    int i, o;
    for (o = 0; o < outputs; o++) {
        const int factor = by_output ? o : 0;
        uint32_t sum = (uint32_t)bias[o];
        for (i = 0; i < inputs; i++) {
            sum += (uint32_t)(weights[o * inputs + i] * x[i]);
        }
        y[o] = PREFIX_requantized(sum, multipliers[factor], shifts[factor], zero);
    }
}
";

const PIECES: &str = "
/* y = requantized(bias, and for each input a share of the row at its code and of the next one). */
static inline void PREFIX_pieces(const int8_t *table, const int32_t *bias, const int32_t *multipliers, const int8_t *shifts,
                                 int by_output, int zero, const int8_t *x, int8_t *y, int inputs, int outputs) {
    int i, o;
    for (o = 0; o < outputs; o++) {
        const int factor = by_output ? o : 0;
        uint32_t sum = (uint32_t)bias[o];
        for (i = 0; i < inputs; i++) {
            const int code = x[i] + 128, row = PREFIX_starts[i] + code / STEPS, above = code % STEPS;
            /* There is no row above the last one, and no step. */
            const int next = row + 1 < ROWS ? row + 1 : row;
            if (row < ROWS) {
                sum += (uint32_t)(table[row * outputs + o] * (STEPS - above) + table[next * outputs + o] * above);
            }
        }
        y[o] = PREFIX_requantized(sum, multipliers[factor], shifts[factor], zero);
    }
}
";
