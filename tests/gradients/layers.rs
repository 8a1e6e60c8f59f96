//! Activations and layers: `backward` against finite differences of the forward pass, for parameters and inputs.

use std::fmt::Debug;

use microdistill::activation::{Activation, Identity, LeakyRelu, Relu, Relu6, Sigmoid, Tanh};
use microdistill::layer::{Array, InputGradient};
use microdistill::layout::{ByInput, ByOutput, Layout};
use microdistill::{Chain, Dense, Dropout, Dropped, Mlp, Params, PiecewiseLinear, PiecewiseMlp, Train};
use rand_pcg::Pcg32;

use crate::common::numbers;
use crate::difference::{assert_close, derivative};

/// Compares `apply` with `formula` and `backward` with its finite differences, away from the kinks at 0 and 6.
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
    // No overflow in between.
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
    fn layouts<A: Activation + PartialEq>() {
        shapes::<A, ByOutput>();
        shapes::<A, ByInput>();
    }
    layouts::<Identity>();
    layouts::<Relu>();
    layouts::<Relu6>();
    layouts::<Tanh>();
    layouts::<Sigmoid>();
}

/// Asserts that both layouts compute the same bits, except for the sign of a zero.
#[test]
fn layouts_compute_the_same_numbers() {
    type Wanted = for<'a> fn(&'a mut [f32; 7]) -> InputGradient<'a, [f32; 7]>;
    fn check<A: Activation>() {
        type Layer<A, L> = Dense<7, 5, A, f32, L>;
        for seed in 0..20 {
            let mut number = numbers(seed);
            // Zeros, as an inactive ReLU gives.
            let mut number = || [0.0, number() as f32][usize::from(number() > -0.3)];
            let weights = std::array::from_fn(|_| std::array::from_fn(|_| number()));
            let (bias, x) = (std::array::from_fn(|_| number()), std::array::from_fn(|_| number()));
            let dz = std::array::from_fn(|_| number());
            let a = Layer::<A, ByOutput>::new(weights, bias);
            let b = Layer::<A, ByInput>::new(weights, bias);
            assert_eq!(row_major(b.weights()), a.weights());
            let mut tapes = [[0.0; 5]; 2];
            a.record(&x, &mut tapes[0]);
            b.record(&x, &mut tapes[1]);
            assert_eq!(tapes[0], tapes[1]);
            let wants: [Wanted; 3] =
                [|_| InputGradient::None, |dx| InputGradient::All(dx), |dx| InputGradient::Active(dx)];
            for wanted in wants {
                let (mut gradient_a, mut gradient_b) =
                    (Layer::<A, ByOutput>::ZERO, Layer::<A, ByInput>::ZERO);
                let (mut moved_a, mut moved_b) = (a, b);
                let mut dx = [[9.0; 7]; 4];
                let [dx_a, dx_b, dx_moved_a, dx_moved_b] = &mut dx;
                a.backward(&x, &tapes[0], &dz, &mut gradient_a, wanted(dx_a));
                b.backward(&x, &tapes[1], &dz, &mut gradient_b, wanted(dx_b));
                moved_a.descend(&x, &tapes[0], &dz, wanted(dx_moved_a));
                moved_b.descend(&x, &tapes[1], &dz, wanted(dx_moved_b));
                assert!(dx.iter().all(|other| *other == dx[0]), "{dx:?}");
                for (a, b) in [(gradient_a, gradient_b), (moved_a, moved_b)] {
                    assert_eq!(row_major(b.weights()), a.weights());
                    assert_eq!(b.bias, a.bias);
                }
            }
        }
    }
    fn row_major(by_input: &[f32]) -> Vec<f32> {
        (0..5).flat_map(|output| by_input.iter().skip(output).step_by(5)).copied().collect()
    }
    check::<Relu>();
    check::<Relu6>();
    check::<Tanh>();
}

pub(crate) fn chain() {
    type First = Dense<3, 6, Relu, f64>;
    type Second = Dense<6, 5, Tanh, f64, ByInput>;
    type Third = Dense<5, 4, Relu6, f64>;
    type Last = Dense<4, 2, Identity, f64, ByInput>;
    check(Chain::<First, Second>::ZERO);
    check(Chain::<First, Chain<Dropout<6, 30, f64>, Dense<6, 5, Identity, f64, ByInput>>>::ZERO);
    check(Chain::<First, Chain<Second, Chain<Third, Last>>>::ZERO);
    check(Chain::<Chain<First, Second>, Chain<Third, Last>>::ZERO);
}

pub(crate) fn network() {
    check(<Mlp![4, 3; Relu, f64]>::ZERO);
    check(<Mlp![4, 6, 5, 3; Relu, f64]>::ZERO);
    check(<Mlp![4, 6, 5, 3; Relu6, f64]>::ZERO);
    check(<Mlp![4, 6, 5, 3; Tanh, f64]>::ZERO);
    check(<Mlp![2, 4, 4, 4, 4, 4, 1; Tanh, f64]>::ZERO);
}

/// Each feature lies within a piece of its own rows.
pub(crate) fn piecewise_linear() {
    fn within(x: &mut [f64]) {
        for (feature, x) in x.iter_mut().enumerate() {
            *x = 3.0 * feature as f64 + 1.0 + 0.4 * (1.0 + *x);
        }
    }
    fn shapes<A: Activation + PartialEq>() {
        check_at(PiecewiseLinear::<3, 9, 4, A, f64>::ZERO, within);
        check_at(PiecewiseLinear::<1, 3, 2, A, f64>::ZERO, within);
    }
    shapes::<Identity>();
    shapes::<Relu>();
    shapes::<Tanh>();
    check_at(<PiecewiseMlp![12; 4, 3; Relu, f64]>::ZERO, within);
    check_at(<PiecewiseMlp![12; 4, 6, 5, 3; Relu, f64]>::ZERO, within);
    check_at(<PiecewiseMlp![12; 4, 6, 3; Tanh, f64]>::ZERO, within);
}

/// Compares a pass with a recorded mask with finite differences under the same mask.
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
        student.backward(&x, &recorded, &dy, &mut gradient, InputGradient::All(&mut dx));
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
    // Before a mask is drawn, nothing is dropped or scaled.
    check(Student::ZERO);
    check(Chain::<Dense<3, 6, Relu, f64>, Chain<Dropout<6, 30, f64>, Last>>::ZERO);
}

/// Compares `backward` with finite differences of `Σ dy·y`, for random parameters, inputs and `dy`.
pub(crate) fn check<N>(zero: N)
where
    N: Train<Scalar = f64, Tape: Outputs> + Copy + PartialEq + Debug,
{
    check_at(zero, |_| ());
}

/// [`check`] at inputs that `place` makes of random numbers in ±1, one of them zero.
fn check_at<N>(zero: N, place: fn(&mut [f64]))
where
    N: Train<Scalar = f64, Tape: Outputs> + Copy + PartialEq + Debug,
{
    for seed in 0..3 {
        let mut number = numbers(seed);
        let (mut network, mut x, mut dy) = (zero, N::Input::ZEROED, N::Output::ZEROED);
        fill(&mut network, &mut number);
        x.as_mut_slice().fill_with(&mut number);
        // One input is zero, as an inactive ReLU gives.
        let off = (seed as usize + 1) % x.as_slice().len();
        x.as_mut_slice()[off] = 0.0;
        place(x.as_mut_slice());
        dy.as_mut_slice().fill_with(&mut number);

        let mut tape = N::TAPE;
        network.record(&x, &mut tape);
        let signs = signs(&tape);
        // `Σ dy·y`, provided that no unit has crossed the kink of ReLU.
        let value = |network: &N, x: &N::Input| {
            let mut tape = N::TAPE;
            network.record(x, &mut tape);
            assert_eq!(self::signs(&tape), signs, "a unit is too close to its kink: use another seed");
            N::output(&tape).as_slice().iter().zip(dy.as_slice()).map(|(y, dy)| y * dy).sum::<f64>()
        };

        let mut dz = dy;
        N::through_activation(&tape, &mut dz);
        // `backward` adds to the gradient and overwrites `dx`.
        let mut offset = zero;
        fill(&mut offset, || 0.25);
        let (mut gradient, dx) = pass(&x, |dx| {
            let mut gradient = offset;
            network.backward(&x, &tape, &dz, &mut gradient, dx);
            gradient
        });
        let ((), alone) = pass(&x, |dx| network.input_gradient(&x, &tape, &dz, dx));
        assert_eq!(alone, dx, "the input's gradient differs when it is computed alone");
        check_descend(&network, &x, &tape, &dz, dx);

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

/// Asserts that `descend` adds the gradient to the parameters. The bits are equal because each element is one product.
fn check_descend<N>(network: &N, x: &N::Input, tape: &N::Tape, dz: &N::Output, dx: N::Input)
where
    N: Train<Scalar = f64> + Copy + PartialEq + Debug,
{
    let mut expected = N::ZERO;
    network.backward(x, tape, dz, &mut expected, InputGradient::None);
    for ((_, expected), (_, parameters)) in expected.tensors_mut().zip(network.tensors()) {
        expected.iter_mut().zip(parameters).for_each(|(expected, parameter)| *expected += parameter);
    }
    let descended = pass(x, |dx| {
        let mut network = *network;
        network.descend(x, tape, dz, dx);
        network
    });
    assert_eq!(descended, (expected, dx), "the input's gradient must use the weights before the step");
}

/// Result of a backward pass and the whole gradient of the input. Asserts that asking for less of it changes nothing.
fn pass<N: PartialEq + Debug, X: Array<Item = f64>>(
    x: &X,
    backward: impl Fn(InputGradient<'_, X>) -> N,
) -> (N, X) {
    let (mut all, mut active) = (X::ZEROED, X::ZEROED);
    all.as_mut_slice().fill(f64::NAN);
    active.as_mut_slice().fill(f64::NAN);
    let parameters = backward(InputGradient::All(&mut all));
    assert_eq!(backward(InputGradient::Active(&mut active)), parameters);
    assert_eq!(backward(InputGradient::None), parameters);
    for ((x, active), all) in x.as_slice().iter().zip(active.as_slice()).zip(all.as_slice()) {
        assert_eq!(*active, if *x == 0.0 { 0.0 } else { *all });
    }
    (parameters, all)
}

fn parameter<N: Params>(network: &mut N, index: usize) -> &mut N::Scalar {
    network.tensors_mut().flat_map(|(_, tensor)| tensor).nth(index).unwrap()
}

fn fill<N: Params<Scalar = f64>>(network: &mut N, mut number: impl FnMut() -> f64) {
    network.tensors_mut().for_each(|(_, tensor)| tensor.fill_with(&mut number));
}

/// True for each inactive unit.
fn signs(tape: &impl Outputs) -> Vec<bool> {
    tape.outputs().iter().map(|&y| y == 0.0).collect()
}

/// All activations of a tape.
pub(crate) trait Outputs {
    fn outputs(&self) -> Vec<f64>;
}

impl<const N: usize> Outputs for [f64; N] {
    fn outputs(&self) -> Vec<f64> {
        self.to_vec()
    }
}

/// Empty, because no mask is drawn: the layer before has the same outputs.
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
