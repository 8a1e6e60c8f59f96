//! The memory of the story across power cuts: counts in a page of flash that the device does not use. Of the device's own
//! memory, only checkpoints survive a cut.

use core::cell::Cell;

use embedded_storage::nor_flash::NorFlash;

/// A count or another number that the story remembers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    /// Number of starts of the device.
    Starts,
    /// Number of windows that have arrived.
    Windows,
    /// Number of calls of the teacher.
    Asked,
    /// Number of steps of candidates, of candidates that were kept, and of those that were dropped.
    Steps,
    Kept,
    Dropped,
    /// Number of words of flash that were programmed, and of pages that were erased.
    Words,
    Pages,
    /// Seal of the student that was stored last, and of the one that is being stored.
    Stored,
    Storing,
    /// Longest duration in ticks of a window with all its work, of the training in a window, and of a checkpoint.
    LongestWindow,
    LongestTraining,
    LongestCheckpoint,
}

const COUNT: usize = Of::LongestCheckpoint as usize + 1;
const BYTES: usize = 4 * COUNT;

/// A word for each number.
#[derive(Debug)]
pub(super) struct Past([Cell<u32>; COUNT]);

impl Past {
    /// The past of a device that has never run.
    pub(super) fn new() -> Self {
        Past([const { Cell::new(0) }; COUNT])
    }

    pub(super) fn get(&self, of: Of) -> u32 {
        self.0.get(of as usize).map_or(0, Cell::get)
    }

    pub(super) fn set(&self, of: Of, word: u32) {
        if let Some(cell) = self.0.get(of as usize) {
            cell.set(word);
        }
    }

    pub(super) fn add(&self, of: Of, count: u32) {
        self.set(of, self.get(of).wrapping_add(count));
    }

    pub(super) fn raise(&self, of: Of, ticks: u64) {
        self.set(of, self.get(of).max(ticks.try_into().unwrap_or(u32::MAX)));
    }

    /// Reads the past that was written last to the first page of `flash`; `None` if there is none.
    pub(super) fn read<F: NorFlash>(flash: &mut F) -> Result<Option<Self>, F::Error> {
        let mut found = None;
        for offset in places::<F>() {
            let past = Past::new();
            for (cell, offset) in past.0.iter().zip((offset..).step_by(4)) {
                let mut word = [0; 4];
                flash.read(offset, &mut word)?;
                cell.set(u32::from_le_bytes(word));
            }
            if past.get(Of::Starts) == u32::MAX {
                break;
            }
            found = Some(past);
        }
        Ok(found)
    }

    /// Writes it after what was written before.
    pub(super) fn write<F: NorFlash>(&self, flash: &mut F) -> Result<(), F::Error> {
        for offset in places::<F>() {
            let mut word = [0; 4];
            flash.read(offset, &mut word)?;
            if word == [0xff; 4] {
                for (cell, offset) in self.0.iter().zip((offset..).step_by(4)) {
                    flash.write(offset, &cell.get().to_le_bytes())?;
                }
                break;
            }
        }
        Ok(())
    }
}

/// Offsets that have room for a past.
fn places<F: NorFlash>() -> impl Iterator<Item = u32> {
    const { assert!(F::WRITE_SIZE <= 4 && F::READ_SIZE <= 4, "a word is written at a time") };
    (0..F::ERASE_SIZE / BYTES).map(|place| (place * BYTES) as u32)
}
