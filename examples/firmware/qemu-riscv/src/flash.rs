//! Memory that stands in for flash. A reset by QEMU's test device, which leaves memory unchanged, stands in for a power cut.
#![allow(unsafe_code)]

use core::ptr::without_provenance_mut;

use microdistill_programs::PlayedFlash;
use microdistill_support::played_flash;

/// Register of SiFive's test device on the board `virt`, and the value that resets the board.
const DEVICE: *mut u32 = without_provenance_mut(0x10_0000);
const RESET: u32 = 0x7777;

/// Takes the memory; `None` if it has been taken before.
pub fn flash() -> Option<PlayedFlash<&'static mut [u8]>> {
    played_flash(|_| {
        riscv::asm::fence();
        // SAFETY: this is a register of the board.
        unsafe { DEVICE.write_volatile(RESET) };
        loop {
            riscv::asm::nop();
        }
    })
}
