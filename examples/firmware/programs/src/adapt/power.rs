//! Flash with a power supply that fails where the story wants it to.

use core::convert::Infallible;

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use super::past::{Of, Past};
use crate::Storage;
use crate::output::println;

/// Point of a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// During the training of a candidate, which is then never kept.
    Training,
    /// In the middle of a flash write, after this many writes since the start.
    Write(u32),
    /// In the middle of the first erase since the start.
    Erase,
}

/// Flash whose supply fails.
#[derive(Debug)]
pub(super) struct Supply<'a, S> {
    storage: S,
    past: &'a Past,
    cut: Option<Cut>,
    writes: u32,
}

impl<'a, S: Storage> Supply<'a, S> {
    pub(super) fn new(storage: S, past: &'a Past, cut: Option<Cut>) -> Self {
        Supply { storage, past, cut, writes: 0 }
    }

    /// Cuts the power after the story has recorded its progress.
    pub(super) fn fail(&mut self) -> Result<Infallible, S::Error> {
        let what = match self.cut {
            Some(Cut::Write(_)) => "writing to flash",
            Some(Cut::Erase) => "erasing flash",
            _ => "training",
        };
        println!("window {}: power fails while {}", self.past.get(Of::Windows), what);
        self.past.write(&mut self.storage)?;
        self.storage.cut_power()
    }
}

impl<S: Storage> ErrorType for Supply<'_, S> {
    type Error = S::Error;
}

impl<S: Storage> ReadNorFlash for Supply<'_, S> {
    const READ_SIZE: usize = S::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), S::Error> {
        self.storage.read(offset, bytes)
    }
    fn capacity(&self) -> usize {
        self.storage.capacity()
    }
}

impl<S: Storage> NorFlash for Supply<'_, S> {
    const WRITE_SIZE: usize = S::WRITE_SIZE;
    const ERASE_SIZE: usize = S::ERASE_SIZE;

    /// An interrupted erase has erased all but the first of its pages, or none if there is only one.
    fn erase(&mut self, from: u32, to: u32) -> Result<(), S::Error> {
        let page = S::ERASE_SIZE as u32;
        if self.cut == Some(Cut::Erase) {
            self.storage.erase(from, to.min(from + page))?;
            self.past.add(Of::Pages, 1);
            self.fail()?;
        }
        self.past.add(Of::Pages, (to - from) / page);
        self.storage.erase(from, to)
    }

    /// An interrupted write has written half of its words, and every other bit of one more.
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), S::Error> {
        if self.cut == Some(Cut::Write(self.writes)) {
            let (whole, rest) = bytes.split_at(bytes.len() / S::WRITE_SIZE / 2 * S::WRITE_SIZE);
            self.storage.write(offset, whole)?;
            let mut torn = [0; 4];
            torn.iter_mut().zip(rest).for_each(|(to, from)| *to = from | 0x55);
            let torn = torn.get(..S::WRITE_SIZE).unwrap_or_default();
            self.storage.write(offset + whole.len() as u32, torn)?;
            self.fail()?;
        }
        self.writes += 1;
        self.past.add(Of::Words, (bytes.len() / S::WRITE_SIZE) as u32);
        self.storage.write(offset, bytes)
    }
}
