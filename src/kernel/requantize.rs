//! From an i32 sum to an i8 code: gemmlowp's double rounding, as TensorFlow Lite's reference kernels have it.

/// Multiplication by a positive real number: `multiplier · 2^(shift − 31)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Requantize {
    /// Q31 mantissa, 2³⁰..2³¹ (or 0 for a factor of zero).
    multiplier: i32,
    /// −31..=30, positive = left.
    shift: i8,
}

impl Requantize {
    /// `multiplier`: Q31 mantissa, 0..=2³¹−1; `shift`: −31..=30, positive = left. A shift outside is cut to the range.
    pub const fn new(multiplier: i32, shift: i8) -> Self {
        let shift = match shift {
            ..-31 => -31,
            31.. => 30,
            shift => shift,
        };
        Requantize { multiplier, shift }
    }

    /// The factor as mantissa and exponent, rounded to nearest: `QuantizeMultiplier` of TensorFlow Lite.
    ///
    /// `factor` ≥ 0. What rounds to less than 2⁻³² becomes zero, as NaN does; from 2³⁰ on it saturates.
    pub const fn from_factor(factor: f64) -> Self {
        let bits = factor.to_bits();
        // factor = mantissa·2^(shift − 31), the mantissa in 2³⁰..=2³¹: 53 bits rounded to 31.
        let significand = (bits & ((1 << 52) - 1)) | (1 << 52);
        let mut mantissa = (significand + (1 << 21)) >> 22;
        let mut shift = (bits >> 52) as i32 - 1022;
        if mantissa == 1 << 31 {
            mantissa /= 2;
            shift += 1;
        }
        if factor.is_nan() || factor <= 0.0 || shift < -31 {
            Requantize { multiplier: 0, shift: 0 }
        } else if shift > 30 {
            Requantize { multiplier: i32::MAX, shift: 30 }
        } else {
            Requantize { multiplier: mantissa as i32, shift: shift as i8 }
        }
    }

    /// The Q31 mantissa.
    pub const fn multiplier(self) -> i32 {
        self.multiplier
    }

    /// The exponent, −31..=30, positive = left.
    pub const fn shift(self) -> i8 {
        self.shift
    }

    /// The mantissas and the exponents apart, as kernels read them.
    pub(crate) const fn apart<const S: usize>(factors: &[Requantize; S]) -> ([i32; S], [i8; S]) {
        let (mut multipliers, mut shifts) = ([0; S], [0; S]);
        let mut index = 0;
        while index < S {
            multipliers[index] = factors[index].multiplier;
            shifts[index] = factors[index].shift;
            index += 1;
        }
        (multipliers, shifts)
    }

    /// `sum · multiplier · 2^(shift − 31)`: a saturating left shift, a saturating rounding doubling high multiply, a
    /// rounding right shift.
    pub const fn apply(self, sum: i32) -> i32 {
        let (left, right) = if self.shift > 0 { (self.shift as u32, 0) } else { (0, -self.shift as u32) };
        rounding_shift_right(doubling_high_multiply(shift_left(sum, left), self.multiplier), right)
    }

    /// The code of a sum: [`apply`](Requantize::apply), plus the zero point of the output, cut to [-128, 127].
    pub(crate) fn code(self, sum: i32, zero: i8) -> i8 {
        self.apply(sum).saturating_add(zero.into()).clamp(-128, 127) as i8
    }
}

/// `value · 2^bits`, saturating; `bits` in 0..=30.
const fn shift_left(value: i32, bits: u32) -> i32 {
    saturate((value as i64) << bits)
}

/// The nearest i32.
const fn saturate(value: i64) -> i32 {
    if value > i32::MAX as i64 {
        i32::MAX
    } else if value < i32::MIN as i64 {
        i32::MIN
    } else {
        value as i32
    }
}

/// `⌊ab / 2³¹ + ½⌋`, halves upwards; MIN · MIN saturates. gemmlowp's `SaturatingRoundingDoublingHighMul`, Arm's
/// VQRDMULH.
const fn doubling_high_multiply(a: i32, b: i32) -> i32 {
    if a == i32::MIN && b == i32::MIN {
        return i32::MAX;
    }
    ((a as i64 * b as i64 + (1 << 30)) >> 31) as i32
}

/// `round(value / 2^bits)`, halves away from zero; `bits` in 0..=31. gemmlowp's `RoundingDivideByPOT`.
const fn rounding_shift_right(value: i32, bits: u32) -> i32 {
    let mask = ((1i64 << bits) - 1) as i32;
    let remainder = value & mask;
    let threshold = (mask >> 1) + (value < 0) as i32;
    (value >> bits) + (remainder > threshold) as i32
}
