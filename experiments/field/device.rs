//! A device in the field, built from the core's types as in a firmware.

use microdistill::drift::{Drift, disagreement};
use microdistill::guard::{Guard, HeldOut, Limits, Score};
use microdistill::loss::{CrossEntropy, Soft};
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::quant::Dequantize;
use microdistill::replay::{Answer, Reservoir};
use microdistill::teacher::Unsure;
use microdistill::{Distiller, Params, Replay, Train, argmax};
use rand_core::Rng as _;
use rand_pcg::Pcg32;

use crate::arms::{Arm, Lesson};

/// Number of samples that are remembered, and that are held out.
const REPLAY: usize = 64;
const RECENT: usize = 24;
/// One in this many arriving samples is held out.
const HELD_OUT: usize = 4;
/// Number of steps per sample that arrives, and of samples per step.
const STEPS: u32 = 10;
const BATCH: usize = 8;
/// Number of samples without a query after which the teacher is asked in any case.
const AUDIT: u32 = 8;
/// Weight of the desktop's samples in drift detection, in samples.
const EXPECTED: u32 = 50;
/// Real values of the codes of remembered samples, which may be far from the desktop's: within ±16 standard
/// deviations.
const SAMPLE: Dequantize = Dequantize { scale: 0.125, zero: 0 };

/// A network that can be trained, from standardized features to logits.
pub(crate) trait Student<const I: usize, const C: usize>:
    Train<Scalar = f32, Input = [f32; I], Output = [f32; C]> + Copy + Send + Sync
{
}

impl<S, const I: usize, const C: usize> Student<I, C> for S where
    S: Train<Scalar = f32, Input = [f32; I], Output = [f32; C]> + Copy + Send + Sync
{
}

/// A row in flash and its class.
pub(crate) type Row<const I: usize> = ([i8; I], usize);

/// Contents of a shipped device.
pub(crate) struct Shipped<S, const I: usize, const C: usize> {
    pub(crate) student: S,
    /// Real values of the codes of rows.
    pub(crate) edge: Dequantize,
    /// Real values of the codes of the teacher's logits.
    pub(crate) logits: Dequantize,
    /// Rows that only the guard uses.
    pub(crate) trusted: Vec<Row<I>>,
    /// Rows that the student was trained on.
    pub(crate) rehearsed: Vec<Row<I>>,
    /// Mean disagreement of student and teacher on the trusted rows.
    pub(crate) disagreement: f32,
}

/// A sample that arrives.
#[derive(Clone, Copy)]
pub(crate) struct Sample<const I: usize, const C: usize> {
    /// Standardized features.
    pub(crate) x: [f32; I],
    /// The teacher's logits.
    pub(crate) teacher: [f32; C],
    pub(crate) class: usize,
}

/// Memory for learning: past samples, or only the latest one.
struct Memory<const I: usize, const C: usize> {
    replay: Replay<[i8; I], Answer<C>, REPLAY, Reservoir>,
    latest: Replay<[i8; I], Answer<C>, 1>,
}

/// Result of a device's life.
pub(crate) struct Life<S> {
    /// The student in use at the end.
    pub(crate) student: S,
    /// Number of samples that the teacher was asked about.
    pub(crate) asked: u32,
    /// Number of samples at which it was time to learn.
    pub(crate) learning: u32,
    pub(crate) kept: u32,
    pub(crate) dropped: u32,
}

impl<S: Student<I, C>, const I: usize, const C: usize> Shipped<S, I, C> {
    /// Runs the device on each sample once.
    pub(crate) fn live(&self, samples: &[Sample<I, C>], arm: &Arm, rng: &mut Pcg32) -> Life<S> {
        let trusted = |index: usize| self.trusted.get(index).map(|(x, class)| (self.edge.apply(x), *class));
        let limits = self.limits(arm, &trusted);
        let mut guard = Guard::<S, Sgd<S>>::ZERO;
        guard.begin(&self.student);
        let mut alone = Distiller::<S, Sgd<S>>::ZERO;
        alone.restart(&self.student);
        let mut memory = Memory { replay: Replay::reservoir(), latest: Replay::new() };
        let mut recent = Replay::<[i8; I], usize, RECENT>::new();
        let mut queries = Unsure::new(arm.margin, AUDIT);
        let mut drift = Drift::expecting(self.disagreement, EXPECTED);
        let mut learning = 0;

        for (number, sample) in samples.iter().enumerate() {
            let z = answer(if arm.guard.is_some() { guard.student() } else { &alone.student }, &sample.x);
            let teacher = |sample: &Sample<I, C>| sample.teacher;
            let Some(logits) = queries.ask(&teacher, sample, &z) else { continue };
            let class = if arm.lesson == Lesson::User { sample.class } else { argmax(&logits) };
            let codes = SAMPLE.encode(&sample.x);
            if number % HELD_OUT == HELD_OUT - 1 {
                recent.push(codes, class);
            } else {
                let answer = Answer { logits: self.logits.encode(&logits), label: Some(class as u8) };
                memory.latest.push(codes, answer);
                memory.replay.push(codes, answer, rng);
            }
            if arm.drift.is_some_and(|limits| !drift.add(disagreement(&z, &logits), &limits)) {
                continue;
            }
            learning += 1;
            for _ in 0..STEPS {
                let Some(_) = arm.guard else {
                    self.step(&mut alone, &memory, arm, rng);
                    continue;
                };
                let recent = |index| recent.get(index).map(|(x, class)| (SAMPLE.apply(x), *class));
                let held_out = HeldOut { trusted, recent };
                // Evaluations take units in addition to the steps.
                let mut stepped = false;
                while !stepped {
                    guard.train_for(1, &limits, &held_out, |distiller| {
                        stepped = true;
                        self.step(distiller, &memory, arm, rng)
                    });
                }
            }
        }
        Life {
            student: if arm.guard.is_some() { *guard.student() } else { alone.student },
            asked: queries.asked(),
            learning,
            kept: guard.kept(),
            dropped: guard.rolled_back(),
        }
    }

    fn limits(&self, arm: &Arm, trusted: &impl Fn(usize) -> Option<([f32; I], usize)>) -> Limits {
        let Some(caution) = arm.guard else { return Limits::DEFAULT };
        let shipped = Score::of(&self.student, trusted);
        Limits {
            steps: caution.steps,
            patience: caution.patience,
            trusted: shipped.likelihood() + caution.nats,
            errors: caution.errors.map_or(0, |more| shipped.errors() + more),
            ..Limits::DEFAULT
        }
    }

    /// Takes a step with remembered samples and with rows that the student was trained on; `None` while nothing is remembered.
    fn step(
        &self,
        distiller: &mut Distiller<S, Sgd<S>>,
        memory: &Memory<I, C>,
        arm: &Arm,
        rng: &mut Pcg32,
    ) -> Option<f32> {
        let mut loss = 0.0;
        for _ in arm.rehearsed..BATCH {
            let pair = if arm.replay { memory.replay.draw(rng) } else { memory.latest.draw(rng) };
            let (x, answer) = pair?;
            let x = SAMPLE.apply(x);
            loss += match arm.lesson {
                Lesson::Soft(labels) => {
                    let soft = Soft { teacher: &self.logits.apply(&answer.logits), label: None };
                    distiller.learn(&x, &labels, soft)
                }
                Lesson::Hard | Lesson::User => distiller.learn(&x, &CrossEntropy, answer.label?.into()),
            };
        }
        for _ in 0..arm.rehearsed {
            let (x, class) = self.rehearsed.get(rng.next_u32() as usize % self.rehearsed.len())?;
            loss += distiller.learn(&self.edge.apply(x), &CrossEntropy, *class);
        }
        distiller.update(&SgdRates { rate: arm.rate, momentum: 0.9, weight_decay: 1e-4 });
        Some(loss / BATCH as f32)
    }
}

/// Computes the student's logits.
pub(crate) fn answer<S: Student<I, C>, const I: usize, const C: usize>(
    student: &S,
    x: &[f32; I],
) -> [f32; C] {
    let mut tape = S::TAPE;
    student.record(x, &mut tape);
    *S::output(&tape)
}

/// Creates the student with these tensors, which are in the core's order.
pub(crate) fn load<'a, S: Params<Scalar = f32>>(tensors: impl Iterator<Item = &'a [f32]>) -> S {
    let mut student = S::ZERO;
    for ((_, to), from) in student.tensors_mut().zip(tensors) {
        to.copy_from_slice(from);
    }
    student
}
