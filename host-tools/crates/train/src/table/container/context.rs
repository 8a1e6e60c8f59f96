//! The file that is being read: its name for errors, its notes and what memory it may still take.

use std::path::Path;

use super::contents::{Contents, Options};
use super::kind::Refused;
use super::limits::{Budget, Limits, MB};
use crate::error::{Error, Result};

pub(super) struct Context<'a> {
    path: &'a Path,
    pub(super) options: &'a Options,
    pub(super) notes: Vec<String>,
    pub(super) limits: Limits,
    pub(super) budget: Budget,
    /// Whether the bytes came out of gzip or zstd.
    #[cfg(feature = "formats")]
    pub(super) packed: bool,
}

impl<'a> Context<'a> {
    /// The context of a file of `bytes` bytes on disk.
    pub(super) fn new(path: &'a Path, options: &'a Options, bytes: usize) -> Self {
        let limits = Limits::new(bytes);
        Context {
            path,
            options,
            notes: Vec::new(),
            limits,
            budget: Budget::new(limits),
            #[cfg(feature = "formats")]
            packed: false,
        }
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(super) fn error(&self, line: Option<u64>, message: impl Into<String>) -> Error {
        Error::Data { path: self.path.to_path_buf(), line, message: message.into() }
    }

    pub(super) fn refuse(&self, refused: &Refused) -> Error {
        self.error(None, format!("this is {}: {}", refused.what, refused.remedy))
    }

    #[cfg(not(feature = "formats"))]
    pub(super) fn needs_feature(&self, what: &str) -> Error {
        self.error(
            None,
            format!(
                "this is {what}, which is read only with the feature `formats` of microdistill-train: turn it on, or \
                 save the file as CSV in UTF-8"
            ),
        )
    }

    /// A choice that the file does not leave open is a mistake.
    pub(super) fn check_options(&self, contents: &Contents) -> Result<()> {
        if self.options.sheet.is_some() && !matches!(contents, Contents::Cells(_)) {
            return Err(self.error(None, "a sheet is named, but the file is no spreadsheet"));
        }
        Ok(())
    }

    /// Takes the memory of `count` numbers.
    pub(super) fn numbers(&mut self, count: usize) -> Result<()> {
        if self.budget.numbers(count) { Ok(()) } else { Err(self.too_large()) }
    }

    /// Takes the memory of a text of `length` bytes.
    pub(super) fn text(&mut self, length: usize) -> Result<()> {
        if self.budget.text(length) { Ok(()) } else { Err(self.too_large()) }
    }

    /// Takes the memory of `count` bytes.
    #[cfg(feature = "formats")]
    pub(super) fn bytes(&mut self, count: usize) -> Result<()> {
        if self.budget.bytes(count) { Ok(()) } else { Err(self.too_large()) }
    }

    fn too_large(&self) -> Error {
        let cap = self.limits.cells / MB;
        self.error(
            None,
            format!(
                "its cells take more than {cap} MB, the limit for a file of its size: unpack it, or save it as CSV"
            ),
        )
    }

    /// The error of a file that unpacks to more than it may.
    #[cfg(feature = "formats")]
    pub(super) fn unpacks_too_large(&self) -> Error {
        let cap = self.limits.unpacked / MB;
        self.error(
            None,
            format!("unpacks to more than {cap} MB, the limit for a file of its size: unpack it first, if that is right"),
        )
    }
}
