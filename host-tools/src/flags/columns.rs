//! Flags for the columns of a data file and for its format.

use std::path::Path;

use clap::{Args, ValueEnum};
use microdistill_train::dataset::{Columns, Kind};
use microdistill_train::table::Options;

use crate::flags::file::FileFlags;
use crate::flags::text::TextFlags;

/// Meaning of the columns.
#[derive(Args, Debug)]
pub(crate) struct ColumnFlags {
    /// Column to predict [default: the last, or one whose name says so, with a note]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
    /// Type of the target [default: guessed, with a note]
    #[arg(long, value_enum)]
    task: Option<TaskFlag>,
    /// Groups whose rows stay together, such as a person or a session: a column, which is then not a feature, or a data file
    #[arg(long, value_name = "COLUMN|FILE")]
    pub(crate) groups: Option<String>,
    #[command(flatten)]
    text: TextFlags,
    #[command(flatten)]
    file: FileFlags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TaskFlag {
    /// Labels
    Classification,
    /// Values
    Regression,
}

impl ColumnFlags {
    /// Columns of a first model's file that are not features.
    pub(crate) fn columns(&self) -> Columns {
        Columns {
            target: self.target.clone(),
            kind: self.kind(),
            groups: self.groups.clone(),
            text: self.text.columns(),
            options: self.file.options(),
        }
    }

    /// Options to read a file with.
    pub(crate) fn options(&self) -> Options {
        self.file.options()
    }

    /// Type of the target, if it is given.
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.task.map(|task| match task {
            TaskFlag::Classification => Kind::Classification,
            TaskFlag::Regression => Kind::Regression,
        })
    }

    /// Returns true if columns of text are named.
    pub(crate) fn names_text(&self) -> bool {
        !self.text.columns().is_empty()
    }

    /// The file of the groups, if they are no column.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.groups.as_deref().map(Path::new)
    }
}
