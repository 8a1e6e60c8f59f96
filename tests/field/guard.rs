//! The guard: its guarantee holds for any training step, and its work can be interrupted anywhere.

use std::cell::Cell;

use microdistill::guard::{Guard, HeldOut, Limits, Progress, Reason, Rows, Score};
use microdistill::loss::{CrossEntropy, Soft, SoftLabels};
use microdistill::optimizer::{Adam, AdamRates, Sgd, SgdRates};
use microdistill::{Distiller, Mlp, Params};
use proptest::collection::vec;
use proptest::num::f32::ANY;
use proptest::prelude::*;
use rand_pcg::Pcg32;

use crate::common::numbers;

type Student = Mlp![2, 6, 3];
type TestGuard = Guard<Student, Sgd<Student>>;
type Row = ([f32; 2], usize);
type Step = fn(&mut Distiller<Student, Sgd<Student>>) -> f32;

const RATES: SgdRates = SgdRates { rate: 0.02, momentum: 0.9, weight_decay: 0.0 };
const LIMITS: Limits = Limits { steps: 20, trusted: 10.0, ..Limits::DEFAULT };

/// Points, each labelled with the third of the circle that it lies in.
fn rows(seed: u64, count: usize) -> Vec<Row> {
    let mut number = numbers(seed);
    std::iter::repeat_with(|| {
        let x = [number() as f32, number() as f32];
        (x, class(&x))
    })
    .take(count)
    .collect()
}

fn class(x: &[f32; 2]) -> usize {
    ((x[1].atan2(x[0]) / std::f32::consts::TAU + 0.5) * 3.0).min(2.0) as usize
}

fn of(rows: &[Row]) -> impl Rows<[f32; 2]> {
    |index: usize| rows.get(index).copied()
}

fn student(seed: u64) -> Student {
    let mut student = Student::ZERO;
    student.initialize(&mut Pcg32::new(seed, 1));
    student
}

fn bits(student: &Student) -> Vec<u32> {
    student.tensors().flat_map(|(_, tensor)| tensor).map(|number| number.to_bits()).collect()
}

/// A training step that learns the correct class of one row per call.
fn honest(rows: &[Row]) -> impl FnMut(&mut Distiller<Student, Sgd<Student>>) -> Option<f32> {
    let mut rows = rows.iter().cycle();
    move |distiller| {
        let (x, class) = rows.next()?;
        let loss = distiller.learn(x, &CrossEntropy, *class);
        distiller.update(&RATES);
        Some(loss)
    }
}

#[test]
fn a_student_gets_better_and_is_kept() {
    let (train, trusted, recent, unseen) = (rows(1, 100), rows(2, 30), rows(3, 20), rows(4, 500));
    let held_out = HeldOut { trusted: of(&trusted), recent: of(&recent) };
    let mut guard = TestGuard::ZERO;
    guard.begin(&student(1));
    let before = Score::of(guard.student(), &of(&unseen));
    let mut step = honest(&train);
    for _ in 0..20_000 {
        guard.train_for(1, &LIMITS, &held_out, &mut step);
    }
    let after = Score::of(guard.student(), &of(&unseen));
    assert!(guard.kept() > 3 && guard.rolled_back() > 0, "{} {}", guard.kept(), guard.rolled_back());
    assert!(after.likelihood() < 0.5 * before.likelihood(), "{before:?} {after:?}");
    assert!(after.errors() < before.errors() / 2, "{before:?} {after:?}");
    assert_eq!((after.rows(), before.rows()), (500, 500));
}

/// Ends one transaction.
fn transaction(
    guard: &mut TestGuard,
    limits: &Limits,
    held_out: &HeldOut<impl Rows<[f32; 2]>, impl Rows<[f32; 2]>>,
    step: impl FnMut(&mut Distiller<Student, Sgd<Student>>) -> Option<f32>,
) -> Progress {
    guard.train_for(u32::MAX, limits, held_out, step)
}

#[test]
fn a_candidate_that_diverges_is_dropped_without_a_trace() {
    let (train, trusted) = (rows(1, 100), rows(2, 30));
    let held_out = HeldOut { trusted: of(&trusted), recent: of(&[]) };
    let begin = || {
        let mut guard = TestGuard::ZERO;
        guard.begin(&student(1));
        guard
    };
    let mut fresh = begin();
    assert_eq!(transaction(&mut fresh, &LIMITS, &held_out, honest(&train)), Progress::Kept);

    let bad: [(&str, Step); 5] = [
        ("a NaN feature", |distiller| {
            let loss = distiller.learn(&[f32::NAN, 1.0], &CrossEntropy, 0);
            distiller.update(&RATES);
            loss
        }),
        ("an infinite gradient", |distiller| {
            distiller.learn(&[f32::INFINITY, 1.0], &CrossEntropy, 0);
            0.0
        }),
        ("a loss that explodes", |distiller| {
            distiller.learn(
                &[1e4, 1e4],
                &SoftLabels::DEFAULT,
                Soft { teacher: &[1e5, 0.0, 0.0], label: None },
            )
        }),
        ("a learning rate that explodes", |distiller| {
            distiller.learn(&[1.0, 1.0], &CrossEntropy, 0);
            distiller.update(&SgdRates { rate: 1e6, ..RATES });
            0.0
        }),
        ("a NaN parameter", |distiller| {
            distiller.student.layers.1.bias[1] = f32::NAN;
            0.0
        }),
    ];
    for (name, bad) in bad {
        let mut guard = begin();
        let progress = transaction(&mut guard, &LIMITS, &held_out, |distiller| Some(bad(distiller)));
        if name == "an infinite gradient" {
            assert_eq!(progress, Progress::RolledBack(Reason::NoBetter), "the gradient was applied");
        } else {
            assert_eq!(progress, Progress::RolledBack(Reason::Diverged), "{name}");
        }
        assert_eq!(bits(guard.student()), bits(&student(1)), "{name}");
        assert_eq!((guard.kept(), guard.rolled_back()), (0, 1));
        // Gradient, velocity and batch are reset.
        assert_eq!(transaction(&mut guard, &LIMITS, &held_out, honest(&train)), Progress::Kept, "{name}");
        assert_eq!(bits(guard.student()), bits(fresh.student()), "{name}");
    }
}

#[test]
fn a_candidate_that_is_worse_on_trusted_rows_is_dropped() {
    // The recent rows have wrong labels and outnumber the trusted rows.
    let (trusted, recent): (Vec<Row>, Vec<Row>) =
        (rows(2, 20), rows(3, 60).iter().map(|(x, class)| (*x, (class + 1) % 3)).collect());
    let mut learned = Distiller::<Student, Sgd<Student>>::ZERO;
    learned.student = student(1);
    let train = rows(1, 300);
    let mut step = honest(&train);
    (0..3000).for_each(|_| _ = step(&mut learned));
    let errors = Score::of(&learned.student, &of(&trusted)).errors();
    assert!(errors < 4, "{errors}");

    let run = |trusted: &[Row], limits: &Limits, rate: f32| {
        let mut guard = TestGuard::ZERO;
        guard.begin(&learned.student);
        let held_out = HeldOut { trusted: of(trusted), recent: of(&recent) };
        transaction(&mut guard, limits, &held_out, |distiller| {
            recent.iter().for_each(|(x, lie)| _ = distiller.learn(x, &CrossEntropy, *lie));
            distiller.update(&SgdRates { rate, ..RATES });
            Some(0.0)
        })
    };
    assert_eq!(run(&trusted, &LIMITS, 0.02), Progress::RolledBack(Reason::Trusted), "judged by errors");
    assert_eq!(run(&[], &LIMITS, 0.02), Progress::Kept, "no trusted rows contradict the wrong labels");
    // A small step towards the wrong labels adds no errors.
    assert_eq!(run(&trusted, &LIMITS, 1e-5), Progress::Kept);
    let lenient = Limits { errors: trusted.len() as u32, ..LIMITS };
    assert_eq!(run(&trusted, &lenient, 0.02), Progress::Kept, "the limit allows these errors");
    let strict = Limits { trusted: 0.0, ..LIMITS };
    assert_eq!(run(&trusted, &strict, 1e-5), Progress::RolledBack(Reason::Trusted), "judged by likelihood");
}

#[test]
fn a_candidate_survives_as_many_failed_evaluations_as_patience_allows() {
    let recent = rows(2, 30);
    let held_out = HeldOut { trusted: of(&[]), recent: of(&recent) };
    let run = |patience: u32| {
        let limits = Limits { steps: 1, patience, ..LIMITS };
        let mut guard = TestGuard::ZERO;
        guard.begin(&student(1));
        let (mut steps, mut train) = (0, vec![]);
        let progress = transaction(&mut guard, &limits, &held_out, |distiller| {
            steps += 1;
            // Three steps change nothing; the fourth learns.
            if steps == 4 {
                train = rows(1, 300);
            }
            let mut learn = honest(&train);
            (0..train.len()).for_each(|_| _ = learn(distiller));
            Some(0.0)
        });
        (progress, steps)
    };
    assert_eq!(run(0), (Progress::RolledBack(Reason::NoBetter), 1));
    assert_eq!(run(2), (Progress::RolledBack(Reason::NoBetter), 3));
    assert_eq!(run(3), (Progress::Kept, 4));
}

#[test]
fn without_held_out_rows_nothing_is_kept() {
    let train = rows(1, 100);
    let held_out = HeldOut { trusted: of(&[]), recent: of(&[]) };
    let mut guard = TestGuard::ZERO;
    guard.begin(&student(1));
    for _ in 0..10 {
        let progress = transaction(&mut guard, &LIMITS, &held_out, honest(&train));
        assert_eq!(progress, Progress::RolledBack(Reason::NoBetter));
    }
}

#[test]
fn held_out_rows_that_are_not_finite_are_ignored() {
    let train = rows(1, 100);
    let mut trusted = rows(2, 30);
    let score = Score::of(&student(1), &of(&trusted));
    for (index, bad) in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY].into_iter().enumerate() {
        trusted.insert(10 * index, ([bad, 1.0], 0));
    }
    assert_eq!(Score::of(&student(1), &of(&trusted)), score);
    let held_out = HeldOut { trusted: of(&trusted), recent: of(&[]) };
    let mut guard = TestGuard::ZERO;
    guard.begin(&student(1));
    assert_eq!(transaction(&mut guard, &LIMITS, &held_out, honest(&train)), Progress::Kept);
}

#[test]
fn the_guard_is_idle_when_there_is_nothing_to_learn_from() {
    let trusted = rows(2, 3);
    let held_out = HeldOut { trusted: of(&trusted), recent: of(&[]) };
    let mut guard = TestGuard::ZERO;
    guard.begin(&student(1));
    let asked = Cell::new(0);
    let progress = guard.train_for(100, &LIMITS, &held_out, |_| {
        asked.set(asked.get() + 1);
        None
    });
    assert_eq!((progress, asked.get()), (Progress::Idle, 1));
}

#[test]
fn work_is_bounded_and_can_be_interrupted_anywhere() {
    let (train, trusted, recent) = (rows(1, 100), rows(2, 7), rows(3, 4));
    let run = |units: u32, calls: u32| {
        let held_out = HeldOut { trusted: of(&trusted), recent: of(&recent) };
        let mut guard = Guard::<Student, Adam<Student>>::ZERO;
        guard.begin(&student(1));
        let mut train = train.iter().cycle();
        let (mut ends, mut done) = (Vec::new(), 0);
        for _ in 0..calls {
            let steps = Cell::new(0);
            let progress = guard.train_for(units, &LIMITS, &held_out, |distiller| {
                steps.set(steps.get() + 1);
                let (x, class) = train.next()?;
                let loss = distiller.learn(x, &CrossEntropy, *class);
                distiller.update(&AdamRates { rate: 0.02, ..AdamRates::DEFAULT });
                Some(loss)
            });
            assert!(steps.get() <= units);
            done += steps.get();
            if !progress.is_under_way() {
                ends.push((done, progress));
            }
            if ends.len() == 20 {
                break;
            }
        }
        (ends, bits(guard.student()))
    };
    let whole = run(u32::MAX, 20);
    assert_eq!(whole.0.len(), 20);
    assert!(whole.0.iter().any(|(_, progress)| *progress == Progress::Kept));
    for units in [1, 2, 3, 7, 11] {
        assert_eq!(run(units, u32::MAX), whole, "{units} units at a time");
    }
    assert_eq!(run(0, 5).0, []);
}

proptest! {
    // The guarantee, for steps that set any parameters of the candidate and return any loss.
    #[test]
    fn the_student_in_use_never_gets_worse(
        steps in vec((vec((0usize..39, prop_oneof![ANY, -3f32..3.0, -0.1f32..0.1]), 0..6), prop_oneof![Just(0.5f32), ANY]), 1..150),
        (allowed, errors, patience) in (0f32..2.0, 0u32..12, 0u32..4),
        seed in 0u64..1000,
    ) {
        let (trusted, recent) = (rows(seed, 12), rows(seed + 1000, 9));
        let held_out = HeldOut { trusted: of(&trusted), recent: of(&recent) };
        let all: Vec<Row> = [trusted.clone(), recent.clone()].concat();
        let limits = Limits { steps: 3, trusted: allowed, errors, patience, ..Limits::DEFAULT };
        let mut guard = TestGuard::ZERO;
        guard.begin(&student(seed));
        let mut last = *guard.student();
        for (changes, loss) in &steps {
            let progress = loop {
                let progress = guard.train_for(1, &limits, &held_out, |distiller| {
                    for (index, value) in changes {
                        let mut numbers = distiller.student.tensors_mut().flat_map(|(_, tensor)| tensor);
                        *numbers.nth(*index).unwrap() += value;
                    }
                    Some(*loss)
                });
                if progress != Progress::Validating {
                    break progress;
                }
            };
            let student = guard.student();
            if progress == Progress::Kept {
                let (old, new) = (Score::of(&last, &of(&trusted)), Score::of(student, &of(&trusted)));
                prop_assert!(new.errors() <= old.errors().max(errors));
                prop_assert!(new.likelihood() <= old.likelihood().max(allowed));
                prop_assert!(
                    Score::of(student, &of(&all)).likelihood() < Score::of(&last, &of(&all)).likelihood()
                );
                prop_assert!(student.tensors().flat_map(|(_, tensor)| tensor).all(|number| number.is_finite()));
                last = *student;
            } else {
                prop_assert_eq!(bits(student), bits(&last), "the student changed although no candidate was kept");
            }
        }
    }
}

#[test]
fn a_guard_needs_the_memory_of_training_and_of_one_more_student() {
    let training = size_of::<Distiller<Student, Sgd<Student>>>();
    assert!(size_of::<TestGuard>() <= training + size_of::<Student>() + 128);
}
