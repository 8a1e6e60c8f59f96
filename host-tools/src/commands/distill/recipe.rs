//! The flags of `distill` that say what is made small, and what keeps the student from learning rows by heart.

use std::str::FromStr;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use microdistill::loss::{DecoupledSoftLabels, SoftLabels};
use microdistill_train::model::Task;
use microdistill_train::student::{Cooling, Curve, Recipe, Settings};

use crate::flags::parse::count;

/// The table at the end of `--help`.
pub(crate) const TABLE: &str = "\
Recipes, of a student's logits z, a teacher's v, C classes, p = softmax(z/T), q = softmax(v/T), and CE = −ln softmax(z) of \
the label:

  --loss       made small                             when
  soft-labels  α·T²·KL(q‖p) + (1−α)·CE                classes, with labels or without: the default
  decoupled    T²·(α·TCKD + β·NCKD) + (1−α)·CE        three classes or more, of a sure teacher
  outputs      1/C Σ (softmax(v) − softmax(z))²       the original form; no temperature
  logits       1/C Σ (v − z)², each minus its mean    as outputs, but sure answers weigh more
  values       (v − z)²                               values, always

TCKD is the divergence of the label's class from all others, NCKD that of the others among themselves (Zhao et al. 2022).

  beside it                   what it does
  --temperature 8..2          T goes from the first to the last epoch, along --cooling
  --weight-decay auto         L2, chosen by cross-validation
  --dropout 0.2               drops hidden units of each sample
  --label-smoothing 0.1       CE against (1−ε)·label + ε/C
  --mixup 0.2                 samples and targets mixed in pairs, by shares of Beta(α, α)
  --patience 20               stops when validation rows get no better, and keeps the best epoch
  --hints                     first the hidden layer learns the teacher's (Romero et al. 2015)
  --generations 3             each next student learns from the one before (Furlanello et al. 2018)

Teachers: one model, an ensemble (`train --ensemble`), several (--teacher A --teacher B), or what any model said (--soft-labels). \
Of several, probabilities are averaged, at T.";

#[derive(Args, Debug)]
#[command(next_help_heading = "Recipe")]
pub(crate) struct RecipeFlags {
    /// Loss to minimize; values are always distilled by their squared difference [default: soft-labels]
    #[arg(long, value_enum)]
    loss: Option<LossFlag>,
    /// T > 0: softens teacher and student; as 8..2, it changes over the epochs [default: 2, decoupled: 4]
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    temperature: Option<Temperature>,
    /// Shape of a temperature schedule
    #[arg(long, value_enum, default_value = "linear")]
    cooling: CoolingFlag,
    /// α in [0, 1]: the teacher's share beside the labels [default: 0.9, decoupled: 0.5]
    #[arg(long)]
    alpha: Option<f32>,
    /// β ≥ 0: what classes beside the label's count, for decoupled soft labels [default: 4]
    #[arg(long)]
    beta: Option<f32>,
    /// Share of hidden units dropped of each sample, in [0, 1)
    #[arg(long, default_value_t = 0.0)]
    dropout: f32,
    /// ε in [0, 1): the share of a label that is spread over all classes
    #[arg(long, value_name = "E", default_value_t = 0.0)]
    label_smoothing: f32,
    /// α > 0: pairs of rows are mixed by shares of Beta(α, α)
    #[arg(long, value_name = "ALPHA")]
    mixup: Option<f32>,
    /// The student's hidden layer first learns what the teacher's gives
    #[arg(long)]
    pub(crate) hints: bool,
    /// Students, of which each next one learns from the one before
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = count::<usize>)]
    pub(crate) generations: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LossFlag {
    /// α·T²·KL(teacher‖student) + (1−α)·cross-entropy with the label
    SoftLabels,
    /// The same taken apart: the label's class, and the others among themselves
    Decoupled,
    /// Mean squared difference of the outputs: the original form
    Outputs,
    /// Mean squared difference of the logits, minus their mean
    Logits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CoolingFlag {
    /// The same change every epoch
    Linear,
    /// Along a half cosine
    Cosine,
}

impl From<CoolingFlag> for Curve {
    fn from(flag: CoolingFlag) -> Self {
        match flag {
            CoolingFlag::Linear => Curve::Linear,
            CoolingFlag::Cosine => Curve::Cosine,
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
        let number = |text: &str| text.parse().map_err(|_| "it must be a number, or two as 8..2".to_owned());
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
            bail!("--beta is for --loss decoupled");
        }
        Ok(())
    }

    /// The loss for a task, and what stands beside it.
    pub(crate) fn apply(&self, settings: &mut Settings) {
        settings.cooling = self
            .temperature
            .and_then(|temperature| temperature.last)
            .map(|last| Cooling { last, curve: self.cooling.into() });
        settings.dropout = self.dropout;
        settings.label_smoothing = self.label_smoothing;
        settings.mixup = self.mixup;
    }

    /// The loss for a task.
    pub(crate) fn recipe(&self, task: &Task) -> Result<Recipe> {
        let temperature = |default| self.temperature.map_or(default, |temperature| temperature.first);
        let alpha = |default| self.alpha.unwrap_or(default);
        let loss = match (task, self.loss) {
            (Task::Regression { .. }, None | Some(LossFlag::Outputs)) => return Ok(Recipe::ValueMse),
            (Task::Regression { .. }, Some(loss)) => {
                let name = loss.to_possible_value();
                let name = name.as_ref().map_or("", |value| value.get_name());
                bail!(
                    "--loss {name} is for labels: the target holds values, which have no probabilities; leave it out"
                )
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
