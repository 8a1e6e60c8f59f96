//! Gradient-boosted trees (Friedman 2001), grown leaf by leaf on histograms of gradients (Ke et al. 2017, LightGBM).

mod tree;

use microdistill::loss::log_softmax;
use microdistill::scalar::Scalar;
use rand_core::Rng as _;
use rand_pcg::Pcg32;
use rayon::prelude::*;

use super::rows::Rows;
use super::{Examined, Learner, Tick};
use crate::blend::{Boosting, Link, Member, Recipe, Trees};
use crate::dataset::{Fold, Kind};
use crate::error::Result;
use crate::random::below;
use crate::teacher::Target;
use tree::Grower;

/// Most rows that trees are trained on.
const MOST_ROWS: usize = 200_000;
/// Most rows that a round sees.
const ROUND_ROWS: usize = 50_000;
/// Fewest rounds that are chosen.
const FEWEST_ROUNDS: usize = 20;
/// Rounds without a better held-out loss after which the choice ends.
const PATIENCE: usize = 25;

impl Learner for Boosting {
    fn fit(&self, rows: &Rows<'_>, seed: u64) -> Result<Member> {
        Ok(Member::Trees(self.boost(rows, seed, None)?))
    }

    /// Each fold is predicted by so many rounds as the other folds ask for.
    fn examine(&self, rows: &Rows<'_>, folds: &[Fold], seed: u64, trained: Tick<'_>) -> Result<Examined> {
        let train = |fold: &Fold| {
            let mut held_out = HeldOut { index: &fold.validation, losses: Vec::new() };
            let trees = self.boost(&rows.with(&fold.train), seed, Some(&mut held_out))?;
            trained();
            Ok((trees, held_out.losses))
        };
        let trees = folds.par_iter().with_max_len(1).map(train).collect::<Result<Vec<_>>>()?;
        let curves: Vec<&[f64]> = trees.iter().map(|(_, losses)| losses.as_slice()).collect();
        let predict = |(place, fold): (usize, &Fold)| {
            let rounds = self.best_rounds(&[&curves[..place], &curves[place + 1..]].concat());
            let (trees, losses) = &trees[place];
            let trees = if rounds <= losses.len() {
                trees.first(rounds * trees.base.len())
            } else {
                Boosting { rounds, ..self.clone() }.boost(&rows.with(&fold.train), seed, None)?
            };
            Ok(rows.predict(&Member::Trees(trees), &fold.validation))
        };
        let outputs = folds.par_iter().with_max_len(1).enumerate().map(predict).collect::<Result<_>>()?;
        let recipe = Recipe::Boosting(Boosting { rounds: self.best_rounds(&curves), ..self.clone() });
        Ok(Examined { recipe, outputs })
    }
}

/// Held-out rows that the rounds are judged by.
struct HeldOut<'a> {
    index: &'a [usize],
    /// Mean loss after each round.
    losses: Vec<f64>,
}

impl HeldOut<'_> {
    fn is_over(&self) -> bool {
        let best = (0..self.losses.len()).min_by(|&a, &b| self.losses[a].total_cmp(&self.losses[b]));
        best.is_some_and(|best| self.losses.len() > best + PATIENCE)
    }
}

impl Boosting {
    /// Number of rounds at which the sum of the losses of several folds is smallest.
    fn best_rounds(&self, curves: &[&[f64]]) -> usize {
        let reached = curves.iter().map(|curve| curve.len()).min().unwrap_or(0);
        let loss = |round: usize| curves.iter().map(|curve| curve[round]).sum::<f64>();
        let best = (0..reached).min_by(|&a, &b| loss(a).total_cmp(&loss(b)));
        best.map_or(self.rounds, |best| (best + 1).max(FEWEST_ROUNDS.min(self.rounds)))
    }

    fn boost(&self, rows: &Rows<'_>, seed: u64, mut held_out: Option<&mut HeldOut<'_>>) -> Result<Trees> {
        let index: Vec<u32> = rows.sample(MOST_ROWS, seed).into_iter().map(|row| row as u32).collect();
        let mut sums = Sums::new(rows, &index);
        let mut trees = Trees::new(rows.x.nrows(), 1, sums.base.clone(), sums.link);
        let mut grower = Grower::new(rows.bins, self);
        let mut rng = Pcg32::new(seed, STREAM);
        let varying = rows.bins.varying();
        let share = self.row_share.min(ROUND_ROWS as f32 / index.len() as f32);
        for _ in 0..self.rounds {
            rows.proceed()?;
            let (seen, unseen) = draw(&index, share, &mut rng);
            sums.probabilities(rows, &index);
            for sum in 0..sums.base.len() {
                let features = some(&varying, self.feature_share, &mut rng);
                sums.gradients(rows, &index, sum, &mut grower.gradients);
                grower.grow(&mut trees, &seen, &features);
                grower.add(&mut sums.values[sum], &unseen);
                if let Some(held_out) = &held_out {
                    grower.add_elsewhere(&mut sums.values[sum], held_out.index);
                }
            }
            if let Some(held_out) = &mut held_out {
                held_out.losses.push(sums.loss(rows, held_out.index));
                if held_out.is_over() {
                    break;
                }
            }
        }
        Ok(trees)
    }
}

/// Divides rows at random into those that a round sees and the others.
fn draw(index: &[u32], share: f32, rng: &mut Pcg32) -> (Vec<u32>, Vec<u32>) {
    let limit = (f64::from(share) * f64::from(u32::MAX)) as u32;
    let (seen, unseen): (Vec<u32>, Vec<u32>) = index.iter().partition(|_| rng.next_u32() <= limit);
    if seen.is_empty() { (index.to_vec(), Vec::new()) } else { (seen, unseen) }
}

/// A random share of the features, at least one unless there is none.
fn some(features: &[usize], share: f32, rng: &mut Pcg32) -> Vec<usize> {
    let count = ((features.len() as f32 * share).ceil() as usize).min(features.len());
    let mut chosen = features.to_vec();
    if count < chosen.len() {
        for place in 0..count {
            let other = place + below(chosen.len() - place, rng);
            chosen.swap(place, other);
        }
        chosen.truncate(count);
        chosen.sort_unstable();
    }
    chosen
}

/// Sums of the trees so far, for every row of the data set.
struct Sums {
    base: Vec<f32>,
    link: Link,
    /// For each sum, its value at every row.
    values: Vec<Vec<f32>>,
    /// For several classes, their probabilities at the start of a round.
    shares: Vec<Vec<f32>>,
}

impl Sums {
    fn new(rows: &Rows<'_>, index: &[u32]) -> Self {
        let (base, link) = match rows.target {
            Target::Values(values) => {
                let mean = |output| {
                    let sum: f64 = index.iter().map(|&row| f64::from(values[(output, row as usize)])).sum();
                    (sum / index.len() as f64) as f32
                };
                ((0..rows.outputs).map(mean).collect::<Vec<f32>>(), Link::Sums)
            }
            Target::Classes(classes) => {
                let mut counts = vec![0.5f32; rows.outputs];
                index.iter().for_each(|&row| counts[classes[row as usize]] += 1.0);
                let logs: Vec<f32> = counts.iter().map(|&count| Scalar::ln(count)).collect();
                match logs.as_slice() {
                    [first, second] => (vec![second - first], Link::Binary),
                    _ => {
                        let mut logs = logs;
                        log_softmax(&mut logs);
                        (logs, Link::Sums)
                    }
                }
            }
        };
        let values = base.iter().map(|&start| vec![start; rows.bins.rows()]).collect();
        Sums { base, link, values, shares: Vec::new() }
    }

    /// Updates the probabilities of several classes.
    fn probabilities(&mut self, rows: &Rows<'_>, index: &[u32]) {
        if self.link == Link::Binary || rows.kind() == Kind::Regression {
            return;
        }
        self.shares.resize(self.values.len(), Vec::new());
        self.shares.iter_mut().for_each(|shares| shares.resize(rows.bins.rows(), 0.0));
        let mut logs = vec![0.0; self.values.len()];
        for &row in index {
            let row = row as usize;
            logs.iter_mut().zip(&self.values).for_each(|(log, values)| *log = values[row]);
            let top = logs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            logs.iter_mut().for_each(|log| *log = Scalar::exp(*log - top));
            let sum: f32 = logs.iter().sum();
            self.shares.iter_mut().zip(&logs).for_each(|(shares, share)| shares[row] = share / sum);
        }
    }

    /// Writes the gradient and the second derivative of the loss by sum `sum`, for the rows `index`.
    fn gradients(&self, rows: &Rows<'_>, index: &[u32], sum: usize, gradients: &mut [[f32; 4]]) {
        let values = &self.values[sum];
        match rows.target {
            Target::Values(targets) => index.iter().for_each(|&row| {
                let row = row as usize;
                gradients[row] = [values[row] - targets[(sum, row)], 1.0, 1.0, 0.0];
            }),
            Target::Classes(classes) => {
                let several = self.link != Link::Binary;
                let count = self.values.len() as f32;
                let (factor, class) = if several { (count / (count - 1.0).max(1.0), sum) } else { (1.0, 1) };
                for &row in index {
                    let row = row as usize;
                    let share =
                        if several { self.shares[sum][row] } else { 1.0 / (1.0 + Scalar::exp(-values[row])) };
                    let is = f32::from(u8::from(classes[row] == class));
                    gradients[row] = [share - is, factor * share * (1.0 - share), 1.0, 0.0];
                }
            }
        }
    }

    /// Mean loss of held-out rows.
    fn loss(&self, rows: &Rows<'_>, index: &[usize]) -> f64 {
        let loss = |&row: &usize| match rows.target {
            Target::Values(targets) => {
                let error =
                    |(sum, values): (usize, &Vec<f32>)| f64::from(values[row] - targets[(sum, row)]).powi(2);
                self.values.iter().enumerate().map(error).sum()
            }
            Target::Classes(classes) => {
                let mut logs: Vec<f32> = match self.link {
                    Link::Binary => vec![0.0, self.values[0][row]],
                    Link::Sums | Link::Shares => self.values.iter().map(|values| values[row]).collect(),
                };
                log_softmax(&mut logs);
                -f64::from(logs[classes[row]])
            }
        };
        index.iter().map(loss).sum::<f64>() / index.len().max(1) as f64
    }
}

/// Random stream of boosting.
const STREAM: u64 = 0x424F_4F53;
