//! Candidates of a search: layer widths, bits of the weights and recipes.

use microdistill::loss::{DecoupledSoftLabels, SoftLabels};
use rand_pcg::Pcg32;
use serde::Serialize;

use super::{Budget, Cost};
use microdistill_train::error::{Error, Result};
use microdistill_train::network::precision::{Bits, Precision, Scales};
use microdistill_train::random::below;
use microdistill_train::student::{Recipe, Settings};

/// A student and its training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// Widths of the layers, from input to output.
    pub widths: Vec<usize>,
    /// Bits of the weights.
    pub bits: Bits,
    /// Softening of a classifier's labels; `None` for values, which have no probabilities.
    #[serde(flatten)]
    pub softening: Option<Softening>,
    /// Decoupled weight decay of the training.
    pub weight_decay: f32,
    /// Share of hidden units dropped in training.
    pub dropout: f32,
    /// Mixup in training: see [`Settings::mixup`].
    pub mixup: Option<f32>,
}

/// Parameters of soft labels, decoupled or not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Softening {
    /// Temperature T: see [`SoftLabels`].
    pub temperature: f32,
    /// Share α of the teacher: see [`SoftLabels`] and [`DecoupledSoftLabels`].
    pub alpha: f32,
    /// Weight β of the other classes: see [`DecoupledSoftLabels`]; `None` if the soft labels are not
    /// decoupled.
    pub beta: Option<f32>,
}

/// Numbers of inputs and outputs of the networks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub inputs: usize,
    pub outputs: usize,
    pub regression: bool,
}

/// Widths of hidden layers. A second layer is at most as wide as the first.
const WIDTHS: [usize; 14] = [2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];
const BITS: [Bits; 2] = [Bits::Eight, Bits::Four];
const TEMPERATURES: [f32; 3] = [1.0, 2.0, 4.0];
const ALPHAS: [f32; 3] = [0.5, 0.9, 1.0];
const BETAS: [Option<f32>; 4] = [None, None, Some(1.0), Some(4.0)];
const WEIGHT_DECAYS: [f32; 5] = [0.003, 0.01, 0.03, 0.1, 0.3];
const DROPOUTS: [f32; 3] = [0.0, 0.1, 0.25];
const MIXUPS: [Option<f32>; 4] = [None, None, Some(0.2), Some(1.0)];

/// Random stream for searches.
const STREAM: u64 = 0x5345_4152;

impl Candidate {
    /// Precision of the weights.
    pub fn precision(&self) -> Precision {
        precision(self.bits)
    }

    /// Cost on a device.
    pub fn cost(&self) -> Cost {
        Cost::of(&self.widths, self.precision(), self.softening.is_none())
    }

    /// Settings of its training on `rows` rows. Weights of fewer than 8 bits are trained quantization-aware.
    pub fn settings(&self, rows: usize, seed: u64) -> Settings {
        let recipe = self.softening.map_or(Recipe::ValueMse, Softening::recipe);
        let mut settings = Settings::new(self.widths.clone(), recipe, rows, seed);
        settings.training.rates.weight_decay = self.weight_decay;
        settings.training.dropout = self.dropout;
        settings.mixup = self.mixup;
        settings.precision = (self.bits != Bits::Eight).then(|| self.precision());
        settings
    }

    fn draw((widths, bits): Shape, ends: Ends, rng: &mut Pcg32) -> Self {
        // Decoupling needs at least two classes in addition to the label's.
        let betas = if ends.outputs < 3 { &[None][..] } else { &BETAS };
        let softening = (!ends.regression).then(|| Softening {
            temperature: pick(&TEMPERATURES, rng),
            alpha: pick(&ALPHAS, rng),
            beta: pick(betas, rng),
        });
        Candidate {
            widths,
            bits,
            softening,
            weight_decay: pick(&WEIGHT_DECAYS, rng),
            dropout: pick(&DROPOUTS, rng),
            mixup: pick(&MIXUPS, rng),
        }
    }
}

impl Softening {
    fn recipe(self) -> Recipe {
        let Softening { temperature, alpha, beta } = self;
        match beta {
            None => Recipe::SoftLabels(SoftLabels { temperature, alpha }),
            Some(beta) => Recipe::Decoupled(DecoupledSoftLabels { temperature, alpha, beta }),
        }
    }
}

fn precision(bits: Bits) -> Precision {
    match bits {
        Bits::Eight => Scales::PerChannel.into(),
        bits => Precision::per_channel(bits),
    }
}

fn pick<T: Copy>(values: &[T], rng: &mut Pcg32) -> T {
    values[below(values.len(), rng)]
}

/// Widths of the layers, and bits of the weights.
type Shape = (Vec<usize>, Bits);

fn cost((widths, bits): &Shape, ends: Ends) -> Cost {
    Cost::of(widths, precision(*bits), ends.regression)
}

/// All shapes of students.
fn shapes(Ends { inputs, outputs, .. }: Ends) -> Vec<Shape> {
    let one = WIDTHS.iter().map(|&first| vec![first]);
    let two = WIDTHS.iter().flat_map(|&first| {
        WIDTHS.iter().filter(move |&&second| second <= first).map(move |&second| vec![first, second])
    });
    let hidden = std::iter::once(Vec::new()).chain(one).chain(two);
    let widths = hidden.map(|hidden| [&[inputs], hidden.as_slice(), &[outputs]].concat());
    widths.flat_map(|widths| BITS.map(|bits| (widths.clone(), bits))).collect()
}

/// Draws `count` distinct candidates within the budget, or fewer if there are not that many. Half of them use
/// at least half of the flash of the largest student that fits, because unused flash is seldom the best
/// choice.
///
/// # Errors
/// Returns an error with the costs of the smallest student if no student fits the budget.
pub(super) fn draw(ends: Ends, budget: &Budget, count: usize, seed: u64) -> Result<Vec<Candidate>> {
    let all = shapes(ends);
    let fitting: Vec<_> = all.iter().filter(|shape| budget.covers(&cost(shape, ends))).collect();
    let Some(largest) = fitting.iter().map(|shape| cost(shape, ends).flash).max() else {
        return Err(nothing_fits(all.iter().map(|shape| (shape, cost(shape, ends)))));
    };
    let large: Vec<_> =
        fitting.iter().copied().filter(|shape| 2 * cost(shape, ends).flash >= largest).collect();
    let mut rng = Pcg32::new(seed, STREAM);
    let mut drawn: Vec<Candidate> = Vec::new();
    // This many tries find nearly all candidates if there are few.
    for index in 0..100 * count {
        let from = if index % 2 == 0 { &large } else { &fitting };
        let shape = from[below(from.len(), &mut rng)].clone();
        let next = Candidate::draw(shape, ends, &mut rng);
        if !drawn.contains(&next) {
            drawn.push(next);
        }
        if drawn.len() == count {
            break;
        }
    }
    Ok(drawn)
}

fn nothing_fits<'a>(all: impl Iterator<Item = (&'a Shape, Cost)> + Clone) -> Error {
    let smallest = all.clone().min_by_key(|(_, cost)| (cost.flash, cost.ram));
    let fastest = all.map(|(_, cost)| cost.instructions).min().unwrap_or_default();
    let Some(((widths, bits), Cost { flash, ram, .. })) = smallest else {
        return Error::Invalid("there are no students to search".into());
    };
    let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
    Error::Invalid(format!(
        "no student fits: the smallest, {} with {} bits, needs {flash} bytes of flash and {ram} of RAM, the fastest \
         {fastest} instructions",
        widths.join("-"),
        u8::from(*bits)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: Ends = Ends { inputs: 30, outputs: 7, regression: false };

    #[test]
    fn candidates_fit_and_differ_and_repeat() {
        let budget = Budget { flash: Some(4096), ram: Some(512), instructions: Some(4000) };
        let drawn = draw(ENDS, &budget, 40, 3).unwrap();
        assert_eq!(drawn.len(), 40);
        assert!(drawn.iter().all(|candidate| budget.covers(&candidate.cost())));
        assert!((1..40).all(|index| !drawn[..index].contains(&drawn[index])));
        assert_eq!(drawn, draw(ENDS, &budget, 40, 3).unwrap());
        assert_ne!(drawn, draw(ENDS, &budget, 40, 4).unwrap());
    }

    #[test]
    fn recipes_are_those_that_the_task_has() {
        let drawn = |ends| draw(ends, &Budget::default(), 60, 1).unwrap();
        let recipes = |ends| -> Vec<Recipe> {
            drawn(ends).iter().map(|candidate| candidate.settings(100, 1).recipe).collect()
        };
        let decoupled = |recipe: &Recipe| matches!(recipe, Recipe::Decoupled(_));
        assert!(recipes(ENDS).iter().any(decoupled));
        assert!(!recipes(ENDS).iter().all(decoupled));
        assert!(!recipes(Ends { outputs: 2, ..ENDS }).iter().any(decoupled));
        let values = recipes(Ends { outputs: 1, regression: true, ..ENDS });
        assert!(values.iter().all(|recipe| *recipe == Recipe::ValueMse));
        assert!(drawn(ENDS).iter().any(|candidate| candidate.settings(100, 1).mixup.is_some()));
    }

    #[test]
    fn a_budget_for_nothing_says_what_would_fit() {
        let budget = |flash| Budget { flash: Some(flash), ..Budget::default() };
        let error = draw(ENDS, &budget(100), 9, 1).unwrap_err().to_string();
        let words: Vec<&str> = error.split(' ').collect();
        let flash = words[words.iter().position(|word| *word == "needs").unwrap() + 1].parse().unwrap();
        assert!(error.starts_with("no student fits: the smallest, 30-2-7 with 4 bits"), "{error}");
        assert!(draw(ENDS, &budget(flash), 9, 1).is_ok());
        assert!(draw(ENDS, &budget(flash - 1), 9, 1).is_err());
    }
}
