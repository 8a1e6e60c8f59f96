//! What the dense layers of int8 and of int4 weights have in common: `y = requantize(w·x + b) + zero`, cut to
//! [-128, 127], in codes of 8 bits.

use super::Requantize;

/// A layer's parameters, as a layout's `lay_out` leaves them; O outputs, I inputs. `W` is the weights in that layout.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a, W> {
    /// The weights.
    pub weights: W,
    /// Shape (O), the input's zero point folded in.
    pub bias: &'a [i32],
    /// Mantissas of the requantization, shape (O), or (1) for all outputs: Q31, or what the short cuts take.
    pub multipliers: &'a [i32],
    /// Its exponents, as many: −31..=30, positive = left, or right for the short cuts.
    pub shifts: &'a [i8],
    /// True if the layout's short cuts are exact for every input, and the parameters are valid for them.
    pub short: bool,
    /// The code of zero in the output.
    pub zero: i8,
}

/// A layer's parameters on the way to a layout; O outputs. `W` is the weights, and the memory that they are laid out in.
#[derive(Debug)]
pub struct Plain<'a, W> {
    /// The weights.
    pub weights: W,
    /// Shape (O); changed to what the layout wants.
    pub bias: &'a mut [i32],
    /// Mantissas of the requantization, Q31, shape (O), or (1) for all outputs; changed to what the short cuts take.
    pub multipliers: &'a mut [i32],
    /// Its exponents, −31..=30, positive = left, as many; changed, too.
    pub shifts: &'a mut [i8],
}

impl<W> Affine<'_, W> {
    /// Every output of the layer, by `sum`, which gives the sum of one row after the other, and `mantissa`, which makes a
    /// multiplier of a short layer Q31 again.
    pub(super) fn outputs<Word>(
        &self,
        y: &mut [Word],
        hold: impl Fn(i8) -> Word,
        mantissa: impl Fn(i32) -> i32,
        mut sum: impl FnMut(usize) -> i32,
    ) {
        let factors = self.multipliers.iter().zip(self.shifts).cycle();
        for ((row, y), (&multiplier, &shift)) in y.iter_mut().enumerate().zip(factors) {
            let factor = match self.short {
                true => Requantize::new(mantissa(multiplier), -shift),
                false => Requantize::new(multiplier, shift),
            };
            *y = hold(factor.code(sum(row), self.zero));
        }
    }

    /// A row's bias, as the layout has it.
    pub(super) fn bias(&self, row: usize) -> i32 {
        self.bias.get(row).copied().unwrap_or_default()
    }
}

impl<W> Plain<'_, W> {
    /// Returns true if no shift goes to the left.
    pub(super) const fn shifts_right(&self) -> bool {
        let mut index = 0;
        while index < self.shifts.len() {
            if self.shifts[index] > 0 {
                return false;
            }
            index += 1;
        }
        true
    }

    /// Returns true if every mantissa has its full length.
    pub(super) const fn has_full_mantissas(&self) -> bool {
        let mut index = 0;
        while index < self.multipliers.len() {
            if self.multipliers[index] < 1 << 30 {
                return false;
            }
            index += 1;
        }
        true
    }

    /// Makes exponents positive to the right.
    pub(super) const fn turn_shifts(&mut self) {
        let mut index = 0;
        while index < self.shifts.len() {
            self.shifts[index] = -self.shifts[index];
            index += 1;
        }
    }

    /// Makes mantissas of full length Q32, of which [`q31`] is the way back.
    pub(super) const fn double_mantissas(&mut self) {
        let mut index = 0;
        while index < self.multipliers.len() {
            self.multipliers[index] <<= 1;
            index += 1;
        }
    }
}

/// The mantissa that [`double_mantissas`](Plain::double_mantissas) made Q32.
pub(super) const fn q31(q32: i32) -> i32 {
    (q32 as u32 >> 1) as i32
}
