//! Tables on the console.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table};
use microdistill_train::metrics::{Regression, Scores, TargetScores};
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

/// A table of scores with one row per part, or one per part and target; all parts have the same task.
pub(crate) fn scores<'a>(parts: impl IntoIterator<Item = (&'a str, &'a Scores)>) -> Option<Table> {
    let mut whole = None;
    for (name, scores) in parts {
        let rows = scores.rows().to_string();
        match scores {
            Scores::Classification(scores) => {
                let numbers = [scores.accuracy, scores.nll, scores.brier, scores.ece];
                let numbers = numbers.map(|number| format!("{number:.4}"));
                whole
                    .get_or_insert_with(|| table(["", "rows", "accuracy", "nll", "brier", "ece"]))
                    .add_row([name.into(), rows].into_iter().chain(numbers));
            }
            Scores::Regression(Regression { rmse, r2, targets, .. }) if targets.is_empty() => {
                whole.get_or_insert_with(|| table(["", "rows", "rmse", "r2"])).add_row([
                    name.into(),
                    rows,
                    significant(*rmse, 4),
                    format!("{r2:.4}"),
                ]);
            }
            Scores::Regression(Regression { r2, targets, .. }) => {
                let table = whole.get_or_insert_with(|| table(["", "rows", "target", "rmse", "r2"]));
                table.add_row([name, &rows, "mean R²", "", &format!("{r2:.4}")]);
                for TargetScores { target, rmse, r2 } in targets {
                    table.add_row(["", "", target, &significant(*rmse, 4), &format!("{r2:.4}")]);
                }
            }
        }
    }
    whole
}

pub(crate) fn known(number: Option<u64>) -> String {
    number.map_or("–".to_owned(), |number| number.to_string())
}
