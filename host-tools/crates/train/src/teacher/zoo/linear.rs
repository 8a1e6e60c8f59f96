//! Linear models: logistic regression, and ridge regression for values.

mod lbfgs;

use microdistill::loss::log_softmax;
use microdistill::scalar::Scalar;
use nalgebra::DMatrix;

use super::rows::{Rows, Selected};
use super::{Examined, Learner, Tick, examine_fixed};
use crate::blend::{Linear, Member, Recipe};
use crate::dataset::Fold;
use crate::error::Result;
use crate::network::batched::{Operand, Real};
use crate::network::{Activation, Dense, Network};

/// Most rows that a linear model is trained on.
const MOST_ROWS: usize = 50_000;
/// Most steps of the optimizer.
const STEPS: usize = 200;

impl Learner for Linear {
    fn fit(&self, rows: &Rows<'_>, seed: u64) -> Result<Member> {
        let index = rows.sample(MOST_ROWS, seed);
        let (x, target) = rows.with(&index).gathered();
        let (inputs, outputs) = (x.nrows(), rows.outputs);
        let x = x.map(f64::from);
        let mut loss = Loss::new(&x, &target, outputs, 1.0 / self.c);
        let start = vec![0.0; (inputs + 1) * outputs];
        let parameters = lbfgs::minimize(start, STEPS, &mut |parameters, gradient| {
            rows.proceed()?;
            Ok(loss.at(parameters, gradient))
        })?;
        let parameters: Vec<f32> = parameters.into_iter().map(|value| value as f32).collect();
        let (weights, bias) = parameters.split_at(inputs * outputs);
        Ok(Member::Networks(vec![Network::new([Dense::new(
            weights.to_vec(),
            bias.to_vec(),
            Activation::Identity,
        )])]))
    }

    fn examine(&self, rows: &Rows<'_>, folds: &[Fold], seed: u64, trained: Tick<'_>) -> Result<Examined> {
        examine_fixed(self, Recipe::Linear(self.clone()), rows, folds, seed, trained)
    }
}

/// Penalized loss of a linear model: the sum over the rows of the cross-entropy or of half the squared error.
struct Loss<'a> {
    x: &'a DMatrix<f64>,
    target: &'a Selected,
    penalty: f64,
    /// Outputs, then their gradients, shape (outputs × rows).
    outputs: DMatrix<f64>,
    /// Gradient of the weights, shape (inputs × outputs), which is the row-major (outputs, inputs).
    gradient: DMatrix<f64>,
}

impl<'a> Loss<'a> {
    fn new(x: &'a DMatrix<f64>, target: &'a Selected, outputs: usize, penalty: f64) -> Self {
        let gradient = DMatrix::zeros(x.nrows(), outputs);
        Loss { x, target, penalty, outputs: DMatrix::zeros(outputs, x.ncols()), gradient }
    }

    /// Returns the loss at `parameters`, weights (outputs, inputs) and then the bias, and writes its gradient. Both are
    /// divided by the number of rows.
    fn at(&mut self, parameters: &[f64], gradient: &mut [f64]) -> f64 {
        let (inputs, rows) = self.x.shape();
        let outputs = self.outputs.nrows();
        let (weights, bias) = parameters.split_at(inputs * outputs);
        for mut column in self.outputs.column_iter_mut() {
            column.copy_from_slice(bias);
        }
        let matrix = DMatrix::from_column_slice(inputs, outputs, weights);
        f64::gemm(Operand::all(&matrix).transposed(), Operand::all(self.x), 1.0, &mut self.outputs, rows);
        let mut loss = 0.0;
        for (row, mut outputs) in self.outputs.column_iter_mut().enumerate() {
            let outputs = outputs.as_mut_slice();
            match self.target {
                Selected::Classes(classes) => {
                    log_softmax(outputs);
                    loss -= outputs[classes[row]];
                    outputs.iter_mut().for_each(|log| *log = Scalar::exp(*log));
                    outputs[classes[row]] -= 1.0;
                }
                Selected::Values(values) => {
                    for (output, value) in outputs.iter_mut().zip(values.column(row).iter()) {
                        *output -= f64::from(*value);
                        loss += 0.5 * *output * *output;
                    }
                }
            }
        }
        let errors = Operand::all(&self.outputs).transposed();
        f64::gemm(Operand::all(self.x), errors, 0.0, &mut self.gradient, outputs);
        let scale = 1.0 / rows as f64;
        let (to_weights, to_bias) = gradient.split_at_mut(inputs * outputs);
        for ((to, from), weight) in to_weights.iter_mut().zip(&self.gradient).zip(weights) {
            *to = scale * (from + self.penalty * weight);
            loss += 0.5 * self.penalty * weight * weight;
        }
        for (to, row) in to_bias.iter_mut().zip(self.outputs.row_iter()) {
            *to = scale * row.sum();
        }
        scale * loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let x = DMatrix::from_fn(3, 20, |r, c| ((r * 37 + c * 53) % 41) as f64 / 20.0 - 1.0);
        let classes = Selected::Classes((0..20).map(|row| row % 4).collect());
        let values = Selected::Values(DMatrix::from_fn(4, 20, |r, c| (r as f32 - 1.5) * (c as f32 / 10.0)));
        for target in [classes, values] {
            let mut loss = Loss::new(&x, &target, 4, 0.3);
            let parameters: Vec<f64> = (0..16).map(|p| f64::from(p % 5) / 5.0 - 0.4).collect();
            let mut gradient = vec![0.0; 16];
            loss.at(&parameters, &mut gradient);
            for place in 0..16 {
                let mut at = |step: f64| {
                    let mut moved = parameters.clone();
                    moved[place] += step;
                    loss.at(&moved, &mut [0.0; 16])
                };
                let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((slope - gradient[place]).abs() < 1e-8, "{place}: {slope} {}", gradient[place]);
            }
        }
    }
}
