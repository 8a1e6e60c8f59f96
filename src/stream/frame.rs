//! A value and its number as bytes that tell whether they are whole.

use core::fmt;

use cobs::{DecodeResult, DecoderState, EncoderState, PushResult};
use heapless::Vec;
use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crc32::{self, Digest};

/// Most bytes of a frame of so many bytes of postcard: four of the sequence number, four of the CRC, and what COBS adds.
pub(super) const fn bytes(content: usize) -> usize {
    let bytes = 4 + content + 4;
    bytes + bytes / 254 + 2
}

/// A buffer is smaller than the frame: the type's `FRAME_BYTES` are enough.
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
pub fn encode<'a, T: Serialize + ?Sized>(
    sequence: u32,
    content: &T,
    frame: &'a mut [u8],
) -> Result<&'a mut [u8], TooSmall> {
    let stuffed = Stuffed { frame, length: 0, state: EncoderState::default(), digest: crc32::digest() };
    postcard::serialize_with_flavor(&(sequence.to_le_bytes(), content), stuffed).map_err(|_| TooSmall)
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

/// Sequence number and content of a frame's bytes, if it is whole and undamaged.
fn open<T: DeserializeOwned>(bytes: &[u8]) -> Option<(u32, T)> {
    let (sealed, &seal) = bytes.split_last_chunk()?;
    let mut digest = crc32::digest();
    digest.update(sealed);
    if digest.finalize() != u32::from_le_bytes(seal) {
        return None;
    }
    let ((sequence, content), rest) = postcard::take_from_bytes(sealed).ok()?;
    rest.is_empty().then_some((u32::from_le_bytes(sequence), content))
}

/// Finds frames in a stream of bytes. `BYTES` is the `FRAME_BYTES` of the type that they hold, or more.
#[derive(Debug)]
pub struct Receiver<const BYTES: usize> {
    state: DecoderState,
    frame: Vec<u8, BYTES>,
    /// True if the frame is longer than any valid one.
    too_long: bool,
}

/// A frame that was not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Damaged;

impl<const BYTES: usize> Receiver<BYTES> {
    /// Before the first byte.
    pub const fn new() -> Self {
        Receiver { state: DecoderState::Idle, frame: Vec::new(), too_long: false }
    }

    /// Takes the next byte, and gives the sequence number and the content of a frame that it ends.
    #[must_use = "a message that is not handled is lost"]
    pub fn push<T: DeserializeOwned>(&mut self, byte: u8) -> Option<Result<(u32, T), Damaged>> {
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
        Some(opened.ok_or(Damaged))
    }
}

impl<const BYTES: usize> Default for Receiver<BYTES> {
    fn default() -> Self {
        Self::new()
    }
}
