//! Adversarial streams, for any network and any rows.

use microdistill::guard::{Guard, HeldOut, Limits, Score};
use microdistill::loss::{Soft, SoftLabels};
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::replay::Reservoir;
use microdistill::{Distiller, Replay, Train, argmax};
use rand_core::Rng;
use rand_pcg::Pcg32;

/// A stream of samples and labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stream {
    /// A feature of every tenth sample is NaN.
    Nan,
    /// The same sample over and over.
    Constant,
    /// Every answer names a random class with high confidence.
    WrongLabels,
    /// Two pairs of classes are swapped in half of the answers.
    Flips,
    /// Half of the samples have features a million times too large.
    Saturating,
    /// The teacher always names the next class.
    LyingTeacher,
    /// Correct rows, of the people in the student's training set.
    Honest,
}

pub(crate) const STREAMS: [Stream; 7] = [
    Stream::Nan,
    Stream::Constant,
    Stream::WrongLabels,
    Stream::Flips,
    Stream::Saturating,
    Stream::LyingTeacher,
    Stream::Honest,
];
/// Number of samples per stream. A training step of `BATCH` rows follows each of them.
const SAMPLES: usize = 400;
const BATCH: usize = 8;

/// The student under attack.
pub(crate) struct Victim<S, const I: usize, const C: usize> {
    pub(crate) student: S,
    /// Labelled rows in flash, which the attacker cannot change.
    pub(crate) trusted: Vec<([f32; I], usize)>,
    /// Rows of the stream, with the teacher's logits.
    pub(crate) rows: Vec<([f32; I], [f32; C])>,
    /// Errors on trusted rows that the guard allows in addition to those of the shipped student; `None` allows no more
    /// than the student in use makes.
    pub(crate) allowance: Option<u32>,
    /// Number of failed evaluations that a candidate survives.
    pub(crate) patience: u32,
}

impl Stream {
    /// The next sample, standardized, with the answer of its teacher.
    fn sample<const I: usize, const C: usize>(
        self,
        rows: &[([f32; I], [f32; C])],
        rng: &mut Pcg32,
    ) -> ([f32; I], [f32; C]) {
        let row = if self == Stream::Constant { 0 } else { below(rows.len(), rng) };
        let (mut x, mut answer) = rows[row];
        match self {
            Stream::Nan if below(10, rng) == 0 => x[below(I, rng)] = f32::NAN,
            Stream::WrongLabels => {
                answer = [-3.0; C];
                answer[below(C, rng)] = 6.0;
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

    /// The student after a stream, with and without the guard.
    pub(crate) fn run<S, const I: usize, const C: usize>(self, victim: &Victim<S, I, C>, seed: u64) -> [S; 2]
    where
        S: Train<Scalar = f32, Input = [f32; I], Output = [f32; C]> + Copy,
    {
        let mut rng = Pcg32::new(seed, self as u64);
        // From subtle to drastic: learning rates from 10⁻³ to 10⁻¹, transactions of 1 to 40 steps.
        let rate = 1e-3 * 100f32.powf(below(1000, &mut rng) as f32 / 1000.0);
        let rates = SgdRates { rate, momentum: 0.9, weight_decay: 1e-4 };
        let trusted = |index: usize| victim.trusted.get(index).copied();
        let shipped = Score::of(&victim.student, &trusted);
        let limits = Limits {
            steps: 1 + below(40, &mut rng) as u32,
            trusted: shipped.likelihood() + 0.05,
            errors: victim.allowance.map_or(0, |more| shipped.errors() + more),
            patience: victim.patience,
            ..Limits::DEFAULT
        };

        let mut guard = Guard::<S, Sgd<S>>::ZERO;
        guard.begin(&victim.student);
        let mut alone = Distiller::<S, Sgd<S>>::ZERO;
        alone.student = victim.student;
        let mut replay = Replay::<[f32; I], [f32; C], 64, Reservoir>::reservoir();
        let mut ring = Replay::<[f32; I], usize, 32>::new();
        for sample in 0..SAMPLES {
            let (x, answer) = self.sample(&victim.rows, &mut rng);
            // A quarter of the samples is held out, with labels from the same stream.
            if sample % 4 == 3 {
                ring.push(x, argmax(&answer));
            } else {
                replay.push(x, answer, &mut rng);
            }
            let mut step = |distiller: &mut Distiller<S, Sgd<S>>| {
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
            // As many training steps as without the guard; its evaluations come on top.
            let mut left = 1;
            while left > 0 {
                guard.train_for(1, &limits, &held_out, |distiller| {
                    left -= 1;
                    step(distiller)
                });
            }
        }
        let after = Score::of(guard.student(), &trusted);
        let errors = limits.errors.max(shipped.errors());
        assert!(after.errors() <= errors, "{self:?}, seed {seed}: too many errors on trusted rows");
        assert!(after.likelihood() <= limits.trusted, "{self:?}, seed {seed}: likelihood of trusted rows");
        [*guard.student(), alone.student]
    }
}

fn below(count: usize, rng: &mut Pcg32) -> usize {
    rng.next_u32() as usize % count
}
