//! Synthetic training rows, generated from the student's training set and labelled by its teacher.
//!
//! A generator is fitted to the standardized features of the training rows and sees no other rows. It treats a
//! missing value as the mean, as a network does. A constant feature stays constant. Munge and interpolation take the
//! values of a feature of few distinct values, such as a category, from the training rows. To the other generators
//! categories are numbers, so that a generated row may lie between 0 and 1.

mod gan;
mod gaussian;
mod interpolation;
mod jitter;
mod mixup;
mod munge;
mod neighbours;
mod training;
mod vae;

use std::str::FromStr;

use rand_core::Rng;
use rand_distr::{Distribution as _, StandardNormal};
use rand_pcg::Pcg32;
use serde::{Deserialize, Serialize};

use crate::dataset::Scaler;
use crate::dataset::{Dataset, Target};
use crate::error::{Error, Result};
use crate::random::shuffle;

/// Method that generates rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Synthetic {
    /// Training rows with Gaussian noise.
    Jitter,
    /// Samples of one Gaussian per label, with a shrunk covariance.
    Gaussian,
    /// Points between two training rows.
    Mixup,
    /// Training rows with some features moved near those of the nearest neighbour.
    Munge,
    /// Points between a training row and one of its nearest neighbours.
    Interpolation,
    /// Samples of a variational autoencoder.
    Vae,
    /// Samples of a generative adversarial network.
    Gan,
}

impl Synthetic {
    /// All methods.
    pub const ALL: [Synthetic; 7] = [
        Synthetic::Jitter,
        Synthetic::Gaussian,
        Synthetic::Mixup,
        Synthetic::Munge,
        Synthetic::Interpolation,
        Synthetic::Vae,
        Synthetic::Gan,
    ];

    /// Returns the name used in `--synthetic` and in model files.
    pub fn name(self) -> &'static str {
        match self {
            Synthetic::Jitter => "jitter",
            Synthetic::Gaussian => "gaussian",
            Synthetic::Mixup => "mixup",
            Synthetic::Munge => "munge",
            Synthetic::Interpolation => "interpolation",
            Synthetic::Vae => "vae",
            Synthetic::Gan => "gan",
        }
    }

    /// Number of the method's random stream, which never changes, so that a seed gives the same rows in all versions.
    fn stream(self) -> u64 {
        match self {
            Synthetic::Jitter => 0,
            Synthetic::Gaussian => 1,
            Synthetic::Mixup => 2,
            Synthetic::Munge => 3,
            Synthetic::Vae => 4,
            Synthetic::Gan => 5,
            Synthetic::Interpolation => 6,
        }
    }
}

impl FromStr for Synthetic {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Synthetic::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| format!("it must be one of {}", Synthetic::ALL.map(Synthetic::name).join(", ")))
    }
}

/// Generates `count` rows that resemble `rows`, in the same units and without a target. The same `seed` gives the
/// same rows. Rows of VAE and GAN, which are trained with matrix products, repeat only on the same kind of CPU.
///
/// # Errors
/// Fails if `rows` is empty, if `count` is too large, or if a training diverges.
pub fn generate(kind: Synthetic, rows: &Dataset, count: usize, seed: u64) -> Result<Dataset> {
    if count.saturating_mul(rows.features.len()) > MOST_NUMBERS {
        return Err(Error::Invalid(format!(
            "{count} synthetic rows of {} features are too many: ask for fewer, {MOST_NUMBERS} numbers at most",
            rows.features.len()
        )));
    }
    if rows.rows() == 0 {
        return Err(Error::Invalid(
            "there are no rows to generate synthetic ones from: give training rows".into(),
        ));
    }
    let scaler = Scaler::fit(&rows.x);
    let x = scaler.apply(&rows.x);
    let rng = &mut Pcg32::new(seed, STREAM + kind.stream());
    let made = match kind {
        Synthetic::Jitter => jitter::generate(&x, count, rng),
        Synthetic::Gaussian => gaussian::generate(&x, &rows.target, count, rng),
        Synthetic::Mixup => mixup::generate(&x, count, rng),
        Synthetic::Munge => munge::generate(&x, count, rng),
        Synthetic::Interpolation => interpolation::generate(&x, count, rng),
        Synthetic::Vae => vae::generate(&x, count, rng)?,
        Synthetic::Gan => gan::generate(&x, count, rng)?,
    };
    Ok(Dataset {
        x: scaler.restore(&made),
        target: Target::Absent,
        groups: None,
        keys: None,
        ..rows.select(&[])
    })
}

/// Maximum count of numbers to generate. More would not fit in a desktop's memory together with what is computed from
/// them.
const MOST_NUMBERS: usize = 1 << 28;

/// Random stream of synthetic rows: the first of several.
const STREAM: u64 = 0x5359_4E54;

/// Draws `count` indices of `rows` rows, at least one, in random order. Each index appears as often as any other, or
/// once more.
fn draw(rows: usize, count: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    let mut drawn = Vec::with_capacity(count);
    while drawn.len() < count {
        shuffle(&mut order, rng);
        drawn.extend(order.iter().take(count - drawn.len()));
    }
    drawn
}

/// Draws a number from a Gaussian of mean 0 and variance 1.
fn normal(rng: &mut impl Rng) -> f32 {
    StandardNormal.sample(rng)
}

/// Draws a number in [0, 1).
fn unit_interval(rng: &mut impl Rng) -> f32 {
    microdistill::scalar::Scalar::unit_interval(rng.next_u32())
}

/// Standardized test rows, shape (features × rows), and their classes: two classes on a bent line.
#[cfg(test)]
fn moons(rows: usize, seed: u64) -> (nalgebra::DMatrix<f32>, Vec<usize>) {
    let rng = &mut Pcg32::new(seed, 1);
    let classes: Vec<usize> = (0..rows).map(|row| row % 2).collect();
    let columns = classes.iter().map(|&class| {
        let angle = std::f32::consts::PI * unit_interval(rng);
        let sign = if class == 0 { 1.0 } else { -1.0 };
        let (x, y) = (sign * angle.cos() + 0.5 - sign * 0.5, sign * angle.sin() - 0.25 + sign * 0.25);
        nalgebra::DVector::from_vec(vec![x + 0.05 * normal(rng), y + 0.05 * normal(rng), 7.0])
    });
    (nalgebra::DMatrix::from_columns(&columns.collect::<Vec<_>>()), classes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Task;

    fn dataset() -> Dataset {
        let (mut x, classes) = moons(60, 1);
        x.row_mut(0).iter_mut().for_each(|x| *x = 1000.0 + 50.0 * *x);
        x[(1, 3)] = f32::NAN;
        let labels = vec!["up".into(), "down".into()];
        Dataset {
            features: ["a", "b", "constant"].map(String::from).into(),
            x,
            task: Task::Classification { target: "class".into(), labels },
            target: Target::Classes(classes),
            groups: Some((0..60).map(|row| (row / 10).to_string()).collect()),
            hash: "0123".into(),
            origin: Vec::new(),
            target_origin: Vec::new(),
            left_out: Vec::new(),
            keys: None,
            options: crate::table::Options::default(),
            notes: vec!["a note".into()],
        }
    }

    #[test]
    fn every_kind_repeats_by_its_seed_in_raw_units() {
        let rows = dataset();
        for kind in Synthetic::ALL {
            let made = generate(kind, &rows, 150, 1).unwrap();
            assert_eq!(made, generate(kind, &rows, 150, 1).unwrap(), "{kind:?}");
            assert_ne!(made.x, generate(kind, &rows, 150, 2).unwrap().x, "{kind:?}");
            assert_eq!((made.rows(), &made.target, &made.groups), (150, &Target::Absent, &None));
            assert_eq!((&made.features, &made.task, &made.hash), (&rows.features, &rows.task, &rows.hash));
            let a = made.x.row(0);
            assert!(a.iter().all(|a| (750.0..1350.0).contains(a)), "{kind:?}: {} to {}", a.min(), a.max());
            assert!(made.x.iter().all(|x| x.is_finite()), "{kind:?}: the missing value is the mean");
            assert!(made.x.row(2).iter().all(|&x| x == 7.0), "{kind:?}: the constant feature is constant");
            assert_eq!(generate(kind, &rows, 0, 1).unwrap().rows(), 0);
            let most = generate(kind, &rows, usize::MAX, 1).unwrap_err();
            assert!(most.to_string().contains("of 3 features are too many"), "{most}");
            let none = generate(kind, &rows.select(&[]), 1, 1).unwrap_err();
            assert_eq!(
                none.to_string(),
                "there are no rows to generate synthetic ones from: give training rows"
            );
        }
    }

    #[test]
    fn networks_make_rows_of_the_mean_and_spread_of_the_data() {
        let (x, _) = moons(400, 1);
        let x = x.rows(0, 2).into_owned();
        let rng = || Pcg32::new(1, 1);
        for (made, off, ratios) in [
            (vae::generate(&x, 2000, &mut rng()).unwrap(), 0.15, 0.7..1.3),
            (gan::generate(&x, 2000, &mut rng()).unwrap(), 0.2, 0.7..1.4),
        ] {
            for (made, x) in made.row_iter().zip(x.row_iter()) {
                assert!((made.mean() - x.mean()).abs() < off, "means {} and {}", made.mean(), x.mean());
                let ratio = made.variance() / x.variance();
                assert!(ratios.contains(&ratio), "variances {} and {}", made.variance(), x.variance());
            }
        }
    }

    #[test]
    fn one_row_and_rows_without_a_target_suffice() {
        for kind in Synthetic::ALL {
            let made = generate(kind, &dataset().select(&[5]), 3, 1).unwrap();
            assert!(made.x.iter().all(|x| x.is_finite()), "{kind:?}");
            let unlabelled = Dataset { target: Target::Absent, ..dataset() };
            assert_eq!(generate(kind, &unlabelled, 3, 1).unwrap().rows(), 3);
        }
    }

    #[test]
    fn names_are_read_back() {
        for kind in Synthetic::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("{:?}", kind.name()));
        }
        assert!("smote".parse::<Synthetic>().unwrap_err().contains("mixup, munge, interpolation, vae, gan"));
    }

    #[test]
    fn every_row_serves_alike() {
        let mut counts = [0; 7];
        draw(7, 17, &mut Pcg32::new(1, 1)).into_iter().for_each(|row| counts[row] += 1);
        assert!(counts.iter().all(|count| [2, 3].contains(count)), "{counts:?}");
    }
}
