//! Simulated NOR flash whose power can fail during any operation.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use rand_core::Rng;
use rand_pcg::Pcg32;

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The supply failed during this operation, or one before it.
    PowerCut,
    /// A bug in the caller: a word is programmed twice, or a range is out of bounds or not a whole number of words.
    Misuse,
}

impl NorFlashError for Fault {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

/// State that an interrupted operation leaves. Programming clears bits and erasing sets them; an unfinished operation
/// leaves some bits changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tear {
    /// Nothing has happened yet.
    Before,
    /// Some words or bytes are done, one is half done, and the rest are untouched.
    Along,
    /// Every bit has changed independently with this probability, in 256ths.
    Everywhere(u8),
    /// The operation is complete, but the caller did not learn of it.
    After,
}

pub(crate) const TEARS: [Tear; 7] = [
    Tear::Before,
    Tear::Along,
    Tear::Everywhere(8),
    Tear::Everywhere(64),
    Tear::Everywhere(128),
    Tear::Everywhere(248),
    Tear::After,
];

/// Flash with pages of `PAGE` bytes and words of `WORD` bytes.
#[derive(Clone, Debug)]
pub(crate) struct Flash<const PAGE: usize, const WORD: usize> {
    pub(crate) bytes: Vec<u8>,
    /// True for each word that was programmed in full and must be erased before it is programmed again.
    programmed: Vec<bool>,
    /// Erase count of each page.
    pub(crate) erases: Vec<u32>,
    /// Number of writes and erases so far.
    pub(crate) operations: u64,
    /// The operation that the power cut interrupts.
    cut: Option<(u64, Tear)>,
    off: bool,
    rng: Pcg32,
}

impl<const PAGE: usize, const WORD: usize> Flash<PAGE, WORD> {
    pub(crate) fn new(pages: usize) -> Self {
        Flash {
            bytes: vec![0xff; pages * PAGE],
            programmed: vec![false; pages * PAGE / WORD],
            erases: vec![0; pages],
            operations: 0,
            cut: None,
            off: false,
            rng: Pcg32::new(1, 1),
        }
    }

    /// Makes the power fail after `operations` more operations, during the next one.
    pub(crate) fn cut_after(&mut self, operations: u64, tear: Tear) {
        self.cut = Some((self.operations + operations, tear));
    }

    /// Restores power. Returns true if it was off.
    pub(crate) fn restart(&mut self) -> bool {
        self.cut = None;
        std::mem::take(&mut self.off)
    }

    /// Fills the flash with random bytes, as earlier firmware might have left it.
    pub(crate) fn scribble(&mut self, seed: u64) {
        let mut rng = Pcg32::new(seed, 3);
        self.bytes.fill_with(|| rng.next_u32() as u8);
        self.programmed.fill(false);
    }

    /// Starts an operation and decides how it ends.
    fn begin(&mut self) -> Result<Option<Tear>, Fault> {
        if self.off {
            return Err(Fault::PowerCut);
        }
        let tear = self.cut.filter(|&(operation, _)| operation == self.operations).map(|(_, tear)| tear);
        self.off = tear.is_some();
        self.operations += 1;
        Ok(tear)
    }

    /// The byte at `index` after a torn change from `old` to `new`. `stop` is the index of the byte that
    /// [`Tear::Along`] leaves half done.
    fn torn(&mut self, tear: Option<Tear>, stop: usize, index: usize, old: u8, new: u8) -> u8 {
        let arrived = match tear {
            None | Some(Tear::After) => 0xff,
            Some(Tear::Before) => 0,
            Some(Tear::Along) if index == stop => self.rng.next_u32() as u8,
            Some(Tear::Along) => {
                if index < stop {
                    0xff
                } else {
                    0
                }
            }
            Some(Tear::Everywhere(chance)) => {
                (0..8).fold(0, |bits, bit| bits | u8::from((self.rng.next_u32() as u8) < chance) << bit)
            }
        };
        (old & !arrived) | (new & arrived)
    }

    fn change(&mut self, range: std::ops::Range<usize>, new: impl Fn(usize, u8) -> u8) -> Result<(), Fault> {
        let tear = self.begin()?;
        let stop = self.rng.next_u32() as usize % range.len();
        for (index, place) in range.clone().enumerate() {
            let old = self.bytes[place];
            self.bytes[place] = self.torn(tear, stop, index, old, new(index, old));
        }
        if tear.is_some() { Err(Fault::PowerCut) } else { Ok(()) }
    }
}

impl<const PAGE: usize, const WORD: usize> ErrorType for Flash<PAGE, WORD> {
    type Error = Fault;
}

impl<const PAGE: usize, const WORD: usize> ReadNorFlash for Flash<PAGE, WORD> {
    const READ_SIZE: usize = WORD;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        if self.off {
            return Err(Fault::PowerCut);
        }
        let offset = offset as usize;
        let whole = offset.is_multiple_of(WORD) && bytes.len().is_multiple_of(WORD);
        let stored = self.bytes.get(offset..offset + bytes.len()).filter(|_| whole).ok_or(Fault::Misuse)?;
        bytes.copy_from_slice(stored);
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const PAGE: usize, const WORD: usize> NorFlash for Flash<PAGE, WORD> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        let (from, to) = (from as usize, to as usize);
        if from >= to || to > self.bytes.len() || !from.is_multiple_of(PAGE) || !to.is_multiple_of(PAGE) {
            return Err(Fault::Misuse);
        }
        self.erases[from / PAGE..to / PAGE].iter_mut().for_each(|erases| *erases += 1);
        // After a torn erase it is unknown which words may be programmed.
        self.programmed[from / WORD..to / WORD].fill(false);
        self.change(from..to, |_, _| 0xff)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        let range = offset as usize..offset as usize + bytes.len();
        let whole = range.start.is_multiple_of(WORD) && range.len().is_multiple_of(WORD);
        if !whole || range.is_empty() || range.end > self.bytes.len() {
            return Err(Fault::Misuse);
        }
        let words = range.start / WORD..range.end / WORD;
        if self.programmed[words.clone()].contains(&true) {
            return Err(Fault::Misuse);
        }
        let result = self.change(range, |index, old| old & bytes[index]);
        self.programmed[words].fill(result.is_ok());
        result
    }
}
