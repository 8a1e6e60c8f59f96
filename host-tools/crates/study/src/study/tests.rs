//! Whole studies with few rows.

mod values;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use nalgebra::DMatrix;
use tempfile::TempDir;

use super::arms::{Arm, Knob, always, by_name, names, others, taught_by_a_network};
use super::results::{Comparison, Condition, Division, GroupCounts};
use super::training::{Lessons, Setting, Training};
use super::{CANDIDATES, Journal, Problem, Results, Shard, Study, Watch};
use microdistill_train::dataset::{Dataset, Target};
use microdistill_train::effort::Effort;
use microdistill_train::error::Error;
use microdistill_train::model::Task;

const PLAIN: Condition = Condition { label_noise: 0.0, training_share: 1.0 };
const QUIET: Watch<'_> = Watch { stop: &|| false, done: &|_| () };

/// Three overlapping classes.
fn rows(count: usize, shift: usize) -> Dataset {
    let wobble = |row: usize, by: usize| (row * by % 100) as f32 / 100.0;
    let x = DMatrix::from_fn(3, count, |feature, row| {
        (row % 3 * feature) as f32 * 0.5 + wobble(row + shift, 37 + 10 * feature)
    });
    let labels = ["a", "b", "c"].map(String::from).to_vec();
    Dataset {
        features: ["x", "y", "z"].map(String::from).to_vec(),
        x,
        task: Task::Classification { target: "kind".into(), labels },
        target: Target::Classes((0..count).map(|row| row % 3).collect()),
        groups: None,
        hash: "rows".into(),
        origin: Vec::new(),
        target_origin: Vec::new(),
        left_out: Vec::new(),
        keys: None,
        options: microdistill_train::table::Options::default(),
        notes: Vec::new(),
    }
}

fn study() -> Study {
    Study {
        title: "Toy".into(),
        preset: None,
        problems: vec![Problem::new("toy", rows(45, 0), rows(30, 50), false).unwrap()],
        held_out: Vec::new(),
        conditions: vec![PLAIN],
        arms: taught_by_a_network(always()),
        seeds: vec![1, 2],
        hidden: vec![4],
        teacher_hidden: vec![6],
        effort: Effort::Quick,
        folds: 3,
    }
}

fn finished(study: &Study, folder: &TempDir) -> String {
    let journal = Journal::open(folder.path().join("ledger.jsonl"), &study.fingerprint()).unwrap();
    study.run(&journal, Shard::ALL, &QUIET).unwrap();
    assert_eq!(study.work(&journal, Shard::ALL), 0);
    serde_json::to_string(&study.results(&journal, "study").unwrap()).unwrap()
}

#[test]
fn an_interrupted_study_ends_with_the_same_bytes_on_any_number_of_threads() {
    let study = study();
    let expected = finished(&study, &TempDir::new().unwrap());

    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.jsonl");
    let trained = AtomicUsize::new(0);
    let stop = || trained.load(Ordering::Relaxed) >= 40;
    let done = |_| {
        trained.fetch_add(1, Ordering::Relaxed);
    };
    let journal = Journal::open(&path, &study.fingerprint()).unwrap();
    let watch = Watch { stop: &stop, done: &done };
    assert!(matches!(study.run(&journal, Shard::ALL, &watch), Err(Error::Interrupted)));
    assert!(study.results(&journal, "study").unwrap_err().to_string().contains("is not finished"));
    drop(journal);
    let whole = fs::read_to_string(&path).unwrap();
    assert!(whole.lines().count() > 1, "at least one result is finished");
    fs::write(&path, whole + "{\"key\":\"torn").unwrap();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one.install(|| finished(&study, &folder)), expected);
}

#[test]
fn shards_together_are_the_whole_study() {
    // The second set draws its rows anew for each seed, so every seed chooses.
    let problems = vec![
        Problem::new("toy", rows(45, 0), rows(30, 50), false).unwrap(),
        Problem::new("drawn", rows(45, 7), rows(30, 51), true).unwrap(),
    ];
    let study = Study { problems, seeds: vec![1, 2, 3], ..study() };
    let expected = finished(&study, &TempDir::new().unwrap());
    let folder = TempDir::new().unwrap();
    let open = |name: &str| Journal::open(folder.path().join(name), &study.fingerprint()).unwrap();
    let whole = open("ledger.jsonl");
    for index in 0..4 {
        let (journal, shard) = (open(&format!("{index}.jsonl")), Shard::new(index, 4).unwrap());
        assert!(study.trainings(&journal, shard) < study.trainings(&journal, Shard::ALL));
        study.run(&journal, shard, &QUIET).unwrap();
        assert_eq!(study.trainings(&journal, shard), 0);
        assert!(study.results(&journal, "study").unwrap_err().to_string().contains("is not finished"));
        assert!(whole.absorb(&journal).unwrap() > 0);
        assert_eq!(whole.absorb(&journal).unwrap(), 0);
    }
    assert_eq!(study.trainings(&whole, Shard::ALL), 0);
    assert!(serde_json::to_string(&study.results(&whole, "study").unwrap()).unwrap() == expected);
    assert_eq!((Shard::new(4, 4), Shard::new(0, 0)), (None, None));
}

#[test]
fn the_cost_that_is_told_is_the_cost() {
    let tuned = by_name(&others(), &["soft-l2".into()]).unwrap();
    let study = Study { arms: [study().arms, tuned].concat(), ..study() };
    let folder = TempDir::new().unwrap();
    let journal = Journal::open(folder.path().join("ledger.jsonl"), &study.fingerprint()).unwrap();
    let told = study.trainings(&journal, Shard::ALL);
    let trained = AtomicUsize::new(0);
    let done = |_| {
        trained.fetch_add(1, Ordering::Relaxed);
    };
    study.run(&journal, Shard::ALL, &Watch { stop: &|| false, done: &done }).unwrap();
    assert_eq!((told, study.trainings(&journal, Shard::ALL)), (trained.into_inner(), 0));
}

#[test]
fn seeds_may_be_added_to_a_finished_study_and_rows_may_not_change() {
    let folder = TempDir::new().unwrap();
    let study = Study { seeds: vec![1], ..study() };
    finished(&study, &folder);
    let path = folder.path().join("ledger.jsonl");
    let journal = Journal::open(&path, &study.fingerprint()).unwrap();
    let more = Study { seeds: vec![1, 2], ..study.clone() };
    let all = Journal::open(folder.path().join("other.jsonl"), &more.fingerprint()).unwrap();
    assert!(more.work(&journal, Shard::ALL) < more.work(&all, Shard::ALL));
    let other = Study { hidden: vec![5], ..study };
    let error = Journal::open(&path, &other.fingerprint()).unwrap_err().to_string();
    assert!(error.contains("belong to another study") && error.contains("another --out"), "{error}");
}

#[test]
fn a_file_that_is_no_journal_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.jsonl");
    for text in ["my notes", "my notes\nline"] {
        fs::write(&path, text).unwrap();
        let error = Journal::open(&path, "study").unwrap_err().to_string();
        assert!(error.contains("this is not the journal of a study"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_damaged_line_is_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.jsonl");
    drop(Journal::open(&path, "study").unwrap());
    let header = fs::read_to_string(&path).unwrap();
    fs::write(&path, header.clone() + "{\"key\":\n").unwrap();
    let error = Journal::open(&path, "study").unwrap_err().to_string();
    assert!(error.contains("line 2 is damaged"), "{error}");
    // The first line may be incomplete, too.
    fs::write(&path, &header[..9]).unwrap();
    drop(Journal::open(&path, "study").unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), header);
}

#[test]
fn arms_share_their_start_and_differ_by_what_is_tuned() {
    let arms = [study().arms, others()].concat();
    let of = |name: &str| arms.iter().find(|arm| arm.name == name).unwrap();
    let data = rows(30, 0);
    let model = |arm: &Arm, setting| {
        let effort = Effort::Quick;
        let training = Training { arm, setting, hidden: &[4], effort, seed: 5, watch: &QUIET };
        training.run(&data, Lessons::default(), &mut |_| {}).unwrap().body
    };
    let plain = model(of(names::HARD), Setting::Fixed);
    for name in [names::HARD_L2, names::HARD_DROPOUT, names::HARD_SMOOTHING] {
        let arm = of(name);
        let candidates = arm.knob.unwrap().candidates();
        assert_eq!((candidates.len(), candidates[0]), (CANDIDATES, 0.0), "{name} may choose to do nothing");
        assert_eq!(model(arm, Setting::Value(0.0)), plain, "{name}");
        assert_ne!(model(arm, Setting::Value(candidates[CANDIDATES - 1])), plain, "{name}");
    }
    assert_eq!(of(names::TEACHER).knob, Some(Knob::WeightDecay));
}

#[test]
fn recipes_are_found_by_name() {
    let found = by_name(&others(), &["ensemble".into(), "gaussian".into()]).unwrap();
    assert_eq!(found.iter().map(|arm| arm.name.as_str()).collect::<Vec<_>>(), ["ensemble", "gaussian"]);
    let error = by_name(&others(), &["ensembel".into()]).unwrap_err().to_string();
    assert!(others().iter().all(|arm| error.contains(&arm.name)), "{error}");
}

#[test]
fn one_choice_is_for_all_seeds_that_have_the_same_rows() {
    let chosen = |source: Problem, condition| {
        let study = Study {
            problems: vec![source],
            conditions: vec![condition],
            arms: vec![study().arms[0].clone(), by_name(&others(), &["soft-l2".into()]).unwrap()[0].clone()],
            ..study()
        };
        let folder = TempDir::new().unwrap();
        finished(&study, &folder);
        let journal = fs::read_to_string(folder.path().join("ledger.jsonl")).unwrap();
        journal.lines().filter(|line| line.contains("\"choice\"")).count()
    };
    let fixed = || Problem::new("toy", rows(45, 0), rows(30, 50), false).unwrap();
    let redrawn = Problem::new("toy", rows(45, 0), rows(30, 50), true).unwrap();
    assert_eq!(chosen(fixed(), PLAIN), 2, "one for the teacher and one for the student");
    assert_eq!(chosen(redrawn, PLAIN), 4, "one of each per seed");
    assert_eq!(chosen(fixed(), Condition { label_noise: 0.2, ..PLAIN }), 4);
}

#[test]
fn the_default_arm_is_what_distill_makes() {
    use microdistill_train::distill::{self, Plan, Scope, Teachers};
    use microdistill_train::metrics::evaluate;
    use microdistill_train::teacher::zoo;

    let names = [names::TEACHER, names::LABELS, names::DEFAULT];
    let arms = always().into_iter().filter(|arm| names.contains(&arm.name.as_str())).collect();
    let study = Study { arms, seeds: vec![1], effort: Effort::Default, ..study() };
    let folder = TempDir::new().unwrap();
    let results: Results = serde_json::from_str(&finished(&study, &folder)).unwrap();
    let cell = |name: &str| results.sets[0].cells.iter().find(|cell| cell.arm == name).unwrap();
    let (data, test) = (rows(45, 0), rows(30, 50));
    let flow = &|| std::ops::ControlFlow::Continue(());
    let blend = zoo::fit(&data, &zoo::Settings::of(Effort::Default, 1), &|_| flow()).unwrap().model;
    assert_eq!(cell(names::TEACHER).test, evaluate(&blend, &test).unwrap());
    assert_eq!(cell(names::TEACHER).flash_bytes, None, "no board runs a blend");
    let scope = Scope { effort: Effort::Default, inputs: None, asks_teacher: true, may_ignore_teacher: true };
    let plan = Plan::new(&data, &[4], scope);
    let student = super::training::student(&[4], 1, plan.steps);
    let teachers = [(1.0, blend)];
    let problem = distill::Problem { rows: &data, teachers: Teachers::Like(&teachers), student: &student };
    let distilled = distill::fit(problem, &plan, flow, &|_| {}).unwrap();
    let (default, labels) = (cell(names::DEFAULT), cell(names::LABELS));
    assert_eq!(default.chosen, Some(distilled.choice.chosen.to_string()));
    assert_eq!(default.test, evaluate(&distilled.model, &test).unwrap());
    let chosen = labels.chosen.clone().unwrap();
    assert!(chosen.starts_with("target") || chosen.starts_with("smoothed-labels"), "{chosen}");
}

#[test]
fn decoupled_labels_of_two_classes_are_refused() {
    let two = |shift| {
        let mut data = rows(30, shift);
        let labels = ["a", "b"].map(String::from).to_vec();
        data.task = Task::Classification { target: "kind".into(), labels };
        data.target = Target::Classes((0..30).map(|row| row % 2).collect());
        data
    };
    let arms = [study().arms, by_name(&others(), &["dkd".into()]).unwrap()].concat();
    let study = Study { arms, ..study() };
    study.check().unwrap();
    let problems = vec![Problem::new("coins", two(0), two(50), false).unwrap()];
    let error = Study { problems, ..study }.check().unwrap_err().to_string();
    assert!(error.starts_with("coins, dkd: decoupled soft labels need three classes or more"), "{error}");
}

#[test]
fn impossible_studies_are_refused() {
    let error = |study: Study| study.check().unwrap_err().to_string();
    let noise = |label_noise| vec![Condition { label_noise, ..PLAIN }];
    assert!(error(Study { conditions: noise(1.0), ..study() }).starts_with("label noise 1"));
    assert!(error(Study { conditions: noise(f64::NAN), ..study() }).starts_with("label noise NaN"));
    let none = vec![Condition { training_share: 0.0, ..PLAIN }];
    assert!(error(Study { conditions: none, ..study() }).starts_with("training share 0"));
    assert!(error(Study { seeds: Vec::new(), ..study() }).contains("at least one seed"));
    assert_eq!(
        error(Study { held_out: vec!["rice".into()], ..study() }),
        "rice is held out, but is not one of the data sets: add it or correct the name"
    );
    let twice = [study().arms, study().arms].concat();
    assert!(error(Study { arms: twice, ..study() }).starts_with("teacher occurs twice"));
    study().check().unwrap();
}

/// The rows with `groups` groups, each of which has all classes.
fn grouped(groups: usize) -> Dataset {
    let mut data = rows(90, 0);
    data.groups = Some((0..90).map(|row| format!("person {}", row / 3 % groups)).collect());
    data
}

#[test]
fn each_group_is_the_test_once_and_pairs_are_groups() {
    let problem = Problem::leave_one_group_out("people", grouped(6), None).unwrap();
    // Two seeds are no pairs of their own: each group has their mean.
    let study = Study { problems: vec![problem], ..study() };
    study.check().unwrap();
    let folder = TempDir::new().unwrap();
    let results: Results = serde_json::from_str(&finished(&study, &folder)).unwrap();
    assert_eq!(results.settings.division, Division::LeaveOneGroupOut);
    let [set] = results.sets.as_slice() else { panic!("one set") };
    assert_eq!(set.groups, Some(GroupCounts { train: 5, test: 1, all: 6 }));
    let of_arm: Vec<_> = set.cells.iter().filter(|cell| cell.arm == names::HARD).collect();
    let left_out: Vec<_> = of_arm.iter().map(|cell| (cell.group.clone().unwrap(), cell.seed)).collect();
    let expected = (0..6).flat_map(|group| [1, 2].map(|seed| (format!("person {group}"), seed)));
    assert_eq!(left_out, expected.collect::<Vec<_>>());
    for cell in &of_arm {
        assert_eq!((cell.train.rows(), cell.test.rows(), cell.test.groups()), (75, 15, Some(1)));
    }
    let summary = set.summaries.iter().find(|summary| summary.arm == names::HARD).unwrap();
    assert_eq!(summary.scores["test accuracy"].n, 6);
    let pairs = |of: &Comparison| of.larger + of.smaller;
    assert!(set.comparisons.iter().all(|of| pairs(of) <= 6 && of.estimate.p().is_some()));
    assert!(results.sentences.iter().any(|sentence| sentence.starts_with("Each group is the test once")));
    assert!(!results.sentences[0].contains("cannot tell"), "{}", results.sentences[0]);
    let page = crate::report::html(&results).unwrap();
    assert!(page.contains("6 groups, each the test once"));
    // Finished trainings are found again.
    let journal = Journal::open(folder.path().join("ledger.jsonl"), &study.fingerprint()).unwrap();
    assert_eq!(study.trainings(&journal, Shard::ALL), 0);
}

#[test]
fn groups_are_left_out_only_where_they_are_known_and_enough() {
    let error = |data: Dataset| Problem::leave_one_group_out("toy", data, None).unwrap_err().to_string();
    assert_eq!(
        error(rows(30, 0)),
        "toy: leaving one group out needs the group of every row: name its column by --groups"
    );
    assert!(error(grouped(2)).contains("at least 3 groups, and there are 2: [\"person 0\", \"person 1\"]"));
    // A class that only one person has cannot be learned from the others.
    let mut lonely = grouped(6);
    if let Target::Classes(classes) = &mut lonely.target {
        let groups = lonely.groups.as_ref().unwrap();
        for (class, group) in classes.iter_mut().zip(groups) {
            *class = if group == "person 4" { 2 } else { *class % 2 };
        }
    }
    let problem = Problem::leave_one_group_out("toy", lonely, None).unwrap();
    let error = Study { problems: vec![problem], ..study() }.check().unwrap_err().to_string();
    assert!(
        error.starts_with("toy, without the group \"person 4\": no training row has the labels [\"c\"]"),
        "{error}"
    );
}

#[test]
fn a_study_of_too_little_says_so_first_and_says_what_to_do() {
    let few_people = |data: Dataset, groups: usize| {
        let mut test = rows(30, 50);
        test.groups = Some((0..30).map(|row| format!("other {}", row / 3 % groups)).collect());
        Study {
            problems: vec![Problem::new("toy", data, test, false).unwrap()],
            seeds: (1..=5).collect(),
            ..study()
        }
    };
    let first = |study: Study| {
        let folder = TempDir::new().unwrap();
        let results: Results = serde_json::from_str(&finished(&study, &folder)).unwrap();
        (results.sentences[0].clone(), results)
    };
    let (said, results) = first(few_people(grouped(6), 2));
    assert!(said.starts_with("This cannot tell: the test holds only 2 groups."), "{said}");
    assert!(said.contains("`--leave-one-group-out` makes each of the 8 groups the test once"), "{said}");
    assert!(results.sentences[1].starts_with("The best guess so far: Ship `"), "{:?}", results.sentences);
    let page = crate::report::html(&results).unwrap();
    assert!(
        page.contains("This cannot tell: the test holds only 2 groups.")
            && page.contains("The best guess so far:")
    );
    let (said, _) = first(few_people(grouped(6), 5));
    assert!(said.starts_with("Ship `"), "{said}");
    let (said, _) = first(study());
    assert!(
        said.starts_with(
            "This cannot tell: 2 seeds are too few. Gains cannot be told from chance by fewer than 5 seeds."
        ),
        "{said}"
    );
}
