//! Training as a transaction: a candidate learns beside the student in use, is judged, and takes its place or is dropped.
//!
//! ```
//! use microdistill::guard::{Guard, HeldOut, Limits, Progress, Score};
//! use microdistill::loss::CrossEntropy;
//! use microdistill::optimizer::{Sgd, SgdRates};
//! use microdistill::{Mlp, Params};
//!
//! type Student = Mlp![1, 2];
//! static SHIPPED: Student = Student::ZERO;
//! static ROWS: [([f32; 1], usize); 2] = [([-1.0], 0), ([1.0], 1)]; // labelled, in flash
//!
//! let held_out = HeldOut { trusted: |index| ROWS.get(index).copied(), recent: |_| None };
//! let limits = Limits { trusted: Score::of(&SHIPPED, &held_out.trusted).likelihood() + 0.05, ..Limits::DEFAULT };
//! let rates = SgdRates { rate: 0.1, momentum: 0.0, weight_decay: 0.0 };
//!
//! let mut guard = Guard::<Student, Sgd<Student>>::ZERO; // in a static, it lies in .bss
//! guard.begin(&SHIPPED);
//! let progress = loop {
//!     // Four units of work at most, then the main loop has its turn.
//!     let progress = guard.train_for(4, &limits, &held_out, |distiller| {
//!         let loss = distiller.learn(&[0.7], &CrossEntropy, 1);
//!         distiller.update(&rates);
//!         Some(loss)
//!     });
//!     if !progress.is_under_way() {
//!         break progress;
//!     }
//! };
//! assert_eq!(progress, Progress::Kept);
//! assert!(guard.student().predict(&[0.7])[1] > 0.0);
//! ```
//!
//! **What holds**, whatever is learned from, if the trusted rows and the limits stay the same:
//!
//! - The student in use makes no more errors on the trusted rows than any before it, or than [`Limits::errors`].
//! - Its mean negative log-likelihood on them is at most [`Limits::trusted`], or what the student before it had.
//! - When it replaced another, its mean negative log-likelihood on all held-out rows, trusted and recent, was lower.
//! - Its parameters are finite if those it began with are; a step never moves it: predictions come from one student
//!   until another is whole.
//!
//! **What does not hold.** Rows that are not held out may fare worse: errors that a student makes on a share `p` of all
//! rows are absent from `n` trusted ones with probability `(1 − p)ⁿ`, and each verdict is another try. Recent rows
//! are as right as who labelled them: a teacher that lies moves the student as far as the trusted rows allow. Errors on
//! recent rows may rise, and the next transaction is judged by other rows as the ring moves on.

use crate::layer::{Array, Train};
use crate::metric::{Accuracy, NegativeLogLikelihood};
use crate::optimizer::Optimizer;
use crate::scalar::Scalar;
use crate::training::distiller::Distiller;

/// A student in use and a candidate in training, with all the memory that takes: a [`Distiller`], the student's
/// parameters once more, and a few words.
pub struct Guard<S: Train, O> {
    student: S,
    candidate: Distiller<S, O>,
    /// Verdicts of this transaction.
    waited: u32,
    /// Since the last of them.
    steps: u32,
    trusted_rows: usize,
    recent_rows: usize,
    before: Judgment,
    after: Judgment,
    kept: u32,
    rolled_back: u32,
}

/// Rows that are never learned from: nothing else tells whether learning helps.
#[derive(Clone, Copy, Debug)]
pub struct HeldOut<T, R> {
    /// Labelled rows that lie in flash.
    pub trusted: T,
    /// Rows of the device's own life, a [`Replay`](crate::Replay) say, labelled by the user or by the teacher.
    pub recent: R,
}

/// The held-out rows of a kind: what the network takes, and the class.
pub trait Rows<X> {
    /// The row of this number, from 0; `None` where they end.
    fn row(&self, index: usize) -> Option<(X, usize)>;
}

impl<X, F: Fn(usize) -> Option<(X, usize)>> Rows<X> for F {
    fn row(&self, index: usize) -> Option<(X, usize)> {
        self(index)
    }
}

/// Limits of a transaction.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Limits {
    /// Steps before the candidate is judged.
    pub steps: u32,
    /// The largest loss of a step, in the unit that `step` returns. A loss above it, or NaN, ends the transaction.
    pub loss: f32,
    /// Largest distance the candidate may move, `‖θ − θ₀‖`, finite. Exploding gradients go farther.
    pub distance: f32,
    /// The mean negative log-likelihood on the trusted rows, in nats, that a candidate may have even if that of the
    /// student in use is lower. Give it that of the shipped student ([`Score::of`]) and a little more: a student that
    /// adapts to one user loses some likelihood on others.
    pub trusted: f32,
    /// How many errors on the trusted rows a candidate may make even if the student in use makes fewer. Give it those of
    /// the shipped student. At zero, a lucky student sets a bar that hardly any candidate passes: without this and
    /// [`patience`](Limits::patience), a guard takes more than half of what is gained on some data of `docs/results/field.md`.
    pub errors: u32,
    /// How many verdicts a candidate outlives. If it is found no better, it learns on from where it is for another
    /// [`steps`](Limits::steps), so many times, before it is dropped. One that diverges is dropped at once.
    pub patience: u32,
}

impl Limits {
    /// For a student of some hundred parameters: 20 steps, a loss of 100 nats, a distance of 10. No likelihood to be given
    /// up on trusted rows: set [`trusted`](Limits::trusted), or few candidates will be kept.
    pub const DEFAULT: Limits =
        Limits { steps: 20, loss: 100.0, distance: 10.0, trusted: 0.0, errors: 0, patience: 0 };
}

/// State of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Progress {
    /// The candidate has steps to make.
    Training,
    /// The candidate is being judged.
    Validating,
    /// There was nothing to learn from.
    Idle,
    /// The candidate is the student in use from now on.
    Kept,
    /// The candidate was dropped.
    RolledBack(Reason),
}

impl Progress {
    /// Returns true if the transaction continues when given more work.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        matches!(self, Progress::Training | Progress::Validating)
    }
}

/// Why a candidate was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Reason {
    /// Its loss, or how far it moved, was above the limit or not a number.
    Diverged,
    /// It did worse on the trusted rows than [`Limits::trusted`] and [`Limits::errors`] allow.
    Trusted,
    /// It did no better on all held-out rows.
    NoBetter,
}

impl<S: Train<Scalar = f32> + Copy, O: Optimizer<S>> Guard<S, O> {
    /// A student of zeros.
    pub const ZERO: Self = Guard {
        student: S::ZERO,
        candidate: Distiller::ZERO,
        waited: 0,
        steps: 0,
        trusted_rows: 0,
        recent_rows: 0,
        before: Judgment::ZERO,
        after: Judgment::ZERO,
        kept: 0,
        rolled_back: 0,
    };

    /// Takes a student into use and begins a transaction.
    pub fn begin(&mut self, student: &S) {
        self.begin_with(|place| *place = *student);
    }

    /// Lets `make` write the student in use where it lies, and begins a transaction. So what was learned before can be
    /// loaded over the shipped student without another one on the stack. Returns what `make` returns.
    pub fn begin_with<T>(&mut self, make: impl FnOnce(&mut S) -> T) -> T {
        let made = make(&mut self.student);
        self.candidate.restart(&self.student);
        self.begin_transaction();
        made
    }

    /// The student in use.
    pub fn student(&self) -> &S {
        &self.student
    }

    /// Candidates that were kept so far.
    pub fn kept(&self) -> u32 {
        self.kept
    }

    /// Candidates that were dropped so far.
    pub fn rolled_back(&self) -> u32 {
        self.rolled_back
    }

    /// Does at most `units` of work, and returns when a transaction ends; the next call goes on, or begins another one.
    ///
    /// A unit is one `step`, or one held-out row judged by both students: two inferences. `step` learns from a sample or
    /// several, updates, and returns its loss, or `None` if there is nothing to learn from. A held-out row whose
    /// features are not finite says nothing and is passed over.
    pub fn train_for(
        &mut self,
        units: u32,
        limits: &Limits,
        held_out: &HeldOut<impl Rows<S::Input>, impl Rows<S::Input>>,
        mut step: impl FnMut(&mut Distiller<S, O>) -> Option<f32>,
    ) -> Progress {
        for _ in 0..units {
            let progress = if self.steps < limits.steps {
                self.train(limits, &mut step)
            } else {
                self.judge(limits, held_out)
            };
            match progress {
                Progress::Training | Progress::Validating => continue,
                Progress::Idle => {}
                Progress::Kept => {
                    self.student = self.candidate.student;
                    self.kept = self.kept.saturating_add(1);
                    self.begin_transaction();
                }
                Progress::RolledBack(Reason::Trusted | Reason::NoBetter) if self.waited < limits.patience => {
                    self.waited += 1;
                    self.begin_steps();
                    continue;
                }
                Progress::RolledBack(_) => {
                    self.candidate.restart(&self.student);
                    self.rolled_back = self.rolled_back.saturating_add(1);
                    self.begin_transaction();
                }
            }
            return progress;
        }
        if self.steps < limits.steps { Progress::Training } else { Progress::Validating }
    }

    fn begin_transaction(&mut self) {
        self.waited = 0;
        self.begin_steps();
    }

    fn begin_steps(&mut self) {
        (self.steps, self.trusted_rows, self.recent_rows) = (0, 0, 0);
        (self.before, self.after) = (Judgment::ZERO, Judgment::ZERO);
    }

    fn train(
        &mut self,
        limits: &Limits,
        step: &mut impl FnMut(&mut Distiller<S, O>) -> Option<f32>,
    ) -> Progress {
        let Some(loss) = step(&mut self.candidate) else { return Progress::Idle };
        self.steps = self.steps.saturating_add(1);
        let moved = || distance(&self.student, &self.candidate.student);
        // Both are false for NaN.
        if loss <= limits.loss && (self.steps < limits.steps || moved() <= limits.distance) {
            Progress::Training
        } else {
            Progress::RolledBack(Reason::Diverged)
        }
    }

    fn judge(
        &mut self,
        limits: &Limits,
        held_out: &HeldOut<impl Rows<S::Input>, impl Rows<S::Input>>,
    ) -> Progress {
        let (row, trusted) = if let Some(row) = held_out.trusted.row(self.trusted_rows) {
            self.trusted_rows += 1;
            (row, true)
        } else if let Some(row) = held_out.recent.row(self.recent_rows) {
            self.recent_rows += 1;
            (row, false)
        } else {
            return self.verdict(limits);
        };
        self.before.add(&self.student, &row, trusted);
        self.after.add(&self.candidate.student, &row, trusted);
        Progress::Validating
    }

    fn verdict(&self, limits: &Limits) -> Progress {
        let (before, after) = (&self.before, &self.after);
        let likely = not_above(after.trusted.likelihood(), before.trusted.likelihood())
            || after.trusted.likelihood() <= limits.trusted;
        let right = after.trusted.errors() <= before.trusted.errors().max(limits.errors);
        if after.trusted.rows() > 0 && !(likely && right) {
            Progress::RolledBack(Reason::Trusted)
        } else if not_above(before.all.likelihood(), after.all.likelihood()) || after.all.rows() == 0 {
            Progress::RolledBack(Reason::NoBetter)
        } else {
            Progress::Kept
        }
    }
}

/// Returns `a ≤ b`, where a value that is not finite counts as the highest.
fn not_above(a: f32, b: f32) -> bool {
    a <= b || !b.is_finite()
}

/// `‖a − b‖` over all parameters.
fn distance<S: Train<Scalar = f32>>(a: &S, b: &S) -> f32 {
    let mut sum = 0.0;
    for ((_, a), (_, b)) in a.tensors().zip(b.tensors()) {
        for (a, b) in a.iter().zip(b) {
            sum += (a - b) * (a - b);
        }
    }
    Scalar::sqrt(sum)
}

/// The verdict on a student, from the held-out rows.
#[derive(Clone, Copy)]
struct Judgment {
    trusted: Score,
    /// Trusted and recent.
    all: Score,
}

impl Judgment {
    const ZERO: Self = Judgment { trusted: Score::ZERO, all: Score::ZERO };

    fn add<S: Train<Scalar = f32>>(&mut self, student: &S, (x, class): &(S::Input, usize), trusted: bool) {
        let Some(logits) = logits(student, x) else { return };
        self.all.add(logits.as_slice(), *class);
        if trusted {
            self.trusted.add(logits.as_slice(), *class);
        }
    }
}

/// Score of a student on some rows: its errors, and its mean negative log-likelihood.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Score {
    accuracy: Accuracy,
    likelihood: NegativeLogLikelihood,
}

impl Score {
    /// Before the first row.
    const ZERO: Self =
        Score { accuracy: Accuracy { correct: 0, total: 0 }, likelihood: NegativeLogLikelihood::ZERO };

    /// The score of a student on all of `rows`, as a [`Guard`] has it.
    pub fn of<S: Train<Scalar = f32>>(student: &S, rows: &impl Rows<S::Input>) -> Self {
        let mut score = Score::ZERO;
        let mut index = 0;
        while let Some((x, class)) = rows.row(index) {
            if let Some(logits) = logits(student, &x) {
                score.add(logits.as_slice(), class);
            }
            index += 1;
        }
        score
    }

    /// Rows that were judged.
    pub fn rows(&self) -> u32 {
        self.accuracy.total
    }

    /// Rows whose class is not the likeliest.
    pub fn errors(&self) -> u32 {
        self.accuracy.total.wrapping_sub(self.accuracy.correct)
    }

    /// Mean negative log-likelihood in nats; NaN without rows.
    pub fn likelihood(&self) -> f32 {
        self.likelihood.mean()
    }

    fn add(&mut self, logits: &[f32], class: usize) {
        self.accuracy.add(logits, class);
        self.likelihood.add(logits, class);
    }
}

/// The student's logits, if the features are finite.
fn logits<S: Train<Scalar = f32>>(student: &S, x: &S::Input) -> Option<S::Output> {
    if !x.as_slice().iter().all(|x| x.is_finite()) {
        return None;
    }
    let mut tape = S::TAPE;
    student.record(x, &mut tape);
    Some(*S::output(&tape))
}
