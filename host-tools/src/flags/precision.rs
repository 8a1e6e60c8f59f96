//! `--bits` and `--group`.

use clap::{Args, ValueEnum};
use microdistill_train::network::precision::{Bits, Precision};

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct PrecisionFlags {
    /// Bits per weight; activations have 8
    #[arg(long, value_enum)]
    bits: Option<BitsFlag>,
    /// Group size for weights of 4 or 3 bits: inputs of an output that share a scale [default: all inputs]
    #[arg(long, value_name = "32", requires = "bits", value_parser = clap::value_parser!(u8).range(32..=32))]
    group: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BitsFlag {
    /// [-127, 127]
    #[value(name = "8")]
    Eight,
    /// [-7, 7], two per byte
    #[value(name = "4")]
    Four,
    /// [-3, 3], stored like 4 bits
    #[value(name = "3")]
    Three,
}

impl PrecisionFlags {
    /// Precision that the flags ask for, if any.
    pub(crate) fn precision(self) -> Option<Precision> {
        let bits = match self.bits? {
            BitsFlag::Eight => Bits::Eight,
            BitsFlag::Four => Bits::Four,
            BitsFlag::Three => Bits::Three,
        };
        Some(if self.group.is_some() { Precision::per_group(bits) } else { Precision::per_channel(bits) })
    }
}
