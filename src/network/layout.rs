//! How the weights of a dense layer lie in memory. A layout changes how fast a layer is; of finite numbers it changes no
//! bit.

use core::fmt::Debug;
use core::slice;

use crate::activation::Activation;
use crate::kernel::Kernels;
use crate::layer::InputGradient;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ByOutput {}
    impl Sealed for super::ByInput {}
}

/// The order of a layer's weights and the kernels for it.
///
/// Slices have the shapes that [`Kernels`] gives them; `w` and `dw` lie in this order.
pub trait Layout: sealed::Sealed + Copy + Debug + 'static {
    /// True if the weights of one input are adjacent, instead of those of one output.
    const BY_INPUT: bool;

    /// `y = A(w·x + b)`
    fn forward<T: Kernels, A: Activation>(w: &[T], b: &[T], x: &[T], y: &mut [T]);
    /// The input's gradient, `wᵀ·dz`, alone.
    fn input_gradient<T: Kernels>(w: &[T], x: &[T], dz: &[T], dx: InputGradient<'_, [T]>);
    /// `dw += dz ⊗ x`, `db += dz`, and the input's gradient.
    fn backward<T: Kernels>(
        w: &[T],
        gradient: (&mut [T], &mut [T]),
        x: &[T],
        dz: &[T],
        dx: InputGradient<'_, [T]>,
    );
    /// As [`backward`](Layout::backward), but the parameters themselves are what moves: `w += dz ⊗ x`, `b += dz`. The
    /// input's gradient is by the weights as they were.
    fn descend<T: Kernels>(parameters: (&mut [T], &mut [T]), x: &[T], dz: &[T], dx: InputGradient<'_, [T]>);
}

/// Shape (O, I), row-major, as files and exported consts have it. The first layer's: outputs whose gradient is zero, as of
/// a ReLU that is off, cost nothing in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByOutput;

/// Shape (I, O), row-major. For a layer behind a ReLU: inputs that are zero cost nothing, in inference and in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByInput;

impl Layout for ByOutput {
    const BY_INPUT: bool = false;

    #[inline]
    fn forward<T: Kernels, A: Activation>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
        A::affine(w, b, x, y);
    }
    #[inline]
    fn input_gradient<T: Kernels>(w: &[T], x: &[T], dz: &[T], dx: InputGradient<'_, [T]>) {
        dx.write(x, |dx| {
            dx.fill(T::ZERO);
            T::affine_input_gradient(w, dz, dx);
        });
    }
    #[inline(always)] // so that the kernels' widths are known
    fn backward<T: Kernels>(
        w: &[T],
        (dw, db): (&mut [T], &mut [T]),
        x: &[T],
        dz: &[T],
        dx: InputGradient<'_, [T]>,
    ) {
        Self::input_gradient(w, x, dz, dx);
        T::affine_parameter_gradient(x, dz, dw, db);
    }
    #[inline(always)] // so that the kernels' widths are known
    fn descend<T: Kernels>((w, b): (&mut [T], &mut [T]), x: &[T], dz: &[T], dx: InputGradient<'_, [T]>) {
        Self::input_gradient(w, x, dz, dx);
        T::affine_parameter_gradient(x, dz, w, b);
    }
}

impl Layout for ByInput {
    const BY_INPUT: bool = true;

    #[inline]
    fn forward<T: Kernels, A: Activation>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
        T::affine_by_input(w, b, x, y);
        A::apply_all(y);
    }
    fn input_gradient<T: Kernels>(w: &[T], x: &[T], dz: &[T], dx: InputGradient<'_, [T]>) {
        let (dx, active) = match dx {
            InputGradient::None => return,
            InputGradient::All(dx) => (dx, false),
            InputGradient::Active(dx) => (dx, true),
        };
        // An input's weights are a row, and its gradient is what an output is elsewhere: their product with a vector.
        for ((row, &x), dx) in w.chunks_exact(dz.len().max(1)).zip(x).zip(dx) {
            if active && x == T::ZERO {
                *dx = T::ZERO;
            } else {
                T::affine(row, &[T::ZERO], dz, slice::from_mut(dx));
            }
        }
    }
    #[inline(always)] // so that the kernels' widths are known
    fn backward<T: Kernels>(
        w: &[T],
        (dw, db): (&mut [T], &mut [T]),
        x: &[T],
        dz: &[T],
        dx: InputGradient<'_, [T]>,
    ) {
        match dx {
            InputGradient::None => T::add_outer(x, dz, dw),
            InputGradient::All(dx) => T::by_input_gradients::<false>(w, x, dz, dw, dx),
            InputGradient::Active(dx) => T::by_input_gradients::<true>(w, x, dz, dw, dx),
        }
        T::add_all(dz, db);
    }
    #[inline(always)] // so that the kernels' widths are known
    fn descend<T: Kernels>((w, b): (&mut [T], &mut [T]), x: &[T], dz: &[T], dx: InputGradient<'_, [T]>) {
        match dx {
            InputGradient::None => T::add_outer(x, dz, w),
            InputGradient::All(dx) => T::by_input_descend::<false>(w, x, dz, dx),
            InputGradient::Active(dx) => T::by_input_descend::<true>(w, x, dz, dx),
        }
        T::add_all(dz, b);
    }
}
