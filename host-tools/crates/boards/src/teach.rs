//! Teaches a student on a board over a serial line.

use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use microdistill::argmax;
use microdistill::checkpoint::record;
use microdistill::loss::Soft;
use microdistill::stream::{Lesson, PIECE, Receiver, Reply, Request, Settings, encode};
use nalgebra::DMatrix;
use rand_pcg::Pcg32;

use crate::serial::Line;
use microdistill_train::dataset::{Dataset, Target};
use microdistill_train::error::{Error, Result};
use microdistill_train::model::Model;
use microdistill_train::network::Network;
use microdistill_train::random::shuffle;
use microdistill_train::student::Distiller;

/// Timeouts for a board's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Time to wait for an answer before a request is sent again. It must be longer than the board takes to learn a sample.
    pub answer: Duration,
    /// Total time to wait before the board counts as dead.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { answer: Duration::from_millis(500), silence: Duration::from_secs(10) }
    }
}

/// A training sample for a board.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'a> {
    /// Standardized features.
    pub x: &'a [f32],
    /// Logits of the teacher; zeros without a teacher.
    pub teacher: &'a [f32],
    /// The class, if it is known.
    pub label: Option<usize>,
}

impl Sample<'_> {
    /// Returns the class to learn: the label or, without one, the teacher's class.
    pub fn class(&self) -> usize {
        self.label.unwrap_or_else(|| argmax(self.teacher))
    }
}

/// The training set of a student on a board: standardized rows and teacher outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Lessons {
    /// Shape (features × rows), standardized.
    x: DMatrix<f32>,
    /// Shape (outputs × rows).
    teacher: DMatrix<f32>,
    labels: Option<Vec<usize>>,
}

impl Lessons {
    /// Prepares the rows `data`, which have the features of `student`. Without a teacher, the student learns from the labels
    /// alone.
    ///
    /// # Errors
    /// If the student is not a classifier, the teacher has other features or labels, or there are neither a teacher nor labels.
    pub fn new(student: &Model, teacher: Option<&Model>, data: &Dataset) -> Result<Self> {
        let invalid = |message: &str| Err(Error::Invalid(message.into()));
        if student.labels().is_empty() {
            return invalid("boards can only be taught classifiers, but this student predicts values");
        }
        if teacher.is_some_and(|teacher| {
            (teacher.features(), teacher.labels()) != (student.features(), student.labels())
        }) {
            return invalid("teacher and student must have the same features and labels");
        }
        let labels = match &data.target {
            Target::Classes(classes) => Some(classes.clone()),
            _ => None,
        };
        let teacher = match teacher {
            Some(teacher) => teacher.predict(data),
            None if labels.is_none() => return invalid("rows without labels need a teacher: give --teacher"),
            None => DMatrix::zeros(student.outputs(), data.rows()),
        };
        Ok(Lessons { x: student.preparation.apply(&data.x), teacher, labels })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.x.ncols()
    }

    /// Returns true if there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Iterates `passes` times over all rows, each time in another order.
    pub fn passes(&self, passes: usize, seed: u64) -> impl Iterator<Item = Sample<'_>> {
        let mut rng = Pcg32::new(seed, STREAM);
        let mut order: Vec<usize> = (0..self.len()).collect();
        (0..passes).flat_map(move |_| {
            shuffle(&mut order, &mut rng);
            order.clone().into_iter().map(|row| self.sample(row))
        })
    }

    fn sample(&self, row: usize) -> Sample<'_> {
        // Columns are contiguous.
        fn column(matrix: &DMatrix<f32>, column: usize) -> &[f32] {
            &matrix.as_slice()[column * matrix.nrows()..][..matrix.nrows()]
        }
        Sample {
            x: column(&self.x, row),
            teacher: column(&self.teacher, row),
            label: self.labels.as_ref().map(|labels| labels[row]),
        }
    }
}

/// Stream of the random generator for the order of samples.
const STREAM: u64 = 2;

/// The board's prediction for a sample before it learned the sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Learned {
    /// The class that the student predicted.
    pub class: usize,
    /// Loss against the soft labels, in nats.
    pub loss: f32,
}

/// Result of teaching.
#[derive(Clone, Debug, PartialEq)]
pub struct Taught {
    /// The student's [record], which [`import`](microdistill_train::import::import) reads.
    pub record: Vec<u8>,
    /// Number of samples learned.
    pub samples: usize,
    /// Number of parameters that differ from those of the same training on this desktop.
    pub different: usize,
    /// Number of requests that were sent again.
    pub repeated: u64,
}

type Question<'a> = Request<&'a [f32], &'a [f32]>;

/// Teaches the board at the end of a line.
pub struct Tutor<L> {
    line: L,
    name: String,
    patience: Patience,
    receiver: Receiver<{ Reply::FRAME_BYTES }>,
    frame: Vec<u8>,
    number: u32,
    repeated: u64,
    /// Number of frames that were damaged or not part of the protocol.
    damaged: u64,
}

impl<L: Line> Tutor<L> {
    /// Connects to the board at the end of `line`. Error messages call it `name`.
    pub fn new(line: L, name: impl Into<String>, patience: Patience) -> Self {
        let (receiver, name) = (Receiver::new(), name.into());
        Tutor { line, name, patience, receiver, frame: Vec::new(), number: 0, repeated: 0, damaged: 0 }
    }

    /// Sends `student` to the board, teaches it sample by sample, and reads the trained student back. `progress` is
    /// called for each sample; teaching stops when it returns `Break`.
    ///
    /// # Errors
    /// If the board is silent or has another network, or a sample has neither teacher outputs nor a label.
    pub fn teach<'a>(
        &mut self,
        student: &Network,
        settings: &Settings,
        samples: impl IntoIterator<Item = Sample<'a>>,
        progress: &mut dyn FnMut(&Sample<'_>, Learned) -> ControlFlow<()>,
    ) -> Result<Taught> {
        let widths: usize = student.widths().iter().sum();
        self.frame = vec![0; 8 * (widths + 4 * PIECE)];
        self.begin(student, settings)?;
        let mut here = Distiller::new(student.clone());
        let mut count = 0;
        for sample in samples {
            let Sample { x, teacher, label } = sample;
            let lesson = Lesson { x, teacher, label: label.map(|class| class as u16) };
            let Reply::Learned { class, loss } = self.ask(&Request::Learn(lesson))? else {
                return Err(self.error("it sent an unexpected answer to a sample"));
            };
            here.learn(x, &settings.loss(), Soft { teacher, label });
            count += 1;
            if count % (settings.batch as usize).max(1) == 0 {
                here.update(&settings.rates());
            }
            if progress(&sample, Learned { class: class.into(), loss }).is_break() {
                break;
            }
        }
        here.update(&settings.rates());
        let record = self.recall(student)?;
        let (_, words) = record::split(&record).map_err(|refused| self.error(&refused.to_string()))?;
        let found = words.iter().copied().map(u32::from_le_bytes);
        let expected = here.student().parameter_values().map(f32::to_bits);
        let different = found.zip(expected).filter(|(found, expected)| found != expected).count();
        Ok(Taught { record, samples: count, different, repeated: self.repeated })
    }

    /// Greets the board, sends it the student and starts the training.
    fn begin(&mut self, student: &Network, settings: &Settings) -> Result<()> {
        self.number = 0;
        let Reply::Ready { last, fingerprint } = self.send(&Request::Hello)? else {
            return Err(self.error("it sent an unexpected answer to a greeting"));
        };
        if fingerprint != student.fingerprint() {
            let widths: Vec<String> = student.widths().iter().map(usize::to_string).collect();
            return Err(self.error(&format!(
                "its student is not a {} network with these activations: flash it with `board flash BOARD teach --student …`",
                widths.join("-")
            )));
        }
        self.number = last;
        let parameters: Vec<[u8; 4]> = student.parameter_values().map(f32::to_le_bytes).collect();
        for (piece, words) in parameters.chunks(PIECE).enumerate() {
            let mut parameters = [[0; 4]; PIECE];
            parameters[..words.len()].copy_from_slice(words);
            self.ask(&Request::Install { from: (piece * PIECE) as u32, parameters })?;
        }
        self.ask(&Request::Begin(*settings))?;
        Ok(())
    }

    /// Reads the whole record of the student back.
    fn recall(&mut self, student: &Network) -> Result<Vec<u8>> {
        let words = record::words(student.parameters());
        let mut record = Vec::with_capacity(4 * (words + PIECE));
        for from in (0..words).step_by(PIECE) {
            let Reply::Record(piece) = self.ask(&Request::Recall { from: from as u32 })? else {
                return Err(self.error("it sent an unexpected answer to a request for its weights"));
            };
            record.extend(piece.as_flattened());
        }
        record.truncate(4 * words);
        Ok(record)
    }

    /// Sends the next request and returns the answer.
    fn ask(&mut self, request: &Question<'_>) -> Result<Reply> {
        let exhausted = "all sequence numbers are used up: restart it";
        self.number = self.number.checked_add(1).ok_or_else(|| self.error(exhausted))?;
        self.send(request)
    }

    /// Sends a request until it is answered.
    fn send(&mut self, request: &Question<'_>) -> Result<Reply> {
        let mut frame = std::mem::take(&mut self.frame);
        let length = encode(self.number, request, &mut frame).map(|bytes| bytes.len());
        self.frame = frame;
        let length = length.map_err(|small| self.error(&small.to_string()))?;
        let (start, damaged) = (Instant::now(), self.damaged);
        loop {
            let sent = self.line.write_all(&self.frame[..length]).and_then(|()| self.line.flush());
            // A write that is stuck is repeated like one that was lost.
            sent.or_else(|error| if is_wait(&error) { Ok(()) } else { Err(self.error(&error.to_string())) })?;
            if let Some(reply) = self.listen()? {
                return Ok(reply);
            }
            if start.elapsed() >= self.patience.silence {
                return Err(self.dead(self.damaged > damaged));
            }
            self.repeated += 1;
        }
    }

    /// Waits for the answer. Returns `None` if it does not come in time.
    fn listen(&mut self) -> Result<Option<Reply>> {
        let start = Instant::now();
        let mut bytes = [0; 256];
        while start.elapsed() < self.patience.answer {
            let count = match self.line.read(&mut bytes) {
                Ok(0) => {
                    return Err(
                        self.error("the line was closed: the board was unplugged, or its program ended")
                    );
                }
                Ok(count) => count,
                Err(error) if is_wait(&error) => continue,
                Err(error) => return Err(self.error(&error.to_string())),
            };
            for &byte in &bytes[..count] {
                match self.receiver.push(byte) {
                    Some(Ok((number, reply))) if number == self.number => return Ok(Some(reply)),
                    Some(Err(_)) => self.damaged += 1,
                    Some(Ok(_)) | None => {}
                }
            }
        }
        Ok(None)
    }

    /// Error for a board that does not answer; `says_something` tells whether it sent other bytes.
    fn dead(&self, says_something: bool) -> Error {
        let seconds = self.patience.silence.as_secs_f32();
        self.error(&if says_something {
            format!(
                "no valid answer within {seconds} s, only unknown bytes: check --baud, and flash the `teach` program of this \
                 version (`board flash BOARD teach`)"
            )
        } else {
            format!(
                "silent for {seconds} s: check that the board is powered and connected, that it runs `teach` (`board flash BOARD \
                 teach`), that --baud is right, and that no other program has opened the port"
            )
        })
    }

    fn error(&self, message: &str) -> Error {
        Error::Line { line: self.name.clone(), message: message.into() }
    }
}

/// Returns true if the line only has no data yet.
fn is_wait(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
