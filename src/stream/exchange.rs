//! The requests of a desktop that teaches a device, and the device's replies.
//!
//! One request is under way at a time: the desktop sends the next one when the last one is answered, and sends it again,
//! with its number, for want of an answer. So a device is never overrun, with no more memory than one frame takes.

use serde::{Deserialize, Serialize};

use super::frame;
use super::lesson::Lesson;
use crate::layer::Array;
use crate::loss::SoftLabels;
use crate::optimizer::AdamRates;

/// Words of 32 bits, little-endian, that go over the line at once: parameters, or a record.
pub const PIECE: usize = 16;

/// A request of the desktop.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(serialize = "Lesson<X, Y>: Serialize", deserialize = "Lesson<X, Y>: Deserialize<'de>"))]
pub enum Request<X, Y> {
    /// Asks for a sign of life. Answered by [`Reply::Ready`] whatever its number.
    Hello,
    /// The student's parameters from an index on, in the order of [`Params::tensors`](crate::Params::tensors); those
    /// beyond its last are nothing.
    Install {
        /// Index of the first parameter.
        #[serde(with = "postcard::fixint::le")]
        from: u32,
        /// The parameters, an f32 each.
        parameters: [[u8; 4]; PIECE],
    },
    /// A training begins, with the student that is there.
    Begin(Settings),
    /// A sample to be learned: answered by [`Reply::Learned`].
    Learn(Lesson<X, Y>),
    /// A piece of the student's record, as `checkpoint` has it: answered by [`Reply::Record`]. The batch ends.
    Recall {
        /// Index of its first word.
        #[serde(with = "postcard::fixint::le")]
        from: u32,
    },
}

impl<X: Array, Y: Array> Request<X, Y> {
    /// Most bytes of a frame.
    pub const FRAME_BYTES: usize = {
        let piece = 4 + 4 * PIECE;
        let lesson = Lesson::<X, Y>::BYTES;
        frame::bytes(1 + if lesson > piece { lesson } else { piece })
    };
}

/// Settings of the training on the device.
///
/// By Adam: a line takes longer for a sample than a device does, so samples are what is scarce.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Settings {
    /// Adam's step size, > 0.
    pub rate: f32,
    /// Decoupled weight decay, ≥ 0.
    pub weight_decay: f32,
    /// Temperature of the soft labels, > 0.
    pub temperature: f32,
    /// The teacher's share beside the labels, in [0, 1]; 0 learns from labels alone.
    pub alpha: f32,
    /// Samples an update; 0 counts as 1.
    #[serde(with = "postcard::fixint::le")]
    pub batch: u32,
}

impl Settings {
    /// Adam's rates, for the device, and for the desktop that compares itself with it.
    pub fn rates(&self) -> AdamRates {
        AdamRates { rate: self.rate, weight_decay: self.weight_decay, ..AdamRates::DEFAULT }
    }

    /// The loss that is minimized.
    pub fn loss(&self) -> SoftLabels {
        SoftLabels { temperature: self.temperature, alpha: self.alpha }
    }
}

/// A reply of the device; the frame has the request's number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Reply {
    /// The device is there.
    Ready {
        /// The number of the last request that was done: the next one has to be above.
        #[serde(with = "postcard::fixint::le")]
        last: u32,
        /// The [fingerprint](crate::fingerprint) of its student.
        #[serde(with = "postcard::fixint::le")]
        fingerprint: u32,
    },
    /// The request was done.
    Done,
    /// The sample was learned.
    Learned {
        /// The class that the student gave the sample before it learned it.
        #[serde(with = "postcard::fixint::le")]
        class: u16,
        /// The sample's loss before it was learned.
        loss: f32,
    },
    /// The record from the word asked for on; zeros behind its end.
    Record([[u8; 4]; PIECE]),
}

impl Reply {
    /// Most bytes of a frame.
    pub const FRAME_BYTES: usize = frame::bytes(1 + 4 * PIECE);
}
