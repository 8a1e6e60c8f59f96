//! Memory that stands in for flash, on emulated boards whose flash cannot be written.
#![allow(unsafe_code)]

use core::ptr::{addr_of, addr_of_mut};
use core::slice;

use microdistill_programs::PlayedFlash;
use static_cell::ConstStaticCell;

unsafe extern "C" {
    // Symbols of the boards' `memory.x`: memory without any section of the firmware, so that neither the emulator nor
    // the start code touches it in a restart.
    static mut _storage_start: u8;
    static _storage_end: u8;
}

/// Makes sure that the memory is handed out only once.
static TAKEN: ConstStaticCell<()> = ConstStaticCell::new(());

/// Takes all of the memory; `restart` stands in for a power cut. `None` if it has been taken before.
pub fn played_flash(restart: fn(&mut &'static mut [u8]) -> !) -> Option<PlayedFlash<&'static mut [u8]>> {
    TAKEN.try_take()?;
    let bytes = addr_of!(_storage_end).addr() - addr_of!(_storage_start).addr();
    // SAFETY: the memory exists, nothing else is in it, and this is reached once.
    let storage = unsafe { slice::from_raw_parts_mut(addr_of_mut!(_storage_start), bytes) };
    Some(PlayedFlash::new(storage, restart))
}
