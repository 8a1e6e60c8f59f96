//! `microdistill train`

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use microdistill_train::dataset::{Dataset, Fold};
use microdistill_train::file;
use microdistill_train::hyperparameters::{ChosenLength, Length};
use microdistill_train::network::Activation;
use microdistill_train::teacher::{Settings, fit, fit_ensemble};
use microdistill_train::tune::{LengthChoice, budget, work};

use crate::context::Context;
use crate::finish::{Finish, finish};
use crate::flags::activation::ActivationFlag;
use crate::flags::data::DataFlags;
use crate::flags::length::Lengthened;
use crate::flags::parse::count;
use crate::flags::training::TrainingFlags;
use crate::flags::weight_decay::Tuned;
use crate::interrupt;

#[derive(Args, Debug)]
pub(crate) struct Train {
    /// Model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Widths of the hidden layers
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1, default_value = "128,128", value_parser = count::<usize>, allow_hyphen_values = true)]
    hidden: Vec<usize>,
    /// Number of networks whose outputs the teacher averages: more accurate, and K times as slow to train
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = count::<usize>)]
    ensemble: usize,
    /// Activation of the hidden layers [default: tanh or relu, whichever is better on the held-out rows that choose the
    /// length, and tanh with --epochs or --steps]
    #[arg(long, value_enum)]
    activation: Option<ActivationFlag>,
    /// Share of the hidden units dropped at each step
    #[arg(long, default_value_t = 0.0)]
    dropout: f32,
    #[command(flatten)]
    training: TrainingFlags,
    #[command(flatten)]
    data: DataFlags,
}

impl Train {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let start = Instant::now();
        file::probe_apart(&self.out, self.data.files())?;
        let parts = self.data.read_new(context)?;
        parts.tell(context);
        interrupt::ask();
        let fold = match self.training.patience {
            Some(_) => {
                let [train, validation] = parts.for_early_stopping()?.clone();
                Some(Fold { train, validation })
            }
            None => None,
        };
        let (rows, validation) = match &fold {
            Some(fold) => (parts.known.select(&fold.train), Some(parts.known.select(&fold.validation))),
            None => (parts.known.clone(), None),
        };
        let mut settings = self.settings(context, &rows);
        let chosen = match self.training.length() {
            Some(_) => None,
            None => Some(self.choose_activation_and_length(context, &parts.known, fold, &mut settings)?),
        };
        settings.rates.weight_decay = self.choose_decay(context, &rows, &settings)?;
        let bar = context.console.bar("teacher", settings.epochs(rows.rows()).saturating_mul(self.ensemble));
        let model = fit_ensemble(&rows, validation.as_ref(), &settings, self.ensemble, &|_| {
            bar.inc(1);
            interrupt::flow()
        });
        bar.finish_and_clear();
        let mut model = model?;
        model.metadata.chosen_length = chosen;
        parts.sign(&mut model);
        let decay = settings.rates.weight_decay;
        finish(context, model, Finish::new(&parts, &self.out, start).decayed(decay))
    }

    /// Chooses the length of the training on held-out rows and, unless a flag names it, the activation of the hidden layers.
    fn choose_activation_and_length(
        &self,
        context: &Context,
        rows: &Dataset,
        fold: Option<Fold>,
        settings: &mut Settings,
    ) -> Result<ChosenLength> {
        let mut chosen = self.choose_length(context, rows, fold.clone(), settings)?;
        if let (None, Some(loss)) = (self.activation, chosen.loss()) {
            let other = Settings { activation: Activation::Relu, ..settings.clone() };
            let with_relu = self.choose_length(context, rows, fold, &other)?;
            if with_relu.loss().is_some_and(|with_relu| with_relu < loss) {
                (*settings, chosen) = (other, with_relu);
            }
            let name = settings.activation;
            context.console.note(format_args!("teacher's activation: {name:?}, whose loss is smaller"));
        }
        settings.length = Length::Steps(chosen.steps);
        Ok(chosen)
    }

    /// Chooses the length of the training on held-out rows: those of `fold`, if validation rows are given.
    fn choose_length(
        &self,
        context: &Context,
        rows: &Dataset,
        fold: Option<Fold>,
        settings: &Settings,
    ) -> Result<ChosenLength> {
        let settings = &Settings { patience: None, ..settings.clone() };
        let choice = LengthChoice::new(
            rows,
            rows.rows(),
            settings,
            fold,
            work(&settings.widths, 1),
            budget(rows.rows()) / 2.0,
        );
        let label = format!("{:?} teacher", settings.activation).to_lowercase();
        Lengthened { label: &label, rows, choice, settings }.choose(
            context,
            |indices| Ok(rows.select(indices)),
            |rows, length, bar| {
                let settings = Settings { length, ..settings.clone() };
                let steps = settings.steps_per_epoch(rows.rows()) as u64;
                fit(rows, None, &settings, &mut |_| {
                    bar.inc(steps);
                    interrupt::flow()
                })
            },
        )
    }

    fn choose_decay(&self, context: &Context, rows: &Dataset, settings: &Settings) -> Result<f32> {
        let settings = &Settings { patience: None, ..settings.clone() };
        let tuned = Tuned {
            rows,
            folds: self.training.folds,
            settings,
            work: work(&settings.widths, 1),
            budget: budget(rows.rows()) / 2.0,
        };
        self.training.weight_decay.choose(context, "teacher's weight decay", tuned, |rows, decay| {
            let mut settings = settings.clone();
            settings.rates.weight_decay = decay;
            fit(rows, None, &settings, &mut |_| interrupt::flow())
        })
    }

    /// Settings for a training on `rows`, before its length and weight decay are chosen.
    fn settings(&self, context: &Context, rows: &Dataset) -> Settings {
        let mut settings = Settings::new(rows.widths(&self.hidden), rows.rows(), context.seed);
        settings.activation = self.activation.map_or(settings.activation, Activation::from);
        settings.dropout = self.dropout;
        settings.rates.weight_decay = self.training.weight_decay.before_choice(rows.rows());
        self.training.apply(&mut settings);
        settings
    }
}
