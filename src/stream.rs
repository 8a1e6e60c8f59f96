//! Samples with a teacher's soft labels, streamed to a device (feature `stream`): what was damaged on the way is never
//! learned, and nothing is learned twice.
//!
//! A frame is postcard's bytes of a sequence number and a [`Lesson`], then their CRC-32; all of it stuffed by COBS
//! (Cheshire and Baker 1999) and ended by a zero. Numbers have their full width, little-endian. Both ends are here: the
//! desktop calls [`encode`], the device gives each byte of its serial port to a [`Decoder`].
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

use core::fmt;
use core::marker::PhantomData;

use cobs::{DecodeResult, DecoderState, EncoderState, PushResult};
use heapless::Vec;
use postcard::ser_flavors::Flavor;
use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::crc32::{self, Digest};
use crate::layer::Array;

/// A sample, and what the teacher says of it. A device that has the sample itself is sent none: `X` is `[f32; 0]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lesson<X, Y> {
    /// The network's input, `[f32; I]`, or the teacher's codes, `[i8; I]`.
    pub x: X,
    /// The teacher's logits, one a class, or their codes.
    pub teacher: Y,
    /// The class, if it is known.
    pub label: Option<u16>,
}

impl<X: Array, Y: Array> Lesson<X, Y> {
    /// Most bytes of a frame: four of the sequence number, three of the label, four of the CRC, and what COBS adds.
    pub const FRAME_BYTES: usize = {
        let bytes = 4 + size_of::<X>() + size_of::<Y>() + 3 + 4;
        bytes + bytes / 254 + 2
    };
}

impl<X: Array<Item: Serialize>, Y: Array<Item: Serialize>> Serialize for Lesson<X, Y> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (x, teacher) = (self.x.as_slice(), self.teacher.as_slice());
        let mut tuple = serializer.serialize_tuple(x.len() + teacher.len() + 1)?;
        x.iter().try_for_each(|number| tuple.serialize_element(number))?;
        teacher.iter().try_for_each(|number| tuple.serialize_element(number))?;
        tuple.serialize_element(&self.label.map(u16::to_le_bytes))?;
        tuple.end()
    }
}

impl<'de, X: Array<Item: DeserializeOwned>, Y: Array<Item: DeserializeOwned>> Deserialize<'de>
    for Lesson<X, Y>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let elements = X::ZEROED.as_slice().len() + Y::ZEROED.as_slice().len() + 1;
        deserializer.deserialize_tuple(elements, Elements(PhantomData))
    }
}

struct Elements<X, Y>(PhantomData<(X, Y)>);

impl<'de, X: Array<Item: DeserializeOwned>, Y: Array<Item: DeserializeOwned>> Visitor<'de>
    for Elements<X, Y>
{
    type Value = Lesson<X, Y>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sample, logits and perhaps a label")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(elements: &mut A) -> Result<T, A::Error> {
            elements.next_element()?.ok_or_else(|| A::Error::custom("too short"))
        }
        let (mut x, mut teacher) = (X::ZEROED, Y::ZEROED);
        for number in x.as_mut_slice() {
            *number = next(&mut elements)?;
        }
        for number in teacher.as_mut_slice() {
            *number = next(&mut elements)?;
        }
        let label: Option<[u8; 2]> = next(&mut elements)?;
        Ok(Lesson { x, teacher, label: label.map(u16::from_le_bytes) })
    }
}

/// A buffer is smaller than the frame: [`Lesson::FRAME_BYTES`] are enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TooSmall;

impl fmt::Display for TooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the buffer is smaller than the frame")
    }
}

impl core::error::Error for TooSmall {}

/// Writes a frame and gives its bytes, the zero at its end included.
///
/// Sequence numbers rise from frame to frame. Who sends a frame again, for want of an answer, keeps its number: it is
/// learned once.
///
/// # Errors
/// [`TooSmall`].
pub fn encode<'a, X: Array<Item: Serialize>, Y: Array<Item: Serialize>>(
    sequence: u32,
    lesson: &Lesson<X, Y>,
    frame: &'a mut [u8],
) -> Result<&'a mut [u8], TooSmall> {
    let stuffed = Stuffed { frame, length: 0, state: EncoderState::default(), digest: crc32::digest() };
    postcard::serialize_with_flavor(&(sequence.to_le_bytes(), lesson), stuffed).map_err(|_| TooSmall)
}

/// Bytes and their CRC-32, stuffed. Not postcard's `CrcModifier<Cobs<Slice>>`, which has a table, and may panic.
struct Stuffed<'a> {
    frame: &'a mut [u8],
    length: usize,
    state: EncoderState,
    digest: Digest,
}

impl Stuffed<'_> {
    fn put(&mut self, place: usize, byte: u8) -> postcard::Result<()> {
        self.frame.get_mut(place).map(|to| *to = byte).ok_or(postcard::Error::SerializeBufferFull)
    }
    fn add(&mut self, byte: u8) -> postcard::Result<()> {
        self.put(self.length, byte)?;
        self.length += 1;
        Ok(())
    }
    fn stuff(&mut self, byte: u8) -> postcard::Result<()> {
        if self.length == 0 {
            self.add(0)?;
        }
        match self.state.push(byte) {
            PushResult::AddSingle(byte) => return self.add(byte),
            PushResult::ModifyFromStartAndSkip((place, code)) => self.put(place, code)?,
            PushResult::ModifyFromStartAndPushAndSkip((place, code, byte)) => {
                self.put(place, code)?;
                self.add(byte)?;
            }
        }
        self.add(0)
    }
}

impl<'a> Flavor for Stuffed<'a> {
    type Output = &'a mut [u8];

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.digest.update(&[byte]);
        self.stuff(byte)
    }
    fn finalize(mut self) -> postcard::Result<&'a mut [u8]> {
        let seal = self.digest.clone().finalize().to_le_bytes();
        seal.into_iter().try_for_each(|byte| self.stuff(byte))?;
        let (place, code) = self.state.clone().finalize();
        self.put(place, code)?;
        self.add(0)?;
        Ok(self.frame.get_mut(..self.length).unwrap_or_default())
    }
}

/// Sequence number and lesson of a frame's bytes, if it is whole and undamaged.
fn open<T: DeserializeOwned>(bytes: &[u8]) -> Option<(u32, T)> {
    let (content, &seal) = bytes.split_last_chunk()?;
    let mut digest = crc32::digest();
    digest.update(content);
    if digest.finalize() != u32::from_le_bytes(seal) {
        return None;
    }
    let ((sequence, lesson), rest) = postcard::take_from_bytes(content).ok()?;
    rest.is_empty().then_some((u32::from_le_bytes(sequence), lesson))
}

/// What became of the frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Counts {
    /// Given out.
    pub accepted: u32,
    /// Numbers that were passed over: their frames were lost, damaged, or come too late.
    pub missed: u32,
    /// Skipped, as their number was not above the last one accepted: repeated, or too late.
    pub stale: u32,
    /// Skipped, as they were not whole.
    pub damaged: u32,
}

/// Finds frames of a [`Lesson`] in a stream of bytes. `BYTES` is [`Lesson::FRAME_BYTES`], or more.
///
/// The first frame may have any number. After it, only a frame with a number above the last accepted one counts; a
/// sender that begins anew wants a new decoder.
#[derive(Debug)]
pub struct Decoder<X, Y, const BYTES: usize> {
    state: DecoderState,
    frame: Vec<u8, BYTES>,
    /// Whether the frame is longer than any of ours.
    too_long: bool,
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
            state: DecoderState::Idle,
            frame: Vec::new(),
            too_long: false,
            last: None,
            counts: Counts { accepted: 0, missed: 0, stale: 0, damaged: 0 },
            lesson: PhantomData,
        }
    }

    /// Takes the next byte, and gives the lesson of a frame that it ends.
    pub fn push(&mut self, byte: u8) -> Option<Lesson<X, Y>> {
        match self.state.feed(byte) {
            Ok(DecodeResult::NoData) => return None,
            Ok(DecodeResult::DataContinue(byte)) => {
                self.too_long |= self.frame.push(byte).is_err();
                return None;
            }
            Ok(DecodeResult::DataComplete) => {}
            Err(_) => self.frame.clear(),
        }
        let opened = if self.too_long { None } else { open(&self.frame) };
        self.frame.clear();
        self.too_long = false;
        let Some((sequence, lesson)) = opened else {
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

    /// What became of the frames so far.
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
