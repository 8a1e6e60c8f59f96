//! RISC-V microcontrollers without an FPU, as QEMU emulates them: its own board `virt`, and SiFive's E (feature
//! `sifive-e`) with 16 KiB of RAM.
//!
//! They print with defmt over semihosting. A panic's message goes to standard error, and the emulator ends with a
//! failure: that is the handler of the crate `semihosting`.
#![no_std]

#[cfg(not(feature = "sifive-e"))]
mod flash;

use defmt_semihosting as _;
use microdistill_support::{CoreMeter, Retired};
use portable_atomic as _;

#[cfg(not(feature = "sifive-e"))]
pub use flash::flash;
pub use microdistill_support::run;

/// The core counts its instructions.
pub fn meter() -> Option<CoreMeter<Retired>> {
    Some(CoreMeter::new(Retired))
}
