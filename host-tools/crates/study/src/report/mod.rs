//! A study for people and for other programs: a page that needs nothing but itself, and a table of all cells.
//!
//! [`Results`] become tables and plots (`page`), which a template (`page.html`) and a style sheet (`style.css`) set. The
//! template escapes every text. Plots have fixed colors, which the style sheet gives other values in the dark (`svg`).

mod answer;
mod axes;
mod confusion;
mod csv;
mod curves;
mod forest;
mod gap;
mod levels;
mod lines;
mod markup;
mod number;
mod overall;
mod page;
mod predictions;
mod reliability;
mod rows;
mod set;
mod size;
mod svg;
mod table;
mod temperature;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};

pub use self::csv::csv;
use self::page::Page;
use crate::study::results::Results;
use microdistill_train::error::{Error, Result};

const TEMPLATES: [(&str, &str); 4] = [
    ("style.css", include_str!("style.css")),
    ("macros.html", include_str!("macros.html")),
    ("set.html", include_str!("set.html")),
    ("page.html", include_str!("page.html")),
];

/// The study as one HTML file, which loads nothing from anywhere.
///
/// # Errors
/// None that a study can cause.
pub fn html(results: &Results) -> Result<String> {
    let invalid =
        |error: minijinja::Error| Error::Invalid(format!("the report cannot be written: {error:#}"));
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_syntax(
        templates.syntax().to_builder().trim_blocks(true).lstrip_blocks(true).build().map_err(invalid)?,
    );
    for (name, text) in TEMPLATES {
        templates.add_template(name, text).map_err(invalid)?;
    }
    let page = Serde(Page::new(results)?);
    templates
        .get_template("page.html")
        .and_then(|template| template.render(context! { page }))
        .map_err(invalid)
}
