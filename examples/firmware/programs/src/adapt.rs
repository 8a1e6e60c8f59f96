//! Adaptation in the field: a student that was trained for some people meets others, and a sensor of another gain.
//!
//! The story is the example's, whatever files the other programs hold, and the same on every board.

use microdistill::drift::{Drift, DriftLimits, PageHinkleyLimits, disagreement};
use microdistill::guard::{Guard, HeldOut, Limits, Score};
use microdistill::loss::{CrossEntropy, Soft, SoftLabels};
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::quant::Dequantize;
use microdistill::replay::{Answer, Reservoir};
use microdistill::teacher::{Quantized, Unsure};
use microdistill::{Distiller, Replay, argmax};
use rand_core::Rng as _;
use rand_pcg::Pcg32;
use static_cell::ConstStaticCell;

use crate::Outcome;
use crate::arrivals::place;
use crate::distill::print_weights;
use crate::output::println;

#[path = "../../../models/watch_small/student.rs"]
mod student;
#[path = "../../../models/watch_small/teacher_int8.rs"]
mod teacher;
#[path = "../../../models/watch_small/test_int8.rs"]
mod test;
#[path = "../../../models/watch_small/train_int8.rs"]
mod train;

use student::{Input, STUDENT, Student};

/// Labelled rows of the training people: so many are trusted, the others are rehearsed.
const TRUSTED: usize = 64;
/// Windows of the test people that arrive; as many again, the other half, are what the student is judged by.
const WINDOWS: usize = test::ROWS.len() / 2;
/// Twice through the windows all is as it was, then six times the gain is another.
const QUIET: usize = 2 * WINDOWS;
const SAMPLES: usize = 8 * WINDOWS;
const GAIN: f32 = 2.0;

/// Samples that the device remembers, 39 bytes each, and those it holds out, 31 bytes.
const REPLAY: usize = 48;
const RECENT: usize = 24;
/// Of a step, those that are rehearsed: labelled rows of the people it was trained for.
const BATCH: usize = 8;
const REHEARSED: usize = 2;
/// Units of work that the main loop spares a sample.
const UNITS: u32 = 8;

const RATES: SgdRates = SgdRates { rate: 0.01, momentum: 0.9, weight_decay: 1e-4 };
const DRIFT: DriftLimits =
    DriftLimits { start: PageHinkleyLimits { tolerance: 0.02, threshold: 1.5 }, block: 64, patience: 4 };

/// What the codes of rows and of the teacher's input stand for: standardized features.
const EDGE: Dequantize = Dequantize { scale: teacher::INPUT.scale, zero: teacher::INPUT.zero };
/// The same of remembered samples, which may be twice as large: ±16.
const SAMPLE: Dequantize = Dequantize { scale: 0.125, zero: 0 };

const INPUTS: usize = student::FEATURES.len();
const CLASSES: usize = student::LABELS.len();

type Codes = [i8; INPUTS];
type Trainer = Distiller<Student, Sgd<Student>>;
type Samples = Replay<Codes, Answer<CLASSES>, REPLAY, Reservoir>;

static TEACHER: Quantized<'static, teacher::Teacher, INPUTS> =
    Quantized { input: &teacher::INPUT, network: &teacher::TEACHER, output: &teacher::OUTPUT };

// All zero at the start: they take RAM, and no flash.
static GUARD: ConstStaticCell<Guard<Student, Sgd<Student>>> = ConstStaticCell::new(Guard::ZERO);
static MEMORY: ConstStaticCell<Memory> =
    ConstStaticCell::new(Memory { replay: Replay::reservoir(), recent: Replay::new() });

struct Memory {
    replay: Samples,
    /// Held out, with the teacher's class.
    recent: Replay<Codes, u8, RECENT>,
}

/// Lives through the story and prints it: right answers and mean negative log-likelihood on windows of the new people
/// that never arrive, when learning starts and stops, what became of the candidates, and the bits of the weights.
///
/// ```text
/// as trained: 155 of 182, nll 0.3326434
/// with gain 2: 149 of 182, nll 0.6028234
/// sample 404: learning starts
/// adapted: 157 of 182, nll 0.3709315
/// trusted rows as trained: 64 of 64, nll 0.037179105
/// trusted rows, adapted: 64 of 64, nll 0.030987274
/// candidates: 14 kept, 18 dropped, after 10 steps each
/// teacher: 594 calls for 1456 samples
/// RAM: 12676 bytes
/// weights 0 0: [3161315288, …]
/// ```
///
/// No label of the new people is used for learning. Fails if the student is no better for the new gain, or has more errors
/// on trusted rows.
pub fn adapt() -> Outcome {
    let (Some(guard), Some(memory)) = (GUARD.try_take(), MEMORY.try_take()) else {
        println!("adaptation runs once, its memory is taken");
        return Outcome::Failed;
    };
    let unseen = |gain| move |index| if index < WINDOWS { window(2 * index + 1, gain) } else { None };
    let trusted = |index| if index < TRUSTED { trained(index) } else { None };
    let before = Score::of(&STUDENT, &unseen(GAIN));
    let trusted_before = Score::of(&STUDENT, &trusted);
    print("as trained", &Score::of(&STUDENT, &unseen(1.0)));
    print("with gain 2", &before);

    // What the student may give up, in nats, for whom it was trained.
    let limits = Limits { steps: 10, trusted: trusted_before.likelihood() + 0.05, ..Limits::DEFAULT };
    let mut rng = Pcg32::new(1, 1);
    let (mut drift, mut queries) = (Drift::ZERO, Unsure::new(0.9, 4));
    guard.begin(&STUDENT);
    for sample in 0..SAMPLES {
        let number = sample % WINDOWS;
        let Some((x, _)) = window(2 * number, if sample < QUIET { 1.0 } else { GAIN }) else { continue };
        let answer = guard.student().predict(&x);
        let codes = EDGE.encode(&x);
        let Some(logits) = queries.ask(&TEACHER, &codes, &answer) else { continue };

        let was = drift.is_learning();
        let learning = drift.add(disagreement(&answer, &logits), &DRIFT);
        match (was, learning) {
            (false, true) => println!("sample {}: learning starts", sample),
            (true, false) => println!("sample {}: learning stops", sample),
            _ => {}
        }
        if !learning {
            continue;
        }
        // A window is learned from or held out, whenever it comes.
        if number % 4 == 3 {
            memory.recent.push(SAMPLE.encode(&x), argmax(&logits) as u8);
        } else {
            let answer = Answer { logits: teacher::OUTPUT.encode(&logits), label: None };
            memory.replay.push(SAMPLE.encode(&x), answer, &mut rng);
        }
        let recent = |index| memory.recent.get(index).map(|(x, class)| (SAMPLE.apply(x), (*class).into()));
        guard.train_for(UNITS, &limits, &HeldOut { trusted, recent }, |trainer| {
            step(trainer, &memory.replay, &mut rng)
        });
    }

    let after = Score::of(guard.student(), &unseen(GAIN));
    let trusted_after = Score::of(guard.student(), &trusted);
    print("adapted", &after);
    print("trusted rows as trained", &trusted_before);
    print("trusted rows, adapted", &trusted_after);
    println!(
        "candidates: {} kept, {} dropped, after {} steps each",
        guard.kept(),
        guard.rolled_back(),
        limits.steps
    );
    println!("teacher: {} calls for {} samples", queries.asked(), SAMPLES);
    println!("RAM: {} bytes", size_of_val(&GUARD) + size_of_val(&MEMORY));
    print_weights(guard.student());
    let better = after.likelihood() < before.likelihood() && after.errors() <= before.errors();
    if better && trusted_after.errors() <= trusted_before.errors() {
        Outcome::Passed
    } else {
        Outcome::Failed
    }
}

/// A step of the candidate: some that it remembers, some that it was trained for. `None` while it remembers nothing.
fn step(trainer: &mut Trainer, replay: &Samples, rng: &mut Pcg32) -> Option<f32> {
    let mut loss = 0.0;
    for _ in 0..BATCH - REHEARSED {
        let (x, answer) = replay.draw(rng)?;
        let soft = Soft { teacher: &teacher::OUTPUT.apply(&answer.logits), label: None };
        loss += trainer.learn(&SAMPLE.apply(x), &SoftLabels::DEFAULT, soft);
    }
    for _ in 0..REHEARSED {
        let row = TRUSTED + rng.next_u32() as usize % (train::ROWS.len() - TRUSTED);
        let (x, class) = trained(row)?;
        loss += trainer.learn(&x, &CrossEntropy, class);
    }
    trainer.update(&RATES);
    Some(loss / BATCH as f32)
}

/// A window of the new people by a sensor of another gain, and its class.
fn window(number: usize, gain: f32) -> Option<(Input, usize)> {
    let (mut x, class) = row(&test::ROWS, &test::CLASSES, number)?;
    // Rows are standardized, (raw − mean)·scale; it is the raw feature that has the gain.
    let scaler = &student::INPUT;
    for ((x, mean), scale) in x.iter_mut().zip(&scaler.mean).zip(&scaler.scale) {
        *x = gain * *x + (gain - 1.0) * (mean * scale);
    }
    Some((x, class))
}

/// A window of the people whom the student was trained for, and its class.
fn trained(number: usize) -> Option<(Input, usize)> {
    row(&train::ROWS, &train::CLASSES, number)
}

/// The row that arrives as this number.
fn row(rows: &[Codes], classes: &[u16], number: usize) -> Option<(Input, usize)> {
    let place = place(number, rows.len());
    Some((EDGE.apply(rows.get(place)?), (*classes.get(place)?).into()))
}

fn print(name: &str, score: &Score) {
    let right = score.rows() - score.errors();
    println!("{}: {} of {}, nll {:?}", name, right, score.rows(), score.likelihood());
}
