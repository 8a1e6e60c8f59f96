//! Measures the cost per sample learned, by network, arithmetic, optimizer and trained part of the network.

mod networks;

use core::array;
use core::hint::black_box;

use microdistill::activation::Relu;
use microdistill::fast::Quartic;
use microdistill::finetune::Shipped as _;
use microdistill::loss::SoftCrossEntropy;
use microdistill::optimizer::{Adam, AdamRates, Optimizer, Sgd, SgdRates};
use microdistill::scalar::{Fused, Scalar};
use microdistill::{Distiller, FineTuned, Mlp, OnlineDistiller, Params, Train, shipped, softmax};
use rand_core::Rng as _;
use rand_pcg::Pcg32;
use static_cell::ConstStaticCell;

use crate::Outcome;
use crate::bench::{Meter, Tick, Watch};
use crate::output::println;
use networks::{NETWORK_A, NETWORK_B, NETWORK_C};

/// Number of samples, which are learned in several rounds; the mean of the last round is printed.
const SAMPLES: usize = 8;
const ROUNDS: usize = 16;
/// Batch size of momentum and Adam.
const BATCH: usize = 8;
/// Learning rate of SGD, with and without momentum.
const RATE: f32 = 0.01;
const MOMENTUM_RATE: f32 = 0.02;

const LOSS: SoftCrossEntropy<Quartic> = SoftCrossEntropy::NEW;

/// Inputs and teacher probabilities.
type Samples<T, const I: usize, const O: usize> = [([T; I], [T; O]); SAMPLES];

/// Measures a network, with memory for its training: the whole network in both arithmetics, and parts of it.
macro_rules! network {
    ($meter:ident, $name:literal, $network:ident: $student:ty, $fused:ty; last: $last:tt, biases: $biases:tt) => {{
        shipped!(Factory: $student = $network);
        measure!($meter, $name, "f32", $student, |student| student.copy_from(&$network));
        measure!($meter, $name, "fused", $fused, |student| student.copy_from(&$network));
        part!($meter, $name, "f32 last layer", Factory, $last);
        part!($meter, $name, "f32 biases", Factory, $biases);
    }};
}

macro_rules! part {
    ($meter:ident, $name:literal, $kind:literal, $factory:ty, [$($how:ident),+]) => {
        measure!($meter, $name, $kind, FineTuned![$factory; $($how),+], |student| {
            *student = <$factory>::student();
        })
    };
}

macro_rules! measure {
    ($meter:ident, $name:literal, $kind:literal, $student:ty, $start:expr) => {{
        type Student = $student;
        // All zero at the start, so they take RAM but no flash.
        static ONLINE: ConstStaticCell<OnlineDistiller<Student>> =
            ConstStaticCell::new(OnlineDistiller::ZERO);
        static MOMENTUM: ConstStaticCell<Distiller<Student, Sgd<Student>>> =
            ConstStaticCell::new(Distiller::ZERO);
        static ADAM: ConstStaticCell<Distiller<Student, Adam<Student>>> =
            ConstStaticCell::new(Distiller::ZERO);
        let (Some(online), Some(momentum), Some(adam)) =
            (ONLINE.try_take(), MOMENTUM.try_take(), ADAM.try_take())
        else {
            println!("learning can run only once: its memory is taken");
            return Outcome::Failed;
        };
        let start: fn(&mut Student) = $start;
        start(&mut online.student);
        start(&mut momentum.student);
        start(&mut adam.student);
        let samples = samples();
        println!("{} {} parameters: {}", $name, $kind, Student::COUNT);
        println!("{} {} sgd RAM: {} bytes", $name, $kind, size_of_val(&ONLINE) - size_of::<Student>());
        println!("{} {} momentum RAM: {} bytes", $name, $kind, size_of_val(&MOMENTUM) - size_of::<Student>());
        println!("{} {} adam RAM: {} bytes", $name, $kind, size_of_val(&ADAM) - size_of::<Student>());
        let online = sgd($meter, $name, $kind, online, &samples);
        let momentum = batched($meter, [$name, $kind, "momentum"], momentum, &sgd_rates(), &samples);
        let adam = batched($meter, [$name, $kind, "adam"], adam, &adam_rates(), &samples);
        if !(online && momentum && adam) {
            return Outcome::Failed;
        }
    }};
}

/// Measures the cost per sample learned from soft labels by SGD with batch size 1, and by momentum and Adam with batch size 8,
/// for networks a (10-32-10), b (64-32-10) and c (128-64-64-12) with random weights: the whole network, its last layer and
/// its biases. Prints ticks, losses, bytes in addition to the parameters, and a sum of the bits of everything trained.
///
/// ```text
/// tick: 40000 ps
/// a f32 parameters: 682
/// a f32 sgd RAM: 168 bytes
/// a f32 sgd: 12345 ticks for 8 samples, loss 2.4 to 1.2, weights 1234567890
/// ```
///
/// Fails if the board has no meter left, or if a student learns nothing.
pub fn learn<M: Meter>(meter: Option<M>) -> Outcome {
    let Some(mut meter) = meter else {
        println!("learn cannot run: the counter is taken");
        return Outcome::Failed;
    };
    match M::TICK {
        Tick::Picoseconds(picoseconds) => println!("tick: {} ps", picoseconds),
        Tick::Cycle => println!("tick: a cycle"),
    }
    let watch = &mut Watch::new(&mut meter);
    network!(watch, "a", NETWORK_A: Mlp![10, 32, 10], Mlp![10, 32, 10; Relu, Fused];
        last: [frozen, trained], biases: [biases, biases]);
    network!(watch, "b", NETWORK_B: Mlp![64, 32, 10], Mlp![64, 32, 10; Relu, Fused];
        last: [frozen, trained], biases: [biases, biases]);
    network!(watch, "c", NETWORK_C: Mlp![128, 64, 64, 12], Mlp![128, 64, 64, 12; Relu, Fused];
        last: [frozen, frozen, trained], biases: [biases, biases, biases]);
    Outcome::Passed
}

/// Learns by SGD. Returns true if the last round's loss is below the first one's.
#[inline(never)] // so that it is measured the way a program calls it
fn sgd<S, T: Scalar, M: Meter, const I: usize, const O: usize>(
    watch: &mut Watch<'_, M>,
    name: &str,
    kind: &str,
    distiller: &mut OnlineDistiller<S>,
    samples: &Samples<T, I, O>,
) -> bool
where
    S: Train<Scalar = T, Input = [T; I], Output = [T; O]>,
{
    let rate = T::from_f32(RATE);
    let mut round = || {
        samples
            .iter()
            .fold(0.0, |sum, (x, soft)| sum + distiller.learn(black_box(x), &LOSS, soft, rate).to_f32())
    };
    let first = round();
    for _ in 2..ROUNDS {
        round();
    }
    let mut last = 0.0;
    let ticks = watch.time(|| last = round());
    report(name, kind, "sgd", ticks, [first, last], &distiller.student)
}

/// Like [`sgd`], with an optimizer.
#[inline(never)]
fn batched<S, O, T: Scalar, M: Meter, const I: usize, const C: usize>(
    watch: &mut Watch<'_, M>,
    [name, kind, optimizer]: [&str; 3],
    distiller: &mut Distiller<S, O>,
    rates: &O::Rates,
    samples: &Samples<T, I, C>,
) -> bool
where
    S: Train<Scalar = T, Input = [T; I], Output = [T; C]>,
    O: Optimizer<S>,
{
    let mut round = || {
        let mut sum = 0.0;
        for batch in samples.chunks(BATCH) {
            for (x, soft) in batch {
                sum += distiller.learn(black_box(x), &LOSS, soft).to_f32();
            }
            distiller.update(rates);
        }
        sum
    };
    let first = round();
    for _ in 2..ROUNDS {
        round();
    }
    let mut last = 0.0;
    let ticks = watch.time(|| last = round());
    report(name, kind, optimizer, ticks, [first, last], &distiller.student)
}

fn sgd_rates<T: Scalar>() -> SgdRates<T> {
    SgdRates { rate: T::from_f32(MOMENTUM_RATE), momentum: T::from_f32(0.9), weight_decay: T::from_f32(1e-4) }
}

fn adam_rates<T: Scalar>() -> AdamRates<T> {
    let AdamRates { rate, beta1, beta2, epsilon, weight_decay } = AdamRates::DEFAULT;
    AdamRates {
        rate: T::from_f32(rate),
        beta1: T::from_f32(beta1),
        beta2: T::from_f32(beta2),
        epsilon: T::from_f32(epsilon),
        weight_decay: T::from_f32(weight_decay),
    }
}

fn report(
    name: &str,
    kind: &str,
    optimizer: &str,
    ticks: u64,
    [first, last]: [f32; 2],
    student: &impl Params,
) -> bool {
    let numbers = student.tensors().flat_map(|(_, tensor)| tensor);
    let bits = numbers.fold(0u32, |sum, number| sum.wrapping_mul(31).wrapping_add(number.to_f32().to_bits()));
    let mean = |loss: f32| loss / SAMPLES as f32;
    println!(
        "{} {} {}: {} ticks for {} samples, loss {:?} to {:?}, weights {}",
        name,
        kind,
        optimizer,
        ticks,
        SAMPLES,
        mean(first),
        mean(last),
        bits
    );
    last < first
}

/// Random inputs in ±√3, which have variance 1, and probabilities of random logits.
fn samples<T: Scalar, const I: usize, const O: usize>() -> Samples<T, I, O> {
    let mut rng = Pcg32::new(2, 2);
    let mut number = |limit| T::from_f32(limit * (2.0 * f32::unit_interval(rng.next_u32()) - 1.0));
    array::from_fn(|_| {
        let x = array::from_fn(|_| number(1.732));
        let mut soft: [T; O] = array::from_fn(|_| number(3.0));
        softmax(soft.as_mut_slice(), T::ONE);
        (x, soft)
    })
}
