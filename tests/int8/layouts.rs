//! The portable kernel of every weight layout gives the same codes as the row-major kernel.

use microdistill::kernel::int8::{Affine, Plain, Weights, pairs, quads, rows};
use proptest::prelude::*;
use rand_core::Rng;
use rand_pcg::Pcg32;

/// A layer with row-major weights, and an input.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) weights: Vec<i8>,
    pub(crate) bias: Vec<i32>,
    pub(crate) multipliers: Vec<i32>,
    pub(crate) shifts: Vec<i8>,
    pub(crate) zero: i8,
    pub(crate) x: Vec<i8>,
}

/// Runs a layout's `lay_out`, `hold_all`, `affine` and `release`. Returns the codes, and true if the layer was short.
macro_rules! codes_by {
    ($layout:ident, $layer:expr) => {{
        let mut layer: Layer = $layer.clone();
        let (plain, mut laid_out) = (layer.weights.clone(), vec![0; layer.weights.len()]);
        let short = $layout::lay_out(Plain {
            weights: Weights { plain: &plain, laid_out: &mut laid_out },
            bias: &mut layer.bias,
            multipliers: &mut layer.multipliers,
            shifts: &mut layer.shifts,
        });
        let mut x = vec![$layout::hold(0); layer.x.len()];
        $layout::hold_all(&layer.x, &mut x);
        let mut y = vec![$layout::hold(0); layer.bias.len()];
        $layout::affine(&layer.affine(&laid_out, short), &x, &mut y);
        (y.into_iter().map($layout::release).collect::<Vec<i8>>(), short)
    }};
}

impl Layer {
    fn draw(rng: &mut Pcg32, inputs: usize, outputs: usize, bits: u32, left: u32) -> Self {
        let factors = if rng.next_u32().is_multiple_of(2) { 1 } else { outputs };
        let mut codes = |count| (0..count).map(|_| rng.next_u32() as i8).collect::<Vec<_>>();
        let (weights, x) = (codes(inputs * outputs), codes(inputs));
        Layer {
            weights,
            x,
            bias: (0..outputs).map(|_| rng.next_u32() as i32 >> (32 - bits)).collect(),
            multipliers: (0..factors).map(|_| (rng.next_u32() >> 2 | 1 << 30) as i32).collect(),
            shifts: (0..factors).map(|_| (rng.next_u32() % (left + 9)) as i8 - 8).collect(),
            zero: -3,
        }
    }

    fn affine<'a>(&'a self, weights: &'a [i8], short: bool) -> Affine<'a> {
        let Layer { bias, multipliers, shifts, zero, .. } = self;
        Affine { weights, bias, multipliers, shifts, short, zero: *zero }
    }

    /// The codes that every layout gives.
    pub(crate) fn codes(&self) -> [Vec<i8>; 3] {
        [codes_by!(rows, self).0, codes_by!(pairs, self).0, codes_by!(quads, self).0]
    }
}

proptest! {
    #[test]
    fn layouts_give_the_same_codes(seed: u64, inputs in 1..40usize, outputs in 1..20usize, bits in 1..=32u32, left in 0..20u32) {
        let layer = Layer::draw(&mut Pcg32::new(seed, 1), inputs, outputs, bits, left);
        let [rows, pairs, quads] = layer.codes();
        prop_assert_eq!(pairs, &rows[..], "pairs");
        prop_assert_eq!(quads, rows, "quads");
    }
}

#[test]
fn shortcuts_are_taken_only_if_sums_and_factors_allow_them() {
    let layer = |weights: [i8; 2], bias, multiplier, shift| Layer {
        weights: weights.into(),
        bias: vec![bias],
        multipliers: vec![multiplier],
        shifts: vec![shift],
        zero: 0,
        x: vec![0; 2],
    };
    let bound = 128 * (127 + 1);
    for (layer, in_pairs, in_quads) in [
        (layer([127, -1], 0, 1 << 30, 0), true, true),
        (layer([127, -1], (1 << 23) - 1 - bound, 1 << 30, 0), true, true),
        (layer([127, -1], bound - (1 << 23), 1 << 30, 0), false, true),
        (layer([127, -1], bound - (1 << 30), 1 << 30, 0), false, false),
        (layer([127, -1], i32::MIN, 1 << 30, 0), false, false),
        (layer([127, -1], 0, 1 << 30, 1), false, false),
        (layer([127, -1], 0, (1 << 30) - 1, 0), false, true),
        (layer([127, -128], 0, 1 << 30, 0), false, true),
    ] {
        assert_eq!(
            (codes_by!(pairs, layer).1, codes_by!(quads, layer).1),
            (in_pairs, in_quads),
            "{:?}",
            layer.bias
        );
    }
}
