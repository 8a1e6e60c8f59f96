//! The cost of learning on a Cortex-M in QEMU.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill_qemu_mps2::{meter, run};

#[entry]
fn main() -> ! {
    run(|| microdistill_programs::learn(meter()))
}
