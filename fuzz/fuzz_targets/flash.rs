//! Flash in any state, as wear, foreign firmware and power cuts may leave it: a start finds a stored checkpoint or none, and
//! the next start finds what is stored then.
#![no_main]

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use libfuzzer_sys::fuzz_target;
use microdistill::checkpoint::Checkpoint;
use microdistill::{Mlp, Params as _};

type Student = Mlp![4, 3, 2];

const PAGE: usize = 1024;
const PAGES: usize = 4;

fuzz_target!(|input: (u8, Vec<(u16, u8)>)| {
    let (stored, damage) = input;
    let stored = u32::from(stored % 6);
    let mut flash = Flash([0xFF; PAGE * PAGES]);
    for generation in 1..=stored {
        checkpoint(&mut flash).store(&student(generation)).expect("writing to working flash succeeds");
    }
    for (place, byte) in damage {
        flash.0[usize::from(place) % (PAGE * PAGES)] = byte;
    }

    let mut found = student(0);
    // After an error of the flash, firmware starts with its shipped weights.
    if let Ok(learned) = checkpoint(&mut flash).load(&mut found) {
        let generations = if learned { 1..=stored } else { 0..=0 };
        assert!(generations.into_iter().any(|generation| found == student(generation)), "{found:?}");
    }

    let next = student(stored + 1);
    checkpoint(&mut flash).store(&next).expect("writing to working flash succeeds, whatever it held");
    assert_eq!(checkpoint(&mut flash).load(&mut found), Ok(true));
    assert_eq!(found, next);
});

/// The student after `generation` checkpoints.
fn student(generation: u32) -> Student {
    let mut student = Student::ZERO;
    let parameters = student.tensors_mut().flat_map(|(_, tensor)| tensor);
    parameters.zip(generation..).for_each(|(parameter, number)| *parameter = number as f32);
    student
}

fn checkpoint(flash: &mut Flash) -> Checkpoint<&mut Flash> {
    Checkpoint::new(flash, 0..(PAGE * PAGES) as u32, 1).expect("whole pages")
}

/// NOR flash: an erase sets all bits of a page, a write clears some. Unlike the one in the core's tests, it lets a word be
/// written twice, because damage may make a word look erased.
struct Flash([u8; PAGE * PAGES]);

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let from = offset as usize;
        let place = self.0.get(from..from + bytes.len()).ok_or(NorFlashErrorKind::OutOfBounds)?;
        bytes.copy_from_slice(place);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        self.0.get_mut(from as usize..to as usize).ok_or(NorFlashErrorKind::OutOfBounds)?.fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let from = offset as usize;
        let place = self.0.get_mut(from..from + bytes.len()).ok_or(NorFlashErrorKind::OutOfBounds)?;
        place.iter_mut().zip(bytes).for_each(|(to, &byte)| *to &= byte);
        Ok(())
    }
}
