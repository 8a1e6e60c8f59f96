//! f32 inference equals a plain loop bit for bit, for any numbers, and the self-test detects every wrong bit.

mod common;

use common::numbers;
use microdistill::activation::{Activation, Identity, LeakyRelu, Relu, Relu6, Tanh};
use microdistill::golden::{Golden, Mismatch, Stage, self_test};
use microdistill::layer::Array;
use microdistill::layout::ByInput;
use microdistill::quant::{Clamp, DenseI8, Quantize, Requantize};
use microdistill::{Chain, Dense, Mlp, MlpI8, Network, Params, Scaler, Train, scratch};
use rand_core::Rng;
use rand_pcg::Pcg32;

/// A plain forward pass: the bias first, then the inputs by index, with `hidden` after every layer but the last. Layers
/// after the first store their weights by input and skip zeros.
fn plain(network: &impl Params<Scalar = f32>, hidden: fn(f32) -> f32, x: &[f32]) -> Vec<f32> {
    let tensors: Vec<&[f32]> = network.tensors().map(|(_, tensor)| tensor).collect();
    let mut values = x.to_vec();
    for (layer, pair) in tensors.chunks(2).enumerate() {
        let (weights, mut y) = (pair[0], pair[1].to_vec());
        for (output, y) in y.iter_mut().enumerate() {
            for (input, &x) in values.iter().enumerate() {
                if layer == 0 {
                    *y += weights[output * values.len() + input] * x;
                } else if x != 0.0 {
                    *y += weights[input * pair[1].len() + output] * x;
                }
            }
            if layer + 1 < tensors.len() / 2 {
                *y = hidden(*y);
            }
        }
        values = y;
    }
    values
}

/// The bits of the numbers, with one pattern for all NaNs.
fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| if number.is_nan() { f32::NAN.to_bits() } else { number.to_bits() }).collect()
}

/// Compares `predict` and the recorded pass of training with [`plain`], for random networks of the type of `network`.
fn assert_plain<L: Train<Scalar = f32>, const SCRATCH: usize>(
    mut network: Network<L, SCRATCH>,
    hidden: fn(f32) -> f32,
    mut number: impl FnMut() -> f32,
) {
    for _ in 0..20 {
        network.tensors_mut().for_each(|(_, tensor)| tensor.fill_with(&mut number));
        let mut x = L::Input::ZEROED;
        x.as_mut_slice().fill_with(&mut number);
        let expected = bits(&plain(&network, hidden, x.as_slice()));
        assert_eq!(bits(network.predict(&x).as_slice()), expected);
        let mut tape = L::TAPE;
        network.record(&x, &mut tape);
        assert_eq!(bits(L::output(&tape).as_slice()), expected);
    }
}

/// Depths from 1 to 6, widths from 1 to 17.
macro_rules! for_networks {
    ($activation:ty, $hidden:expr, $number:expr) => {
        for_networks!(@ $activation, $hidden, $number;
            [1, 17], [2, 16], [3, 15], [4, 14], [5, 13], [6, 12], [7, 11], [8, 10], [9, 9], [10, 8], [11, 7],
            [12, 6], [13, 5], [14, 4], [15, 3], [16, 2], [17, 1], [1, 1],
            [1, 2, 3], [17, 16, 15], [4, 5, 6], [14, 13, 12], [7, 8, 9], [11, 10, 1], [5, 1, 17],
            [3, 7, 2, 13], [17, 5, 11, 6], [1, 9, 1, 9],
            [2, 17, 3, 16, 4, 15], [13, 1, 7, 14, 5, 1], [6, 8, 10, 12, 11, 9, 7]
        )
    };
    (@ $activation:ty, $hidden:expr, $number:expr; $([$($width:expr),+]),+) => {
        $(assert_plain(<Mlp![$($width),+; $activation]>::ZERO, $hidden, $number);)+
    };
}

fn relu(z: f32) -> f32 {
    if z < 0.0 { 0.0 } else { z }
}

#[test]
fn every_depth_and_width_equals_a_plain_loop() {
    let mut number = numbers(1);
    let mut number = move || number() as f32;
    for_networks!(Relu, relu, &mut number);
    for_networks!(Tanh, libm::tanhf, &mut number);
    for_networks!(Identity, |z| z, &mut number);
}

#[test]
fn special_numbers_equal_a_plain_loop() {
    let (mut number, mut rng) = (numbers(2), Pcg32::new(3, 4));
    let mut number = move || match rng.next_u32() % 400 {
        0 => -0.0,
        1 => f32::INFINITY,
        2 => f32::from_bits(1),
        3 => -f32::MIN_POSITIVE / 2.0,
        4 => f32::MAX,
        5 => f32::from_bits(rng.next_u32()),
        6 => f32::NAN,
        _ => number() as f32,
    };
    for_networks!(Relu, relu, &mut number);
    for_networks!(Tanh, libm::tanhf, &mut number);
}

#[test]
fn the_bias_comes_first_and_inputs_follow_by_index() {
    let network: Mlp![3, 1] = Network::new(Dense::new([[1e8, -1e8, 1.0]], [1.0]));
    assert_eq!(network.predict(&[1.0; 3]), [1.0]); // 1 + 10⁸ rounds to 10⁸: other orders give 2 or 0
    // Rounded separately, (1 + 2⁻¹²)² is 1 + 2⁻¹¹; a fused operation would leave 2⁻²⁴.
    let root = 1.0 + 1.0 / 4096.0;
    let network: Mlp![1, 1] = Network::new(Dense::new([[root]], [-1.0 - 1.0 / 2048.0]));
    assert_eq!(network.predict(&[root]), [0.0]);
}

#[test]
fn relu_keeps_nan_and_minus_zero() {
    let layer = Dense::<1, 1, Relu>::new([[1.0]], [-0.0]);
    let network = Network::<_, 2>::new(layer);
    let subnormal = f32::from_bits(1);
    for (x, y) in [
        (f32::NAN, f32::NAN),
        (-0.0, -0.0),
        (0.0, 0.0),
        (f32::INFINITY, f32::INFINITY),
        (f32::NEG_INFINITY, 0.0),
        (subnormal, subnormal),
        (-subnormal, 0.0),
    ] {
        assert_eq!(bits(&network.predict(&[x])), bits(&[y]), "relu({x})");
    }
}

#[test]
fn variants_of_relu_keep_nan_and_minus_zero() {
    let apply = |z: f32| [Relu6::apply(z), <LeakyRelu>::apply(z), LeakyRelu::<1, 4>::apply(z)];
    assert!(apply(f32::NAN).iter().all(|y| y.is_nan()));
    assert_eq!(apply(-0.0).map(f32::to_bits), [(-0.0f32).to_bits(); 3]);
    assert_eq!(apply(-2.0), [0.0, 0.01 * -2.0, -0.5]);
    assert_eq!(apply(f32::INFINITY), [6.0, f32::INFINITY, f32::INFINITY]);
    assert_eq!(apply(f32::NEG_INFINITY), [0.0, f32::NEG_INFINITY, f32::NEG_INFINITY]);
}

#[test]
fn working_memory_is_the_largest_sum_of_neighbouring_widths() {
    for (widths, words) in [
        (&[64, 32, 10][..], 96),
        (&[30, 16, 7], 46),
        (&[8, 64, 64, 64, 64, 64, 3], 128),
        (&[3, 5, 40, 2], 45),
        (&[1, 1], 2),
        (&[7], 0),
        (&[], 0),
    ] {
        assert_eq!(scratch::<f32>(widths), words, "{widths:?}");
    }
    assert_eq!(<Mlp![64, 32, 10]>::SCRATCH_BYTES, 4 * 96);
    assert_eq!(<Mlp![3, 5, 40, 2; Tanh, f64]>::SCRATCH_BYTES, 8 * 45);
    assert_eq!(<MlpI8![8, 64, 64, 3]>::SCRATCH_BYTES, 128);
    assert_eq!(<Mlp![64, 32, 10] as Params>::COUNT, 64 * 32 + 32 + 32 * 10 + 10);
}

const FIRST: Dense<2, 3> = Dense::new([[1.0, -1.0], [-1.0, 1.0], [0.5, 0.5]], [0.0, 0.25, -0.5]);
const LAST: Dense<3, 2, Identity, f32, ByInput> =
    Dense::new([[1.0, 2.0, 3.0], [-1.0, 0.0, 1.0]], [0.125, f32::NAN]);
const CONSTANT: Mlp![2, 3, 2] = Network::new(FIRST.then(LAST));
static STATIC: Mlp![2, 3, 2] = Network::new(Chain(FIRST, LAST));
static INT8: MlpI8![2, 1; per layer] =
    Network::new(DenseI8::new([[100, -50]], [7], [Requantize::new(1 << 30, -6)], CLAMP));
const CLAMP: Clamp = Clamp { zero: 3, lowest: -128, highest: 127 };

#[test]
fn networks_are_consts_and_statics() {
    let x = [1.0, 0.5];
    assert_eq!(bits(&STATIC.predict(&x)), bits(&[1.375, f32::NAN])); // hidden: 0.5, 0, 0.25
    assert_eq!(bits(&CONSTANT.predict(&x)), bits(&STATIC.predict(&x)));
    assert_eq!(INT8.predict(&[10, 3]), [10]); // (1000 − 150 + 7) / 128 + 3
    const { assert!(<Mlp![2, 3, 2]>::SCRATCH_BYTES == 4 * (2 + 3)) };
}

const SCALER: Scaler<2> = Scaler::new([1.0, 2.0], [0.5, 0.25]);
const QUANTIZE: Quantize<2> = Quantize { scaler: SCALER, scale: 0.125, zero: -5 };

#[test]
fn the_self_test_names_the_vector_and_the_stage_of_every_wrong_bit() {
    let raw = [3.0, 2.0]; // scaled to (1, 0), for which the output is (1.125, NaN)
    let good = Golden { raw, input: [1.0, 0.0], output: [1.125, f32::NAN] };
    let run = |vectors: [_; 3]| self_test(&SCALER, &STATIC, &vectors);
    // Any NaN is accepted.
    assert_eq!(run([good, good, Golden { output: [1.125, f32::from_bits(0xffc0_1234)], ..good }]), Ok(()));
    assert_eq!(self_test(&SCALER, &STATIC, &[]), Ok(()));

    let flip = |number: f32, bit: u32| f32::from_bits(number.to_bits() ^ (1 << bit));
    for bit in 0..32 {
        for element in 0..2 {
            let mut wrong = good;
            wrong.input[element] = flip(good.input[element], bit);
            assert_eq!(run([good, wrong, wrong]), Err(Mismatch { vector: 1, stage: Stage::Input }));
        }
        let wrong = Golden { output: [flip(1.125, bit), f32::NAN], ..good };
        assert_eq!(run([good, good, wrong]), Err(Mismatch { vector: 2, stage: Stage::Output }));
        assert_eq!(run([wrong, good, good]), Err(Mismatch { vector: 0, stage: Stage::Output }));
    }
    let wrong = Golden { output: [1.125, 1.0], ..good };
    assert_eq!(run([wrong; 3]), Err(Mismatch { vector: 0, stage: Stage::Output }));
}

#[test]
fn the_self_test_covers_quantization_too() {
    let good = Golden { raw: [3.0, 4.0], input: [3, -1], output: [6] }; // (300 + 50 + 7) / 128 + 3
    assert_eq!(self_test(&QUANTIZE, &INT8, &[good]), Ok(()));
    for bit in 0..8 {
        let wrong = Golden { input: [3, -1 ^ (1 << bit)], ..good };
        assert_eq!(
            self_test(&QUANTIZE, &INT8, &[good, wrong]),
            Err(Mismatch { vector: 1, stage: Stage::Input })
        );
        let wrong = Golden { output: [6 ^ (1 << bit)], ..good };
        assert_eq!(
            self_test(&QUANTIZE, &INT8, &[wrong, good]),
            Err(Mismatch { vector: 0, stage: Stage::Output })
        );
    }
}
