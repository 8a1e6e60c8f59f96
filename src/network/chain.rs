//! Layers in a row.

use rand_core::Rng;

use crate::fingerprint;
use crate::layer::{Array, InputGradient, Layer, Params, Role, Train};
use crate::network::scratch::{End, Scratch};

/// `B ∘ A`: the first layer, then the second. Nest to the right for any depth: `Chain<A, Chain<B, C>>`.
///
/// The output of one layer is the input of the next, or it does not compile:
///
/// ```compile_fail,E0271
/// use microdistill::{Chain, Dense, Network};
///
/// type Broken = Chain<Dense<4, 16>, Dense<8, 3>>;
/// Network::<Broken, 20>::new(Chain(Dense::new([[0.0; 4]; 16], [0.0; 16]), Dense::new([[0.0; 8]; 3], [0.0; 3])));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chain<A, B>(pub A, pub B);

impl<A: Layer, B: Layer<Item = A::Item, Input = A::Output>> Layer for Chain<A, B> {
    type Item = A::Item;
    type Input = A::Input;
    type Output = B::Output;
    const SCRATCH: usize = if A::SCRATCH > B::SCRATCH { A::SCRATCH } else { B::SCRATCH };

    fn run<const WORDS: usize>(&self, scratch: &mut Scratch<A::Item, WORDS>, from: End) -> End {
        let hidden = self.0.run(scratch, from);
        self.1.run(scratch, hidden)
    }
}

impl<A: Params, B: Params<Scalar = A::Scalar>> Params for Chain<A, B> {
    type Scalar = A::Scalar;
    const ZERO: Self = Chain(A::ZERO, B::ZERO);
    const COUNT: usize = A::COUNT + B::COUNT;
    const FINGERPRINT: u32 = fingerprint::chain(A::FINGERPRINT, B::FINGERPRINT);

    fn tensors(&self) -> impl Iterator<Item = (Role, &[A::Scalar])> {
        self.0.tensors().chain(self.1.tensors())
    }
    fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [A::Scalar])> {
        self.0.tensors_mut().chain(self.1.tensors_mut())
    }
    fn initialize(&mut self, rng: &mut impl Rng) {
        self.0.initialize(rng);
        self.1.initialize(rng);
    }
}

impl<A: Train, B: Train<Scalar = A::Scalar, Input = A::Output>> Train for Chain<A, B> {
    type Tape = (A::Tape, B::Tape);
    const TAPE: Self::Tape = (A::TAPE, B::TAPE);
    const GATE: bool = B::GATE;

    fn draw((a, b): &mut Self::Tape, rng: &mut impl Rng) {
        A::draw(a, rng);
        B::draw(b, rng);
    }
    fn record(&self, x: &A::Input, (a, b): &mut Self::Tape) {
        self.0.record(x, a);
        self.1.record(A::output(a), b);
    }
    fn output((_, b): &Self::Tape) -> &B::Output {
        B::output(b)
    }
    fn through_activation((_, b): &Self::Tape, dy: &mut B::Output) {
        B::through_activation(b, dy);
    }
    fn input_gradient(
        &self,
        x: &A::Input,
        (a, b): &Self::Tape,
        dz: &B::Output,
        dx: InputGradient<'_, A::Input>,
    ) {
        let mut hidden = A::Output::ZEROED;
        self.1.input_gradient(A::output(a), b, dz, wanted::<A>(&mut hidden));
        finish::<A>(a, &mut hidden);
        self.0.input_gradient(x, a, &hidden, dx);
    }
    fn backward(
        &self,
        x: &A::Input,
        (a, b): &Self::Tape,
        dz: &B::Output,
        gradient: &mut Self,
        dx: InputGradient<'_, A::Input>,
    ) {
        if is_done::<A>(&dx) {
            return self.1.backward(A::output(a), b, dz, &mut gradient.1, InputGradient::None);
        }
        let mut hidden = A::Output::ZEROED;
        self.1.backward(A::output(a), b, dz, &mut gradient.1, wanted::<A>(&mut hidden));
        finish::<A>(a, &mut hidden);
        self.0.backward(x, a, &hidden, &mut gradient.0, dx);
    }
    fn descend(
        &mut self,
        x: &A::Input,
        (a, b): &Self::Tape,
        dz: &B::Output,
        dx: InputGradient<'_, A::Input>,
    ) {
        if is_done::<A>(&dx) {
            return self.1.descend(A::output(a), b, dz, InputGradient::None);
        }
        let mut hidden = A::Output::ZEROED;
        self.1.descend(A::output(a), b, dz, wanted::<A>(&mut hidden));
        finish::<A>(a, &mut hidden);
        self.0.descend(x, a, &hidden, dx);
    }
}

/// Returns true if no gradient needs to reach `A`: it has nothing to train, and no caller wants the gradient
/// of its input.
fn is_done<A: Train>(dx: &InputGradient<'_, A::Input>) -> bool {
    A::COUNT == 0 && matches!(dx, InputGradient::None)
}

/// Returns what the layer behind `A` must write.
fn wanted<A: Train>(dy: &mut A::Output) -> InputGradient<'_, A::Output> {
    if A::GATE { InputGradient::Active(dy) } else { InputGradient::All(dy) }
}

/// Finishes the gradient before `A` continues.
fn finish<A: Train>(tape: &A::Tape, dy: &mut A::Output) {
    if !A::GATE {
        A::through_activation(tape, dy);
    }
}
