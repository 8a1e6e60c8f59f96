//! A network in the format of each library: our exported file, plain arrays in Rust and in C, and a TensorFlow Lite file.

use std::fmt::{Debug, Write as _};
use std::path::{Path, PathBuf};

use microdistill::quant::Requantize;

use microdistill_train::error::{Error, Result};
use microdistill_train::export::{NAME, export, tflite};
use microdistill_train::file;
use microdistill_train::model::{Body, Model};
use microdistill_train::network::int8::{Codes, DenseI8, Folded, NetworkI8};
use microdistill_train::network::{Activation, Dense, Network};

/// Writes all formats to `folder` and returns the path of our own file, which has the others next to it.
pub(crate) fn write(folder: &Path, model: &Model) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        file::update(&path, bytes).map(|_| path)
    };
    if model.preparation.knots().is_some() {
        let problem = "the model has piecewise-linear inputs, which other libraries lack";
        return Err(Error::Invalid(format!("{problem}: compare one with standardized inputs")));
    }
    let standardized: Vec<Vec<f32>> =
        model.examples.column_iter().map(|raw| model.prepare(raw.as_slice())).collect();
    match &model.body {
        Body::F32(network) => {
            put("rows.rs", rows(model, "f32", &standardized).as_bytes())?;
            put("plain.rs", plain(network).as_bytes())?;
            put("emlearn.c", emlearn(network).as_bytes())?;
        }
        Body::Ensemble(members) => return Err(Error::ensemble(members.len())),
        Body::Blend(blend) => return Err(Error::blend(blend.members.len())),
        // Libraries without int4 get the equivalent int8 network.
        Body::Int8(network) | Body::Int4(network) if network.values.is_some() => {
            let problem =
                "the values of the model have a range that does not hold zero, which other libraries need";
            return Err(Error::Invalid(format!("{problem}: compare a classifier")));
        }
        Body::Int8(network) | Body::Int4(network) => {
            let codes: Vec<Vec<i8>> = standardized.iter().map(|x| network.quantize(x)).collect();
            put("rows.rs", rows(model, "i8", &codes).as_bytes())?;
            put("plain.rs", plain_int8(network).as_bytes())?;
            let path = put("network.tflite", &tflite::codes(&per_layer(network)))?;
            let path = std::path::absolute(&path).map_err(Error::io(&path))?;
            // microflow's macro reads the file at compile time; `include_bytes!` makes cargo rebuild when it changes.
            let text = format!(
                "const _: &[u8] = include_bytes!({path:?});\n#[microflow::model({path:?})]\nstruct Network;\n"
            );
            put("microflow.rs", text.as_bytes())?;
        }
    }
    put("model.rs", export(model, NAME, &model.metadata.command)?.as_bytes())
}

/// The network with the first weight scale of each layer for all of its outputs, as microflow needs it.
fn per_layer(network: &NetworkI8) -> NetworkI8 {
    let mut network = network.clone();
    network.layers.iter_mut().for_each(|layer| layer.weight_scales.truncate(1));
    network
}

fn rows(model: &Model, number: &str, rows: &[Vec<impl Debug>]) -> String {
    let (inputs, outputs, count) = (model.features().len(), model.outputs(), rows.len());
    format!(
        "const INPUTS: usize = {inputs};\nconst OUTPUTS: usize = {outputs};\n\
         static ROWS: [[{number}; INPUTS]; {count}] = {rows:?};\n"
    )
}

/// The constants of both arithmetics; `layers` are literals of the program's layer type.
fn layers(widths: &[usize], layers: impl Iterator<Item = String>) -> String {
    let widest = widths.iter().max().copied().unwrap_or_default();
    let layers: Vec<String> = layers.collect();
    let count = layers.len();
    format!("const WIDEST: usize = {widest};\nstatic LAYERS: [Layer; {count}] = [\n{}];\n", layers.concat())
}

fn plain(network: &Network) -> String {
    let layer = |layer: &Dense| {
        let relu = layer.activation == Activation::Relu;
        format!("    Layer {{ weights: &{:?}, bias: &{:?}, relu: {relu} }},\n", layer.weights(), layer.bias)
    };
    layers(&network.widths(), network.layers().iter().map(layer))
}

fn plain_int8(network: &NetworkI8) -> String {
    let zeros =
        std::iter::once(network.input.zero).chain(network.layers.iter().map(|layer| layer.output.zero));
    let folded = network.folded();
    let layer = |((layer, folded), zero): ((&DenseI8, &Folded), i8)| {
        let factor = folded.requantize.first().copied().unwrap_or(Requantize::new(0, 0));
        let output_zero = layer.output.zero;
        let lowest = if layer.activation == Activation::Relu { output_zero } else { i8::MIN };
        format!(
            "    Layer {{ weights: &{:?}, bias: &{:?}, zero: {zero}, requantize: Requantize::new({}, {}), \
             output_zero: {output_zero}, lowest: {lowest}, highest: {} }},\n",
            layer.weights,
            layer.bias,
            factor.multiplier(),
            factor.shift(),
            i8::MAX
        )
    };
    let Codes { scale, zero } = network.output();
    let decode = format!("static DECODE: Dequantize = Dequantize {{ scale: {scale:?}, zero: {zero} }};\n");
    layers(&network.widths(), network.layers.iter().zip(&folded).zip(zeros).map(layer)) + &decode
}

/// The network in C. emlearn stores weights by input, not by output.
fn emlearn(network: &Network) -> String {
    let mut text = "#include <eml_net.h>\n".to_owned();
    let mut table = String::new();
    for (index, layer) in network.layers().iter().enumerate() {
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        let weights = layer.weights();
        let column = |input: usize| weights.iter().skip(input).step_by(inputs);
        let weights: String = (0..inputs).flat_map(column).map(|weight| format!("{weight:?}f,")).collect();
        let bias: String = layer.bias.iter().map(|bias| format!("{bias:?}f,")).collect();
        let activation = if layer.activation == Activation::Relu { "Relu" } else { "Identity" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "static const float weights_{index}[] = {{{weights}}}, bias_{index}[] = {{{bias}}};"
        );
        let _ = write!(
            table,
            "{{{outputs}, {inputs}, weights_{index}, bias_{index}, EmlNetActivation{activation}}},"
        );
    }
    let widths = network.widths();
    let widest = widths.iter().max().copied().unwrap_or_default();
    let (inputs, outputs) = (widths[0], widths[widths.len() - 1]);
    let count = network.layers().len();
    text + &format!(
        "static const EmlNetLayer layers[] = {{{table}}};\n\
         static float buffers[2][{widest}];\n\
         static EmlNet net = {{{count}, layers, buffers[0], buffers[1], {widest}}};\n\
         int32_t emlearn_class(const float *x) {{ return eml_net_predict(&net, x, {inputs}); }}\n\
         int32_t emlearn_outputs(const float *x, float *y) {{ return eml_net_regress(&net, x, {inputs}, y, {outputs}); }}\n"
    )
}
