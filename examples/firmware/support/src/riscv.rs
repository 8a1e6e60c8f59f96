//! RISC-V: its stack pointer, a loop of known length, its counter of instructions.
#![allow(unsafe_code)]

use core::arch::asm;

use microdistill_programs::Tick;
use riscv::register::minstret;

use crate::Counter;

/// The stack pointer.
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: it reads a register.
    unsafe { asm!("mv {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

/// `addi`, `bnez`: two instructions a turn, of one turn more than asked for.
#[inline(never)]
pub(crate) fn spin(turns: u32) {
    // SAFETY: it changes a register that is its own.
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

/// `minstret`, the instructions retired: of a core in QEMU that counts (`-icount`) it shows nanoseconds of virtual time.
#[derive(Debug)]
pub struct Retired;

impl Counter for Retired {
    const TICK: Tick = Tick::Picoseconds(1000);
    const TOP: u32 = u32::MAX;

    fn read(&self) -> u32 {
        minstret::read() as u32
    }
}
