//! Means, paired differences, and corrections for multiple comparisons.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::results::MeanStd;

/// Mean and sample standard deviation of these numbers.
pub(super) fn mean_std(numbers: &[f64]) -> MeanStd {
    let n = numbers.len();
    let mean = numbers.iter().sum::<f64>() / n as f64;
    let squares = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>();
    let std = if n > 1 { (squares / (n as f64 - 1.0)).sqrt() } else { 0.0 };
    MeanStd { mean, std, n }
}

/// Result of a paired t-test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TTest {
    /// 95 % confidence interval of the mean difference.
    pub(super) interval: (f64, f64),
    /// Two-sided p-value for a mean of zero.
    pub(super) p: f64,
}

/// Student's paired t-test on the differences of pairs; `None` for fewer than two pairs.
///
/// `overlap` is 0 if the pairs are independent, given what is fixed. If each pair drew its own test rows from
/// one pool, it is the ratio of test rows to training rows. Overlapping training sets make differences look
/// more alike than they are, so Nadeau and Bengio (2003, section 3) widen the variance of the mean from
/// `s²/n` to `s²·(1/n + overlap)`.
pub(super) fn t_test(differences: &[f64], overlap: f64) -> Option<TTest> {
    let MeanStd { mean, std, n } = mean_std(differences);
    let student = StudentsT::new(0.0, 1.0, n.checked_sub(1)? as f64).ok()?;
    let error = std * (1.0 / n as f64 + overlap).sqrt();
    let reach = student.inverse_cdf(0.975) * error;
    let p = if error > 0.0 {
        2.0 * student.sf((mean / error).abs())
    } else {
        // All differences are equal: either zero, or certainly not zero.
        f64::from(u8::from(mean == 0.0))
    };
    Some(TTest { interval: (mean - reach, mean + reach), p })
}

/// Holm's correction (1979) of the p-values of a family, in the given order. Rejecting all hypotheses whose
/// corrected p-value is below a level keeps the chance of any false rejection below that level.
pub(super) fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut floor = 0.0f64;
    for (rank, &index) in order.iter().enumerate() {
        floor = floor.max(p_values[index] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[index] = floor;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }

    #[test]
    fn one_number_has_no_spread_and_no_interval() {
        assert_eq!(mean_std(&[3.0]), MeanStd { mean: 3.0, std: 0.0, n: 1 });
        assert_eq!(mean_std(&[1.0, 3.0]), MeanStd { mean: 2.0, std: 2f64.sqrt(), n: 2 });
        assert_eq!((t_test(&[], 0.0), t_test(&[3.0], 0.0)), (None, None));
    }

    /// Gosset's own data (1908): hours of sleep that ten people gained by one drug over another. The values t
    /// = 4.0621 with 9 degrees of freedom, p = 0.00283 and the interval from 0.7001 to 2.4599 are found in
    /// every textbook.
    #[test]
    fn the_t_test_is_students() {
        let sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let test = t_test(&sleep, 0.0).unwrap();
        assert!((test.p - 0.00283289).abs() < 1e-7, "{}", test.p);
        assert!((test.interval.0 - 0.7001142).abs() < 1e-6, "{:?}", test.interval);
        assert!((test.interval.1 - 2.4598858).abs() < 1e-6, "{:?}", test.interval);
    }

    #[test]
    fn two_pairs_have_cauchys_distribution() {
        // With one degree of freedom, P(|t| > t₀) = 1 − 2/π·atan t₀, and the 97.5 % quantile is tan(0.475π).
        let test = t_test(&[1.0, 3.0], 0.0).unwrap();
        near(test.p, 1.0 - 2.0 / std::f64::consts::PI * 2f64.atan());
        near(test.interval.1 - 2.0, (0.475 * std::f64::consts::PI).tan());
    }

    #[test]
    fn overlapping_draws_widen_the_interval() {
        let differences = [0.1, 0.3, -0.1, 0.4];
        let [plain, corrected] = [0.0, 0.75].map(|overlap| t_test(&differences, overlap).unwrap());
        let width = |test: TTest| test.interval.1 - test.interval.0;
        near(width(corrected) / width(plain), 2.0); // √((1/4 + 3/4) / (1/4))
        assert!(corrected.p > plain.p);
    }

    #[test]
    fn equal_differences_leave_no_doubt() {
        assert_eq!(t_test(&[0.0; 3], 0.0), Some(TTest { interval: (0.0, 0.0), p: 1.0 }));
        assert_eq!(t_test(&[0.5; 3], 0.0), Some(TTest { interval: (0.5, 0.5), p: 0.0 }));
    }

    #[test]
    fn holm_rejects_step_by_step() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            near(*found, expected);
        }
        assert_eq!(holm(&[0.9, 0.6]), [1.0, 1.0]);
        assert_eq!(holm(&[0.3]), [0.3]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }
}
