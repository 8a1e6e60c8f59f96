//! Compares the target's kernels with the portable ones, and computes the int8 softmax and features of text, on random layers,
//! logits and texts that include extremes.

use core::array;

use microdistill::fingerprint::{NOTHING, with};
use microdistill::kernel::int8::{self, Affine, Plain, Weights, rows};
use microdistill::kernel::{AdamStep, Aligned, Kernels, Moments, MomentumStep, int4, reference};
use microdistill::quant::{GROUP, Softmax};
use microdistill::scalar::{Fused, Scalar};
use microdistill::text::NGrams;
use rand_core::Rng;
use rand_pcg::Pcg32;

use crate::Outcome;
use crate::output::println;

/// Number of layers that are compared.
const CASES: u32 = EDGES + 10_000;
/// Number of layers at the start that test requantization: every right shift, four mantissas, two ranges of sums.
const EDGES: u32 = 32 * 4 * 2;
/// Number of layers with fused sums, which are slow on a core without VFMA.
const FUSED: u32 = 200;
/// Widest input.
const INPUTS: usize = 1025;
/// Widest output.
const OUTPUTS: usize = 257;
/// Widest input and output of f32 layers, whose kernels do not depend on such limits.
const INPUTS_F32: usize = 65;
const OUTPUTS_F32: usize = 33;
/// Largest number of parameters of a compared optimizer step: several blocks of any kernel, and a remainder.
const PARAMETERS: usize = 19;

/// Number of texts whose features are computed, and the bytes that they are drawn from.
const TEXTS: u32 = 1000;
const TEXT: &[u8] = "eEéß字 ".as_bytes();

/// Softmax for close logits, for typical ones, and for one dominant logit.
const SOFTMAXES: [Softmax; 3] = [Softmax::new(0.002), Softmax::new(0.09), Softmax::new(1.3)];

/// An exported layer and an input.
struct Case<const WEIGHTS: usize> {
    inputs: usize,
    outputs: usize,
    factors: usize,
    weights: [i8; WEIGHTS],
    bias: [i32; OUTPUTS],
    multipliers: [i32; OUTPUTS],
    shifts: [i8; OUTPUTS],
    zero: i8,
    x: [i8; INPUTS],
}

/// Compares [`CASES`] random layers with at most `WEIGHTS` bytes of weights in int8, int4, f32 and fused arithmetic. Prints how
/// many differ, and a digest of all outputs, which is the same on every machine with the same `WEIGHTS`.
///
/// ```text
/// int8: 10256 layers, 5022 of them by short cuts, 0 differ, digest 1234567890
/// int4: 10256 layers, 5442 of them by short cuts, 0 differ, digest 1234567890
/// f32: 10256 layers, 0 differ, digest 1234567890
/// fused: 200 layers, 0 differ, digest 1234567890
/// softmax: 30768 rows, digest 1234567890
/// text: 1000 texts, digest 1234567890
/// ```
pub fn kernels<const WEIGHTS: usize, const NUMBERS: usize>() -> Outcome {
    const { assert!(WEIGHTS == 4 * NUMBERS, "a number is 4 bytes") };
    let mut rng = Pcg32::new(7, 7);
    let mut different = compare_codes("int8", |index| outputs_i8::<WEIGHTS>(index, &mut rng));
    different += compare_codes("int4", |_| outputs_i4::<WEIGHTS>(&mut rng));
    different += compare_numbers::<f32, NUMBERS>("f32", CASES, &mut rng);
    different += compare_numbers::<Fused, NUMBERS>("fused", FUSED, &mut rng);
    softmaxes(&mut rng);
    texts(&mut rng);
    if different == 0 { Outcome::Passed } else { Outcome::Failed }
}

/// Compares the outputs of the portable kernel and of the target's, which also tells whether it took its short cuts. Returns
/// the number of differences.
#[inline(always)]
fn compare_codes(name: &str, mut outputs: impl FnMut(u32) -> ([i8; OUTPUTS], [i8; OUTPUTS], bool)) -> u32 {
    let (mut short, mut different, mut digest) = (0, 0, NOTHING);
    for index in 0..CASES {
        tell(index);
        let (expected, found, by_short_cuts) = outputs(index);
        short += u32::from(by_short_cuts);
        different += u32::from(expected != found);
        digest = digest_codes(digest, &found);
    }
    println!(
        "{}: {} layers, {} of them by short cuts, {} differ, digest {}",
        name, CASES, short, different, digest
    );
    different
}

/// The same for layers of floating-point numbers and for their training.
fn compare_numbers<T: Kernels, const NUMBERS: usize>(name: &str, cases: u32, rng: &mut Pcg32) -> u32 {
    let (mut different, mut digest) = (0, NOTHING);
    for index in 0..cases {
        tell(index);
        different += u32::from(!pass::<T, NUMBERS>(rng, &mut digest));
    }
    println!("{}: {} layers, {} differ, digest {}", name, cases, different, digest);
    different
}

fn softmaxes(rng: &mut Pcg32) {
    let mut digest = NOTHING;
    for _ in 0..CASES {
        let logits: [i8; 10] = array::from_fn(|_| codes(rng));
        for softmax in &SOFTMAXES {
            digest = digest_codes(digest, &softmax.apply(&logits));
        }
    }
    println!("softmax: {} rows, digest {}", CASES * SOFTMAXES.len() as u32, digest);
}

fn texts(rng: &mut Pcg32) {
    let mut digest = NOTHING;
    for _ in 0..TEXTS {
        let text: [u8; 24] = array::from_fn(|_| TEXT[between(rng, 0, TEXT.len() - 1)]);
        let features = NGrams::<96>::new(1, 3).features(text);
        digest = features.iter().fold(digest, |digest, feature| with(digest, feature.to_bits()));
    }
    println!("text: {} texts, digest {}", TEXTS, digest);
}

fn digest_codes(digest: u32, codes: &[i8]) -> u32 {
    codes.iter().fold(digest, |digest, &code| with(digest, code as u8 as u32))
}

/// Prints a sign of life, because a board that is silent for long counts as hung.
fn tell(index: u32) {
    if index % 1000 == 999 {
        println!("{} layers", index + 1);
    }
}

/// Codes of a random int8 layer from the portable kernel and from the target's, and whether that took its short cuts.
#[inline(never)] // so that its arrays leave the stack when it returns
fn outputs_i8<const WEIGHTS: usize>(index: u32, rng: &mut Pcg32) -> ([i8; OUTPUTS], [i8; OUTPUTS], bool) {
    let mut case = Case::<WEIGHTS>::draw(rng);
    if index < EDGES {
        case.requantize_edges(index);
    }
    let (mut expected, mut found) = ([0; OUTPUTS], [0; OUTPUTS]);
    case.reference(&mut expected);
    let short = case.chosen(&mut found);
    (expected, found, short)
}

/// Codes of a random int4 layer, an int8 layer with small weights, from the portable kernel and from the target's.
#[inline(never)] // so that its arrays leave the stack when it returns
fn outputs_i4<const WEIGHTS: usize>(rng: &mut Pcg32) -> ([i8; OUTPUTS], [i8; OUTPUTS], bool) {
    let mut case = Case::<WEIGHTS>::draw(rng);
    let Case { inputs, outputs, .. } = case;
    let (parts, bytes) = (inputs.div_ceil(GROUP), inputs.div_ceil(2));
    let groups = if rng.next_u32().is_multiple_of(2) { parts } else { 0 };
    let mut group_scales = [0; INPUTS];
    let outputs = if groups * outputs > INPUTS { INPUTS / groups } else { outputs };
    group_scales.fill_with(|| (rng.next_u32() % 18) as u8 + 1);
    for weight in &mut case.weights {
        *weight = (*weight >> 4).max(-7);
    }
    let (codes, group_scales) = (&case.weights[..inputs * outputs], &group_scales[..groups * outputs]);
    let (bias, multipliers) = (&mut case.bias[..outputs], &mut case.multipliers[..outputs]);
    let (shifts, zero) = (&mut case.shifts[..outputs], case.zero);
    let mut x = Aligned([int8::hold(0); INPUTS]);
    int8::hold_all(&case.x[..inputs], &mut x.0);
    let mut laid_out = Aligned([0; WEIGHTS]);
    let mut codes_by = |lay_out: fn(int4::Plain<'_>) -> bool,
                        affine: fn(&int4::Affine<'_>, &[_], &mut [_])| {
        let laid_out = &mut laid_out.0[..bytes * outputs];
        laid_out.fill(0);
        let weights = int4::Weights { plain: codes, laid_out, group_scales };
        let short = lay_out(int4::Plain { weights, bias, multipliers, shifts });
        let weights = int4::Packed { bytes: laid_out, group_scales };
        let layer = int4::Affine { weights, bias, multipliers, shifts, short, zero };
        let mut words = [int8::hold(0); OUTPUTS];
        affine(&layer, &x.0[..inputs], &mut words[..outputs]);
        (words.map(int8::release), short)
    };
    // The portable layout comes first because it leaves the factors unchanged.
    let (expected, _) = codes_by(int4::rows::lay_out, int4::rows::affine);
    let (found, short) = codes_by(int4::lay_out, int4::affine);
    (expected, found, short)
}

/// Returns true if the portable kernels and the target's give the same outputs and gradients of a random layer, added to
/// random ones.
#[inline(never)] // so that its arrays leave the stack when it returns
fn pass<T: Kernels, const NUMBERS: usize>(rng: &mut Pcg32, digest: &mut u32) -> bool {
    let inputs = between(rng, 1, INPUTS_F32);
    let outputs = between(rng, 1, (NUMBERS / inputs).min(OUTPUTS_F32));
    let (special, off) = (rng.next_u32().is_multiple_of(8), rng.next_u32() % 4);
    let mut number = || {
        let bits = rng.next_u32();
        // Either random bits, which mostly are absurd numbers, or a number below 4, or zero, as after an inactive ReLU.
        T::from_f32(match bits % 4 < off {
            _ if special => f32::from_bits(bits),
            true => 0.0,
            false => (bits as i32) as f32 / (1 << 29) as f32,
        })
    };
    let (mut w, mut b, mut x) = ([T::ZERO; NUMBERS], [T::ZERO; OUTPUTS_F32], [T::ZERO; INPUTS_F32]);
    w[..inputs * outputs].fill_with(&mut number);
    b[..outputs].fill_with(&mut number);
    x[..inputs].fill_with(&mut number);
    let (w, b, x) = (&w[..inputs * outputs], &b[..outputs], &x[..inputs]);
    by_output::<T, NUMBERS>(w, b, x, digest)
        & by_input::<T, NUMBERS>(w, b, x, digest)
        & adam(w, T::unit_interval(u32::MAX), digest)
        & adam(w, T::ONE, digest)
        & momentum(w, T::unit_interval(1 << 20), digest)
        & momentum(w, T::ZERO, digest)
}

/// Uses the kernels for weights by output; `b` is the bias or its gradient.
#[inline(never)] // so that its arrays leave the stack when it returns
fn by_output<T: Kernels, const NUMBERS: usize>(w: &[T], b: &[T], x: &[T], digest: &mut u32) -> bool {
    let (inputs, outputs) = (x.len(), b.len());
    let (mut expected, mut found) = ([T::ZERO; OUTPUTS_F32], [T::ZERO; OUTPUTS_F32]);
    reference::affine(w, b, x, &mut expected[..outputs]);
    T::affine(w, b, x, &mut found[..outputs]);
    let mut equal = same(&expected, &found, digest);
    reference::add(b, &mut expected[..outputs]);
    T::add_all(b, &mut found[..outputs]);
    equal &= same(&expected, &found, digest);
    reference::affine_rectified(w, b, x, &mut expected[..outputs]);
    T::affine_rectified(w, b, x, &mut found[..outputs]);
    equal &= same(&expected, &found, digest);

    let (mut expected, mut found) =
        ([T::unit_interval(1 << 31); INPUTS_F32], [T::unit_interval(1 << 31); INPUTS_F32]);
    reference::affine_input_gradient(w, b, &mut expected[..inputs]);
    T::affine_input_gradient(w, b, &mut found[..inputs]);
    equal &= same(&expected, &found, digest);

    let (mut expected, mut found) =
        ([T::unit_interval(1 << 31); NUMBERS], [T::unit_interval(1 << 31); NUMBERS]);
    let (mut expected_db, mut found_db) =
        ([T::unit_interval(1 << 31); OUTPUTS_F32], [T::unit_interval(1 << 31); OUTPUTS_F32]);
    let weights = ..inputs * outputs;
    reference::affine_parameter_gradient(x, b, &mut expected[weights], &mut expected_db[..outputs]);
    T::affine_parameter_gradient(x, b, &mut found[weights], &mut found_db[..outputs]);
    equal &= same(&expected, &found, digest) & same(&expected_db, &found_db, digest);
    equal
}

/// The same with the kernels for weights by input.
#[inline(never)] // so that its arrays leave the stack when it returns
fn by_input<T: Kernels, const NUMBERS: usize>(w: &[T], b: &[T], x: &[T], digest: &mut u32) -> bool {
    let (start, weights) = (T::unit_interval(1 << 31), ..w.len());
    let (mut expected, mut found) = ([start; OUTPUTS_F32], [start; OUTPUTS_F32]);
    let outputs = ..b.len();
    reference::affine_by_input(w, b, x, &mut expected[outputs]);
    T::affine_by_input(w, b, x, &mut found[outputs]);
    let mut equal = same(&expected, &found, digest);
    reference::rectify(&mut expected[outputs]);
    T::rectify(&mut found[outputs]);
    equal &= same(&expected, &found, digest);

    for active in [false, true] {
        let (mut expected, mut found) = ([start; NUMBERS], [start; NUMBERS]);
        let (mut expected_dx, mut found_dx) = ([start; INPUTS_F32], [start; INPUTS_F32]);
        let [expected_w, found_w] = [&mut expected[weights], &mut found[weights]];
        let [expected_x, found_x] = [&mut expected_dx[..x.len()], &mut found_dx[..x.len()]];
        if active {
            reference::by_input_gradients::<T, true>(w, x, b, expected_w, expected_x);
            T::by_input_gradients::<true>(w, x, b, found_w, found_x);
            reference::by_input_descend::<T, true>(expected_w, x, b, expected_x);
            T::by_input_descend::<true>(found_w, x, b, found_x);
        } else {
            reference::by_input_gradients::<T, false>(w, x, b, expected_w, expected_x);
            T::by_input_gradients::<false>(w, x, b, found_w, found_x);
            reference::by_input_descend::<T, false>(expected_w, x, b, expected_x);
            T::by_input_descend::<false>(found_w, x, b, found_x);
        }
        reference::add_outer(x, b, expected_w);
        T::add_outer(x, b, found_w);
        equal &= same(&expected, &found, digest) & same(&expected_dx, &found_dx, digest);
    }
    equal
}

/// The same for a momentum step of up to [`PARAMETERS`] parameters, which decay by `decay`.
#[inline(never)] // so that its arrays leave the stack when it returns
fn momentum<T: Kernels>(w: &[T], decay: T, digest: &mut u32) -> bool {
    let step = MomentumStep {
        scale: T::unit_interval(1 << 30),
        momentum: T::unit_interval(7 << 29),
        decay,
        rate: -T::unit_interval(1 << 29),
    };
    let count = w.len().min(PARAMETERS);
    let mut tensors = [[[T::ONE; PARAMETERS]; 3]; 2];
    for [params, gradient, velocity] in &mut tensors {
        for (place, &w) in w.iter().take(count).enumerate() {
            (params[place], gradient[place], velocity[place]) = (w, w - T::ONE, w + T::ONE);
        }
    }
    let [[p, g, u], [kernel_p, kernel_g, kernel_u]] = &mut tensors;
    reference::momentum(&mut p[..count], &mut g[..count], &mut u[..count], &step);
    T::momentum(&mut kernel_p[..count], &mut kernel_g[..count], &mut kernel_u[..count], &step);
    let [expected, found] = &tensors;
    expected.iter().zip(found).fold(true, |equal, (expected, found)| equal & same(expected, found, digest))
}

/// The same for an Adam step of up to [`PARAMETERS`] parameters; `keep` is the factor of their decay.
#[inline(never)] // so that its arrays leave the stack when it returns
fn adam<T: Kernels>(w: &[T], keep: T, digest: &mut u32) -> bool {
    let step = AdamStep {
        scale: T::unit_interval(1 << 30),
        beta1: T::unit_interval(7 << 29),
        beta2: T::unit_interval(u32::MAX),
        epsilon: T::unit_interval(1 << 10),
        rate: -T::unit_interval(1 << 29),
        keep,
    };
    let count = w.len().min(PARAMETERS);
    let mut tensors = [[[T::ONE; PARAMETERS]; 4]; 2];
    for [params, gradient, first, second] in &mut tensors {
        for (place, &w) in w.iter().take(count).enumerate() {
            (params[place], gradient[place], first[place], second[place]) =
                (w, w - T::ONE, w + T::ONE, w * w);
        }
    }
    let [[p, g, m, v], [kernel_p, kernel_g, kernel_m, kernel_v]] = &mut tensors;
    reference::adam(
        &mut p[..count],
        &mut g[..count],
        Moments { first: &mut m[..count], second: &mut v[..count] },
        &step,
    );
    let moments = Moments { first: &mut kernel_m[..count], second: &mut kernel_v[..count] };
    T::adam(&mut kernel_p[..count], &mut kernel_g[..count], moments, &step);
    let [expected, found] = &tensors;
    expected.iter().zip(found).fold(true, |equal, (expected, found)| equal & same(expected, found, digest))
}

/// Returns true if numbers are equal bit by bit. Adds the found ones to the digest.
fn same<T: Scalar>(expected: &[T], found: &[T], digest: &mut u32) -> bool {
    // The payload of a NaN depends on the processor.
    let bits = |y: &T| match y.to_f32() {
        y if y.is_nan() => f32::NAN.to_bits(),
        y => y.to_bits(),
    };
    *digest = found.iter().fold(*digest, |digest, y| with(digest, bits(y)));
    expected.iter().zip(found).all(|(a, &b)| a.same_bits(b))
}

/// A random number in `low..=high`.
fn between(rng: &mut Pcg32, low: usize, high: usize) -> usize {
    low + rng.next_u32() as usize % (high - low + 1)
}

impl<const WEIGHTS: usize> Case<WEIGHTS> {
    /// Draws a layer. Most are ordinary; in the others widths, weights, inputs, biases and factors are at their extremes.
    fn draw(rng: &mut Pcg32) -> Self {
        let inputs = match rng.next_u32() % 8 {
            0 => between(rng, 1, 9),
            1 => between(rng, 511, INPUTS.min(WEIGHTS)),
            2 => between(rng, 1, 257),
            _ => between(rng, 1, 64),
        };
        let most = (WEIGHTS / inputs).min(OUTPUTS);
        let outputs = if rng.next_u32().is_multiple_of(4) {
            between(rng, 1, most)
        } else {
            between(rng, 1, most.min(33))
        };
        let factors = if rng.next_u32().is_multiple_of(2) { outputs } else { 1 };
        let mut case = Case {
            inputs,
            outputs,
            factors,
            weights: [0; WEIGHTS],
            bias: [0; OUTPUTS],
            multipliers: [0; OUTPUTS],
            shifts: [0; OUTPUTS],
            zero: codes(rng),
            x: [0; INPUTS],
        };
        fill(rng, &mut case.weights, -127);
        fill(rng, &mut case.x, -128);
        let bits = [8, 16, 20, 24, 32][between(rng, 0, 4)];
        case.bias.fill_with(|| rng.next_u32() as i32 >> (32 - bits));
        let (shortest, longest) = [(2, 10), (0, 14), (0, 31), (-30, 31)][between(rng, 0, 3)];
        case.shifts
            .fill_with(|| (-shortest - (rng.next_u32() % (longest - shortest + 1) as u32) as i32) as i8);
        let any = rng.next_u32().is_multiple_of(8);
        case.multipliers.fill_with(|| match rng.next_u32() {
            bits if any => (bits >> 1) as i32,
            bits if bits.is_multiple_of(16) => [1 << 30, i32::MAX][bits as usize / 16 % 2],
            bits => (bits >> 2 | 1 << 30) as i32,
        });
        case
    }

    /// Sets sums around every power of two, where rounding meets halves. They are biases, because the weights are zero.
    fn requantize_edges(&mut self, index: u32) {
        let mantissa = [1 << 30, (1 << 30) + 1, i32::MAX - 1, i32::MAX][index as usize / 32 % 4];
        let bits = if index < EDGES / 2 { 22 } else { 29 };
        (self.inputs, self.outputs, self.factors) = (1, 6 * bits, 1);
        self.weights.fill(0);
        self.multipliers.fill(mantissa);
        self.shifts.fill(-((index % 32) as i8));
        for (place, bias) in self.bias.iter_mut().take(self.outputs).enumerate() {
            let size = (1 << (place / 6)) + (place % 3) as i32 - 1;
            *bias = if place % 6 < 3 { size } else { -size };
        }
    }

    fn reference(&self, y: &mut [i8; OUTPUTS]) {
        let layer = Affine {
            weights: &self.weights[..self.inputs * self.outputs],
            bias: &self.bias[..self.outputs],
            multipliers: &self.multipliers[..self.factors],
            shifts: &self.shifts[..self.factors],
            short: false,
            zero: self.zero,
        };
        rows::portable(&layer, &self.x[..self.inputs], &mut y[..self.outputs]);
    }

    /// Runs the target's kernel. Returns whether it took its short cuts.
    fn chosen(&mut self, y: &mut [i8; OUTPUTS]) -> bool {
        let mut laid_out = Aligned([0; WEIGHTS]);
        let laid_out = &mut laid_out.0[..self.inputs * self.outputs];
        let (bias, multipliers) = (&mut self.bias[..self.outputs], &mut self.multipliers[..self.factors]);
        let shifts = &mut self.shifts[..self.factors];
        let weights = Weights { plain: &self.weights[..self.inputs * self.outputs], laid_out };
        let short = int8::lay_out(Plain { weights, bias, multipliers, shifts });
        let layer = Affine { weights: laid_out, bias, multipliers, shifts, short, zero: self.zero };
        let mut x = Aligned([int8::hold(0); INPUTS]);
        let mut words = [int8::hold(0); OUTPUTS];
        int8::hold_all(&self.x[..self.inputs], &mut x.0);
        int8::affine(&layer, &x.0[..self.inputs], &mut words[..self.outputs]);
        for (y, &word) in y[..self.outputs].iter_mut().zip(&words) {
            *y = int8::release(word);
        }
        short
    }
}

/// A random code, which is one of the extremes in half of the cases.
fn codes(rng: &mut Pcg32) -> i8 {
    match rng.next_u32() % 4 {
        0 => -128,
        1 => 127,
        _ => rng.next_u32() as i8,
    }
}

/// Fills codes with values at one extreme, at both, small ones or any.
fn fill(rng: &mut Pcg32, codes: &mut [i8], lowest: i8) {
    let kind = rng.next_u32() % 8;
    codes.fill_with(|| {
        let bits = rng.next_u32();
        match kind {
            0 => lowest,
            1 => 127,
            2 => [lowest, 127][bits as usize % 2],
            3 | 4 => (bits as i8) >> 3,
            _ => (bits as i8).max(lowest),
        }
    });
}
