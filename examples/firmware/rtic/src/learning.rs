//! The idle task: asks the teacher, learns in pieces, and checks in between whether a sample is waiting.

use core::sync::atomic::Ordering::Relaxed;

use cortex_m::asm::wfi;
use cortex_m::peripheral::SYST;
use heapless::spsc::{Consumer, Producer};
use microdistill::guard::{Guard, HeldOut, Limits, Progress, Score};
use microdistill::loss::{Soft, SoftLabels};
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::{Prepare as _, Replay, argmax};
use microdistill_programs::Outcome;
use microdistill_programs::data::student::{INPUT, Input, Output, STUDENT, Student};
use microdistill_programs::data::{teacher, train};
use rand_pcg::Pcg32;

use crate::clock::{self, PERIOD};
use crate::sampling::{COUNTS, SAMPLES, Sample, WINDOWS, window};

/// Capacity of the queue: one more than the number of samples that can wait.
pub(crate) const QUEUE: usize = 5;
/// Maximum pieces of work per sample.
const PIECES: u32 = 8;
/// Number of labelled rows of the people that the student was trained for.
const TRUSTED: usize = 32;
const BATCH: usize = 8;
const RATES: SgdRates = SgdRates { rate: 0.01, momentum: 0.9, weight_decay: 1e-4 };

pub(crate) struct Learning {
    /// The timer, until it is started.
    timer: Option<SYST>,
    guard: Guard<Student, Sgd<Student>>,
    replay: Replay<Input, Output, 64>,
    /// Held-out samples with the teacher's class.
    recent: Replay<Input, usize, 24>,
    rng: Pcg32,
    spare: Option<&'static mut Student>,
    /// True if the guard's student is newer than the one in use.
    newer: bool,
    samples: Consumer<'static, Sample>,
    hand: Producer<'static, &'static mut Student>,
    get_back: Consumer<'static, &'static mut Student>,
    /// Number of pieces of work, and ticks of the longest, including the timer's task if that interrupted it.
    pieces: u32,
    longest: u32,
}

impl Learning {
    pub(crate) fn new(
        timer: SYST,
        spare: &'static mut Student,
        samples: Consumer<'static, Sample>,
        hand: Producer<'static, &'static mut Student>,
        get_back: Consumer<'static, &'static mut Student>,
    ) -> Self {
        let mut guard = Guard::ZERO;
        guard.begin(&STUDENT);
        Learning {
            timer: Some(timer),
            guard,
            replay: Replay::new(),
            recent: Replay::new(),
            rng: Pcg32::new(1, 1),
            spare: Some(spare),
            newer: false,
            samples,
            hand,
            get_back,
            pieces: 0,
            longest: 0,
        }
    }

    /// Starts the samples, learns in between, and prints the results.
    ///
    /// Fails if a sample was dropped, a piece took longer than a period, or the student is no better.
    pub(crate) fn run(&mut self) -> Outcome {
        let trusted = Score::of(&STUDENT, &trusted_row);
        let limits = Limits {
            steps: 10,
            trusted: trusted.likelihood() + 0.1,
            errors: trusted.errors() + 1,
            ..Limits::DEFAULT
        };
        let before = Score::of(&STUDENT, &unseen);
        if let Some(timer) = self.timer.take() {
            clock::start(timer);
        }
        let (mut taught, mut left) = (0, 0);
        while taught + COUNTS.dropped.load(Relaxed) < SAMPLES || left > 0 {
            let start = clock::now();
            if let Some(sample) = self.samples.dequeue() {
                self.remember(taught, &sample);
                (taught, left) = (taught + 1, PIECES);
            } else if left > 0 {
                self.piece(&limits);
                self.hand_over();
                left -= 1;
            } else {
                wfi();
                continue;
            }
            self.pieces += 1;
            self.longest = self.longest.max(clock::now().wrapping_sub(start));
        }
        self.report(&before)
    }

    /// Asks the teacher about a sample, which is then learned from or held out.
    fn remember(&mut self, number: u32, sample: &Sample) {
        let logits = teacher::predict(&sample.raw);
        let class = argmax(&logits);
        let x = INPUT.apply(&sample.raw);
        // A given window is always either learned from or held out, however often it arrives.
        if number % WINDOWS % 4 == 3 {
            self.recent.push(x, class);
        } else {
            self.replay.push(x, logits);
        }
    }

    /// Does one unit of work.
    fn piece(&mut self, limits: &Limits) {
        let recent = |index| self.recent.get(index).copied();
        let held_out = HeldOut { trusted: trusted_row, recent };
        let progress = self.guard.train_for(1, limits, &held_out, |trainer| {
            let mut loss = 0.0;
            for _ in 0..BATCH {
                let (x, logits) = self.replay.draw(&mut self.rng)?;
                loss += trainer.learn(x, &SoftLabels::DEFAULT, Soft { teacher: logits, label: None });
            }
            trainer.update(&RATES);
            Some(loss / BATCH as f32)
        });
        self.newer |= progress == Progress::Kept;
    }

    /// Hands over the student that the guard has kept, as soon as the timer's task has returned the spare one.
    fn hand_over(&mut self) {
        if !self.newer {
            return;
        }
        if let Some(spare) = self.spare.take().or_else(|| self.get_back.dequeue()) {
            *spare = *self.guard.student();
            // There are two students, and the queue has room for both.
            let _ = self.hand.enqueue(spare);
            self.newer = false;
        }
    }

    fn report(&self, before: &Score) -> Outcome {
        let after = Score::of(self.guard.student(), &unseen);
        for (name, score) in [("before", before), ("after", &after)] {
            let right = score.rows() - score.errors();
            defmt::println!("{}: {} of {}, nll {:?}", name, right, score.rows(), score.likelihood());
        }
        let (samples, dropped) = (COUNTS.samples.load(Relaxed), COUNTS.dropped.load(Relaxed));
        defmt::println!("samples: {}, {} dropped, {} known", samples, dropped, COUNTS.right.load(Relaxed));
        let (kept, taken) = (self.guard.kept(), COUNTS.taken.load(Relaxed));
        defmt::println!(
            "students: {} kept, {} dropped, {} taken into use",
            kept,
            self.guard.rolled_back(),
            taken
        );
        defmt::println!("period: {} ticks of 40 ns", PERIOD);
        let (latest, longest) = (COUNTS.latest.load(Relaxed), COUNTS.longest.load(Relaxed));
        defmt::println!("inference: starts at most {} ticks late, answers within {} ticks", latest, longest);
        defmt::println!("learning: {} pieces of at most {} ticks", self.pieces, self.longest);
        let in_time = dropped == 0 && longest < PERIOD && self.longest < PERIOD;
        if in_time && after.likelihood() < before.likelihood() { Outcome::Passed } else { Outcome::Failed }
    }
}

/// Held-out windows of the new people, and their class.
fn unseen(index: usize) -> Option<(Input, usize)> {
    let index = u32::try_from(index).ok().filter(|&index| index < WINDOWS)?;
    let (raw, class) = window(2 * index + 1)?;
    Some((INPUT.apply(&raw), class))
}

/// Rows of the people that the student was trained for, spread over the file because it is sorted.
fn trusted_row(index: usize) -> Option<(Input, usize)> {
    let row = (index < TRUSTED).then_some(index * train::ROWS.len() / TRUSTED)?;
    Some((INPUT.apply(train::ROWS.get(row)?), (*train::CLASSES.get(row)?).into()))
}
