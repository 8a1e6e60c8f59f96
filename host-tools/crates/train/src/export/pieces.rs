//! A piecewise-linear first layer as what other tools have: columns that are scaled, cut to [0, 1] and multiplied by weights.

use crate::dataset::Knots;
use crate::network::Dense;

/// Pieces of all features. The share of piece `p` is `(x[feature] − low) / width`, cut to [0, 1], and the outputs are
/// `bias + weights·shares`.
pub(super) struct Pieces {
    /// Feature of each piece.
    pub(super) features: Vec<usize>,
    /// Knot at the lower end of each piece.
    pub(super) low: Vec<f32>,
    /// Distance of the knots of each piece, above 0.
    pub(super) width: Vec<f32>,
    /// What each piece adds to each output, shape (outputs, pieces), row-major.
    pub(super) weights: Vec<f32>,
    /// Outputs of an input below all knots, shape (outputs).
    pub(super) bias: Vec<f32>,
}

impl Pieces {
    /// Takes a piecewise-linear `layer` apart; sums are in f64.
    pub(super) fn of(knots: &Knots, layer: &Dense) -> Self {
        let (table, columns) = (layer.weights(), layer.columns().max(1));
        let rows: Vec<(usize, usize)> = knots
            .features()
            .enumerate()
            .flat_map(|(feature, rows)| rows.clone().zip(rows.skip(1)).map(move |(row, _)| (feature, row)))
            .collect();
        let entry = |values: &[f32], row: usize| f64::from(values.get(row).copied().unwrap_or_default());
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for (output, values) in table.chunks_exact(columns).enumerate() {
            let first = knots.features().map(|rows| entry(values, rows.start)).sum::<f64>();
            bias.push((entry(&layer.bias, output) + first) as f32);
            let step = |&(_, row): &(usize, usize)| (entry(values, row + 1) - entry(values, row)) as f32;
            weights.extend(rows.iter().map(step));
            if rows.is_empty() {
                weights.push(0.0);
            }
        }
        let low = |row: usize| entry(&knots.knots, row) as f32;
        let width = |row: usize| (entry(&knots.knots, row + 1) - entry(&knots.knots, row)) as f32;
        let mut pieces = Pieces {
            features: rows.iter().map(|&(feature, _)| feature).collect(),
            low: rows.iter().map(|&(_, row)| low(row)).collect(),
            width: rows.iter().map(|&(_, row)| width(row)).collect(),
            weights,
            bias,
        };
        // Without a piece there is one that adds nothing, because tools need a column.
        if rows.is_empty() {
            pieces.features.push(0);
            pieces.low.push(0.0);
            pieces.width.push(1.0);
        }
        pieces
    }
}
