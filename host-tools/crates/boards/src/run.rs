//! Runs firmware in QEMU or on this desktop, and decodes what it prints.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};

use defmt_decoder::{DecodeError, Table};

use crate::{Board, Elf, Output, SILENCE};
use microdistill_train::error::{Error, Result};

/// QEMU arguments for every machine: no window, and semihosting, through which programs print and exit.
const SEMIHOSTING: &str = "-nographic -monitor none -semihosting-config enable=on,target=native -serial";

/// Runs the firmware `elf` until it ends and calls `line` with each line that it prints.
///
/// # Errors
/// If there is no emulator, the board hangs, or its output cannot be decoded. A program that fails is not an error: see
/// [`Output::success`].
pub fn run(board: &Board, elf: &Path, line: &mut dyn FnMut(&str)) -> Result<Output> {
    let mut command = match (&board.target, &board.qemu) {
        (None, _) => Command::new(std::path::absolute(elf).map_err(Error::io(elf))?),
        (Some(_), Some(qemu)) => emulator(qemu, elf, "none"),
        (Some(_), None) => {
            return Err(Error::Invalid(format!(
                "QEMU does not emulate {}: flash the board instead",
                board.name
            )));
        }
    };
    // Read before anything runs, so that an error leaves no emulator behind.
    let firmware = board.target.as_ref().map(|_| Elf::load(elf)).transpose()?;
    let program = command.get_program().to_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::io(program))?;
    let lines = Lines::begin(&mut child);
    let stderr = child.stderr.take().map(|mut stderr| {
        std::thread::spawn(move || {
            let mut said = Vec::new();
            // Standard error that can no longer be read is left out.
            let _ = stderr.read_to_end(&mut said);
            String::from_utf8_lossy(&said).into_owned()
        })
    });
    let mut output = Output::default();
    let mut keep = |text: &str| {
        line(text);
        output.lines.push(text.to_owned());
    };
    let result = match &firmware {
        None => lines.text(&mut keep),
        Some(firmware) => lines.defmt(firmware, &mut keep),
    };
    if result.is_err() {
        child.kill().map_err(Error::io(elf))?;
    }
    output.success = child.wait().map_err(Error::io(elf))?.success();
    output.stderr = stderr.and_then(|thread| thread.join().ok()).unwrap_or_default();
    result.map_err(|problem| {
        let said = output.stderr.trim_end();
        Error::Invalid(format!("{} on {}: {problem}\n{said}", elf.display(), board.name))
    })?;
    Ok(output)
}

/// Returns the command that runs `elf` in `qemu`, with `serial` as its serial port.
pub(crate) fn emulator(qemu: &str, elf: &Path, serial: &str) -> Command {
    let mut words = qemu.split_whitespace().chain(SEMIHOSTING.split(' '));
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).arg(serial).arg("-kernel").arg(elf);
    command
}

/// Output of a child process, as it arrives.
struct Lines(std::sync::mpsc::Receiver<Vec<u8>>);

impl Lines {
    fn begin(child: &mut Child) -> Self {
        let (sender, receiver) = channel();
        if let Some(mut stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stdout.read(&mut buffer) {
                    if sender.send(buffer[..count].to_vec()).is_err() {
                        break;
                    }
                }
            });
        }
        Lines(receiver)
    }

    /// The next bytes; `None` at the end.
    fn next(&self) -> Result<Option<Vec<u8>>, String> {
        match self.0.recv_timeout(SILENCE) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("stopped after {} s without output", SILENCE.as_secs()))
            }
        }
    }

    fn text(&self, line: &mut dyn FnMut(&str)) -> Result<(), String> {
        let mut rest = Vec::new();
        while let Some(bytes) = self.next()? {
            rest.extend(bytes);
            while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
                let whole: Vec<u8> = rest.drain(..=end).collect();
                line(String::from_utf8_lossy(&whole[..end]).trim_end());
            }
        }
        if !rest.is_empty() {
            line(&String::from_utf8_lossy(&rest));
        }
        Ok(())
    }

    fn defmt(&self, elf: &Elf, line: &mut dyn FnMut(&str)) -> Result<(), String> {
        let table = Table::parse(&elf.bytes).map_err(|error| error.to_string())?;
        let table = table.ok_or("the firmware has no defmt table: link it with -Tdefmt.x")?;
        let mut decoder = table.new_stream_decoder();
        while let Some(bytes) = self.next()? {
            decoder.received(&bytes);
            loop {
                match decoder.decode() {
                    Ok(frame) => line(&frame.display_message().to_string()),
                    Err(DecodeError::UnexpectedEof) => break,
                    Err(DecodeError::Malformed) => return Err("its output is not valid defmt".into()),
                }
            }
        }
        Ok(())
    }
}
