//! Adaptation on a RISC-V core in QEMU.
#![no_std]
#![no_main]

#[cfg(feature = "sifive-e")]
compile_error!(
    "adapt keeps what it learns: QEMU's sifive_e has flash that cannot be written, and no RAM to play it"
);

use microdistill_qemu_riscv::{flash, meter, run};
use riscv_rt::entry;

#[entry]
fn main() -> ! {
    run(|| microdistill_programs::adapt(meter().zip(flash())))
}
