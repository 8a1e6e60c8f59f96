//! What a device learned, kept in NOR flash (feature `checkpoint`): a power cut at any moment leaves the last
//! checkpoint or the one before it, never garbage.
//!
//! ```
//! use microdistill::checkpoint::Checkpoint;
//! use microdistill::{Mlp, Params};
//!
//! # use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
//! # struct Flash([u8; 8192]);
//! # impl ErrorType for Flash { type Error = NorFlashErrorKind; }
//! # impl ReadNorFlash for Flash {
//! #     const READ_SIZE: usize = 1;
//! #     fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
//! #         bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
//! #         Ok(())
//! #     }
//! #     fn capacity(&self) -> usize { 8192 }
//! # }
//! # impl NorFlash for Flash {
//! #     const WRITE_SIZE: usize = 4;
//! #     const ERASE_SIZE: usize = 1024;
//! #     fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
//! #         self.0[from as usize..to as usize].fill(0xff);
//! #         Ok(())
//! #     }
//! #     fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
//! #         for (old, new) in self.0[offset as usize..].iter_mut().zip(bytes) { *old &= new; }
//! #         Ok(())
//! #     }
//! # }
//! # let flash = Flash([0xff; 8192]);
//! type Student = Mlp![2, 8, 3];
//! /// Raised with each model that is shipped: a checkpoint of an older one does not count.
//! const VERSION: u32 = 1;
//!
//! // `flash` is the driver of the board's HAL; four of its pages, which the linker leaves alone.
//! let mut checkpoint = Checkpoint::new(flash, 0x1000..0x2000, VERSION)?;
//! let mut student = Student::ZERO; // the shipped weights
//! let learned = checkpoint.load(&mut student)?;
//! assert!(!learned, "the first start");
//!
//! student.layers.1.bias = [0.5, 0.0, -0.5]; // the device learns
//! checkpoint.store(&student)?;
//!
//! let mut next_start = Student::ZERO;
//! assert!(checkpoint.load(&mut next_start)?);
//! assert_eq!(next_start, student);
//! # Ok::<(), microdistill::checkpoint::Error<NorFlashErrorKind>>(())
//! ```
//!
//! **How.** The range is two halves. A checkpoint is appended to the half that does not hold the newest one, as items
//! of sequential-storage: whatever becomes of a half while it is written or erased, the other is not touched. Where the
//! record does not fit behind its predecessors, the half is erased and starts afresh, so that all pages wear alike: a
//! half that has room for `n` records is erased once in `2n` checkpoints.
//!
//! **A record** ([`record`]) is a header (version, the network's [fingerprint](crate::fingerprint), generation) and the
//! parameters, under one CRC-32, in parts of at most 244 bytes, each with the CRC of its record and its place there. What
//! is foreign, incomplete or damaged does not count; a checkpoint that does not read back is written again.
//!
//! **Panics.** sequential-storage, and every `async` function, keeps checks that panic where a program is wrong. The tests
//! give it flash of random bytes, torn writes and half-erased pages, and meet none; [`record`] has no such check.

mod blocking;
mod part;
pub mod record;

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::queue::{QueueConfig, QueueStorage};

use crate::layer::Params;
use blocking::{Blocking, block_on};
use part::{Buffer, Run, Stored};
use record::Header;

/// Checkpoints of one network in a range of the flash `F`.
#[derive(Debug)]
pub struct Checkpoint<F> {
    flash: F,
    halves: [Range<u32>; 2],
    version: u32,
}

/// Why there is no checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error<E> {
    /// An error of the flash driver.
    Flash(E),
    /// The range is not two whole pages or more, or the flash has pages or words that sequential-storage does not take.
    Range,
    /// The network takes more pages than the range has: [`Checkpoint::pages`] says how many.
    TooLarge,
    /// Data just written, or just found, cannot be read back: the flash is worn out.
    Unreadable,
}

impl<E: core::fmt::Debug> core::fmt::Display for Error<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Error::Flash(error) => write!(f, "the flash driver says {error:?}"),
            Error::Range => f.write_str("the range is not two whole pages of flash or more"),
            Error::TooLarge => f.write_str("the network takes more pages than the range has"),
            Error::Unreadable => f.write_str("the flash does not keep what is written"),
        }
    }
}

impl<E: core::fmt::Debug> core::error::Error for Error<E> {}

type Result<T, F> = core::result::Result<T, Error<<F as embedded_storage::nor_flash::ErrorType>::Error>>;
type StorageError<F> = sequential_storage::Error<<F as embedded_storage::nor_flash::ErrorType>::Error>;
type Queue<'a, F> = QueueStorage<Blocking<'a, F>, Cache<Uncached, Uncached, Uncached>>;

impl<F: NorFlash> Checkpoint<F> {
    /// Checkpoints in `range`, which is theirs alone: whole pages of the flash, two or more.
    ///
    /// `version` is that of the shipped weights: what was stored under another one does not count.
    ///
    /// # Errors
    /// [`Error::Range`].
    pub fn new(flash: F, range: Range<u32>, version: u32) -> Result<Self, F> {
        let page = u32::try_from(F::ERASE_SIZE).map_err(|_| Error::Range)?;
        let pages = range.end.saturating_sub(range.start).checked_div(page).ok_or(Error::Range)?;
        let middle = range.start.saturating_add(pages / 2 * page);
        let checkpoint = Checkpoint { flash, halves: [range.start..middle, middle..range.end], version };
        for half in &checkpoint.halves {
            if half.is_empty() {
                return Err(Error::Range);
            }
            QueueConfig::<Blocking<'_, F>>::try_new(half.clone()).map_err(|_| Error::Range)?;
        }
        Ok(checkpoint)
    }

    /// Pages that checkpoints of a `P` take at least; with more of them, each is erased less often.
    pub const fn pages<P: Params>() -> usize {
        let item = Queue::<F>::item_overhead_size() as usize + part::BYTES.next_multiple_of(F::WRITE_SIZE);
        let usable = F::ERASE_SIZE.saturating_sub(2 * F::WRITE_SIZE);
        match usable.checked_div(item) {
            Some(fit @ 1..) => 2 * part::count(P::COUNT).div_ceil(fit),
            _ => usize::MAX,
        }
    }

    /// Gives `student` the parameters of the newest whole checkpoint, and tells whether there is one: if not, it stays
    /// as it is.
    ///
    /// # Errors
    /// The driver's; [`Error::Unreadable`]. The student is then neither the one nor the other: start from the shipped
    /// weights.
    pub fn load<P: Params<Scalar = f32>>(&mut self, student: &mut P) -> Result<bool, F> {
        let found = self.find(&own::<P>(self.version), &mut |from, bytes| {
            record::overwrite(student, from, bytes);
        })?;
        Ok(found.is_some())
    }

    /// Finds the newest whole checkpoint whose header is as `wanted`, and tells its header: for the desktop, which knows
    /// networks by their [fingerprint](crate::fingerprint). `take` is called with an index and the bytes of the parameters
    /// from that index on, f32, little-endian. Some parameters may come twice: what comes last counts.
    ///
    /// # Errors
    /// The driver's; [`Error::Unreadable`].
    pub fn find(
        &mut self,
        wanted: &dyn Fn(&Header) -> bool,
        take: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<Option<Header>, F> {
        let Some((half, newest)) = self.newest(wanted)? else { return Ok(None) };
        let mut whole = false;
        self.read(half, &mut |run, parameters| {
            if run.stored == newest {
                take(run.before, parameters);
                whole |= run.is_whole();
            }
        })?;
        if whole { Ok(Some(newest.header)) } else { Err(Error::Unreadable) }
    }

    /// Stores the parameters of `student`. If power fails before this returns, the next start finds this checkpoint or the
    /// one before it.
    ///
    /// # Errors
    /// The driver's, a range that is too small, a flash that is worn out. The checkpoint before is still there.
    pub fn store<P: Params<Scalar = f32>>(&mut self, student: &P) -> Result<(), F> {
        const { assert!(P::COUNT > 0, "a network without parameters has nothing to keep") };
        let pages = self.halves.iter().flat_map(|half| half.clone().step_by(F::ERASE_SIZE)).count();
        if Self::pages::<P>() > pages {
            return Err(Error::TooLarge);
        }
        let own = own::<P>(self.version);
        let (half, generation) = match self.newest(&own)? {
            Some((half, newest)) => (half.other(), newest.header.generation.wrapping_add(1)),
            None => (Half::First, 0),
        };
        let header = Header::of::<P>(self.version, generation);
        let stored = Stored { header, seal: header.seal(record::parameters(student)) };
        // What lies in this half is older, or damaged, and may leave no room.
        for afresh in [false, true] {
            if afresh {
                let Range { start, end } = self.range(half);
                self.flash.erase(start, end).map_err(Error::Flash)?;
            }
            self.append(half, stored.seal, &mut stored.words(student))?;
            if self.newest_in(half, &own)? == Some(stored) {
                return Ok(());
            }
        }
        Err(Error::Unreadable)
    }

    /// The driver, to be used for something else.
    pub fn release(self) -> F {
        self.flash
    }

    /// The newest whole checkpoint that is wanted, and where it is.
    fn newest(&mut self, wanted: &dyn Fn(&Header) -> bool) -> Result<Option<(Half, Stored)>, F> {
        let first = self.newest_in(Half::First, wanted)?.map(|stored| (Half::First, stored));
        let second = self.newest_in(Half::Second, wanted)?.map(|stored| (Half::Second, stored));
        Ok(first.into_iter().chain(second).max_by_key(|(_, stored)| stored.header.generation))
    }

    fn newest_in(&mut self, half: Half, wanted: &dyn Fn(&Header) -> bool) -> Result<Option<Stored>, F> {
        let mut newest: Option<Stored> = None;
        self.read(half, &mut |run, _| {
            let header = run.stored.header;
            let newer = newest.is_none_or(|newest| newest.header.generation <= header.generation);
            if newer && wanted(&header) && run.is_whole() {
                newest = Some(run.stored);
            }
        })?;
        Ok(newest)
    }

    /// Goes through the parts in a half, from old to new: `visit` gets each that continues a record, with the bytes of
    /// its parameters. Not generic, as it is most of the code.
    fn read(&mut self, half: Half, visit: &mut dyn FnMut(&Run, &[u8])) -> Result<(), F> {
        let mut queue = self.queue(half)?;
        let mut buffer = Buffer::EMPTY;
        let result = block_on(async {
            let mut run = None;
            let mut items = queue.iter().await?;
            while let Some(item) = items.next(buffer.as_mut()).await? {
                run = Run::advance(run, &item, visit);
            }
            Ok(())
        });
        flash_error::<F>(result)
    }

    /// Writes a record's words behind the others, as far as there is room.
    fn append(
        &mut self,
        half: Half,
        seal: u32,
        mut words: &mut dyn Iterator<Item = [u8; 4]>,
    ) -> Result<(), F> {
        let mut queue = self.queue(half)?;
        let mut buffer = Buffer::EMPTY;
        let result = block_on(async {
            for place in 0.. {
                let Some(part) = buffer.fill(seal, place, &mut words) else { break };
                queue.push(part, false).await?;
            }
            Ok(())
        });
        flash_error::<F>(result)
    }

    fn queue(&mut self, half: Half) -> Result<Queue<'_, F>, F> {
        let config = QueueConfig::try_new(self.range(half)).map_err(|_| Error::Range)?;
        Ok(QueueStorage::new(Blocking(&mut self.flash), config, Cache::new_uncached()))
    }

    fn range(&self, half: Half) -> Range<u32> {
        let [first, second] = &self.halves;
        match half {
            Half::First => first.clone(),
            Half::Second => second.clone(),
        }
    }
}

/// Returns true for a header of a `P` of this version.
fn own<P: Params>(version: u32) -> impl Fn(&Header) -> bool {
    move |header| *header == Header::of::<P>(version, header.generation)
}

/// Only the driver's errors end an operation. A half that is full or in disorder is read as far as it goes, and erased
/// before it is written again.
fn flash_error<F: NorFlash>(result: core::result::Result<(), StorageError<F>>) -> Result<(), F> {
    match result {
        Err(sequential_storage::Error::Storage { value, .. }) => Err(Error::Flash(value)),
        _ => Ok(()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

impl Half {
    fn other(self) -> Self {
        match self {
            Half::First => Half::Second,
            Half::Second => Half::First,
        }
    }
}
