//! The self-test that every exported file ships: vectors computed on the desktop, compared to the bit on the device.

use crate::layer::{Array, Layer};
use crate::network::Network;
use crate::scalar::Element;
use crate::scaler::Prepare;

/// One vector through the whole inference.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Golden<const I: usize, X, Y> {
    /// Raw features.
    pub raw: [f32; I],
    /// The network's input that [`Prepare`] makes of them: standardized features, or codes.
    pub input: X,
    /// The network's output for that: logits, values, or codes.
    pub output: Y,
}

/// A vector that came out differently here than on the desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Mismatch {
    /// Index of the vector, from 0.
    pub vector: usize,
    /// The first stage that differs.
    pub stage: Stage,
}

/// A stage of inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Stage {
    /// The scaler, or quantization.
    Input,
    /// The network.
    Output,
}

impl core::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let stage = match self.stage {
            Stage::Input => "input",
            Stage::Output => "output",
        };
        write!(f, "golden vector {} differs in its {stage} from the desktop's", self.vector)
    }
}

impl core::error::Error for Mismatch {}

/// Runs every vector and compares to the bit; any NaN equals any NaN.
///
/// # Errors
/// The first vector that differs, and the stage at which it does.
pub fn self_test<const I: usize, const SCRATCH: usize, P: Prepare<I>, L: Layer<Input = P::Output>>(
    input: &P,
    network: &Network<L, SCRATCH>,
    vectors: &[Golden<I, L::Input, L::Output>],
) -> Result<(), Mismatch> {
    compare(input, network, vectors.iter())
}

/// [`self_test`] of `vectors`, and then of the row `missing`, whose features are all missing: it counts as the vector after
/// the last one.
///
/// # Errors
/// The first vector that differs, and the stage at which it does.
pub fn self_test_with<const I: usize, const SCRATCH: usize, P: Prepare<I>, L: Layer<Input = P::Output>>(
    input: &P,
    network: &Network<L, SCRATCH>,
    vectors: &[Golden<I, L::Input, L::Output>],
    missing: &Golden<I, L::Input, L::Output>,
) -> Result<(), Mismatch> {
    compare(input, network, vectors.iter().chain([missing]))
}

fn compare<'a, const I: usize, const SCRATCH: usize, P: Prepare<I>, L: Layer<Input = P::Output>>(
    input: &P,
    network: &Network<L, SCRATCH>,
    vectors: impl Iterator<Item = &'a Golden<I, L::Input, L::Output>>,
) -> Result<(), Mismatch>
where
    L::Input: 'a,
    L::Output: 'a,
{
    for (vector, golden) in vectors.enumerate() {
        if !same_bits(&input.apply(&golden.raw), &golden.input) {
            return Err(Mismatch { vector, stage: Stage::Input });
        }
        if !same_bits(&network.predict(&golden.input), &golden.output) {
            return Err(Mismatch { vector, stage: Stage::Output });
        }
    }
    Ok(())
}

fn same_bits<A: Array>(a: &A, b: &A) -> bool {
    a.as_slice().iter().zip(b.as_slice()).all(|(&a, &b)| a.same_bits(b))
}
