//! Measures an inference of the model and a training sample of a distillation.

use core::hint::black_box;
use core::iter;

use microdistill::argmax;

use crate::Outcome;
use crate::data::{model, teacher};
use crate::distill;
use crate::optimizer;
use crate::output::println;

/// A counter of a board that measures time.
pub trait Meter {
    /// Length of a count.
    const TICK: Tick;

    /// Ticks since some start. It must be called at least once per wrap of the hardware's counter.
    fn now(&mut self) -> u64;
    /// Executes two instructions per turn, and a few more.
    fn spin(turns: u32);
    /// Does the work and returns how many bytes of stack it took.
    fn stack(work: impl FnOnce()) -> usize;
}

/// Length of a step of a board's counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// A time in picoseconds.
    Picoseconds(u32),
    /// A cycle of the core.
    Cycle,
}

/// Number of repetitions of a measurement, which go through the golden vectors in turn.
const RUNS: usize = 8;
/// Turns by which one of two loops is longer: their difference measures a loop of known length.
const TURNS: u32 = 10_000;

/// Measures and prints the ticks of a loop of known length, of inferences, and of updates with their samples.
///
/// ```text
/// tick: 40000 ps
/// loop: 32000 ticks for 20000 instructions
/// inferences: 8
/// network: 51234 ticks
/// features to logits: 61234 ticks
/// inference flash: 2700 bytes
/// inference RAM: 184 bytes
/// inference stack: 424 bytes
/// student: 30-16-7
/// optimizer: sgd
/// teacher flash: 85772 bytes
/// samples per update: 8
/// update: 412345 ticks
/// training RAM: 26436 bytes
/// training stack: 324 bytes
/// ```
///
/// Fails if the board has no meter left.
pub fn bench<M: Meter>(meter: Option<M>) -> Outcome {
    let Some(mut meter) = meter else {
        println!("bench cannot run: the counter is taken");
        return Outcome::Failed;
    };
    match M::TICK {
        Tick::Picoseconds(picoseconds) => println!("tick: {} ps", picoseconds),
        Tick::Cycle => println!("tick: a cycle"),
    }
    let mut watch = Watch::new(&mut meter);
    let (short, long) = (watch.spin(TURNS), watch.spin(2 * TURNS));
    println!("loop: {} ticks for {} instructions", long.saturating_sub(short), 2 * TURNS);

    let (mut network, mut whole) = (0, 0);
    for vector in iter::repeat(&model::GOLDEN).flatten().take(RUNS) {
        network += watch.time(|| argmax(&model::run(black_box(&vector.input))));
        whole += watch.time(|| model::predict(black_box(&vector.raw)));
    }
    let stack = M::stack(|| {
        black_box(argmax(&model::run(black_box(&model::GOLDEN[0].input))));
    });
    println!("inferences: {}", RUNS);
    println!("network: {} ticks", network);
    println!("features to logits: {} ticks", whole);
    println!("inference flash: {} bytes", model::FLASH_BYTES);
    println!("inference RAM: {} bytes", model::SCRATCH_BYTES);
    println!("inference stack: {} bytes", stack);

    let Some(mut training) = distill::Training::take() else { return Outcome::Failed };
    for vector in &teacher::GOLDEN {
        training.replay.push(vector.input, vector.output);
    }
    training.learn(|_| ());
    let update = watch.time(|| training.learn(|_| ()));
    let stack = M::stack(|| training.learn(|_| ()));
    println!("student: {}-{}-{}", distill::INPUTS, distill::HIDDEN, distill::CLASSES);
    println!("optimizer: {}", optimizer::NAME);
    println!("teacher flash: {} bytes", teacher::FLASH_BYTES);
    println!("samples per update: {}", distill::BATCH);
    println!("update: {} ticks", update);
    println!("training RAM: {} bytes", distill::Training::BYTES);
    println!("training stack: {} bytes", stack);
    Outcome::Passed
}

/// A stopwatch that leaves out the time of reading the counter.
#[derive(Debug)]
pub struct Watch<'a, M> {
    meter: &'a mut M,
    looks: u64,
}

impl<'a, M: Meter> Watch<'a, M> {
    /// Creates a stopwatch for `meter` and first measures the cost of reading it.
    pub fn new(meter: &'a mut M) -> Self {
        let mut watch = Watch { meter, looks: 0 };
        watch.looks = watch.time(|| ());
        watch
    }

    /// Ticks that `work` takes.
    pub fn time<T>(&mut self, work: impl FnOnce() -> T) -> u64 {
        let start = look(self.meter);
        black_box(work());
        (look(self.meter) - start).saturating_sub(self.looks)
    }

    /// Not inlined, so that the code is the same for any number of turns and the difference is that of the turns alone.
    #[inline(never)]
    fn spin(&mut self, turns: u32) -> u64 {
        self.time(|| M::spin(turns))
    }
}

/// Reads the meter. The desktop traces the instructions from one call to the next, and finds this function by its
/// name.
#[inline(never)]
fn look<M: Meter>(meter: &mut M) -> u64 {
    meter.now()
}
