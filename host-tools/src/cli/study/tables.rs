//! A study's figures as tables: on the console, and in Markdown.

use anyhow::Result;
use microdistill_host_tools::study::results::{Comparison, MeanStd, Overall, Results, Summary};

use super::super::console::Console;
use super::super::table;

const HEADER: [&str; 9] =
    ["", "train acc.", "test acc.", "gap", "NLL", "Brier", "ECE", "parameters", "flash B"];

/// The tables of every condition, and what they say.
pub(super) fn console(console: &Console, results: &Results) -> Result<()> {
    for overall in &results.overall {
        console.say(format_args!("\n{}", heading(overall)))?;
        let mut table = table::table(HEADER);
        for summary in &overall.summaries {
            table.add_row(row(summary));
        }
        console.say(table)?;
    }
    for sentence in &results.sentences {
        console.say(format_args!("- {sentence}"))?;
    }
    Ok(())
}

/// The same with comparisons and all sets, as Markdown.
pub(super) fn markdown(results: &Results) -> String {
    let mut text = format!("# {}\n\n`{}`\n", results.title, results.command);
    for overall in &results.overall {
        text += &format!("\n## {}\n\n", heading(overall));
        table_of(&mut text, &HEADER, overall.summaries.iter().map(row));
        text += "\n";
        let header = ["difference", "test acc., pp", "p", "NLL", "p", "× NLL", "gap, pp"];
        table_of(&mut text, &header, overall.ratios.iter().map(|ratio| differences(overall, ratio)));
        for (metric, name) in [("test accuracy", "test accuracy, %"), ("nll", "NLL")] {
            text += "\n";
            let header = [vec![name.to_owned()], overall.sets.clone()].concat();
            let header: Vec<&str> = header.iter().map(String::as_str).collect();
            let rows = results.arms.iter().map(|arm| {
                let sets = results
                    .sets
                    .iter()
                    .filter(|set| set.condition == overall.condition && overall.sets.contains(&set.name));
                let scores = sets.filter_map(|set| {
                    let summary = set.summaries.iter().find(|summary| summary.arm == arm.name)?;
                    summary.scores.get(metric)
                });
                let cell = |score: &MeanStd| if metric == "nll" { nats(score) } else { percent(score) };
                std::iter::once(arm.name.clone()).chain(scores.map(cell)).collect::<Vec<_>>()
            });
            table_of(&mut text, &header, rows);
        }
    }
    text += "\n";
    for sentence in &results.sentences {
        text += &format!("- {sentence}\n");
    }
    text
}

fn heading(overall: &Overall) -> String {
    let mut heading = format!("{}: {}", overall.title, overall.sets.join(", "));
    let condition = overall.condition;
    if condition.label_noise > 0.0 {
        heading += &format!("; {} % of the training labels wrong", 100.0 * condition.label_noise);
    }
    if condition.training_share < 1.0 {
        heading += &format!("; {} % of the training rows", 100.0 * condition.training_share);
    }
    heading
}

fn row(summary: &Summary) -> Vec<String> {
    let number = |metric: &str, form: &dyn Fn(&MeanStd) -> String| {
        summary.scores.get(metric).map_or(String::new(), form)
    };
    let whole = |score: &MeanStd| format!("{:.0}", score.mean);
    let share = |score: &MeanStd| format!("{:.3}", score.mean);
    vec![
        summary.arm.clone(),
        number("train accuracy", &percent),
        number("test accuracy", &percent),
        number("gap", &percent),
        number("nll", &nats),
        number("brier", &share),
        number("ece", &share),
        number("parameters", &whole),
        number("flash", &whole),
    ]
}

fn differences(overall: &Overall, ratio: &microdistill_host_tools::study::results::Ratio) -> Vec<String> {
    let find = |metric: &str| {
        let mut comparisons = overall.comparisons.iter();
        comparisons.find(|c| (&c.a, &c.b, c.metric.as_str()) == (&ratio.a, &ratio.b, metric))
    };
    let p = |comparison: Option<&Comparison>| {
        comparison.and_then(|comparison| comparison.p_adjusted).map_or("–".into(), |p| format!("{p:.3}"))
    };
    let points =
        |comparison: Option<&Comparison>| comparison.map_or(String::new(), |c| interval(c, 100.0, 1));
    let (accuracy, nll) = (find("test accuracy"), find("nll"));
    vec![
        format!("{} − {}", ratio.a, ratio.b),
        points(accuracy),
        p(accuracy),
        nll.map_or(String::new(), |c| interval(c, 1.0, 3)),
        p(nll),
        format!("{:.2}", ratio.nll),
        points(find("gap")),
    ]
}

fn interval(comparison: &Comparison, unit: f64, digits: usize) -> String {
    let number = |value: f64| format!("{:+.digits$}", unit * value);
    match comparison.low.zip(comparison.high) {
        Some((low, high)) => format!("{} ({} to {})", number(comparison.mean), number(low), number(high)),
        None => number(comparison.mean),
    }
}

fn percent(score: &MeanStd) -> String {
    format!("{:.1} ± {:.1}", 100.0 * score.mean, 100.0 * score.std)
}

fn nats(score: &MeanStd) -> String {
    format!("{:.3} ± {:.3}", score.mean, score.std)
}

/// A table whose first column is words and whose others are numbers.
fn table_of(text: &mut String, header: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    *text += &format!("| {} |\n|---|{}\n", header.join(" | "), "---:|".repeat(header.len() - 1));
    rows.for_each(|row| *text += &format!("| {} |\n", row.join(" | ")));
}
