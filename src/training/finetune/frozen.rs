//! Layers that stay as they were shipped.

use core::marker::PhantomData;

use rand_core::Rng;

use super::shipped::{Shipped, StartsAs};
use crate::fingerprint;
use crate::layer::{InputGradient, Layer, Params, Role, Train};
use crate::network::scratch::{End, Scratch};

/// A layer, or several, read from flash as they were shipped. There are no parameters to be trained, and no memory is
/// taken; layers before and behind may be trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frozen<S>(PhantomData<S>);

impl<S: Shipped> Layer for Frozen<S> {
    type Item = <S::Layer as Layer>::Item;
    type Input = <S::Layer as Layer>::Input;
    type Output = <S::Layer as Layer>::Output;
    const SCRATCH: usize = S::Layer::SCRATCH;

    fn run<const WORDS: usize>(&self, scratch: &mut Scratch<Self::Item, WORDS>, from: End) -> End {
        S::LAYER.run(scratch, from)
    }
}

impl<S: Shipped> Params for Frozen<S> {
    type Scalar = <S::Layer as Params>::Scalar;
    const ZERO: Self = Frozen(PhantomData);
    const COUNT: usize = 0;
    const FINGERPRINT: u32 = fingerprint::frozen(S::Layer::FINGERPRINT);

    fn tensors(&self) -> impl Iterator<Item = (Role, &[Self::Scalar])> {
        core::iter::empty()
    }
    fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [Self::Scalar])> {
        core::iter::empty()
    }
    fn initialize(&mut self, _rng: &mut impl Rng) {}
}

impl<S: Shipped> Train for Frozen<S> {
    type Tape = <S::Layer as Train>::Tape;
    const TAPE: Self::Tape = S::Layer::TAPE;
    const GATE: bool = S::Layer::GATE;

    fn record(&self, x: &Self::Input, tape: &mut Self::Tape) {
        S::LAYER.record(x, tape);
    }
    fn output(tape: &Self::Tape) -> &Self::Output {
        S::Layer::output(tape)
    }
    fn through_activation(tape: &Self::Tape, dy: &mut Self::Output) {
        S::Layer::through_activation(tape, dy);
    }
    fn input_gradient(
        &self,
        x: &Self::Input,
        tape: &Self::Tape,
        dz: &Self::Output,
        dx: InputGradient<'_, Self::Input>,
    ) {
        S::LAYER.input_gradient(x, tape, dz, dx);
    }
    fn backward(
        &self,
        x: &Self::Input,
        tape: &Self::Tape,
        dz: &Self::Output,
        _gradient: &mut Self,
        dx: InputGradient<'_, Self::Input>,
    ) {
        self.input_gradient(x, tape, dz, dx);
    }
    fn descend(
        &mut self,
        x: &Self::Input,
        tape: &Self::Tape,
        dz: &Self::Output,
        dx: InputGradient<'_, Self::Input>,
    ) {
        self.input_gradient(x, tape, dz, dx);
    }
}

impl<S: Shipped> StartsAs<S> for Frozen<S> {
    const START: Self = Self::ZERO;
}
