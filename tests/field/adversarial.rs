//! Streams that would ruin a student: what the guard saves, on rows that it never saw.

use microdistill::guard::{Guard, HeldOut, Limits, Score};
use microdistill::loss::{Soft, SoftLabels};
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::replay::Reservoir;
use microdistill::{Distiller, Prepare, Replay, argmax};
use rand_core::Rng;
use rand_pcg::Pcg32;

use crate::watch::student::{self as shipped, INPUT, STUDENT, Student};
use crate::watch::{teacher, test, train};

/// What arrives, and what is said of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stream {
    /// A feature of every tenth sample is NaN.
    Nan,
    /// One sample over and over.
    Constant,
    /// A random class, for sure.
    WrongLabels,
    /// Every other answer has two pairs of classes swapped.
    Flips,
    /// Features a million times too large, as often as not.
    Saturating,
    /// The teacher always says the next class.
    LyingTeacher,
    /// Nothing is wrong: rows of the people who trained the student.
    Honest,
}

const STREAMS: [Stream; 7] = [
    Stream::Nan,
    Stream::Constant,
    Stream::WrongLabels,
    Stream::Flips,
    Stream::Saturating,
    Stream::LyingTeacher,
    Stream::Honest,
];
/// Labelled rows in flash.
const TRUSTED: usize = 64;
/// Samples of a stream, with a step of 8 after each.
const SAMPLES: usize = 400;
const BATCH: usize = 8;

type Input = shipped::Input;
type Output = shipped::Output;

/// A row of the people who trained the student, spread over the file, which is sorted.
fn row(index: usize) -> (Input, usize) {
    let index = 211 * index % train::ROWS.len();
    (INPUT.apply(&train::ROWS[index]), train::CLASSES[index].into())
}

fn below(count: usize, rng: &mut Pcg32) -> usize {
    rng.next_u32() as usize % count
}

impl Stream {
    fn sample(self, rng: &mut Pcg32) -> (Input, Output) {
        let index = if self == Stream::Constant { TRUSTED } else { below(train::ROWS.len(), rng) };
        let mut x = INPUT.apply(&train::ROWS[index]);
        let mut answer = teacher::predict(&train::ROWS[index]);
        match self {
            Stream::Nan if below(10, rng) == 0 => x[below(30, rng)] = f32::NAN,
            Stream::WrongLabels => {
                answer = [-3.0; 7];
                answer[below(7, rng)] = 6.0;
            }
            Stream::Flips if below(2, rng) == 0 => {
                answer.swap(0, 3);
                answer.swap(1, 4);
            }
            Stream::Saturating if below(2, rng) == 0 => x = x.map(|x| 1e6 * x),
            Stream::LyingTeacher => answer.rotate_right(1),
            _ => {}
        }
        (x, answer)
    }

    /// The student after a stream, with the guard and without.
    fn run(self, seed: u64) -> [Student; 2] {
        let mut rng = Pcg32::new(seed, self as u64);
        // From stealthy to rough: rates of 10⁻³ to 10⁻¹, transactions of 1 to 40 steps.
        let rate = 1e-3 * 100f32.powf(below(1000, &mut rng) as f32 / 1000.0);
        let rates = SgdRates { rate, momentum: 0.9, weight_decay: 1e-4 };
        let trusted = |index| (index < TRUSTED).then(|| row(index));
        let likelihood = Score::of(&STUDENT, &trusted).likelihood();
        let limits =
            Limits { steps: 1 + below(40, &mut rng) as u32, trusted: likelihood + 0.05, ..Limits::DEFAULT };

        let mut guard = Guard::<Student, Sgd<Student>>::ZERO;
        guard.begin(&STUDENT);
        let mut alone = Distiller::<Student, Sgd<Student>>::ZERO;
        alone.student = STUDENT;
        let mut replay = Replay::<Input, Output, 64, Reservoir>::reservoir();
        let mut ring = Replay::<Input, usize, 32>::new();
        for sample in 0..SAMPLES {
            let (x, answer) = self.sample(&mut rng);
            // A quarter is held out; the liar labels that, too.
            if sample % 4 == 3 {
                ring.push(x, argmax(&answer));
            } else {
                replay.push(x, answer, &mut rng);
            }
            let mut step = |distiller: &mut Distiller<Student, Sgd<Student>>| {
                let mut loss = 0.0;
                for _ in 0..BATCH {
                    let (x, answer) = replay.draw(&mut rng)?;
                    let soft = Soft { teacher: answer, label: None };
                    loss += distiller.learn(x, &SoftLabels::DEFAULT, soft) / BATCH as f32;
                }
                distiller.update(&rates);
                Some(loss)
            };
            step(&mut alone);
            let held_out =
                HeldOut { trusted, recent: |index| ring.get(index).map(|(x, class)| (*x, *class)) };
            // As many steps as without: judging comes on top.
            let mut left = 1;
            while left > 0 {
                guard.train_for(1, &limits, &held_out, |distiller| {
                    left -= 1;
                    step(distiller)
                });
            }
        }
        let (before, after) = (Score::of(&STUDENT, &trusted), Score::of(guard.student(), &trusted));
        assert!(after.errors() <= before.errors(), "{self:?} {seed}: more errors on trusted rows");
        assert!(after.likelihood() <= limits.trusted, "{self:?} {seed}: likelihood of trusted rows");
        [*guard.student(), alone.student]
    }
}

/// Right answers in % on the rows of people whom neither student nor guard ever saw.
fn accuracy(student: &Student) -> f32 {
    let rows = |index| Some((INPUT.apply(test::ROWS.get(index)?), usize::from(test::CLASSES[index])));
    let score = Score::of(student, &rows);
    100.0 * (1.0 - score.errors() as f32 / score.rows() as f32)
}

/// Mean and worst accuracy.
fn summary(accuracies: &[f32]) -> (f32, f32) {
    let mean = accuracies.iter().sum::<f32>() / accuracies.len() as f32;
    (mean, accuracies.iter().copied().fold(f32::INFINITY, f32::min))
}

/// Runs `count` streams of each kind and prints what became of the students. Returns the worst fall with the guard and
/// without it, in percentage points.
fn survey(count: u64) -> (f32, f32) {
    let shipped = accuracy(&STUDENT);
    println!("shipped: {shipped:.1} %; after {count} streams of each kind, mean (worst) in %:");
    let mut worst = [f32::INFINITY; 2];
    for stream in STREAMS {
        let students: Vec<_> = (0..count).map(|seed| stream.run(seed)).collect();
        let [guarded, alone] =
            [0, 1].map(|which| summary(&students.iter().map(|s| accuracy(&s[which])).collect::<Vec<_>>()));
        println!(
            "{:>14}  with guard {:5.1} ({:5.1})  without {:5.1} ({:5.1})",
            format!("{stream:?}"),
            guarded.0,
            guarded.1,
            alone.0,
            alone.1
        );
        worst = [worst[0].min(guarded.1), worst[1].min(alone.1)];
    }
    let falls = worst.map(|worst| shipped - worst);
    println!("worst fall: {:.1} with guard, {:.1} without", falls[0], falls[1]);
    (falls[0], falls[1])
}

#[test]
fn streams_that_ruin_a_student_do_not_get_past_the_guard() {
    let (guarded, alone) = survey(4);
    assert!(alone > 50.0, "the streams are harmless: {alone}");
    assert!(guarded < 10.0, "{guarded}");
}

#[test]
#[ignore = "ten thousand streams take minutes: cargo test --release --test field -- --ignored --nocapture"]
fn ten_thousand_streams() {
    let (guarded, alone) = survey(10_000_u64.div_ceil(STREAMS.len() as u64));
    assert!(alone > 50.0 && guarded < alone);
}
