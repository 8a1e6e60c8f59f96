//! Tables on the console, which never break a word: a table that is wider than the terminal wraps long cells between words
//! and continues in further tables below, each with the first column again. Where that does not fit, each row is a list.

use std::fmt;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle};
use microdistill_train::metrics::Scores;
use microdistill_train::number::significant;
use textwrap::core::display_width;

use crate::wrap::wrap;

/// A table with a header.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// True if all columns but the first hold numbers, which are right-aligned.
    numbers: bool,
}

/// A table of words.
pub(crate) fn plain(header: impl IntoIterator<Item = impl Into<String>>) -> Table {
    Table { header: header.into_iter().map(Into::into).collect(), rows: Vec::new(), numbers: false }
}

/// A table of right-aligned numbers after a column of names.
pub(crate) fn table(header: impl IntoIterator<Item = impl Into<String>>) -> Table {
    Table { numbers: true, ..plain(header) }
}

/// A wider column wraps where the table would not fit.
const WIDE: usize = 24;

/// Spaces beside the text of a cell, and between it and the next one.
const PADDING: usize = 3;

impl Table {
    pub(crate) fn add_row(&mut self, row: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        self.rows.push(row.into_iter().map(Into::into).collect());
        self
    }

    /// The table for a terminal of this width, in columns of text; without one, each row is one line.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        let natural: Vec<usize> =
            (0..self.header.len()).map(|column| self.widest(column, &str::lines)).collect();
        let Some(width) = width.filter(|&width| total(&natural) > width) else {
            return self.draw(&natural.into_iter().enumerate().collect::<Vec<_>>());
        };
        let words: Vec<usize> =
            (0..self.header.len()).map(|column| self.widest(column, &str::split_whitespace)).collect();
        // Names take half of a narrow terminal at most, unless they are single words.
        let first = natural[0].min(words[0].max((width / 2).saturating_sub(PADDING)));
        let room = (width + 1).saturating_sub(first + PADDING);
        if words.iter().skip(1).any(|&word| word + PADDING > room) {
            return self.list(width);
        }
        let preferred = |column: usize| {
            natural[column].min(WIDE).max(words[column]).min(words[column].max(room.saturating_sub(PADDING)))
        };
        let mut blocks: Vec<Vec<usize>> = Vec::new();
        let mut left = 0;
        for column in 1..natural.len() {
            let needed = preferred(column) + PADDING;
            match blocks.last_mut().filter(|_| needed <= left) {
                Some(block) => {
                    block.push(column);
                    left -= needed;
                }
                None => {
                    blocks.push(vec![column]);
                    left = room.saturating_sub(needed);
                }
            }
        }
        let drawn = blocks.iter().map(|block| {
            let used: usize = block.iter().map(|&column| preferred(column) + PADDING).sum();
            let mut left = room.saturating_sub(used);
            let columns = block.iter().map(|&column| {
                let more = (natural[column] - preferred(column)).min(left);
                left -= more;
                (column, preferred(column) + more)
            });
            self.draw(&[(0, first)].into_iter().chain(columns).collect::<Vec<_>>())
        });
        drawn.collect::<Vec<_>>().join("\n")
    }

    /// Each row as a list of named cells below its first one.
    fn list(&self, width: usize) -> String {
        let row = |row: &Vec<String>| {
            let named = |(head, cell): (&String, &String)| match head.is_empty() {
                true => cell.clone(),
                false => format!("{head}: {cell}"),
            };
            let mut cells = self.header.iter().zip(row);
            let first = cells.next().map(named);
            let others = cells.filter(|(_, cell)| !cell.is_empty()).map(|of| format!("  {}", named(of)));
            let lines = first.into_iter().chain(others);
            lines.map(|line| wrap(&line, Some(width))).collect::<Vec<_>>().join("\n")
        };
        self.rows.iter().map(row).collect::<Vec<_>>().join("\n")
    }

    /// Width of the widest part of a column's cells.
    fn widest<'a, Parts: Iterator<Item = &'a str>>(
        &'a self,
        column: usize,
        parts: &dyn Fn(&'a str) -> Parts,
    ) -> usize {
        let cells = std::iter::once(&self.header).chain(&self.rows).filter_map(|row| row.get(column));
        cells.flat_map(|cell| parts(cell)).map(display_width).max().unwrap_or(0)
    }

    /// Draws these columns in these widths.
    fn draw(&self, columns: &[(usize, usize)]) -> String {
        let mut table = comfy_table::Table::new();
        table
            .load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
            .set_content_arrangement(ContentArrangement::Disabled);
        let cells = |row: &[String]| -> Vec<String> {
            let cell = |column: usize| row.get(column).map_or("", String::as_str);
            columns.iter().map(|&(column, width)| wrap(cell(column), Some(width.max(1)))).collect()
        };
        table.set_header(cells(&self.header));
        for column in table.column_iter_mut().skip(1).filter(|_| self.numbers) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        self.rows.iter().for_each(|row| {
            table.add_row(cells(row));
        });
        table.to_string()
    }
}

/// Width of a table with columns of these widths.
fn total(columns: &[usize]) -> usize {
    columns.iter().map(|width| width + PADDING).sum::<usize>().saturating_sub(1)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(None))
    }
}

/// A table of scores with one row per part; all parts have the same task. The number of groups stands next to the rows if it
/// is known.
pub(crate) fn scores<'a>(parts: impl IntoIterator<Item = (&'a str, &'a Scores)>) -> Option<Table> {
    let parts: Vec<(&str, &Scores)> = parts.into_iter().collect();
    let (_, first) = parts.first()?;
    let grouped = parts.iter().any(|(_, scores)| scores.groups().is_some());
    let names = first.headline().map(|(name, _)| name);
    let more: &[&str] = if matches!(first, Scores::Classification(_)) { &["brier", "ece"] } else { &[] };
    let counts: &[&str] = if grouped { &["", "rows", "groups"] } else { &["", "rows"] };
    let mut table = table(counts.iter().chain(&names).chain(more).copied());
    for (name, scores) in parts {
        let numbers = scores.headline().into_iter().map(|(_, number)| number);
        let more = match scores {
            Scores::Classification(scores) => vec![scores.brier, scores.ece],
            Scores::Regression(_) => Vec::new(),
        };
        let groups = grouped.then(|| scores.groups().map_or("–".into(), |groups| groups.to_string()));
        let counts = [name.to_owned(), scores.rows().to_string()].into_iter().chain(groups);
        table.add_row(counts.chain(numbers.chain(more).map(|number| significant(number, 4))));
    }
    Some(table)
}

pub(crate) fn known(number: Option<u64>) -> String {
    number.map_or("–".to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table as `study` prints it.
    fn example() -> Table {
        let mut table =
            table(["", "train acc.", "test acc.", "gap", "NLL", "Brier", "ECE, %", "parameters", "flash B"]);
        for arm in ["teacher", "hard-smoothing", "a recipe with a long name"] {
            let score = "86.0 ± 1.2";
            table.add_row([arm, score, score, score, "0.412 ± 0.011", "0.123", "3.41", "123456", "1234567"]);
        }
        table
    }

    #[test]
    fn words_are_never_broken_and_every_line_fits() {
        let mut sentences = plain(["data set", "notes"]);
        sentences
            .add_row(["gesture_27people", "3 columns never change and are left out; 12 rows hold no label"]);
        for table in [example(), sentences] {
            let words: Vec<&str> = table
                .header
                .iter()
                .chain(table.rows.iter().flatten())
                .flat_map(|cell| cell.split_whitespace())
                .collect();
            for width in [20, 40, 60, 80, 120] {
                let text = table.render(Some(width));
                for line in text.lines() {
                    assert!(display_width(line) <= width, "{width}:\n{text}");
                }
                let shown: Vec<&str> = text.split([' ', '\n', ':']).collect();
                for word in &words {
                    assert!(shown.contains(word), "{width}: {word:?} is broken:\n{text}");
                }
            }
        }
    }

    #[test]
    fn a_table_that_fits_is_one_table() {
        let rules = |width| {
            example().render(width).matches("══").count() > 0 && blocks(&example().render(width)) == 1
        };
        assert!(rules(None) && rules(Some(150)));
        let [at_80, at_40] = [80, 40].map(|width| blocks(&example().render(Some(width))));
        assert!(1 < at_80 && at_80 < at_40, "{at_80}, {at_40}");
        // A word that is longer than the terminal is wide stays whole.
        let mut long = table(["", "x"]);
        long.add_row(["Donaudampfschifffahrtsgesellschaft", "1"]);
        assert!(long.render(Some(20)).contains("Donaudampfschifffahrtsgesellschaft"));
    }

    /// Number of tables, by their lines below the header.
    fn blocks(text: &str) -> usize {
        text.lines().filter(|line| line.starts_with('═')).count()
    }
}
