//! Driver for the flash of the nRF51 and its controller NVMC (reference manual 3.0, chapter 6). nrf51-hal has none for this chip.
#![allow(unsafe_code)]

use core::ptr::addr_of;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use microdistill_programs::Storage;
use microdistill_support::reset;
use nrf51_pac::NVMC;

unsafe extern "C" {
    // Symbols of `memory.x`: the bounds of pages without code.
    static _storage_start: u32;
    static _storage_end: u32;
}

/// The pages that programs may write to.
pub struct Flash(NVMC);

impl Flash {
    /// Drives flash through the controller.
    pub(crate) fn new(controller: NVMC) -> Self {
        Flash(controller)
    }

    fn wait(&self) {
        while self.0.ready.read().ready().is_busy() {}
    }

    /// Address of the word at a byte offset.
    fn address(offset: u32) -> *const u32 {
        addr_of!(_storage_start).wrapping_byte_add(offset as usize)
    }
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        for (to, offset) in bytes.as_chunks_mut().0.iter_mut().zip((offset..).step_by(4)) {
            // SAFETY: the word is in one of the pages.
            *to = unsafe { Self::address(offset).read_volatile() }.to_le_bytes();
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        addr_of!(_storage_end).addr() - addr_of!(_storage_start).addr()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 1024;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        self.0.config.write(|w| w.wen().een());
        for offset in (from..to).step_by(Self::ERASE_SIZE) {
            // SAFETY: it erases one of the pages.
            self.0.erasepage().write(|w| unsafe { w.bits(Self::address(offset).addr() as u32) });
            self.wait();
        }
        self.0.config.write(|w| w.wen().ren());
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        self.0.config.write(|w| w.wen().wen());
        for (&word, offset) in bytes.as_chunks().0.iter().zip((offset..).step_by(4)) {
            // SAFETY: the word is in one of the pages, which nothing borrows; the controller clears its bits.
            unsafe { Self::address(offset).cast_mut().write_volatile(u32::from_le_bytes(word)) };
            self.wait();
        }
        self.0.config.write(|w| w.wen().ren());
        Ok(())
    }
}

impl Storage for Flash {
    fn cut_power(&mut self) -> ! {
        reset()
    }
}
