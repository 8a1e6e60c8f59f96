//! The choice of the student to ship among the students of one data set.

use super::metric::{by_group, int8_value, values};
use super::results::{Best, Candidate, Cell, Estimate, MeanStd, Recommendation};

/// Largest loss of accuracy, as a share, or of R² that a smaller student may have on average.
const TOLERANCE: f64 = 0.01;

/// Returns true for a change of accuracy or R² that is neither shown to be a loss nor a large one on average.
pub(super) fn holds_up(difference: &Estimate) -> bool {
    difference.mean() >= -TOLERANCE && !(difference.is_shown() && difference.mean() < 0.0)
}

/// The metrics that decide.
pub(super) struct Metrics {
    /// More is better.
    pub(super) score: &'static str,
    /// Less is better.
    pub(super) loss: &'static str,
}

/// A student with its models, one per draw.
struct Student {
    of: Candidate,
    scores: Vec<f64>,
    cells: Vec<Cell>,
}

/// Recommends one of these students, each given by its models; all have the same draws, in the same order.
pub(super) fn recommend(students: Vec<Vec<Cell>>, metrics: &Metrics, overlap: f64) -> Option<Recommendation> {
    let students: Vec<Student> =
        students.into_iter().filter_map(|cells| student(cells, metrics, overlap)).collect();
    let score = |of: &&Student| of.of.score.mean;
    let smaller = |a: &Student, b: &Student| {
        let losses = a.of.loss.mean.total_cmp(&b.of.loss.mean);
        a.of.flash_bytes.cmp(&b.of.flash_bytes).then(losses)
    };
    // Of equally good ones, the smaller counts as the best.
    let finite = students.iter().filter(|of| score(of).is_finite());
    let best = finite.min_by(|a, b| score(b).total_cmp(&score(a)).then(smaller(a, b)))?;
    let against_best = |of: &Student| {
        let differences: Vec<f64> = of.scores.iter().zip(&best.scores).map(|(a, b)| a - b).collect();
        Estimate::of(&differences, overlap, 1)
    };
    let chosen = students.iter().filter(|of| holds_up(&against_best(of))).min_by(|a, b| smaller(a, b))?;
    let is_best = std::ptr::eq(chosen, best);
    let int8: Option<Vec<f64>> = chosen.cells.iter().map(|cell| int8_value(cell, metrics.score)).collect();
    let int8 = int8.map(|int8| {
        let f32 = chosen.cells.iter().map(|cell| values(std::slice::from_ref(cell), metrics.score));
        let differences = int8.iter().zip(f32.flatten()).map(|(int8, f32)| int8 - f32).collect::<Vec<_>>();
        // One difference per draw: repeated seeds of a group are not pairs of their own.
        let groups: Vec<Option<&str>> = chosen.cells.iter().map(|cell| cell.group.as_deref()).collect();
        Estimate::of(&by_group(&differences, &groups), overlap, 1)
    });
    Some(Recommendation {
        student: chosen.of.clone(),
        best: (!is_best).then(|| Best { student: best.of.clone(), difference: against_best(chosen) }),
        int8,
        among: students.len(),
    })
}

fn student(cells: Vec<Cell>, metrics: &Metrics, overlap: f64) -> Option<Student> {
    let first = cells.first()?;
    let scores = values(&cells, metrics.score);
    let score = MeanStd::of(&scores);
    let of = Candidate {
        arm: first.arm.clone(),
        widths: first.widths.clone(),
        flash_bytes: first.flash_bytes?,
        flash_bytes_int8: first.flash_bytes_int8?,
        interval: score.interval(overlap),
        score,
        loss: MeanStd::of(&values(&cells, metrics.loss)),
    };
    Some(Student { of, scores, cells })
}

#[cfg(test)]
mod tests {
    use microdistill_train::metrics::{Classification, Scores};

    use super::*;

    const METRICS: Metrics = Metrics { score: "test accuracy", loss: "nll" };

    /// A student of these bytes with these accuracies, one per seed, and NLLs of 1 − accuracy.
    fn student(arm: &str, bytes: usize, accuracies: &[f64]) -> Vec<Cell> {
        let scores = |accuracy: f64| {
            Scores::Classification(Classification {
                rows: 100,
                groups: None,
                accuracy,
                nll: 1.0 - accuracy,
                brier: 0.0,
                ece: 0.0,
                confusion: Vec::new(),
            })
        };
        let cell = |(seed, &accuracy): (u64, &f64)| Cell {
            arm: arm.into(),
            seed,
            group: None,
            widths: vec![2, bytes / 8, 2],
            parameters: bytes / 4,
            flash_bytes: Some(bytes),
            flash_bytes_int8: Some(bytes / 4),
            chosen: None,
            train: scores(1.0),
            test: scores(accuracy),
            test_int8: Some(scores(accuracy - 0.001)),
            curve: Vec::new(),
            reliability: Vec::new(),
            predictions: Vec::new(),
        };
        (1..).zip(accuracies).map(cell).collect()
    }

    fn recommended(students: &[(&str, usize, &[f64])]) -> Recommendation {
        let students = students.iter().map(|(arm, bytes, accuracies)| student(arm, *bytes, accuracies));
        recommend(students.collect(), &METRICS, 0.0).unwrap()
    }

    #[test]
    fn the_smallest_student_that_cannot_be_told_apart_from_the_best_is_shipped() {
        let large: &[f64] = &[0.91, 0.93, 0.92, 0.94, 0.90];
        let alike: &[f64] = &[0.92, 0.92, 0.93, 0.91, 0.91];
        let worse: &[f64] = &[0.81, 0.83, 0.82, 0.84, 0.80];
        let found = recommended(&[("hard", 800, large), ("default", 400, alike), ("hard", 200, worse)]);
        assert_eq!((found.student.arm.as_str(), found.student.flash_bytes, found.among), ("default", 400, 3));
        let best = found.best.unwrap();
        assert_eq!(best.student.flash_bytes, 800);
        assert!(!best.difference.is_shown() && best.difference.family() == 1);
        assert!((found.int8.unwrap().mean() + 0.001).abs() < 1e-9);
    }

    #[test]
    fn a_student_that_is_shown_to_be_worse_is_not_shipped_however_small() {
        let large: &[f64] = &[0.910, 0.930, 0.920, 0.940, 0.900];
        let shown: Vec<f64> = large.iter().map(|score| score - 0.005).collect();
        let found = recommended(&[("hard", 800, large), ("hard", 400, &shown)]);
        assert_eq!((found.student.flash_bytes, found.best), (800, None));
        // Nor is one whose scores vary so much that nothing can be shown.
        let wild: &[f64] = &[0.99, 0.70, 0.95, 0.80, 0.96];
        assert_eq!(recommended(&[("hard", 800, large), ("hard", 400, wild)]).student.flash_bytes, 800);
    }

    #[test]
    fn of_equal_students_the_first_is_shipped_and_no_other_is_called_better() {
        let scores: &[f64] = &[0.9, 0.91, 0.92];
        let found = recommended(&[("hard", 400, scores), ("hard-l2", 400, scores), ("hard-l2", 800, scores)]);
        assert_eq!((found.student.arm.as_str(), found.student.flash_bytes, found.best), ("hard", 400, None));
    }

    #[test]
    fn the_loss_decides_among_students_of_one_size() {
        let found = recommended(&[("hard", 400, &[0.9, 0.9]), ("default", 400, &[0.905, 0.895])]);
        assert_eq!(found.student.arm, "hard");
        assert_eq!(recommend(Vec::new(), &METRICS, 0.0), None);
    }
}
