//! What the story knows across power cuts: counts, in a page of flash that is not the device's. Of the device's own
//! memory only a checkpoint outlives a cut.

use core::cell::Cell;

use embedded_storage::nor_flash::NorFlash;

/// Something that is counted, or remembered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    /// Number of starts of the device.
    Starts,
    /// Windows that have arrived.
    Windows,
    /// Questions to the teacher.
    Asked,
    /// Steps of candidates; candidates that were kept, and dropped.
    Steps,
    Kept,
    Dropped,
    /// Words of flash that were programmed, and pages that were erased.
    Words,
    Pages,
    /// The seal of the student that was stored last, and of the one that is being stored.
    Stored,
    Storing,
    /// The longest, in ticks: a window with all its work, the training in it, a checkpoint.
    LongestWindow,
    LongestTraining,
    LongestCheckpoint,
}

const COUNT: usize = Of::LongestCheckpoint as usize + 1;
const BYTES: usize = 4 * COUNT;

/// A word of each kind.
#[derive(Debug)]
pub(super) struct Past([Cell<u32>; COUNT]);

impl Past {
    /// A device that never ran.
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

    /// Reads the first page of `flash`, the last one written; `None` if it holds no past.
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

    /// Writes it behind what was written before.
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

/// Places with room for a past.
fn places<F: NorFlash>() -> impl Iterator<Item = u32> {
    const { assert!(F::WRITE_SIZE <= 4 && F::READ_SIZE <= 4, "a word is written at a time") };
    (0..F::ERASE_SIZE / BYTES).map(|place| (place * BYTES) as u32)
}
