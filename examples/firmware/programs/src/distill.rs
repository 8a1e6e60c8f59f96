//! Distillation on the device: a student with random initial weights learns from the teacher in flash.

use core::iter;

use microdistill::checkpoint::record;
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

/// Number of hidden units, as in the desktop's student.
pub(crate) const HIDDEN: usize = 16;
/// Number of samples in the ring, stored as inputs and outputs of the teacher: 148 bytes each for the f32 teacher here, 19 KB
/// in total, and 37 bytes each for an int8 teacher.
const RING: usize = 128;
/// Number of draws from the ring per update. Most are old samples, so that what was learned is not forgotten.
pub(crate) const BATCH: usize = 8;
/// Number of steps: two passes over the rows, but never fewer than a student needs.
const STEPS: usize = if 2 * train::ROWS.len() > 1000 { 2 * train::ROWS.len() } else { 1000 };
/// Steps from one report to the next.
const REPORT: usize = 250;

pub(crate) const INPUTS: usize = teacher::FEATURES.len();
pub(crate) const CLASSES: usize = teacher::LABELS.len();
const _: () = assert!(CLASSES > 1, "distill needs a teacher that is a classifier");

type Student = Mlp![INPUTS, HIDDEN, CLASSES];

// All zero at the start, so they take RAM but no flash.
static DISTILLER: ConstStaticCell<Distiller<Student, Optimizer<Student>>> =
    ConstStaticCell::new(Distiller::ZERO);
static REPLAY: ConstStaticCell<Replay<teacher::Input, teacher::Output, RING>> =
    ConstStaticCell::new(Replay::new());

/// A student in training: everything that a distillation keeps from one step to the next.
pub(crate) struct Training {
    distiller: &'static mut Distiller<Student, Optimizer<Student>>,
    pub(crate) replay: &'static mut Replay<teacher::Input, teacher::Output, RING>,
    rng: Pcg32,
}

impl Training {
    /// Bytes of RAM without the stack.
    pub(crate) const BYTES: usize = size_of_val(&DISTILLER) + size_of_val(&REPLAY);

    /// A student with random weights and an empty ring. Their memory exists once: if it is taken, prints a message and returns
    /// `None`.
    pub(crate) fn take() -> Option<Self> {
        let (Some(distiller), Some(replay)) = (DISTILLER.try_take(), REPLAY.try_take()) else {
            println!("training can run only once: its memory is taken");
            return None;
        };
        let mut rng = Pcg32::new(1, 1);
        distiller.student.initialize(&mut rng);
        Some(Training { distiller, replay, rng })
    }

    /// Makes one update with samples drawn from the ring; `loss` gets the loss of each.
    pub(crate) fn learn(&mut self, mut loss: impl FnMut(f32)) {
        let draws = iter::repeat_with(|| self.replay.draw(&mut self.rng)).take(BATCH);
        for (input, output) in draws.flatten() {
            let (x, logits) = (teacher::INPUT.standardized(input), teacher::decode(output));
            loss(self.distiller.learn(&x, &SoftLabels::DEFAULT, Soft { teacher: &logits, label: None }));
        }
        self.distiller.update(&RATES);
    }
}

/// Trains a student from random weights and prints the result: correct predictions before and after, the mean loss
/// on the way, the number of teacher calls, and the bits of the weights.
///
/// ```text
/// before: 38 of 364
/// step 250: loss 0.4928311
/// after: 303 of 364
/// teacher: 1570 calls for 1570 samples, 12560 learned
/// weights 0 0: [3161315288, …]
/// weights check: 2774912345
/// ```
///
/// No label is used for learning, because a device in the field has none. Fails if the student is no better than before.
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

/// Number of labelled test rows that the student predicts correctly.
fn score<T, E: Take<T, INPUTS>>(student: &Student, edge: &E, rows: &[[T; INPUTS]]) -> Option<Accuracy> {
    let mut accuracy = Accuracy::default();
    for (row, &class) in rows.iter().zip(&test::CLASSES) {
        let input = take(edge, row, test::CODES)?;
        accuracy.add(&student.predict(&edge.standardized(&input)), class.into());
    }
    Some(accuracy)
}

/// Prints the bits of the student, a few words per line, and the check value that `import` verifies them by: the
/// [seal](record::seal) of version 0.
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
    println!("weights check: {}", record::seal(student, 0));
}
