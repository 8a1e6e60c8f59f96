//! The kernels of the Cortex-M4F in QEMU.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill_qemu_mps2::exit;

#[entry]
fn main() -> ! {
    exit(microdistill_programs::kernels::<{ 1 << 16 }, { 1 << 14 }>())
}
