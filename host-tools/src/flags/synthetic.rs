//! `--synthetic`, `--synthetic-rows`, `--unlabelled` and `--further-share`: additional rows for a student, labelled by its
//! teacher.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Result, bail};
use clap::Args;
use microdistill_train::dataset::Dataset;
use microdistill_train::error::Result as LibraryResult;
use microdistill_train::model::{Further, Source};
use microdistill_train::student::Blend;
use microdistill_train::synthetic::{Synthetic, generate};

use crate::context::Context;
use crate::flags::data::DataFlags;
use crate::flags::parse::share;

#[derive(Args, Debug)]
#[command(next_help_heading = "Additional rows, labelled by the teacher")]
pub(crate) struct FurtherFlags {
    /// Add synthetic rows generated from those to distill on, in one or several ways: jitter (noise), gaussian (one per
    /// label), mixup (between two rows), munge (features near a neighbour's), interpolation (between a row and a neighbour), vae, gan
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', num_args = 1)]
    synthetic: Vec<Synthetic>,
    /// Total number of synthetic rows: a count, or a multiple of the rows to distill on, such as 2x
    #[arg(long, value_name = "N|2x", default_value = "1x", requires = "synthetic")]
    synthetic_rows: Amount,
    /// Data file of real rows with the columns of --data; a target is ignored
    #[arg(long, value_name = "FILE")]
    unlabelled: Option<PathBuf>,
    /// Share of each batch drawn from synthetic and unlabelled rows, in (0, 1); an epoch is then one pass over the rows to
    /// distill on [default: all rows are shuffled together]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    further_share: Option<f64>,
}

/// `500` rows, or `2x`: a multiple of the rows to distill on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Amount {
    Rows(usize),
    Times(f64),
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let times = text.strip_suffix('x').and_then(|times| times.parse().ok());
        match (text.parse(), times) {
            (Ok(rows), _) if rows > 0 => Ok(Amount::Rows(rows)),
            (_, Some(times)) if times > 0.0 && f64::is_finite(times) => Ok(Amount::Times(times)),
            _ => {
                Err("it must be a number of rows, such as 500, or a multiple of the rows, such as 2x".into())
            }
        }
    }
}

impl Amount {
    fn beside(self, rows: usize) -> usize {
        match self {
            Amount::Rows(rows) => rows,
            Amount::Times(times) => (times * rows as f64).ceil() as usize,
        }
    }
}

impl FurtherFlags {
    /// The file of unlabelled rows.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.unlabelled.as_deref()
    }

    /// Returns a flag that adds rows, if one is given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--synthetic", !self.synthetic.is_empty()),
            ("--unlabelled", self.unlabelled.is_some()),
            ("--further-share", self.further_share.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }

    /// Reads the unlabelled file, if there is one, whose rows are `like` the data's; `None` if no teacher can label further
    /// rows.
    pub(crate) fn read(
        &self,
        context: &Context,
        data: &DataFlags,
        like: Option<&Dataset>,
    ) -> Result<FurtherRows<'_>> {
        let asked = !self.synthetic.is_empty() || self.unlabelled.is_some();
        if let (Some(share), false) = (self.further_share, asked) {
            bail!(
                "--further-share {share} needs additional rows: add --synthetic or --unlabelled, or leave it out"
            );
        }
        let Some(like) = like else {
            if asked {
                bail!(
                    "--synthetic and --unlabelled need a teacher model or --teacher-command: stored soft labels do not cover \
                     further rows"
                );
            }
            return Ok(FurtherRows { flags: self, unlabelled: None, seed: context.seed });
        };
        let read = |path: &PathBuf| data.read_unlabelled(context, path, like);
        let unlabelled = self.unlabelled.as_ref().map(read).transpose()?;
        Ok(FurtherRows { flags: self, unlabelled, seed: context.seed })
    }
}

/// Additional rows of the flags.
pub(crate) struct FurtherRows<'a> {
    flags: &'a FurtherFlags,
    unlabelled: Option<Dataset>,
    seed: u64,
}

/// Rows, followed by the additional ones.
pub(crate) struct Blended {
    pub(crate) rows: Dataset,
    /// Descriptions of the additional rows; empty if there are none.
    pub(crate) added: Vec<Further>,
    pub(crate) blend: Option<Blend>,
}

impl FurtherRows<'_> {
    /// Returns `rows` and the additional ones. Synthetic rows are generated from `rows` alone, whichever part of the data that
    /// is.
    pub(crate) fn beside(&self, rows: &Dataset) -> LibraryResult<Blended> {
        let kinds = &self.flags.synthetic;
        let count = self.flags.synthetic_rows.beside(rows.rows());
        let (mut more, mut added) = (Vec::new(), Vec::new());
        for (index, &kind) in kinds.iter().enumerate() {
            // Equal shares; the first kinds take the remainder.
            let count = count / kinds.len() + usize::from(index < count % kinds.len());
            added.push(Further { source: Source::Synthetic(kind), rows: count });
            more.push(generate(kind, rows, count, self.seed)?);
        }
        if let Some(unlabelled) = &self.unlabelled {
            let source = Source::Unlabelled(unlabelled.hash.clone());
            added.push(Further { source, rows: unlabelled.rows() });
            more.push(unlabelled.clone());
        }
        if more.is_empty() {
            return Ok(Blended { rows: rows.clone(), added, blend: None });
        }
        let blend = self.flags.further_share.map(|share| Blend { own: rows.rows(), share });
        Ok(Blended { rows: rows.with_unlabelled(&more), added, blend })
    }

    /// Prints a note on the `added` rows and their share.
    pub(crate) fn tell(&self, context: &Context, rows: usize, added: &[Further]) {
        let list: Vec<String> = added.iter().map(Further::to_string).collect();
        let list = list.join(", ");
        let how = match self.flags.further_share {
            None => "all rows are shuffled together".into(),
            Some(share) => format!("they make up {share} of each batch"),
        };
        context
            .console
            .note(format_args!("in addition to {rows} rows, labelled by the teacher: {list}; {how}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rows_or_times() {
        assert_eq!("500".parse::<Amount>().map(|amount| amount.beside(7)), Ok(500));
        assert_eq!("1.5x".parse::<Amount>().map(|amount| amount.beside(7)), Ok(11));
        for wrong in ["0", "0x", "-1", "x", "nanx", "infx", "2y", ""] {
            assert!(wrong.parse::<Amount>().is_err(), "{wrong}");
        }
    }
}
