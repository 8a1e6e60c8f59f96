//! Means, and paired differences whose interval and p-value agree.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Chance of an error, of any of a family of verdicts: 5 %.
pub(crate) const LEVEL: f64 = 0.05;

/// Mean and sample standard deviation. The standard deviation of a single number is 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanStd {
    /// The mean.
    pub mean: f64,
    /// The sample standard deviation.
    pub std: f64,
    /// Number of values.
    pub n: usize,
}

impl MeanStd {
    /// Mean and sample standard deviation of these numbers.
    pub fn of(numbers: &[f64]) -> MeanStd {
        let n = numbers.len();
        let mean = numbers.iter().sum::<f64>() / n as f64;
        let squares = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>();
        let std = if n > 1 { (squares / (n as f64 - 1.0)).sqrt() } else { 0.0 };
        MeanStd { mean, std, n }
    }

    /// 95 % confidence interval of the mean, by Student's t; `None` for fewer than two numbers. `overlap` is that of
    /// [`Estimate::of`].
    pub fn interval(&self, overlap: f64) -> Option<(f64, f64)> {
        let (student, error) = self.student(overlap)?;
        let reach = student.inverse_cdf(1.0 - LEVEL / 2.0) * error;
        reach.is_finite().then_some((self.mean - reach, self.mean + reach))
    }

    /// Student's distribution of the mean divided by its standard error, and that error.
    fn student(&self, overlap: f64) -> Option<(StudentsT, f64)> {
        let student = StudentsT::new(0.0, 1.0, self.n.checked_sub(1)? as f64).ok()?;
        Some((student, self.std * (1.0 / self.n as f64 + overlap).sqrt()))
    }
}

/// Mean of paired differences with the confidence interval and the p-value of one test, Student's paired t-test.
///
/// Both are corrected for the same number of comparisons, or both are not, so they cannot contradict each other: `p` is
/// below 0.05 if and only if the interval does not hold zero. The correction is Bonferroni's. The intervals of a family
/// hold all true differences together in 95 % of all studies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    mean: f64,
    low: Option<f64>,
    high: Option<f64>,
    p: Option<f64>,
    family: usize,
}

impl Estimate {
    /// Tests whether the mean of these `differences` is zero, as one of `family` comparisons; 1 for no correction.
    ///
    /// `overlap` is 0 if the pairs are independent, given what is fixed. If each pair has its own test rows from one pool,
    /// it is the ratio of test rows to training rows. Overlapping training sets make differences look more alike than they
    /// are, so Nadeau and Bengio (2003, section 3) widen the variance of the mean from `s²/n` to `s²·(1/n + overlap)`.
    pub fn of(differences: &[f64], overlap: f64, family: usize) -> Estimate {
        let family = family.max(1);
        let of = MeanStd::of(differences);
        let tested = of.student(overlap).filter(|(_, error)| of.mean.is_finite() && error.is_finite());
        let Some((student, error)) = tested else {
            return Estimate { mean: of.mean, low: None, high: None, p: None, family };
        };
        let comparisons = family as f64;
        let reach = student.inverse_cdf(1.0 - 0.5 * LEVEL / comparisons) * error;
        let p = if error > 0.0 {
            2.0 * student.sf((of.mean / error).abs())
        } else {
            // All differences are equal: either zero, or certainly not zero.
            f64::from(u8::from(of.mean == 0.0))
        };
        Estimate {
            mean: of.mean,
            low: Some(of.mean - reach),
            high: Some(of.mean + reach),
            p: Some((comparisons * p).min(1.0)),
            family,
        }
    }

    /// The mean difference.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// 95 % confidence interval, after correction for the [family](Estimate::family); `None` for a single pair.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.low.zip(self.high)
    }

    /// Two-sided p-value for a mean of zero, after correction for the [family](Estimate::family), in [0, 1]; `None` for a
    /// single pair.
    pub fn p(&self) -> Option<f64> {
        self.p
    }

    /// Number of comparisons that interval and p-value are corrected for; 1 if they are not.
    pub fn family(&self) -> usize {
        self.family
    }

    /// Returns true if the difference is beyond chance: the interval does not hold zero.
    pub fn is_shown(&self) -> bool {
        self.p.is_some_and(|p| p < LEVEL)
    }
}

#[cfg(test)]
mod tests {
    use rand_core::{Rng as _, SeedableRng as _};
    use rand_pcg::Pcg32;

    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }

    #[test]
    fn one_number_has_no_spread_and_no_interval() {
        assert_eq!(MeanStd::of(&[3.0]), MeanStd { mean: 3.0, std: 0.0, n: 1 });
        assert_eq!(MeanStd::of(&[1.0, 3.0]), MeanStd { mean: 2.0, std: 2f64.sqrt(), n: 2 });
        for few in [&[][..], &[3.0]] {
            let estimate = Estimate::of(few, 0.0, 1);
            assert_eq!((estimate.interval(), estimate.p(), estimate.is_shown()), (None, None, false));
            assert_eq!(MeanStd::of(few).interval(0.0), None);
        }
        assert_eq!(Estimate::of(&[f64::NAN, 1.0], 0.0, 1).p(), None);
    }

    /// Gosset's own data (1908): hours of sleep that ten people gained by one drug over another. The values t
    /// = 4.0621 with 9 degrees of freedom, p = 0.00283 and the interval from 0.7001 to 2.4599 are found in
    /// every textbook.
    #[test]
    fn the_t_test_is_students() {
        let sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let test = Estimate::of(&sleep, 0.0, 1);
        let (low, high) = test.interval().unwrap();
        assert!((test.p().unwrap() - 0.00283289).abs() < 1e-7, "{test:?}");
        assert!((low - 0.7001142).abs() < 1e-6 && (high - 2.4598858).abs() < 1e-6, "{test:?}");
        assert_eq!(MeanStd::of(&sleep).interval(0.0), Some((low, high)));
    }

    #[test]
    fn two_pairs_have_cauchys_distribution() {
        // With one degree of freedom, P(|t| > t₀) = 1 − 2/π·atan t₀, and the 97.5 % quantile is tan(0.475π).
        let test = Estimate::of(&[1.0, 3.0], 0.0, 1);
        near(test.p().unwrap(), 1.0 - 2.0 / std::f64::consts::PI * 2f64.atan());
        near(test.interval().unwrap().1 - 2.0, (0.475 * std::f64::consts::PI).tan());
    }

    #[test]
    fn overlapping_draws_widen_the_interval() {
        let differences = [0.1, 0.3, -0.1, 0.4];
        let [plain, widened] = [0.0, 0.75].map(|overlap| Estimate::of(&differences, overlap, 1));
        let width = |of: Estimate| of.interval().map(|(low, high)| high - low).unwrap();
        near(width(widened) / width(plain), 2.0); // √((1/4 + 3/4) / (1/4))
        assert!(widened.p() > plain.p());
    }

    #[test]
    fn equal_differences_leave_no_doubt() {
        let estimate = |value| Estimate::of(&[value; 3], 0.0, 7);
        assert_eq!((estimate(0.0).interval(), estimate(0.0).p()), (Some((0.0, 0.0)), Some(1.0)));
        assert_eq!((estimate(0.5).interval(), estimate(0.5).p()), (Some((0.5, 0.5)), Some(0.0)));
    }

    #[test]
    fn a_correction_multiplies_the_p_value_and_widens_the_interval_to_match() {
        let differences = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let [one, many] = [1, 24].map(|family| Estimate::of(&differences, 0.0, family));
        near(many.p().unwrap(), 24.0 * one.p().unwrap());
        assert!(one.is_shown() && !many.is_shown());
        assert!(many.interval().is_some_and(|(low, _)| low < 0.0));
    }

    /// Interval and p-value agree for random data of every size, spread and distance from zero, also close to the level.
    #[test]
    fn interval_and_p_value_never_contradict_each_other() {
        let mut random = Pcg32::seed_from_u64(1);
        let mut uniform = || f64::from(random.next_u32()) / f64::from(u32::MAX) - 0.5;
        let (mut shown, mut close) = (0, 0);
        for _ in 0..20_000 {
            let n = 2 + ((uniform() + 0.5) * 12.0) as usize;
            let family = 1 + ((uniform() + 0.5) * 60.0) as usize;
            let overlap = (uniform() * 0.5).max(0.0);
            let (scale, shift) = (10f64.powf(24.0 * uniform()), 6.0 * uniform());
            let differences: Vec<f64> = (0..n).map(|_| scale * (uniform() + shift)).collect();
            let estimate = Estimate::of(&differences, overlap, family);
            let (low, high) = estimate.interval().unwrap();
            let p = estimate.p().unwrap();
            assert!((0.0..=1.0).contains(&p) && low <= estimate.mean() && estimate.mean() <= high);
            // At the level itself, either may be off by the error of the distribution's inverse.
            if (p - LEVEL).abs() > 1e-9 {
                assert_eq!(p < LEVEL, low > 0.0 || high < 0.0, "{estimate:?}");
            }
            assert_eq!(estimate.is_shown(), p < LEVEL);
            shown += usize::from(estimate.is_shown());
            close += usize::from((0.025..0.1).contains(&p));
        }
        assert!(
            shown > 1000 && shown < 19_000 && close > 300,
            "{shown} are shown, {close} are close to the level"
        );
    }
}
