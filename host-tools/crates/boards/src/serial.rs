//! A serial line to a board: a port of this machine, or a socket to the emulator or to a program of this desktop.

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
/// An emulator that has not started by then will not.
const START: Duration = Duration::from_secs(30);

/// Bytes to and from a board. A read that finds none returns soon, with [`ErrorKind::TimedOut`] or
/// [`ErrorKind::WouldBlock`]; one at the line's end returns 0.
pub trait Line: Read + Write {}

impl<T: Read + Write> Line for T {}

/// Opens a serial port, as `/dev/ttyACM0` or `COM3`: 8 bits, no parity, one stop bit.
///
/// # Errors
/// No such port, or one that may not be used, with what to do about it.
pub fn open(path: &str, baud: u32) -> Result<Box<dyn serialport::SerialPort>> {
    serialport::new(path, baud).timeout(POLL).open().map_err(|error| {
        let advice = match error.kind() {
            serialport::ErrorKind::Io(ErrorKind::PermissionDenied) => {
                "you may not use it: on Linux, join its group (`sudo usermod -aG dialout $USER`) and log in again".into()
            }
            _ => present(),
        };
        Error::Line { line: path.into(), message: format!("{error}; {advice}") }
    })
}

/// The ports that there are.
fn present() -> String {
    let names: Vec<String> =
        serialport::available_ports().unwrap_or_default().into_iter().map(|port| port.port_name).collect();
    if names.is_empty() {
        "no serial port is there: plug the board in".into()
    } else {
        format!("there are {}", names.join(", "))
    }
}

/// A board that runs here, in QEMU or as a program of this desktop, with its serial port.
#[derive(Debug)]
pub struct Emulated {
    stream: TcpStream,
    child: Child,
}

impl Emulated {
    /// Starts the firmware `elf`. It ends when this is dropped.
    ///
    /// # Errors
    /// A board that is not emulated, an emulator that does not start.
    pub fn start(board: &Board, elf: &Path) -> Result<Self> {
        let io = |error: io::Error| failed(&board.name, error);
        // The emulator calls, so that there is no moment in which nobody listens.
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
        // Ctrl-C at the terminal is for us: the board still has to tell what it learned.
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

/// Checks that [`Emulated::start`] can start `board`, before it is built for.
///
/// # Errors
/// A board that neither QEMU nor this desktop runs.
pub fn check_emulated(board: &Board) -> Result<()> {
    let here = board.target.is_none() || board.qemu.is_some();
    if here { Ok(()) } else { Err(not_emulated(&board.name)) }
}

fn not_emulated(board: &str) -> Error {
    Error::Invalid(format!(
        "QEMU does not emulate {board}: flash it, by `board flash {board} teach`, and give --port instead"
    ))
}

fn failed(line: &str, message: impl Display) -> Error {
    Error::Line { line: line.into(), message: message.to_string() }
}

/// A child that has not called yet.
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
                return Err(io::Error::other(format!("it ended at once: {status}")));
            }
            if start.elapsed() > START {
                return Err(io::Error::new(ErrorKind::TimedOut, "it does not start"));
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

/// A child that cannot be ended has ended.
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
