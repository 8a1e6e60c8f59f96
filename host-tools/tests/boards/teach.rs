//! Boards that the desktop teaches over their serial port.

use std::ops::ControlFlow;
use std::time::Duration;

use libtest_mimic::Failed;
use microdistill::stream::Settings;
use microdistill_boards::Profile;
use microdistill_boards::serial::{Emulated, Line};
use microdistill_boards::teach::{Lessons, Patience, Taught, Tutor};
use microdistill_boards::{Board, Sources};
use microdistill_train::import::trainable;
use serde_json::Value;
use tempfile::TempDir;

use super::common::bundled;
use super::common::faulty::Faulty;
use super::{build, desktop_and, every_emulated, microdistill, model};

/// Emulated boards end with the desktop's weights, even over a line that loses, repeats, delays or damages a
/// fifth of all frames.
pub(crate) fn a_board_is_taught_over_its_serial_port() -> Result<(), Failed> {
    let mut record = None;
    for (board, profile) in desktop_and(every_emulated()) {
        let elf = build(&board, "teach", &Sources::default(), profile)?;
        let start = || -> Result<Emulated, Failed> { Ok(Emulated::start(&board, &elf)?) };
        let taught = teach(&board, start()?)?;
        assert_eq!((taught.samples, taught.different), (SAMPLES, 0), "{}, {profile:?}", board.name);
        assert_eq!(&taught.record, record.get_or_insert_with(|| taught.record.clone()), "{}", board.name);
        if ["host", "qemu-mps2", "microbit"].contains(&board.name.as_str()) && profile == Profile::Release {
            let mut line = Faulty::new(start()?, 1);
            let faulty = teach(&board, &mut line)?;
            assert!(line.faults.iter().all(|&count| count > 5) && faulty.repeated > 20, "{:?}", line.faults);
            assert_eq!((faulty.different, Some(&faulty.record)), (0, record.as_ref()), "{}", board.name);
        }
    }
    Ok(())
}

const SAMPLES: usize = 150;

fn teach(board: &Board, line: impl Line) -> Result<Taught, Failed> {
    let (student, teacher) = (model("student.safetensors"), model("teacher.safetensors"));
    let lessons = Lessons::new(&student, Some(&teacher), &bundled().0)?;
    let settings = Settings { rate: 0.003, weight_decay: 1e-4, temperature: 2.0, alpha: 0.9, batch: 4 };
    let patience = Patience { answer: Duration::from_millis(100), silence: Duration::from_secs(30) };
    let mut samples = 0;
    Ok(Tutor::new(line, &board.name, patience).teach(
        trainable(&student)?,
        &settings,
        lessons.passes(1, 1),
        &mut |_, _| {
            samples += 1;
            if samples == SAMPLES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    )?)
}

pub(crate) fn teach_tells_machines_what_became_of_it() -> Result<(), Failed> {
    let folder = TempDir::new()?;
    let path = |name| folder.path().join(name).display().to_string();
    let (out, record, again) = (path("learned.safetensors"), path("learned.mdw"), path("again.safetensors"));
    let models = "examples/models/watch_small";
    let json = |line: String| -> Result<Value, Failed> {
        let output = microdistill(&format!("{line} --json")).output()?;
        assert!(output.status.success(), "{output:?}");
        Ok(serde_json::from_slice(&output.stdout)?)
    };
    let outcome = json(format!("board teach host --fresh --out {out} --record {record}"))?;
    assert_eq!((&outcome["samples"], &outcome["different"]), (&785.into(), &0.into()));
    let accuracy = |scores: &Value| scores["accuracy"].as_f64().unwrap_or(f64::NAN);
    assert!(accuracy(&outcome["before"]) < 0.3 && accuracy(&outcome["after"]) > 0.7, "{outcome}");
    assert!(outcome["live_accuracy"].as_f64() > Some(0.7), "{outcome}");

    // Without what was noted on the way.
    let scores = |model: &str| -> Result<Value, Failed> {
        let mut scores = json(format!("evaluate {model} --test examples/data/watch_small/test.csv"))?;
        scores.as_object_mut().and_then(|scores| scores.remove("notes")).ok_or("there are no notes")?;
        Ok(scores)
    };
    assert_eq!(scores(&out)?, outcome["after"]);
    json(format!("import {record} --like {models}/student.safetensors --out {again}"))?;
    assert_eq!(scores(&again)?, outcome["after"]);

    for (line, told) in [
        ("board teach rp2040-pico --out x", "flash rp2040-pico teach"),
        ("board teach --port /dev/no-such-port --out x", "/dev/no-such-port: "),
        ("board run host teach", "board teach host"),
    ] {
        let output = microdistill(line).output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && stderr.contains(told), "{line}: {stderr}");
    }
    Ok(())
}
