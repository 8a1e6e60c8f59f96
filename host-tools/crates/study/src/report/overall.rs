//! Several data sets together, for the template.

use serde::Serialize;

use super::answer::student;
use super::svg::Plot;
use super::table::{self, Table, pair};
use super::{forest, number};
use crate::study::results::{Comparison, Overall, Results, SetResults};
use microdistill_train::error::Result;

/// All sets of one condition.
#[derive(Serialize)]
pub(super) struct Whole {
    title: String,
    condition: String,
    scores: Table,
    across: Vec<Table>,
    forests: Vec<Plot>,
    by_set: Vec<Plot>,
    comparisons: Table,
    ratios: Table,
}

impl Whole {
    pub(super) fn new(results: &Results, overall: &Overall) -> Result<Whole> {
        let among =
            |set: &&SetResults| set.condition == overall.condition && overall.sets.contains(&set.name);
        let sets: Vec<&SetResults> = results.sets.iter().filter(among).collect();
        let used = |metric: &str| {
            sets.iter().flat_map(|set| &set.summaries).any(|summary| summary.scores.contains_key(metric))
        };
        let tables = [
            ("Test accuracy, %, by data set", "test accuracy"),
            ("NLL, nats, by data set", "nll"),
            ("R² on test rows, by data set", "r2"),
            ("RMSE on test rows, by data set, each in its target’s unit", "rmse"),
        ];
        let across = tables.into_iter().filter(|(_, metric)| used(metric));
        let mut by_set = Vec::new();
        let student = student(&results.arms).map(|arm| arm.name.as_str());
        for of in overall
            .comparisons
            .iter()
            .filter(|of| Some(of.a.as_str()) == student && !number::is_gap(&of.metric))
        {
            let same =
                |other: &&Comparison| (&other.a, &other.b, &other.metric) == (&of.a, &of.b, &of.metric);
            let found = sets
                .iter()
                .filter_map(|set| Some(difference(set.comparisons.iter().find(same)?, set.name.clone())));
            let rows: Vec<_> = found.chain([difference(of, overall.title.clone())]).collect();
            by_set.push(forest::plot(
                format!("{}: {}", pair(&of.a, &of.b), number::name(&of.metric)),
                &of.metric,
                &rows,
            )?);
        }
        Ok(Whole {
            title: overall.title.clone(),
            condition: number::condition(&overall.condition),
            scores: table::scores(
                "Means over data sets of means over seeds ± standard deviation between data sets".into(),
                &overall.summaries,
                |_| None,
            ),
            across: across
                .map(|(caption, metric)| table::across(caption, metric, &results.arms, &sets))
                .collect(),
            forests: forests(&overall.comparisons)?,
            by_set,
            comparisons: table::comparisons(
                "Mean differences, paired by data set".into(),
                &overall.comparisons,
            ),
            ratios: table::ratios(overall),
        })
    }
}

/// One for each score that is compared.
pub(super) fn forests(comparisons: &[Comparison]) -> Result<Vec<Plot>> {
    let mut metrics: Vec<&str> = Vec::new();
    for of in comparisons {
        if !metrics.contains(&of.metric.as_str()) {
            metrics.push(&of.metric);
        }
    }
    metrics.sort_by_key(|metric| !number::is_gap(metric)); // beside the gap itself
    let plot = |metric: &str| {
        let rows =
            comparisons.iter().filter(|of| of.metric == metric).map(|of| difference(of, pair(&of.a, &of.b)));
        forest::plot(format!("Differences in {}", number::name(metric)), metric, &rows.collect::<Vec<_>>())
    };
    metrics.into_iter().map(plot).collect()
}

fn difference(of: &Comparison, name: String) -> forest::Difference {
    forest::Difference { name, estimate: of.estimate }
}
