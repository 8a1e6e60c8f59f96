//! A dense layer that trains its biases.

use core::marker::PhantomData;

use rand_core::Rng;

use super::shipped::{Shipped, StartsAs};
use crate::activation::Activation;
use crate::dense::Dense;
use crate::fingerprint;
use crate::kernel::Kernels;
use crate::layer::{InputGradient, Layer, Params, Role, Train};
use crate::layout::Layout;
use crate::network::scratch::{End, Scratch};

/// A [`Dense`] layer with the weights of the one in flash, and a bias of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BiasOnly<S: Shipped> {
    /// Shape (O).
    pub bias: <<S as Shipped>::Layer as Layer>::Output,
    weights: PhantomData<S>,
}

/// An `impl` for the biases of every [`Dense`] layer in flash.
macro_rules! of_dense {
    (impl $trait:ident $(<$shipped:ident>)? for BiasOnly<S> { $($item:item)* }) => {
        impl<S, const I: usize, const O: usize, A, T, L> $trait $(<$shipped>)? for BiasOnly<S>
        where
            S: Shipped<Layer = Dense<I, O, A, T, L>>,
            A: Activation,
            T: Kernels,
            L: Layout,
        {
            $($item)*
        }
    };
}

of_dense! { impl Layer for BiasOnly<S> {
    type Item = T;
    type Input = [T; I];
    type Output = [T; O];
    const SCRATCH: usize = I + O;

    fn run<const WORDS: usize>(&self, scratch: &mut Scratch<T, WORDS>, from: End) -> End {
        S::LAYER.run_with(&self.bias, scratch, from)
    }
}}

of_dense! { impl Params for BiasOnly<S> {
    type Scalar = T;
    const ZERO: Self = BiasOnly { bias: [T::ZERO; O], weights: PhantomData };
    const COUNT: usize = O;
    const FINGERPRINT: u32 = fingerprint::bias_only(S::Layer::FINGERPRINT);

    fn tensors(&self) -> impl Iterator<Item = (Role, &[T])> {
        core::iter::once((Role::Bias, self.bias.as_slice()))
    }
    fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [T])> {
        core::iter::once((Role::Bias, self.bias.as_mut_slice()))
    }
    fn initialize(&mut self, _rng: &mut impl Rng) {
        self.bias = [T::ZERO; O];
    }
}}

of_dense! { impl Train for BiasOnly<S> {
    type Tape = [T; O];
    const TAPE: [T; O] = [T::ZERO; O];
    const GATE: bool = A::GATE;

    fn record(&self, x: &[T; I], tape: &mut [T; O]) {
        S::LAYER.forward_with(&self.bias, x, tape);
    }
    fn output(tape: &[T; O]) -> &[T; O] {
        tape
    }
    fn through_activation(tape: &[T; O], dy: &mut [T; O]) {
        S::Layer::through_activation(tape, dy);
    }
    fn input_gradient(&self, x: &[T; I], tape: &[T; O], dz: &[T; O], dx: InputGradient<'_, [T; I]>) {
        S::LAYER.input_gradient(x, tape, dz, dx);
    }
    fn backward(
        &self,
        x: &[T; I],
        tape: &[T; O],
        dz: &[T; O],
        gradient: &mut Self,
        dx: InputGradient<'_, [T; I]>,
    ) {
        T::add_all(dz, &mut gradient.bias);
        self.input_gradient(x, tape, dz, dx);
    }
    fn descend(&mut self, x: &[T; I], tape: &[T; O], dz: &[T; O], dx: InputGradient<'_, [T; I]>) {
        T::add_all(dz, &mut self.bias);
        self.input_gradient(x, tape, dz, dx);
    }
}}

of_dense! { impl StartsAs<S> for BiasOnly<S> {
    const START: Self = BiasOnly { bias: S::LAYER.bias, weights: PhantomData };
}}
