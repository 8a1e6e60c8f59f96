//! Whole networks, tables and softmaxes against what TensorFlow Lite's reference kernels gave for them:
//! `tests/oracle/`, which also says how to make many more and compare those.

use std::fmt::Debug;
use std::path::PathBuf;
use std::str::FromStr;

use microdistill::quant::{Clamp, Dequantize, Requantize, Softmax, Stage as _, Table, quantize};

use crate::layouts::Layer;

/// Every case of a file: `outputs` gives the codes for the columns before the last, which holds TensorFlow Lite's.
fn compare(name: &str, outputs: impl Fn(&[&str]) -> Vec<i8>) {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle");
    let folder = std::env::var_os("MICRODISTILL_ORACLE").map_or(committed.into(), PathBuf::from);
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let (mut cases, mut codes, mut different) = (0, 0, Vec::new());
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split(',').collect();
        let (expected, columns) = columns.split_last().unwrap();
        let (expected, found) = (hexadecimal(expected), outputs(columns));
        assert_eq!(found.len(), expected.len(), "{line}");
        cases += 1;
        codes += found.len();
        let count = found.iter().zip(&expected).filter(|(found, expected)| found != expected).count();
        if count > 0 {
            different.push(format!("{count} of {line}"));
        }
    }
    println!("{name}: {cases} cases, {codes} outputs, {} cases differ", different.len());
    assert!(cases > 0 && different.is_empty(), "{}", different.join("\n"));
}

/// Two digits a code.
fn hexadecimal(text: &str) -> Vec<i8> {
    let byte = |digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap() as i8;
    text.as_bytes().chunks(2).map(byte).collect()
}

fn list<T: FromStr<Err: Debug>>(text: &str) -> Vec<T> {
    text.split(' ').map(|number| number.parse().unwrap()).collect()
}

/// Number `index` of a stream of a seed, as the script draws it: the finalizer of MurmurHash3, of a counter.
fn hash(seed: u32, stream: usize, index: usize) -> u32 {
    let mix = |x: u32| {
        let x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
        let x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
        x ^ (x >> 16)
    };
    let start = mix(seed.wrapping_add(mix(stream as u32 + 1)));
    mix(start.wrapping_add((index as u32).wrapping_mul(0x9e37_79b9)))
}

/// The codes of the columns `widths` to `weight_scales`, layer by layer.
fn network(columns: &[&str]) -> Vec<i8> {
    let &[widths, seed, fill, bias_bits, activation, channels, scales, zeros, weight_scales] = columns else {
        panic!("{columns:?}")
    };
    let (widths, seed, bias_bits): (Vec<usize>, u32, u32) =
        (list(widths), seed.parse().unwrap(), bias_bits.parse().unwrap());
    let mut stages = list::<f32>(scales)
        .into_iter()
        .zip(list::<i8>(zeros))
        .map(|(scale, zero)| Dequantize { scale, zero });
    let mut input = stages.next().unwrap();
    let mut x: Vec<i8> = (0..widths[0])
        .map(|index| {
            let drawn = hash(seed, 3 * widths.len(), index);
            match fill {
                "uniform" => drawn as i8,
                "corners" => [-128, 127][drawn as usize % 2],
                "lowest" => -128,
                _ => input.zero.saturating_add((drawn % 3) as i8 - 1),
            }
        })
        .collect();
    for (layer, (pair, weight_scale)) in widths.windows(2).zip(list::<f32>(weight_scales)).enumerate() {
        let output = stages.next().unwrap();
        let weight = |index| weight(fill, hash(seed, 3 * layer, index));
        let weights: Vec<i8> = (0..pair[0] * pair[1]).map(weight).collect();
        let bias = weights.chunks(pair[0]).enumerate().map(|(index, row)| {
            let drawn = hash(seed, 3 * layer + 1, index) as i32;
            let folded: i32 = row.iter().map(|&weight| i32::from(weight) * i32::from(input.zero)).sum();
            drawn.checked_shr(32 - bias_bits).unwrap_or(0) - folded
        });
        let channels = if channels == "per-channel" { pair[1] } else { 1 };
        let factors = factors(seed, layer, channels, input.scale, weight_scale)
            .map(|factor| Requantize::from_factor(factor / f64::from(output.scale)));
        let (multipliers, shifts) = factors.map(|factor| (factor.multiplier(), factor.shift())).unzip();
        let bias = bias.collect();
        let [mut y, pairs, quads] =
            Layer { weights, bias, multipliers, shifts, zero: output.zero, x }.codes();
        assert!(y == pairs && y == quads, "the layouts differ in {columns:?}");
        Clamp {
            zero: output.zero,
            lowest: if activation.starts_with("relu") { output.zero } else { -128 },
            highest: if activation == "relu6" { quantize(6.0, output.scale, output.zero) } else { 127 },
        }
        .apply(&mut y);
        input = output;
        if !matches!(activation, "identity" | "relu" | "relu6") {
            let after = stages.next().unwrap();
            let table = table(activation, 0.01, output, after);
            table.apply(&mut y);
            input = after;
        }
        x = y;
    }
    x
}

fn table(function: &str, slope: f32, z: Dequantize, y: Dequantize) -> Table {
    match function {
        "tanh" => Table::tanh(z),
        "sigmoid" => Table::sigmoid(z),
        "leaky-relu" => Table::leaky_relu(slope, z, y),
        _ => panic!("{function}"),
    }
}

/// The codes, as bytes, of a layer of 16-bit activations for the columns `widths` to `weight_scale`.
fn int16(columns: &[&str]) -> Vec<i8> {
    let &[widths, seed, fill, bias_bits, activation, channels, scales, weight_scale] = columns else {
        panic!("{columns:?}")
    };
    let (widths, seed, bias_bits): (Vec<usize>, u32, u32) =
        (list(widths), seed.parse().unwrap(), bias_bits.parse().unwrap());
    let (scales, weight_scale): (Vec<f32>, f32) = (list(scales), weight_scale.parse().unwrap());
    let lowest = fill == "lowest";
    let input = |index| if lowest { i16::MIN } else { hash(seed, 6, index) as i16 };
    let x: Vec<i16> = (0..widths[0]).map(input).collect();
    let weights: Vec<i8> =
        (0..widths[0] * widths[1]).map(|index| weight(fill, hash(seed, 0, index))).collect();
    let bias = |index| i64::from((hash(seed, 1, index) as i32).checked_shr(32 - bias_bits).unwrap_or(0));
    let bias: Vec<i64> = (0..widths[1]).map(bias).collect();
    let outputs = if channels == "per-channel" { widths[1] } else { 1 };
    let (multipliers, shifts): (Vec<i32>, Vec<i8>) = factors(seed, 0, outputs, scales[0], weight_scale)
        .map(|factor| Requantize::from_factor(factor / f64::from(scales[1])))
        .map(|factor| (factor.multiplier(), factor.shift()))
        .unzip();
    let six = libm::roundf(6.0 / scales[1]) as i16;
    let layer = microdistill::kernel::int16::Affine {
        weights: &weights,
        bias: &bias,
        multipliers: &multipliers,
        shifts: &shifts,
        lowest: if activation == "identity" { i16::MIN } else { 0 },
        highest: if activation == "relu6" { six } else { i16::MAX },
    };
    let mut y = vec![0; widths[1]];
    microdistill::kernel::int16::affine(&layer, &x, &mut y);
    y.iter().flat_map(|code| code.to_le_bytes()).map(|byte| byte as i8).collect()
}

/// A weight as a fill has it.
fn weight(fill: &str, drawn: u32) -> i8 {
    match fill {
        "uniform" => (drawn as i8).max(-127),
        "corners" => [-127, 127][drawn as usize % 2],
        "lowest" => 127,
        _ => (drawn % 3) as i8 - 1,
    }
}

/// `s_in·s_w` of each channel, or of all.
fn factors(
    seed: u32,
    layer: usize,
    channels: usize,
    input: f32,
    weight_scale: f32,
) -> impl Iterator<Item = f64> {
    let channel = move |index| {
        let factor = 1.0 + (hash(seed, 3 * layer + 2, index) >> 9) as f32 / 2f32.powi(23);
        weight_scale * factor
    };
    // The product of two scales is rounded to f32 where there is one for all channels.
    (0..channels).map(move |index| match channels {
        1 => f64::from(input * channel(index)),
        _ => f64::from(input) * f64::from(channel(index)),
    })
}

#[test]
fn oracle_of_int16_layers() {
    compare("int16.csv", int16);
}

#[test]
fn oracle_of_networks() {
    compare("networks.csv", network);
}

#[test]
fn oracle_of_tables() {
    compare("tables.csv", |columns| {
        let &[function, slope, scales, zeros] = columns else { panic!("{columns:?}") };
        let (scales, zeros) = (list(scales), list(zeros));
        let [z, y] = [0, 1].map(|index| Dequantize { scale: scales[index], zero: zeros[index] });
        let table = table(function, slope.parse().unwrap(), z, y);
        assert_eq!(table.zero(), z.zero);
        (i8::MIN..=i8::MAX).map(|code| table.map(code)).collect()
    });
}

/// `Softmax` takes arrays: every number of classes that it can take.
#[test]
fn oracle_of_softmax() {
    macro_rules! apply {
        ($softmax:expr, $logits:expr; $($classes:literal)+) => {
            match $logits.len() {
                $($classes => $softmax.apply::<$classes>($logits.try_into().unwrap()).to_vec(),)+
                other => panic!("{other} classes"),
            }
        };
    }
    compare("softmax.csv", |columns| {
        let &[scale, logits] = columns else { panic!("{columns:?}") };
        let (softmax, logits) = (Softmax::new(scale.parse().unwrap()), hexadecimal(logits));
        let logits = logits.as_slice();
        apply!(softmax, logits; 1 2 3 4 5 6 7 8 9 10 11 12 16 17 31 64 100 257 511)
    });
}
