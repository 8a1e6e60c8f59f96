//! Teachers: anything that gives logits for an input.
//!
//! ```
//! use microdistill::teacher::{Ensemble, Teacher};
//! use microdistill::{Mlp, Params};
//!
//! static NETWORK: Mlp![2, 8, 3] = <Mlp![2, 8, 3]>::ZERO; // in flash
//! let rule = |x: &[f32; 2]| [x[0], x[1], 0.0];
//!
//! let teacher = Ensemble::<dyn Teacher<[f32; 2], [f32; 3]>> { members: &[&NETWORK, &rule] };
//! let logits = teacher.teach(&[0.5, -1.0]);
//! assert!(logits[0] > logits[2]);
//! ```
//!
//! Exported files have a function `predict` from raw features to logits, f32 or int8, which is a teacher as it stands.

use crate::layer::Layer;
use crate::loss::log_softmax;
use crate::network::Network;
use crate::quant::{Decode, Dequantize, Quantize};
use crate::scalar::Scalar;
use crate::scaler::Prepare;

/// Gives logits, an `O`, for an input, an `I`.
///
/// Implemented by functions and closures, f32 networks, [`Quantized`] ones, an [`Ensemble`] and [`Stored`] answers.
pub trait Teacher<I: ?Sized, O> {
    /// The logits for `input`, or the values of a regression.
    fn teach(&self, input: &I) -> O;
}

impl<I: ?Sized, O, F: Fn(&I) -> O> Teacher<I, O> for F {
    fn teach(&self, input: &I) -> O {
        self(input)
    }
}

/// Its inputs are those of the network: standardized features.
impl<L: Layer<Item = f32>, const SCRATCH: usize> Teacher<L::Input, L::Output> for Network<L, SCRATCH> {
    fn teach(&self, input: &L::Input) -> L::Output {
        self.predict(input)
    }
}

/// An int8 network with its edges. Its inputs are raw features, or codes that were kept.
#[derive(Clone, Copy, Debug)]
pub struct Quantized<'a, N, const I: usize, D = Dequantize> {
    /// Raw features to codes.
    pub input: &'a Quantize<I>,
    /// Codes to codes.
    pub network: &'a N,
    /// Codes to logits, or to values.
    pub output: &'a D,
}

impl<L, D, const SCRATCH: usize, const I: usize, const O: usize> Teacher<[f32; I], [f32; O]>
    for Quantized<'_, Network<L, SCRATCH>, I, D>
where
    L: Layer<Input = [i8; I], Output = [i8; O], Item = i8>,
    D: Decode<O>,
{
    fn teach(&self, raw: &[f32; I]) -> [f32; O] {
        self.teach(&self.input.apply(raw))
    }
}

impl<L, D, const SCRATCH: usize, const I: usize, const O: usize> Teacher<[i8; I], [f32; O]>
    for Quantized<'_, Network<L, SCRATCH>, I, D>
where
    L: Layer<Input = [i8; I], Output = [i8; O], Item = i8>,
    D: Decode<O>,
{
    fn teach(&self, codes: &[i8; I]) -> [f32; O] {
        self.output.decode(&self.network.predict(codes))
    }
}

/// Several teachers of one kind, or of several as `dyn Teacher`, whose *probabilities* are averaged:
/// `ln (1/K Σ softmax(v_k))`.
///
/// Logarithms of probabilities are logits, so that losses take them as they are. Without a member all are zero: every
/// class is as likely.
#[derive(Debug)]
pub struct Ensemble<'a, T: ?Sized> {
    /// The teachers, in flash for example.
    pub members: &'a [&'a T],
}

impl<I: ?Sized, const C: usize, T: Teacher<I, [f32; C]> + ?Sized> Teacher<I, [f32; C]> for Ensemble<'_, T> {
    fn teach(&self, input: &I) -> [f32; C] {
        let mut answers = self.members.iter().map(|member| {
            let mut logits = member.teach(input);
            log_softmax(&mut logits);
            logits
        });
        let Some(mut sum) = answers.next() else { return [0.0; C] };
        for answer in answers {
            for (sum, log) in sum.iter_mut().zip(answer) {
                *sum = log_add(*sum, log);
            }
        }
        let count = Scalar::ln(f32::from_count(self.members.len()));
        sum.map(|log| log - count)
    }
}

/// `ln(eᵃ + eᵇ)`, which is finite also where both powers underflow.
fn log_add(a: f32, b: f32) -> f32 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    high + Scalar::ln(1.0 + Scalar::exp(low - high))
}

/// Gives the answers that came with the samples: an input is a pair of a sample and its logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stored;

impl<X, O: Copy> Teacher<(X, O), O> for Stored {
    fn teach(&self, (_, answer): &(X, O)) -> O {
        *answer
    }
}

/// Asks a teacher only where the student is unsure, and counts.
///
/// The student is unsure where the two largest of its probabilities differ by less than [`margin`](Unsure::margin)
/// (margin sampling: Scheffer, Decomain and Wrobel 2001). Who is sure can still be wrong: every [`audit`](Unsure::audit)
/// samples at least, the teacher is asked all the same, or a drift would go unseen.
///
/// ```
/// use microdistill::teacher::Unsure;
///
/// let mut queries = Unsure::new(0.5, 100);
/// let teacher = |x: &[f32; 1]| [x[0], -x[0]];
/// assert_eq!(queries.ask(&teacher, &[0.1], &[0.2, 0.0]), Some([0.1, -0.1]));
/// assert_eq!(queries.ask(&teacher, &[3.0], &[4.0, 0.0]), None);
/// assert_eq!((queries.asked(), queries.saved()), (1, 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Unsure {
    /// In [0, 1]: at 0 only audits are asked for, above 1 every sample is.
    pub margin: f32,
    /// After so many samples without a question, the next one is asked for; at 0, every sample is.
    pub audit: u32,
    asked: u32,
    saved: u32,
    since: u32,
}

impl Unsure {
    /// Before the first question.
    pub const fn new(margin: f32, audit: u32) -> Self {
        Unsure { margin, audit, asked: 0, saved: 0, since: 0 }
    }

    /// The teacher's logits for `input`, if the student, whose logits for it are `student`, is unsure or it is time for
    /// an audit. Logits that are NaN are unsure.
    pub fn ask<I: ?Sized, O>(
        &mut self,
        teacher: &(impl Teacher<I, O> + ?Sized),
        input: &I,
        student: &[f32],
    ) -> Option<O> {
        let sure = margin(student) >= self.margin;
        if sure && self.since < self.audit {
            self.saved = self.saved.saturating_add(1);
            self.since += 1;
            return None;
        }
        self.asked = self.asked.saturating_add(1);
        self.since = 0;
        Some(teacher.teach(input))
    }

    /// Questions so far.
    pub fn asked(&self) -> u32 {
        self.asked
    }

    /// Questions saved so far.
    pub fn saved(&self) -> u32 {
        self.saved
    }
}

/// Margin by which the largest of `softmax(z)` exceeds the second, in [0, 1]; NaN if a logit is, or infinite.
/// One class alone is
/// sure.
#[must_use]
pub fn margin(z: &[f32]) -> f32 {
    let (mut first, mut second) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
    for &z in z {
        if z > first {
            (first, second) = (z, first);
        } else if z > second {
            second = z;
        }
    }
    let sum: f32 = z.iter().map(|z| Scalar::exp(z - first)).sum();
    (1.0 - Scalar::exp(second - first)) / sum
}
