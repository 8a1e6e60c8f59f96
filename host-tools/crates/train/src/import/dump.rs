//! Checkpoints in a raw dump of flash memory.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use microdistill::checkpoint::Checkpoint;
use microdistill::checkpoint::record::Header;

/// Copy of flash memory with pages of `PAGE` bytes, written in words of `WORD` bytes.
struct Dump<const PAGE: usize, const WORD: usize>(Vec<u8>);

/// Readers for the page and word sizes of common microcontrollers, because a dump does not record its own.
const READERS: [Reader; 14] = [
    read::<256, 4>,
    read::<512, 4>,
    read::<{ 1 << 10 }, 2>,
    read::<{ 1 << 10 }, 4>,
    read::<{ 2 << 10 }, 2>,
    read::<{ 2 << 10 }, 4>,
    read::<{ 2 << 10 }, 8>,
    read::<{ 4 << 10 }, 1>,
    read::<{ 4 << 10 }, 4>,
    read::<{ 4 << 10 }, 8>,
    read::<{ 8 << 10 }, 16>,
    read::<{ 16 << 10 }, 4>,
    read::<{ 128 << 10 }, 4>,
    read::<{ 128 << 10 }, 32>,
];

type Reader = fn(&[u8], &dyn Fn(&Header) -> bool) -> Option<Found>;

/// Header and parameters of a checkpoint.
type Found = (Header, Vec<f32>);

/// Returns the newest intact checkpoint that `wanted` accepts. `bytes` must be the whole flash range that a firmware
/// passes to [`Checkpoint::new`].
pub(super) fn newest(bytes: &[u8], wanted: &dyn Fn(&Header) -> bool) -> Option<Found> {
    // A reader with the wrong sizes may still find a record, but an old one.
    READERS.iter().filter_map(|read| read(bytes, wanted)).max_by_key(|(header, _)| header.generation)
}

fn read<const PAGE: usize, const WORD: usize>(
    bytes: &[u8],
    wanted: &dyn Fn(&Header) -> bool,
) -> Option<Found> {
    let end = u32::try_from(bytes.len()).ok().filter(|_| bytes.len().is_multiple_of(PAGE))?;
    let mut checkpoint = Checkpoint::new(Dump::<PAGE, WORD>(bytes.to_vec()), 0..end, 0).ok()?;
    // A checkpoint cannot have more parameters than the flash has words.
    let mut found = vec![0.0; bytes.len() / 4];
    let header = checkpoint.find(wanted, &mut |from, bytes| {
        let values = bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value));
        found.iter_mut().skip(from).zip(values).for_each(|(to, value)| *to = value);
    });
    let header = header.ok().flatten()?;
    found.truncate(usize::try_from(header.parameters).ok()?);
    Some((header, found))
}

impl<const PAGE: usize, const WORD: usize> ErrorType for Dump<PAGE, WORD> {
    type Error = NorFlashErrorKind;
}

impl<const PAGE: usize, const WORD: usize> ReadNorFlash for Dump<PAGE, WORD> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let from = self.0.get(offset as usize..).and_then(|rest| rest.get(..bytes.len()));
        bytes.copy_from_slice(from.ok_or(NorFlashErrorKind::OutOfBounds)?);
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.0.len()
    }
}

/// Behaves like flash: programming clears bits, and erasing sets them.
impl<const PAGE: usize, const WORD: usize> NorFlash for Dump<PAGE, WORD> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        let pages = self.0.get_mut(from as usize..to as usize);
        pages.ok_or(NorFlashErrorKind::OutOfBounds)?.fill(0xff);
        Ok(())
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let words = self.0.get_mut(offset as usize..).and_then(|rest| rest.get_mut(..bytes.len()));
        for (old, new) in words.ok_or(NorFlashErrorKind::OutOfBounds)?.iter_mut().zip(bytes) {
            *old &= new;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use microdistill::{Mlp, Params};

    use super::*;

    type Student = Mlp![30, 16, 7];

    /// Returns the parameters of checkpoint number `generation`.
    fn student(generation: u16) -> Student {
        let mut student = Student::ZERO;
        let parameters = student.tensors_mut().flat_map(|(_, tensor)| tensor);
        parameters.zip(0u16..).for_each(|(to, index)| *to = f32::from(1000 * generation + index));
        student
    }

    fn parameters(student: &Student) -> Option<Vec<f32>> {
        Some(student.tensors().flat_map(|(_, tensor)| tensor).copied().collect())
    }

    /// Returns flash that holds `checkpoints` checkpoints.
    fn dumped<const PAGE: usize, const WORD: usize>(pages: usize, checkpoints: u16) -> Vec<u8> {
        let range = 0..u32::try_from(pages * PAGE).unwrap();
        let flash = Dump::<PAGE, WORD>(vec![0xff; pages * PAGE]);
        let mut checkpoint = Checkpoint::new(flash, range, 5).unwrap();
        (0..checkpoints).for_each(|generation| checkpoint.store(&student(generation)).unwrap());
        checkpoint.release().0
    }

    fn of(bytes: &[u8], fingerprint: u32, parameters: u32) -> Option<Vec<f32>> {
        let wanted = |header: &Header| (header.fingerprint, header.parameters) == (fingerprint, parameters);
        Some(newest(bytes, &wanted)?.1)
    }

    fn found(bytes: &[u8]) -> Option<Vec<f32>> {
        of(bytes, Student::FINGERPRINT, 615)
    }

    #[test]
    fn the_newest_checkpoint_is_found_whatever_the_pages() {
        for checkpoints in 1..=6 {
            let expected = parameters(&student(checkpoints - 1));
            assert_eq!(found(&dumped::<1024, 4>(7, checkpoints)), expected);
            assert_eq!(found(&dumped::<4096, 4>(2, checkpoints)), expected);
            assert_eq!(found(&dumped::<4096, 1>(4, checkpoints)), expected);
            assert_eq!(found(&dumped::<2048, 8>(6, checkpoints)), expected);
            assert_eq!(found(&dumped::<{ 128 << 10 }, 32>(2, checkpoints)), expected);
        }
    }

    #[test]
    fn a_damaged_checkpoint_is_passed_over() {
        let mut bytes = dumped::<4096, 4>(2, 2);
        bytes[4096 + 1000] ^= 1;
        assert_eq!(found(&bytes), parameters(&student(0)));
        bytes[1000] ^= 1;
        assert_eq!(found(&bytes), None);
    }

    #[test]
    fn what_is_no_checkpoint_of_the_network_is_not_found() {
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[0xff; 8192]), None);
        assert_eq!(found(&[0; 8192]), None);
        assert_eq!(of(&dumped::<4096, 4>(2, 1), Student::FINGERPRINT ^ 1, 615), None);
        assert_eq!(of(&dumped::<4096, 4>(2, 1), Student::FINGERPRINT, 3), None);
        let part = &dumped::<4096, 4>(2, 1)[..4096];
        assert_eq!(found(part), None, "a part of the range");
    }
}
