//! A model as a C header: arrays and one function, in C99 and C++, without memory of the heap.
//!
//! The order of all operations is that of the core's portable kernels, so the outputs have the same bits, but for `tanhf`
//! and `expf` of the C library and for compilers that fuse products and sums.

mod codes;
mod numbers;
mod text;

use super::format::Exported;
use super::{facts, type_name};
use crate::dataset::Task;
use crate::error::{Error, Result};
use crate::model::{Body, Knots, Model};
use text::{array, in_comment, strings};

/// The header. `name` is that of the Rust static, as `STUDENT`: the function is then `student_predict`.
///
/// # Errors
/// Fails if the name is no constant's, if the model is an ensemble or a blend, and if a number is not finite.
pub(super) fn export(model: &Model, name: &str, command: &str) -> Result<Exported> {
    type_name(name)?;
    model.check().map_err(Error::Invalid)?;
    let prefix = name.to_ascii_lowercase();
    let mut header = Header { prefix, text: String::new(), model };
    let mut notes = Vec::new();
    match &model.body {
        Body::F32(network) => {
            header.open(name, command, numbers::include(network));
            header.network(network);
        }
        Body::Int8(network) | Body::Int4(network) => {
            header.open(name, command, "");
            header.codes(network);
        }
        Body::Ensemble(members) => return Err(Error::ensemble(members.len())),
        Body::Blend(blend) => return Err(Error::blend(blend.members.len())),
    }
    if matches!(model.body, Body::Int4(_)) {
        notes
            .push("the 4-bit weights are stored in 8 bits: twice the bytes, and the same outputs".to_owned());
    }
    header.text += &format!("\n#endif /* {name}_H */\n");
    Ok(Exported { bytes: header.text.into_bytes(), notes })
}

/// A header that is being written.
struct Header<'a> {
    /// Beginning of all names, as `student`.
    prefix: String,
    text: String,
    model: &'a Model,
}

impl Header<'_> {
    /// Appends `code`, in which `PREFIX` stands for the prefix of all names.
    fn add(&mut self, code: &str) {
        self.text += &code.replace("PREFIX", &self.prefix);
    }

    /// Appends an array, with a line break behind each row of so many numbers.
    fn array<T: text::Literal>(&mut self, name: &str, values: &[T], row: usize) {
        array(&mut self.text, &format!("{}_{name}", self.prefix), values, row);
    }

    /// Appends what stands before the first array of numbers: comment, guard, sizes and names.
    fn open(&mut self, name: &str, command: &str, include: &str) {
        let Header { model, .. } = *self;
        self.add("/*\n * Exported by microdistill: change the model and export again, not this file.\n *\n");
        for (key, value) in facts(model, command) {
            self.text += &format!(" * {key}: {}\n", in_comment(&value));
        }
        let outputs = match model.metadata.task {
            Task::Classification { .. } => {
                "writes logits in the order of PREFIX_labels, and returns\n * the index of the largest one"
            }
            Task::Regression { .. } => "writes values in the order of PREFIX_targets, and returns 0",
        };
        self.add(&format!(
            " *\n * PREFIX_predict(x, outputs) takes raw features in the order of PREFIX_features. One that is NaN or infinite counts\n \
             * as missing and becomes its mean. The function {outputs}.\n \
             * With GCC, -ffp-contract=off gives the bits of the desktop on processors that fuse products and sums, too.\n */\n\n"
        ));
        self.text += &format!("#ifndef {name}_H\n#define {name}_H\n\n#include <stdint.h>\n{include}\n");
        self.text += "#ifdef __clang__\n#pragma STDC FP_CONTRACT OFF\n#endif\n\n";
        let (inputs, outputs) = (model.features().len(), model.outputs());
        self.text += &format!("#define {name}_INPUTS {inputs}\n#define {name}_OUTPUTS {outputs}\n\n");
        self.words();
    }

    /// Names of features and outputs, and origins.
    fn words(&mut self) {
        let Header { model, .. } = *self;
        strings(&mut self.text, &format!("{}_features", self.prefix), model.features());
        let (kind, names) = match &model.metadata.task {
            Task::Classification { labels, .. } => ("labels", labels),
            Task::Regression { targets } => ("targets", targets),
        };
        strings(&mut self.text, &format!("{}_{kind}", self.prefix), names);
        let metadata = &model.metadata;
        if !metadata.origin.is_empty() {
            self.add(
                "/* Origins of the features: x[i] is (float)(value - PREFIX_origin[i]), subtracted in double. */\n",
            );
            self.array("origin", &metadata.origin, usize::MAX);
        }
        if !metadata.target_origin.is_empty() {
            self.add(
                "/* Origins of the targets: a value is PREFIX_target_origin[i] + (double)outputs[i], added in double. */\n",
            );
            self.array("target_origin", &metadata.target_origin, usize::MAX);
        }
        self.text.push('\n');
    }

    /// Knots of all features, and the function that gives the coordinate of one.
    fn knots(&mut self, knots: &Knots) {
        self.array("knots", &knots.knots, usize::MAX);
        let rows = u16::try_from(knots.rows()).unwrap_or(u16::MAX);
        self.array("starts", &[&knots.starts[..], &[rows]].concat(), usize::MAX);
        self.array("missing", &knots.coordinates(&knots.mean), usize::MAX);
        self.add(COORDINATE);
    }

    /// The scaler, and the function that standardizes a feature.
    fn scaler(&mut self, mean: &[f32], scale: &[f32]) {
        self.array("mean", mean, usize::MAX);
        self.array("scale", scale, usize::MAX);
        self.add(STANDARDIZED);
    }

    /// `PREFIX_predict`, whose `body` writes `outputs`. The widths of all layers are those of its two buffers.
    fn predict(&mut self, number: &str, widths: &[usize], body: &str) {
        let widest = |first: usize| widths.iter().skip(first).step_by(2).max().copied().unwrap_or(1);
        let (even, odd) = (widest(0), widest(1));
        let returned = match self.model.metadata.task {
            Task::Regression { .. } => "    return 0;\n".into(),
            Task::Classification { .. } => LARGEST.replace("OUTPUTS", &self.model.outputs().to_string()),
        };
        self.add(&format!(
            "\nstatic inline int PREFIX_predict(const float *x, float *outputs) {{\n    {number} a[{even}], b[{odd}];\n    \
             int i;\n{body}{returned}}}\n"
        ));
    }
}

/// The buffers that layer `index` reads from and writes to.
fn buffers(index: usize) -> [&'static str; 2] {
    if index.is_multiple_of(2) { ["a", "b"] } else { ["b", "a"] }
}

/// Rows of the table of a piecewise-linear layer of `outputs` outputs.
fn by_row<T: Copy>(weights: &[T], outputs: usize) -> Vec<T> {
    let rows = weights.len() / outputs.max(1);
    (0..rows).flat_map(|row| weights.iter().skip(row).step_by(rows.max(1))).copied().collect()
}

const STANDARDIZED: &str = "
/* Standardizes a feature; 0, which is the mean, if it is missing. */
static inline float PREFIX_standardized(float x, int feature) {
    const float z = (x - PREFIX_mean[feature]) * PREFIX_scale[feature];
    return z >= -3.4028235e38f && z <= 3.4028235e38f ? z : 0.0f;
}
";

const COORDINATE: &str = "
/* Coordinate of a feature in the table of the first layer: the row of the knot below, and the share of the one above. */
static inline float PREFIX_coordinate(float x, int feature) {
    const int start = PREFIX_starts[feature], count = PREFIX_starts[feature + 1] - start;
    const float *knots = PREFIX_knots + start;
    float share = 0.0f;
    int piece = 0;
    if (!(x >= -3.4028235e38f && x <= 3.4028235e38f)) {
        return PREFIX_missing[feature];
    }
    while (piece + 2 < count && knots[piece + 1] <= x) {
        piece++;
    }
    if (piece + 1 < count) {
        share = x >= knots[piece + 1] ? 1.0f : (x - knots[piece]) / (knots[piece + 1] - knots[piece]);
    }
    if (!(share > 0.0f)) {
        share = 0.0f;
    }
    return (float)(start + piece) + (share > 1.0f ? 1.0f : share);
}
";

const LARGEST: &str = "    {
        int largest = 0;
        for (i = 1; i < OUTPUTS; i++) {
            if (outputs[i] > outputs[largest]) {
                largest = i;
            }
        }
        return largest;
    }
";
