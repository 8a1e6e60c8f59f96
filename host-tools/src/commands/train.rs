//! `microdistill train`

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use microdistill_train::dataset::Dataset;
use microdistill_train::file;
use microdistill_train::teacher::{Settings, fit, fit_ensemble};
use microdistill_train::tune::work;

use crate::context::Context;
use crate::finish::{Finish, finish};
use crate::flags::activation::ActivationFlag;
use crate::flags::data::DataFlags;
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
    /// Activation of the hidden layers
    #[arg(long, value_enum, default_value = "tanh")]
    activation: ActivationFlag,
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
        let (rows, validation) = match self.training.patience {
            Some(_) => {
                let [training, validation] = parts.for_early_stopping()?;
                (parts.known.select(training), Some(parts.known.select(validation)))
            }
            None => (parts.known.clone(), None),
        };
        let Settings { widths, epochs, .. } = self.settings(context, &rows, 0.0);
        let work = work(&widths, epochs);
        let decay = self.training.weight_decay.choose(
            context,
            "teacher's weight decay",
            Tuned { rows: &rows, folds: self.training.folds, work },
            |rows, decay| fit(rows, None, &self.settings(context, rows, decay), &mut |_| interrupt::flow()),
        )?;
        let settings = self.settings(context, &rows, decay);
        let bar = context.console.bar("teacher", settings.epochs.saturating_mul(self.ensemble));
        let model = fit_ensemble(&rows, validation.as_ref(), &settings, self.ensemble, &|_| {
            bar.inc(1);
            interrupt::flow()
        });
        bar.finish_and_clear();
        let mut model = model?;
        parts.sign(&mut model);
        finish(context, model, Finish::new(&parts, &self.out, start).decayed(decay))
    }

    fn settings(&self, context: &Context, rows: &Dataset, decay: f32) -> Settings {
        let mut settings = Settings::new(rows.widths(&self.hidden), rows.rows(), context.seed);
        settings.activation = self.activation.into();
        settings.dropout = self.dropout;
        settings.rates.weight_decay = decay;
        self.training.apply(&mut settings);
        settings
    }
}
