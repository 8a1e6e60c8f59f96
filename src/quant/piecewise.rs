//! The int8 piecewise-linear layer, and the codes that it takes.

use crate::kernel::int8::pieces::{Table, piecewise_linear};
use crate::knots::Knots;
use crate::layer::Layer;
use crate::network::chain::Chain;
use crate::network::scratch::{End, Scratch, room};
use crate::quant::rescale::Rescale;
use crate::quant::{Clamp, Requantize, Stage};
use crate::scaler::Prepare;

/// Raw features → i8 codes of a [`PiecewiseLinearI8`] layer: where a feature lies between its [`Knots`], rounded to one of
/// `steps` steps per piece. The code of a feature's first knot is −128.
///
/// Rounds halves away from zero. A [missing](crate::scaler) feature, NaN or ±∞, becomes the code of its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct QuantizeKnots<const I: usize, const R: usize> {
    /// Knots of all features.
    pub knots: Knots<I, R>,
    /// Codes from one knot to the next, at least 1 and at most 255 / the most pieces of a feature.
    pub steps: u8,
}

impl<const I: usize, const R: usize> QuantizeKnots<I, R> {
    /// The coordinates that `codes` stand for: what an f32 network takes.
    #[must_use]
    pub fn decode(&self, codes: &[i8; I]) -> [f32; I] {
        let mut x = [0.0; I];
        for ((x, &code), &start) in x.iter_mut().zip(codes).zip(&self.knots.starts) {
            *x = f32::from(start) + (f32::from(code) + 128.0) / f32::from(self.steps.max(1));
        }
        x
    }
}

impl<const I: usize, const R: usize> Prepare<I> for QuantizeKnots<I, R> {
    type Output = [i8; I];

    fn apply(&self, raw: &[f32; I]) -> [i8; I] {
        let mut codes = [0; I];
        for (code, (start, coordinate)) in codes.iter_mut().zip(self.knots.coordinates(raw)) {
            *code = quantize_knots(coordinate, start, self.steps);
        }
        codes
    }
}

/// The code of a coordinate of a feature whose first knot is row `start`: `round((coordinate − start)·steps) − 128`, clamped
/// to [-128, 127].
#[must_use]
pub fn quantize_knots(coordinate: f32, start: u16, steps: u8) -> i8 {
    // The cast saturates and sends NaN to zero.
    let code = libm::roundf((coordinate - f32::from(start)) * f32::from(steps)) as i32;
    code.saturating_sub(128).clamp(-128, 127) as i8
}

/// `y = A(requantize(bias + Σ table(x)))`: int8 form of a [`PiecewiseLinear`](crate::PiecewiseLinear) layer, `I` inputs, `R`
/// rows of the table, `O` outputs, `S` scales: `O` for one an output, 1 for one a layer; the stage `A` applies the activation to
/// the codes.
///
/// It takes the codes of [`QuantizeKnots`], and twice as many multiplications as a [`DenseI8`](crate::quant::DenseI8) layer of
/// these widths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PiecewiseLinearI8<const I: usize, const R: usize, const O: usize, const S: usize = O, A = Clamp> {
    table: [[i8; O]; R],
    starts: [u16; I],
    steps: u8,
    rescale: Rescale<O, S, A>,
}

impl<const I: usize, const R: usize, const O: usize, const S: usize, A> PiecewiseLinearI8<I, R, O, S, A> {
    /// `table`: shape (R, O), in [-127, 127]. `starts`: row of each input's first knot. `steps`: codes from one row to the next.
    /// `bias`: shape (O), of scale `s_w / steps`. `requantize`: `s_w / (steps·s_out)`, one an output or one for all. `stage`: the
    /// zero point of the sums' codes, and the activation.
    pub const fn new(
        table: [[i8; O]; R],
        starts: [u16; I],
        steps: u8,
        bias: [i32; O],
        requantize: [Requantize; S],
        stage: A,
    ) -> Self {
        const {
            assert!(I > 0 && O > 0, "a piecewise-linear layer needs at least one input and one output");
            assert!(R > 1, "a table needs at least two rows");
            assert!(S == O || S == 1, "a layer has one scale an output, or one for all");
        }
        PiecewiseLinearI8 { table, starts, steps, rescale: Rescale::new(bias, requantize, stage, ()) }
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

impl<const I: usize, const R: usize, const O: usize, const S: usize, A: Stage> Layer
    for PiecewiseLinearI8<I, R, O, S, A>
{
    type Item = i8;
    type Input = [i8; I];
    type Output = [i8; O];
    const SCRATCH: usize = room::<i8>(I) + room::<i8>(O);

    fn run<const WORDS: usize>(&self, scratch: &mut Scratch<i8, WORDS>, from: End) -> End {
        const { assert!(WORDS >= Self::SCRATCH, "the working memory is smaller than Layer::SCRATCH") };
        if let Some((x, y)) = scratch.split(from, I, O) {
            let table = Table { rows: self.table.as_flattened(), starts: &self.starts, steps: self.steps };
            piecewise_linear(&self.rescale.affine(table), x, y);
            self.rescale.stage.apply(y);
        }
        from.opposite()
    }
}

/// The type of an int8 MLP whose first layer is [piecewise linear](PiecewiseLinearI8): the rows of its table, then what
/// [`MlpI8!`](crate::MlpI8) takes.
///
/// ```
/// use microdistill::{PiecewiseMlpI8, quant::Table};
///
/// type Student = PiecewiseMlpI8![180; 30, 16, 7];
/// type Smaller = PiecewiseMlpI8![180; 30, 16, 7; per layer];
/// type Smooth = PiecewiseMlpI8![180; 30, 16, 7; Table]; // or `; per layer, Table`
/// assert_eq!(Student::SCRATCH_BYTES, 30 + 16);
/// ```
#[macro_export]
macro_rules! PiecewiseMlpI8 {
    (@layers $scales:ident $stage:ty; $rows:expr; $i:expr, $o:expr) => {
        $crate::quant::PiecewiseLinearI8<{ $i }, { $rows }, { $o }, { $crate::MlpI8!(@scales $scales $o) }>
    };
    (@layers $scales:ident $stage:ty; $rows:expr; $i:expr, $h:expr, $($rest:expr),+) => {
        $crate::Chain<
            $crate::quant::PiecewiseLinearI8<
                { $i },
                { $rows },
                { $h },
                { $crate::MlpI8!(@scales $scales $h) },
                $stage,
            >,
            $crate::MlpI8!(@layers $scales $stage; $h, $($rest),+),
        >
    };
    (@network $scales:ident $stage:ty; $rows:expr; $($width:expr),+) => {
        $crate::Network<
            $crate::PiecewiseMlpI8!(@layers $scales $stage; $rows; $($width),+),
            { $crate::scratch::<i8>(&[$($width),+]) },
        >
    };
    ($rows:expr; $($width:expr),+) => {
        $crate::PiecewiseMlpI8!(@network each $crate::quant::Clamp; $rows; $($width),+)
    };
    ($rows:expr; $($width:expr),+; per layer) => {
        $crate::PiecewiseMlpI8!(@network one $crate::quant::Clamp; $rows; $($width),+)
    };
    ($rows:expr; $($width:expr),+; per layer, $stage:ty) => {
        $crate::PiecewiseMlpI8!(@network one $stage; $rows; $($width),+)
    };
    ($rows:expr; $($width:expr),+; $stage:ty) => { $crate::PiecewiseMlpI8!(@network each $stage; $rows; $($width),+) };
}
