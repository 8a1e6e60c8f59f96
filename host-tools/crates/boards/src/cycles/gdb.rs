//! The part of GDB's remote protocol that stops an emulator at an address and sends commands to its monitor.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Connection to an emulator whose processor is stopped.
pub(crate) struct Debugger {
    stream: BufReader<TcpStream>,
    /// Address of the breakpoint that the processor stopped at.
    at: Option<u32>,
}

/// Reason why the processor stopped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It reached a breakpoint.
    Breakpoint,
    /// The program ended with this code.
    Exit(u8),
}

impl Debugger {
    /// Connects over `stream`. A read fails when the emulator has been silent for `silence`.
    pub(crate) fn new(stream: TcpStream, silence: Duration) -> Result<Self, String> {
        stream.set_read_timeout(Some(silence)).map_err(|error| error.to_string())?;
        // Packets are short, and each waits for the answer to the previous one.
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(Debugger { stream: BufReader::new(stream), at: None })
    }

    /// Continues until `address` is reached.
    pub(crate) fn run_to(&mut self, address: u32) -> Result<Stop, String> {
        if let Some(at) = self.at.take() {
            // The processor cannot continue from its own breakpoint, so that is removed for a single step.
            self.expect(&format!("z1,{at:x},2"))?;
            if let stop @ Stop::Exit(_) = self.resume("s")? {
                return Ok(stop);
            }
        }
        self.expect(&format!("Z1,{address:x},2"))?;
        self.at = Some(address);
        self.resume("c")
    }

    /// Runs `command` in the emulator's monitor and returns its output.
    pub(crate) fn monitor(&mut self, command: &str) -> Result<String, String> {
        let hex: String = command.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.send(&format!("qRcmd,{hex}"))?;
        let mut said = Vec::new();
        loop {
            let packet = self.receive()?;
            match packet.strip_prefix('O') {
                Some("K") => return Ok(String::from_utf8_lossy(&said).into_owned()),
                Some(hex) => said.extend(bytes(hex)),
                None => return Err(format!("its monitor answered {packet:?} to {command:?}")),
            }
        }
    }

    fn resume(&mut self, how: &str) -> Result<Stop, String> {
        self.send(how)?;
        let packet = self.receive()?;
        match packet.as_bytes().first() {
            Some(b'T' | b'S') => Ok(Stop::Breakpoint),
            Some(b'W') => {
                let code = packet.get(1..3).and_then(|code| u8::from_str_radix(code, 16).ok());
                code.map(Stop::Exit).ok_or_else(|| format!("it ended with {packet:?}"))
            }
            _ => Err(format!("it stopped with {packet:?}")),
        }
    }

    fn expect(&mut self, packet: &str) -> Result<(), String> {
        self.send(packet)?;
        match self.receive()?.as_str() {
            "OK" => Ok(()),
            other => Err(format!("it answered {other:?} to {packet:?}")),
        }
    }

    fn send(&mut self, packet: &str) -> Result<(), String> {
        let framed = frame(packet);
        self.stream.get_mut().write_all(framed.as_bytes()).map_err(|error| error.to_string())
    }

    /// Receives and acknowledges the next packet. Acknowledgements of our own packets are skipped.
    fn receive(&mut self) -> Result<String, String> {
        let mut packet = Vec::new();
        let mut checksum = [0; 2];
        let stream = &mut self.stream;
        let mut read = || {
            stream.skip_until(b'$')?;
            stream.read_until(b'#', &mut packet)?;
            stream.read_exact(&mut checksum)?;
            stream.get_mut().write_all(b"+")
        };
        read().map_err(|error| format!("it did not answer: {error}"))?;
        packet.pop();
        Ok(String::from_utf8_lossy(&packet).into_owned())
    }
}

/// Frames a packet: `$packet#` and its checksum.
fn frame(packet: &str) -> String {
    let sum = packet.bytes().fold(0_u8, u8::wrapping_add);
    format!("${packet}#{sum:02x}")
}

fn bytes(hex: &str) -> impl Iterator<Item = u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.filter_map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn packets_are_framed() {
        assert_eq!(frame("OK"), "$OK#9a");
        assert_eq!(bytes("6f6b0a").collect::<Vec<_>>(), b"ok\n");
    }

    #[test]
    fn it_runs_to_breakpoints_until_the_end() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let emulator = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut answers = Debugger::new(stream, Duration::from_secs(10)).unwrap();
            let dialog = [
                ("qRcmd,6c6f67", &["O6869", "OK"][..]),
                ("Z1,1cc4,2", &["OK"]),
                ("c", &["T05thread:01;"]),
                ("z1,1cc4,2", &["OK"]),
                ("s", &["W01"]),
            ];
            for (asked, said) in dialog {
                assert_eq!(answers.receive().unwrap(), asked);
                said.iter().for_each(|said| answers.send(said).unwrap());
            }
        });
        let stream = TcpStream::connect(address).unwrap();
        let mut debugger = Debugger::new(stream, Duration::from_secs(10)).unwrap();
        assert_eq!(debugger.monitor("log").unwrap(), "hi");
        assert_eq!(debugger.run_to(0x1cc4).unwrap(), Stop::Breakpoint);
        assert_eq!(debugger.run_to(0x1cc4).unwrap(), Stop::Exit(1));
        emulator.join().unwrap();
    }
}
