//! Networks in flash, by types that stand for them, and for their layers.

use core::fmt::Debug;
use core::marker::PhantomData;

use crate::activation::Activation;
use crate::dense::Dense;
use crate::kernel::Kernels;
use crate::layer::Train;
use crate::layout::Layout;
use crate::network::Network;
use crate::network::chain::Chain;
use crate::network::piecewise::PiecewiseLinear;

/// A type that stands for a network, or a layer of it, in flash. Since the type says where it lies, a student that shares
/// it holds no reference, and nothing but what it trains. [`shipped!`](crate::shipped) makes one.
pub trait Shipped: Copy + Debug + PartialEq + 'static {
    /// The network's type, or the layer's.
    type Layer: Train + 'static;
    /// The layer in flash.
    const LAYER: &'static Self::Layer;

    /// A student with the shipped parameters, which trains what its type says.
    fn student<P: StartsAs<Self>>() -> P {
        P::START
    }
}

/// A type that stands for a network in flash: `shipped!(Factory: Student = STUDENT)`, by the names of an exported file.
#[macro_export]
macro_rules! shipped {
    ($(#[$attribute:meta])* $visibility:vis $name:ident: $network:ty = $place:expr) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        $visibility struct $name;

        impl $crate::finetune::Shipped for $name {
            type Layer = $network;
            const LAYER: &'static $network = &$place;
        }
    };
}

/// The layers of a network that is shipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layers<S>(PhantomData<S>);

/// The first layer of a [`Chain`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct First<S>(PhantomData<S>);

/// The layers of a [`Chain`] behind the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rest<S>(PhantomData<S>);

impl<S, L, const SCRATCH: usize> Shipped for Layers<S>
where
    S: Shipped<Layer = Network<L, SCRATCH>>,
    L: Train + 'static,
{
    type Layer = L;
    const LAYER: &'static L = &S::LAYER.layers;
}

impl<S, A, B> Shipped for First<S>
where
    S: Shipped<Layer = Chain<A, B>>,
    A: Train + 'static,
    B: Train<Scalar = A::Scalar, Input = A::Output> + 'static,
{
    type Layer = A;
    const LAYER: &'static A = &S::LAYER.0;
}

impl<S, A, B> Shipped for Rest<S>
where
    S: Shipped<Layer = Chain<A, B>>,
    A: Train + 'static,
    B: Train<Scalar = A::Scalar, Input = A::Output> + 'static,
{
    type Layer = B;
    const LAYER: &'static B = &S::LAYER.1;
}

/// A network, or a layer, that can take the place of the shipped `S`, whichever of its parameters are trained.
pub trait StartsAs<S: Shipped>: Train {
    /// The value that has the parameters of `S`.
    const START: Self;
}

impl<S, L, P, const SCRATCH: usize> StartsAs<S> for Network<P, SCRATCH>
where
    S: Shipped<Layer = Network<L, SCRATCH>>,
    L: Train + 'static,
    P: StartsAs<Layers<S>>,
{
    const START: Self = Network { layers: P::START };
}

impl<S, A, B, P, Q> StartsAs<S> for Chain<P, Q>
where
    S: Shipped<Layer = Chain<A, B>>,
    A: Train + 'static,
    B: Train<Scalar = A::Scalar, Input = A::Output> + 'static,
    P: StartsAs<First<S>>,
    Q: StartsAs<Rest<S>> + Train<Scalar = P::Scalar, Input = P::Output>,
{
    const START: Self = Chain(P::START, Q::START);
}

impl<S, const I: usize, const O: usize, A, T, L> StartsAs<S> for Dense<I, O, A, T, L>
where
    S: Shipped<Layer = Self>,
    A: Activation,
    T: Kernels,
    L: Layout,
{
    const START: Self = *S::LAYER;
}

impl<S, const I: usize, const R: usize, const O: usize, A, T> StartsAs<S> for PiecewiseLinear<I, R, O, A, T>
where
    S: Shipped<Layer = Self>,
    A: Activation,
    T: Kernels,
{
    const START: Self = *S::LAYER;
}
