//! Tables of a study's figures, on the console and in Markdown.

use anyhow::Result;
use microdistill_study::study::figures;
use microdistill_study::study::results::{Division, MeanStd, Overall, Ratio, Results, SetResults, Summary};

use crate::console::Console;
use crate::table;

/// A metric of the results, its table head and its format.
type Column = (&'static str, &'static str, fn(&str, &MeanStd) -> String);

const COLUMNS: [Column; 8] = [
    ("train accuracy", "train acc.", figures::mean_std),
    ("test accuracy", "test acc.", figures::mean_std),
    ("gap", "gap", figures::mean_std),
    ("nll", "NLL", figures::mean_std),
    ("brier", "Brier", mean),
    ("ece", "ECE, %", mean),
    ("parameters", "parameters", mean),
    ("flash", "flash B", mean),
];

/// The same for regression.
const VALUE_COLUMNS: [Column; 7] = [
    ("train r2", "train R²", figures::mean_std),
    ("r2", "test R²", figures::mean_std),
    ("r2 gap", "gap", figures::mean_std),
    ("train rmse", "train RMSE", figures::mean_std),
    ("rmse", "test RMSE", figures::mean_std),
    ("parameters", "parameters", mean),
    ("flash", "flash B", mean),
];

fn mean(metric: &str, score: &MeanStd) -> String {
    figures::value(metric, score.mean)
}

/// The compared metrics with their heads. The second is the loss.
type Compared = [(&'static str, &'static str); 3];

const COMPARED: Compared = [("test accuracy", "test acc., pp"), ("nll", "NLL"), ("gap", "gap, pp")];

/// The same for regression.
const COMPARED_VALUES: Compared = [("r2", "test R²"), ("rmse", "RMSE"), ("r2 gap", "gap")];

/// Layout of the tables for a part of the data sets.
struct Form {
    /// Columns for a single data set.
    all: &'static [Column],
    /// Columns for a mean over data sets.
    columns: Vec<Column>,
    compared: Compared,
}

impl Form {
    /// Leaves out columns that no arm has, because values with different units have no common mean.
    fn of(overall: &Overall) -> Self {
        let used = |(metric, ..): &Column| {
            overall.summaries.iter().any(|summary| summary.scores.contains_key(*metric))
        };
        let has_values = used(&VALUE_COLUMNS[0]);
        let (all, compared): (&[Column], Compared) =
            if has_values { (&VALUE_COLUMNS, COMPARED_VALUES) } else { (&COLUMNS, COMPARED) };
        Form { all, columns: all.iter().copied().filter(used).collect(), compared }
    }

    fn header(&self) -> Vec<&'static str> {
        std::iter::once("").chain(self.columns.iter().map(|(_, head, _)| *head)).collect()
    }

    fn row(&self, summary: &Summary) -> Vec<String> {
        let cell = |(metric, _, form): &Column| {
            summary.scores.get(*metric).map_or(String::new(), |score| form(metric, score))
        };
        std::iter::once(summary.arm.clone()).chain(self.columns.iter().map(cell)).collect()
    }

    /// The score and the loss, which are shown for each data set.
    fn by_set(&self) -> impl Iterator<Item = &Column> {
        self.all
            .iter()
            .filter(|(metric, ..)| self.compared[..2].iter().any(|(compared, ..)| compared == metric))
    }
}

/// Prints the tables of every condition and their conclusions.
pub(crate) fn console(console: &Console, results: &Results) -> Result<()> {
    for overall in &results.overall {
        console.say(format_args!("\n{}", heading(results, overall)))?;
        let form = Form::of(overall);
        let mut table = table::table(form.header());
        for summary in &overall.summaries {
            table.add_row(form.row(summary));
        }
        console.table(&table)?;
    }
    for sentence in &results.sentences {
        console.say(format_args!("- {sentence}"))?;
    }
    Ok(())
}

/// Returns the same as Markdown, with comparisons and all data sets.
pub(crate) fn markdown(results: &Results) -> String {
    let mut text = format!("# {}\n\n`{}`\n", results.title, results.command);
    for overall in &results.overall {
        text += &format!("\n## {}\n\n", heading(results, overall));
        let form = Form::of(overall);
        table_of(&mut text, &form.header(), overall.summaries.iter().map(|summary| form.row(summary)));
        text += "\n";
        let [(_, score), (loss, name), (_, gap)] = form.compared;
        let ratio = format!("× {name}");
        // Data sets with values in several units have no common loss, only a common ratio.
        let has_loss = overall.comparisons.iter().any(|of| of.metric == loss);
        let header = [vec!["difference", score, "p"], if has_loss { vec![name, "p"] } else { Vec::new() }];
        let header = [header.concat(), vec![&ratio, gap]].concat();
        let rows = overall.ratios.iter().map(|ratio| differences(overall, &form.compared, ratio, has_loss));
        table_of(&mut text, &header, rows);
        for (metric, name, shown) in form.by_set() {
            text += "\n";
            by_set(&mut text, name, results, overall, |summary| {
                summary.scores.get(*metric).map_or(String::new(), |score| shown(metric, score))
            });
        }
    }
    text += "\n";
    for sentence in &results.sentences {
        text += &format!("- {sentence}\n");
    }
    text
}

/// Above this number of data sets, a table has a row per data set instead of a column.
const MANY_SETS: usize = 10;

/// Table with a cell for each arm and data set; `corner` names the metric.
fn by_set(
    text: &mut String,
    corner: &str,
    results: &Results,
    overall: &Overall,
    cell: impl Fn(&Summary) -> String,
) {
    let sets: Vec<&SetResults> = results
        .sets
        .iter()
        .filter(|set| set.condition == overall.condition && overall.sets.contains(&set.name))
        .collect();
    let cell = |set: &SetResults, arm: &str| {
        set.summaries.iter().find(|summary| summary.arm == arm).map_or(String::new(), &cell)
    };
    let sets_by_name = sets.iter().map(|set| set.name.as_str());
    let arms = || results.arms.iter().map(|arm| arm.name.as_str());
    let row = |name: &str, cells: Vec<String>| [vec![name.to_owned()], cells].concat();
    if sets.len() > MANY_SETS {
        let header: Vec<&str> = std::iter::once(corner).chain(arms()).collect();
        let rows = sets.iter().map(|set| row(&set.name, arms().map(|arm| cell(set, arm)).collect()));
        table_of(text, &header, rows);
    } else {
        let header: Vec<&str> = std::iter::once(corner).chain(sets_by_name).collect();
        let rows = arms().map(|arm| row(arm, sets.iter().map(|set| cell(set, arm)).collect()));
        table_of(text, &header, rows);
    }
}

/// Names of the data sets, the condition and, for a single one, how many groups the test holds.
fn heading(results: &Results, overall: &Overall) -> String {
    let sets = match overall.sets.len() {
        sets @ ..=MANY_SETS => overall.sets[..sets].join(", "),
        sets => sets.to_string(),
    };
    let heading = format!("{}: {sets}", overall.title);
    let of_condition = Some(figures::condition(&overall.condition)).filter(|condition| !condition.is_empty());
    let parts = [of_condition, tested(results, overall)].into_iter().flatten();
    parts.fold(heading, |heading, part| format!("{heading}; {part}"))
}

/// The rows and groups that the scores of a single data set are about, if its groups are known.
fn tested(results: &Results, overall: &Overall) -> Option<String> {
    let [name] = overall.sets.as_slice() else { return None };
    let set = results.sets.iter().find(|set| set.name == *name && set.condition == overall.condition)?;
    let groups = set.groups?;
    Some(match results.settings.division {
        Division::LeaveOneGroupOut => format!("each of {} groups is the test once", groups.all),
        Division::Given | Division::Redrawn => {
            let noun = if groups.test == 1 { "group" } else { "groups" };
            format!("test: {} rows of {} {noun}", set.rows.test, groups.test)
        }
    })
}

fn differences(overall: &Overall, compared: &Compared, ratio: &Ratio, has_loss: bool) -> Vec<String> {
    let [score, loss, gap] = compared.map(|(metric, _)| {
        let mut comparisons = overall.comparisons.iter();
        let found = comparisons.find(|c| (&c.a, &c.b, c.metric.as_str()) == (&ratio.a, &ratio.b, metric));
        let difference = found.map(|found| match figures::estimate(metric, &found.estimate) {
            (mean, Some([low, high])) => format!("{mean} ({low} to {high})"),
            (mean, None) => mean,
        });
        let p = found.and_then(|found| found.estimate.p()).map_or("–".into(), figures::p_value);
        (difference.unwrap_or_default(), p)
    });
    let mut cells = vec![format!("{} − {}", ratio.a, ratio.b), score.0, score.1];
    if has_loss {
        cells.extend([loss.0, loss.1]);
    }
    cells.extend([figures::value("", ratio.ratio), gap.0]);
    cells
}

/// Appends a table whose first column holds words and whose other columns hold numbers.
fn table_of(text: &mut String, header: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    *text += &format!("| {} |\n|---|{}\n", header.join(" | "), "---:|".repeat(header.len() - 1));
    rows.for_each(|row| *text += &format!("| {} |\n", row.join(" | ")));
}
