//! The recommendation in words: which student to ship, and why.

use microdistill_train::number::significant;

use super::choice::holds_up;
use super::figures;
use super::results::{Best, Candidate, Overall, Recommendation, Results};

/// The recommendation of a data set.
pub(crate) struct Advice<'a> {
    of: &'a Recommendation,
    /// Metrics of the score and the loss.
    score: &'static str,
    loss: &'static str,
}

/// The advice for a single data set, if its study gives any.
pub(crate) fn of<'a>(results: &'a Results, overall: &Overall) -> Option<Advice<'a>> {
    let [name] = overall.sets.as_slice() else { return None };
    let set = results.sets.iter().find(|set| set.name == *name && set.condition == overall.condition)?;
    let of = set.recommendation.as_ref()?;
    let (score, loss) = if set.labels.is_empty() { ("r2", "rmse") } else { ("test accuracy", "nll") };
    Some(Advice { of, score, loss })
}

impl Advice<'_> {
    /// The student and its size.
    pub(crate) fn headline(&self) -> String {
        let Candidate { arm, widths, flash_bytes, flash_bytes_int8, .. } = &self.of.student;
        let (size, form) =
            if self.int8_holds_up() { (flash_bytes_int8, "int8") } else { (flash_bytes, "f32") };
        format!("Ship `{arm}` {}, {} in {form}.", shape(widths), bytes(*size))
    }

    fn int8_holds_up(&self) -> bool {
        self.of.int8.as_ref().is_none_or(holds_up)
    }

    /// The reason.
    pub(crate) fn reason(&self) -> String {
        let student = &self.of.student;
        let loss = figures::mean_std(self.loss, &student.loss);
        let loss_name = if self.loss == "nll" { "NLL" } else { "RMSE" };
        let scored = match self.score {
            "r2" => format!("It has an R² of {}", self.with_interval(student, "")),
            _ => format!("It is right on {} of the test rows", self.with_interval(student, " %")),
        };
        let other = match self.int8_holds_up() {
            true => format!("{} of flash in f32", bytes(student.flash_bytes)),
            false => format!("{} of flash in int8", bytes(student.flash_bytes_int8)),
        };
        format!(
            "{scored}, at an {loss_name} of {loss}, and takes {other}. {} {}It is chosen among {} students by \
             test rows, so its score is slightly too good.",
            self.of.best.as_ref().map_or_else(|| self.is_best(), |best| self.against(best)),
            self.int8_cost().map_or(String::new(), |cost| cost + " "),
            self.of.among,
        )
    }

    /// Headline and reason.
    pub(crate) fn sentence(&self) -> String {
        format!("{} {}", self.headline(), self.reason())
    }

    fn is_best(&self) -> String {
        let score = if self.score == "r2" { "R²" } else { "accuracy" };
        let point = if self.score == "r2" { "0.01" } else { "a point" };
        format!(
            "No other student has a higher {score}, and each smaller one is shown to be worse, or is by over {point}."
        )
    }

    fn against(&self, best: &Best) -> String {
        let (difference, ends) = figures::estimate(self.score, &best.difference);
        let unit = if self.score == "r2" { "" } else { " points" };
        let interval = ends.map_or(String::new(), |[low, high]| format!(", 95 % interval {low} to {high}"));
        let Candidate { arm, widths, flash_bytes, .. } = &best.student;
        let smaller = *flash_bytes > self.of.student.flash_bytes;
        let so = if smaller { "take the smaller one" } else { "take the one with the smaller loss" };
        format!(
            "`{arm}` {} scores highest, with {}, in {}, but the two cannot be told apart ({difference}{unit}{interval}): {so}.",
            shape(widths),
            self.with_interval(&best.student, if self.score == "r2" { "" } else { " %" }),
            bytes(*flash_bytes),
        )
    }

    fn int8_cost(&self) -> Option<String> {
        let int8 = self.of.int8.as_ref()?;
        let (mean, ends) = figures::estimate(self.score, int8);
        let unit = if self.score == "r2" { "R²" } else { "points" };
        let interval = ends.map_or(String::new(), |[low, high]| format!(" ({low} to {high})"));
        let unchanged = int8.mean() == 0.0 && int8.interval().is_none_or(|ends| ends == (0.0, 0.0));
        Some(match unchanged {
            true => "int8 changes nothing about that.".into(),
            false => {
                let so =
                    if self.int8_holds_up() { "" } else { ", which is too much: try `distill --bits 8`" };
                format!("int8 changes the score by {mean}{interval} {unit}{so}.")
            }
        })
    }

    /// The score in this unit.
    fn with_interval(&self, student: &Candidate, unit: &str) -> String {
        let (mean, ends) = figures::score(self.score, student.score.mean, student.interval);
        ends.map_or(format!("{mean}{unit}"), |[low, high]| format!("{mean}{unit} ({low} to {high})"))
    }
}

fn shape(widths: &[usize]) -> String {
    widths.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

fn bytes(bytes: usize) -> String {
    if bytes < 10_000 {
        format!("{bytes} bytes")
    } else {
        format!("{} kB", significant(bytes as f64 / 1000.0, 3))
    }
}
