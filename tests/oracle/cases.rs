//! Test cases with TensorFlow Lite's outputs.

use std::fmt::Debug;
use std::path::Path;
use std::str::FromStr;

use microdistill::quant::Dequantize;

/// Compares every case of a file with the codes that `outputs` computes from all columns but the last, which holds
/// TensorFlow Lite's codes. A file in the folder `MICRODISTILL_ORACLE` replaces the `committed` text.
pub(crate) fn compare(name: &str, committed: &str, outputs: impl Fn(&[&str]) -> Vec<i8>) {
    let large = std::env::var_os("MICRODISTILL_ORACLE")
        .map(|folder| std::fs::read_to_string(Path::new(&folder).join(name)).unwrap());
    let (mut cases, mut codes, mut different) = (0, 0, Vec::new());
    for line in large.as_deref().unwrap_or(committed).lines().skip(1) {
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

/// Parses codes of two hexadecimal digits each.
pub(crate) fn hexadecimal(text: &str) -> Vec<i8> {
    let byte = |digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap() as i8;
    text.as_bytes().chunks(2).map(byte).collect()
}

/// Parses numbers separated by spaces.
pub(crate) fn list<T: FromStr<Err: Debug>>(text: &str) -> Vec<T> {
    text.split(' ').map(|number| number.parse().unwrap()).collect()
}

/// A chain of dense layers.
pub(crate) struct Network {
    pub(crate) input: Dequantize,
    /// Codes of the input.
    pub(crate) x: Vec<i8>,
    /// Activation of every layer.
    pub(crate) activation: String,
    pub(crate) layers: Vec<Layer>,
}

/// A layer in TensorFlow Lite's form.
pub(crate) struct Layer {
    pub(crate) parameters: Parameters,
    /// Quantization of the sums, which are the input of a table if one follows.
    pub(crate) sums: Option<Dequantize>,
    pub(crate) output: Dequantize,
}

/// Parameters of a layer, drawn from the seed of its case.
pub(crate) struct Parameters {
    /// Shape (outputs, inputs).
    pub(crate) weights: Vec<i8>,
    /// Biases, without the input's zero point.
    pub(crate) bias: Vec<i32>,
    /// One scale for all outputs, or one per output.
    pub(crate) weight_scales: Vec<f32>,
}

impl Parameters {
    /// Draws the parameters of layer `index`, whose numbers of inputs and outputs are `widths`.
    pub(crate) fn draw(
        [seed, fill, bias_bits, channels]: [&str; 4],
        index: usize,
        widths: [usize; 2],
        weight_scale: f32,
    ) -> Self {
        let (seed, bias_bits): (u32, u32) = (seed.parse().unwrap(), bias_bits.parse().unwrap());
        let [inputs, outputs] = widths;
        let drawn = |stream, count| (0..count).map(move |position| hash(seed, 3 * index + stream, position));
        let weight = |drawn: u32| match fill {
            "uniform" => (drawn as i8).max(-127),
            "corners" => [-127, 127][drawn as usize % 2],
            "lowest" => 127,
            _ => (drawn % 3) as i8 - 1,
        };
        let bias = |drawn: u32| (drawn as i32).checked_shr(32 - bias_bits).unwrap_or(0);
        let scale = |drawn: u32| weight_scale * (1.0 + (drawn >> 9) as f32 / 2f32.powi(23));
        Parameters {
            weights: drawn(0, inputs * outputs).map(weight).collect(),
            bias: drawn(1, outputs).map(bias).collect(),
            weight_scales: drawn(2, if channels == "per-channel" { outputs } else { 1 }).map(scale).collect(),
        }
    }
}

/// Compares every network of the oracle.
pub(crate) fn compare_networks(outputs: impl Fn(Network) -> Vec<i8>) {
    compare("networks.csv", include_str!("networks.csv"), |columns| outputs(Network::read(columns)));
}

impl Network {
    /// Reads the columns from `widths` to `weight_scales`.
    fn read(columns: &[&str]) -> Self {
        let &[widths, seed, fill, bias_bits, activation, channels, scales, zeros, weight_scales] = columns
        else {
            panic!("{columns:?}")
        };
        let widths: Vec<usize> = list(widths);
        let mut codes = list::<f32>(scales)
            .into_iter()
            .zip(list::<i8>(zeros))
            .map(|(scale, zero)| Dequantize { scale, zero });
        let mut next = || codes.next().unwrap();
        let input = next();
        let pairs = widths.windows(2).zip(list::<f32>(weight_scales)).enumerate();
        let layers = pairs.map(|(layer, (pair, weight_scale))| {
            let fused = matches!(activation, "identity" | "relu" | "relu6");
            let drawn = [seed, fill, bias_bits, channels];
            Layer {
                parameters: Parameters::draw(drawn, layer, [pair[0], pair[1]], weight_scale),
                sums: if fused { None } else { Some(next()) },
                output: next(),
            }
        });
        let layers = layers.collect();
        let seed = seed.parse().unwrap();
        let code = |index| {
            let drawn = hash(seed, 3 * widths.len(), index);
            match fill {
                "uniform" => drawn as i8,
                "corners" => [-128, 127][drawn as usize % 2],
                "lowest" => -128,
                _ => input.zero.saturating_add((drawn % 3) as i8 - 1),
            }
        };
        Network { input, x: (0..widths[0]).map(code).collect(), activation: activation.into(), layers }
    }
}

/// Number `index` of the given seed and stream: a counter hashed by the finalizer of MurmurHash3.
pub(crate) fn hash(seed: u32, stream: usize, index: usize) -> u32 {
    let mix = |x: u32| {
        let x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
        let x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
        x ^ (x >> 16)
    };
    let start = mix(seed.wrapping_add(mix(stream as u32 + 1)));
    mix(start.wrapping_add((index as u32).wrapping_mul(0x9e37_79b9)))
}
