//! `DenseI4` and `MlpI4!` against their definition, and against the int8 layer with the expanded weights.

use microdistill::kernel::int4::{self, Affine, Packed, Plain as Parameters, Weights, affine, fours, pack};
use microdistill::kernel::int8;
use microdistill::quant::{Clamp, DenseI4, DenseI8, GROUP, Requantize};
use microdistill::{Layer, MlpI4, MlpI8, Network};
use proptest::prelude::*;
use rand_core::Rng;
use rand_pcg::Pcg32;

/// The parameters of a layer, unpacked.
#[derive(Clone)]
struct Plain<const I: usize, const O: usize, const GROUPS: usize> {
    codes: [[i8; I]; O],
    scales: [[u8; GROUPS]; O],
    bias: [i32; O],
    requantize: [Requantize; O],
    clamp: Clamp,
}

impl<const I: usize, const O: usize, const GROUPS: usize> Plain<I, O, GROUPS> {
    fn random(rng: &mut Pcg32) -> Self {
        let zero = rng.next_u32() as i8;
        let lowest = if rng.next_u32() & 1 == 0 { zero } else { -128 };
        Plain {
            codes: std::array::from_fn(|_| std::array::from_fn(|_| (rng.next_u32() % 15) as i8 - 7)),
            scales: std::array::from_fn(|_| std::array::from_fn(|_| (rng.next_u32() % 18) as u8 + 1)),
            bias: std::array::from_fn(|_| match rng.next_u32() % 8 {
                0 => i32::MAX - (rng.next_u32() >> 20) as i32,
                1 => i32::MIN + (rng.next_u32() >> 20) as i32,
                _ => rng.next_u32() as i32 >> 16,
            }),
            requantize: std::array::from_fn(|_| {
                Requantize::new((rng.next_u32() >> 2 | 1 << 30) as i32, -((rng.next_u32() % 9) as i8 + 2))
            }),
            clamp: Clamp { zero, lowest, highest: 127 },
        }
    }

    fn product(&self, output: usize, input: usize) -> i8 {
        self.codes[output][input] * self.scales[output].get(input / GROUP).map_or(1, |&scale| scale as i8)
    }

    fn int4<const BYTES: usize>(&self) -> DenseI4<I, O, BYTES, GROUPS> {
        DenseI4::new(self.codes, self.scales, self.bias, self.requantize, self.clamp)
    }

    fn int8(&self) -> DenseI8<I, O> {
        let weights = std::array::from_fn(|o| std::array::from_fn(|i| self.product(o, i)));
        DenseI8::new(weights, self.bias, self.requantize, self.clamp)
    }

    /// The definition: a sum in 64 bits, wrapped once and then requantized.
    fn predict(&self, x: &[i8; I]) -> [i8; O] {
        std::array::from_fn(|o| {
            let products = (0..I).map(|i| i64::from(self.product(o, i)) * i64::from(x[i]));
            let sum = (i64::from(self.bias[o]) + products.sum::<i64>()) as i32;
            let code = self.requantize[o].apply(sum).saturating_add(self.clamp.zero.into());
            code.clamp(self.clamp.lowest.into(), self.clamp.highest.into()) as i8
        })
    }
}

fn input<const I: usize>(rng: &mut Pcg32) -> [i8; I] {
    let extreme = rng.next_u32().is_multiple_of(8);
    std::array::from_fn(|_| if extreme { -128 } else { rng.next_u32() as i8 })
}

/// Compares layers of these shapes, with and without groups, with the definition and with int8.
macro_rules! for_shapes {
    ($rng:expr; $([$i:literal, $o:literal]),+) => {$(
        for_shapes!(@one $rng, $i, $o, 0);
        for_shapes!(@one $rng, $i, $o, { usize::div_ceil($i, GROUP) });
    )+};
    (@one $rng:expr, $i:literal, $o:literal, $groups:expr) => {{
        let plain = Plain::<$i, $o, $groups>::random($rng);
        let int4 = Network::<_, { microdistill::scratch::<i8>(&[$i, $o]) }>::new(
            plain.int4::<{ usize::div_ceil($i, 2) }>());
        let int8: MlpI8![$i, $o] = Network::new(plain.int8());
        for _ in 0..10 {
            let x = input::<$i>($rng);
            prop_assert_eq!(int4.predict(&x), plain.predict(&x), "{} inputs, {} outputs", $i, $o);
            prop_assert_eq!(int4.predict(&x), int8.predict(&x));
        }
    }};
}

proptest! {
    #[test]
    fn layers_of_any_width_equal_their_definition_and_int8(seed: u64) {
        let rng = &mut Pcg32::new(seed, 1);
        for_shapes!(rng; [1, 1], [1, 5], [2, 3], [3, 4], [7, 2], [16, 8], [31, 3], [32, 2], [33, 5], [64, 3],
            [65, 2], [257, 3], [1025, 1]);
    }

    #[test]
    fn networks_equal_their_definition(seed: u64) {
        let rng = &mut Pcg32::new(seed, 2);
        let (a, b) = (Plain::<35, 7, 2>::random(rng), Plain::<7, 3, 1>::random(rng));
        let by_group: MlpI4![35, 7, 3; by group] = Network::new(a.int4().then(b.int4()));
        let x = input(rng);
        prop_assert_eq!(by_group.predict(&x), b.predict(&a.predict(&x)));
        let (a, b) = (Plain::<35, 7, 0>::random(rng), Plain::<7, 3, 0>::random(rng));
        let network: MlpI4![35, 7, 3] = Network::new(a.int4().then(b.int4()));
        prop_assert_eq!(network.predict(&x), b.predict(&a.predict(&x)));
    }

    /// Slices of the wrong length cause no panic; excess elements are ignored.
    #[test]
    fn slices_of_any_length_are_taken(
        lengths in [0usize..70, 0..70, 0..9, 0..9, 0..9, 0..70, 0..9],
        byte: u8,
        number: i32,
    ) {
        let [weights, scales, bias, multipliers, shifts, x, y] = lengths;
        let layer = Affine {
            weights: Packed { bytes: &vec![byte; weights], group_scales: &vec![byte; scales] },
            bias: &vec![number; bias],
            multipliers: &vec![number; multipliers],
            shifts: &vec![byte as i8; shifts],
            short: byte % 2 == 1,
            zero: byte as i8,
        };
        affine(&layer, &vec![int8::hold(byte as i8); x], &mut vec![int8::hold(0); y]);
    }
}

#[test]
fn the_first_weight_is_in_the_low_half() {
    assert_eq!(pack(1, 2), 0x21);
    assert_eq!(pack(-1, 7), 0x7F);
    assert_eq!(pack(-7, -7), 0x99);
}

#[test]
fn weights_take_half_the_bytes() {
    let parameters = |outputs: usize| outputs * (4 + 4 + 1);
    assert_eq!(size_of::<MlpI4![64, 32]>(), (64 * 32 / 2 + parameters(32) + 1 + 3).next_multiple_of(4));
    assert_eq!(
        size_of::<MlpI4![64, 32; by group]>(),
        (64 * 32 / 2 + 2 * 32 + parameters(32) + 1 + 3).next_multiple_of(4)
    );
    assert_eq!(<DenseI4<3, 1, 2> as Layer>::SCRATCH, <DenseI8<3, 1> as Layer>::SCRATCH);
}

proptest! {
    /// Layouts for cores with the DSP extension give the same codes.
    #[test]
    fn layouts_give_the_same_codes(
        seed: u64, inputs in 1..80usize, outputs in 1..12usize, grouped: bool, bits in 1..=32u32, left in 0..12u32,
    ) {
        let mut rng = Pcg32::new(seed, 3);
        let codes: Vec<i8> = (0..inputs * outputs).map(|_| (rng.next_u32() % 15) as i8 - 7).collect();
        let scales = if grouped { outputs * inputs.div_ceil(GROUP) } else { 0 };
        let group_scales: Vec<u8> = (0..scales).map(|_| (rng.next_u32() % 18) as u8 + 1).collect();
        let bias: Vec<i32> = (0..outputs).map(|_| rng.next_u32() as i32 >> (32 - bits)).collect();
        let multipliers: Vec<i32> = (0..outputs).map(|_| (rng.next_u32() >> 2 | 1 << 30) as i32).collect();
        let shifts: Vec<i8> = (0..outputs).map(|_| (rng.next_u32() % (left + 9)) as i8 - 8).collect();
        let x: Vec<i8> = (0..inputs).map(|_| rng.next_u32() as i8).collect();
        macro_rules! codes_by {
            ($layout:path, $words:path, $held:ty) => {{
                use $layout as layout;
                use $words as words;
                let (mut bias, mut multipliers, mut shifts) =
                    (bias.clone(), multipliers.clone(), shifts.clone());
                let mut laid_out = vec![0; outputs * inputs.div_ceil(2)];
                let weights =
                    Weights { plain: &codes, laid_out: &mut laid_out, group_scales: &group_scales };
                let short = layout::lay_out(Parameters {
                    weights,
                    bias: &mut bias,
                    multipliers: &mut multipliers,
                    shifts: &mut shifts,
                });
                let layer = Affine {
                    weights: Packed { bytes: &laid_out, group_scales: &group_scales },
                    bias: &bias,
                    multipliers: &multipliers,
                    shifts: &shifts,
                    short,
                    zero: -3,
                };
                let x: Vec<$held> = x.iter().map(|&code| words::hold(code)).collect();
                let mut y = vec![words::hold(0); outputs];
                layout::affine(&layer, &x, &mut y);
                y.into_iter().map(words::release).collect::<Vec<i8>>()
            }};
        }
        let expected = codes_by!(int4::rows, int8, int8::Word);
        prop_assert_eq!(codes_by!(fours, int8::pairs, i16), expected);
    }
}
