//! Distillation on the device: a student learns, from nothing, what the teacher in flash says.

use core::iter;

use microdistill::loss::{Soft, SoftLabels};
use microdistill::metric::Accuracy;
use microdistill::{Distiller, Mlp, Params, Replay};
use rand_pcg::Pcg32;
use static_cell::ConstStaticCell;

use crate::Outcome;
use crate::arrivals::arrivals;
use crate::data::{fitting, teacher, test, train};
use crate::edge::{Edge as _, Take, take};
use crate::optimizer::{Optimizer, RATES};
use crate::output::println;

/// Units in the hidden layer: as many as the desktop's student has.
pub(crate) const HIDDEN: usize = 16;
/// Samples that the ring remembers, as the teacher takes and gives them: 148 bytes each for an f32 teacher here, 19 KB
/// in all, and 37 bytes for an int8 one.
const RING: usize = 128;
/// Draws from the ring for one update, most of them old samples, so that what was learned is not forgotten.
pub(crate) const BATCH: usize = 8;
/// Twice through the rows, and never fewer than a student needs.
const STEPS: usize = if 2 * train::ROWS.len() > 1000 { 2 * train::ROWS.len() } else { 1000 };
/// Steps from one report to the next.
const REPORT: usize = 250;

pub(crate) const INPUTS: usize = teacher::FEATURES.len();
pub(crate) const CLASSES: usize = teacher::LABELS.len();
const _: () = assert!(CLASSES > 1, "distill learns from a teacher that tells classes apart");

type Student = Mlp![INPUTS, HIDDEN, CLASSES];

// All zero at the start: they take RAM, and no flash.
static DISTILLER: ConstStaticCell<Distiller<Student, Optimizer<Student>>> =
    ConstStaticCell::new(Distiller::ZERO);
static REPLAY: ConstStaticCell<Replay<teacher::Input, teacher::Output, RING>> =
    ConstStaticCell::new(Replay::new());

/// A student in training: all that a distillation keeps from one step to the next.
pub(crate) struct Training {
    distiller: &'static mut Distiller<Student, Optimizer<Student>>,
    pub(crate) replay: &'static mut Replay<teacher::Input, teacher::Output, RING>,
    rng: Pcg32,
}

impl Training {
    /// Bytes of RAM, the stack aside.
    pub(crate) const BYTES: usize = size_of_val(&DISTILLER) + size_of_val(&REPLAY);

    /// A student of random weights and an empty ring. Their memory is there once: `None`, and says so, if it is taken.
    pub(crate) fn take() -> Option<Self> {
        let (Some(distiller), Some(replay)) = (DISTILLER.try_take(), REPLAY.try_take()) else {
            println!("training runs once, its memory is taken");
            return None;
        };
        let mut rng = Pcg32::new(1, 1);
        distiller.student.initialize(&mut rng);
        Some(Training { distiller, replay, rng })
    }

    /// One update by samples drawn from the ring; `loss` gets the loss of each.
    pub(crate) fn learn(&mut self, mut loss: impl FnMut(f32)) {
        let draws = iter::repeat_with(|| self.replay.draw(&mut self.rng)).take(BATCH);
        for (input, output) in draws.flatten() {
            let (x, logits) = (teacher::INPUT.standardized(input), teacher::decode(output));
            loss(self.distiller.learn(&x, &SoftLabels::DEFAULT, Soft { teacher: &logits, label: None }));
        }
        self.distiller.update(&RATES);
    }
}

/// Trains a student from random weights and prints what became of it: right answers before and after, the mean loss
/// on the way, how often the teacher was asked, and the bits of the weights.
///
/// ```text
/// before: 38 of 364
/// step 250: loss 0.4928311
/// after: 303 of 364
/// teacher: 1570 calls for 1570 samples, 12560 learned
/// weights 0 0: [3161315288, …]
/// ```
///
/// No label is used for learning: a device in the field has none. Fails if the student is no better than before.
pub fn distill() -> Outcome {
    let (Some(train), Some(test)) = (fitting(&train::ROWS), fitting(&test::ROWS)) else {
        return Outcome::Failed;
    };
    let Some(mut training) = Training::take() else { return Outcome::Failed };
    let Some(before) = score(&training.distiller.student, &teacher::INPUT, test) else {
        return Outcome::Failed;
    };
    println!("before: {} of {}", before.correct, before.total);

    let (mut samples, mut calls, mut learned, mut loss) = (0, 0, 0, 0.0);
    for row in arrivals(train).take(STEPS) {
        samples += 1;
        let Some(input) = take(&teacher::INPUT, row, train::CODES) else { return Outcome::Failed };
        let output = teacher::run(&input);
        calls += 1;
        training.replay.push(input, output);
        training.learn(|sample| {
            loss += sample;
            learned += 1;
        });
        if samples % REPORT == 0 {
            println!("step {}: loss {:?}", samples, loss / (REPORT * BATCH) as f32);
            loss = 0.0;
        }
    }

    let Some(after) = score(&training.distiller.student, &teacher::INPUT, test) else {
        return Outcome::Failed;
    };
    println!("after: {} of {}", after.correct, after.total);
    println!("teacher: {} calls for {} samples, {} learned", calls, samples, learned);
    print_weights(&training.distiller.student);
    if after.correct > before.correct || after.total == 0 { Outcome::Passed } else { Outcome::Failed }
}

/// Number of labelled test rows that the student gets right.
fn score<T, E: Take<T, INPUTS>>(student: &Student, edge: &E, rows: &[[T; INPUTS]]) -> Option<Accuracy> {
    let mut accuracy = Accuracy::default();
    for (row, &class) in rows.iter().zip(&test::CLASSES) {
        let input = take(edge, row, test::CODES)?;
        accuracy.add(&student.predict(&edge.standardized(&input)), class.into());
    }
    Some(accuracy)
}

/// The student as bits, a few words a line.
pub(crate) fn print_weights(student: &impl Params<Scalar = f32>) {
    const WORDS: usize = 8;
    for (tensor, (_, values)) in student.tensors().enumerate() {
        for (line, values) in values.chunks(WORDS).enumerate() {
            let mut bits = [0; WORDS];
            for (bits, value) in bits.iter_mut().zip(values) {
                *bits = value.to_bits();
            }
            let bits = bits.get(..values.len()).unwrap_or_default();
            println!("weights {} {}: {:?}", tensor, line * WORDS, bits);
        }
    }
}
