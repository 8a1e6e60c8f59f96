//! Measurements on a RISC-V core in QEMU.
#![no_std]
#![no_main]

use microdistill_qemu_riscv::{meter, run};
use riscv_rt::entry;

#[entry]
fn main() -> ! {
    run(|| microdistill_programs::bench(meter()))
}
