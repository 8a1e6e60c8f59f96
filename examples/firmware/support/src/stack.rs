//! Depth of the stack: the memory below it is painted, and memory that has lost its paint was used.
#![allow(unsafe_code)]

use core::ptr::{addr_of, addr_of_mut};

use crate::machine::stack_pointer;

unsafe extern "C" {
    // Symbols of the linker scripts of cortex-m-rt and riscv-rt: the lowest word of the stack, and the word after its
    // highest.
    #[cfg_attr(target_arch = "riscv32", link_name = "__estack")]
    static mut _stack_end: u32;
    static _stack_start: u32;
}

/// A value that is neither an address nor a small number.
const PAINT: u32 = 0xcccc_cccc;

/// More bytes than [`paint`] keeps on the stack, because the compiler may read the stack pointer before it sets up the frame.
const FRAME: usize = 64;

/// Bytes of stack in use at the deepest point since the program's start.
pub(crate) fn deepest() -> usize {
    addr_of!(_stack_start).addr() - lowest()
}

/// Bytes of stack that `work` takes, at least [`FRAME`].
#[inline(never)]
pub(crate) fn depth(work: impl FnOnce()) -> usize {
    let top = stack_pointer();
    paint();
    call(work);
    top - lowest()
}

/// Does the work in its own frame, below that of the caller.
#[inline(never)]
fn call(work: impl FnOnce()) {
    work();
}

/// Paints all of the stack that is not in use, except for the frame of this function.
#[inline(never)]
pub(crate) fn paint() {
    let top = stack_pointer() - FRAME;
    let mut word = addr_of_mut!(_stack_end);
    while word.addr() < top {
        // SAFETY: `word` is aligned and in the stack's memory, below this function's frame, where nothing is alive:
        // the frame of an interrupt is gone when the interrupt has ended.
        unsafe { word.write_volatile(PAINT) };
        word = word.wrapping_add(1);
    }
}

/// Address of the lowest word without paint.
fn lowest() -> usize {
    let (mut word, end) = (addr_of!(_stack_end), addr_of!(_stack_start));
    // SAFETY: `word` is aligned and in the stack's memory, all of which was painted when the program started, or
    // is in use.
    while word < end && unsafe { word.read_volatile() } == PAINT {
        word = word.wrapping_add(1);
    }
    word.addr()
}
