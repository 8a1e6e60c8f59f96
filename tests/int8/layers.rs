//! `DenseI8` and `MlpI8!`: random layers, and the limits of their sums.

use microdistill::quant::{Clamp, DenseI8, Requantize};
use microdistill::{Chain, Layer, MlpI8, Network};
use proptest::prelude::*;
use rand_core::Rng;
use rand_pcg::Pcg32;

use crate::reference;

/// A random layer in both representations, with `S` scales. Half of the layers have ReLU, and some have biases near the
/// limits of i32.
fn random<const I: usize, const O: usize, const S: usize>(
    rng: &mut Pcg32,
    input_zero: i8,
) -> (DenseI8<I, O, S>, reference::Layer) {
    let mut code = |lowest: i8| (rng.next_u32() as i8).max(lowest);
    let weights: [[i8; I]; O] = std::array::from_fn(|_| std::array::from_fn(|_| code(-127)));
    let zero = code(-128);
    let range = match code(-128) {
        ..0 => (-128, 127),
        0..80 => (zero, 127),
        limit => (zero, zero.saturating_add(limit)),
    };
    let bias: [i32; O] = std::array::from_fn(|_| match rng.next_u32() % 8 {
        0 => i32::MAX - (rng.next_u32() >> 20) as i32,
        1 => i32::MIN + (rng.next_u32() >> 20) as i32,
        _ => rng.next_u32() as i32 >> 16,
    });
    let factors: [(i32, i8); S] =
        std::array::from_fn(|_| ((rng.next_u32() >> 2 | 1 << 30) as i32, -((rng.next_u32() % 9) as i8 + 2)));

    let folded = std::array::from_fn(|o| {
        let sum: i32 = weights[o].iter().map(|&w| i32::from(w)).sum();
        bias[o].wrapping_sub(i32::from(input_zero) * sum)
    });
    let requantize = factors.map(|(multiplier, shift)| Requantize::new(multiplier, shift));
    let layer = DenseI8::new(weights, folded, requantize, Clamp { zero, lowest: range.0, highest: range.1 });
    let layer_reference = reference::Layer {
        weights: weights.iter().map(|row| row.to_vec()).collect(),
        bias: bias.to_vec(),
        input_zero,
        factors: factors.into_iter().cycle().take(O).collect(),
        zero,
        range,
    };
    (layer, layer_reference)
}

/// Compares `predict` of random inputs with the reference, layer by layer.
fn assert_equal<const I: usize, const O: usize, L, const SCRATCH: usize>(
    network: Network<L, SCRATCH>,
    layers: &[&reference::Layer],
    rng: &mut Pcg32,
) where
    L: Layer<Input = [i8; I], Output = [i8; O], Item = i8>,
{
    for _ in 0..10 {
        let x: [i8; I] = std::array::from_fn(|_| rng.next_u32() as i8);
        let expected = layers.iter().fold(x.to_vec(), |x, layer| layer.predict(&x));
        assert_eq!(network.predict(&x).as_slice(), expected);
    }
}

/// Checks networks of one layer with each of these shapes, quantized per channel and per layer.
macro_rules! for_shapes {
    ($rng:expr; $([$i:literal, $o:literal]),+) => {$(
        let (layer, expected) = random::<$i, $o, $o>($rng, 0);
        assert_equal::<$i, $o, _, { $i + $o }>(Network::new(layer), &[&expected], $rng);
        let (layer, expected) = random::<$i, $o, 1>($rng, -9);
        assert_equal::<$i, $o, _, { $i + $o }>(Network::new(layer), &[&expected], $rng);
    )+};
}

proptest! {
    #[test]
    fn layers_of_any_width_equal_their_definition(seed: u64) {
        let rng = &mut Pcg32::new(seed, 1);
        for_shapes!(rng; [1, 1], [1, 17], [2, 16], [3, 5], [4, 4], [5, 13], [7, 9], [8, 3], [9, 2], [15, 6],
            [16, 8], [17, 1], [31, 7], [33, 11], [64, 10]);
    }

    #[test]
    fn networks_equal_their_definition(seed: u64) {
        let rng = &mut Pcg32::new(seed, 2);
        let (a, a_expected) = random(rng, seed as i8);
        let (b, b_expected) = random(rng, a_expected.zero);
        let (c, c_expected) = random(rng, b_expected.zero);
        let network: MlpI8![5, 17, 7, 3] = Network::new(Chain(a, Chain(b, c)));
        assert_equal(network, &[&a_expected, &b_expected, &c_expected], rng);

        let (a, a_expected) = random(rng, seed as i8);
        let (b, b_expected) = random(rng, a_expected.zero);
        let network: MlpI8![9, 4, 11; per layer] = Network::new(a.then(b));
        assert_equal(network, &[&a_expected, &b_expected], rng);
    }
}

/// A network with one input and one output, whose requantization factor is one.
fn unit(weight: i8, bias: i32, clamp: Clamp) -> MlpI8![1, 1] {
    Network::new(DenseI8::new([[weight]], [bias], [Requantize::from_factor(1.0)], clamp))
}

#[test]
fn sums_wrap() {
    let clamp = Clamp { zero: 0, lowest: -128, highest: 127 };
    assert_eq!(unit(1, i32::MAX, clamp).predict(&[1]), [-128]);
    assert_eq!(unit(1, i32::MAX, clamp).predict(&[0]), [127]);
    assert_eq!(unit(1, i32::MIN, clamp).predict(&[-1]), [127]);
    // A sum may leave the range and return: only the total counts.
    let there_and_back = DenseI8::new([[127, 127, -127]], [i32::MAX], [Requantize::new(1 << 30, -20)], clamp);
    let network: MlpI8![3, 1] = Network::new(there_and_back);
    assert_eq!(network.predict(&[127, 127, 127]), [-128]);
    assert_eq!(network.predict(&[127, -127, 0]), [127]);
}

#[test]
fn relu_cuts_at_the_zero_point() {
    for zero in [-128, -100, -1, 0, 50, 127] {
        let relu = unit(1, 0, Clamp { zero, lowest: zero, highest: 127 });
        let capped = unit(1, 0, Clamp { zero, lowest: zero, highest: zero.saturating_add(6) });
        let none = unit(1, 0, Clamp { zero, lowest: -128, highest: 127 });
        for x in i8::MIN..=i8::MAX {
            assert_eq!(relu.predict(&[x]), [zero.saturating_add(x.max(0))]);
            assert_eq!(capped.predict(&[x]), [zero.saturating_add(x.clamp(0, 6))]);
            assert_eq!(none.predict(&[x]), [zero.saturating_add(x)]);
        }
    }
}
