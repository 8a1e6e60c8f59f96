//! A desktop teaches a RISC-V core in QEMU.
#![no_std]
#![no_main]

use microdistill_qemu_riscv::{run, serial};
use riscv_rt::entry;

#[entry]
fn main() -> ! {
    run(|| microdistill_programs::teach(serial()))
}
