//! The confusion matrix: predicted classes by label.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::number::whole;
use super::svg::{GRID, HEAT, INK, MUTED, Plot, font, line, px};
use microdistill_train::error::Result;

/// Rows by label and prediction, of some models together.
pub(super) fn pooled<'a>(
    matrices: impl IntoIterator<Item = &'a Vec<Vec<usize>>>,
    classes: usize,
) -> Vec<Vec<usize>> {
    let mut sum = vec![vec![0; classes]; classes];
    for matrix in matrices {
        for (sums, counts) in sum.iter_mut().zip(matrix) {
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
    }
    sum
}

/// More classes than these have no numbers in their cells.
const WRITTEN: usize = 12;
/// Mistakes that are told in words.
const TOLD: usize = 6;
/// Most characters of a class's name that fit beside a matrix.
const NAME: usize = 10;

/// Returns true if classes have numbers beside the matrix, because their names are too long.
pub(super) fn are_numbered(labels: &[String]) -> bool {
    labels.iter().any(|label| label.chars().count() > NAME)
}

/// Each row is a class, each column what it was taken for; the darker, the greater the share of the class's rows.
pub(super) fn plot(title: String, labels: &[String], matrix: &[Vec<usize>]) -> Result<Plot> {
    let classes = labels.len().max(1);
    let names: Vec<String> = match are_numbered(labels) {
        true => (1..=labels.len()).map(|number| number.to_string()).collect(),
        false => labels.to_vec(),
    };
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(1) as f64;
    let size = if classes > WRITTEN { 8.5 } else { 11.0 };
    let head = (longest * size * 0.62 + 8.0).clamp(18.0, 90.0);
    let cell = (360.0 - head - 2.0) / classes as f64;
    let height = (head + cell * classes as f64 + 2.0).ceil() as i32;
    Plot::draw(title, mistakes(labels, matrix), (360, height), |area| {
        let place = |index: usize| px(head + cell * index as f64);
        let label = |h| font(size, MUTED).pos(Pos::new(h, VPos::Center));
        for (i, name) in names.iter().enumerate() {
            let middle = px(head + cell * (i as f64 + 0.5));
            area.draw_text(name, &label(HPos::Right), (px(head - 5.0), middle))?;
            let upright = label(HPos::Left).transform(FontTransform::Rotate270);
            area.draw_text(name, &upright, (middle, px(head - 5.0)))?;
        }
        for (i, counts) in matrix.iter().enumerate() {
            let rows: usize = counts.iter().sum();
            for (j, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let share = count as f64 / rows as f64;
                let corners = [(place(j), place(i)), (place(j + 1), place(i + 1))];
                area.draw(&Rectangle::new(corners, HEAT.mix(share).filled()))?;
                if classes <= WRITTEN {
                    let style = font(size, INK).pos(Pos::new(HPos::Center, VPos::Center));
                    let middle = ((place(j) + place(j + 1)) / 2, (place(i) + place(i + 1)) / 2);
                    area.draw_text(&whole(100.0 * share), &style, middle)?;
                }
            }
        }
        area.draw(&Rectangle::new([(place(0), place(0)), (place(classes), place(classes))], line(GRID, 1.0)))
    })
}

/// The commonest mistakes.
fn mistakes(labels: &[String], matrix: &[Vec<usize>]) -> String {
    let all: usize = matrix.iter().flatten().sum();
    let right: usize = matrix.iter().enumerate().filter_map(|(i, counts)| counts.get(i)).sum();
    let mut wrong: Vec<(usize, &str, &str)> = Vec::new();
    for (i, (counts, label)) in matrix.iter().zip(labels).enumerate() {
        let others = counts.iter().zip(labels).enumerate().filter(|(j, (count, _))| *j != i && **count > 0);
        wrong.extend(others.map(|(_, (count, guess))| (*count, label.as_str(), guess.as_str())));
    }
    wrong.sort_by_key(|(count, ..)| std::cmp::Reverse(*count));
    let told =
        wrong.iter().take(TOLD).map(|(count, label, guess)| format!(" {label} taken for {guess}: {count}."));
    format!("{right} of {all} predictions are right.{}", told.collect::<String>())
}
