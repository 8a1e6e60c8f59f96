//! Softmax of int8 logits in integers, as TensorFlow Lite's reference kernel computes it.
//!
//! Qm.n stands for a number with n bits behind the binary point. What gemmlowp computes of negative numbers with a
//! doubling product, which rounds halves up, is here a product with one factor doubled: the bits are the same.

use crate::quant::{Dequantize, Requantize, exp};

/// `pᵢ = exp(zᵢ) / Σ exp(zⱼ)` from the codes of logits to codes of probabilities, [`Softmax::OUTPUT`].
///
/// It is needed only for the probabilities themselves. For the class, take [`argmax`](crate::argmax) of the logits' codes: it
/// is the same class, and logits may differ where their probabilities have the same code.
///
/// It has no table, and takes some 120 instructions a class on a Cortex-M4.
///
/// ```
/// use microdistill::quant::Softmax;
///
/// static SOFTMAX: Softmax = Softmax::new(0.125); // of the logits: `OUTPUT.scale` in an exported file
///
/// let probabilities = Softmax::OUTPUT.apply(&SOFTMAX.apply(&[-3, 20, 11]));
/// assert_eq!(probabilities, [0.0390625, 0.72265625, 0.234375]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Softmax {
    /// Steps of the logits to Q5.26: twice the mantissa of the factor, and its left shift, 0..=30.
    multiplier: u32,
    shift: u8,
    /// Largest distance below the maximum at which a logit still counts: less than 32, in Q5.26.
    reach: u32,
}

impl Softmax {
    /// The output: scale 1/256, zero point −128.
    pub const OUTPUT: Dequantize = Dequantize { scale: 1.0 / 256.0, zero: -128 };

    /// `scale` is the real size of one code of the logits, ≥ 2⁻²⁶.
    pub const fn new(scale: f32) -> Self {
        let factor = Requantize::from_factor(scale as f64 * (1 << 26) as f64);
        let shift = if factor.shift() > 0 { factor.shift() as u8 } else { 0 };
        Softmax { multiplier: 2 * factor.multiplier() as u32, shift, reach: (31 << 26) >> shift }
    }

    /// The probabilities of 1 to 511 classes.
    #[must_use]
    pub fn apply<const C: usize>(&self, logits: &[i8; C]) -> [i8; C] {
        const { assert!(0 < C && C < 512, "a softmax in int8 has 1 to 511 classes") };
        let (mut exps, mut probabilities) = ([0; C], [0; C]);
        self.run(logits, &mut exps, &mut probabilities);
        probabilities
    }

    /// Once in flash, whatever the number of classes.
    #[inline(never)]
    fn run(&self, logits: &[i8], exps: &mut [u32], probabilities: &mut [i8]) {
        let top = logits.iter().copied().fold(i8::MIN, i8::max);
        let mut sum = 0;
        for (e, &logit) in exps.iter_mut().zip(logits) {
            let steps = top.abs_diff(logit).into();
            if steps <= self.reach {
                *e = self.exp_of_steps(steps);
                sum += (*e + (1 << 11)) >> 12;
            }
        }
        // The sum is in Q12.19, and in 1..512, as the largest logit adds 1: 4 to 12 zeros.
        let zeros = sum.leading_zeros();
        let scale = 2 * reciprocal(sum << zeros);
        let shift = 35 - zeros;
        for (probability, &e) in probabilities.iter_mut().zip(&*exps) {
            let code = (multiply(scale, e) + (1 << (shift - 1))) >> shift;
            *probability = (code.min(255) as i32 - 128) as i8;
        }
    }

    /// `exp(−steps·scale)` in Q0.31: gemmlowp's `exp_on_negative_values`.
    ///
    /// The exponent is split into whole quarters, whose powers are multiplied, and a rest in (0, 1/4].
    fn exp_of_steps(&self, steps: u32) -> u32 {
        // Halves of a negative number up are halves of its magnitude down.
        let magnitude = (u64::from(steps << self.shift) * u64::from(self.multiplier) + (1 << 31) - 1) >> 32;
        let Some(last) = (magnitude as u32).checked_sub(1) else { return i32::MAX as u32 };
        let mut e = exp_of_rest(!(last & (QUARTER - 1)) as i32);
        let mut quarters = last / QUARTER;
        for &power in &POWERS {
            if quarters % 2 == 1 {
                e = multiply(e, power);
            }
            quarters /= 2;
        }
        e
    }
}

/// In Q5.26.
const QUARTER: u32 = 1 << 24;

/// `exp(−2ⁿ / 4)` in Q0.31, n in 0..7, doubled.
const POWERS: [u32; 7] = {
    let mut powers = [0; 7];
    let mut n = 0;
    while n < powers.len() {
        powers[n] = 2 * nearest(exp(-((1 << n) as f64) / 4.0) * ONE) as u32;
        n += 1;
    }
    powers
};

/// In Q0.31, where it just does not fit.
const ONE: f64 = (1u32 << 31) as f64;

const fn nearest(positive: f64) -> i32 {
    (positive + 0.5) as i32
}

/// eˣ in Q0.31, of x in [−1/4, 0) in Q5.26: the Taylor series about −1/8 to the fourth power.
fn exp_of_rest(x: i32) -> u32 {
    const MIDDLE: i32 = nearest(exp(-0.125) * ONE);
    const THIRD: i32 = nearest(ONE / 3.0);
    let x = (x << 5) + (1 << 28);
    let x2 = multiply_signed(2 * x, x);
    let x3 = multiply_signed(2 * x2, x);
    let x4 = multiply_signed(2 * x2, x2);
    // x²/2 + x³/6 + x⁴/24
    let tail = (multiply_signed(((x4 + 2) >> 2) + x3, 2 * THIRD) + x2 + 1) >> 1;
    (MIDDLE + multiply_signed(2 * (x + tail), MIDDLE)) as u32
}

/// `1 / x` in Q0.31, of x in [1, 2) in Q1.31: gemmlowp's `one_over_one_plus_x_for_x_in_0_1`.
///
/// Newton's iteration for the inverse y of `h = x / 2`, in Q2.29, from `48/17 − 32/17·h`.
fn reciprocal(x: u32) -> u32 {
    const START: i32 = nearest(48.0 / 17.0 / 4.0 * ONE);
    const SLOPE: i32 = nearest(32.0 / 17.0 / 4.0 * ONE);
    let h = x / 2;
    let mut y = START + multiply_signed(h as i32, -2 * SLOPE);
    for _ in 0..3 {
        let error = (1 << 29) - multiply(2 * h, y as u32) as i32;
        y += multiply_signed(y, 2 * error) << 2;
    }
    (y as u32 * 2).min(i32::MAX as u32)
}

/// `⌊ab / 2³² + ½⌋`
fn multiply(a: u32, b: u32) -> u32 {
    ((u64::from(a) * u64::from(b) + (1 << 31)) >> 32) as u32
}

/// `⌊ab / 2³² + ½⌋`
fn multiply_signed(a: i32, b: i32) -> i32 {
    ((i64::from(a) * i64::from(b) + (1 << 31)) >> 32) as i32
}
