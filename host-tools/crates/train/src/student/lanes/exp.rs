//! `exp` in lanes: the operations of `libm::expf` in the same order, with selections where that branches.

use fearless_simd::prelude::*;

const LN2_HI: f32 = 6.931_457_5e-1;
const LN2_LO: f32 = 1.428_606_8e-6;
const INV_LN2: f32 = std::f32::consts::LOG2_E;
const P1: f32 = 1.666_662_5e-1;
const P2: f32 = -2.766_733_3e-3;

/// eˣ of every lane, with the bits of `libm::expf`.
#[inline(always)]
pub(super) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let splat = |value| S::f32s::splat(simd, value);
    let zero = splat(0.0);
    let size = x.abs();
    let negative = x.simd_lt(zero);
    // k, the multiple of ln 2 that is taken off. NaN and ±∞ are selected away below; here they are zero, which converts.
    let tame = size.simd_lt(splat(200.0)).select(x, zero);
    let many = splat(INV_LN2) * tame + negative.select(splat(-0.5), splat(0.5));
    let many: S::f32s = many.to_int::<S::i32s>().to_float();
    let one = negative.select(splat(-1.0), splat(1.0));
    let k = size.simd_gt(splat(f32::from_bits(0x3f85_1592))).select(many, one);
    let k = size.simd_gt(splat(f32::from_bits(0x3eb1_7218))).select(k, zero);
    // Without a multiple, hi is x and lo is 0, as there.
    let hi = x - k * splat(LN2_HI);
    let lo = k * splat(LN2_LO);
    let r = hi - lo;
    let square = r * r;
    let c = r - square * (splat(P1) + square * splat(P2));
    let y = splat(1.0) + (r * c / (splat(2.0) - c) - lo + hi);
    let y = scale::<S>(simd, y, k);
    let y = size.simd_gt(splat(f32::from_bits(0x3900_0000))).select(y, splat(1.0) + x);
    let y = x.simd_ge(splat(f32::from_bits(0x42b1_7218))).select(splat(f32::INFINITY), y);
    let y = x.simd_le(splat(f32::from_bits(0xc2cf_f1b5))).select(zero, y);
    x.simd_eq(x).select(y, x)
}

/// `y·2ᵏ`, rounded once. The first factor is about the root of 2ᵏ, by which `y`, near 1, stays a normal number.
#[inline(always)]
fn scale<S: Simd>(simd: S, y: S::f32s, k: S::f32s) -> S::f32s {
    let k = k.to_int::<S::i32s>();
    let first = k >> 1;
    let power = |k: S::i32s| ((k + S::i32s::splat(simd, 127)) << 23).bitcast::<S::f32s>();
    y * power(first) * power(k - first)
}

#[cfg(test)]
mod tests {
    use fearless_simd::dispatch;
    use microdistill::scalar::Scalar;

    use super::*;

    #[inline(always)]
    fn all<S: Simd>(simd: S, x: &mut [f32]) {
        for x in x.chunks_exact_mut(S::f32s::LEN) {
            exp(simd, S::f32s::from_slice(simd, x)).store_slice(x);
        }
    }

    #[test]
    fn bits_are_those_of_libm() {
        let special = [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE, f32::MAX];
        let edges = [0x3eb1_7218u32, 0x3f85_1592, 0x3900_0000, 0x42ae_ac50, 0x42b1_7218, 0x42cf_f1b5];
        let edges =
            edges.into_iter().flat_map(|bits| bits - 70..bits + 70).flat_map(|bits| [bits, bits | 1 << 31]);
        let bits = special.map(f32::to_bits).into_iter().chain(edges).chain((0..=u32::MAX).step_by(97));
        let bits: Vec<u32> = bits.collect();
        for level in super::super::levels() {
            for bits in bits.chunks(1 << 16) {
                let mut found: Vec<f32> = bits.iter().copied().map(f32::from_bits).collect();
                found.resize(found.len().next_multiple_of(16), 0.0);
                dispatch!(level, simd => all(simd, &mut found));
                for (&bits, found) in bits.iter().zip(found) {
                    let expected = Scalar::exp(f32::from_bits(bits));
                    let same = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
                    assert!(same, "exp({:e}) = {found:e}, not {expected:e}", f32::from_bits(bits));
                }
            }
        }
    }
}
