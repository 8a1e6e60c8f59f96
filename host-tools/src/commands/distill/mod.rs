//! `microdistill distill`

mod by_recipe;
mod length;
mod program;
mod recipe;
pub(crate) mod search;
mod teachers;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use microdistill_train::dataset::{Dataset, Target, split};
use microdistill_train::error::Result as LibraryResult;
use microdistill_train::file;
use microdistill_train::hyperparameters::Length;
use microdistill_train::model::{Further, Model};
use microdistill_train::outputs::TeacherOutputs;
use microdistill_train::progress::Progress;
use microdistill_train::random::nth_seed;
use microdistill_train::student::{
    Blend, Epoch, Inputs, Recipe, Settings, Taught, WEIGHT_DECAY, fit, fit_with_hints,
};
use microdistill_train::tune::work;
use nalgebra::DMatrix;

use self::search::SearchFlags;
use crate::context::Context;
use crate::finish::{Finish, finish};
use crate::flags::activation::ActivationFlag;
use crate::flags::data::{DataFlags, Parts};
use crate::flags::inputs::InputsFlag;
use crate::flags::precision::PrecisionFlags;
use crate::flags::synthetic::{Blended, FurtherFlags, FurtherRows};
use crate::flags::teacher::EffortFlag;
use crate::flags::training::TrainingFlags;
use crate::flags::weight_decay::{Tuned, WeightDecay};
use crate::interrupt;
use recipe::RecipeFlags;
use teachers::{TeacherFlags, Teachers, seen_rows};

#[derive(Args, Debug)]
#[command(
    after_long_help = recipe::TABLE,
    mut_arg("weight_decay", |arg| arg.help(
        "Decoupled weight decay (L2): a number, or `auto` to choose it by cross-validation [default: chosen with the recipe, \
         or 0.1]"
    )),
    mut_arg("bits", |arg| arg.help(
        "Quantization-aware training: in the second half of the epochs the student computes with weights of this many \
         bits and 8-bit activations"
    )),
)]
pub(crate) struct Distill {
    #[command(flatten)]
    teachers: TeacherFlags,
    /// Model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Layer widths of the student, from input to output
    #[arg(
        long,
        value_name = "I-H-O",
        required_unless_present_any = ["budget_flash", "budget_ram", "budget_instructions"]
    )]
    student: Option<Widths>,
    /// Activation of the hidden layers
    #[arg(long, value_enum, default_value = "relu")]
    activation: ActivationFlag,
    /// Inputs: `standardized`, `pieces:6` for a piecewise-linear first layer of up to 6 pieces per feature, which takes more
    /// flash and about the same time, or `auto` to choose between them with the recipe [default: auto, or standardized with a
    /// recipe of your own]
    #[arg(long, value_name = "FORM")]
    inputs: Option<InputsFlag>,
    /// Time that the choice of the recipe may take. Flags under Recipe, --bits, and those of the training from --weight-decay
    /// on name a recipe of your own, and nothing is chosen [default: default]
    #[arg(long, value_enum)]
    effort: Option<EffortFlag>,
    /// Learn from the teacher even if held-out rows are predicted better without it
    #[arg(long)]
    always_distill: bool,
    /// Share of the training rows to distill on, drawn per class with --seed
    #[arg(long, default_value_t = 1.0)]
    fraction: f64,
    #[command(flatten)]
    training: TrainingFlags,
    #[command(flatten)]
    precision: PrecisionFlags,
    #[command(flatten)]
    recipe: RecipeFlags,
    #[command(flatten)]
    further: FurtherFlags,
    #[command(flatten)]
    search: SearchFlags,
    #[command(flatten)]
    data: DataFlags,
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
        widths
            .map(Widths)
            .ok_or_else(|| "it must be layer widths from input to output, such as 30-16-7".into())
    }
}

/// The training set: rows and the teachers' outputs for them.
struct TrainingSet {
    rows: Dataset,
    teacher_outputs: TeacherOutputs,
}

impl TrainingSet {
    /// Prepares the known rows with these indices.
    fn new(teachers: &Teachers, parts: &Parts, indices: &[usize]) -> Result<Self> {
        let rows = parts.known.select(indices);
        Ok(TrainingSet { teacher_outputs: teachers.teacher_outputs(&rows, indices)?, rows })
    }

    fn taught(&self) -> Taught<'_> {
        Taught { data: &self.rows, teacher: Some(&self.teacher_outputs) }
    }

    fn select(&self, indices: &[usize]) -> Self {
        TrainingSet { rows: self.rows.select(indices), teacher_outputs: self.teacher_outputs.select(indices) }
    }
}

/// All that a student learns from.
struct Lesson {
    set: TrainingSet,
    /// Descriptions of the rows in addition to the data's own.
    added: Vec<Further>,
    blend: Option<Blend>,
    /// Outputs of the teacher's hidden layer.
    hints: Option<DMatrix<f32>>,
}

impl Lesson {
    /// Adds further rows and, with `--hints`, hints to the data's own rows.
    fn new(
        set: TrainingSet,
        teachers: &Teachers,
        further: &FurtherRows<'_>,
        hints: Option<&Model>,
    ) -> LibraryResult<Self> {
        let Blended { rows, added, blend } = further.beside(&set.rows)?;
        let set = match added.is_empty() {
            true => set,
            false => TrainingSet { teacher_outputs: teachers.teacher_outputs(&rows, &[])?, rows },
        };
        let hints = hints.and_then(|teacher| teacher.hints(&set.rows));
        Ok(Lesson { set, added, blend, hints })
    }

    /// Number of samples per epoch.
    fn samples(&self) -> usize {
        self.blend.map_or(self.set.rows.rows(), Blend::samples)
    }

    fn fit(
        &self,
        validation: Option<&TrainingSet>,
        settings: &Settings,
        progress: &mut dyn FnMut(Progress<'_, Epoch>) -> ControlFlow<()>,
    ) -> LibraryResult<Model> {
        let (taught, judged) = (self.set.taught(), validation.map(TrainingSet::taught));
        match &self.hints {
            None => fit(taught, judged, settings, progress),
            Some(hints) => fit_with_hints(hints, taught, judged, settings, progress),
        }
    }
}

impl Distill {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let start = Instant::now();
        let sources = self.teachers.files().chain(self.further.file()).chain(self.data.files());
        file::probe_apart(&self.out, sources)?;
        self.check_flags()?;
        let models = self.teachers.load()?;
        let parts = self.read(context, &models)?;
        let teachers = self.teachers.gather(context, models, &parts)?;
        let recipe = self.recipe.recipe(&parts.known.task)?;
        let like = teachers.answer_for_any_rows().then_some(&parts.known);
        let further = self.further.read(context, &self.data, like)?;
        interrupt::ask();
        let [training, validation] = match self.training.patience {
            Some(_) => parts.for_early_stopping()?.clone(),
            None => [(0..parts.known.rows()).collect(), Vec::new()],
        };
        let training = self.draw(context, &parts.known, training)?;
        let training_set = TrainingSet::new(&teachers, &parts, &training)?;
        self.check_labels(context, &parts.known, &training_set.rows)?;
        if let Some(budget) = self.search.budget() {
            let lineage = teachers.lineage(&training_set.rows);
            let (mut student, found) = self.search.run(context, budget, training_set.taught(), &lineage)?;
            parts.sign(&mut student);
            teachers.sign(context, &mut student);
            let finish_with = Finish::new(&parts, &self.out, start).searched(found);
            return finish(context, student, finish_with);
        }
        if let Some(effort) = self.effort(context)? {
            let (mut student, choice) = self.by_recipe(context, effort, &teachers, &training_set)?;
            parts.sign(&mut student);
            teachers.sign(context, &mut student);
            return finish(context, student, Finish::new(&parts, &self.out, start).by_recipe(choice));
        }
        let guide = self.guide(&teachers, &training_set.rows)?;
        let lesson = |set| Lesson::new(set, &teachers, &further, guide);
        let own_rows = training_set.rows.clone();
        let taught = lesson(training_set)?;
        if !taught.added.is_empty() {
            further.tell(context, own_rows.rows(), &taught.added);
        }
        let mut settings = self.settings(context, recipe, &taught);
        let chosen = match self.training.length() {
            Some(_) => None,
            None => {
                let all = TrainingSet::new(&teachers, &parts, &[training, validation.clone()].concat())?;
                let samples = taught.samples();
                Some(self.choose_length(context, &all, validation.len(), &settings, samples, lesson)?)
            }
        };
        if let Some(chosen) = &chosen {
            settings.training.length = Length::Steps(chosen.steps);
        }
        let decay = self.choose_decay(context, &teachers, &own_rows, &settings, &further)?;
        settings.training.rates.weight_decay = decay;
        let validation = match validation.is_empty() {
            true => None,
            false => Some(TrainingSet::new(&teachers, &parts, &validation)?),
        };
        let (added, blend) = (taught.added.clone(), taught.blend);
        let mut student = self.train(context, taught, validation, &settings)?;
        parts.sign(&mut student);
        teachers.sign(context, &mut student);
        student.metadata.chosen_length = chosen;
        student.metadata.further = added;
        student.metadata.further_share = blend.map(|blend| blend.share);
        finish(context, student, Finish::new(&parts, &self.out, start).decayed(decay))
    }

    /// The teacher whose hidden layer gives hints; none without `--hints`.
    fn guide<'a>(&self, teachers: &'a Teachers, rows: &Dataset) -> Result<Option<&'a Model>> {
        if !self.recipe.hints {
            return Ok(None);
        }
        let guide = teachers.guide().filter(|guide| guide.hints(rows).is_some());
        if guide.is_none() {
            bail!("--hints needs an f32 teacher with a hidden layer");
        }
        Ok(guide)
    }

    /// Trains the generations of students one after the other and returns the last.
    fn train(
        &self,
        context: &Context,
        mut lesson: Lesson,
        mut validation: Option<TrainingSet>,
        settings: &Settings,
    ) -> Result<Model> {
        let generations = self.recipe.generations;
        let epochs = settings.training.epochs(lesson.samples());
        // Hints take half as many epochs in addition.
        let hints = if lesson.hints.is_some() { epochs.div_ceil(2) } else { 0 };
        let bar = context.console.bar("student", epochs.saturating_mul(generations) + hints);
        let progress = &mut |_: Progress<'_, Epoch>| {
            bar.inc(1);
            interrupt::flow()
        };
        let mut student = lesson.fit(validation.as_ref(), settings, progress)?;
        lesson.hints = None;
        for generation in 1..generations {
            if interrupt::requested() {
                break;
            }
            for set in [&mut lesson.set].into_iter().chain(&mut validation) {
                set.teacher_outputs = student.teacher_outputs(&set.rows);
            }
            let mut settings = settings.clone();
            settings.training.seed = nth_seed(settings.training.seed, generation);
            student = lesson.fit(validation.as_ref(), &settings, progress)?;
        }
        bar.finish_and_clear();
        student.metadata.seed = context.seed;
        Ok(student)
    }

    /// Reads the data, as the first of the teachers wants them.
    fn read(&self, context: &Context, models: &[Model]) -> Result<Parts> {
        let key = self.teachers.key();
        let parts = match models.first() {
            // Rows without a label are used too, because the teacher labels them.
            Some(teacher) => self.data.read_like(context, teacher, &seen_rows(models), true, key)?,
            None => self.data.read_new(context, key)?,
        };
        self.check_widths(&parts.known)?;
        Ok(parts)
    }

    /// Checks the flags, before any file is read.
    fn check_flags(&self) -> Result<()> {
        self.recipe.check()?;
        self.teachers.check(self.recipe.hints)?;
        if !(self.fraction > 0.0 && self.fraction <= 1.0) {
            bail!("--fraction {}: it must be above 0 and at most 1", self.fraction);
        }
        Ok(())
    }

    fn check_widths(&self, rows: &Dataset) -> Result<()> {
        let Some(Widths(widths)) = &self.student else { return Ok(()) };
        let hidden = &widths[1..widths.len() - 1];
        let wanted = rows.widths(hidden);
        if *widths != wanted {
            let (inputs, outputs) = (wanted[0], wanted[wanted.len() - 1]);
            let wanted = wanted.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
            bail!(
                "the student must have the teacher's {inputs} features and {outputs} outputs: --student \
                 {wanted}"
            );
        }
        Ok(())
    }

    /// Draws the share `--fraction` of the rows `indices`, separately for each training_set.
    fn draw(&self, context: &Context, known: &Dataset, indices: Vec<usize>) -> Result<Vec<usize>> {
        if self.fraction == 1.0 {
            return Ok(indices);
        }
        let rows = known.select(&indices);
        let parts = split(&rows, &[self.fraction, 1.0 - self.fraction], context.seed)
            .with_context(|| format!("--fraction {}", self.fraction))?;
        Ok(parts[0].iter().map(|&index| indices[index]).collect())
    }

    /// Checks that the rows to distill on have every label of the known rows. Labels that only the teacher knows get a note.
    fn check_labels(&self, context: &Context, known: &Dataset, rows: &Dataset) -> Result<()> {
        let (Target::Classes(all), Target::Classes(left)) = (&known.target, &rows.target) else {
            return Ok(());
        };
        let labels = known.task.labels().iter().enumerate();
        let (lost, unseen): (Vec<_>, Vec<_>) = labels
            .filter(|(class, _)| !left.contains(class))
            .map(|(training_set, label)| (training_set, label.as_str()))
            .partition(|(class, _)| all.contains(class));
        if let Some((_, label)) = lost.first() {
            bail!(
                "none of the {} rows to distill on has the label {label:?}, which {} rows of the file have: increase --fraction",
                rows.rows(),
                all.iter().filter(|class| **class == lost[0].0).count()
            );
        }
        if !unseen.is_empty() {
            let unseen: Vec<&str> = unseen.into_iter().map(|(_, label)| label).collect();
            context.console.note(format_args!("no row to distill on has these labels: {unseen:?}"));
        }
        Ok(())
    }

    fn choose_decay(
        &self,
        context: &Context,
        teachers: &Teachers,
        rows: &Dataset,
        settings: &Settings,
        further: &FurtherRows<'_>,
    ) -> Result<f32> {
        if self.weight_decay() == WeightDecay::Auto && !teachers.answer_for_any_rows() {
            bail!(
                "--weight-decay auto needs teachers for further rows, which stored soft labels do not cover: give a number"
            );
        }
        let mut settings = settings.clone();
        settings.training.patience = None; // Folds have no validation rows for early stopping.
        let tuned = Tuned {
            rows,
            folds: self.training.folds,
            settings: &settings.training,
            work: work(&settings.training.widths, 1),
            budget: self.budget(rows.rows()),
        };
        self.weight_decay().choose(context, "student's weight decay", tuned, |rows, decay| {
            let Blended { rows, blend, .. } = further.beside(rows)?;
            let teacher_outputs = teachers.teacher_outputs(&rows, &[])?;
            let taught = Taught { data: &rows, teacher: Some(&teacher_outputs) };
            let mut settings = Settings { blend, ..settings.clone() };
            settings.training.rates.weight_decay = decay;
            fit(taught, None, &settings, &mut |_| interrupt::flow())
        })
    }

    /// Weight decay of a recipe of the flags.
    fn weight_decay(&self) -> WeightDecay {
        self.training.weight_decay.unwrap_or(WeightDecay::Fixed(WEIGHT_DECAY))
    }

    /// Inputs that are named; none to choose them.
    fn inputs(&self) -> Option<Inputs> {
        self.inputs.and_then(|InputsFlag(inputs)| inputs)
    }

    /// Layer widths of the student; empty if a search chooses them.
    fn widths(&self) -> Vec<usize> {
        self.student.as_ref().map_or_else(Vec::new, |Widths(widths)| widths.clone())
    }

    /// Settings for a training, before its length and weight decay are chosen.
    fn settings(&self, context: &Context, recipe: Recipe, lesson: &Lesson) -> Settings {
        let mut settings = Settings::new(self.widths(), recipe, lesson.samples(), context.seed);
        self.recipe.apply(&mut settings);
        settings.precision = self.precision.precision();
        settings.blend = lesson.blend;
        settings.inputs = self.inputs().unwrap_or_default();
        settings.training.activation = self.activation.into();
        settings.training.rates.weight_decay = match self.weight_decay() {
            WeightDecay::Auto => WEIGHT_DECAY,
            WeightDecay::Fixed(decay) => decay,
        };
        self.training.apply(&mut settings.training);
        settings
    }
}
