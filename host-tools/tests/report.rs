//! The report of a study: what is in it, and that no text of a study becomes markup.

#[path = "report/fixture.rs"]
mod fixture;

use fixture::{classes, study};
use microdistill_host_tools::report::{csv, html};

#[test]
fn a_page_has_every_plot_and_loads_nothing() {
    let page = html(&study(&[("wine", classes(3)), ("27 people", classes(27))], 3)).unwrap();
    assert!(page.matches("<svg").count() > 60, "{page}");
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("NaN"), "{page}");
}

#[test]
fn no_text_of_a_study_becomes_markup() {
    let attack = "\"'><script>alert(1)</script>";
    let mut study = study(&[(attack, vec![attack.into(), "ß ☃".into()])], 2);
    study.title = attack.into();
    study.sentences = vec![attack.into()];
    study.arms[0].description = attack.into();
    let page = html(&study).unwrap();
    assert!(!page.contains("<script>"), "{page}");
    assert!(page.contains("ß ☃"), "{page}");
}

#[test]
fn csv_has_a_row_for_each_cell() {
    let text = csv(&study(&[("wine", classes(3))], 2)).unwrap();
    assert_eq!(text.lines().count(), 1 + 6 * 2);
}
