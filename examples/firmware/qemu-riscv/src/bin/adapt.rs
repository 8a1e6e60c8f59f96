//! Adaptation on a RISC-V core in QEMU.
#![no_std]
#![no_main]

#[cfg(feature = "sifive-e")]
compile_error!(
    "adapt needs flash: that of QEMU's sifive_e cannot be written, and its RAM has no room for a stand-in"
);

use microdistill_qemu_riscv::{flash, meter, run};
use riscv_rt::entry;

#[entry]
fn main() -> ! {
    run(|| microdistill_programs::adapt(meter().zip(flash())))
}
