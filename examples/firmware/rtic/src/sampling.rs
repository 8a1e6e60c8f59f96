//! The timer's task: takes a sample and predicts its class with the student in use.

use core::mem;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use heapless::spsc::{Consumer, Producer};
use microdistill::{Prepare as _, argmax};
use microdistill_programs::data::student::{INPUT, Input, Student};
use microdistill_programs::data::test;

use crate::clock;

/// Number of windows of people that the student has not seen: every other one. The rest scores the student.
pub(crate) const WINDOWS: u32 = test::ROWS.len() as u32 / 2;
/// Total number of samples.
pub(crate) const SAMPLES: u32 = 4 * WINDOWS;
/// Gain of the sensor. The student was trained for 1.
const GAIN: f32 = 2.0;

/// A sample as the network takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) raw: Input,
}

/// Counts of the task.
pub(crate) static COUNTS: Counts = Counts {
    samples: AtomicU32::new(0),
    right: AtomicU32::new(0),
    dropped: AtomicU32::new(0),
    taken: AtomicU32::new(0),
    latest: AtomicU32::new(0),
    longest: AtomicU32::new(0),
};

pub(crate) struct Counts {
    pub(crate) samples: AtomicU32,
    /// Samples that the student in use predicted correctly.
    pub(crate) right: AtomicU32,
    /// Samples for which the queue had no room.
    pub(crate) dropped: AtomicU32,
    /// Number of students taken into use.
    pub(crate) taken: AtomicU32,
    /// Maximum ticks from the timer to the start of the task.
    pub(crate) latest: AtomicU32,
    /// Maximum ticks from the timer to the prediction.
    pub(crate) longest: AtomicU32,
}

pub(crate) struct Sampling {
    in_use: &'static mut Student,
    samples: Producer<'static, Sample>,
    take: Consumer<'static, &'static mut Student>,
    give_back: Producer<'static, &'static mut Student>,
}

impl Sampling {
    pub(crate) fn new(
        in_use: &'static mut Student,
        samples: Producer<'static, Sample>,
        take: Consumer<'static, &'static mut Student>,
        give_back: Producer<'static, &'static mut Student>,
    ) -> Self {
        Sampling { in_use, samples, take, give_back }
    }

    /// Takes a sample; the task started `late` ticks after its time.
    pub(crate) fn sample(&mut self, late: u32) {
        let number = COUNTS.samples.load(Relaxed);
        let Some((raw, class)) = window(2 * (number % WINDOWS)) else { return };
        if number == SAMPLES {
            return;
        }
        if let Some(student) = self.take.dequeue() {
            // There are two students, and the queue has room for both.
            let _ = self.give_back.enqueue(mem::replace(&mut self.in_use, student));
            COUNTS.taken.fetch_add(1, Relaxed);
        }
        let logits = self.in_use.predict(&INPUT.apply(&raw));
        COUNTS.right.fetch_add((argmax(&logits) == class).into(), Relaxed);
        if self.samples.enqueue(Sample { raw }).is_err() {
            COUNTS.dropped.fetch_add(1, Relaxed);
        }
        COUNTS.latest.fetch_max(late, Relaxed);
        COUNTS.longest.fetch_max(clock::since(), Relaxed);
        COUNTS.samples.store(number + 1, Relaxed);
    }
}

/// A window from the sensor, and its class. Windows with even numbers are samples.
pub(crate) fn window(number: u32) -> Option<(Input, usize)> {
    let (row, class) = (test::ROWS.get(number as usize)?, test::CLASSES.get(number as usize)?);
    Some((row.map(|x| GAIN * x), (*class).into()))
}
