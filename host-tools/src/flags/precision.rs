//! `--bits` and `--group`.

use clap::{Args, ValueEnum};
use microdistill_train::network::precision::{Bits, Precision};

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct PrecisionFlags {
    /// Bits of a weight; activations have 8
    #[arg(long, value_enum)]
    bits: Option<BitsFlag>,
    /// Inputs of an output that share a scale, for 4 or 3 bits; without it, all do
    #[arg(long, value_name = "32", requires = "bits", value_parser = clap::value_parser!(u8).range(32..=32))]
    group: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BitsFlag {
    /// [-127, 127]
    #[value(name = "8")]
    Eight,
    /// [-7, 7], two in a byte
    #[value(name = "4")]
    Four,
    /// [-3, 3], stored as four
    #[value(name = "3")]
    Three,
}

impl PrecisionFlags {
    /// The precision asked for, if any.
    pub(crate) fn precision(self) -> Option<Precision> {
        let bits = match self.bits? {
            BitsFlag::Eight => Bits::Eight,
            BitsFlag::Four => Bits::Four,
            BitsFlag::Three => Bits::Three,
        };
        Some(if self.group.is_some() { Precision::per_group(bits) } else { Precision::per_channel(bits) })
    }
}
