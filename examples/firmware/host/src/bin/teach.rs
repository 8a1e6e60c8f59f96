//! Teaching on the desktop: the serial port is the socket that `board teach` names.

use std::io;
use std::net::TcpStream;

use embedded_io_adapters::std::FromStd;
use microdistill_programs::Outcome;

fn main() -> io::Result<Outcome> {
    let address = std::env::args().nth(1).ok_or_else(|| io::Error::other("`board teach host` runs this"))?;
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    Ok(microdistill_programs::teach(FromStd::new(socket)))
}
