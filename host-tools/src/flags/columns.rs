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
    /// Column to predict, or several of values, as A,B or by several flags [default: the last, or one whose name says so, with a
    /// note]
    #[arg(long, value_name = "COLUMN")]
    target: Vec<String>,
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
            targets: self.target.clone(),
            kind: self.kind(),
            groups: self.groups.clone(),
            key: None,
            text: self.text.columns(),
            options: self.file.options(),
        }
    }

    /// Returns true if targets are named that are not `known`, in this order.
    pub(crate) fn contradicts(&self, known: &[String]) -> bool {
        let whole = |text: &String| known.contains(text);
        let names = self.target.iter().flat_map(|text| match whole(text) {
            true => vec![text.as_str()],
            false => text.split(',').map(str::trim).collect(),
        });
        !self.target.is_empty() && !names.eq(known.iter().map(String::as_str))
    }

    /// The targets as they are named.
    pub(crate) fn targets(&self) -> String {
        self.target.join(",")
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
