//! Measurements on the Cortex-M4F in QEMU.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill_qemu_mps2::{exit, meter};

#[entry]
fn main() -> ! {
    exit(microdistill_programs::bench(meter()))
}
