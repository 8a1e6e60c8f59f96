//! Adversarial streams: the guard keeps the student's accuracy on rows that it never saw.

use microdistill::Prepare;
use microdistill::guard::Score;

use crate::streams::{STREAMS, Victim};
use crate::watch::student::{INPUT, STUDENT, Student};
use crate::watch::{teacher, test, train};

/// Number of trusted rows: labelled rows in flash.
const TRUSTED: usize = 64;

/// The smartwatch student, with rows of the people in its training set.
fn victim() -> Victim<Student, 30, 7> {
    // The file is sorted, so the trusted rows are spread over it.
    let row = |index: usize| 211 * index % train::ROWS.len();
    let trusted = |index| (INPUT.apply(&train::ROWS[row(index)]), train::CLASSES[row(index)].into());
    Victim {
        student: STUDENT,
        trusted: (0..TRUSTED).map(trusted).collect(),
        rows: train::ROWS.iter().map(|raw| (INPUT.apply(raw), teacher::predict(raw))).collect(),
        allowance: None,
        patience: 0,
    }
}

/// Accuracy in % on rows of people whom neither the student nor the guard ever saw.
fn accuracy(student: &Student) -> f32 {
    let rows = |index| Some((INPUT.apply(test::ROWS.get(index)?), usize::from(test::CLASSES[index])));
    let score = Score::of(student, &rows);
    100.0 * (1.0 - score.errors() as f32 / score.rows() as f32)
}

/// Mean and lowest accuracy.
fn summary(accuracies: &[f32]) -> (f32, f32) {
    let mean = accuracies.iter().sum::<f32>() / accuracies.len() as f32;
    (mean, accuracies.iter().copied().fold(f32::INFINITY, f32::min))
}

/// Runs `count` streams of each kind and prints the students' accuracy. Returns the largest loss of accuracy with and
/// without the guard, in percentage points.
fn survey(count: u64) -> (f32, f32) {
    let shipped = accuracy(&STUDENT);
    println!("shipped: {shipped:.1} %; after {count} streams of each kind, mean (worst) in %:");
    let mut worst = [f32::INFINITY; 2];
    let victim = victim();
    for stream in STREAMS {
        let students: Vec<_> = (0..count).map(|seed| stream.run(&victim, seed)).collect();
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
    println!("largest loss: {:.1} with guard, {:.1} without", falls[0], falls[1]);
    (falls[0], falls[1])
}

#[test]
fn the_guard_protects_the_student_from_adversarial_streams() {
    let (guarded, alone) = survey(4);
    assert!(alone > 50.0, "the streams are harmless: {alone}");
    assert!(guarded < 10.0, "{guarded}");
}

#[test]
#[ignore = "takes minutes; run with: cargo test --release --test field -- --ignored --nocapture"]
fn ten_thousand_streams() {
    let (guarded, alone) = survey(10_000_u64.div_ceil(STREAMS.len() as u64));
    assert!(alone > 50.0 && guarded < alone);
}
