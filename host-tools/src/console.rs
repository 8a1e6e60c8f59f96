//! The console: results on standard output, everything else on standard error, wrapped between words where a terminal shows
//! it.

use std::fmt::Display;
use std::io::{self, Write as _};
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
}

impl Console {
    pub(crate) fn new(json: bool) -> Self {
        let given =
            std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|&width| width > 0);
        let of = |found: Option<(Width, _)>| given.or(found.map(|(Width(width), _)| width.into()));
        let widths = [of(terminal_size_of(io::stdout())), of(terminal_size_of(io::stderr()))];
        Console { json, widths }
    }

    /// Returns true if standard output carries JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a result for people; with `--json` it goes to standard error, apart from the JSON.
    pub(crate) fn say(&self, text: impl Display) -> Result<()> {
        if self.json {
            self.note(text);
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

    /// Prints a note to standard error. If that is closed, the note is lost and the work goes on.
    pub(crate) fn note(&self, text: impl Display) {
        let _ = writeln!(io::stderr(), "{}", wrap(&text.to_string(), self.widths[1]));
    }

    /// Prints an error and its causes.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        self.note(format_args!("error: {error:#}"));
    }

    /// Prints the result as JSON, with `--json` only.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<()> {
        if self.json {
            let mut stdout = io::stdout();
            serde_json::to_writer(&mut stdout, value).map_err(io::Error::from)?;
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
