//! Contents of the page: its answer, its numbers, its levels of label noise, and nothing twice.

use libtest_mimic::Failed;
use microdistill_study::report::{csv, html};
use microdistill_study::study::results::{
    Best, Candidate, Condition, CurvePoint, Division, Estimate, GroupCounts, MeanStd, Prediction,
    Recommendation,
};
use microdistill_study::study::{Results, figures};
use microdistill_train::metrics::{Regression, Scores};
use roxmltree::Node;

use crate::fixture::{classes, mean_std, study};
use crate::page::{Page, descendants};

/// The made-up study at three levels of label noise.
pub(crate) fn levels(sets: &[(&str, Vec<String>)]) -> Results {
    let mut results = study(sets, 3);
    let (sets, overall) = (results.sets.clone(), results.overall.clone());
    for label_noise in [0.2, 0.4] {
        let condition = Condition { label_noise, training_share: 1.0 };
        let mut noisy = (sets.clone(), overall.clone());
        noisy.0.iter_mut().for_each(|set| set.condition = condition);
        noisy.1.iter_mut().for_each(|overall| overall.condition = condition);
        results.sets.extend(noisy.0);
        results.overall.extend(noisy.1);
    }
    results.sets.sort_by_key(|set| set.name.clone());
    results
}

pub(crate) fn every_score_is_plotted_over_levels() -> Result<(), Failed> {
    let text = html(&levels(&[("gas", classes(2)), ("wine", classes(3))]))?;
    let page = Page::read(&text)?;
    for title in ["test accuracy, %", "NLL, nats", "gap, points", "Brier score", "ECE, %"] {
        // Both data sets together, then each. At each of three levels, two arms have a disc with a rim, four have another mark.
        assert_eq!(page.count(title, "circle"), [3 * 2 * 2; 3], "{title}");
        assert_eq!(page.count(title, "polygon"), [3 * 4; 3], "{title}");
    }
    let plots = page.plots("NLL, nats");
    let words = plots.first().and_then(|plot| descendants(plot, "desc").next()).and_then(|desc| desc.text());
    for level in ["default, 0 %: ", "default, 20 %: ", "default, 40 %: "] {
        assert!(words.is_some_and(|words| words.contains(level)), "{level}: {words:?}");
    }
    for arm in ["teacher", "hard-dropout", "default"] {
        assert!(
            plots.iter().all(|plot| descendants(plot, "text")
                .any(|text| text.text().is_some_and(|text| text.trim() == arm))),
            "{arm}"
        );
    }
    for said in ["<h2>Wrong labels</h2>", "6 arms · 2 data sets · 3 seeds"] {
        assert!(text.contains(said), "{said}");
    }
    Ok(())
}

/// Adds a copy of each item, under a long name.
fn with_long_names<T: Clone>(items: &mut Vec<T>, name: impl Fn(&mut T) -> &mut String) {
    let mut copies = items.clone();
    copies.iter_mut().for_each(|item| name(item).push_str("-a-recipe"));
    items.extend(copies);
}

/// The made-up study of one set, and of two, with long names of everything that users name, and many arms.
pub(crate) fn long_names() -> [Results; 2] {
    const SET: &str = "a data set whose name is a sentence, and one_word_without_a_space_that_no_phone_is_wide_enough_for.csv";
    let labels = [
        "walking upstairs with the phone in a pocket",
        "walking downstairs",
        "lying_on_the_back_without_any_movement",
    ];
    let mut results = study(&[(SET, labels.map(String::from).to_vec())], 10);
    results.command = format!(
        "microdistill study --data {SET} --target activity_as_it_was_labelled_by_the_second_observer"
    );
    let set = &mut results.sets[0];
    set.notes = vec![format!(
        "{:?} is left out",
        "accelerometer_magnitude_standard_deviation_of_the_last_window_in_milli_g"
    )];
    set.recommendation = Some(recommendation("default"));
    // Every arm twice: as it is, and as a recipe with a long name.
    let long = |name: &str| format!("{name}-a-recipe");
    with_long_names(&mut results.arms, |arm| &mut arm.name);
    with_long_names(&mut set.summaries, |of| &mut of.arm);
    with_long_names(&mut set.cells, |cell| &mut cell.arm);
    for of in set.comparisons.iter_mut().step_by(2) {
        (of.a, of.b) = (long(&of.a), long(&of.b));
    }
    results.overall[0].summaries = set.summaries.clone();
    results.overall[0].comparisons = set.comparisons.clone();
    let mut other = set.clone();
    let alone = results.clone();
    other.name = "gas".into();
    results.overall[0].sets.push(other.name.clone());
    results.sets.push(other);
    [alone, results]
}

/// The made-up study with values instead of classes, all multiplied by `unit`.
pub(crate) fn values(sets: &[&str], unit: f64) -> Results {
    let scores =
        |rows, rmse, r2| Scores::Regression(Regression { rows, groups: None, rmse, r2, targets: Vec::new() });
    let sets: Vec<(&str, Vec<String>)> = sets.iter().map(|&name| (name, Vec::new())).collect();
    let mut results = study(&sets, 5);
    let named = |metric: &str| match metric {
        "train accuracy" => Some("train r2"),
        "test accuracy" => Some("r2"),
        "gap" => Some("r2 gap"),
        "nll" => Some("rmse"),
        "parameters" => Some("parameters"),
        _ => None,
    };
    let parts = results.sets.iter_mut().map(|set| (&mut set.summaries, &mut set.comparisons));
    let whole = results.overall.iter_mut().map(|overall| (&mut overall.summaries, &mut overall.comparisons));
    for (summaries, comparisons) in parts.chain(whole) {
        for summary in summaries {
            let scores = std::mem::take(&mut summary.scores).into_iter();
            summary.scores = scores.filter_map(|(metric, of)| Some((named(&metric)?.into(), of))).collect();
            if let Some(rmse) = summary.scores.get_mut("rmse") {
                (rmse.mean, rmse.std) = (unit * rmse.mean, unit * rmse.std);
            }
        }
        for of in comparisons {
            of.metric = named(&of.metric).unwrap_or("r2").into();
        }
    }
    results.overall[0].ratios[0].metric = "rmse".into();
    for set in &mut results.sets {
        set.temperatures.clear();
        for point in &mut set.sizes {
            (point.r2, point.rmse) = (point.accuracy.take(), point.nll.take());
        }
        for cell in &mut set.cells {
            cell.reliability.clear();
            for point in &mut cell.curve {
                let (train_r2, validation_r2) = (point.train_accuracy, point.validation_accuracy);
                *point = CurvePoint { epoch: point.epoch, train_r2, validation_r2, ..CurvePoint::default() };
            }
            if cell.seed == 1 {
                let value = |row: u8, by: u8| (unit * f64::from(row.wrapping_mul(by)) / 255.0) as f32;
                let row =
                    |row| Prediction { measured: value(row, 1), predicted: value(row, 1) + value(row, 37) };
                cell.predictions = (0..SHOWN as u8).map(row).collect();
            }
            cell.test = scores(1200, 0.5 * unit, 0.8);
            cell.train = scores(500, 0.4 * unit, 0.9);
        }
    }
    results
}

/// Test rows whose predictions are drawn.
const SHOWN: usize = 40;

pub(crate) fn values_have_plots_of_their_own() -> Result<(), Failed> {
    let text = html(&values(&["air", "diabetes"], 1e-4))?;
    let page = Page::read(&text)?;
    for title in ["R² by parameters", "R² by flash"] {
        assert_eq!(page.count(title, "circle"), [2 * 4; 2], "{title}");
        assert_eq!(page.count(title, "polygon"), [4; 2], "{title}");
    }
    for arm in ["teacher", "hard", "hard-l2", "hard-dropout", "output-mse", "default"] {
        let plots = page.plots(arm);
        let curves = |plot: &&Node| {
            let points = |line: Node| line.attribute("points").unwrap_or("").split_whitespace().count();
            descendants(plot, "polyline").filter(|line| points(*line) == 60).count() == 2
        };
        assert_eq!(plots.iter().filter(curves).count(), 2, "{arm}: R² in each set");
        let scattered: Vec<_> =
            plots.iter().filter(|plot| descendants(plot, "circle").count() == SHOWN).collect();
        let closely = ["teacher", "default"].contains(&arm);
        assert_eq!(scattered.len(), if closely { 2 } else { 0 }, "{arm}");
        for plot in scattered {
            let said = descendants(plot, "desc").next().and_then(|desc| desc.text()).unwrap_or_default();
            let score = "40 test rows. R² 0.800, RMSE 5.00e-5 on all 1200.";
            // Row 34, to whose 34 / 255 of the unit 34 · 37 mod 256, the most of all, was added.
            let miss = "Furthest off: 0.000105 where 1.33e-5 was measured.";
            assert!(said.starts_with(score) && said.contains(miss), "{said}");
            // The ticks of the axes distinguish small numbers.
            let texts = descendants(plot, "text").filter_map(|text| text.text()).map(str::trim);
            let numbers: Vec<&str> = texts.filter(|text| text.starts_with("0.")).collect();
            let different: std::collections::BTreeSet<&str> = numbers.iter().copied().collect();
            assert!(different.len() >= 4, "{numbers:?}");
        }
    }
    assert_eq!(cell(&page, "Students of other sizes", "hard", "test R²"), Some("0.742 ± 0.010"));
    for said in ["40 of 1200 test rows", "beats in R² and bytes", "student on measured values"] {
        assert!(text.contains(said), "{said}");
    }
    let mut fewer = values(&["air"], 1.0);
    let mut half = fewer.sets[0].clone();
    half.condition.training_share = 0.5;
    fewer.sets.push(half);
    assert!(html(&fewer)?.contains("<h2>Fewer rows</h2>"));
    Ok(())
}

pub(crate) fn values_have_r2_and_rmse() -> Result<(), Failed> {
    for sets in [&["air"][..], &["air", "diabetes"]] {
        let text = html(&values(sets, 1.0))?;
        let page = Page::read(&text)?;
        let sections = if sets.len() > 1 { 1 + sets.len() } else { 1 };
        for title in ["Differences in R²", "Differences in RMSE", "Differences in gap of R²"] {
            assert_eq!(page.count(title, "circle"), vec![2 * 5; sections], "{title}");
        }
        assert_eq!(page.count("Overfitting gap", "circle"), vec![2 * 2 * 2; sections]);
        assert_eq!(page.plots("default − hard: R²").len(), usize::from(sets.len() > 1));
        for head in ["train R²", "test R²", "gap of R²", "test RMSE"] {
            assert!(
                cell(&page, "Means over seeds", "hard", head).is_some_and(|cell| cell.contains(" ± ")),
                "{head}"
            );
        }
        // Two data sets are too few for an answer.
        assert_eq!(text.contains("has an R² of "), sets.len() == 1);
        for of_classes in ["NLL", "accuracy", "ECE", "0 classes"] {
            assert!(!text.contains(of_classes), "{of_classes}");
        }
    }
    Ok(())
}

pub(crate) fn one_set_is_not_told_twice() -> Result<(), Failed> {
    let text = html(&study(&[("wine", classes(3))], 5))?;
    let page = Page::read(&text)?;
    let plots = page.all_plots();
    let drawn: Vec<&str> = plots.iter().map(|plot| &text[plot.range()]).collect();
    for (i, plot) in drawn.iter().enumerate() {
        assert!(!drawn[..i].contains(plot), "{plot}");
    }
    assert_eq!(page.plots("Overfitting gap").len(), 1);
    assert!(!page.document.descendants().any(|node| node.attribute("id") == Some("overall-1")));
    Ok(())
}

pub(crate) fn the_answer_follows_from_the_figures() -> Result<(), Failed> {
    let (less, more, none) = (Some(false), Some(true), None);
    for (gap, accuracy, headline) in [
        (less, more, "Yes:"),
        (less, none, "In part:"),
        (none, more, "In part:"),
        (less, less, "No:"),
        (more, none, "No:"),
        (none, none, "Not shown:"),
    ] {
        let names = ["gas", "wine", "iris", "seeds", "glass"];
        let mut results = study(&names.map(|name| (name, classes(2))), 5);
        for of in results.overall[0].comparisons.iter_mut().filter(|of| of.b == "hard") {
            let found = match of.metric.as_str() {
                "gap" => gap,
                "test accuracy" => accuracy,
                _ => none,
            };
            let mean = if found == more { 0.05 } else { -0.05 };
            let spread = if found.is_some() { 0.001 } else { 0.2 };
            of.estimate = Estimate::of(&[mean - spread, mean, mean + spread], 0.0, 1);
            assert_eq!(of.estimate.is_shown(), found.is_some());
        }
        assert!(answer(&html(&results)?)?.starts_with(headline), "{headline} {}", answer(&html(&results)?)?);
    }
    // A study without overfitting, and one with too few seeds to tell gains from chance.
    let mut flat = study(&[("wine", classes(3))], 5);
    for score in flat.overall[0].summaries.iter_mut().filter_map(|of| of.scores.get_mut("gap")) {
        score.mean = 0.001;
    }
    assert!(answer(&html(&flat)?)?.contains("hardly any overfitting"));
    Ok(())
}

pub(crate) fn too_little_is_said_to_be_too_little() -> Result<(), Failed> {
    let few = html(&study(&[("wine", classes(3))], 4))?;
    assert_eq!(answer(&few)?, "This cannot tell: 4 seeds are too few.");
    let sets = html(&study(&[("gas", classes(2)), ("wine", classes(3))], 10))?;
    assert_eq!(answer(&sets)?, "This cannot tell: 2 data sets are too few.");
    let people = |division, test, all| {
        let mut results = study(&[("wine", classes(3))], 10);
        results.settings.division = division;
        results.sets[0].groups = Some(GroupCounts { train: all - test, test, all });
        html(&results)
    };
    let text = people(Division::Given, 4, 12)?;
    assert_eq!(answer(&text)?, "This cannot tell: the test holds only 4 groups.");
    let remedy = "<code>--leave-one-group-out</code> makes each of the 12 groups the test once.";
    assert!(text.contains(remedy));
    assert_eq!(
        answer(&people(Division::Redrawn, 1, 4)?)?,
        "This cannot tell: all rows come from only 4 groups."
    );
    // The draws together test more groups than one of them.
    assert!(!answer(&people(Division::Redrawn, 1, 5)?)?.contains("cannot tell"));
    assert!(!answer(&people(Division::LeaveOneGroupOut, 1, 5)?)?.contains("cannot tell"));
    Ok(())
}

/// A recommendation of a student of 412 bytes in int8, as good as a larger one.
pub(crate) fn recommendation(arm: &str) -> Recommendation {
    let score = |mean| MeanStd { mean, std: 0.01, n: 10 };
    let candidate = |width: usize, mean: f64| Candidate {
        arm: arm.into(),
        widths: vec![20, width, 3],
        flash_bytes: 130 * width,
        flash_bytes_int8: 51 * width,
        score: score(mean),
        interval: Some((mean - 0.009, mean + 0.009)),
        loss: score(0.37),
    };
    let difference = Estimate::of(&[-0.01, 0.004, -0.006], 0.0, 1);
    Recommendation {
        student: candidate(8, 0.941),
        best: Some(Best { student: candidate(32, 0.945), difference }),
        int8: Some(Estimate::of(&[-0.002, 0.0, -0.001], 0.0, 1)),
        among: 15,
    }
}

pub(crate) fn one_set_answers_which_student_to_ship() -> Result<(), Failed> {
    let mut results = study(&[("wine", classes(3))], 10);
    results.sets[0].recommendation = Some(recommendation("default"));
    let text = html(&results)?;
    let page = Page::read(&text)?;
    let section = page.document.descendants().find(|node| node.attribute("id") == Some("answer"));
    let words: String = section.map_or(String::new(), |node| {
        node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect()
    });
    let words = words.replace('\u{a0}', " ");
    for said in [
        "Ship default 20-8-3, 408 bytes in int8.",
        "It is right on 94.1 % (93.2 to 95.0) of the test rows, at an NLL of 0.370 ± 0.010, and takes 1040 bytes of flash in f32.",
        "default 20-32-3 scores highest, with 94.5 % (93.6 to 95.4), in 4160 bytes, but the two cannot be told apart",
        ": take the smaller one. int8 changes the score by −0.100 (−0.348 to +0.148) points.",
        "It is chosen among 15 students by test rows, so its score is slightly too good.",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    // The question of the title is answered next.
    let (ship, cure) = (words.find("Ship default"), words.find("Does distillation cure overfitting?"));
    assert!(ship.is_some() && ship < cure, "{words}");
    Ok(())
}

/// The first heading below the title.
fn answer(text: &str) -> Result<String, Failed> {
    let page = Page::read(text)?;
    let heading = page.document.descendants().find(|node| node.has_tag_name("h2"));
    Ok(heading.and_then(|node| node.text()).ok_or("no heading")?.into())
}

pub(crate) fn sentences_stand_by_their_sets() -> Result<(), Failed> {
    let mut results = study(&[("gas", classes(2)), ("wine", classes(3))], 2);
    let mut held_out = results.overall[0].clone();
    held_out.title = "Data sets held out".into();
    results.overall.push(held_out);
    let said =
        ["All data sets: `default` gains -1.5 %.", "Data sets held out: so it is: there.", "Of all: this."];
    results.sentences = said.map(String::from).into();
    let text = html(&results)?;
    let page = Page::read(&text)?;
    let summaries: Vec<_> = page.document.descendants().filter(|node| node.has_tag_name("summary")).collect();
    for title in ["All data sets, in words", "Data sets held out, in words"] {
        assert!(summaries.iter().any(|summary| summary.text() == Some(title)), "{title}");
    }
    for words in [
        "<code>default</code> gains −1.5\u{a0}%.",
        "<p>so it is: there.</p>",
        "<p>Of all: this.</p>",
        "<dd>What <code>hard-l2</code> is.</dd>",
    ] {
        assert!(text.contains(words), "{words}");
    }
    assert!(!text.contains('`'));
    Ok(())
}

pub(crate) fn headings_are_in_order() -> Result<(), Failed> {
    let text = html(&levels(&[("gas", classes(2)), ("wine", classes(3))]))?;
    let page = Page::read(&text)?;
    let level = |node: Node| node.tag_name().name().strip_prefix('h')?.parse::<u8>().ok();
    let levels: Vec<u8> = page.document.descendants().filter_map(level).collect();
    assert_eq!(levels.iter().filter(|&&level| level == 1).count(), 1);
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    Ok(())
}

/// The means over seeds on the page equal those of the rows in the CSV.
pub(crate) fn numbers_are_those_of_the_csv() -> Result<(), Failed> {
    let results = study(&[("wine", classes(3))], 7);
    let table = csv(&results)?;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let heads = reader.headers()?.clone();
    let records = reader.records().collect::<Result<Vec<_>, _>>()?;
    let column = |name: &str| heads.iter().position(|head| head == name).ok_or(format!("no column {name}"));
    let text = html(&results)?;
    let page = Page::read(&text)?;
    for (head, name, metric) in [
        ("train accuracy, %", "train_accuracy", "train accuracy"),
        ("test accuracy, %", "test_accuracy", "test accuracy"),
        ("NLL, nats", "test_nll", "nll"),
        ("ECE, %", "test_ece", "ece"),
    ] {
        for arm in &results.arms {
            let mut values = Vec::new();
            for record in records.iter().filter(|record| record[column("arm").unwrap_or(0)] == *arm.name) {
                values.push(record[column(name)?].parse::<f64>()?);
            }
            assert_eq!(values.len(), 7);
            let wanted = figures::mean_std(metric, &mean_std(&values));
            assert_eq!(
                cell(&page, "Means over seeds", &arm.name, head),
                Some(wanted.as_str()),
                "{}, {head}",
                arm.name
            );
        }
    }
    Ok(())
}

/// Returns a cell of the table whose caption starts like this.
fn cell<'a>(page: &'a Page, caption: &str, row: &str, column: &str) -> Option<&'a str> {
    let begins = |table: &Node| {
        let mut captions = table.descendants().filter(|node| node.has_tag_name("caption"));
        captions.any(|node| node.text().is_some_and(|text| text.starts_with(caption)))
    };
    let mut tables = page.document.descendants().filter(|node| node.has_tag_name("table"));
    let table = tables.find(begins)?;
    let rows: Vec<Vec<&str>> = table
        .descendants()
        .filter(|node| node.has_tag_name("tr"))
        .map(|row| row.children().filter(Node::is_element).map(|cell| cell.text().unwrap_or("")).collect())
        .collect();
    let place = rows.first()?.iter().position(|head| *head == column)?;
    rows.iter().find(|cells| cells[0] == row)?.get(place).copied()
}

/// The page of eight data sets is still small enough to be sent by mail.
pub(crate) fn eight_sets_are_light() -> Result<(), Failed> {
    let sets: Vec<(String, Vec<String>)> = (1..=8).map(|set| (format!("set {set}"), classes(27))).collect();
    let sets: Vec<(&str, Vec<String>)> =
        sets.iter().map(|(name, labels)| (name.as_str(), labels.clone())).collect();
    let bytes = html(&study(&sets, 2))?.len();
    assert!(bytes < 4_000_000, "{bytes}");
    Ok(())
}
