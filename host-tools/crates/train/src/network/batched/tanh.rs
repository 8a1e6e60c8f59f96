//! Hyperbolic tangent that compilers can vectorize. With `libm::tanhf`, a teacher would spend half of its training in
//! it.

use microdistill::scalar::Scalar;

/// Computes `z ← tanh z` for every element, with an error of at most 10⁻⁵.
///
/// Uses Lambert's continued fraction `z / (1 + z² / (3 + z² / (5 + …)))` up to its ninth term, as a quotient of two
/// polynomials.
pub(crate) fn tanh<T: Scalar>(z: &mut [T]) {
    let [n0, n1, n2, n3] = [34_459_425, 4_729_725, 135_135, 990].map(T::from_count);
    let [d1, d2, d3, d4] = [16_216_200, 945_945, 13_860, 45].map(T::from_count);
    // Beyond this limit tanh is 1 in f32, and the quotient starts to deviate from it.
    let limit = T::from_count(LIMIT);
    for z in z {
        let x = if *z > limit { limit } else { *z };
        let x = if x < -limit { -limit } else { x };
        let s = x * x;
        let numerator = (((s + n3) * s + n2) * s + n1) * s + n0;
        let denominator = (((d4 * s + d3) * s + d2) * s + d1) * s + n0;
        let y = x * numerator / denominator;
        let y = if y > T::ONE { T::ONE } else { y };
        *z = if y < -T::ONE { -T::ONE } else { y };
    }
}

const LIMIT: usize = 9;

#[cfg(test)]
mod tests {
    use super::tanh;

    #[test]
    fn is_close_everywhere() {
        let mut worst = 0f64;
        for step in -200_000..=200_000 {
            let x = step as f32 / 10_000.0;
            let mut y = [x];
            tanh(&mut y);
            worst = worst.max((f64::from(y[0]) - f64::from(x).tanh()).abs());
        }
        assert!(worst < 1e-5, "{worst:e}");
        for (x, expected) in [(f32::INFINITY, 1.0), (f32::NEG_INFINITY, -1.0), (0.0, 0.0)] {
            let mut y = [x];
            tanh(&mut y);
            assert_eq!(y, [expected]);
        }
        let mut y = [f32::NAN];
        tanh(&mut y);
        assert!(y[0].is_nan());
    }
}
