//! A program that teaches: rows go to its standard input, and its answers come from its standard output.

mod cache;
mod run;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use microdistill_train::dataset::answers::{input, lines, read_answers};
use microdistill_train::dataset::{Dataset, OutputKind};
use microdistill_train::error::{Error, Result as LibraryResult};
use microdistill_train::outputs::TeacherOutputs;
use nalgebra::DMatrix;

use self::cache::{Cache, Key};
use self::run::Failure;
use crate::console::Console;
use crate::flags::parse::count;

/// Most rows that a program is asked about at once. Starting a program that loads a model takes seconds, and a batch of
/// this size fits in its memory.
const BATCH: usize = 10_000;

#[derive(Args, Debug)]
pub(crate) struct ProgramFlags {
    /// Program that teaches, such as "python teach.py". It is started without a shell for each batch of up to 10000 rows, reads
    /// them as CSV with a header from its standard input, and writes one line per row with the probability of each label,
    /// or the value of each target; a header names labels or targets, else they are in the order of the data
    #[arg(long, value_name = "COMMAND")]
    teacher_command: Option<String>,
    /// Seconds that the program may take per batch
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = count::<u64>, requires = "teacher_command")]
    teacher_timeout: u64,
    /// File that keeps the program's answers, so that a later run asks about new rows only
    #[arg(long, value_name = "FILE", requires = "teacher_command")]
    teacher_cache: Option<PathBuf>,
}

impl ProgramFlags {
    /// Returns true if a program is named.
    pub(crate) fn is_given(&self) -> bool {
        self.teacher_command.is_some()
    }

    /// The file that keeps answers.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.teacher_cache.as_deref()
    }

    /// Checks the command, before any file is read.
    pub(crate) fn check(&self) -> Result<()> {
        self.words().map(drop)
    }

    /// The words of the command: divided as a shell does, but nothing else that a shell does happens.
    fn words(&self) -> Result<Vec<String>> {
        let Some(command) = &self.teacher_command else { return Ok(Vec::new()) };
        match shlex::split(command) {
            Some(words) if !words.is_empty() => Ok(words),
            Some(_) => bail!("--teacher-command is empty: name a program, such as \"python teach.py\""),
            None => bail!("--teacher-command {command:?}: a quote or a backslash is not closed"),
        }
    }

    /// The program, which is to answer for rows like the `known` ones; none if none is named. `kind` is what its numbers mean.
    pub(crate) fn program(&self, known: &Dataset, kind: Option<OutputKind>) -> Result<Option<Program>> {
        let words = self.words()?;
        let Some(command) = self.teacher_command.clone() else { return Ok(None) };
        let cache = match &self.teacher_cache {
            None => Cache::default(),
            Some(path) => Cache::open(path, &words, known, kind)?,
        };
        let asked = Mutex::new(Asked { cache, ..Asked::default() });
        let timeout = Duration::from_secs(self.teacher_timeout);
        Ok(Some(Program { command, words, timeout, kind, asked }))
    }
}

/// A program that teaches.
pub(crate) struct Program {
    /// The command as it was given.
    command: String,
    words: Vec<String>,
    timeout: Duration,
    kind: Option<OutputKind>,
    /// What was asked so far. Folds ask at the same time, and the program is started once at a time.
    asked: Mutex<Asked>,
}

/// What a program was asked.
#[derive(Default)]
struct Asked {
    cache: Cache,
    rows: usize,
    batches: usize,
    /// How columns without names were understood.
    note: Option<String>,
    /// What the program wrote to its standard error in its first batch, if anything.
    said: Option<String>,
}

impl Program {
    /// Outputs of the program for `rows`: logits or values.
    pub(crate) fn teacher_outputs(&self, rows: &Dataset) -> LibraryResult<TeacherOutputs> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = lines(rows)?;
        let keys: Vec<Key> = lines.iter().map(|line| Key::of(line)).collect();
        let mut chosen = BTreeSet::new();
        let new: Vec<usize> = (0..keys.len())
            .filter(|&row| asked.cache.get(&keys[row]).is_none() && chosen.insert(keys[row]))
            .collect();
        for batch in new.chunks(BATCH) {
            let found = self.ask(&mut asked, rows, batch.iter().map(|&row| lines[row].as_str()))?;
            asked.cache.add(batch.iter().map(|&row| keys[row]).zip(found))?;
        }
        let outputs = rows.task.outputs();
        let mut numbers = Vec::with_capacity(outputs * keys.len());
        for key in &keys {
            let answer = asked.cache.get(key).unwrap_or_default();
            let origins = rows.target_origin.iter().copied().chain(std::iter::repeat(0.0));
            numbers.extend(answer.iter().zip(origins).map(|(output, origin)| (output - origin) as f32));
        }
        Ok(DMatrix::from_vec(outputs, keys.len(), numbers).into())
    }

    /// Asks the program about one batch and returns its answers, row by row.
    fn ask<'a>(
        &self,
        asked: &mut Asked,
        rows: &Dataset,
        lines: impl ExactSizeIterator<Item = &'a str>,
    ) -> LibraryResult<Vec<Vec<f64>>> {
        let count = lines.len();
        asked.batches += 1;
        let batch = asked.batches;
        let failed = |problem: String| {
            Error::Invalid(format!(
                "--teacher-command {:?}, batch {batch} of {count} rows: {problem}",
                self.command
            ))
        };
        let input = input(rows, lines)?;
        // Numbers take at most 30 characters each.
        let most = (count + 1).saturating_mul(rows.task.outputs() + 8).saturating_mul(64);
        let output = run::run(&self.words, input, self.timeout, most).map_err(|failure| match failure {
            Failure::Interrupted => Error::Interrupted,
            Failure::Problem(problem) => failed(problem),
        })?;
        let found = read_answers(&output.text, &rows.task, count, self.kind)
            .map_err(|problem| failed(run::with_tail(problem.to_string(), &output.said)))?;
        asked.rows += count;
        asked.note = asked.note.take().or(found.note);
        asked.said = asked.said.take().or(output.said.lines().last().map(str::to_owned));
        Ok(found.rows)
    }

    /// Tells what the program was asked.
    pub(crate) fn tell(&self, console: &Console) {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let command = format!("teacher command {:?}", self.command);
        let known = match asked.cache.loaded() {
            0 => String::new(),
            loaded => format!("; the cache had {}", counted(loaded, "answer", "answers")),
        };
        console.note(format_args!(
            "{command}: asked about {} in {} of at most {BATCH}{known}",
            counted(asked.rows, "row", "rows"),
            counted(asked.batches, "batch", "batches")
        ));
        if let Some(note) = &asked.note {
            console.note(format_args!("{command}: {note}"));
        }
        if let Some(said) = &asked.said {
            console.note(format_args!("{command}: its standard error ends with: {said}"));
        }
    }
}

fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}
