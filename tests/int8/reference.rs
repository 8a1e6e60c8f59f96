//! The definitions, written in i128 with floor division only.

/// `⌊numerator / denominator + 1/2⌋`: rounds to nearest, halves upwards.
fn nearest_up(numerator: i128, denominator: i128) -> i128 {
    (2 * numerator + denominator).div_euclid(2 * denominator)
}

/// Rounds to nearest, halves away from zero.
fn nearest_away(numerator: i128, denominator: i128) -> i128 {
    numerator.signum() * nearest_up(numerator.abs(), denominator)
}

fn saturate(value: i128) -> i128 {
    value.clamp(i128::from(i32::MIN), i128::from(i32::MAX))
}

/// `MultiplyByQuantizedMultiplier` of TensorFlow Lite with gemmlowp's two roundings, which treat halves differently:
/// `SaturatingRoundingDoublingHighMul` (Arm's VQRDMULH) rounds them up, `RoundingDivideByPOT` away from zero.
pub(crate) fn multiply(sum: i32, multiplier: i32, shift: i8) -> i32 {
    let (left, right) = (shift.max(0), -shift.min(0));
    let shifted = saturate(i128::from(sum) << left);
    let high = saturate(nearest_up(shifted * i128::from(multiplier), 1 << 31));
    nearest_away(high, 1 << right) as i32
}

/// A dense layer in TensorFlow Lite's form: the input's zero point is not folded into the bias.
pub(crate) struct Layer {
    pub(crate) weights: Vec<Vec<i8>>,
    pub(crate) bias: Vec<i32>,
    pub(crate) input_zero: i8,
    /// Multiplier and shift of each output.
    pub(crate) factors: Vec<(i32, i8)>,
    pub(crate) zero: i8,
    /// Lowest and highest output code.
    pub(crate) range: (i8, i8),
}

impl Layer {
    /// The exact sum of each output, before it wraps.
    pub(crate) fn sums(&self, x: &[i8]) -> Vec<i128> {
        let sum = |(row, &bias): (&Vec<i8>, &i32)| {
            let products = row
                .iter()
                .zip(x)
                .map(|(&w, &x)| i128::from(w) * (i128::from(x) - i128::from(self.input_zero)));
            i128::from(bias) + products.sum::<i128>()
        };
        self.weights.iter().zip(&self.bias).map(sum).collect()
    }

    pub(crate) fn predict(&self, x: &[i8]) -> Vec<i8> {
        let code = |(sum, &(multiplier, shift)): (i128, &(i32, i8))| {
            let wrapped = sum as i32;
            let code = i128::from(multiply(wrapped, multiplier, shift)) + i128::from(self.zero);
            code.clamp(i128::from(self.range.0), i128::from(self.range.1)) as i8
        };
        self.sums(x).into_iter().zip(&self.factors).map(code).collect()
    }
}
