//! Activations and layers: `backward` against differences of the forward pass, in parameters and inputs.

use microdistill::activation::{Activation, Identity, LeakyRelu, Relu, Relu6, Sigmoid, Tanh};
use microdistill::layer::{Array, InputGradient};
use microdistill::layout::{ByInput, ByOutput, Layout};
use microdistill::{Chain, Dense, Dropout, Dropped, Mlp, Params, Train};
use rand_pcg::Pcg32;

use crate::common::numbers;
use crate::difference::{assert_close, derivative};

/// `apply` against `formula`, `backward` against the formula's differences, away from kinks at 0 and 6.
pub(crate) fn activation<A: Activation>(formula: fn(f64) -> f64) {
    for z in [-7.0, -3.0, -1.3, -0.4, -0.05, 0.05, 0.2, 0.7, 2.5, 5.9, 6.1, 7.0] {
        let y = A::apply(z);
        assert_close(y, formula(z));
        for dy in [1.0, -1.7] {
            assert_close(A::backward(y, dy), dy * derivative(|h| formula(z + h)));
        }
    }
}

pub(crate) fn leaky_relu() {
    activation::<LeakyRelu>(|z| if z < 0.0 { 0.01 * z } else { z });
    activation::<LeakyRelu<1, 3>>(|z| if z < 0.0 { z / 3.0 } else { z });
    activation::<LeakyRelu<0, 1>>(|z| if z < 0.0 { 0.0 } else { z });
    activation::<LeakyRelu<1, 1>>(|z| z);
    // He et al. 2015, equation 14: 1 + 1/9 of 90, and of 100, rounded down.
    assert_eq!([90, 100].map(|inputs| LeakyRelu::<1, 3>::fan(inputs, 7)), [100, 111]);
}

pub(crate) fn sigmoid() {
    activation::<Sigmoid>(|z| (1.0 + (z / 2.0).tanh()) / 2.0);
    // No overflow on the way.
    assert_eq!([-1000.0, 1000.0f32].map(Sigmoid::apply), [0.0, 1.0]);
    assert_close(Sigmoid::apply(-700.0f64).ln(), -700.0);
    assert!(Sigmoid::apply(f32::NAN).is_nan());
}

pub(crate) fn dense() {
    fn shapes<A: Activation + PartialEq, L: Layout + PartialEq>() {
        check(Dense::<3, 4, A, f64, L>::ZERO);
        check(Dense::<1, 7, A, f64, L>::ZERO);
        check(Dense::<6, 2, A, f64, L>::ZERO);
    }
    fn activations<L: Layout + PartialEq>() {
        shapes::<Identity, L>();
        shapes::<Relu, L>();
        shapes::<Relu6, L>();
        shapes::<Tanh, L>();
        shapes::<Sigmoid, L>();
    }
    activations::<ByOutput>();
    activations::<ByInput>();
}

pub(crate) fn chain() {
    type First = Dense<3, 6, Relu, f64>;
    type Second = Dense<6, 5, Tanh, f64>;
    type Third = Dense<5, 4, Relu, f64>;
    type Last = Dense<4, 2, Identity, f64>;
    check(Chain::<First, Second>::ZERO);
    check(Chain::<First, Dense<6, 5, Relu, f64, ByInput>>::ZERO);
    check(Chain::<Dense<3, 6, Relu6, f64>, Dense<6, 5, Relu, f64, ByInput>>::ZERO);
    check(Chain::<First, Chain<Dropout<6, 30, f64>, Dense<6, 5, Identity, f64, ByInput>>>::ZERO);
    check(Chain::<First, Chain<Second, Chain<Third, Last>>>::ZERO);
    check(Chain::<Chain<First, Second>, Chain<Third, Last>>::ZERO);
}

pub(crate) fn network() {
    check(<Mlp![4, 3; Relu, f64]>::ZERO);
    check(<Mlp![4, 6, 5, 3; Relu, f64]>::ZERO);
    check(<Mlp![4, 6, 5, 3; Tanh, f64]>::ZERO);
    check(<Mlp![2, 4, 4, 4, 4, 4, 1; Tanh, f64]>::ZERO);
}

/// A pass with a mask is the pass of a plain network whose activations are cut by it.
pub(crate) fn dropout() {
    type First = Dense<3, 6, Tanh, f64>;
    type Last = Dense<6, 2, Identity, f64>;
    type Student = Chain<First, Chain<Dropout<6, 30, f64>, Last>>;
    for seed in 0..5 {
        let (mut number, mut rng) = (numbers(seed), Pcg32::new(seed, 3));
        let mut student = Student::ZERO;
        fill(&mut student, &mut number);
        let mut x: [f64; 3] = std::array::from_fn(|_| number());
        let (dy, mut tape) = ([number(), number()], Student::TAPE);
        Student::draw(&mut tape, &mut rng);
        let value = |student: &Student, x: &[f64; 3]| {
            let mut tape = tape;
            student.record(x, &mut tape);
            Student::output(&tape).iter().zip(&dy).map(|(y, dy)| y * dy).sum::<f64>()
        };
        let mut recorded = tape;
        student.record(&x, &mut recorded);
        let (mut gradient, mut dx) = (Student::ZERO, [f64::NAN; 3]);
        student.backward(&x, &recorded, dy, &mut gradient, InputGradient::All(&mut dx));
        for index in 0..Student::COUNT {
            let expected = derivative(|h| {
                let mut student = student;
                *parameter(&mut student, index) += h;
                value(&student, &x)
            });
            assert_close(*parameter(&mut gradient, index), expected);
        }
        for (index, found) in dx.into_iter().enumerate() {
            let expected = derivative(|h| {
                x[index] += h;
                let value = value(&student, &x);
                x[index] -= h;
                value
            });
            assert_close(found, expected);
        }
    }
    // Before a mask is drawn nothing is dropped, nor scaled.
    check(Student::ZERO);
}

/// `backward` against differences of `Σ dy·y`, for random parameters, inputs and `dy`.
fn check<N: Train<Scalar = f64, Tape: Outputs> + Copy + PartialEq + std::fmt::Debug>(zero: N) {
    for seed in 0..3 {
        let mut number = numbers(seed);
        let (mut network, mut x, mut dy) = (zero, N::Input::ZEROED, N::Output::ZEROED);
        fill(&mut network, &mut number);
        x.as_mut_slice().fill_with(&mut number);
        dy.as_mut_slice().fill_with(&mut number);

        let mut tape = N::TAPE;
        network.record(&x, &mut tape);
        let signs = signs(&tape);
        // `Σ dy·y`, where no unit has crossed the kink of ReLU.
        let value = |network: &N, x: &N::Input| {
            let mut tape = N::TAPE;
            network.record(x, &mut tape);
            assert_eq!(self::signs(&tape), signs, "a unit is too close to its kink: take another seed");
            N::output(&tape).as_slice().iter().zip(dy.as_slice()).map(|(y, dy)| y * dy).sum::<f64>()
        };

        // `backward` adds to the gradient and overwrites `dx`.
        let mut gradient = zero;
        fill(&mut gradient, || 0.25);
        let mut dx = N::Input::ZEROED;
        dx.as_mut_slice().fill(f64::NAN);
        let (mut alone, mut moved, before) = (gradient, gradient, gradient);
        let (mut dz, mut active) = (dy, N::Input::ZEROED);
        N::through_activation(&tape, &mut dz);
        network.backward(&x, &tape, dz, &mut gradient, InputGradient::All(&mut dx));
        network.backward(&x, &tape, dz, &mut alone, InputGradient::None);
        assert_eq!(alone, gradient, "the parameters' gradient does not depend on whether dx is wanted");
        let mut alone = before;
        network.backward(&x, &tape, dz, &mut alone, InputGradient::Active(&mut active));
        assert_eq!(alone, gradient, "nor on where");
        assert_eq!(active.as_slice(), dx.as_slice(), "no input is zero");

        // `descend` adds the same to the parameters, and `dx` is by these as they were.
        moved.copy_from(&network);
        let mut dx_moved = N::Input::ZEROED;
        moved.descend(&x, &tape, dz, InputGradient::All(&mut dx_moved));
        assert_eq!(dx_moved.as_slice(), dx.as_slice());
        for index in 0..N::COUNT {
            let [old, new] = [&mut network, &mut moved].map(|network| *parameter(network, index));
            assert_close(new - old, *parameter(&mut gradient, index) - 0.25);
        }

        for index in 0..N::COUNT {
            let expected = derivative(|h| {
                let mut network = network;
                *parameter(&mut network, index) += h;
                value(&network, &x)
            });
            assert_close(*parameter(&mut gradient, index) - 0.25, expected);
        }
        for (index, &dx) in dx.as_slice().iter().enumerate() {
            let expected = derivative(|h| {
                let mut x = x;
                x.as_mut_slice()[index] += h;
                value(&network, &x)
            });
            assert_close(dx, expected);
        }
    }
}

fn parameter<N: Params>(network: &mut N, index: usize) -> &mut N::Scalar {
    network.tensors_mut().flat_map(|(_, tensor)| tensor).nth(index).unwrap()
}

fn fill<N: Params<Scalar = f64>>(network: &mut N, mut number: impl FnMut() -> f64) {
    network.tensors_mut().for_each(|(_, tensor)| tensor.fill_with(&mut number));
}

/// Which units are off.
fn signs(tape: &impl Outputs) -> Vec<bool> {
    tape.outputs().iter().map(|&y| y == 0.0).collect()
}

/// All activations of a tape.
trait Outputs {
    fn outputs(&self) -> Vec<f64>;
}

impl<const N: usize> Outputs for [f64; N] {
    fn outputs(&self) -> Vec<f64> {
        self.to_vec()
    }
}

/// No mask is drawn: the layer before has the same outputs.
impl<const N: usize> Outputs for Dropped<N, f64> {
    fn outputs(&self) -> Vec<f64> {
        Vec::new()
    }
}

impl<A: Outputs, B: Outputs> Outputs for (A, B) {
    fn outputs(&self) -> Vec<f64> {
        [self.0.outputs(), self.1.outputs()].concat()
    }
}
