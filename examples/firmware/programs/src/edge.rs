//! Inference of a row: an f32 or an int8 model, from raw features or from codes.

use microdistill::quant::{Dequantize, Quantize, QuantizeKnots};
use microdistill::{Knots, Prepare, Scaler};

use crate::output::println;

/// Input conversion of an exported model.
pub(crate) trait Edge<const I: usize> {
    /// The network's input.
    type Input: Copy;

    /// Standardized features of an input, or its coordinates between knots, which an f32 student learns from.
    fn standardized(&self, input: &Self::Input) -> [f32; I];
}

/// An input conversion that takes rows of `T`.
pub(crate) trait Take<T, const I: usize>: Edge<I> {
    /// The network's input for a row; `codes` gives the real values of its codes. `None` if they are not the network's codes.
    fn take(&self, row: &[T; I], codes: Option<Dequantize>) -> Option<Self::Input>;
}

impl<const I: usize> Edge<I> for Scaler<I> {
    type Input = [f32; I];

    fn standardized(&self, input: &[f32; I]) -> [f32; I] {
        *input
    }
}

impl<const I: usize> Edge<I> for Quantize<I> {
    type Input = [i8; I];

    fn standardized(&self, input: &[i8; I]) -> [f32; I] {
        codes(self).apply(input)
    }
}

impl<const I: usize, const R: usize> Edge<I> for Knots<I, R> {
    type Input = [f32; I];

    fn standardized(&self, input: &[f32; I]) -> [f32; I] {
        *input
    }
}

impl<const I: usize, const R: usize> Edge<I> for QuantizeKnots<I, R> {
    type Input = [i8; I];

    fn standardized(&self, input: &[i8; I]) -> [f32; I] {
        self.decode(input)
    }
}

impl<const I: usize> Take<f32, I> for Scaler<I> {
    fn take(&self, raw: &[f32; I], _: Option<Dequantize>) -> Option<[f32; I]> {
        Some(self.apply(raw))
    }
}

impl<const I: usize> Take<f32, I> for Quantize<I> {
    fn take(&self, raw: &[f32; I], _: Option<Dequantize>) -> Option<[i8; I]> {
        Some(self.apply(raw))
    }
}

impl<const I: usize, const R: usize> Take<f32, I> for Knots<I, R> {
    fn take(&self, raw: &[f32; I], _: Option<Dequantize>) -> Option<[f32; I]> {
        Some(self.apply(raw))
    }
}

impl<const I: usize, const R: usize> Take<f32, I> for QuantizeKnots<I, R> {
    fn take(&self, raw: &[f32; I], _: Option<Dequantize>) -> Option<[i8; I]> {
        Some(self.apply(raw))
    }
}

/// Codes of another model do not tell where its features lie between these knots.
impl<const I: usize, const R: usize> Take<i8, I> for Knots<I, R> {
    fn take(&self, _: &[i8; I], _: Option<Dequantize>) -> Option<[f32; I]> {
        None
    }
}

impl<const I: usize, const R: usize> Take<i8, I> for QuantizeKnots<I, R> {
    fn take(&self, row: &[i8; I], found: Option<Dequantize>) -> Option<[i8; I]> {
        let codes = Dequantize { scale: 1.0 / f32::from(self.steps), zero: i8::MIN };
        (found == Some(codes)).then_some(*row)
    }
}

impl<const I: usize> Take<i8, I> for Scaler<I> {
    fn take(&self, row: &[i8; I], codes: Option<Dequantize>) -> Option<[f32; I]> {
        codes.map(|codes| codes.apply(row))
    }
}

impl<const I: usize> Take<i8, I> for Quantize<I> {
    fn take(&self, row: &[i8; I], found: Option<Dequantize>) -> Option<[i8; I]> {
        (found == Some(codes(self))).then_some(*row)
    }
}

/// Calls [`Take::take`] and prints a message if the codes are not the network's.
pub(crate) fn take<T, E: Take<T, I>, const I: usize>(
    edge: &E,
    row: &[T; I],
    codes: Option<Dequantize>,
) -> Option<E::Input> {
    let input = edge.take(row, codes);
    if input.is_none() {
        println!("the rows are codes of another model");
    }
    input
}

/// Real values of the codes of the network's input.
fn codes<const I: usize>(edge: &Quantize<I>) -> Dequantize {
    Dequantize { scale: edge.scale, zero: edge.zero }
}
