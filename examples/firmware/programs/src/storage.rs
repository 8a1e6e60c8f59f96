//! Flash that a program may write to, and a stand-in for it where an emulated board has none.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// The part of a board's flash that a program may write to, and the board's power supply.
pub trait Storage: NorFlash {
    /// Cuts and restores the power: the contents of flash stay, and the program restarts.
    fn cut_power(&mut self) -> !;
}

/// Memory that stands in for NOR flash: programming a word clears bits, and only erasing a page sets them.
///
/// Pages and words have the sizes of the nRF51, so that all emulated boards write alike.
#[derive(Debug)]
pub struct PlayedFlash<B> {
    bytes: B,
    restart: fn(&mut B) -> !,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> PlayedFlash<B> {
    /// Flash in `bytes`, which `restart` must leave unchanged.
    pub fn new(bytes: B, restart: fn(&mut B) -> !) -> Self {
        PlayedFlash { bytes, restart }
    }

    fn from(&mut self, offset: u32) -> impl Iterator<Item = &mut u8> {
        self.bytes.as_mut().iter_mut().skip(offset as usize)
    }
}

impl<B> ErrorType for PlayedFlash<B> {
    type Error = NorFlashErrorKind;
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> ReadNorFlash for PlayedFlash<B> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        bytes.iter_mut().zip(self.from(offset)).for_each(|(to, from)| *to = *from);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.as_ref().len()
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> NorFlash for PlayedFlash<B> {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 1024;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        self.from(from).take((to - from) as usize).for_each(|byte| *byte = 0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        self.from(offset).zip(bytes).for_each(|(to, from)| *to &= from);
        Ok(())
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Storage for PlayedFlash<B> {
    fn cut_power(&mut self) -> ! {
        (self.restart)(&mut self.bytes)
    }
}
