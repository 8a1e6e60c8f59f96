//! The end of an int8 layer: the zero point of its sums' codes, and the activation, which maps codes to codes.

use crate::kernel::int8::{Word, hold};

/// The step after a dense layer's sums: they are requantized around [`zero`](Stage::zero) and cut to [-128,
/// 127], then
/// the activation is applied.
pub trait Stage: Copy {
    /// Zero point of the requantized sums, −128..=127.
    fn zero(&self) -> i8;
    /// Applies the activation to codes as the kernel holds them.
    fn apply(&self, codes: &mut [Word]);
}

/// Cuts codes to a range, which is also how ReLU happens: its lowest code is the zero point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Clamp {
    /// Zero point of the output, −128..=127.
    pub zero: i8,
    /// Lowest code: the zero point for ReLU, −128 otherwise.
    pub lowest: i8,
    /// Highest code.
    pub highest: i8,
}

impl Stage for Clamp {
    fn zero(&self) -> i8 {
        self.zero
    }

    fn apply(&self, codes: &mut [Word]) {
        let (lowest, highest) = (hold(self.lowest), hold(self.highest));
        if (self.lowest, self.highest) == (-128, 127) {
            return;
        }
        for code in codes {
            // As the desktop has it, also where the range is empty.
            *code = if *code < lowest {
                lowest
            } else if *code > highest {
                highest
            } else {
                *code
            };
        }
    }
}
