//! `microdistill distill`

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use microdistill::loss::SoftLabels;
use microdistill_host_tools::dataset::{Dataset, split};
use microdistill_host_tools::file;
use microdistill_host_tools::model::{Model, Task};
use microdistill_host_tools::student::{Recipe, Settings, Taught, fit};

use super::data::DataFlags;
use super::decay::{WeightDecay, work};
use super::outcome::{finish, finish_search};
use super::precision::PrecisionFlags;
use super::search::SearchFlags;
use super::synthetic::{FurtherFlags, tell};
use super::train::{ActivationFlag, ClassWeightsFlag};
use super::{Context, interrupt};

#[derive(Args, Debug)]
pub(super) struct Distill {
    /// The model to imitate
    #[arg(long, value_name = "MODEL")]
    teacher: PathBuf,
    /// The model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Widths of the student, from input to output
    #[arg(
        long,
        value_name = "I-H-O",
        required_unless_present_any = ["budget_flash", "budget_ram", "budget_instructions"]
    )]
    student: Option<Widths>,
    /// Of the hidden layers
    #[arg(long, value_enum, default_value = "relu")]
    activation: ActivationFlag,
    /// What is made small; values are always distilled by their squared difference
    #[arg(long, value_enum, default_value = "soft-labels")]
    loss: LossFlag,
    /// T > 0: softens teacher and student, for soft labels
    #[arg(long, default_value_t = SoftLabels::DEFAULT.temperature)]
    temperature: f32,
    /// α in [0, 1]: the teacher's share beside the labels, for soft labels
    #[arg(long, default_value_t = SoftLabels::DEFAULT.alpha)]
    alpha: f32,
    /// Share of the rows to distill on, drawn by class and seed
    #[arg(long, default_value_t = 1.0)]
    fraction: f64,
    /// L2, decoupled: a number, or `auto` for the best in cross-validation
    #[arg(long, value_name = "DECAY", default_value = "0.1")]
    weight_decay: WeightDecay,
    /// Folds of that cross-validation; with groups, at most as many as there are groups
    #[arg(long, default_value_t = 7)]
    folds: usize,
    /// Adam's step size; it falls to zero along a half cosine
    #[arg(long)]
    rate: Option<f32>,
    /// Rows an update
    #[arg(long)]
    batch: Option<usize>,
    /// Passes over the rows [default: 200, fewer for more than 10,000 rows]
    #[arg(long)]
    epochs: Option<usize>,
    /// What rows count, by their label, if they have one
    #[arg(long, value_enum, default_value = "none")]
    class_weights: ClassWeightsFlag,
    /// Quantization-aware: in the second half of the passes the student computes with weights of so many bits
    #[command(flatten)]
    precision: PrecisionFlags,
    #[command(flatten)]
    search: SearchFlags,
    #[command(flatten)]
    further: FurtherFlags,
    #[command(flatten)]
    data: DataFlags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LossFlag {
    /// α·T²·KL(teacher‖student) + (1−α)·cross-entropy with the label
    SoftLabels,
    /// Mean squared difference of the outputs: the original form
    Outputs,
    /// Mean squared difference of the logits
    Logits,
}

/// `30-16-7`
#[derive(Clone, Debug)]
struct Widths(Vec<usize>);

impl std::str::FromStr for Widths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let widths: Option<Vec<usize>> =
            text.split('-').map(|width| width.parse().ok().filter(|width| *width > 0)).collect();
        let widths = widths.filter(|widths| widths.len() >= 2);
        widths.map(Widths).ok_or_else(|| "it must be widths from input to output, as 30-16-7".into())
    }
}

impl Distill {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let start = Instant::now();
        file::probe(&self.out)?;
        let teacher = Model::load(&self.teacher)?;
        self.check(&teacher)?;
        // Rows without a label teach as well: the teacher says what they are.
        let parts = self.data.read_like(context, &teacher, true)?;
        interrupt::ask();
        let rows = match self.fraction {
            1.0 => parts.known.clone(),
            fraction => {
                parts.known.select(&split(&parts.known, &[fraction, 1.0 - fraction], context.seed)?[0])
            }
        };
        if let Some(budget) = self.search.budget() {
            let (mut student, found) = self.search.run(context, budget, &rows, &teacher.answers(&rows))?;
            parts.sign(&mut student);
            return finish_search(context, student, &parts, &self.out, start, found);
        }
        let further = self.further.read(context, &self.data, &teacher)?;
        let label = "student's weight decay";
        let Settings { widths, epochs, .. } = self.settings(context, &teacher, &rows, 0.0);
        let work = work(&widths, epochs);
        let decay = self.weight_decay.choose(context, label, (&rows, self.folds, work), |rows, decay| {
            let (rows, _) = further.beside(rows)?;
            let settings = self.settings(context, &teacher, &rows, decay);
            let rows = Taught { data: &rows, teacher: Some(&teacher.answers(&rows)) };
            fit(rows, None, &settings, &mut |_| interrupt::flow())
        })?;
        let known = rows.rows();
        let (rows, further) = further.beside(&rows)?;
        tell(context, known, &further);
        let settings = self.settings(context, &teacher, &rows, decay);
        let bar = context.console.bar("student", settings.epochs);
        let rows = Taught { data: &rows, teacher: Some(&teacher.answers(&rows)) };
        let student = fit(rows, None, &settings, &mut |epoch| {
            bar.set_position(epoch.number as u64);
            interrupt::flow()
        });
        bar.finish_and_clear();
        let mut student = student?;
        parts.sign(&mut student);
        student.metadata.further = further;
        finish(context, student, &parts, &self.out, start, Some(decay))
    }

    fn check(&self, teacher: &Model) -> Result<()> {
        let (inputs, outputs) = (teacher.features().len(), teacher.outputs());
        if let Some(Widths(widths)) = &self.student
            && (widths.first() != Some(&inputs) || widths.last() != Some(&outputs))
        {
            let hidden =
                widths[1..widths.len() - 1].iter().map(|width| format!("{width}-")).collect::<String>();
            bail!(
                "the teacher takes {inputs} features and gives {outputs} outputs, and so must the student: \
                 --student {inputs}-{hidden}{outputs}"
            );
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            bail!("--temperature {}: it must be above 0", self.temperature);
        }
        if !(0.0..=1.0).contains(&self.alpha) {
            bail!("--alpha {}: it must be in [0, 1]", self.alpha);
        }
        if !(self.fraction > 0.0 && self.fraction <= 1.0) {
            bail!("--fraction {}: it must be above 0 and at most 1", self.fraction);
        }
        Ok(())
    }

    /// Of the student, where it is not searched for.
    fn widths(&self) -> Vec<usize> {
        self.student.as_ref().map_or_else(Vec::new, |Widths(widths)| widths.clone())
    }

    fn settings(&self, context: &Context, teacher: &Model, rows: &Dataset, decay: f32) -> Settings {
        let recipe = match (&teacher.metadata.task, self.loss) {
            (Task::Regression { .. }, _) => Recipe::ValueMse,
            (Task::Classification { .. }, LossFlag::Outputs) => Recipe::OutputMse,
            (Task::Classification { .. }, LossFlag::Logits) => Recipe::LogitMse,
            (Task::Classification { .. }, LossFlag::SoftLabels) => {
                Recipe::SoftLabels(SoftLabels { temperature: self.temperature, alpha: self.alpha })
            }
        };
        let mut settings = Settings::new(self.widths(), recipe, rows.rows(), context.seed);
        settings.activation = self.activation.into();
        settings.rates.weight_decay = decay;
        settings.rates.rate = self.rate.unwrap_or(settings.rates.rate);
        settings.batch = self.batch.unwrap_or(settings.batch);
        settings.epochs = self.epochs.unwrap_or(settings.epochs);
        settings.class_weights = self.class_weights.into();
        settings.precision = self.precision.precision();
        settings
    }
}
