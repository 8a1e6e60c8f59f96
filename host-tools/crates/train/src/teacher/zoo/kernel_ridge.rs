//! Ridge regression with a Gaussian kernel. With many rows, it works on landmarks (Nyström approximation; Rudi et al. 2015).

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::cholesky::Cholesky;
use super::rows::{Rows, Selected};
use super::{Examined, Learner, Tick};
use crate::blend::{Kernel, KernelRidge, Member, Recipe, gaussian, squared_distances};
use crate::dataset::{Fold, Kind};
use crate::error::{Error, Result};
use crate::metrics::row_nlls;

const WIDTHS: [f32; 3] = [0.35, 1.0, 3.0];
const RIDGES: [f64; 3] = [0.03, 0.3, 2.0];
/// For values, which may have hardly any noise.
const VALUE_RIDGES: [f64; 5] = [3e-4, 3e-3, 0.03, 0.3, 2.0];
const SCALES: [f32; 6] = [2.0, 4.0, 8.0, 14.0, 20.0, 30.0];
/// Rows by which the median distance is found.
const MEDIAN_ROWS: usize = 1000;
/// Share of the largest number on the diagonal that is added to it if the matrix is not positive definite.
const JITTER: f64 = 1e-7;

impl Learner for KernelRidge {
    fn fit(&self, rows: &Rows<'_>, seed: u64) -> Result<Member> {
        let chosen = rows.sample(self.landmarks, seed);
        let landmarks = rows.x.select_columns(&chosen);
        let distances = squared_distances(&landmarks, &landmarks);
        let gamma = self.width / median(&distances);
        let kernel = gaussian(&distances, gamma).map(f64::from);
        rows.proceed()?;
        let targets = rows.targets(rows.index);
        let (numbers, mean) = centered(&targets, rows.outputs);
        let (mut matrix, right) = if chosen.len() == rows.index.len() {
            let ridge = DMatrix::from_diagonal_element(kernel.nrows(), kernel.nrows(), self.ridge);
            (kernel + ridge, numbers.transpose())
        } else {
            self.normal_equations(rows, &landmarks, gamma, kernel, &numbers)?
        };
        let coefficients = loop {
            if let Some(factor) = Cholesky::of(matrix.clone()) {
                break factor.solve(right);
            }
            let more = JITTER * matrix.diagonal().max().max(1.0);
            if !more.is_finite() {
                return Err(Error::Invalid("the kernel ridge regression has no solution".into()));
            }
            (0..matrix.nrows()).for_each(|place| matrix[(place, place)] += more);
        };
        let scale = f64::from(self.scale);
        let coefficients = (coefficients.transpose() * scale).map(|value| value as f32);
        let offset = mean.iter().map(|mean| (mean * scale) as f32).collect();
        Ok(Member::Kernel(Kernel { landmarks, coefficients, offset, gamma }))
    }

    /// Each fold is predicted with the hyperparameters that are best for rows of the other folds.
    fn examine(&self, rows: &Rows<'_>, folds: &[Fold], seed: u64, trained: Tick<'_>) -> Result<Examined> {
        let trials = self.trials(rows, seed)?;
        let predict = |fold: &Fold| {
            let chosen = self.best(&trials, |row| fold.validation.binary_search(&row).is_err());
            let member = chosen.fit(&rows.with(&fold.train), seed)?;
            trained();
            Ok(rows.predict(&member, &fold.validation))
        };
        let outputs = folds.par_iter().with_max_len(1).map(predict).collect::<Result<_>>()?;
        Ok(Examined { recipe: Recipe::Kernel(self.best(&trials, |_| true)), outputs })
    }
}

/// Losses of some rows, each left out, with the hyperparameters of a candidate.
struct Trials {
    /// The rows, in ascending order.
    index: Vec<usize>,
    /// Candidates with the loss of each row.
    losses: Vec<(KernelRidge, Vec<f64>)>,
}

impl KernelRidge {
    /// The candidate with the smallest loss for the rows that `counts` accepts.
    fn best(&self, trials: &Trials, counts: impl Fn(usize) -> bool) -> KernelRidge {
        let counted: Vec<bool> = trials.index.iter().map(|&row| counts(row)).collect();
        let sum = |losses: &[f64]| -> f64 {
            losses.iter().zip(&counted).filter(|(_, counted)| **counted).map(|(loss, _)| loss).sum()
        };
        let sums = trials.losses.iter().map(|(candidate, losses)| (sum(losses), candidate));
        let best = sums.reduce(|best, next| if next.0 < best.0 { next } else { best });
        best.map_or_else(|| self.clone(), |(_, candidate)| candidate.clone())
    }

    fn trials(&self, rows: &Rows<'_>, seed: u64) -> Result<Trials> {
        let index = rows.sample(self.chosen_on, seed);
        let (x, target) = rows.with(&index).gathered();
        let (numbers, mean) = centered(&target, rows.outputs);
        let distances = squared_distances(&x, &x);
        let median = median(&distances);
        let ridges: &[f64] = if rows.kind() == Kind::Regression { &VALUE_RIDGES } else { &RIDGES };
        let tasks: Vec<(f32, f64)> =
            WIDTHS.iter().flat_map(|&width| ridges.iter().map(move |&ridge| (width, ridge))).collect();
        let try_out = |&(width, ridge): &(f32, f64)| {
            rows.proceed()?;
            let kernel = gaussian(&distances, width / median).map(f64::from);
            let Some(left_out) = leave_one_out(&kernel, ridge, &numbers) else { return Ok(Vec::new()) };
            let losses = losses(&left_out, &mean, &target, &numbers);
            let candidate = |scale| KernelRidge { width, ridge, scale, ..self.clone() };
            Ok(losses.into_iter().map(|(scale, losses)| (candidate(scale), losses)).collect())
        };
        let losses = tasks.par_iter().with_max_len(1).map(try_out).collect::<Result<Vec<Vec<_>>>>()?;
        Ok(Trials { index, losses: losses.into_iter().flatten().collect() })
    }

    /// Matrix and right side of the ridge regression on landmarks: `(KᵀK + ridge·M)·a = Kᵀy`, where K is the kernel between
    /// rows and landmarks, and M that between landmarks.
    fn normal_equations(
        &self,
        rows: &Rows<'_>,
        landmarks: &DMatrix<f32>,
        gamma: f32,
        among: DMatrix<f64>,
        numbers: &DMatrix<f64>,
    ) -> Result<(DMatrix<f64>, DMatrix<f64>)> {
        let mut matrix = among * self.ridge;
        let mut right = DMatrix::zeros(landmarks.ncols(), numbers.nrows());
        for (part, chunk) in rows.index.chunks(CHUNK).enumerate() {
            rows.proceed()?;
            let x = rows.x.select_columns(chunk);
            let kernel = gaussian(&squared_distances(landmarks, &x), gamma).map(f64::from);
            let transposed = kernel.transpose();
            matrix.gemm(1.0, &kernel, &transposed, 1.0);
            let numbers = numbers.columns(part * CHUNK, chunk.len()).transpose();
            right.gemm(1.0, &kernel, &numbers, 1.0);
        }
        Ok((matrix, right))
    }
}

/// Rows that are added to the normal equations at once.
const CHUNK: usize = 512;

/// Targets as numbers less their means, shape (outputs × rows), and the means.
fn centered(target: &Selected, outputs: usize) -> (DMatrix<f64>, Vec<f64>) {
    let mut numbers = target.numbers(outputs);
    let mean: Vec<f64> = numbers.row_iter().map(|row| row.mean()).collect();
    for (mut row, mean) in numbers.row_iter_mut().zip(&mean) {
        row.iter_mut().for_each(|value| *value -= mean);
    }
    (numbers, mean)
}

/// Predictions for each row of a regression on all others, in closed form: `y − a/diag((K + ridge·I)⁻¹)`, where a are the
/// coefficients (Rasmussen and Williams 2006, equation 5.12). None if the matrix is not positive definite.
fn leave_one_out(kernel: &DMatrix<f64>, ridge: f64, numbers: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let size = kernel.nrows();
    let factor = Cholesky::of(kernel + DMatrix::from_diagonal_element(size, size, ridge))?;
    let diagonal = factor.inverse_diagonal();
    let coefficients = factor.solve(numbers.transpose());
    Some(DMatrix::from_fn(numbers.nrows(), size, |output, row| {
        numbers[(output, row)] - coefficients[(row, output)] / diagonal[row]
    }))
}

/// Losses of rows that were left out, for each scale of the logits.
fn losses(
    left_out: &DMatrix<f64>,
    mean: &[f64],
    target: &Selected,
    numbers: &DMatrix<f64>,
) -> Vec<(f32, Vec<f64>)> {
    let Selected::Classes(classes) = target else {
        let errors = left_out - numbers;
        return vec![(1.0, errors.column_iter().map(|errors| errors.norm_squared()).collect())];
    };
    let shares = DMatrix::from_fn(left_out.nrows(), left_out.ncols(), |output, row| {
        (left_out[(output, row)] + mean[output]) as f32
    });
    SCALES.map(|scale| (scale, row_nlls(&shares, classes, f64::from(1.0 / scale)).collect())).into()
}

/// Median of the distances above zero; 1 if there is none.
fn median(distances: &DMatrix<f32>) -> f32 {
    let columns = distances.ncols().min(MEDIAN_ROWS);
    let mut positive: Vec<f32> =
        distances.columns(0, columns).iter().copied().filter(|distance| *distance > 0.0).collect();
    if positive.is_empty() {
        return 1.0;
    }
    let middle = positive.len() / 2;
    *positive.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_for_left_out_rows_equal_those_of_trainings_without_them() {
        let x = DMatrix::from_fn(3, 40, |r, c| ((r * 37 + c * 53) % 41) as f32 / 20.0 - 1.0);
        let numbers = DMatrix::from_fn(2, 40, |r, c| f64::from(x[(r, c)] * x[(2, c)]));
        let kernel = gaussian(&squared_distances(&x, &x), 0.7).map(f64::from);
        let closed = leave_one_out(&kernel, 0.1, &numbers).unwrap();
        for row in 0..40 {
            let others: Vec<usize> = (0..40).filter(|&other| other != row).collect();
            let matrix = kernel.select_columns(&others).select_rows(&others)
                + DMatrix::from_diagonal_element(39, 39, 0.1);
            let coefficients = matrix.try_inverse().unwrap() * numbers.select_columns(&others).transpose();
            let brute = kernel.select_columns(&others).row(row) * coefficients;
            for output in 0..2 {
                assert!((closed[(output, row)] - brute[output]).abs() < 1e-8);
            }
        }
    }
}
