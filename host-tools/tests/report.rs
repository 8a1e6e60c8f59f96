//! The report of a study: its contents, that no text of a study becomes markup, and how a browser shows it.
//!
//! If Chromium is missing, its test shows as ignored; with `CI=true` it fails instead.

#[path = "report/browser.rs"]
mod browser;
#[path = "report/contents.rs"]
mod contents;
#[path = "report/fixture.rs"]
mod fixture;
#[path = "report/page.rs"]
mod page;

use std::process::ExitCode;

use fixture::{classes, study};
use libtest_mimic::{Arguments, Failed, Trial};
use microdistill_study::report::{csv, html};
use microdistill_study::study::Results;
use microdistill_study::study::results::{Estimate, Prediction};
use microdistill_train::metrics::{Regression, Scores};
use page::{Page, descendants};

type Test = fn() -> Result<(), Failed>;

fn main() -> ExitCode {
    let tests: [(&str, Test); 21] = [
        ("every_plot_has_its_marks", every_plot_has_its_marks),
        ("the_page_needs_nothing_but_itself", the_page_needs_nothing_but_itself),
        ("everything_has_a_name", everything_has_a_name),
        ("no_text_of_a_study_becomes_markup", no_text_of_a_study_becomes_markup),
        ("a_study_of_nothing_is_a_page", a_study_of_nothing_is_a_page),
        ("one_seed_has_no_intervals", one_seed_has_no_intervals),
        ("numbers_that_are_none_are_left_out", numbers_that_are_none_are_left_out),
        ("a_class_may_be_absent", a_class_may_be_absent),
        ("json_is_read_back", json_is_read_back),
        ("csv_has_a_row_for_each_cell", csv_has_a_row_for_each_cell),
        ("every_score_is_plotted_over_levels", contents::every_score_is_plotted_over_levels),
        ("values_have_r2_and_rmse", contents::values_have_r2_and_rmse),
        ("values_have_plots_of_their_own", contents::values_have_plots_of_their_own),
        ("one_set_is_not_told_twice", contents::one_set_is_not_told_twice),
        ("the_answer_follows_from_the_figures", contents::the_answer_follows_from_the_figures),
        ("too_little_is_said_to_be_too_little", contents::too_little_is_said_to_be_too_little),
        ("one_set_answers_which_student_to_ship", contents::one_set_answers_which_student_to_ship),
        ("sentences_stand_by_their_sets", contents::sentences_stand_by_their_sets),
        ("headings_are_in_order", contents::headings_are_in_order),
        ("numbers_are_those_of_the_csv", contents::numbers_are_those_of_the_csv),
        ("eight_sets_are_light", contents::eight_sets_are_light),
    ];
    let mut trials: Vec<Trial> = tests.into_iter().map(|(name, test)| Trial::test(name, test)).collect();
    let missing = browser::chromium().is_none();
    let browser = Trial::test("a_browser_shows_every_plot", browser::a_browser_shows_every_plot)
        .with_ignored_flag(missing && std::env::var_os("CI").is_none())
        .with_kind(if missing { "needs Chromium: apt-get install chromium" } else { "" });
    trials.push(browser);
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Numbers of arms, of their students, and of comparisons per score in the made-up study.
const ARMS: usize = 6;
const DISTILLED: usize = 2;
const COMPARED: usize = 5;

fn every_plot_has_its_marks() -> Result<(), Failed> {
    let text = html(&study(&[("wine", classes(3)), ("27 people", classes(27))], 10))?;
    let page = Page::read(&text)?;
    let count = |title: &str, tag: &str| page.count(title, tag);
    // First all data sets together, then each.
    for title in ["Differences in gap", "Differences in test accuracy", "Differences in NLL"] {
        assert_eq!(count(title, "circle"), [2 * COMPARED; 3], "{title}: a disc and its rim");
    }
    for score in ["test accuracy", "NLL"] {
        let title = format!("default − hard-l2: {score}");
        assert_eq!(count(&title, "circle"), [2 * 3], "{title}: two sets, and both");
    }
    assert_eq!(count("Overfitting gap", "circle"), [2 * 2 * DISTILLED; 3]);
    assert_eq!(count("Overfitting gap", "polygon"), [2 * (ARMS - DISTILLED); 3]);
    for arm in ["teacher", "hard", "hard-l2", "hard-dropout", "output-mse"] {
        // Curves of two scores, one disc per bin of the reliability diagram, and the cells of the teacher's confusion matrix.
        let plots = page.plots(arm);
        assert_eq!(plots.len(), if arm == "teacher" { 2 * 4 } else { 2 * 3 }, "{arm}");
        let discs: Vec<usize> = plots.iter().map(|plot| descendants(plot, "circle").count()).collect();
        assert_eq!(discs.iter().filter(|&&discs| discs == 12).count(), 2, "{arm}");
        let curves = |plot| descendants(plot, "polyline").filter(|line| points(line) == 60).count();
        assert_eq!(plots.iter().map(curves).filter(|&curves| curves == 2).count(), 2 * 2, "{arm}");
    }
    // Every class is confused with most others, and each such pair is a cell; the frame is one more.
    let cells = |plot: &roxmltree::Node| descendants(plot, "rect").count();
    let largest = page.plots("teacher").iter().map(cells).max();
    assert!(largest.is_some_and(|cells| (27 * 9..=27 * 27 + 1).contains(&cells)), "{largest:?}");
    for title in ["Accuracy by parameters, %", "Accuracy by flash, %"] {
        assert_eq!(count(title, "circle"), [2 * 4; 2], "{title}");
        assert_eq!(count(title, "polygon"), [4; 2], "{title}");
    }
    for title in ["Accuracy by temperature, %", "NLL by temperature, nats"] {
        assert_eq!(count(title, "circle"), [2 * 5; 2], "{title}");
    }
    Ok(())
}

fn points(line: &roxmltree::Node) -> usize {
    line.attribute("points").unwrap_or("").split_whitespace().count()
}

fn the_page_needs_nothing_but_itself() -> Result<(), Failed> {
    let text = html(&study(&[("wine", classes(3))], 2))?;
    let page = Page::read(&text)?;
    let document = &page.document;
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        assert!(
            !["script", "link", "img", "iframe", "image", "use"].contains(&node.tag_name().name()),
            "{node:?}"
        );
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on") && name != "src", "{name}={value}");
            if name == "href" {
                let target = value.strip_prefix('#').ok_or(format!("{value} is elsewhere"))?;
                assert!(document.descendants().any(|node| node.attribute("id") == Some(target)), "{target}");
            }
        }
    }
    for elsewhere in ["http:", "https:", "url(", "@import"] {
        assert!(!text.contains(elsewhere), "{elsewhere}");
    }
    Ok(())
}

fn everything_has_a_name() -> Result<(), Failed> {
    let text = html(&study(&[("wine", classes(3)), ("wine", classes(3))], 2))?;
    let page = Page::read(&text)?;
    let document = &page.document;
    let child = |node: &roxmltree::Node, tag: &str| {
        let found = node.children().find(|child| child.has_tag_name(tag));
        found.is_some_and(|child| child.text().is_some_and(|text| !text.trim().is_empty()))
    };
    for plot in page.all_plots() {
        assert_eq!(plot.attribute("role"), Some("img"));
        assert!(child(&plot, "title") && child(&plot, "desc"), "{plot:?}");
    }
    for table in document.descendants().filter(|node| node.has_tag_name("table")) {
        assert!(child(&table, "caption"));
        assert!(descendants(&table, "th").all(|head| matches!(head.attribute("scope"), Some("row" | "col"))));
    }
    let mut ids: Vec<_> = document.descendants().filter_map(|node| node.attribute("id")).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "ids are unique");
    Ok(())
}

fn no_text_of_a_study_becomes_markup() -> Result<(), Failed> {
    let attack = "\"'></svg><script>alert(1)</script>&amp;{{ 1 }}";
    let short = ("short", vec!["ß ☃ 日本".into(), "b".into()]);
    let mut study = study(&[(attack, vec![attack.into(), "a".into()]), short], 2);
    for text in [&mut study.title, &mut study.command, &mut study.version, &mut study.sentences[0]] {
        *text = attack.into();
    }
    study.arms[0].name = attack.into();
    study.arms[0].description = attack.into();
    let set = &mut study.sets[0];
    set.notes = vec![attack.into()];
    set.hash = attack.into();
    set.summaries[0].arm = attack.into();
    set.comparisons[0].b = attack.into();
    for cell in set.cells.iter_mut().filter(|cell| cell.arm == "teacher") {
        cell.arm = attack.into();
        cell.chosen = Some(attack.into());
    }
    let text = html(&study)?;
    let page = Page::read(&text)?;
    let document = &page.document;
    assert!(!document.descendants().any(|node| node.has_tag_name("script")));
    for tag in ["title", "h1", "h2", "a", "dd", "code", "figcaption", "td", "p", "li"] {
        let shown = document.descendants().filter(|node| node.has_tag_name(tag));
        assert!(shown.filter_map(|node| node.text()).any(|text| text.contains(attack)), "{tag}");
    }
    let within = |plot: &roxmltree::Node| {
        descendants(plot, "text").any(|text| text.text().is_some_and(|text| text.contains("ß ☃ 日本")))
    };
    assert!(page.all_plots().iter().any(within));
    Ok(())
}

fn a_study_of_nothing_is_a_page() -> Result<(), Failed> {
    let mut empty = study(&[], 0);
    empty.overall.clear();
    empty.arms.clear();
    empty.sentences.clear();
    assert!(Page::read(&html(&empty)?)?.all_plots().is_empty());
    assert_eq!(csv(&empty)?, "");
    // Data sets without results so far.
    let mut begun = study(&[("wine", classes(3))], 1);
    let set = &mut begun.sets[0];
    (set.cells, set.summaries, set.comparisons) = Default::default();
    (set.temperatures, set.sizes, set.labels) = Default::default();
    Page::read(&html(&begun)?)?;
    Ok(())
}

fn one_seed_has_no_intervals() -> Result<(), Failed> {
    let text = html(&study(&[("wine", classes(3))], 1))?;
    let page = Page::read(&text)?;
    assert_eq!(page.count("Differences in NLL", "circle"), [2 * COMPARED]);
    let described =
        page.plots("Differences in NLL").into_iter().filter_map(|plot| descendants(&plot, "desc").next());
    assert!(described.filter_map(|desc| desc.text()).all(|text| !text.contains('[')));
    Ok(())
}

fn numbers_that_are_none_are_left_out() -> Result<(), Failed> {
    for none in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
        let mut study = study(&[("wine", classes(3))], 2);
        let set = &mut study.sets[0];
        for summary in &mut set.summaries {
            summary.scores.values_mut().for_each(|score| (score.mean, score.std) = (none, none));
        }
        for comparison in &mut set.comparisons {
            comparison.estimate = Estimate::of(&[none, 1.0], 0.0, 3);
        }
        for point in &mut set.temperatures {
            (point.temperature, point.nll.mean) = (none, none);
        }
        for score in set.sizes.iter_mut().filter_map(|point| point.accuracy.as_mut()) {
            score.std = none;
        }
        for cell in &mut set.cells {
            cell.curve.iter_mut().for_each(|point| point.train_nll = Some(none));
            cell.predictions = vec![Prediction { measured: none as f32, predicted: 1.0 }];
            cell.reliability.iter_mut().for_each(|bin| bin.confidence = none);
            if let Scores::Classification(scores) = &mut cell.test {
                scores.nll = none;
            }
        }
        let text = html(&study)?;
        let _ = Page::read(&text)?;
        assert!(!text.contains("NaN") && !text.contains(" inf"), "{none}");
        csv(&study)?;
    }
    Ok(())
}

fn a_class_may_be_absent() -> Result<(), Failed> {
    let mut study = study(&[("wine", classes(3))], 2);
    for cell in &mut study.sets[0].cells {
        if let Scores::Classification(scores) = &mut cell.test {
            scores.confusion[1] = vec![0; 3];
            scores.confusion.pop();
        }
    }
    Page::read(&html(&study)?)?;
    Ok(())
}

fn json_is_read_back() -> Result<(), Failed> {
    let mut study = study(&[("wine", classes(3))], 2);
    study.sets[0].cells[0].test =
        Scores::Regression(Regression { rows: 9, groups: None, rmse: 0.1, r2: 1.0 / 3.0 });
    let read: Results = serde_json::from_str(&serde_json::to_string(&study)?)?;
    assert_eq!(read, study);
    Ok(())
}

fn csv_has_a_row_for_each_cell() -> Result<(), Failed> {
    let mut study = study(&[("wine", classes(3)), ("a, \"b\"\nc", classes(2))], 2);
    study.sets[1].cells[3].chosen = Some("α = 0.5, T = 4".into());
    let text = csv(&study)?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let column = |name: &str| -> Result<usize, Failed> {
        let found = csv::Reader::from_reader(text.as_bytes()).headers()?.iter().position(|head| head == name);
        found.ok_or_else(|| format!("no column {name}").into())
    };
    let rows = reader.records().collect::<Result<Vec<_>, _>>()?;
    let cells: Vec<_> =
        study.sets.iter().flat_map(|set| set.cells.iter().map(move |cell| (set, cell))).collect();
    assert_eq!(rows.len(), cells.len());
    for (row, (set, cell)) in rows.iter().zip(cells) {
        let Scores::Classification(test) = &cell.test else { return Err("another task".into()) };
        assert_eq!(row[column("set")?], set.name);
        assert_eq!(row[column("arm")?], cell.arm);
        assert_eq!(row[column("seed")?], cell.seed.to_string());
        assert_eq!(row[column("chosen")?], *cell.chosen.as_deref().unwrap_or(""));
        assert_eq!(row[column("test_nll")?].parse::<f64>()?.to_bits(), test.nll.to_bits());
        assert_eq!(row[column("test_rmse")?], *"");
    }
    Ok(())
}
