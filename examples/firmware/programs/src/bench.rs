//! Measurements: an inference of the model, and a sample of a distillation.

use core::hint::black_box;
use core::iter;

use microdistill::argmax;

use crate::Outcome;
use crate::data::{model, teacher};
use crate::distill;
use crate::optimizer;
use crate::output::println;

/// A counter that measures on a board.
pub trait Meter {
    /// Length of a count.
    const TICK: Tick;

    /// Ticks since some start; asked for at least once in a turn of the hardware's counter.
    fn now(&mut self) -> u64;
    /// Takes two instructions a turn, and a few more.
    fn spin(turns: u32);
    /// Does the work and tells how many bytes of stack it took.
    fn stack(work: impl FnOnce()) -> usize;
}

/// One step of a board's counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// A time in picoseconds.
    Picoseconds(u32),
    /// A cycle of the core.
    Cycle,
}

/// Number of repetitions of a measurement, over the golden vectors in turn.
const RUNS: usize = 8;
/// The known loop is measured as the difference of two, one longer by so many turns.
const TURNS: u32 = 10_000;

/// Measures, and prints what it found: ticks of a loop of known length, of inferences, of updates with their samples.
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
/// samples an update: 8
/// update: 412345 ticks
/// training RAM: 26436 bytes
/// training stack: 324 bytes
/// ```
///
/// Fails if the board gives it no meter.
pub fn bench<M: Meter>(meter: Option<M>) -> Outcome {
    let Some(mut meter) = meter else {
        println!("bench: the counter is taken");
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
    println!("samples an update: {}", distill::BATCH);
    println!("update: {} ticks", update);
    println!("training RAM: {} bytes", distill::Training::BYTES);
    println!("training stack: {} bytes", stack);
    Outcome::Passed
}

/// Tells how long something takes, the looks at the counter left out.
#[derive(Debug)]
pub struct Watch<'a, M> {
    meter: &'a mut M,
    looks: u64,
}

impl<'a, M: Meter> Watch<'a, M> {
    /// Measures by `meter`, and that itself first.
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

    /// The same code whatever the turns, so that the difference is that of the turns alone.
    #[inline(never)]
    fn spin(&mut self, turns: u32) -> u64 {
        self.time(|| M::spin(turns))
    }
}

/// Looks at the meter. The desktop traces what is executed from one look to the next, and knows this function by its
/// name.
#[inline(never)]
fn look<M: Meter>(meter: &mut M) -> u64 {
    meter.now()
}
