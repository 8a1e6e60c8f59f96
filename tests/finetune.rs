//! Partial training gives the bits of full training with the rest of the gradient discarded, in less memory.

#[path = "common/mod.rs"]
mod common;
#[path = "../examples/models/watch_small/student.rs"]
mod student;

use std::collections::BTreeSet;
use std::fmt::Debug;

use common::numbers;
use microdistill::activation::{Identity, Relu};
use microdistill::fast::Libm;
use microdistill::finetune::{Frozen, Shipped, StartsAs};
use microdistill::guard::{Guard, HeldOut, Limits, Progress};
use microdistill::layer::{InputGradient, Role};
use microdistill::loss::{CrossEntropy, SoftCrossEntropy};
use microdistill::optimizer::{Adam, AdamRates, Optimizer, Sgd, SgdRates};
use microdistill::{
    Chain, Dense, Distiller, End, FineTuned, Layer, Mlp, Network, OnlineDistiller, Params, Scratch, Train,
    softmax,
};
use proptest::prelude::*;
use rand_core::Rng;
use student::{GOLDEN, STUDENT, Student};

microdistill::shipped!(Factory: Student = STUDENT);
type Last = FineTuned![Factory; frozen, trained];
type First = FineTuned![Factory; trained, frozen];
type Biases = FineTuned![Factory; biases, biases];
type Mixed = FineTuned![Factory; biases, trained];

const LOSS: SoftCrossEntropy<Libm> = SoftCrossEntropy::NEW;
const ADAM: AdamRates = AdamRates { weight_decay: 0.01, ..AdamRates::DEFAULT };
const SGD: SgdRates = SgdRates { rate: 0.05, momentum: 0.9, weight_decay: 0.01 };

/// Restores the shipped values of all parameters that are not trained.
type Undo = fn(&mut Student);

const UNDO_FIRST: Undo = |student| student.layers.0 = STUDENT.layers.0;
const UNDO_LAST: Undo = |student| student.layers.1 = STUDENT.layers.1;
const UNDO_WEIGHTS: Undo = |student| {
    undo_weights_of(&mut student.layers.0, &STUDENT.layers.0);
    undo_weights_of(&mut student.layers.1, &STUDENT.layers.1);
};
const UNDO_FIRST_WEIGHTS: Undo = |student| undo_weights_of(&mut student.layers.0, &STUDENT.layers.0);

fn undo_weights_of<P: Params>(layer: &mut P, shipped: &P) {
    let tensors = layer.tensors_mut().zip(shipped.tensors());
    for ((_, to), (_, from)) in tensors.filter(|((role, _), _)| *role == Role::Weights) {
        to.copy_from_slice(from);
    }
}

/// An input and a teacher's probabilities.
fn sample(number: &mut impl FnMut() -> f64) -> ([f32; 30], [f32; 7]) {
    let x = std::array::from_fn(|_| 2.0 * number() as f32);
    let mut soft = std::array::from_fn(|_| 3.0 * number() as f32);
    softmax(&mut soft, 1.0);
    (x, soft)
}

fn bits(numbers: impl AsRef<[f32]>) -> Vec<u32> {
    numbers.as_ref().iter().map(|number| number.to_bits()).collect()
}

fn parameters(network: &impl Params<Scalar = f32>) -> Vec<u32> {
    network.tensors().flat_map(|(_, tensor)| bits(tensor)).collect()
}

/// A student of which only a part is trained.
trait Part:
    StartsAs<Factory> + Train<Scalar = f32, Input = [f32; 30], Output = [f32; 7]> + Copy + PartialEq + Debug
{
}
impl<P> Part for P where
    P: StartsAs<Factory>
        + Train<Scalar = f32, Input = [f32; 30], Output = [f32; 7]>
        + Copy
        + PartialEq
        + Debug
{
}

/// Asserts that the two students give the same outputs.
fn assert_alike(part: &impl Part, whole: &Student, number: &mut impl FnMut() -> f64) {
    for _ in 0..20 {
        let (x, _) = sample(number);
        let found = Network::<_, { Student::SCRATCH }>::new(*part).predict(&x);
        assert_eq!(bits(found), bits(whole.predict(&x)));
    }
}

/// Asserts that `P` learns the same bits as a whole student whose other parameters `undo` restores.
fn trains_alike<P, O, W>(seed: u64, rates: &O::Rates, undo: Undo)
where
    P: Part,
    O: Optimizer<P, Rates = W::Rates>,
    W: Optimizer<Student>,
{
    let mut number = numbers(seed);
    let mut part = Distiller::<P, O>::ZERO;
    let mut whole = Distiller::<Student, W>::ZERO;
    (part.student, whole.student) = (Factory::student(), STUDENT);
    let start = part.student;
    for index in 1..=60 {
        let (x, soft) = sample(&mut number);
        let (a, b) = (part.learn(&x, &LOSS, &soft), whole.learn(&x, &LOSS, &soft));
        assert_eq!(a.to_bits(), b.to_bits());
        if index % 4 == 0 {
            part.update(rates);
            whole.update(rates);
            undo(&mut whole.student);
        }
    }
    assert_ne!(part.student, start, "nothing was learned");
    assert_alike(&part.student, &whole.student, &mut number);

    let mut part = OnlineDistiller::<P>::ZERO;
    let mut whole = OnlineDistiller::<Student>::ZERO;
    (part.student, whole.student) = (Factory::student(), STUDENT);
    for _ in 0..30 {
        let (x, soft) = sample(&mut number);
        let (a, b) = (part.learn(&x, &LOSS, &soft, 0.05), whole.learn(&x, &LOSS, &soft, 0.05));
        assert_eq!(a.to_bits(), b.to_bits());
        undo(&mut whole.student);
    }
    assert_ne!(part.student, start, "nothing was learned");
    assert_alike(&part.student, &whole.student, &mut number);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_part_learns_the_same_as_within_the_whole(seed: u64) {
        trains_alike::<Last, Adam<_>, Adam<_>>(seed, &ADAM, UNDO_FIRST);
        trains_alike::<Last, Sgd<_>, Sgd<_>>(seed, &SGD, UNDO_FIRST);
        trains_alike::<First, Adam<_>, Adam<_>>(seed, &ADAM, UNDO_LAST);
        trains_alike::<Biases, Adam<_>, Adam<_>>(seed, &ADAM, UNDO_WEIGHTS);
        trains_alike::<Biases, Sgd<_>, Sgd<_>>(seed, &SGD, UNDO_WEIGHTS);
        trains_alike::<Mixed, Sgd<_>, Sgd<_>>(seed, &SGD, UNDO_FIRST_WEIGHTS);
    }
}

#[test]
fn a_partially_trained_student_starts_as_shipped() {
    let mut number = numbers(1);
    assert_alike(&Factory::student::<Last>(), &STUDENT, &mut number);
    assert_alike(&Factory::student::<First>(), &STUDENT, &mut number);
    assert_alike(&Factory::student::<Biases>(), &STUDENT, &mut number);
    assert_alike(&Factory::student::<Mixed>(), &STUDENT, &mut number);
    assert_eq!(Factory::student::<Student>(), STUDENT);
    assert_eq!(Factory::student::<FineTuned![Factory; trained]>(), STUDENT);
    assert_eq!(bits(Factory::student::<Last>().predict(&GOLDEN[0].input)), bits(GOLDEN[0].output));
}

#[test]
fn training_state_covers_only_the_trained_parameters() {
    assert_eq!([Last::COUNT, First::COUNT, Biases::COUNT, Mixed::COUNT], [119, 496, 23, 135]);
    fn check<S: Train<Scalar = f32, Tape = <Student as Train>::Tape>>() {
        assert_eq!(size_of::<S>(), 4 * S::COUNT);
        // Student, gradient and two moments.
        let whole = size_of::<Distiller<Student, Adam<Student>>>();
        assert_eq!(whole - size_of::<Distiller<S, Adam<S>>>(), 4 * 4 * (Student::COUNT - S::COUNT));
    }
    check::<Last>();
    check::<First>();
    check::<Biases>();
    check::<Mixed>();
}

#[test]
fn each_selection_of_parameters_has_its_own_fingerprint() {
    type Deep = Mlp![2, 4, 4, 3];
    static DEEP: Deep = Deep::ZERO;
    microdistill::shipped!(Shipment: Deep = DEEP);
    let fingerprints = [
        Deep::FINGERPRINT,
        <FineTuned![Shipment; frozen, trained]>::FINGERPRINT,
        <FineTuned![Shipment; frozen, frozen, trained]>::FINGERPRINT,
        <FineTuned![Shipment; frozen, biases, trained]>::FINGERPRINT,
        <FineTuned![Shipment; frozen, frozen, biases]>::FINGERPRINT,
        <FineTuned![Shipment; trained, frozen]>::FINGERPRINT,
        <FineTuned![Shipment; biases, biases, biases]>::FINGERPRINT,
        <Mlp![4, 4, 3]>::FINGERPRINT,
    ];
    assert_eq!(BTreeSet::from(fingerprints).len(), fingerprints.len(), "{fingerprints:?}");
}

#[test]
fn a_guard_keeps_what_a_part_learned() {
    let rows = |index: usize| GOLDEN.get(index).map(|golden| (golden.input, 3));
    let held_out = HeldOut { trusted: rows, recent: |_| None };
    let mut guard = Guard::<Last, Sgd<Last>>::ZERO;
    guard.begin(&Factory::student());
    let before = parameters(guard.student());
    let progress = guard.train_for(100, &Limits::DEFAULT, &held_out, |distiller| {
        let loss = distiller.learn(&GOLDEN[0].input, &CrossEntropy, 3);
        distiller.update(&SgdRates { rate: 0.001, momentum: 0.0, weight_decay: 0.0 });
        Some(loss)
    });
    assert_eq!(progress, Progress::Kept);
    assert_ne!(parameters(guard.student()), before);
}

#[cfg(feature = "checkpoint")]
#[test]
fn a_record_holds_the_trained_parameters() {
    use microdistill::checkpoint::record::{Refused, decode, encode};

    let mut learned = Factory::student::<Last>();
    learned.layers.1.bias = [1.0; 7];
    let bytes: Vec<u8> = encode(&learned, 3).collect();
    assert_eq!(bytes.len(), 4 * (6 + Last::COUNT));
    let mut back = Factory::student::<Last>();
    assert_eq!(decode(&bytes, 3, &mut back), Ok(()));
    assert_eq!(back, learned);
    assert_eq!(decode(&bytes, 3, &mut Factory::student::<Mixed>()), Err(Refused::Foreign));
    assert_eq!(decode(&bytes, 3, &mut Factory::student::<Student>()), Err(Refused::Foreign));
}

/// A layer that doubles its input, and that fails the test if it is asked for a gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Untouched;

impl Layer for Untouched {
    type Item = f32;
    type Input = [f32; 2];
    type Output = [f32; 2];
    const SCRATCH: usize = 4;

    fn run<const WORDS: usize>(&self, _: &mut Scratch<f32, WORDS>, _: End) -> End {
        unreachable!("not used for inference")
    }
}

impl Params for Untouched {
    type Scalar = f32;
    const ZERO: Self = Untouched;
    const COUNT: usize = 0;
    const FINGERPRINT: u32 = 1;

    fn tensors(&self) -> impl Iterator<Item = (Role, &[f32])> {
        std::iter::empty()
    }
    fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [f32])> {
        std::iter::empty()
    }
    fn initialize(&mut self, _: &mut impl Rng) {}
}

impl Train for Untouched {
    type Tape = [f32; 2];
    const TAPE: [f32; 2] = [0.0; 2];
    const GATE: bool = false;

    fn record(&self, x: &[f32; 2], tape: &mut [f32; 2]) {
        *tape = x.map(|x| 2.0 * x);
    }
    fn output(tape: &[f32; 2]) -> &[f32; 2] {
        tape
    }
    fn through_activation(_: &[f32; 2], _: &mut [f32; 2]) {
        unreachable!("a gradient was propagated below the trained layers")
    }
    fn input_gradient(&self, _: &[f32; 2], _: &[f32; 2], _: &[f32; 2], _: InputGradient<'_, [f32; 2]>) {
        unreachable!("a gradient was propagated below the trained layers")
    }
    fn backward(
        &self,
        _: &[f32; 2],
        _: &[f32; 2],
        _: &[f32; 2],
        _: &mut Self,
        _: InputGradient<'_, [f32; 2]>,
    ) {
        unreachable!("a gradient was propagated below the trained layers")
    }
    fn descend(&mut self, _: &[f32; 2], _: &[f32; 2], _: &[f32; 2], _: InputGradient<'_, [f32; 2]>) {
        unreachable!("a gradient was propagated below the trained layers")
    }
}

#[test]
fn no_gradient_is_propagated_below_the_trained_layers() {
    type Front = Chain<Dense<2, 2, Relu>, Untouched>;
    static FRONT: Front = Chain(Dense::new([[1.0, 0.5], [-0.5, 1.0]], [0.1, 0.2]), Untouched);
    microdistill::shipped!(Shipment: Front = FRONT);
    type Last = Dense<2, 3, Identity>;
    // For every nesting of layers.
    type Right = Chain<Frozen<Shipment>, Chain<Untouched, Last>>;
    type Left = Chain<Chain<Frozen<Shipment>, Untouched>, Last>;

    fn check<S: Train<Scalar = f32, Input = [f32; 2], Output = [f32; 3]> + PartialEq + Debug>() {
        let mut online = OnlineDistiller::<S>::ZERO;
        online.learn(&[1.0, 2.0], &CrossEntropy, 1, 0.1);
        assert_ne!(online.student, S::ZERO);
        let mut distiller = Distiller::<S, Sgd<S>>::ZERO;
        distiller.learn(&[1.0, 2.0], &CrossEntropy, 1);
        distiller.update(&SGD);
        assert_ne!(distiller.student, S::ZERO);
    }
    check::<Right>();
    check::<Left>();
}
