//! A plot of named rows over one axis: the name above, the number at its right, the marks below.

use std::ops::Range;

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::svg::{Area, Axis, Chart, Drawn, GRID, INK, MUTED, REFERENCE, anchored, font, line, px, whisker};

/// One row.
pub(super) struct Row {
    /// Name of the row.
    pub(super) name: String,
    /// Its number, in words.
    pub(super) number: String,
}

/// All rows and their axis.
pub(super) struct RowChart<'a> {
    pub(super) rows: &'a [Row],
    /// Range of the axis.
    pub(super) range: Range<f64>,
    /// Below the ticks.
    pub(super) axis: &'a str,
    /// A line over all rows, where it lies within the range.
    pub(super) reference: Option<f64>,
}

/// Pixels.
pub(super) const WIDTH: i32 = 360;
const ROW: i32 = 42;
const FOOT: i32 = 42;
const MARGIN: i32 = 8;
/// Height of a line of words.
const LINE: i32 = 15;
/// Middle of the first line below the top of a row.
const FIRST: f64 = 11.8;
/// Middle of the marks above the bottom of a row.
const MARKS: f64 = 12.6;
/// Width of a letter, of most words.
const LETTER: f64 = 6.6;

impl RowChart<'_> {
    /// In pixels.
    pub(super) fn size(&self) -> (i32, i32) {
        (WIDTH, self.row() * self.rows.len().max(1) as i32 + FOOT)
    }

    /// Height of a row.
    fn row(&self) -> i32 {
        let lines = self.rows.iter().map(|row| row.lines().len() + usize::from(!row.fits())).max();
        ROW + LINE * (lines.unwrap_or(1) as i32 - 1)
    }

    /// Draws all but the marks; `marks` then is called for each row with its height on the chart.
    pub(super) fn draw(&self, area: &Area, mut marks: impl FnMut(&mut Chart, usize, f64) -> Drawn) -> Drawn {
        let x = Axis::linear(self.range.clone(), 6).inset();
        let scale = x.scale();
        let mut chart = ChartBuilder::on(area)
            .margin_left(px(f64::from(MARGIN)))
            .margin_right(px(f64::from(MARGIN)))
            .x_label_area_size(px(f64::from(FOOT)))
            .build_cartesian_2d(x, Axis::rows(self.rows.len().max(1)))?;
        let tick = |x: &f64| super::number::scaled(scale, *x);
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .axis_style(line(GRID, 1.0))
            .bold_line_style(line(GRID, 1.0))
            .set_all_tick_mark_size(px(3.0))
            .x_label_style(font(11.0, MUTED))
            .axis_desc_style(font(11.0, MUTED))
            .x_label_formatter(&tick)
            .x_desc(self.axis)
            .draw()?;
        let Range { start, end } = self.range;
        if let Some(x) = self.reference.filter(|x| (start..=end).contains(x)) {
            let whole = self.rows.len().max(1) as f64;
            whisker(&mut chart, (x, 0.0), (x, whole), line(REFERENCE, 1.5))?;
        }
        let height = f64::from(self.row());
        for (i, row) in self.rows.iter().enumerate() {
            let top = i as f64;
            let lines = row.lines();
            let middle = |line: usize| top + (FIRST + f64::from(LINE) * line as f64) / height;
            let name = anchored(font(12.0, INK), HPos::Left);
            for (number, text) in lines.iter().enumerate() {
                chart.draw_series([Text::new(text.clone(), (start, middle(number)), name.clone())])?;
            }
            let number = anchored(font(12.0, MUTED), HPos::Right);
            let at = if row.fits() { 0 } else { lines.len() };
            chart.draw_series([Text::new(row.number.clone(), (end, middle(at)), number)])?;
            marks(&mut chart, i, top + 1.0 - MARKS / height)?;
        }
        Ok(())
    }
}

impl Row {
    /// Returns true if name and number fit next to each other.
    fn fits(&self) -> bool {
        self.name.chars().count() + self.number.chars().count() + 2 <= letters()
    }

    /// The name in lines that fit. Words that are longer than a line are divided.
    fn lines(&self) -> Vec<String> {
        if self.fits() {
            return vec![self.name.clone()];
        }
        let mut lines: Vec<String> = vec![String::new()];
        for word in self.name.split_whitespace() {
            let letters_of_word: Vec<char> = word.chars().collect();
            for part in letters_of_word.chunks(letters()) {
                match lines.last_mut() {
                    Some(last) if last.is_empty() => last.extend(part),
                    Some(last) if last.chars().count() + 1 + part.len() <= letters() => {
                        last.push(' ');
                        last.extend(part);
                    }
                    _ => lines.push(part.iter().collect()),
                }
            }
        }
        lines
    }
}

/// Number of letters that fit in a line.
fn letters() -> usize {
    (f64::from(WIDTH - 2 * MARGIN) / LETTER) as usize
}

#[cfg(test)]
mod tests {
    use super::{Row, letters};

    #[test]
    fn long_names_have_lines_of_their_own_and_lose_no_letter() {
        let row = |name: &str| Row { name: name.into(), number: "+1.2 [−0.3, +2.7]".into() };
        assert_eq!(row("default − hard-l2").lines(), ["default − hard-l2"]);
        let long = row(&format!("{} and {}", "a".repeat(120), "gesture ".repeat(12)));
        assert!(!long.fits() && long.lines().iter().all(|line| line.chars().count() <= letters()));
        let joined = long.lines().concat().replace(' ', "");
        assert_eq!(joined, long.name.replace(' ', ""));
    }
}
