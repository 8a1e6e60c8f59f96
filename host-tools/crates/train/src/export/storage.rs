//! Storage of networks of codes in flash: types, macros and sizes.

use microdistill::quant::{Clamp, Dequantize, DequantizeEach, GROUP, Table};

use super::inputs::knots_flash;
use crate::model::{Body, Knots};
use crate::network::Activation;
use crate::network::int8::NetworkI8;
use crate::network::precision::{Bits, Precision, Scales};

/// Storage of a network of codes in flash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    /// int8, one scale an output.
    PerChannel,
    /// int8, one scale a layer.
    PerLayer,
    /// int4, one scale an output.
    Int4,
    /// int4, and scales of groups.
    Int4ByGroup,
}

/// Bytes of a network of codes and its edges that is not there yet. `values`: whether its outputs are values, of which
/// each may have a range of its own.
pub(super) fn flash(widths: &[usize], precision: Precision, hidden: Activation, values: bool) -> usize {
    Storage::of_precision(precision).flash(widths, hidden.is_curved(), values)
}

/// The same for a network with a piecewise-linear first layer.
pub(super) fn piecewise_flash(
    widths: &[usize],
    knots: &Knots,
    precision: Precision,
    hidden: Activation,
    values: bool,
) -> usize {
    Storage::of_precision(precision).piecewise_flash(widths, knots, hidden.is_curved(), values)
}

impl Storage {
    fn of_precision(precision: Precision) -> Self {
        match (precision.bits, precision.scales) {
            (Bits::Eight, Scales::PerLayer) => Storage::PerLayer,
            (Bits::Eight, _) => Storage::PerChannel,
            (_, Scales::PerGroup) => Storage::Int4ByGroup,
            _ => Storage::Int4,
        }
    }

    pub(super) fn of(body: &Body, network: &NetworkI8) -> Self {
        let int4 = matches!(body, Body::Int4(_));
        match network.layers.iter().any(|layer| !layer.group_scales.is_empty()) {
            true => Storage::Int4ByGroup,
            false if int4 => Storage::Int4,
            // The core's type has one scale for every layer or for none: a mixed network repeats the single ones.
            false if network.layers.iter().all(|layer| layer.weight_scales.len() == 1) => Storage::PerLayer,
            false => Storage::PerChannel,
        }
    }

    /// Name of the macro of the network's type.
    pub(super) fn macro_name(self, network: &NetworkI8) -> &'static str {
        match self {
            Storage::PerChannel | Storage::PerLayer if network.table.is_some() => "PiecewiseMlpI8",
            Storage::PerChannel | Storage::PerLayer => "MlpI8",
            Storage::Int4 | Storage::Int4ByGroup => "MlpI4",
        }
    }

    /// Path of the constant that names the kernel.
    pub(super) fn kernel(self) -> &'static str {
        match self {
            Storage::PerChannel | Storage::PerLayer => "::microdistill::kernel::int8::NAME",
            Storage::Int4 | Storage::Int4ByGroup => "::microdistill::kernel::int4::NAME",
        }
    }

    /// Arguments of the macro after the widths.
    pub(super) fn option(self, curved: bool) -> &'static str {
        match (self, curved) {
            (Storage::PerChannel | Storage::Int4, false) => "",
            (Storage::PerLayer, false) => "per layer",
            (Storage::Int4ByGroup, false) => "by group",
            (Storage::PerChannel | Storage::Int4, true) => "::microdistill::quant::Table",
            (Storage::PerLayer, true) => "per layer, ::microdistill::quant::Table",
            (Storage::Int4ByGroup, true) => "by group, ::microdistill::quant::Table",
        }
    }

    /// Names that the network's value uses.
    pub(super) fn names(self, network: &NetworkI8, curved: bool) -> String {
        let dense = match self {
            Storage::PerChannel | Storage::PerLayer => "DenseI8",
            Storage::Int4 | Storage::Int4ByGroup => "DenseI4",
        };
        let piecewise = network.table.is_some();
        let names = [
            ("Clamp", true),
            (dense, network.layers.len() > usize::from(piecewise)),
            ("Dequantize", curved),
            ("PiecewiseLinearI8", piecewise),
            ("Requantize", true),
            ("Table", curved),
        ];
        let names: Vec<&str> = names.into_iter().filter(|(_, used)| *used).map(|(name, _)| name).collect();
        format!("::microdistill::{{Network, quant::{{{}}}}}", names.join(", "))
    }

    /// Bytes of a network and its edges, as the compiler lays them out: a multiple of 4 for each struct. `ranges`: whether
    /// each output has a range of its own.
    pub(super) fn flash(self, widths: &[usize], curved: bool, ranges: bool) -> usize {
        let input = size_of::<f32>() * 2 * widths[0] + size_of::<Dequantize>();
        self.dense_layers(widths, curved) + input + output(widths, ranges)
    }

    /// Bytes of a network with a piecewise-linear first layer.
    pub(super) fn piecewise_flash(
        self,
        widths: &[usize],
        knots: &Knots,
        curved: bool,
        ranges: bool,
    ) -> usize {
        let [inputs, outputs, ..] = *widths else { return 0 };
        let steps = size_of::<u8>();
        let rescale = self.rescale(outputs, curved && widths.len() > 2).next_multiple_of(WORD);
        let table = knots.rows() * outputs + size_of::<u16>() * inputs + steps;
        let first = (rescale + table).next_multiple_of(WORD);
        let input = (knots_flash(knots) + steps).next_multiple_of(WORD);
        first + self.dense_layers(&widths[1..], curved) + input + output(widths, ranges)
    }

    /// Bytes of dense layers, the last of which ends with a clamp.
    fn dense_layers(self, widths: &[usize], curved: bool) -> usize {
        let hidden = widths.len().saturating_sub(2);
        let layer = |(index, pair): (usize, &[usize])| {
            let (inputs, outputs) = (pair[0], pair[1]);
            let row = match self {
                Storage::PerChannel | Storage::PerLayer => inputs,
                Storage::Int4 | Storage::Int4ByGroup => inputs.div_ceil(2),
            };
            let group_scales =
                if self == Storage::Int4ByGroup { inputs.div_ceil(GROUP) * outputs } else { 0 };
            let weights = (row * outputs).next_multiple_of(WORD);
            (weights + group_scales + self.rescale(outputs, curved && index < hidden)).next_multiple_of(WORD)
        };
        widths.windows(2).enumerate().map(layer).sum()
    }

    /// Bytes of what turns the sums of a layer into outputs, without padding.
    fn rescale(self, outputs: usize, curved: bool) -> usize {
        let stage = if curved { size_of::<Table>() } else { size_of::<Clamp>() };
        let scales = if self == Storage::PerLayer { 1 } else { outputs };
        let factors = scales * (size_of::<i32>() + size_of::<i8>()) + size_of::<bool>();
        outputs * size_of::<i32>() + factors + stage
    }
}

/// Alignment of the structs of networks.
const WORD: usize = align_of::<i32>();

/// Bytes of the conversion of the outputs.
fn output(widths: &[usize], ranges: bool) -> usize {
    let outputs = widths.last().copied().unwrap_or_default();
    if ranges { outputs * size_of::<DequantizeEach<1>>() } else { size_of::<Dequantize>() }
}
