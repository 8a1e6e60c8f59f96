//! `microdistill board teach`

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use indicatif::ProgressBar;
use microdistill::loss::SoftLabels;
use microdistill::stream::Settings;
use microdistill_boards::serial::{self, Emulated, Line};
use microdistill_boards::teach::{Learned, Lessons, Patience, Sample, Taught, Tutor};
use microdistill_boards::{self as board, Firmware, Profile, Sources};
use microdistill_train::dataset::Dataset;
use microdistill_train::error::Error;
use microdistill_train::file;
use microdistill_train::import::{Base, import_bytes, trainable};
use microdistill_train::metrics::Scores;
use microdistill_train::model::{Body, Model};
use microdistill_train::number::significant;
use rand_pcg::Pcg32;
use serde::Serialize;

use super::{ready, rows, sources_folder, tell_memory};
use crate::context::Context;
use crate::finish::{destination, judge};
use crate::flags::parse::count;
use crate::interrupt;
use crate::table;

/// Teach a student on a board: send samples and the teacher's soft labels over a serial line, and get the trained student back
///
/// Teach the bundled example's student from random weights on an emulated Cortex-M4F:
///
///     microdistill board teach qemu-mps2 --fresh --out learned.safetensors
///
/// Teach your own on a micro:bit, after `board flash microbit teach --student student.safetensors`:
///
///     microdistill board teach --port /dev/ttyACM0 --student student.safetensors \
///         --teacher teacher.safetensors --train gestures.csv --out learned.safetensors
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Teach {
    /// Board that QEMU emulates, or `host`, as named by `board list`
    #[arg(required_unless_present = "port", conflicts_with = "port")]
    board: Option<String>,
    /// Serial port of a real board that runs `teach`, such as /dev/ttyACM0 or COM3
    #[arg(long)]
    port: Option<String>,
    /// Baud rate of --port
    #[arg(long, default_value_t = 115_200, requires = "port")]
    baud: u32,
    /// f32 model to start from [default: the bundled example's]
    #[arg(long, value_name = "MODEL", requires = "train")]
    student: Option<PathBuf>,
    /// Start from random weights, drawn from --seed, instead of the student's
    #[arg(long)]
    fresh: bool,
    /// Model whose soft labels are sent; without it, --student learns from the labels alone [default: the bundled example's]
    #[arg(long, value_name = "MODEL", requires = "student")]
    teacher: Option<PathBuf>,
    /// Data file of rows to learn from; with a teacher, rows without a label are used too
    #[arg(long, value_name = "FILE", requires = "student")]
    train: Option<PathBuf>,
    /// Data file of test rows, scored before and after
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Model file to write; after Ctrl-C, what was learned so far is written next to it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Also write the record as the board sent it, which `import` reads
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Number of passes over all rows, each in an order drawn from --seed
    #[arg(long, default_value_t = 1, value_parser = count::<usize>)]
    passes: usize,
    /// Learning rate of Adam
    #[arg(long, default_value_t = 3e-3)]
    rate: f32,
    /// Decoupled weight decay (L2)
    #[arg(long, default_value_t = 1e-4)]
    weight_decay: f32,
    /// Batch size: samples per update
    #[arg(long, default_value_t = 1, value_parser = count::<u32>)]
    batch: u32,
    /// Temperature T > 0, which softens the outputs of teacher and student
    #[arg(long, default_value_t = SoftLabels::DEFAULT.temperature)]
    temperature: f32,
    /// Weight α of the teacher's soft labels in the loss, in [0, 1]; the labels get 1 − α
    #[arg(long, default_value_t = SoftLabels::DEFAULT.alpha)]
    alpha: f32,
}

#[derive(Serialize)]
struct TeachReport<'a> {
    /// The board, or its port.
    board: &'a str,
    model: &'a Path,
    parameters: usize,
    samples: usize,
    /// Number of parameters that differ from those of the same training on the desktop.
    different: usize,
    /// Number of requests sent again because no answer came.
    repeated: u64,
    /// Accuracy and mean loss of the last 100 samples, each predicted before it was learned.
    live_accuracy: f64,
    live_loss: f64,
    before: Option<Scores>,
    after: Option<Scores>,
    seconds: f64,
    interrupted: bool,
}

impl Teach {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let settings = self.settings()?;
        for place in [Some(&self.out), self.record.as_ref()].into_iter().flatten() {
            let sources = [&self.student, &self.teacher, &self.train, &self.test];
            file::probe_apart(place, sources.into_iter().flatten().map(PathBuf::as_path))?;
        }
        let Given { student, teacher, train, test } = self.given(context)?;
        let lessons = Lessons::new(&student, teacher.as_ref(), &train)?;
        let settings = if teacher.is_some() { settings } else { Settings { alpha: 0.0, ..settings } };
        let start = Instant::now();
        let (name, line) = self.line(context, &student)?;
        interrupt::finish();
        let mut live = Live::new(context, &name, lessons.len().saturating_mul(self.passes));
        let taught = Tutor::new(line, &name, Patience::default()).teach(
            trainable(&student)?,
            &settings,
            lessons.passes(self.passes, context.seed),
            &mut |sample, learned| {
                live.add(sample, learned);
                interrupt::flow()
            },
        );
        live.bar.finish_and_clear();
        let Taught { record, samples, different, repeated } = taught?;

        let mut model = import_bytes(&record, Base::Like(&student))?.model;
        model.metadata.command.clone_from(&context.command);
        let before = judge(&mut student.clone(), "test", test.as_ref())?;
        let after = judge(&mut model, "test", test.as_ref())?;
        let (out, interrupted) = destination(&self.out);
        model.save(&out)?;
        if let Some(path) = &self.record {
            file::write(destination(path).0, &record)?;
        }
        let parts = [("before", &before), ("after", &after)];
        let parts = parts.into_iter().filter_map(|(name, scores)| Some((name, scores.as_ref()?)));
        if let Some(table) = table::scores(parts) {
            context.console.table(&table)?;
        }
        let parameters = model.parameters();
        context.console.say(format_args!(
            "{name} learned {samples} samples; {different} of its {parameters} parameters differ from the same training \
             on the desktop: {}",
            out.display()
        ))?;
        let (live_accuracy, live_loss) = (live.accuracy(), live.loss());
        context.console.json(&TeachReport {
            board: &name,
            model: &out,
            parameters,
            samples,
            different,
            repeated,
            live_accuracy,
            live_loss,
            before,
            after,
            seconds: start.elapsed().as_secs_f64(),
            interrupted,
        })?;
        match (interrupted, different) {
            (true, _) => Err(Error::Interrupted.into()),
            (false, 0) => Ok(()),
            (false, _) => bail!("{name} and the desktop learned different weights from the same samples"),
        }
    }

    fn settings(&self) -> Result<Settings> {
        let &Teach { rate, weight_decay, temperature, alpha, batch, .. } = self;
        for (flag, value) in [("--rate", rate), ("--temperature", temperature)] {
            if !(value.is_finite() && value > 0.0) {
                bail!("{flag} {value}: it must be above 0");
            }
        }
        if !(weight_decay.is_finite() && weight_decay >= 0.0) {
            bail!("--weight-decay {weight_decay}: it must be at least 0");
        }
        if !(0.0..=1.0).contains(&alpha) {
            bail!("--alpha {alpha}: it must be in [0, 1]");
        }
        Ok(Settings { rate, weight_decay, temperature, alpha, batch })
    }

    /// Loads the models and rows that the flags name, or those of the bundled example.
    fn given(&self, context: &Context) -> Result<Given> {
        let bundled = |path: &str| Ok::<_, Error>(file::repository()?.join("examples").join(path));
        let (student, teacher, train, test) = match (&self.student, &self.train) {
            (Some(student), Some(train)) => {
                (student.clone(), self.teacher.clone(), train.clone(), self.test.clone())
            }
            _ => (
                bundled("models/watch_small/student.safetensors")?,
                Some(bundled("models/watch_small/teacher.safetensors")?),
                bundled("data/watch_small/train.csv")?,
                Some(bundled("data/watch_small/test.csv")?),
            ),
        };
        let mut student = Model::load(student)?;
        if self.fresh
            && let Body::F32(network) = &mut student.body
        {
            network.initialize(&mut Pcg32::new(context.seed, STREAM));
        }
        let teacher = teacher.map(Model::load).transpose()?;
        let (train, test) = (rows(&student, &train)?, test.map(|test| rows(&student, &test)).transpose()?);
        Ok(Given { student, teacher, train, test })
    }

    /// Opens the serial line to the board. Also returns the name that messages use for it.
    fn line(&self, context: &Context, student: &Model) -> Result<(String, Box<dyn Line>)> {
        if let Some(port) = &self.port {
            return Ok((port.clone(), Box::new(serial::open(port, self.baud)?)));
        }
        let name = self.board.clone().unwrap_or_default();
        let board = board::find(&board::firmware_folder()?, &name)?;
        serial::check_emulated(&board)?;
        ready(&board)?;
        let sources = Sources::teach(&sources_folder(&board)?, student)?;
        let spinner = context.console.spinner(format!("building teach for {name}"));
        let elf = Firmware { board: &board, program: "teach", sources, profile: Profile::Release }.build();
        spinner.finish_and_clear();
        let elf = elf?;
        tell_memory(context, &board, &elf)?;
        Ok((name, Box::new(Emulated::start(&board, &elf)?)))
    }
}

/// Stream of the random generator for initial weights.
const STREAM: u64 = 1;

struct Given {
    student: Model,
    teacher: Option<Model>,
    train: Dataset,
    test: Option<Dataset>,
}

/// Progress bar with the running accuracy and loss of the board's predictions.
struct Live {
    bar: ProgressBar,
    /// The last samples: true if the student predicted the class, and the loss.
    last: VecDeque<(bool, f32)>,
}

impl Live {
    /// Number of samples that a running score averages.
    const SAMPLES: usize = 100;

    fn new(context: &Context, name: &str, samples: usize) -> Self {
        let bar = context.console.bar(name, samples);
        Live { bar, last: VecDeque::with_capacity(Self::SAMPLES) }
    }

    fn add(&mut self, sample: &Sample<'_>, learned: Learned) {
        if self.last.len() == Self::SAMPLES {
            self.last.pop_front();
        }
        self.last.push_back((learned.class == sample.class(), learned.loss));
        self.bar.inc(1);
        let [right, loss] = [100.0 * self.accuracy(), self.loss()].map(|score| significant(score, 3));
        self.bar.set_message(format!("{right:>4} % right, loss {loss}"));
    }

    fn accuracy(&self) -> f64 {
        self.last.iter().filter(|(known, _)| *known).count() as f64 / self.last.len() as f64
    }

    fn loss(&self) -> f64 {
        self.last.iter().map(|(_, loss)| f64::from(*loss)).sum::<f64>() / self.last.len() as f64
    }
}
