//! Firmware on emulated boards, compared bit by bit with the desktop.
//!
//! If a target or QEMU is missing, these tests show as ignored; with `CI=true` they fail instead.

mod common;
#[path = "boards/pins.rs"]
mod pins;
#[path = "boards/shipped.rs"]
mod shipped;
#[path = "boards/teach.rs"]
mod teach;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use common::bundled;
use libtest_mimic::{Arguments, Failed, Trial};
use microdistill_boards::bench::peers::{self, PEERS};
use microdistill_boards::{self as board, Board, Elf, Firmware, Optimizer, Output, Profile, Sources};
use microdistill_train::dataset::{Dataset, Target, Task};
use microdistill_train::hyperparameters::Length;
use microdistill_train::model::{Body, Model};
use microdistill_train::network::precision::{Bits, Precision, Scales};
use microdistill_train::network::{Activation, Dense, Network};
use microdistill_train::quantize::quantize;
use microdistill_train::student::{Recipe, Settings, Taught, fit};
use nalgebra::DMatrix;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use serde_json::Value;
use shipped::{ADAPT, shipped};
use tempfile::TempDir;

type Test = fn() -> Result<(), Failed>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Builds for different models write to the same folder.
    arguments.test_threads = Some(1);
    let tests: [(&str, Test); 21] = [
        ("every_core_s_kernels_equal_the_portable_ones", every_core_s_kernels_equal_the_portable_ones),
        ("every_test_row_has_the_desktop_s_bits", every_test_row_has_the_desktop_s_bits),
        ("several_values_have_the_desktop_s_bits", several_values_have_the_desktop_s_bits),
        ("a_distillation_ends_with_the_desktop_s_weights", a_distillation_ends_with_the_desktop_s_weights),
        ("so_does_a_distillation_by_adam", so_does_a_distillation_by_adam),
        ("what_a_board_learned_is_evaluated_here", what_a_board_learned_is_evaluated_here),
        ("an_int8_teacher_s_distillation_fits_16_kib", an_int8_teacher_s_distillation_fits_16_kib),
        ("an_adaptation_is_the_desktop_s", an_adaptation_is_the_desktop_s),
        ("what_an_adaptation_kept_comes_back", what_an_adaptation_kept_comes_back),
        ("a_board_is_taught_over_its_serial_port", teach::a_board_is_taught_over_its_serial_port),
        ("teach_tells_machines_what_became_of_it", teach::teach_tells_machines_what_became_of_it),
        ("rows_of_another_model_are_refused", rows_of_another_model_are_refused),
        ("a_flipped_bit_is_seen", a_flipped_bit_is_seen),
        ("weights_stay_in_flash", weights_stay_in_flash),
        ("nothing_of_the_core_can_panic", nothing_of_the_core_can_panic),
        ("flashing_is_by_probe_rs", flashing_is_by_probe_rs),
        ("bench_tells_machines_what_they_rely_on", bench_tells_machines_what_they_rely_on),
        ("a_plain_loop_has_the_same_outputs", a_plain_loop_has_the_same_outputs),
        ("an_interrupt_driven_program_is_as_pinned", pins::an_interrupt_driven_program_is_as_pinned),
        ("outputs_and_sizes_are_those_pinned", pins::outputs_and_sizes_are_those_pinned),
        (
            "instructions_of_the_reference_networks_are_those_pinned",
            pins::instructions_of_the_reference_networks_are_those_pinned,
        ),
    ];
    let missing = !boards().iter().all(|board| board.missing().is_empty());
    let ignored = missing && std::env::var_os("CI").is_none();
    let kind = if missing { "needs QEMU: cargo microdistill setup" } else { "" };
    let trial = |(name, test)| Trial::test(name, test).with_ignored_flag(ignored).with_kind(kind);
    libtest_mimic::run(&arguments, tests.into_iter().map(trial).collect()).exit_code()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn find(name: &str) -> Board {
    board::find(&repository().join("examples/firmware"), name).unwrap()
}

fn boards() -> Vec<Board> {
    board::list(&repository().join("examples/firmware")).unwrap()
}

fn emulated() -> Board {
    find("qemu-mps2")
}

/// The desktop in both profiles.
fn desktop() -> [(Board, Profile); 2] {
    [(find("host"), Profile::Debug), (find("host"), Profile::Release)]
}

/// The desktop in both profiles, and these boards.
fn desktop_and(boards: impl IntoIterator<Item = Board>) -> impl Iterator<Item = (Board, Profile)> {
    desktop().into_iter().chain(boards.into_iter().map(|board| (board, Profile::Release)))
}

/// All boards that QEMU emulates.
fn every_emulated() -> impl Iterator<Item = Board> {
    boards().into_iter().filter(|board| board.qemu.is_some())
}

/// Boards with 16 KiB of RAM: their example is int8.
const SMALL: [&str; 2] = ["microbit", "sifive-e"];

/// A committed model.
fn model(name: &str) -> Model {
    Model::load(repository().join("examples/models/watch_small").join(name)).unwrap()
}

fn build(board: &Board, program: &str, sources: &Sources, profile: Profile) -> Result<PathBuf, Failed> {
    Ok(Firmware { board, program, sources: sources.clone(), profile }.build()?)
}

fn run(board: &Board, elf: &Path) -> Result<Output, Failed> {
    Ok(board::run(board, elf, &mut |_| {})?)
}

/// Builds the program for one board after the other, and runs each firmware while the next ones build.
fn run_on(
    boards: impl IntoIterator<Item = (Board, Profile)>,
    program: &str,
    sources: &Sources,
) -> Result<Vec<(String, Output)>, Failed> {
    std::thread::scope(|scope| {
        let mut runs = Vec::new();
        for (board, profile) in boards {
            let elf = build(&board, program, sources, profile)?;
            let label = format!("{}, {profile:?}", board.name);
            runs.push((label, scope.spawn(move || run(&board, &elf))));
        }
        runs.into_iter().map(|(label, run)| Ok((label, run.join().unwrap()?))).collect()
    })
}

fn outputs(model: &Model, rows: &Dataset) -> Vec<Vec<f32>> {
    model.predict(rows).column_iter().map(|outputs| outputs.as_slice().to_vec()).collect()
}

/// Compares random layers, with larger ones on boards that have room for them.
fn every_core_s_kernels_equal_the_portable_ones() -> Result<(), Failed> {
    let (small, large): (Vec<Board>, Vec<Board>) =
        every_emulated().partition(|board| SMALL.contains(&board.name.as_str()));
    let release = |board| (board, Profile::Release);
    let (small, large) = (small.into_iter().map(release).collect(), desktop_and(large).collect());
    for boards in [small, large] as [Vec<_>; 2] {
        let mut digests = None;
        for (board, output) in run_on(boards, "kernels", &Sources::default())? {
            assert!(output.success, "{board}: {output:?}");
            let digest = |line: &String| Some(line.split_once("digest ")?.1.to_owned());
            let found: Vec<String> = output.lines.iter().filter_map(digest).collect();
            assert_eq!(found.len(), 6, "{board}: {output:?}");
            assert_eq!(&found, digests.get_or_insert_with(|| found.clone()), "{board}");
        }
    }
    Ok(())
}

fn every_test_row_has_the_desktop_s_bits() -> Result<(), Failed> {
    let (train, test) = bundled();
    assert_eq!(test.rows(), 364);
    let folder = TempDir::new()?;
    let student = model("student.safetensors");
    let int4 = |precision: fn(Bits) -> Precision| quantize(&student, &train.x, precision(Bits::Four));
    let models = [
        ("int8", model("student_int8.safetensors")),
        ("a table", with_table(&train)?),
        ("int4", int4(Precision::per_channel)?),
        ("int4 by group", int4(Precision::per_group)?),
        ("values in int8", quantize(&values(&student), &train.x, Precision::default())?),
        ("values in int4", quantize(&values(&student), &train.x, Precision::per_channel(Bits::Four))?),
        ("f32", student.clone()),
    ];
    for (name, model) in models {
        let sources = Sources::infer(folder.path(), "model.rs", &model, &test)?;
        let expected = outputs(&model, &test);
        for (board, output) in run_on(desktop_and(every_emulated()), "infer", &sources)? {
            assert!(output.success, "{name} on {board}: {output:?}");
            assert_eq!(output.rows().len(), 364, "{name} on {board}");
            assert_eq!(output.different(&expected), 0, "{name} on {board}");
        }
    }
    // Like the shipped firmware of small boards: rows are codes.
    let expected = outputs(&model("student_int8.safetensors"), &test);
    for name in SMALL {
        let output = shipped_output("infer", name)?;
        assert_eq!(output.different(&expected), 0, "{name}: {output:?}");
    }
    Ok(())
}

/// A student of three targets in different units, one of them far from zero.
fn several_values_have_the_desktop_s_bits() -> Result<(), Failed> {
    let (train, test) = bundled();
    let valued = |data: Dataset| {
        let values = DMatrix::from_fn(3, data.rows(), |target, row| {
            let [a, b] = [data.x[(0, row)], data.x[(1, row)]];
            [101_325.0 + 400.0 * a, 0.001 * b, a - b][target]
        });
        let targets = ["Pa", "m", "difference"].map(str::to_owned).into();
        Dataset { task: Task::Regression { targets }, target: Target::Values(values), groups: None, ..data }
    };
    let (train, test) = (valued(train), valued(test.select(&(0..60).collect::<Vec<_>>())));
    let mut settings = Settings::new(train.widths(&[12]), Recipe::ValueMse, train.rows(), 1);
    settings.training.length = Length::Epochs(5);
    let rows = Taught { data: &train, teacher: None };
    let student = fit(rows, None, &settings, &mut |_| ControlFlow::Continue(()))?;
    let int8 = quantize(&student, &train.x, Precision::default())?;
    let int4 = quantize(&student, &train.x, Precision::per_group(Bits::Four))?;
    let folder = TempDir::new()?;
    for model in [student, int8, int4] {
        let sources = Sources::infer(folder.path(), "model.rs", &model, &test)?;
        let expected = outputs(&model, &test);
        for (board, output) in run_on(desktop_and([emulated()]), "infer", &sources)? {
            let kind = model.kind();
            assert!(output.success, "{kind} on {board}: {output:?}");
            assert_eq!(output.rows().first().map(Vec::len), Some(3), "{kind} on {board}");
            assert_eq!(output.different(&expected), 0, "{kind} on {board}");
        }
    }
    Ok(())
}

/// A regression far from zero: the first output of the student.
fn values(student: &Model) -> Model {
    let mut model = student.clone();
    model.metadata.task = Task::Regression { targets: vec!["pressure".into()] };
    if let Body::F32(network) = &mut model.body {
        let [hidden, last] = network.layers() else { unreachable!("the student has one hidden layer") };
        let weights = last.weights()[..last.inputs()].to_vec();
        let last = Dense::new(weights, vec![last.bias[0] + 101_325.0], Activation::Identity);
        *network = Network::new([hidden.clone(), last]);
    }
    model
}

/// The student in int8, with another activation in its hidden layer, which int8 looks up in a table.
fn with_table(train: &Dataset) -> Result<Model, Failed> {
    let mut model = model("student.safetensors");
    if let Body::F32(network) = &mut model.body {
        network.layers_mut()[0].activation = Activation::Tanh;
    }
    Ok(quantize(&model, &train.x, Scales::PerChannel)?)
}

/// Output of a shipped program on an emulated board.
fn shipped_output(program: &str, board: &str) -> Result<&'static Output, Failed> {
    let output = shipped(program)?.get(board).and_then(|shipped| shipped.output.as_ref());
    output.ok_or_else(|| format!("{board} is not emulated").into())
}

fn a_distillation_ends_with_the_desktop_s_weights() -> Result<(), Failed> {
    let weights = distillations(desktop(), &Sources::default())?;
    for board in every_emulated().filter(|board| !SMALL.contains(&board.name.as_str())) {
        let found = distilled(&board.name, shipped_output("distill", &board.name)?);
        assert_eq!(found, weights, "{} and the desktop differ", board.name);
    }
    Ok(())
}

fn so_does_a_distillation_by_adam() -> Result<(), Failed> {
    let sources = Sources { optimizer: Optimizer::Adam, ..Sources::default() };
    let adam = distillations(desktop_and([emulated()]), &sources)?;
    let sgd = distilled("sgd", shipped_output("distill", "qemu-mps2")?);
    assert_ne!(adam, sgd, "the optimizer makes a difference");
    Ok(())
}

fn what_a_board_learned_is_evaluated_here() -> Result<(), Failed> {
    let board = emulated();
    let output = run(&board, &build(&board, "distill", &Sources::default(), Profile::Release)?)?;
    let folder = TempDir::new()?;
    let (log, learned) = (folder.path().join("log.txt"), folder.path().join("learned.safetensors"));
    std::fs::write(&log, output.lines.join("\n"))?;
    let json = |line: String| -> Result<Value, Failed> {
        let output = microdistill(&format!("{line} --json")).output()?;
        assert!(output.status.success(), "{output:?}");
        Ok(serde_json::from_slice(&output.stdout)?)
    };
    let (log, learned) = (log.display(), learned.display());
    let models = "examples/models/watch_small";
    let outcome = json(format!("import {log} --like {models}/student.safetensors --out {learned}"))?;
    assert_eq!((&outcome["parameters"], &outcome["changed"]), (&615.into(), &615.into()));
    // The board counted correct predictions on the same rows.
    let scores = json(format!("evaluate {learned} --test examples/data/watch_small/test.csv"))?;
    let (right, all) = output.share("after").ok_or("distill does not say how it ended")?;
    assert_eq!(scores["rows"], all);
    assert_eq!(scores["accuracy"].as_f64(), Some(right as f64 / all as f64));
    Ok(())
}

fn an_int8_teacher_s_distillation_fits_16_kib() -> Result<(), Failed> {
    let (train, test) = bundled();
    let folder = TempDir::new()?;
    let sources = Sources::distill(folder.path(), &model("teacher_int8.safetensors"), &train, &test)?;
    let weights = distillations(desktop(), &sources)?;
    for name in SMALL {
        let output = shipped_output("distill", name)?;
        assert_eq!(distilled(name, output), weights, "{name} and the desktop differ");
        let stack = output.value("stack").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        let stack = stack.ok_or("distill does not say how deep its stack was")?;
        let ram = shipped("distill")?[name].memory.ram;
        assert!(ram + stack < 15 * 1024, "{name}: {ram} bytes and a stack of {stack}");
    }
    Ok(())
}

fn rows_of_another_model_are_refused() -> Result<(), Failed> {
    let folder = TempDir::new()?;
    let test = std::fs::read_to_string(repository().join("examples/models/watch_small/test_int8.rs"))?;
    let path = folder.path().join("test.rs");
    std::fs::write(&path, test.replace("zero: 36", "zero: 35"))?;
    let sources = Sources { test: Some(path), ..Sources::default() };
    let board = find("microbit");
    let output = run(&board, &build(&board, "infer", &sources, Profile::Release)?)?;
    assert!(!output.success);
    assert_eq!(output.lines[1], "the rows are codes of another model");
    Ok(())
}

fn an_adaptation_is_the_desktop_s() -> Result<(), Failed> {
    let told = |output: &Output| -> Vec<String> {
        output.lines.iter().filter(|line| !pins::is_measured(line)).cloned().collect()
    };
    let mut expected: Option<Vec<String>> = None;
    for (board, output) in run_on(desktop(), "adapt", &Sources::default())? {
        assert!(output.success, "{board}: {output:?}");
        let told = told(&output);
        for happened in ["training", "writing to flash", "erasing flash"] {
            let end = format!("power fails while {happened}");
            assert!(told.iter().any(|line| line.ends_with(&end)), "{board}: {happened}: {output:?}");
        }
        assert!(told.iter().any(|line| line.starts_with("start 4: the learned weights, ")), "{output:?}");
        assert_eq!(*expected.get_or_insert_with(|| told.clone()), told, "{board}");
    }
    for board in ADAPT {
        let output = shipped_output("adapt", board)?;
        assert!(output.success, "{board}: {output:?}");
        assert_eq!(Some(told(output)), expected, "{board} and the desktop differ");
    }
    let (memory, stack) =
        (shipped("adapt")?["microbit"].memory, shipped_output("adapt", "microbit")?.value("stack"));
    let stack = stack.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    assert!(stack.is_some_and(|stack| memory.ram + stack < 16 * 1024), "{memory:?}, {stack:?}");
    Ok(())
}

fn what_an_adaptation_kept_comes_back() -> Result<(), Failed> {
    let folder = TempDir::new()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (log, learned) = (path("log.txt"), path("learned.safetensors"));
    let models = "examples/models/watch_small";
    for line in [
        format!("board run host adapt --save {log}"),
        format!("import {log} --like {models}/student.safetensors --out {learned}"),
    ] {
        let output = microdistill(&line).output()?;
        assert!(output.status.success(), "{line}: {output:?}");
    }
    let Body::F32(network) = Model::load(&learned)?.body else { return Err("not f32".into()) };
    let parameters = network.tensors().flat_map(|(_, tensor)| tensor);
    let bits: Vec<u32> = parameters.map(|parameter| parameter.to_bits()).collect();
    assert_eq!(bits, shipped_output("adapt", "microbit")?.weights(), "the board's and the desktop's differ");
    let output =
        microdistill(&format!("evaluate {learned} --test examples/data/watch_small/test.csv")).output()?;
    assert!(output.status.success(), "{output:?}");
    Ok(())
}

/// Distills on these boards, checks that all end with the same weights, and returns them.
fn distillations(
    boards: impl IntoIterator<Item = (Board, Profile)>,
    sources: &Sources,
) -> Result<Vec<u32>, Failed> {
    let mut weights: Option<Vec<u32>> = None;
    for (board, output) in run_on(boards, "distill", sources)? {
        let found = distilled(&board, &output);
        let expected = weights.get_or_insert_with(|| found.clone());
        assert_eq!(found, *expected, "{board} and the desktop differ");
    }
    Ok(weights.unwrap_or_default())
}

/// The final weights of the example's distillation, after a check that the student learned.
fn distilled(board: &str, output: &Output) -> Vec<u32> {
    assert!(output.success, "{board}: {output:?}");
    let (before, after) = (output.share("before"), output.share("after"));
    // An untrained student guesses; a trained one comes close to the desktop's accuracy of 0.85.
    assert!(before.is_some_and(|(right, all)| right * 3 < all), "{before:?}");
    assert!(after.is_some_and(|(right, all)| right as f64 > 0.8 * all as f64), "{after:?}");
    assert!(output.lines.iter().any(|line| line == "teacher: 1570 calls for 1570 samples, 12560 learned"));
    assert_eq!(output.weights().len(), 615);
    output.weights()
}

fn a_flipped_bit_is_seen() -> Result<(), Failed> {
    let (_, test) = bundled();
    let folder = TempDir::new()?;
    let board = emulated();
    let model = model("student.safetensors");
    let sources = Sources::infer(folder.path(), "model.rs", &model, &test)?;
    let expected = outputs(&model, &test);
    let mut elf = Elf::load(build(&board, "infer", &sources, Profile::Release)?)?;
    let (_, network) = elf.find("STUDENT")?;
    let flipped = folder.path().join("flipped");
    // A bit in the middle of the mantissa of the first, a middle and the last parameter.
    for parameter in [0, 300, model.parameters() - 1] {
        let byte = network + 4 * parameter + 1;
        elf.bytes[byte] ^= 0x10;
        std::fs::write(&flipped, &elf.bytes)?;
        elf.bytes[byte] ^= 0x10;
        let output = run(&board, &flipped)?;
        assert!(output.different(&expected) > 0, "parameter {parameter}: {output:?}");
    }
    // The unchanged file passes.
    std::fs::write(&flipped, &elf.bytes)?;
    assert_eq!(run(&board, &flipped)?.different(&expected), 0);
    Ok(())
}

fn weights_stay_in_flash() -> Result<(), Failed> {
    let elf = Elf::load(build(&emulated(), "infer", &Sources::default(), Profile::Release)?)?;
    assert_eq!(elf.find("STUDENT")?.0, ".rodata");
    assert_eq!(data_size(&elf)?, 0);
    Ok(())
}

fn nothing_of_the_core_can_panic() -> Result<(), Failed> {
    let probe = Board {
        name: "probe".into(),
        folder: repository().join("examples/firmware/probe"),
        core: String::new(),
        target: emulated().target,
        rustflags: String::new(),
        features: Vec::new(),
        qemu: None,
        chip: None,
    };
    let elf = Elf::load(build(&probe, "microdistill-probe", &Sources::default(), Profile::Release)?)?;
    let file = elf.parse()?;
    let names: Vec<&str> = file.symbols().filter_map(|symbol| symbol.name().ok()).collect();
    assert!(names.iter().any(|name| name.contains("microdistill")), "the probe links the core");
    let panics: Vec<_> = names.iter().filter(|name| name.contains("9panicking")).collect();
    assert!(panics.is_empty(), "{panics:?}");
    assert_eq!(data_size(&elf)?, 0);
    for network in ["NETWORK", "NETWORK_I8"] {
        assert_eq!(elf.find(network)?.0, ".rodata");
    }
    Ok(())
}

/// The command line in the repository.
fn microdistill(line: &str) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("microdistill"));
    command.current_dir(repository()).args(line.split(' '));
    command
}

fn flashing_is_by_probe_rs() -> Result<(), Failed> {
    let folder = TempDir::new()?;
    let error = |line: &str, path: &Path| -> Result<String, Failed> {
        let output = microdistill(line).env("PATH", path).output()?;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        Ok(String::from_utf8(output.stderr)?)
    };
    let missing = error("board flash microbit distill", folder.path())?;
    assert!(missing.contains("cargo microdistill setup --flash"), "{missing}");
    assert!(missing.contains("cargo install probe-rs-tools --locked"), "{missing}");
    let desktop = error("board flash host infer", folder.path())?;
    assert!(desktop.contains("host cannot be flashed"), "{desktop}");
    let real = error("board run rp2040-pico infer", folder.path())?;
    assert!(real.contains("on a real board with `board flash rp2040-pico infer`"), "{real}");
    let learn = error("board build microbit learn", folder.path())?;
    assert!(learn.contains("microbit has no program `learn`: its programs are in "), "{learn}");

    // A stand-in for probe-rs that only records its arguments.
    let (tool, told) = (folder.path().join("probe-rs"), folder.path().join("told"));
    std::fs::write(&tool, format!("#!/bin/sh\necho \"$@\" > {}\n", told.display()))?;
    assert!(Command::new("chmod").arg("+x").arg(&tool).status()?.success());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [folder.path().to_owned()].into_iter().chain(std::env::split_paths(&path));
    let path = std::env::join_paths(folders)?;
    let output = microdistill("board flash microbit distill").env("PATH", path).output()?;
    assert!(output.status.success(), "{output:?}");
    let told = std::fs::read_to_string(told)?;
    let elf = told.trim_end().strip_prefix("run --chip nRF51822_xxAA ").ok_or_else(|| told.clone())?;
    let elf = Elf::load(elf)?;
    assert!(elf.parse()?.symbols().any(|symbol| symbol.name() == Ok("_SEGGER_RTT")), "it prints over RTT");
    let ram = elf.memory()?.ram;
    assert!(ram < 14 * 1024, "{ram}");
    Ok(())
}

fn bench_tells_machines_what_they_rely_on() -> Result<(), Failed> {
    let output = microdistill("board bench microbit qemu-mps2 --json").output()?;
    assert!(output.status.success(), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout)?;
    let results = json["results"].as_array().ok_or("no results")?;
    // Three networks in f32 and int8, and training.
    assert_eq!(results.len(), 2 * (3 * 2 + 1));
    for row in results {
        let keys = ["macs", "flash", "ram", "stack"];
        assert!(keys.iter().all(|key| row[key].as_u64().is_some_and(|number| number > 0)), "{row}");
        assert!(["board", "core", "model", "kind"].iter().all(|key| row[key].is_string()), "{row}");
        let count = if row.get("optimizer").is_some() { "instructions_per_sample" } else { "instructions" };
        // Every multiplication takes at least one instruction, and more than a thousand would be wrong.
        let (count, macs) = (row[count].as_u64().unwrap_or(0), row["macs"].as_u64().unwrap_or(0));
        assert!((macs..1000 * macs).contains(&count), "{row}");
        if let Some(per_mac) = row.get("instructions_per_mac").and_then(Value::as_f64) {
            assert!((per_mac * macs as f64 - count as f64).abs() < 1e-6 * count as f64, "{row}");
        }
        // Both cores have cost tables: no instruction is free, and most take less than four cycles.
        let cycles = row["cycles"].as_u64().unwrap_or(0);
        assert!((count..4 * count).contains(&cycles), "{row}");
    }
    Ok(())
}

/// Runs the peers that need no installed tool and no other library.
fn a_plain_loop_has_the_same_outputs() -> Result<(), Failed> {
    let networks = peers::networks()?;
    let (name, network) = networks.first().ok_or("no networks")?;
    for peer in PEERS.iter().filter(|peer| peer.name == "microdistill" || peer.name == "a loop in Rust") {
        let row = peer.measure(name, network, Profile::Release)?;
        assert_eq!(row.outputs.map(|outputs| outputs.different), Some(0), "{row:?}");
        assert!(row.instructions > row.macs && row.cycles > Some(row.instructions), "{row:?}");
    }
    Ok(())
}

/// Bytes of variables with a nonzero initial value.
fn data_size(elf: &Elf) -> Result<u64, Failed> {
    Ok(elf.parse()?.section_by_name(".data").map_or(0, |section| section.size()))
}
