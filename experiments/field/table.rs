//! Tables in Markdown.

use microdistill_study::demo::Summary;

use crate::arms::ARMS;
use crate::problem::SETS;
use crate::study::Outcome;

/// Rows of the table before the arms.
const NAMES: [&str; 2] = ["teacher", "no adaptation"];

/// Outcomes of a scenario, by seed.
type Seeds = [Vec<Outcome>];

/// Prints the scores of the arms on held-out rows.
pub(crate) fn scores(sets: &[&Seeds]) {
    compared("Accuracy, %:", 1, sets, &|outcome| outcome.field().accuracy());
    compared("NLL, nats:", 3, sets, &|outcome| outcome.field().likelihood());
}

/// Prints further figures of a scenario.
pub(crate) fn details(sets: &[&Seeds]) {
    compared("Accuracy on held-out rows of the people in the training set, %:", 1, sets, &|outcome| {
        outcome.home().accuracy()
    });
    adapted(
        "Number of people for whom adaptation is better, and worse, than no adaptation, by correct answers over all seeds:",
        sets,
        &people,
    );
    adapted(
        "Samples for which the teacher was queried; samples learned from; candidates accepted:",
        sets,
        &work,
    );
}

/// Mean ± standard deviation over the seeds, and the mean difference from no adaptation ± its standard error.
fn compared(title: &str, digits: usize, sets: &[&Seeds], of: &dyn Fn(&Outcome) -> f64) {
    rows(title, sets, 0, &|seeds, arm| {
        let summary = |arm: usize| Summary::of(seeds.iter().map(|seed| of(&seed[arm])).collect());
        let (own, shipped) = (summary(arm), summary(1));
        let gain = own.minus(&shipped);
        let error = gain.std / (seeds.len() as f64).sqrt();
        let value = format!("{:.digits$} ± {:.digits$}", own.mean, own.std);
        if arm == 1 { value } else { format!("{value} ({:+.digits$} ± {error:.digits$})", gain.mean) }
    });
}

/// Prints a table with a row for each way to adapt.
fn adapted(title: &str, sets: &[&Seeds], cell: &dyn Fn(&Seeds, usize) -> String) {
    rows(title, sets, NAMES.len(), cell);
}

/// Prints a table with a row per arm, starting at number `from`, and a column per data set.
fn rows(title: &str, sets: &[&Seeds], from: usize, cell: &dyn Fn(&Seeds, usize) -> String) {
    println!("{title}\n\n| | {} |\n|---|{}", SETS.map(|set| set.name).join(" | "), "---|".repeat(sets.len()));
    let names = NAMES.into_iter().chain(ARMS.iter().map(|arm| arm.name));
    for (arm, name) in names.enumerate().skip(from) {
        let cells: Vec<String> = sets.iter().map(|seeds| cell(seeds, arm)).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
    println!();
}

fn people(seeds: &Seeds, arm: usize) -> String {
    let right =
        |arm: usize, person: usize| seeds.iter().map(|seed| seed[arm].by_person[person].right).sum::<f64>();
    let people = seeds.first().map_or(0, |seed| seed[arm].by_person.len());
    let better = (0..people).filter(|&person| right(arm, person) > right(1, person)).count();
    let worse = (0..people).filter(|&person| right(arm, person) < right(1, person)).count();
    format!("{better} and {worse} of {people}")
}

fn work(seeds: &Seeds, arm: usize) -> String {
    let sum = |of: &dyn Fn(&Outcome) -> u32| f64::from(seeds.iter().map(|seed| of(&seed[arm])).sum::<u32>());
    let percent =
        |part: f64, all: f64| if all > 0.0 { format!("{:.0} %", 100.0 * part / all) } else { "–".into() };
    let (kept, dropped) = (sum(&|outcome| outcome.kept), sum(&|outcome| outcome.dropped));
    let share = |of: &dyn Fn(&Outcome) -> u32| percent(sum(of), sum(&|outcome| outcome.samples));
    [share(&|outcome| outcome.asked), share(&|outcome| outcome.learning), percent(kept, kept + dropped)]
        .join(", ")
}
