//! Tables on the console.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table};
use microdistill_train::metrics::Scores;
use microdistill_train::number::significant;

/// A table of words.
pub(crate) fn plain(header: impl IntoIterator<Item = impl Into<Cell>>) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.into_iter().map(Into::into).collect::<Vec<Cell>>());
    table
}

/// A table of right-aligned numbers after a column of names.
pub(crate) fn table(header: impl IntoIterator<Item = impl Into<Cell>>) -> Table {
    let mut table = plain(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A table of scores with one row per part; all parts have the same task.
pub(crate) fn scores<'a>(parts: impl IntoIterator<Item = (&'a str, &'a Scores)>) -> Option<Table> {
    let mut whole = None;
    for (name, scores) in parts {
        let [(first, a), (second, b)] = scores.headline();
        let rows = scores.rows().to_string();
        match scores {
            Scores::Classification(scores) => {
                let numbers = [a, b, scores.brier, scores.ece].map(|number| format!("{number:.4}"));
                whole
                    .get_or_insert_with(|| table(["", "rows", first, second, "brier", "ece"]))
                    .add_row([name.into(), rows].into_iter().chain(numbers));
            }
            Scores::Regression(_) => {
                whole.get_or_insert_with(|| table(["", "rows", first, second])).add_row([
                    name.into(),
                    rows,
                    significant(a, 4),
                    format!("{b:.4}"),
                ]);
            }
        }
    }
    whole
}

pub(crate) fn known(number: Option<u64>) -> String {
    number.map_or("–".to_owned(), |number| number.to_string())
}
