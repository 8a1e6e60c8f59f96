//! `study` as users and scripts see it.

use serde_json::Value;

use crate::folder::{Folder, without_notes};

const STUDY: &str = "study --data data.csv --groups person --seeds 2 --hidden 4 --teacher-hidden 6 --effort quick --recipes jitter --out study";
/// The same rows with one of their numbers as the target.
const VALUES: &str = "study --data data.csv --groups person --target a --seeds 2 --hidden 4 --teacher-hidden 6 --effort quick --recipes gaussian --out study";
const FILES: [&str; 4] = ["study.json", "study.csv", "study.html", "study.md"];

fn mean(results: &Value, arm: &str, metric: &str) -> f64 {
    let summaries = results["sets"][0]["summaries"].as_array().unwrap();
    let summary = summaries.iter().find(|summary| summary["arm"] == arm).unwrap();
    summary["scores"][metric]["mean"].as_f64().unwrap()
}

#[test]
fn a_study_is_a_report_and_the_same_again() {
    let folder = Folder::new();
    let results = without_notes(folder.json(STUDY));
    assert_eq!(results["seeds"].as_array().unwrap().len(), 2);
    for arm in ["teacher", "hard", "hard-l2", "labels", "output-mse", "soft", "default", "jitter"] {
        assert!(mean(&results, arm, "test accuracy") > 0.6, "{arm}");
    }
    let set = &results["sets"][0];
    assert_eq!((&set["name"], &set["features"]), (&"data".into(), &4.into()));
    let files = || FILES.map(|name| std::fs::read(folder.path("study").join(name)).unwrap());
    let first = files();
    assert!(String::from_utf8_lossy(&first[3]).contains("| default − hard-l2 |"));
    // Finished trainings are kept, and repeating them gives the same results.
    assert_eq!(without_notes(folder.json(STUDY)), results);
    assert_eq!(files(), first);
    std::fs::remove_file(folder.path("study/ledger.jsonl")).unwrap();
    assert_eq!(without_notes(folder.json(STUDY)), results);
    assert_eq!(files(), first);
}

#[test]
fn values_have_tables_of_their_own() {
    let folder = Folder::new();
    let results = folder.json(VALUES);
    assert!(mean(&results, "hard", "r2") > 0.8 && mean(&results, "gaussian", "r2") > 0.5);
    let text = std::fs::read_to_string(folder.path("study/study.md")).unwrap();
    for wanted in [
        "`microdistill study --data data.csv",
        "| train R² | test R² | gap | train RMSE | test RMSE | parameters | flash B |",
        "| difference | test R² | p | RMSE | p | × RMSE | gap |",
        "| default − hard-l2 |",
        "| default − gaussian |",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("NLL") && !text.contains("hard-smoothing"), "{text}");
}

/// Writes data sets of every second and every third row.
fn sets(folder: &Folder, names: &[&str]) {
    let csv = std::fs::read_to_string(folder.path("data.csv")).unwrap();
    for set in names {
        std::fs::create_dir_all(folder.path("sets").join(set)).unwrap();
        for part in ["train", "test"] {
            let every = if part == "train" { 2 } else { 3 };
            let lines = csv.lines().enumerate().filter(|(line, _)| *line == 0 || line % every == 1);
            let text: String = lines.map(|(_, line)| format!("{line}\n")).collect();
            folder.write(&format!("sets/{set}/{part}.csv"), &text);
        }
    }
}

#[test]
fn a_folder_of_data_sets_has_tables_for_those_held_out() {
    let folder = Folder::new();
    sets(&folder, &["one", "two"]);
    let line = "study --folder sets --held-out two --seeds 1 --hidden 4 --teacher-hidden 6 --effort quick --out study";
    let results = folder.json(&format!("{line} --label-noise 0,0.2"));
    let overall = results["overall"].as_array().unwrap();
    let sets: Vec<_> = overall.iter().map(|overall| overall["sets"].as_array().unwrap().len()).collect();
    assert_eq!(sets, [1, 1, 2, 1, 1, 2]);
    assert_eq!(results["sets"][1]["condition"]["label_noise"], 0.2);
}

#[test]
fn values_of_several_units_have_no_common_loss() {
    let folder = Folder::new();
    sets(&folder, &["one", "two"]);
    folder.json(
        "study --folder sets --target a --seeds 1 --hidden 4 --teacher-hidden 6 --effort quick --out study",
    );
    let text = std::fs::read_to_string(folder.path("study/study.md")).unwrap();
    assert!(
        text.contains("| difference | test R² | p | × RMSE | gap |\n|---|---:|---:|---:|---:|\n"),
        "{text}"
    );
    assert!(text.contains("| test RMSE | one | two |"), "{text}");
}

#[test]
fn values_of_a_small_unit_have_digits() {
    let folder = Folder::new();
    let rows = (0..60).map(|row| format!("{},{},{}e-6\n", row % 7, row % 5, row % 7 + row % 3));
    folder.write("small.csv", &(String::from("a,b,grams\n") + &rows.collect::<String>()));
    folder.json("study --data small.csv --seeds 2 --hidden 2 --teacher-hidden 2 --effort quick --out study");
    let text = std::fs::read_to_string(folder.path("study/study.md")).unwrap();
    let page = std::fs::read_to_string(folder.path("study/study.html")).unwrap();
    assert!(!text.contains(" 0.000 ± 0.000 |") && text.contains("e-6 ± "), "{text}");
    assert!(page.contains("e-6 ± ") && !page.contains("0.000 ± 0.000"));
}

#[test]
fn each_group_is_left_out_once_and_the_cost_is_told_before() {
    let folder = Folder::new();
    let line = "study --data data.csv --groups person --leave-one-group-out --hidden 4 --teacher-hidden 6 --effort quick --out study";
    let output = folder.run(&format!("{line} --json"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains(" trainings are left: 6 groups, each left out once, × 1 seed, 7 arms"), "{said}");
    let results: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(results["settings"]["division"], "leave-one-group-out");
    assert_eq!(results["sets"][0]["groups"], serde_json::json!({ "train": 5, "test": 1, "all": 6 }));
    assert_eq!(results["seeds"], serde_json::json!([1]));
    assert_eq!(results["sets"][0]["summaries"][0]["scores"]["nll"]["n"], 6);
    assert!(results["sentences"][0].as_str().unwrap().starts_with("Ship `"), "{}", results["sentences"]);
    let table = std::fs::read_to_string(folder.path("study/study.csv")).unwrap();
    assert_eq!(table.lines().filter(|line| line.contains(",hard-l2,")).count(), 6);
    // A second run finds all trainings, and gives the same results.
    let again = folder.run(&format!("{line} --json"));
    assert!(!String::from_utf8(again.stderr).unwrap().contains("trainings are left"));
    let again = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(without_notes(again), without_notes(results));
    for (line, message) in [
        (line.replace(" --groups person", ""), "leaving one group out needs the group of every row"),
        (line.to_owned() + " --redraw", "cannot be used with"),
    ] {
        assert!(folder.error(&line.replace("--out study", "--out other")).0.contains(message), "{line}");
    }
}

#[test]
fn a_study_of_few_people_says_first_that_it_cannot_tell() {
    let folder = Folder::new();
    let results = folder.json(&STUDY.replace("--seeds 2", "--seeds 5"));
    let said = |index: usize| results["sentences"][index].as_str().unwrap();
    assert!(said(0).starts_with("This cannot tell: the test holds only one group."), "{}", said(0));
    assert!(
        said(0).contains("`--leave-one-group-out` makes each of the 6 groups the test once"),
        "{}",
        said(0)
    );
    assert!(said(1).starts_with("The best guess so far: Ship `"), "{}", said(1));
    let advice = &results["sets"][0]["recommendation"];
    assert!(advice["student"]["flash_bytes_int8"].as_u64() < advice["student"]["flash_bytes"].as_u64());
    assert!(advice["int8"]["mean"].is_number() && advice["among"].as_u64() > Some(7), "{advice}");
}

#[test]
fn many_data_sets_stand_below_each_other() {
    let folder = Folder::new();
    sets(&folder, &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]);
    folder.json(
        "study --folder sets --target a --seeds 1 --hidden 2 --teacher-hidden 2 --effort quick --out study",
    );
    let text = std::fs::read_to_string(folder.path("study/study.md")).unwrap();
    let beside = "| teacher | hard | hard-l2 | labels | output-mse | soft | default |";
    for wanted in ["## All data sets: 11\n", &format!("| test R² {beside}"), "\n| k |", " higher on "] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[test]
fn random_labels_are_at_chance_level_whatever_was_learned_by_heart() {
    let folder = Folder::new();
    let results = folder.json("study --preset mission --seeds 2 --out study");
    let set = &results["sets"][0];
    assert_eq!(set["rows"], serde_json::json!({ "train": 1000, "validation": 100, "test": 1000 }));
    let widths = |arm: &str| {
        let cells = set["cells"].as_array().unwrap();
        cells.iter().find(|cell| cell["arm"] == arm).unwrap()["widths"].clone()
    };
    assert_eq!(widths("teacher"), serde_json::json!([10, 64, 10]));
    assert_eq!(widths("output-mse"), serde_json::json!([10, 32, 10]));
    for arm in ["teacher", "hard", "output-mse"] {
        let (train, test) = (mean(&results, arm, "train accuracy"), mean(&results, arm, "test accuracy"));
        assert!(train > test + 0.05, "{arm}: {train}, {test}");
        assert!((test - 0.1).abs() < 0.04, "{arm}: {test}");
    }
    assert!(results["sentences"][0].as_str().unwrap().contains("random"));
}

#[test]
fn what_cannot_be_studied_is_said() {
    let folder = Folder::new();
    for (line, code, message) in [
        (STUDY.replace("--seeds 2", "--seeds 0"), 2, "it must be a whole number of at least 1"),
        (STUDY.replace("--seeds 2", "--seeds -1"), 2, "'-1' for '--seeds <N>': it must be a whole number"),
        (STUDY.replace("--hidden 4", "--hidden 4,0"), 2, "it must be a whole number of at least 1"),
        (STUDY.replace("jitter", "jittr"), 1, "\"jittr\" is not a recipe that can be added"),
        (format!("{STUDY} --label-noise 1"), 1, "label noise 1"),
        (format!("{STUDY} --training-share 0"), 1, "training share 0"),
        (
            format!("{STUDY} --target a").replace("jitter", "dkd"),
            1,
            "\"dkd\" is not a recipe that can be added: choose among hard-dropout, always-distilled, soft-l2,",
        ),
        (VALUES.to_owned() + " --label-noise 0.1", 1, "label noise needs class labels"),
        ("study --train data.csv --out study".into(), 1, "a study needs test rows"),
        ("study --folder . --out study".into(), 1, "has both train.csv and test.csv"),
        ("study --out study".into(), 2, ""),
        ("study --preset random-labels --data data.csv --out study".into(), 2, "cannot be used with"),
        (STUDY.replace("--out study", "--out data.csv"), 1, "data.csv: this is a file: name a folder"),
    ] {
        let (error, found) = folder.error(&line);
        assert!(error.contains(message), "{line}: {error}");
        assert_eq!(found, code, "{line}: {error}");
    }
}
