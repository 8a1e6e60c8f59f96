//! Which instructions a firmware executes, one by one: QEMU's log, written only where something is measured.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::gdb::{Debugger, Stop};
use super::run::emulator;
use super::{Board, Elf, SILENCE};
use crate::error::{Error, Result};

/// How long an emulator may take to start.
const START: Duration = Duration::from_secs(20);

/// Addresses of instructions in the order of their execution.
pub(super) type Addresses = Vec<u32>;

/// Runs `elf` in QEMU and gives what it executes between calls of its function `marker`: from the first entry to the
/// second, from the third to the fourth, and so on; of these, counted from 0, those that are `wanted`.
///
/// # Errors
/// A board without an emulator, firmware without such a function, or that fails.
pub(super) fn trace(
    board: &Board,
    elf: &Elf,
    marker: &str,
    wanted: impl Fn(usize) -> bool,
) -> Result<Vec<Addresses>> {
    let Some(qemu) = &board.qemu else {
        return Err(Error::Invalid(format!("{} has no emulator to trace", board.name)));
    };
    let address = elf.function(marker)?;
    let folder = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let log = folder.path().join("trace");
    File::create(&log).map_err(Error::io(&log))?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(Error::io("127.0.0.1"))?;
    let port = listener.local_addr().map_err(Error::io("127.0.0.1"))?.port();
    let mut command = emulator(qemu, elf.path());
    let program = command.get_program().to_owned();
    command.args(["-S", "-gdb", "chardev:gdb", "-chardev"]);
    command.arg(format!("socket,id=gdb,host=127.0.0.1,port={port},server=off"));
    command.arg("-D").arg(&log);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(Error::io(&program))?;
    let paths = accept(&listener, &mut child).and_then(|stream| paths(stream, &log, address, wanted));
    if paths.is_err() {
        // One that has ended by itself cannot be ended.
        let _ = child.kill();
    }
    child.wait().map_err(Error::io(&program))?;
    paths.map_err(|problem| {
        Error::Invalid(format!("tracing {} on {}: {problem}", elf.path().display(), board.name))
    })
}

/// The emulator's connection.
fn accept(listener: &TcpListener, child: &mut Child) -> Result<TcpStream, String> {
    let text = |error: std::io::Error| error.to_string();
    listener.set_nonblocking(true).map_err(text)?;
    let start = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).map_err(text)?;
                return Ok(stream);
            }
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return Err(text(error)),
            Err(_) if child.try_wait().map_err(text)?.is_some() => return Err("the emulator ends".into()),
            Err(_) if start.elapsed() > START => return Err("the emulator does not start".into()),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

fn paths(
    stream: TcpStream,
    log: &Path,
    marker: u32,
    wanted: impl Fn(usize) -> bool,
) -> Result<Vec<Addresses>, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut debugger = Debugger::new(stream, SILENCE)?;
    // So that each instruction has its line. QEMU renamed this in 8.1, and each version knows one of the two.
    debugger.monitor("singlestep on")?;
    debugger.monitor("one-insn-per-tb on")?;
    let mut paths = Vec::new();
    for index in 0.. {
        match debugger.run_to(marker)? {
            Stop::Exit(0) => break,
            Stop::Exit(code) => return Err(format!("the program ended with {code}")),
            Stop::Breakpoint if wanted(index) => debugger.monitor("log exec,nochain")?,
            Stop::Breakpoint => String::new(),
        };
        if debugger.run_to(marker)? != Stop::Breakpoint {
            return Err("the program ended while something was measured".into());
        }
        if wanted(index) {
            debugger.monitor("log none")?;
            paths.push(parse(&std::fs::read_to_string(log).map_err(text)?)?);
            // QEMU closes the file when it logs nothing, and appends to it later.
            File::create(log).map_err(text)?;
        }
    }
    Ok(paths)
}

/// ```text
/// Trace 0: 0x7f3204000100 [00800408/00000400/00000110/ff000201] Reset
/// Stopped execution of TB chain before 0x7f3204000100 [00000400] Reset
/// ```
/// The second of four numbers is the address. What was stopped before it began has a line of its own when it does.
fn parse(log: &str) -> Result<Addresses, String> {
    let mut path = Vec::new();
    for line in log.lines() {
        if let Some(rest) = line.strip_prefix("Trace ") {
            let address = rest.split_once('[').and_then(|(_, numbers)| numbers.split('/').nth(1));
            let address = address.and_then(|hex| u32::from_str_radix(hex, 16).ok());
            path.push(address.ok_or_else(|| format!("QEMU logs {line:?}"))?);
        } else if line.starts_with("Stopped execution of TB chain") {
            path.pop();
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_understood() {
        let log = "Trace 0: 0x7f3204000100 [00800408/00000400/00000110/ff000201] Reset\n\
                   Trace 0: 0x7f3204000240 [00800408/000000000000137a/00000110/ff000201] a [b/c]\n\
                   Stopped execution of TB chain before 0x7f3204000240 [0000137a] a\n\
                   Trace 0: 0x7f3204000240 [00800408/0000137a/00000110/ff000201] a\n";
        assert_eq!(parse(log), Ok(vec![0x400, 0x137a]));
        assert!(parse("Trace 0: 0x7f3204000100").is_err());
    }
}
