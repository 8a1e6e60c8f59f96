//! Activations of int8 networks that no clamp can do: a code for each of the 256 codes.

use crate::kernel::int8::{Word, hold, release};
use crate::quant::{Dequantize, Requantize, Stage, exp};

/// A map from codes to codes: 256 bytes of flash, and one for the zero point of what it takes.
///
/// The constructors are `const fn`. They give the codes of TensorFlow Lite's reference kernels where `tanhf` and `expf` of
/// the C library under these are rounded correctly. Where one errs in the last place and the value lies at a tie, that
/// library gives the neighbouring code: one code in about a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Table {
    /// By the code taken as unsigned: of 0..=127, then of −128..=−1.
    codes: [i8; 256],
    zero: i8,
}

/// An array of what becomes of each code, by the code taken as unsigned.
macro_rules! for_codes {
    ($code:ident => $map:expr) => {{
        let mut codes = [0; 256];
        let mut index = 0;
        while index < codes.len() {
            let $code = index as u8 as i8;
            codes[index] = $map;
            index += 1;
        }
        codes
    }};
}

impl Table {
    /// `codes`: what the codes 0..=127 are mapped to, then what −128..=−1 are. `zero`: the zero point of the codes that are
    /// mapped.
    pub const fn new(codes: [i8; 256], zero: i8) -> Self {
        Table { codes, zero }
    }

    /// Meaning of the codes that [`Table::tanh`] gives: scale 1/128, zero point 0.
    pub const TANH: Dequantize = Dequantize { scale: 1.0 / 128.0, zero: 0 };
    /// Meaning of the codes that [`Table::sigmoid`] gives: scale 1/256, zero point −128.
    pub const SIGMOID: Dequantize = Dequantize { scale: 1.0 / 256.0, zero: -128 };

    /// `tanh z`, of codes that stand for `z`.
    pub const fn tanh(z: Dequantize) -> Self {
        Table::new(for_codes!(code => nearest(tanh(real(code, z)) * 128.0, 0)), z.zero)
    }

    /// `1 / (1 + exp(−z))`, of codes that stand for `z`.
    pub const fn sigmoid(z: Dequantize) -> Self {
        Table::new(for_codes!(code => nearest(sigmoid(real(code, z)) * 256.0, -128)), z.zero)
    }

    /// Leaky ReLU: `z` where it is ≥ 0, else `slope·z`, slope ≥ 0. `z` says what the codes that are mapped stand for, `y` what
    /// the codes of the output stand for.
    pub const fn leaky_relu(slope: f32, z: Dequantize, y: Dequantize) -> Self {
        let above = Requantize::from_factor((z.scale / y.scale) as f64);
        let below = Requantize::from_factor((z.scale * slope / y.scale) as f64);
        let codes = for_codes!(code => {
            let steps = code as i32 - z.zero as i32;
            let factor = if steps < 0 { below } else { above };
            saturate(factor.apply(steps).saturating_add(y.zero as i32))
        });
        Table::new(codes, z.zero)
    }

    /// Returns the entry of a code.
    pub const fn map(&self, code: i8) -> i8 {
        self.codes[code as u8 as usize]
    }
}

impl Stage for Table {
    fn zero(&self) -> i8 {
        self.zero
    }

    fn apply(&self, codes: &mut [Word]) {
        for code in codes {
            *code = hold(self.map(release(*code)));
        }
    }
}

/// The nearest f32.
const fn tanh(z: f32) -> f32 {
    let e = exp(-2.0 * (z as f64).abs());
    let tanh = (1.0 - e) / (1.0 + e);
    (if z < 0.0 { -tanh } else { tanh }) as f32
}

/// From the nearest f32 of `exp(−z)`, in f32.
const fn sigmoid(z: f32) -> f32 {
    1.0 / (1.0 + exp(-z as f64) as f32)
}

/// The number that a code stands for.
const fn real(code: i8, codes: Dequantize) -> f32 {
    codes.scale * (code as i32 - codes.zero as i32) as f32
}

/// `round(value) + zero`, halves away from zero, saturating.
const fn nearest(value: f32, zero: i32) -> i8 {
    // In f64 the sum with a half is exact.
    let half = if value < 0.0 { -0.5 } else { 0.5 };
    saturate(((value as f64 + half) as i32).saturating_add(zero))
}

const fn saturate(code: i32) -> i8 {
    match code {
        ..-128 => -128,
        128.. => 127,
        code => code as i8,
    }
}
