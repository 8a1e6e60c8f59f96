//! RISC-V: the stack pointer, a loop of known length, and the instruction counter.
#![allow(unsafe_code)]

use core::arch::asm;

use microdistill_programs::Tick;
use riscv::register::minstret;

use crate::Counter;

/// The stack pointer.
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: this only reads a register.
    unsafe { asm!("mv {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

/// Loops over `addi` and `bnez`: two instructions per turn, and one more turn than asked for.
#[inline(never)]
pub(crate) fn spin(turns: u32) {
    // SAFETY: this only changes a register of its own.
    unsafe {
        asm!(
            "1:",
            "addi {turns}, {turns}, -1",
            "bnez {turns}, 1b",
            turns = inout(reg) turns.saturating_add(1) => _,
            options(nomem, nostack),
        );
    }
}

/// `minstret`, the counter of retired instructions. In QEMU with `-icount` it shows nanoseconds of virtual time.
#[derive(Debug)]
pub struct Retired;

impl Counter for Retired {
    const TICK: Tick = Tick::Picoseconds(1000);
    const TOP: u32 = u32::MAX;

    fn read(&self) -> u32 {
        minstret::read() as u32
    }
}
