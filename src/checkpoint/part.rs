//! The parts of a record, each an item in flash, and how a record is put together again.
//!
//! | bytes | what, little-endian |
//! |---|---|
//! | 4 | the CRC-32 of the whole record, which names it |
//! | 4 | the part's place in it, from 0 |
//! | up to 236 | header and parameters, in that order |

use super::record::{self, Header};
use crate::crc32::Digest;
use crate::layer::Params;

/// Words of a record in one part: with what sequential-storage adds, four parts fill a page of 1 KiB.
const WORDS: usize = 59;
/// Size of a full part.
pub(super) const BYTES: usize = 8 + 4 * WORDS;
/// Flash is read by words of up to 32 bytes.
const BUFFER: usize = BYTES.next_multiple_of(32);

/// Parts of a record with so many parameters.
pub(super) const fn count(parameters: usize) -> usize {
    (Header::BYTES / 4 + parameters).div_ceil(WORDS)
}

/// The fields that tell one record from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) header: Header,
    /// The CRC-32 of header and parameters.
    pub(super) seal: u32,
}

impl Stored {
    /// Header and parameters.
    pub(super) fn words<P: Params<Scalar = f32>>(&self, network: &P) -> impl Iterator<Item = [u8; 4]> {
        self.header.to_words().into_iter().chain(record::parameters(network))
    }
}

/// Room for one part; some flash controllers copy from whole words only.
#[repr(align(4))]
pub(super) struct Buffer([u8; BUFFER]);

impl Buffer {
    pub(super) const EMPTY: Self = Buffer([0; BUFFER]);

    pub(super) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Makes a part of the next words, if there are any.
    pub(super) fn fill(
        &mut self,
        seal: u32,
        place: u32,
        words: &mut impl Iterator<Item = [u8; 4]>,
    ) -> Option<&[u8]> {
        let head = [seal.to_le_bytes(), place.to_le_bytes()];
        let mut bytes = 0;
        for (to, from) in self.0.as_chunks_mut().0.iter_mut().zip(head.into_iter().chain(words.take(WORDS))) {
            *to = from;
            bytes += from.len();
        }
        self.0.get(..bytes).filter(|_| bytes > head.as_flattened().len())
    }
}

/// A record as far as its parts have come, one behind the other.
pub(super) struct Run {
    pub(super) stored: Stored,
    digest: Digest,
    /// The place of the next part.
    next: u32,
    /// Parameters in the parts before the last one.
    pub(super) before: usize,
    /// Parameters in all parts.
    parameters: usize,
}

impl Run {
    /// What `item` makes of the run before it: its continuation, another record's beginning, or nothing. `visit` gets
    /// the run with this part, and the bytes of the part's parameters.
    pub(super) fn advance(run: Option<Run>, item: &[u8], visit: &mut dyn FnMut(&Run, &[u8])) -> Option<Run> {
        let (&seal, rest) = item.split_first_chunk()?;
        let (&place, content) = rest.split_first_chunk()?;
        let (seal, place) = (u32::from_le_bytes(seal), u32::from_le_bytes(place));
        let (mut run, parameters) = match place {
            0 => {
                let (header, parameters) = content.split_first_chunk()?;
                let header = Header::from_bytes(header)?;
                let stored = Stored { header, seal };
                (Run { stored, digest: header.digest(), next: 0, before: 0, parameters: 0 }, parameters)
            }
            _ => (run.filter(|run| run.stored.seal == seal && run.next == place)?, content),
        };
        run.digest.update(parameters);
        run.next = run.next.wrapping_add(1);
        run.before = run.parameters;
        run.parameters = run.parameters.wrapping_add(parameters.len() / 4);
        visit(&run, parameters);
        Some(run)
    }

    /// Returns true if all parameters are present and undamaged.
    pub(super) fn is_whole(&self) -> bool {
        u32::try_from(self.parameters) == Ok(self.stored.header.parameters)
            && self.digest.clone().finalize() == self.stored.seal
    }
}
