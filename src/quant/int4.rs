//! The int4 dense layer.

use crate::kernel::Aligned;
use crate::kernel::int4::{self, Packed, Weights};
use crate::layer::Layer;
use crate::network::chain::Chain;
use crate::network::scratch::{End, Scratch, room};
use crate::quant::rescale::Rescale;
use crate::quant::{Clamp, Requantize, Stage};

/// Inputs of an output that share a scale.
pub const GROUP: usize = 32;

/// `y = A(requantize(weights·x + bias))` with weights of 4 bits and codes of 8: `I` inputs, `O` outputs, rows of `BYTES`
/// bytes, which is `⌈I/2⌉`, and `GROUPS` group scales, which is `⌈I/32⌉` or 0; the stage `A` applies the activation to the
/// codes.
///
/// A weight is a code in [-7, 7] times its group's scale, a whole number in 1..=18, times the output's real scale, which
/// is in the requantization. As 18·7 ≤ 127, the products are weights of an int8 layer with the same biases and factors,
/// and so are the outputs: whatever holds for [`DenseI8`](crate::quant::DenseI8) holds here, for half the bytes.
///
/// [`MlpI4!`](crate::MlpI4) writes the type. `BYTES` that are too few or too many do not compile:
///
/// ```compile_fail,E0080
/// use microdistill::quant::{Clamp, DenseI4, Requantize};
///
/// const CLAMP: Clamp = Clamp { zero: 0, lowest: -128, highest: 127 };
/// static LAYER: DenseI4<3, 1, 1> = DenseI4::new([[1, 2, 3]], [[]], [0], [Requantize::new(1 << 30, 0)], CLAMP);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseI4<const I: usize, const O: usize, const BYTES: usize, const GROUPS: usize = 0, A = Clamp> {
    weights: Aligned<[[u8; BYTES]; O]>,
    /// With the scales of the groups, shape (O, GROUPS).
    rescale: Rescale<O, O, A, [[u8; GROUPS]; O]>,
}

impl<const I: usize, const O: usize, const BYTES: usize, const GROUPS: usize, A>
    DenseI4<I, O, BYTES, GROUPS, A>
{
    /// `weights`: codes, shape (O, I), in [-7, 7]. `group_scales`: shape (O, GROUPS), in 1..=18. `bias`: shape (O), of
    /// scale `s_in·s_w`, the input's zero point folded in: `bias − zero_in·Σ w`, where `w` is code times group scale.
    /// `requantize`: `s_in·s_w / s_out`, one an output. `stage`: the zero point of the sums' codes, and the activation.
    pub const fn new(
        weights: [[i8; I]; O],
        group_scales: [[u8; GROUPS]; O],
        bias: [i32; O],
        requantize: [Requantize; O],
        stage: A,
    ) -> Self {
        const {
            assert!(I > 0 && O > 0, "a dense layer needs at least one input and one output");
            assert!(BYTES == I.div_ceil(2), "BYTES is not half the inputs, rounded up");
            assert!(
                GROUPS == 0 || GROUPS == I.div_ceil(GROUP),
                "GROUPS is not a 32nd of the inputs, rounded up, or 0"
            );
        }
        let mut rescale = Rescale::new(bias, requantize, stage, group_scales);
        let mut laid_out = [[0; BYTES]; O];
        let (plain, space) = (weights.as_flattened(), laid_out.as_flattened_mut());
        let group_scales = group_scales.as_flattened();
        rescale.short = int4::lay_out(rescale.plain(Weights { plain, laid_out: space, group_scales }));
        DenseI4 { weights: Aligned(laid_out), rescale }
    }

    /// This layer, then `next`, whose input is this layer's output.
    #[must_use]
    pub const fn then<B: Layer<Input = [i8; O]> + Copy>(self, next: B) -> Chain<Self, B>
    where
        A: Copy,
    {
        Chain(self, next)
    }
}

impl<const I: usize, const O: usize, const BYTES: usize, const GROUPS: usize, A: Stage> Layer
    for DenseI4<I, O, BYTES, GROUPS, A>
{
    type Item = i8;
    type Input = [i8; I];
    type Output = [i8; O];
    const SCRATCH: usize = room::<i8>(I) + room::<i8>(O);

    fn run<const WORDS: usize>(&self, scratch: &mut Scratch<i8, WORDS>, from: End) -> End {
        const { assert!(WORDS >= Self::SCRATCH, "the working memory is smaller than Layer::SCRATCH") };
        if let Some((x, y)) = scratch.split(from, I, O) {
            let (bytes, group_scales) = (self.weights.0.as_flattened(), self.rescale.bytes.as_flattened());
            int4::affine(&self.rescale.affine(Packed { bytes, group_scales }), x, y);
            self.rescale.stage.apply(y);
        }
        from.opposite()
    }
}

/// The type of an int4 MLP by its widths, from input to output; one scale an output, and with `; by group` one for every
/// 32 of its inputs. Hidden layers end with a [`Clamp`], or with the [`Stage`] given, and the last one with a clamp.
///
/// ```
/// use microdistill::{MlpI4, MlpI8, quant::Table};
///
/// type Student = MlpI4![64, 32, 10];
/// type Closer = MlpI4![64, 32, 10; by group];
/// type Smooth = MlpI4![64, 32, 10; Table]; // or `; by group, Table`
/// type Int8 = MlpI8![64, 32, 10];
/// assert!(size_of::<Student>() < size_of::<Closer>() && size_of::<Closer>() < size_of::<Int8>());
/// ```
#[macro_export]
macro_rules! MlpI4 {
    (@groups none $i:expr) => { 0 };
    (@groups some $i:expr) => { usize::div_ceil($i, $crate::quant::GROUP) };
    (@dense $groups:ident $stage:ty; $i:expr, $o:expr) => {
        $crate::quant::DenseI4<
            { $i }, { $o }, { usize::div_ceil($i, 2) }, { $crate::MlpI4!(@groups $groups $i) }, $stage,
        >
    };
    (@layers $groups:ident $stage:ty; $i:expr, $o:expr) => {
        $crate::MlpI4!(@dense $groups $crate::quant::Clamp; $i, $o)
    };
    (@layers $groups:ident $stage:ty; $i:expr, $h:expr, $($rest:expr),+) => {
        $crate::Chain<
            $crate::MlpI4!(@dense $groups $stage; $i, $h),
            $crate::MlpI4!(@layers $groups $stage; $h, $($rest),+),
        >
    };
    (@network $groups:ident $stage:ty; $($width:expr),+) => {
        $crate::Network<
            $crate::MlpI4!(@layers $groups $stage; $($width),+),
            { $crate::scratch::<i8>(&[$($width),+]) },
        >
    };
    ($($width:expr),+) => { $crate::MlpI4!(@network none $crate::quant::Clamp; $($width),+) };
    ($($width:expr),+; by group) => { $crate::MlpI4!(@network some $crate::quant::Clamp; $($width),+) };
    ($($width:expr),+; by group, $stage:ty) => { $crate::MlpI4!(@network some $stage; $($width),+) };
    ($($width:expr),+; $stage:ty) => { $crate::MlpI4!(@network none $stage; $($width),+) };
}
