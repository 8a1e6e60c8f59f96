#[path = "report/fixture.rs"]
mod fixture;

fn main() {
    let study = fixture::study(&[("watch <small>", fixture::classes(6)), ("27 people", fixture::classes(27))], 10);
    let html = microdistill_host_tools::report::html(&study).unwrap();
    std::fs::write("/tmp/report.html", html).unwrap();
}
