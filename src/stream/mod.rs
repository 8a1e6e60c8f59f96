//! Samples with a teacher's soft labels, streamed to a device (feature `stream`): what was damaged on the way is never
//! learned, and nothing is learned twice.
//!
//! A frame is postcard's bytes of a sequence number and a [`Lesson`], then their CRC-32; all of it stuffed by COBS
//! (Cheshire and Baker 1999) and ended by a zero. Numbers have their full width, little-endian. Both ends are here: the
//! desktop calls [`encode`], the device gives each byte of its serial port to a [`Decoder`].
//!
//! That is for a line of one direction, or samples that come faster than they can be learned: what is lost is missed.
//! Where the device can answer, it is a `Pupil`, and every sample is learned once: `microdistill board teach` has it so.
//!
//! ```
//! use microdistill::loss::{Soft, SoftLabels};
//! use microdistill::optimizer::{Sgd, SgdRates};
//! use microdistill::stream::{Decoder, Lesson, encode};
//! use microdistill::{Distiller, Mlp, Params};
//!
//! type Student = Mlp![2, 8, 3];
//! type Sample = Lesson<[f32; 2], [f32; 3]>;
//! const BYTES: usize = Sample::FRAME_BYTES;
//!
//! // The desktop.
//! let mut line = [0; BYTES];
//! let lesson: Sample = Lesson { x: [0.5, -1.0], teacher: [2.0, 0.0, -2.0], label: None };
//! let frame = encode(1, &lesson, &mut line)?;
//!
//! // The device.
//! let mut decoder = Decoder::<[f32; 2], [f32; 3], BYTES>::new();
//! let mut distiller = Distiller::<Student, Sgd<Student>>::ZERO;
//! for &byte in frame.iter() {
//!     if let Some(Lesson { x, teacher, label }) = decoder.push(byte) {
//!         let soft = Soft { teacher: &teacher, label: label.map(usize::from) };
//!         distiller.learn(&x, &SoftLabels::DEFAULT, soft);
//!         distiller.update(&SgdRates { rate: 0.1, momentum: 0.9, weight_decay: 0.0 });
//!     }
//! }
//! assert_eq!(decoder.counts().accepted, 1);
//! # Ok::<(), microdistill::stream::TooSmall>(())
//! ```

mod exchange;
mod frame;
mod lesson;
#[cfg(feature = "checkpoint")]
mod pupil;

use core::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::layer::Array;

pub use exchange::{PIECE, Reply, Request, Settings};
pub use frame::{Damaged, Receiver, TooSmall, encode};
pub use lesson::{Lesson, Numbers};
#[cfg(feature = "checkpoint")]
pub use pupil::Pupil;

/// Counts of frames, by their fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Counts {
    /// Lessons that were given out.
    pub accepted: u32,
    /// Numbers that were passed over: their frames were lost, damaged, or come too late.
    pub missed: u32,
    /// Frames that were skipped because their number was not above the last one accepted: repeated, or too late.
    pub stale: u32,
    /// Frames that were skipped because they were not whole.
    pub damaged: u32,
}

/// Finds frames of a [`Lesson`] in a stream of bytes. `BYTES` is [`Lesson::FRAME_BYTES`], or more.
///
/// The first frame may have any number. After it, only a frame with a number above the last accepted one counts; a
/// sender that begins anew wants a new decoder.
#[derive(Debug)]
pub struct Decoder<X, Y, const BYTES: usize> {
    receiver: Receiver<BYTES>,
    last: Option<u32>,
    counts: Counts,
    lesson: PhantomData<(X, Y)>,
}

impl<X: Array<Item: DeserializeOwned>, Y: Array<Item: DeserializeOwned>, const BYTES: usize>
    Decoder<X, Y, BYTES>
{
    /// Before the first byte.
    pub const fn new() -> Self {
        const { assert!(BYTES >= Lesson::<X, Y>::FRAME_BYTES, "BYTES is less than Lesson::FRAME_BYTES") };
        Decoder {
            receiver: Receiver::new(),
            last: None,
            counts: Counts { accepted: 0, missed: 0, stale: 0, damaged: 0 },
            lesson: PhantomData,
        }
    }

    /// Takes the next byte, and gives the lesson of a frame that it ends.
    #[must_use = "a sample that is not learned is lost"]
    pub fn push(&mut self, byte: u8) -> Option<Lesson<X, Y>> {
        let Ok((sequence, lesson)) = self.receiver.push(byte)? else {
            self.counts.damaged = self.counts.damaged.saturating_add(1);
            return None;
        };
        if let Some(last) = self.last {
            let Some(missed) = sequence.checked_sub(last).and_then(|step| step.checked_sub(1)) else {
                self.counts.stale = self.counts.stale.saturating_add(1);
                return None;
            };
            self.counts.missed = self.counts.missed.saturating_add(missed);
        }
        self.last = Some(sequence);
        self.counts.accepted = self.counts.accepted.saturating_add(1);
        Some(lesson)
    }

    /// The number of the last frame accepted: what a device acknowledges.
    pub fn last(&self) -> Option<u32> {
        self.last
    }

    /// Counts of the frames so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

impl<X: Array<Item: DeserializeOwned>, Y: Array<Item: DeserializeOwned>, const BYTES: usize> Default
    for Decoder<X, Y, BYTES>
{
    fn default() -> Self {
        Self::new()
    }
}
