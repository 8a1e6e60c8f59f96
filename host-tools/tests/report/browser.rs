//! The report in headless Chromium.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libtest_mimic::Failed;
use microdistill_boards::which;
use microdistill_study::report::html;
use serde_json::Value;
use tempfile::TempDir;

use crate::contents::{levels, long_names, values};
use crate::fixture::classes;

/// Chromium or a compatible browser.
pub(crate) fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(which)
}

const CHECK: &str = include_str!("check.js");
/// A page around the report, which shows the findings of the check.
const FRAME: &str = r#"<!DOCTYPE html>
<html><head><meta name="color-scheme" content="light dark"/></head>
<body><iframe src="checked.html" style="width: WIDTHpx; height: 1600px; border: 0; color-scheme: light dark"></iframe><script>
addEventListener("message", (event) => {
  const pre = document.createElement("pre");
  pre.id = "check";
  pre.textContent = event.data;
  document.body.append(pre);
});
</script></body></html>"#;
/// Resources that the page may load, and those that the check needs in addition.
const POLICY: &str = "style-src 'unsafe-inline'";
const CHECK_POLICY: &str = "style-src 'unsafe-inline'; script-src 'nonce-check'";

pub(crate) fn a_browser_shows_every_plot() -> Result<(), Failed> {
    let classes = levels(&[("wine", classes(3)), ("27 <people> & \"more\"", classes(27))]);
    let of_values = [1e6, 1e-9, 1e30].map(|unit| values(&["air"], unit));
    for results in [classes].into_iter().chain(long_names()).chain(of_values) {
        a_browser_shows(&html(&results)?)?;
    }
    Ok(())
}

fn a_browser_shows(page: &str) -> Result<(), Failed> {
    let folder = TempDir::new()?;
    let plots = page.matches("<svg").count() as u64;
    let script = format!("<script nonce=\"check\">{CHECK}</script></head>");
    let checked = page.replace(POLICY, CHECK_POLICY).replace("</head>", &script);
    assert_eq!(
        checked.len(),
        page.len() + CHECK_POLICY.len() - POLICY.len() + script.len() - "</head>".len()
    );
    let file = folder.path().join("checked.html");
    std::fs::write(&file, checked)?;
    for (dark, width) in [(false, 1200), (false, 400), (true, 1280), (true, 360)] {
        let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(!dark));
        // A browser window cannot be as narrow as a phone, but a frame can.
        let frame = folder.path().join("frame.html");
        std::fs::write(&frame, FRAME.replace("WIDTH", &width.to_string()))?;
        let output = run(folder.path(), &[&scheme, "--window-size=1400,1600", "--dump-dom"], &frame)?;
        let found = found(&output)?;
        assert_eq!(found["width"].as_u64(), Some(width), "{found}");
        assert_eq!(found["plots"].as_u64(), Some(plots), "{found}");
        for none in ["hidden", "cut", "covered", "wider", "shortened"] {
            assert_eq!(found[none], Value::Array(Vec::new()), "{none} at {width} pixels: {}", found[none]);
        }
        assert_eq!(found["dark"].as_bool(), Some(dark), "{found}");
        assert!(found["contrast"].as_f64().is_some_and(|contrast| contrast >= 4.5), "{found}");
        assert!(found["overflow"].as_i64().is_some_and(|overflow| overflow <= 0), "{width}: {found}");
    }

    let (file, pdf) = (folder.path().join("page.html"), folder.path().join("page.pdf"));
    std::fs::write(&file, page)?;
    run(folder.path(), &[&format!("--print-to-pdf={}", pdf.display()), "--no-pdf-header-footer"], &file)?;
    let printed = std::fs::read(pdf)?;
    assert!(printed.starts_with(b"%PDF"));
    let pages = printed.windows(11).filter(|bytes| bytes == b"/Type /Page").count();
    assert!(pages > 3, "{pages} pages: a set starts a new one");
    Ok(())
}

/// Opens the page. Returns an error if Chromium fails, or the page prints anything to its console.
fn run(folder: &Path, flags: &[&str], page: &Path) -> Result<Output, Failed> {
    let output = Command::new(chromium().ok_or("Chromium is missing: apt-get install chromium")?)
        // Root, the user of many containers, has no sandbox.
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=10000"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(flags)
        .arg(format!("file://{}", page.display()))
        .output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let said: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(said.is_empty(), "{said:?}");
    Ok(output)
}

/// Findings of the check.
fn found(output: &Output) -> Result<Value, Failed> {
    let dom = String::from_utf8_lossy(&output.stdout);
    let (_, rest) = dom.split_once("<pre id=\"check\">").ok_or("the check did not run")?;
    let (json, _) = rest.split_once("</pre>").ok_or("the check did not end")?;
    Ok(serde_json::from_str(json)?)
}
