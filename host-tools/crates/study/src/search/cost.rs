//! The cost of a student on a device, estimated from its widths before it is trained.

use microdistill::quant::GROUP;
use serde::Serialize;

use microdistill_train::export::Footprint;
use microdistill_train::network::Activation;
use microdistill_train::network::precision::{Bits, Precision, Scales};

/// The cost of a student on a Cortex-M4F.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Bytes of the network with its scaler and output scales, as in `FLASH_BYTES` of the exported file. The
    /// code of the kernels is not included.
    pub flash: usize,
    /// Bytes of the working buffer of an inference, as in `SCRATCH_BYTES` on a core that holds a code in 16
    /// bits (Cortex-M4, M7 and M33; others need half of it). Input and output are not included.
    pub ram: usize,
    /// Instructions of a whole inference, from codes to the index of the largest output, at `opt-level =
    /// "s"`. The kernels are counted along their paths, and the code around them is fitted to the counts of
    /// `board bench qemu-mps2`. For 27 networks with 16 to 13,056 multiplications, the error is at most 32
    /// instructions, and at most 1.2 % for networks that take a thousand or more.
    pub instructions: u64,
}

/// Upper limits of the cost. A missing limit is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Maximum flash, in bytes.
    pub flash: Option<usize>,
    /// Maximum RAM, in bytes.
    pub ram: Option<usize>,
    /// Maximum number of instructions per inference.
    pub instructions: Option<u64>,
}

impl Cost {
    /// The cost of a network of these widths, with ReLU in its hidden layers, for `values` or for logits.
    pub fn of(widths: &[usize], precision: Precision, values: bool) -> Self {
        let Footprint { flash, ram } = Footprint::of_codes(widths, precision, Activation::Relu, values);
        Cost { flash, ram: size_of::<i16>() * ram, instructions: instructions(widths, precision) }
    }
}

impl Budget {
    /// Returns true if `cost` is within the budget.
    pub(crate) fn covers(&self, cost: &Cost) -> bool {
        self.flash.is_none_or(|most| cost.flash <= most)
            && self.ram.is_none_or(|most| cost.ram <= most)
            && self.instructions.is_none_or(|most| cost.instructions <= most)
    }
}

/// Instructions outside the kernels: per network, per int8 or int4 layer, and per output that is compared. In
/// quarters of an instruction: per input, which is held in 16 bits, and per word of working memory, which is
/// zeroed first.
const ALWAYS: u64 = 14;
const INT8_LAYER: u64 = 22;
const INT4_LAYER: u64 = 157;
const OUTPUT: u64 = 22;
const INPUT_QUARTERS: u64 = 7;
const WORD_QUARTERS: u64 = 3;

fn instructions(widths: &[usize], precision: Precision) -> u64 {
    let widths: Vec<u64> = widths.iter().map(|&width| width as u64).collect();
    let [inputs, .., outputs] = *widths else { return 0 };
    let layer = |pair: &[u64]| match precision.bits {
        Bits::Eight => INT8_LAYER + int8(pair[0], pair[1]),
        Bits::Four | Bits::Three => INT4_LAYER + int4(pair[0], pair[1], precision.scales == Scales::PerGroup),
    };
    let words = widths.windows(2).map(|pair| pair[0] + pair[1]).max().unwrap_or_default();
    let layers = widths.windows(2).map(layer).sum::<u64>();
    ALWAYS + layers + OUTPUT * outputs + (INPUT_QUARTERS * inputs + WORD_QUARTERS * words) / 4
}

/// Instructions of the kernel in `src/kernel/int8/dsp.rs`: rows in groups of four, then two and one.
fn int8(inputs: u64, outputs: u64) -> u64 {
    let (fours, twos, ones) = (inputs >> 2 & 1, inputs >> 1 & 1, inputs & 1);
    let four_rows = 61 + 30 * (inputs / 8) + 14 * fours + 8 * twos + 6 * ones;
    let two_rows = 42 + 10 * (inputs / 4) + 5 * twos + 5 * ones;
    let one_row = 29 + 5 * inputs;
    15 + outputs / 4 * four_rows + (outputs >> 1 & 1) * two_rows + (outputs & 1) * one_row
}

/// Instructions of the kernel in `src/kernel/int4/dsp.rs`: rows in groups of four, then one by one, with
/// their columns in parts.
fn int4(inputs: u64, outputs: u64, by_group: bool) -> u64 {
    let (eights, twos, ones) = (inputs / 8, inputs % 8 / 2, inputs & 1);
    let parts = inputs.div_ceil(if by_group { GROUP as u64 } else { 512 });
    let [scales_of_four, scale_of_one] = if by_group { [12, 3] } else { [0, 0] };
    let four_rows = 58 + (48 + scales_of_four) * parts + 36 * eights + 13 * twos + 9 * ones;
    let one_row = 31 + (30 + scale_of_one) * parts + 13 * eights + 12 * twos + 6 * ones;
    19 + outputs / 4 * four_rows + outputs % 4 * one_row
}

#[cfg(test)]
mod tests {
    use super::*;
    use microdistill_boards::bench::references;
    use microdistill_boards::firmware_folder;
    use microdistill_train::model::Body;
    use microdistill_train::quantize::quantize;

    /// Checks that the error is at most 32 instructions, and at most 1.2 % (rounded) for networks that take a
    /// thousand or more.
    fn check(widths: &[usize], precision: Precision, counted: u64) {
        let estimate = instructions(widths, precision);
        let off = estimate.abs_diff(counted);
        assert!(
            off <= 32 && (counted < 1000 || 10_000 * off <= 125 * counted),
            "{widths:?}: estimated {estimate}, counted {counted}"
        );
    }

    /// Widths, and the counts of `board bench qemu-mps2` in int8 and in int4, with rustc 1.95.0.
    const COUNTED: [(&[usize], u64, u64); 12] = [
        (&[5, 2, 2], 229, 720),
        (&[21, 4], 338, 546),
        (&[8, 4, 3], 381, 859),
        (&[13, 7, 5], 672, 1252),
        (&[9, 6, 6, 11], 989, 2042),
        (&[30, 16, 7], 1326, 2047),
        (&[33, 21, 10], 1935, 2765),
        (&[48, 16, 16, 5], 2035, 3039),
        (&[17, 48, 9], 2665, 3681),
        (&[60, 24, 12, 6], 2763, 4152),
        (&[12, 128, 4], 4200, 6635),
        (&[100, 64, 26], 9911, 12940),
    ];

    #[test]
    fn instructions_are_those_counted() {
        for (widths, int8, int4) in COUNTED {
            check(widths, Scales::PerChannel.into(), int8);
            check(widths, Precision::per_channel(Bits::Four), int4);
        }
    }

    #[test]
    fn instructions_are_those_pinned() {
        let pins = firmware_folder().unwrap().join("qemu-mps2/pins/mps2-an500.toml");
        let pins: toml::Table = toml::from_str(&std::fs::read_to_string(pins).unwrap()).unwrap();
        let mut compared = 0;
        for (name, model) in references().unwrap() {
            let Body::Int8(_) = model.body else { continue };
            let counted = pins["instructions"]["s"][format!("{name}-int8")].as_integer().unwrap() as u64;
            check(&model.widths(), Scales::PerChannel.into(), counted);
            compared += 1;
        }
        assert_eq!(compared, 3);
    }

    #[test]
    fn bytes_are_those_of_the_exported_file() {
        for (name, model) in references().unwrap() {
            let Body::F32(_) = model.body else { continue };
            let int4 = Precision::per_channel(Bits::Four);
            for precision in [Scales::PerChannel.into(), Scales::PerLayer.into(), int4] {
                let cost = Cost::of(&model.widths(), precision, false);
                let model = quantize(&model, &model.examples, precision).unwrap();
                let Footprint { flash, ram } = Footprint::of(&model).unwrap();
                assert_eq!((cost.flash, cost.ram), (flash, 2 * ram), "{name}");
            }
        }
    }

    #[test]
    fn a_budget_covers_what_is_not_over_it() {
        let cost = Cost { flash: 100, ram: 10, instructions: 1000 };
        assert!(Budget { flash: Some(100), ram: Some(10), instructions: Some(1000) }.covers(&cost));
        assert!(Budget::default().covers(&cost));
        assert!(!Budget { flash: Some(99), ..Budget::default() }.covers(&cost));
        assert!(!Budget { ram: Some(9), ..Budget::default() }.covers(&cost));
        assert!(!Budget { instructions: Some(999), ..Budget::default() }.covers(&cost));
    }
}
