//! What a student costs on a device, told from its widths before it is trained.

use serde::Serialize;

use crate::export::Footprint;
use crate::network::Activation;
use crate::precision::{Bits, Precision};

/// What a student takes on a Cortex-M4F.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Bytes of the network and its edges, as `FLASH_BYTES` of the exported file; the code of its kernels comes on top.
    pub flash: usize,
    /// Bytes of the buffer that an inference works in, as `SCRATCH_BYTES` on a core that holds a code in 16 bits (Cortex-M4,
    /// M7 and M33; others need half of it). Input and output come on top.
    pub ram: usize,
    /// Of a whole inference in int8, from codes to the index of the largest output, at `opt-level = "s"`: counted from the
    /// kernel's code, with what is around it fitted to what `board bench qemu-mps2` counts. None for int4.
    pub instructions: Option<u64>,
}

/// Most of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Bytes.
    pub flash: Option<usize>,
    /// Bytes.
    pub ram: Option<usize>,
    /// Of an inference.
    pub instructions: Option<u64>,
}

impl Cost {
    /// Of a network of these widths, its hidden layers with ReLU.
    pub fn of(widths: &[usize], precision: Precision) -> Self {
        let Footprint { flash, ram } = Footprint::of_codes(widths, precision, Activation::Relu);
        Cost {
            flash,
            ram: size_of::<i16>() * ram,
            instructions: (precision.bits == Bits::Eight).then(|| instructions(widths)),
        }
    }
}

impl Budget {
    /// Whether it covers `cost`. A cost that is not known is over any budget for it.
    pub fn covers(&self, cost: &Cost) -> bool {
        self.flash.is_none_or(|most| cost.flash <= most)
            && self.ram.is_none_or(|most| cost.ram <= most)
            && self.instructions.is_none_or(|most| cost.instructions.is_some_and(|count| count <= most))
    }
}

/// Around the kernels, halves of an instruction: whatever the network, a layer, an input that becomes 16 bits, an output that
/// is compared.
const ALWAYS: u64 = 122;
const LAYER: u64 = 138;
const INPUT: u64 = 5;
const OUTPUT: u64 = 24;

fn instructions(widths: &[usize]) -> u64 {
    let [inputs, .., outputs] = *widths else { return 0 };
    let layers = widths.windows(2);
    let around = ALWAYS + LAYER * layers.len() as u64 + INPUT * inputs as u64 + OUTPUT * outputs as u64;
    layers.map(|pair| kernel(pair[0] as u64, pair[1] as u64)).sum::<u64>() + around / 2
}

/// Of the int8 kernel in `src/kernel/int8/dsp.rs`, along its paths: rows by four, then two and one.
fn kernel(inputs: u64, outputs: u64) -> u64 {
    let (fours, twos, ones) = (inputs >> 2 & 1, inputs >> 1 & 1, inputs & 1);
    let four_rows = 61 + 30 * (inputs / 8) + 14 * fours + 8 * twos + 6 * ones;
    let two_rows = 42 + 10 * (inputs / 4) + 5 * twos + 5 * ones;
    let one_row = 29 + 5 * inputs;
    15 + outputs / 4 * four_rows + (outputs >> 1 & 1) * two_rows + (outputs & 1) * one_row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{firmware_folder, references};
    use crate::model::Body;
    use crate::precision::Scales;
    use crate::quantize::quantize;

    /// What was counted in QEMU, and is pinned.
    #[test]
    fn instructions_are_those_counted() {
        let pins = firmware_folder().unwrap().join("qemu-mps2/pins/mps2-an500.toml");
        let pins: toml::Table = toml::from_str(&std::fs::read_to_string(pins).unwrap()).unwrap();
        let mut compared = 0;
        for (name, model) in references().unwrap() {
            let Body::Int8(_) = model.body else { continue };
            let counted = pins["instructions"]["s"][format!("{name}-int8")].as_integer().unwrap() as u64;
            let estimate = instructions(&model.widths());
            assert!(estimate.abs_diff(counted) * 50 <= counted, "{name}: {estimate}, counted {counted}");
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
                let cost = Cost::of(&model.widths(), precision);
                let model = quantize(&model, &model.examples, precision).unwrap();
                let Footprint { flash, ram } = Footprint::of(&model).unwrap();
                assert_eq!((cost.flash, cost.ram), (flash, 2 * ram), "{name}");
            }
        }
    }

    #[test]
    fn what_is_not_known_is_over_a_budget() {
        let cost = Cost { flash: 100, ram: 10, instructions: None };
        assert!(Budget { flash: Some(100), ram: Some(10), instructions: None }.covers(&cost));
        assert!(!Budget { flash: Some(99), ..Budget::default() }.covers(&cost));
        assert!(!Budget { ram: Some(9), ..Budget::default() }.covers(&cost));
        assert!(!Budget { instructions: Some(u64::MAX), ..Budget::default() }.covers(&cost));
    }
}
