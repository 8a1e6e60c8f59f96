//! Layers in every layout, tables and softmaxes against the outputs of TensorFlow Lite's reference kernels. The README
//! of `tests/oracle/` explains how to compare more cases.

use microdistill::quant::{Clamp, Dequantize, Requantize, Softmax, Stage as _, Table, quantize};

use crate::cases::{self, Network, Parameters, compare, compare_networks, hexadecimal, list};
use crate::layouts::Layer;

#[test]
fn oracle_of_networks() {
    compare_networks(|Network { mut input, x, activation, layers }| {
        layers.into_iter().fold(x, |x, layer| {
            let (codes, output) = (codes(input, &x, &activation, &layer), layer.output);
            input = output;
            codes
        })
    });
}

fn codes(input: Dequantize, x: &[i8], activation: &str, layer: &cases::Layer) -> Vec<i8> {
    let Parameters { weights, bias, weight_scales } = &layer.parameters;
    let sums = layer.sums.unwrap_or(layer.output);
    let folded = |(row, bias): (&[i8], &i32)| {
        let sum: i32 = row.iter().map(|&weight| i32::from(weight)).sum();
        bias - sum * i32::from(input.zero)
    };
    let (multipliers, shifts) = factors(input.scale, weight_scales, sums.scale);
    let [mut y, pairs, quads] = Layer {
        weights: weights.clone(),
        bias: weights.chunks(x.len()).zip(bias).map(folded).collect(),
        multipliers,
        shifts,
        zero: sums.zero,
        x: x.to_vec(),
    }
    .codes();
    assert!(y == pairs && y == quads, "the layouts differ");
    let Dequantize { scale, zero } = layer.output;
    match activation {
        "identity" => {}
        "relu" => Clamp { zero, lowest: zero, highest: 127 }.apply(&mut y),
        "relu6" => Clamp { zero, lowest: zero, highest: quantize(6.0, scale, zero) }.apply(&mut y),
        _ => table(activation, 0.01, sums, layer.output).apply(&mut y),
    }
    y
}

/// Mantissas and exponents of `s_in·s_w / s_out`, for each `s_w`.
fn factors(input: f32, weight_scales: &[f32], output: f32) -> (Vec<i32>, Vec<i8>) {
    let factor = |&scale: &f32| {
        // The product of the scales is rounded to f32 if all outputs share one.
        let product = match weight_scales.len() {
            1 => f64::from(input * scale),
            _ => f64::from(input) * f64::from(scale),
        };
        let factor = Requantize::from_factor(product / f64::from(output));
        (factor.multiplier(), factor.shift())
    };
    weight_scales.iter().map(factor).unzip()
}

fn table(function: &str, slope: f32, z: Dequantize, y: Dequantize) -> Table {
    match function {
        "tanh" => Table::tanh(z),
        "sigmoid" => Table::sigmoid(z),
        "leaky-relu" => Table::leaky_relu(slope, z, y),
        _ => panic!("{function}"),
    }
}

#[test]
fn oracle_of_tables() {
    compare("tables.csv", include_str!("../oracle/tables.csv"), |columns| {
        let &[function, slope, scales, zeros] = columns else { panic!("{columns:?}") };
        let (scales, zeros) = (list(scales), list(zeros));
        let [z, y] = [0, 1].map(|index| Dequantize { scale: scales[index], zero: zeros[index] });
        let table = table(function, slope.parse().unwrap(), z, y);
        (i8::MIN..=i8::MAX).map(|code| table.map(code)).collect()
    });
}

/// Handles every number of classes that the script draws, because `Softmax` takes arrays.
#[test]
fn oracle_of_softmaxes() {
    macro_rules! apply {
        ($softmax:expr, $logits:expr; $($classes:literal)+) => {
            match $logits.len() {
                $($classes => $softmax.apply::<$classes>($logits.try_into().unwrap()).to_vec(),)+
                other => panic!("{other} classes"),
            }
        };
    }
    compare("softmax.csv", include_str!("../oracle/softmax.csv"), |columns| {
        let &[scale, logits] = columns else { panic!("{columns:?}") };
        let (softmax, logits) = (Softmax::new(scale.parse().unwrap()), hexadecimal(logits));
        let logits = logits.as_slice();
        apply!(softmax, logits; 1 2 3 4 5 6 7 8 9 10 11 12 16 17 31 64 100 257 511)
    });
}
