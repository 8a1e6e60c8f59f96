//! `microdistill train`

mod blend;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use microdistill_train::dataset::{Dataset, Fold};
use microdistill_train::file;
use microdistill_train::hyperparameters::{ChosenLength, Length};
use microdistill_train::network::Activation;
use microdistill_train::teacher::zoo::{self, Effort};
use microdistill_train::teacher::{Settings, fit, fit_ensemble};
use microdistill_train::tune::{FOLDS, LengthChoice, budget, work};

use crate::context::Context;
use crate::finish::{Finish, finish};
use crate::flags::activation::ActivationFlag;
use crate::flags::data::DataFlags;
use crate::flags::length::Lengthened;
use crate::flags::parse::count;
use crate::flags::teacher::{EffortFlag, TeacherFlag};
use crate::flags::training::TrainingFlags;
use crate::flags::weight_decay::{Tuned, WeightDecay};
use crate::interrupt;

#[derive(Args, Debug)]
pub(crate) struct Train {
    /// Model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Kinds of models whose blend is the teacher. `mlp` alone is one network, whose flags are those below; each of them,
    /// from --hidden to --class-weights, means `mlp` if this flag is not given
    #[arg(long, value_enum, value_name = "KIND,KIND", value_delimiter = ',', num_args = 1)]
    teacher: Vec<TeacherFlag>,
    /// Time that a blend may take
    #[arg(long, value_enum, default_value_t = EffortFlag::Default)]
    effort: EffortFlag,
    /// Widths of the hidden layers [default: 128,128]
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1, value_parser = count::<usize>, allow_hyphen_values = true)]
    hidden: Option<Vec<usize>>,
    /// Number of networks whose outputs the teacher averages: more accurate, and K times as slow to train [default: 1]
    #[arg(long, value_name = "K", value_parser = count::<usize>)]
    ensemble: Option<usize>,
    /// Activation of the hidden layers [default: tanh or relu, whichever is better on the held-out rows that choose the
    /// length, and tanh with --epochs or --steps]
    #[arg(long, value_enum)]
    activation: Option<ActivationFlag>,
    /// Share of the hidden units dropped at each step [default: 0]
    #[arg(long)]
    dropout: Option<f32>,
    #[command(flatten)]
    training: TrainingFlags,
    #[command(flatten)]
    data: DataFlags,
}

impl Train {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let start = Instant::now();
        file::probe_apart(&self.out, self.data.files())?;
        let parts = self.data.read_new(context, None)?;
        parts.tell(context);
        interrupt::ask();
        if let Some(settings) = self.blend(context)? {
            let mut model = blend::train(context, &parts.known, &settings)?;
            parts.sign(&mut model);
            return finish(context, model, Finish::new(&parts, &self.out, start));
        }
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
        let networks = self.ensemble.unwrap_or(1);
        let bar = context.console.bar("teacher", settings.epochs(rows.rows()).saturating_mul(networks));
        let model = fit_ensemble(&rows, validation.as_ref(), &settings, networks, &|_| {
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

    /// Settings of a blend, unless the teacher is to be a network.
    fn blend(&self, context: &Context) -> Result<Option<zoo::Settings>> {
        let given = self.given();
        let kinds = match (self.teacher.as_slice(), given) {
            ([TeacherFlag::Mlp], _) => return Ok(None),
            ([], Some(flag)) => {
                context.console.note(format_args!(
                    "{flag} is for a network, so the teacher is one: --teacher auto without such flags blends several kinds \
                     of models"
                ));
                return Ok(None);
            }
            ([], None) => &[TeacherFlag::Auto],
            (_, Some(flag)) => bail!("{flag} is for a network: leave it out, or give --teacher mlp"),
            (kinds, None) => kinds,
        };
        let effort = Effort::from(self.effort);
        let mut species: Vec<_> = kinds.iter().flat_map(|kind| kind.species(effort)).collect();
        species.sort_unstable();
        species.dedup();
        let folds = (self.training.folds != FOLDS).then_some(self.training.folds);
        Ok(Some(zoo::Settings { species, folds, ..zoo::Settings::of(effort, context.seed) }))
    }

    /// Returns a flag that was given and that only a network knows, if there is one.
    fn given(&self) -> Option<&'static str> {
        let given = [
            ("--hidden", self.hidden.is_some()),
            ("--ensemble", self.ensemble.is_some()),
            ("--activation", self.activation.is_some()),
            ("--dropout", self.dropout.is_some()),
        ];
        let own = given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag);
        own.or_else(|| self.training.given())
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
        self.training.weight_decay.unwrap_or(WeightDecay::Auto).choose(
            context,
            "teacher's weight decay",
            tuned,
            |rows, decay| {
                let mut settings = settings.clone();
                settings.rates.weight_decay = decay;
                fit(rows, None, &settings, &mut |_| interrupt::flow())
            },
        )
    }

    /// Settings for a training on `rows`, before its length and weight decay are chosen.
    fn settings(&self, context: &Context, rows: &Dataset) -> Settings {
        let hidden = self.hidden.as_deref().unwrap_or(&[128, 128]);
        let mut settings = Settings::new(rows.widths(hidden), rows.rows(), context.seed);
        settings.activation = self.activation.map_or(settings.activation, Activation::from);
        settings.dropout = self.dropout.unwrap_or(0.0);
        settings.rates.weight_decay =
            self.training.weight_decay.unwrap_or(WeightDecay::Auto).before_choice(rows.rows());
        self.training.apply(&mut settings);
        settings
    }
}
