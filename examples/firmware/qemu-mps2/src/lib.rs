//! Arm's MPS2 board with a Cortex-M4F, as QEMU emulates it (`mps2-an386`).
//!
//! It prints with defmt over semihosting. A panic's message goes to standard error, and the emulator ends with a
//! failure: that is the handler of the crate `semihosting`.
//!
//! The FPU stays as reset leaves it, which equal bits rely on: FPSCR has FZ = DN = 0 (subnormals are kept, a NaN stays
//! itself), rounding is to nearest.
#![no_std]

use defmt_semihosting as _;
use microdistill_cortex_m::{CoreMeter, SysTick};

pub use microdistill_cortex_m::exit;

/// SysTick counts the board's 25 MHz.
pub fn meter() -> Option<CoreMeter<SysTick<40_000>>> {
    SysTick::start().map(CoreMeter::new)
}
