//! eˣ at compile time, for tables and constants.

/// eˣ by IEEE 754 basic operations in a fixed order, so that a `const` and a desktop have the same bits.
///
/// The relative error is below 3·10⁻¹⁶. Zero below −708, infinite above 709; NaN stays NaN.
pub const fn exp(x: f64) -> f64 {
    if x < -708.0 {
        return 0.0;
    }
    if x > 709.0 {
        return f64::INFINITY;
    }
    // x = power·ln 2 + rest. The upper part of ln 2 ends with zeros, so that its product is exact.
    const LN_2_UPPER: f64 = f64::from_bits(core::f64::consts::LN_2.to_bits() & !0xffff_ffff);
    const LN_2_LOWER: f64 = 4.749_325_039_031_672_6e-7;
    let half = if x < 0.0 { -0.5 } else { 0.5 };
    let power = (x * core::f64::consts::LOG2_E + half) as i64;
    let rest = (x - power as f64 * LN_2_UPPER) - power as f64 * LN_2_LOWER;
    // Σ restⁿ / n!, whose next term is below 10⁻¹⁷: |rest| ≤ ln 2 / 2.
    let mut sum = 1.0;
    let mut n = 13;
    while n > 0 {
        sum = 1.0 + rest * sum / n as f64;
        n -= 1;
    }
    sum * f64::from_bits(((1023 + power) as u64) << 52)
}
