//! Trace of the instructions that firmware executes, from QEMU's log, which is switched on only during measurements.

use std::collections::HashMap;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::gdb::{Debugger, Stop};
use crate::run::emulator;
use crate::{Board, Elf, SILENCE};
use microdistill_train::error::{Error, Result};

/// Timeout for the start of an emulator.
const START: Duration = Duration::from_secs(20);

/// Addresses of instructions in the order of their execution.
pub(crate) type Addresses = Vec<u32>;

/// Runs `elf` in QEMU and returns the instructions executed between calls of its function `marker`: from the first call to
/// the second, from the third to the fourth, and so on. Only the `wanted` intervals, counted from 0, are traced.
///
/// # Errors
/// If the board has no emulator, the firmware does not have the function, or the firmware fails.
pub(crate) fn trace(
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
    let mut command = emulator(qemu, elf.path(), "none");
    let program = command.get_program().to_owned();
    command.args(["-S", "-gdb", "chardev:gdb", "-chardev"]);
    command.arg(format!("socket,id=gdb,host=127.0.0.1,port={port},server=off"));
    command.arg("-D").arg(&log);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(Error::io(&program))?;
    let paths = accept(&listener, &mut child).and_then(|stream| paths(stream, &log, address, wanted));
    if paths.is_err() {
        // Fails only if the emulator has already ended.
        let _ = child.kill();
    }
    child.wait().map_err(Error::io(&program))?;
    paths.map_err(|problem| {
        Error::Invalid(format!("tracing {} on {}: {problem}", elf.path().display(), board.name))
    })
}

/// Waits for the emulator to connect.
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
            Err(_) if child.try_wait().map_err(text)?.is_some() => return Err("the emulator ended".into()),
            Err(_) if start.elapsed() > START => return Err("the emulator did not start".into()),
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
    let mut blocks = Blocks::default();
    let mut paths = Vec::new();
    for index in 0.. {
        match debugger.run_to(marker)? {
            Stop::Exit(0) => break,
            Stop::Exit(code) => return Err(format!("the program ended with exit code {code}")),
            Stop::Breakpoint if wanted(index) => debugger.monitor("log in_asm,exec,nochain")?,
            Stop::Breakpoint => String::new(),
        };
        if debugger.run_to(marker)? != Stop::Breakpoint {
            return Err("the program ended during a measurement".into());
        }
        if wanted(index) {
            debugger.monitor("log none")?;
            paths.push(blocks.path(&std::fs::read_to_string(log).map_err(text)?)?);
            // QEMU closes the file when logging is switched off, and appends to it later.
            File::create(log).map_err(text)?;
        }
    }
    Ok(paths)
}

/// Blocks of instructions that QEMU has translated, by the address of the translation.
///
/// ```text
/// IN: a
/// 0x0000137a:  b580       push     {r7, lr}
/// 0x0000137c:  466f       mov      r7, sp
///
/// Trace 0: 0x7f3204000240 [00800408/0000137a/00000110/ff000201] a
/// Stopped execution of TB chain before 0x7f3204000240 [0000137a] a
/// Trace 0: 0x7f3204000240 [00800408/0000137a/00000110/ff000201] a
/// ```
///
/// A block is listed once, before its first execution; the second of the four numbers is its address. A block that was
/// stopped before it started runs when it is logged again.
#[derive(Default)]
struct Blocks(HashMap<String, Addresses>);

impl Blocks {
    /// Parses a log into the addresses of the executed instructions.
    fn path(&mut self, log: &str) -> Result<Addresses, String> {
        let (mut path, mut listed, mut start) = (Vec::new(), Vec::new(), 0);
        for line in log.lines() {
            let unknown = || format!("QEMU logged an unknown line: {line:?}");
            if let Some((address, _)) = line.strip_prefix("0x").and_then(|line| line.split_once(':')) {
                listed.push(u32::from_str_radix(address, 16).map_err(|_| unknown())?);
            } else if let Some(rest) = line.strip_prefix("Trace ") {
                let (place, numbers) = rest.split_once(" [").ok_or_else(unknown)?;
                let address = numbers.split('/').nth(1).ok_or_else(unknown)?;
                let address = u32::from_str_radix(address, 16).map_err(|_| unknown())?;
                if listed.first() == Some(&address) {
                    self.0.insert(place.to_owned(), std::mem::take(&mut listed));
                }
                start = path.len();
                // A block that was listed before logging started is next to a breakpoint, where each instruction is a block.
                match self.0.get(place) {
                    Some(block) => path.extend(block),
                    None => path.push(address),
                }
            } else if line.starts_with("Stopped execution of TB chain") {
                path.truncate(start);
            } else if line.starts_with("IN:") {
                listed.clear();
            }
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_understood() {
        let log = "----------------\nIN: a\n\
                   0x0000137a:  b580       push     {r7, lr}\n\
                   0x0000137c:  466f       mov      r7, sp\n\n\
                   Trace 0: 0x7f3204000240 [00800408/0000137a/00000110/ff000201] a\n\
                   Trace 0: 0x7f3204000100 [00800408/0000000000000400/00000110/ff000201] b [c/d]\n\
                   Stopped execution of TB chain before 0x7f3204000240 [0000137a] a\n";
        let mut blocks = Blocks::default();
        assert_eq!(blocks.path(log), Ok(vec![0x137a, 0x137c]));
        let again = "Trace 0: 0x7f3204000240 [00800408/0000137a/00000110/ff000201] a\n";
        assert_eq!(blocks.path(again), Ok(vec![0x137a, 0x137c]));
        assert!(blocks.path("Trace 0: 0x7f3204000100").is_err());
    }
}
