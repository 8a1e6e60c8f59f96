//! A child process with a text for its standard input, a time limit, and Ctrl-C.

use std::io::{ErrorKind, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::interrupt;

/// Time between two looks at the child.
const PAUSE: Duration = Duration::from_millis(20);

/// Time that is given to the last bytes of a pipe after its process has ended.
const GRACE: Duration = Duration::from_millis(500);

/// Most bytes that are kept of the standard error.
const TAIL_BYTES: usize = 4096;

/// Most lines of the standard error that an error quotes.
const TAIL_LINES: usize = 10;

/// What a program wrote.
pub(super) struct Output {
    pub(super) text: String,
    /// The end of its standard error.
    pub(super) said: String,
}

/// Why there is no output.
pub(super) enum Failure {
    /// The user pressed Ctrl-C.
    Interrupted,
    /// Description of the fault.
    Problem(String),
}

/// Runs a program with `input` on its standard input and returns what it wrote: `most` bytes at most. It is ended when it
/// takes longer than `timeout`.
pub(super) fn run(
    words: &[String],
    input: Vec<u8>,
    timeout: Duration,
    most: usize,
) -> Result<Output, Failure> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::Problem("no program is named".into()));
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own, so that what the program started ends with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|error| {
        Failure::Problem(match error.kind() {
            ErrorKind::NotFound => format!("there is no program {program:?}: install it, or give its path"),
            _ => format!("{program:?} cannot be started: {error}"),
        })
    })?;
    // Each pipe has its own thread, so that a program that writes before it has read everything does not wait for ever.
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read all of its input may still answer.
        thread::spawn(move || drop(stdin.write_all(&input)));
    }
    let text = child.stdout.take().map(|pipe| reader(pipe, move |bytes| bytes.len() <= most));
    let said = child.stderr.take().map(|pipe| reader(pipe, keep_tail));
    let ended = wait(&mut child, text.as_ref(), timeout, most);
    if ended.is_err() {
        end(&mut child);
    }
    let said = said.and_then(|said| said.recv_timeout(GRACE).ok()).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    match ended {
        // Ctrl-C ends the child as well, where it shares the terminal.
        _ if interrupt::requested() => Err(Failure::Interrupted),
        Err(problem) => Err(Failure::Problem(with_tail(problem, &said))),
        Ok((status, _)) if !status.success() => {
            Err(Failure::Problem(with_tail(format!("it failed ({status})"), &said)))
        }
        Ok((_, text)) => Ok(Output { text: String::from_utf8_lossy(&text).into_owned(), said }),
    }
}

/// Reads a pipe to its end in a thread, as long as `goes_on` says so of what was read.
fn reader(
    mut pipe: impl Read + Send + 'static,
    goes_on: impl Fn(&mut Vec<u8>) -> bool + Send + 'static,
) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 8192]);
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            bytes.extend_from_slice(&buffer[..count]);
            if !goes_on(&mut bytes) {
                break;
            }
        }
        // Nobody waits any longer if the time is over.
        let _ = sender.send(bytes);
    });
    receiver
}

/// Drops all but the last bytes.
fn keep_tail(bytes: &mut Vec<u8>) -> bool {
    let first = bytes.len().saturating_sub(TAIL_BYTES);
    bytes.drain(..first);
    true
}

/// Waits for the end of a child and of its standard output.
fn wait(
    child: &mut Child,
    pipe: Option<&Receiver<Vec<u8>>>,
    timeout: Duration,
    most: usize,
) -> Result<(ExitStatus, Vec<u8>), String> {
    let start = Instant::now();
    let (mut text, mut status) = (None, None);
    loop {
        match pipe.filter(|_| text.is_none()).map(|pipe| pipe.recv_timeout(PAUSE)) {
            Some(Ok(bytes)) if bytes.len() > most => {
                return Err(format!("it wrote more than {most} bytes: one line per row is needed"));
            }
            Some(Ok(bytes)) => text = Some(bytes),
            Some(Err(RecvTimeoutError::Timeout)) => {}
            Some(Err(RecvTimeoutError::Disconnected)) => text = Some(Vec::new()),
            None => thread::sleep(PAUSE),
        }
        if status.is_none() {
            status = child.try_wait().map_err(|error| format!("it cannot be waited for: {error}"))?;
        }
        if let (Some(status), Some(text)) = (status, &mut text) {
            return Ok((status, std::mem::take(text)));
        }
        if interrupt::requested() {
            return Err("interrupted".into());
        }
        if start.elapsed() > timeout {
            let seconds = timeout.as_secs();
            return Err(format!(
                "it was ended after {seconds} s without an answer: --teacher-timeout gives it more"
            ));
        }
    }
}

/// Ends a child, and on Unix also what it started.
fn end(child: &mut Child) {
    // It fails if the group has ended, which is what is wanted.
    #[cfg(unix)]
    if let Ok(id) = i32::try_from(child.id()) {
        let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGKILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// A problem, and the last lines of the standard error, if there are any.
pub(super) fn with_tail(problem: String, said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    if tail.is_empty() {
        return problem;
    }
    format!("{problem}; the last lines of its standard error:\n  {}", tail.join("\n  "))
}
