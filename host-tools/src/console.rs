//! The console: results on standard output, everything else on standard error, wrapped between words where a terminal shows
//! it.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use microdistill_train::table::container::are_panics_caught;
use serde::Serialize;
use terminal_size::{Width, terminal_size_of};

use crate::table::Table;
use crate::wrap::wrap;

/// The output of a command.
#[derive(Debug)]
pub(crate) struct Console {
    json: bool,
    /// Columns of the terminals of standard output and standard error.
    widths: [Option<usize>; 2],
    /// What was noted so far, for `--json`.
    notes: Mutex<Vec<String>>,
}

/// A result, and what was read, guessed, dropped or rounded on the way to it.
#[derive(Serialize)]
struct Noted<'a, T: Serialize> {
    #[serde(flatten)]
    result: &'a T,
    notes: &'a [String],
}

impl Console {
    pub(crate) fn new(json: bool) -> Self {
        let given =
            std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|&width| width > 0);
        let of = |found: Option<(Width, _)>| given.or(found.map(|(Width(width), _)| width.into()));
        let widths = [of(terminal_size_of(io::stdout())), of(terminal_size_of(io::stderr()))];
        Console { json, widths, notes: Mutex::new(Vec::new()) }
    }

    /// Returns true if standard output carries JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a result for people; with `--json` it goes to standard error, apart from the JSON.
    pub(crate) fn say(&self, text: impl Display) -> Result<()> {
        if self.json {
            self.print_aside(&text.to_string());
            return Ok(());
        }
        Ok(writeln!(io::stdout(), "{}", wrap(&text.to_string(), self.widths[0]))?)
    }

    /// Prints a table, as [`say`](Console::say) does.
    pub(crate) fn table(&self, table: &Table) -> Result<()> {
        if self.json {
            let _ = writeln!(io::stderr(), "{}", table.render(self.widths[1]));
            return Ok(());
        }
        Ok(writeln!(io::stdout(), "{}", table.render(self.widths[0]))?)
    }

    /// Prints a note to standard error, and remembers it for [`json`](Console::json).
    pub(crate) fn note(&self, text: impl Display) {
        let text = text.to_string();
        self.print_aside(&text);
        self.remember(text);
    }

    /// Remembers a note that is printed among the results.
    pub(crate) fn remember(&self, note: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    /// Prints to standard error. If that is closed, the text is lost and the work goes on.
    fn print_aside(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{}", wrap(text, self.widths[1]));
    }

    /// Prints an error and its causes.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        self.print_aside(&format!("error: {error:#}"));
    }

    /// Prints the result, an object, as JSON, with all notes as the member `notes`; with `--json` only.
    pub(crate) fn json(&self, result: &impl Serialize) -> Result<()> {
        if self.json {
            let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            let mut stdout = io::stdout();
            serde_json::to_writer(&mut stdout, &Noted { result, notes: &notes }).map_err(io::Error::from)?;
            writeln!(stdout)?;
        }
        Ok(())
    }

    /// Starts a progress bar of `steps`, which is hidden if standard error is not a terminal.
    pub(crate) fn bar(&self, label: impl Into<String>, steps: usize) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg:24} {wide_bar} {pos:>6}/{len} {eta:>4}");
        let bar = ProgressBar::new(steps as u64).with_message(label.into());
        style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)
    }

    /// Starts a spinner for work of unknown length.
    pub(crate) fn spinner(&self, label: impl Into<String>) -> ProgressBar {
        let spinner = ProgressBar::new_spinner().with_message(label.into());
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    }
}

/// Returns true if `error` came from a reader that has closed its pipe.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Keeps panics that become an error from printing a message of their own.
pub(crate) fn silence_caught_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !are_panics_caught() {
            print(panic);
        }
    }));
}
