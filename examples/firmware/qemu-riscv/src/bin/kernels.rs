//! The kernels of a RISC-V core in QEMU.
#![no_std]
#![no_main]

use microdistill_qemu_riscv::run;
use riscv_rt::entry;

/// Number of weights of a layer that the memory has room for.
const NUMBERS: usize = if cfg!(feature = "sifive-e") { 256 } else { 1 << 14 };

#[entry]
fn main() -> ! {
    run(microdistill_programs::kernels::<{ 4 * NUMBERS }, NUMBERS>)
}
