//! Teachers of a student: models, programs that answer, and stored outputs of other models.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use microdistill_train::dataset::{Dataset, Join, OutputKind, SeenRows, SoftLabels, read_soft_labels};
use microdistill_train::distill;
use microdistill_train::error::Result as LibraryResult;
use microdistill_train::model::Model;
use microdistill_train::outputs::TeacherOutputs;

use crate::context::Context;
use crate::flags::data::Parts;

use super::TrainingSet;
use super::program::{Program, ProgramFlags};
use super::search::Lineage;

#[derive(Args, Debug)]
pub(crate) struct TeacherFlags {
    /// Model to imitate; several are averaged
    #[arg(long, value_name = "MODEL", required_unless_present_any = ["teacher_command", "soft_labels"])]
    teacher: Vec<PathBuf>,
    #[command(flatten)]
    program: ProgramFlags,
    /// Data file (CSV, Parquet, NumPy, …) of a teacher's outputs for the rows of --data or --train, in the same order, with one
    /// column per label: p(LABEL) for probabilities, as `predict` writes them, or logit(LABEL); columns without names are in
    /// the order of the labels. For values, one column per target, named prediction(TARGET) or like the target
    #[arg(long, value_name = "FILE")]
    soft_labels: Option<PathBuf>,
    /// Column that names the rows, both in the data and in --soft-labels, whose rows may then have any order
    #[arg(long, value_name = "COLUMN", requires = "soft_labels")]
    key: Option<String>,
    /// Meaning of the numbers in --soft-labels or from --teacher-command, where no names tell it [default: found in the
    /// numbers of a file, with a note; a command gives probabilities or values]
    #[arg(long, value_enum, value_name = "KIND")]
    soft_labels_are: Option<KindFlag>,
    /// Weights of the teachers in the order of the flags: models, then the command, then soft labels [default: equal]
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1, allow_hyphen_values = true)]
    teacher_weights: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindFlag {
    /// Probabilities, which sum to 1; for two labels, one column suffices
    Probabilities,
    /// Their natural logarithms
    LogProbabilities,
    /// Logits, such as the raw margins of boosted trees; for two labels, one column suffices
    #[value(alias = "margins")]
    Logits,
    /// Values of a regression
    Values,
}

impl From<KindFlag> for OutputKind {
    fn from(flag: KindFlag) -> Self {
        match flag {
            KindFlag::Probabilities => OutputKind::Probabilities,
            KindFlag::LogProbabilities => OutputKind::LogProbabilities,
            KindFlag::Logits => OutputKind::Logits,
            KindFlag::Values => OutputKind::Values,
        }
    }
}

/// Something that answers for rows.
enum Teacher {
    Model(Box<Model>),
    Program(Box<Program>),
    /// Outputs for the known rows, in their order, and for no others.
    Stored(TeacherOutputs),
}

/// Teachers with the same features and labels, and their weights.
pub(crate) struct Teachers {
    members: Vec<(f64, Teacher)>,
}

impl TeacherFlags {
    /// The files of models, soft labels and a program's answers.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.teacher.iter().chain(&self.soft_labels).map(PathBuf::as_path).chain(self.program.file())
    }

    /// The column that names the rows.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Checks the flags, before any file is read and any program is asked.
    pub(crate) fn check(&self, hints: bool) -> Result<()> {
        if hints && (self.teacher.len() != 1 || self.program.is_given() || self.soft_labels.is_some()) {
            bail!("--hints needs exactly one teacher, and that a model");
        }
        if self.soft_labels_are.is_some() && self.soft_labels.is_none() && !self.program.is_given() {
            bail!("--soft-labels-are is for --soft-labels and --teacher-command: leave it out");
        }
        self.program.check()
    }

    /// The models.
    pub(crate) fn load(&self) -> Result<Vec<Model>> {
        let models = self.teacher.iter().map(Model::load).collect::<Result<Vec<_>, _>>()?;
        let Some((first, others)) = models.split_first() else { return Ok(models) };
        for (other, path) in others.iter().zip(&self.teacher[1..]) {
            let (path, first_path) = (path.display(), self.teacher[0].display());
            if other.features() != first.features() {
                bail!(
                    "teachers need the same features: {path} has {:?}, {first_path} has {:?}",
                    other.features(),
                    first.features()
                );
            }
            let origins =
                |model: &Model| (model.metadata.origin.clone(), model.metadata.target_origin.clone());
            if origins(other) != origins(first) {
                bail!(
                    "teachers need the same origins of features and target: train {path} and {first_path} on the same rows"
                );
            }
            if other.metadata.task != first.metadata.task {
                let (task, first) = (&other.metadata.task, &first.metadata.task);
                bail!(
                    "teachers need the same target: {path} has {} {:?}, {first_path} has {} {:?}",
                    task.named_targets(),
                    task.labels(),
                    first.named_targets(),
                    first.labels()
                );
            }
        }
        Ok(models)
    }

    /// Gathers all teachers; soft labels are those of the rows of a file.
    pub(crate) fn gather(&self, context: &Context, models: Vec<Model>, parts: &Parts) -> Result<Teachers> {
        let kind = self.soft_labels_are.map(OutputKind::from);
        let program =
            self.program.program(&parts.known, kind)?.map(|program| Teacher::Program(Box::new(program)));
        let stored = self.stored(context, parts, kind)?.map(Teacher::Stored);
        let models = models.into_iter().map(|model| Teacher::Model(Box::new(model)));
        let teachers: Vec<Teacher> = models.chain(program).chain(stored).collect();
        let count = teachers.len();
        let weights = match self.teacher_weights.as_slice() {
            [] => vec![1.0; count],
            weights if weights.len() == count => weights.to_vec(),
            weights => bail!("--teacher-weights has {} numbers for {count} teachers", weights.len()),
        };
        Ok(Teachers { members: weights.into_iter().zip(teachers).collect() })
    }

    /// Reads the stored outputs of the known rows.
    fn stored(
        &self,
        context: &Context,
        parts: &Parts,
        kind: Option<OutputKind>,
    ) -> Result<Option<TeacherOutputs>> {
        let Some(path) = &self.soft_labels else { return Ok(None) };
        let Dataset { task, target_origin, keys, .. } = &parts.known;
        let test = parts.test.as_ref().and_then(|test| test.keys.as_deref());
        let join = match (self.key(), keys) {
            (Some(column), Some(keys)) => Join::Key { column, keys, others: test.unwrap_or_default() },
            _ => Join::Order { rows: parts.file_count, left_out: &parts.left_out },
        };
        let SoftLabels { outputs, notes } = read_soft_labels(path, task, target_origin, kind, join)?;
        for note in notes {
            context.console.note(format_args!("{}: {note}", path.display()));
        }
        Ok(Some(match join {
            Join::Order { .. } => outputs.select(&parts.file_rows),
            Join::Key { .. } => outputs,
        }))
    }
}

/// The rows that one of these models was trained on.
pub(crate) fn seen_rows<'a>(models: impl IntoIterator<Item = &'a Model>) -> SeenRows {
    let mut seen = SeenRows::default();
    models.into_iter().for_each(|model| seen.extend(&model.metadata.seen));
    seen
}

impl Teachers {
    /// Outputs of the teachers for `rows`, which are the known rows `places`, if outputs are stored.
    pub(crate) fn teacher_outputs(&self, rows: &Dataset, places: &[usize]) -> LibraryResult<TeacherOutputs> {
        let answer = |(weight, teacher): &(f64, Teacher)| {
            let outputs = match teacher {
                Teacher::Model(model) => model.teacher_outputs(rows),
                Teacher::Program(program) => program.teacher_outputs(rows)?,
                Teacher::Stored(stored) => stored.select(places),
            };
            Ok((*weight, outputs))
        };
        TeacherOutputs::of(self.members.iter().map(answer).collect::<LibraryResult<Vec<_>>>()?)
    }

    /// Returns true if the teachers can label rows other than those of the data, which stored outputs do not cover.
    pub(crate) fn answer_for_any_rows(&self) -> bool {
        !self.members.iter().any(|(_, teacher)| matches!(teacher, Teacher::Stored(_)))
    }

    /// Lets a student of these teachers know the rows that they were trained on, and tells what programs were asked.
    pub(crate) fn sign(&self, context: &Context, student: &mut Model) {
        student.metadata.seen.extend(&seen_rows(self.models().iter().map(|(_, model)| model)));
        for (_, teacher) in &self.members {
            if let Teacher::Program(program) = teacher {
                program.tell(&context.console);
            }
        }
    }

    /// Tells whether teachers like these can be trained on parts of `rows`.
    pub(crate) fn lineage(&self, rows: &Dataset) -> Lineage {
        let models = self.models();
        let again = models.iter().all(|(_, model)| model.metadata.can_be_trained_again());
        if models.len() < self.members.len() || !again {
            return Lineage::Unknown;
        }
        match models.iter().all(|(_, model)| model.metadata.data_hash == rows.hash) {
            true => Lineage::Known(models),
            false => Lineage::OtherRows(models),
        }
    }

    /// The teachers of a recipe that is chosen on held-out rows of `set`, and a note if they may have seen those rows. `models`
    /// are those that can be trained again, and `ask` answers for any rows if nothing is stored.
    pub(crate) fn of_recipe<'a>(
        &self,
        context: &Context,
        set: &'a TrainingSet,
        models: &'a [(f64, Model)],
        ask: &'a distill::Ask<'a>,
    ) -> distill::Teachers<'a> {
        let (teachers, note) = match self.lineage(&set.rows) {
            Lineage::Known(_) => return distill::Teachers::Like(models),
            Lineage::OtherRows(_) => (
                distill::Teachers::Like(models),
                "the teachers were trained on other rows; the recipe is chosen with teachers like them, trained on parts of \
                 these rows",
            ),
            Lineage::Unknown => (
                match self.answer_for_any_rows() {
                    true => distill::Teachers::Fixed(ask),
                    false => distill::Teachers::Stored(&set.teacher_outputs),
                },
                "these teachers cannot be trained again without the held-out rows that choose the recipe; if they have seen \
                 them, the choice favors the teacher",
            ),
        };
        context.console.note(note);
        teachers
    }

    /// The models among the teachers, with their weights.
    pub(crate) fn models(&self) -> Vec<(f64, Model)> {
        let model = |(weight, teacher): &(f64, Teacher)| match teacher {
            Teacher::Model(model) => Some((*weight, Model::clone(model))),
            Teacher::Program(_) | Teacher::Stored(_) => None,
        };
        self.members.iter().filter_map(model).collect()
    }

    /// The one model whose hidden layer gives hints.
    pub(crate) fn guide(&self) -> Option<&Model> {
        match self.members.as_slice() {
            [(_, Teacher::Model(model))] => Some(model),
            _ => None,
        }
    }
}
