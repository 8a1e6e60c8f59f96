//! The device that is taught.

use super::exchange::{PIECE, Reply, Request, Settings};
use super::frame::{Damaged, Receiver, encode};
use super::lesson::Lesson;
use crate::checkpoint::record;
use crate::layer::{Array, Train};
use crate::loss::{Soft, SoftLabels};
use crate::metric::argmax;
use crate::optimizer::{Adam, AdamRates};
use crate::{Distiller, Params};
use serde::de::DeserializeOwned;

/// A student that a desktop teaches over a line: takes bytes, learns, and gives the bytes to answer with.
///
/// Every request is done once, however often it comes: one whose number is that of the last is answered again, one below
/// is skipped, and so is what is damaged. With the feature `checkpoint`, as what was learned goes back as a
/// [record](crate::checkpoint::record). `BYTES` is [`Request::FRAME_BYTES`], or more.
///
/// ```
/// use microdistill::optimizer::Adam;
/// use microdistill::stream::{Pupil, Receiver, Reply, Request, encode};
/// use microdistill::{Distiller, Mlp, Params};
///
/// type Student = Mlp![2, 8, 3];
/// type Question = Request<[f32; 2], [f32; 3]>;
///
/// // The device.
/// let mut distiller = Distiller::<Student, Adam<Student>>::ZERO; // in a static
/// let mut pupil = Pupil::<Student, { Question::FRAME_BYTES }>::new(&mut distiller);
///
/// // The desktop.
/// let mut line = [0; Question::FRAME_BYTES];
/// let frame = encode(0, &Question::Hello, &mut line)?;
///
/// let mut desktop = Receiver::<{ Reply::FRAME_BYTES }>::new();
/// let mut answer = [0; Reply::FRAME_BYTES];
/// for &byte in frame.iter() {
///     for &byte in pupil.push(byte, &mut answer).unwrap_or_default() {
///         if let Some(reply) = desktop.push(byte) {
///             assert_eq!(reply, Ok((0, Reply::Ready { last: 0, fingerprint: Student::FINGERPRINT })));
///         }
///     }
/// }
/// # Ok::<(), microdistill::stream::TooSmall>(())
/// ```
pub struct Pupil<'a, S: Train<Scalar = f32>, const BYTES: usize> {
    receiver: Receiver<BYTES>,
    distiller: &'a mut Distiller<S, Adam<S>>,
    settings: Settings,
    /// Samples since the last update.
    samples: u32,
    /// Number and answer of the last request that was done.
    last: u32,
    reply: Reply,
}

impl<'a, S, const BYTES: usize> Pupil<'a, S, BYTES>
where
    S: Train<Scalar = f32, Input: Array<Item: DeserializeOwned>, Output: Array<Item = f32>> + Copy,
{
    /// With the student that `distiller` has.
    pub fn new(distiller: &'a mut Distiller<S, Adam<S>>) -> Self {
        const {
            assert!(
                BYTES >= Request::<S::Input, S::Output>::FRAME_BYTES,
                "BYTES is less than Request::FRAME_BYTES"
            )
        };
        let (AdamRates { rate, weight_decay, .. }, SoftLabels { temperature, alpha }) =
            (AdamRates::DEFAULT, SoftLabels::DEFAULT);
        Pupil {
            receiver: Receiver::new(),
            distiller,
            settings: Settings { rate, weight_decay, temperature, alpha, batch: 1 },
            samples: 0,
            last: 0,
            reply: Reply::Done,
        }
    }

    /// Takes the next byte of the line; if it ends a request, does that, and gives the bytes that answer it.
    #[must_use = "the desktop waits for this frame"]
    pub fn push<'f>(&mut self, byte: u8, frame: &'f mut [u8; Reply::FRAME_BYTES]) -> Option<&'f [u8]> {
        let (number, reply) = match self.receiver.push(byte)? {
            Err(Damaged) => return None,
            Ok((number, Request::Hello)) => {
                (number, Reply::Ready { last: self.last, fingerprint: S::FINGERPRINT })
            }
            Ok((number, _)) if number < self.last => return None,
            Ok((number, _)) if number == self.last => (number, self.reply),
            Ok((number, request)) => {
                self.last = number;
                self.reply = self.answer(request);
                (number, self.reply)
            }
        };
        encode(number, &reply, frame).ok().map(|bytes| &*bytes)
    }

    /// The student as it is now.
    pub fn student(&self) -> &S {
        &self.distiller.student
    }

    fn answer(&mut self, request: Request<S::Input, S::Output>) -> Reply {
        match request {
            // Answered before, as it has no number of its own.
            Request::Hello => Reply::Done,
            Request::Install { from, parameters } => {
                self.install(from as usize, &parameters);
                Reply::Done
            }
            Request::Begin(settings) => {
                let student = self.distiller.student;
                self.distiller.restart(&student);
                (self.settings, self.samples) = (settings, 0);
                Reply::Done
            }
            Request::Learn(lesson) => self.learn(&lesson),
            Request::Recall { from } => {
                self.update();
                Reply::Record(piece(&self.distiller.student, from as usize))
            }
        }
    }

    fn install(&mut self, from: usize, words: &[[u8; 4]]) {
        let parameters = self.distiller.student.tensors_mut().flat_map(|(_, tensor)| tensor);
        for (parameter, word) in parameters.skip(from).zip(words) {
            *parameter = f32::from_le_bytes(*word);
        }
    }

    fn learn(&mut self, Lesson { x, teacher, label }: &Lesson<S::Input, S::Output>) -> Reply {
        let soft = Soft { teacher, label: label.map(usize::from) };
        let loss = self.distiller.learn(x, &self.settings.loss(), soft);
        let class = argmax(self.distiller.output().as_slice()) as u16;
        self.samples = self.samples.saturating_add(1);
        if self.samples >= self.settings.batch {
            self.update();
        }
        Reply::Learned { class, loss }
    }

    fn update(&mut self) {
        self.distiller.update(&self.settings.rates());
        self.samples = 0;
    }
}

/// Words of the record from an index on.
fn piece(student: &impl Params<Scalar = f32>, from: usize) -> [[u8; 4]; PIECE] {
    let mut words = [[0; 4]; PIECE];
    let bytes = record::encode(student, 0).skip(from.saturating_mul(4));
    for (to, byte) in words.as_flattened_mut().iter_mut().zip(bytes) {
        *to = byte;
    }
    words
}
