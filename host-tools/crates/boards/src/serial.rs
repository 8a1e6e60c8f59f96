//! Serial lines to boards: a port of this machine, or a socket to an emulator or to a program on this desktop.

use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Board;
use crate::run::emulator;
use microdistill_train::error::{Error, Result};

/// Interval at which a reader polls for bytes.
const POLL: Duration = Duration::from_millis(10);
/// Timeout for the start of an emulator.
const START: Duration = Duration::from_secs(30);

/// Bytes to and from a board. A read without data returns soon with [`ErrorKind::TimedOut`] or
/// [`ErrorKind::WouldBlock`]; a read from a closed line returns 0.
pub trait Line: Read + Write {}

impl<T: Read + Write> Line for T {}

/// Opens a serial port, such as `/dev/ttyACM0` or `COM3`, with 8 bits, no parity and one stop bit.
///
/// # Errors
/// If there is no such port, or it cannot be used. The message says what to do about it.
pub fn open(path: &str, baud: u32) -> Result<Box<dyn serialport::SerialPort>> {
    serialport::new(path, baud).timeout(POLL).open().map_err(|error| {
        let advice = match error.kind() {
            serialport::ErrorKind::Io(ErrorKind::PermissionDenied) => {
                "permission is missing: on Linux, join its group (`sudo usermod -aG dialout $USER`) and log in again".into()
            }
            _ => present(),
        };
        Error::Line { line: path.into(), message: format!("{error}; {advice}") }
    })
}

/// Lists the ports of this machine for an error message.
fn present() -> String {
    let names: Vec<String> =
        serialport::available_ports().unwrap_or_default().into_iter().map(|port| port.port_name).collect();
    if names.is_empty() {
        "this machine has no serial port: plug the board in".into()
    } else {
        format!("available ports: {}", names.join(", "))
    }
}

/// A board that runs on this machine, in QEMU or as a desktop program, with its serial port.
#[derive(Debug)]
pub struct Emulated {
    stream: TcpStream,
    child: Child,
}

impl Emulated {
    /// Starts the firmware `elf`, which is stopped when this value is dropped.
    ///
    /// # Errors
    /// If the board is not emulated, or the emulator does not start.
    pub fn start(board: &Board, elf: &Path) -> Result<Self> {
        let io = |error: io::Error| failed(&board.name, error);
        // The emulator connects to us, so there is always someone listening.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(io)?;
        let address = listener.local_addr().map_err(io)?;
        let mut command = match (&board.target, &board.qemu) {
            (None, _) => {
                let mut command = Command::new(std::path::absolute(elf).map_err(Error::io(elf))?);
                command.arg(address.to_string());
                command
            }
            (Some(_), Some(qemu)) => emulator(qemu, elf, &format!("tcp:{address},nodelay")),
            (Some(_), None) => return Err(not_emulated(&board.name)),
        };
        // Ctrl-C at the terminal must not reach the emulator, because the board still has to send what it learned.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let program = command.get_program().to_owned();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().map_err(Error::io(program))?;
        let mut starting = Starting(Some(child));
        let stream = starting.accept(&listener).map_err(io)?;
        stream.set_nodelay(true).map_err(io)?;
        stream.set_read_timeout(Some(POLL)).map_err(io)?;
        stream.set_write_timeout(Some(POLL)).map_err(io)?;
        let child = starting.0.take().ok_or_else(|| failed(&board.name, "it did not start"))?;
        Ok(Emulated { stream, child })
    }
}

/// Checks that [`Emulated::start`] can start `board`, before anything is built for it.
///
/// # Errors
/// If neither QEMU nor this desktop can run the board.
pub fn check_emulated(board: &Board) -> Result<()> {
    let here = board.target.is_none() || board.qemu.is_some();
    if here { Ok(()) } else { Err(not_emulated(&board.name)) }
}

fn not_emulated(board: &str) -> Error {
    Error::Invalid(format!(
        "QEMU does not emulate {board}: flash it with `board flash {board} teach`, and give --port instead"
    ))
}

fn failed(line: &str, message: impl Display) -> Error {
    Error::Line { line: line.into(), message: message.to_string() }
}

/// A child process that has not connected yet.
struct Starting(Option<Child>);

impl Starting {
    fn accept(&mut self, listener: &TcpListener) -> io::Result<TcpStream> {
        listener.set_nonblocking(true)?;
        let start = Instant::now();
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    return Ok(stream);
                }
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                Err(_) => std::thread::sleep(POLL),
            }
            if let Some(status) = self.0.as_mut().map(Child::try_wait).transpose()?.flatten() {
                return Err(io::Error::other(format!("it ended immediately: {status}")));
            }
            if start.elapsed() > START {
                return Err(io::Error::new(ErrorKind::TimedOut, "it did not start in time"));
            }
        }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(end);
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Stops a child process. Failures are ignored, because they mean that it has already ended.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

impl Read for Emulated {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.read(bytes)
    }
}

impl Write for Emulated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
