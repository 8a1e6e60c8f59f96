//! Rows drawn from one Gaussian per label.

use std::collections::BTreeMap;

use nalgebra::{Cholesky, DMatrix, DVector};
use rand_core::Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::draw;
use crate::dataset::Target;

/// Generates rows from the Gaussians of the labels, in proportion to the frequency of each label in the standardized
/// rows. Without labels there is a single Gaussian. Shape (features × count).
pub(super) fn generate(x: &DMatrix<f32>, target: &Target, count: usize, rng: &mut impl Rng) -> DMatrix<f32> {
    let class = |row: usize| if let Target::Classes(classes) = target { classes[row] } else { 0 };
    let mut members = BTreeMap::<usize, Vec<usize>>::new();
    (0..x.ncols()).for_each(|row| members.entry(class(row)).or_default().push(row));
    let fit = |rows: &Vec<usize>| Gaussian::fit(&x.select_columns(rows).map(f64::from));
    let gaussians: BTreeMap<usize, Gaussian> =
        members.iter().map(|(&class, rows)| (class, fit(rows))).collect();
    let mut made = DMatrix::zeros(x.nrows(), count);
    for (mut made, row) in made.column_iter_mut().zip(draw(x.ncols(), count, rng)) {
        made.copy_from(&gaussians[&class(row)].sample(rng).map(|value| value as f32));
    }
    made
}

/// Gaussian `N(mean, factor·factorᵀ)`.
struct Gaussian {
    mean: DVector<f64>,
    /// Cholesky factor of the covariance, lower triangular.
    factor: DMatrix<f64>,
}

impl Gaussian {
    /// Fits a Gaussian to the columns of `x`, at least one. Its covariance is `(1−ρ)·S + ρ·tr(S)/p·I`, where `S` is
    /// the covariance of the columns, `p` their length and `ρ` the oracle approximating shrinkage (Chen, Wiesel,
    /// Eldar and Hero 2010, equation 23). Because of the shrinkage a class may have fewer rows than features. If all
    /// columns are equal, every sample equals them.
    fn fit(x: &DMatrix<f64>) -> Self {
        let (p, n) = (x.nrows() as f64, x.ncols() as f64);
        let mean = x.column_mean();
        let mut centred = x.clone();
        centred.column_iter_mut().for_each(|mut column| column -= &mean);
        let mut covariance = &centred * centred.transpose() / n;
        let (trace, squared) = (covariance.trace(), covariance.norm_squared());
        let shrinkage = ((1.0 - 2.0 / p) * squared + trace * trace)
            / ((n + 1.0 - 2.0 / p) * (squared - trace * trace / p));
        // A spherical covariance is already the target of the shrinkage.
        let shrinkage = if (0.0..1.0).contains(&shrinkage) { shrinkage } else { 1.0 };
        covariance *= 1.0 - shrinkage;
        covariance.set_diagonal(&covariance.diagonal().add_scalar(shrinkage * trace / p));
        let factor =
            Cholesky::new(covariance).map_or_else(|| DMatrix::zeros(x.nrows(), x.nrows()), Cholesky::unpack);
        Gaussian { mean, factor }
    }

    fn sample(&self, rng: &mut impl Rng) -> DVector<f64> {
        let noise = DVector::from_fn(self.mean.len(), |_, _| StandardNormal.sample(rng));
        &self.mean + &self.factor * noise
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_pcg::Pcg32;

    fn moments(x: &DMatrix<f64>) -> (DVector<f64>, DMatrix<f64>) {
        let Gaussian { mean, factor } = Gaussian::fit(x);
        (mean, &factor * factor.transpose())
    }

    /// Draws columns `mean + factor·ε`.
    fn known(mean: [f64; 3], factor: [f64; 9], rows: usize, seed: u64) -> DMatrix<f64> {
        let gaussian = Gaussian {
            mean: DVector::from_column_slice(&mean),
            factor: DMatrix::from_row_slice(3, 3, &factor),
        };
        let rng = &mut Pcg32::new(seed, 2);
        DMatrix::from_columns(&(0..rows).map(|_| gaussian.sample(rng)).collect::<Vec<_>>())
    }

    #[test]
    fn means_and_covariances_of_known_classes_come_back() {
        let factors =
            [[1.0, 0.0, 0.0, 0.8, 0.6, 0.0, 0.0, -0.5, 0.3], [0.5, 0.0, 0.0, 0.0, 2.0, 0.0, 0.4, 1.0, 1.0]];
        let means = [[2.0, 0.0, -1.0], [-3.0, 1.0, 4.0]];
        let (a, b) = (known(means[0], factors[0], 2000, 1), known(means[1], factors[1], 1000, 2));
        let columns: Vec<_> = a.column_iter().chain(b.column_iter()).collect();
        let x = DMatrix::from_columns(&columns).map(|x| x as f32);
        let classes = [vec![0; 2000], vec![1; 1000]].concat();
        let made = generate(&x, &Target::Classes(classes), 9000, &mut Pcg32::new(3, 3)).map(f64::from);
        // The classes are separated along the first feature.
        let is_first = |column: usize| made[(0, column)] - made[(2, column)] > -1.5;
        let of = |first: bool| (0..9000).filter(|&column| is_first(column) == first).collect::<Vec<_>>();
        for (class, first) in [true, false].into_iter().enumerate() {
            let rows = of(first);
            assert!((rows.len() as f64 / [6000.0, 3000.0][class] - 1.0).abs() < 0.05, "{} rows", rows.len());
            let (mean, covariance) = moments(&made.select_columns(&rows));
            let factor = DMatrix::from_row_slice(3, 3, &factors[class]);
            let error = (mean - DVector::from_column_slice(&means[class])).amax();
            assert!(error < 0.15, "class {class}: the mean is off by {error}");
            let error = (covariance - &factor * factor.transpose()).amax();
            assert!(error < 0.3, "class {class}: the covariance is off by {error}");
        }
    }

    #[test]
    fn few_rows_are_shrunk_to_a_sphere_of_the_same_variance() {
        let rows = known([0.0; 3], [1.0, 0.0, 0.0, 0.9, 0.1, 0.0, 0.9, 0.0, 0.1], 4, 1);
        let (_, covariance) = moments(&rows);
        let mean = rows.column_mean();
        let centred = DMatrix::from_fn(3, 4, |feature, row| rows[(feature, row)] - mean[feature]);
        let plain = &centred * centred.transpose() / 4.0;
        assert!((covariance.trace() - plain.trace()).abs() < 1e-12);
        let shrunk = covariance[(0, 1)] / plain[(0, 1)];
        assert!((0.1..0.9).contains(&shrunk), "{shrunk}");
        assert!(covariance.symmetric_eigenvalues().min() > 0.01 * plain.trace());
    }
}
