//! Exact bits of libm's transcendental functions. Another version of libm may round differently, and a model exported
//! with the old version would then no longer reproduce its outputs.

use microdistill::scalar::Scalar;

/// FNV-1a hash of the result bits for 40,000 arguments of every magnitude.
fn fingerprint(f: impl Fn(f32) -> f32) -> u64 {
    let numbers = (0..40_000u32).map(|index| f32::from_bits(index.wrapping_mul(0x9E37_79B9)));
    numbers.fold(0xCBF2_9CE4_8422_2325, |hash, x| {
        let y = f(x);
        let bits = if y.is_nan() { f32::NAN.to_bits() } else { y.to_bits() };
        bits.to_le_bytes()
            .iter()
            .fold(hash, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
    })
}

#[test]
fn transcendental_functions_keep_their_bits() {
    let found = [
        fingerprint(Scalar::exp),
        fingerprint(Scalar::ln),
        fingerprint(Scalar::tanh),
        fingerprint(Scalar::sqrt),
    ];
    // exp, ln, tanh, sqrt
    let pinned = ["dc4163a028088bec", "4f9b054375339d28", "819cf19d4000aeba", "323422fe92ce85f6"];
    assert_eq!(found.map(|hash| format!("{hash:016x}")), pinned);
}
