//! The flags of `distill` for the loss and the regularization.

use std::str::FromStr;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use microdistill::loss::{DecoupledSoftLabels, SoftLabels};
use microdistill_train::model::Task;
use microdistill_train::student::{Annealing, Curve, Recipe, Settings};

use crate::flags::parse::count;

/// The table at the end of `--help`.
pub(crate) const TABLE: &str = "\
Losses, for logits z of the student and v of the teacher, C classes, p = softmax(z/T), q = softmax(v/T), and CE = −ln softmax(z) \
of the label:

  --loss       minimizes                              use it for
  soft-labels  α·T²·KL(q‖p) + (1−α)·CE                classes, with or without labels: the default
  decoupled    T²·(α·TCKD + β·NCKD) + (1−α)·CE        three or more classes and a confident teacher
  outputs      1/C Σ (softmax(v) − softmax(z))²       the original form, without temperature
  logits       1/C Σ (v − z)², each minus its mean    like outputs; confident predictions weigh more
  values       (v − z)²                               regression, always

TCKD is the divergence between the label's class and all others, NCKD the divergence among the others (Zhao et al. 2022).

  option                      effect
  --temperature 8..2          changes T from the first to the last epoch, in the shape of --cooling
  --weight-decay auto         chooses the weight decay (L2) by cross-validation
  --dropout 0.2               drops this share of the hidden units, anew for each sample
  --label-smoothing 0.1       takes CE against (1−ε)·label + ε/C
  --mixup 0.2                 mixes samples and targets in pairs, with shares drawn from Beta(α, α)
  --patience 20               stops when the validation loss stops improving, keeps the best epoch
  --hints                     first fits the hidden layer to the teacher's (Romero et al. 2015)
  --generations 3             trains each next student on the previous one (Furlanello et al. 2018)

Teachers: one model, an ensemble (`train --ensemble`), several models (--teacher A --teacher B), stored outputs of any model \
(--soft-labels), or a program that answers (--teacher-command). The probabilities of several teachers are averaged at T.";

#[derive(Args, Debug)]
#[command(next_help_heading = "Recipe")]
pub(crate) struct RecipeFlags {
    /// Loss to minimize; regression always minimizes the squared difference [default: soft-labels]
    #[arg(long, value_enum)]
    loss: Option<LossFlag>,
    /// Temperature T > 0, which softens the outputs of teacher and student; a range such as 8..2 changes it over the epochs
    /// [default: 2, decoupled: 4]
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    temperature: Option<Temperature>,
    /// Shape of a temperature schedule
    #[arg(long, value_enum, default_value = "linear")]
    cooling: CurveFlag,
    /// Weight α of the teacher in the loss, in [0, 1]; the labels get 1 − α [default: 0.9, decoupled: 0.5]
    #[arg(long)]
    alpha: Option<f32>,
    /// Weight β ≥ 0 of the classes other than the label's, for decoupled soft labels [default: 4]
    #[arg(long)]
    beta: Option<f32>,
    /// Share of the hidden units dropped for each sample, in [0, 1)
    #[arg(long, default_value_t = 0.0)]
    dropout: f32,
    /// Share ε of each label that is spread evenly over all classes, in [0, 1)
    #[arg(long, value_name = "E", default_value_t = 0.0)]
    label_smoothing: f32,
    /// Mix pairs of rows with shares drawn from Beta(α, α), α > 0
    #[arg(long, value_name = "ALPHA")]
    mixup: Option<f32>,
    /// First train the student's hidden layer to match the teacher's
    #[arg(long)]
    pub(crate) hints: bool,
    /// Number of students trained in sequence, each on the previous one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = count::<usize>)]
    pub(crate) generations: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LossFlag {
    /// α·T²·KL(teacher‖student) + (1−α)·cross-entropy with the label
    SoftLabels,
    /// The same loss in two terms: the label's class against the others, and the others among themselves
    Decoupled,
    /// Mean squared difference of the probabilities: the original form
    Outputs,
    /// Mean squared difference of the logits, each minus their mean
    Logits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CurveFlag {
    /// The same step every epoch
    Linear,
    /// Along a half cosine
    Cosine,
}

impl From<CurveFlag> for Curve {
    fn from(flag: CurveFlag) -> Self {
        match flag {
            CurveFlag::Linear => Curve::Linear,
            CurveFlag::Cosine => Curve::Cosine,
        }
    }
}

/// `2`, or `8..2`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Temperature {
    first: f32,
    last: Option<f32>,
}

impl FromStr for Temperature {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number =
            |text: &str| text.parse().map_err(|_| "it must be a number, or a range such as 8..2".to_owned());
        match text.split_once("..") {
            None => Ok(Temperature { first: number(text)?, last: None }),
            Some((first, last)) => Ok(Temperature { first: number(first)?, last: Some(number(last)?) }),
        }
    }
}

impl RecipeFlags {
    /// Checks the flags, before any file is read.
    pub(crate) fn check(&self) -> Result<()> {
        if self.beta.is_some() && self.loss != Some(LossFlag::Decoupled) {
            bail!("--beta is only for --loss decoupled: add that, or leave it out");
        }
        Ok(())
    }

    /// Returns a flag that names a part of the recipe, if one is given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--loss", self.loss.is_some()),
            ("--temperature", self.temperature.is_some()),
            ("--alpha", self.alpha.is_some()),
            ("--beta", self.beta.is_some()),
            ("--dropout", self.dropout != 0.0),
            ("--label-smoothing", self.label_smoothing != 0.0),
            ("--mixup", self.mixup.is_some()),
            ("--hints", self.hints),
            ("--generations", self.generations != 1),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }

    /// Applies the flags to `settings`: the loss and the regularization.
    pub(crate) fn apply(&self, settings: &mut Settings) {
        settings.annealing = self
            .temperature
            .and_then(|temperature| temperature.last)
            .map(|last| Annealing { last, curve: self.cooling.into() });
        settings.training.dropout = self.dropout;
        settings.label_smoothing = self.label_smoothing;
        settings.mixup = self.mixup;
    }

    /// The loss for a task, with the parameters that the flags set.
    pub(crate) fn recipe(&self, task: &Task) -> Result<Recipe> {
        let temperature = |default| self.temperature.map_or(default, |temperature| temperature.first);
        let alpha = |default| self.alpha.unwrap_or(default);
        let loss = match (task, self.loss) {
            (Task::Regression { .. }, None | Some(LossFlag::Outputs)) => return Ok(Recipe::ValueMse),
            (Task::Regression { .. }, Some(loss)) => {
                let name = loss.to_possible_value();
                let name = name.as_ref().map_or("", |value| value.get_name());
                bail!("--loss {name} is for classification, but the target holds values: leave it out")
            }
            (Task::Classification { .. }, loss) => loss.unwrap_or(LossFlag::SoftLabels),
        };
        Ok(match loss {
            LossFlag::Outputs => Recipe::OutputMse,
            LossFlag::Logits => Recipe::LogitMse,
            LossFlag::SoftLabels => {
                let SoftLabels { temperature: t, alpha: a } = SoftLabels::DEFAULT;
                Recipe::SoftLabels(SoftLabels { temperature: temperature(t), alpha: alpha(a) })
            }
            LossFlag::Decoupled => {
                let DecoupledSoftLabels { temperature: t, alpha: a, beta } = DecoupledSoftLabels::DEFAULT;
                let beta = self.beta.unwrap_or(beta);
                Recipe::Decoupled(DecoupledSoftLabels { temperature: temperature(t), alpha: alpha(a), beta })
            }
        })
    }
}
