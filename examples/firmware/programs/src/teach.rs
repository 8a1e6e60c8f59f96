//! Learning from the desktop: samples and the teacher's soft labels arrive over a serial line.

use embedded_io::{Read, Write};
use microdistill::Distiller;
use microdistill::optimizer::Adam;
use microdistill::stream::{Pupil, Reply, Request};
use static_cell::ConstStaticCell;

use crate::Outcome;
use crate::data::student::{Input, Output, STUDENT, Student};
use crate::output::println;

// All zero at the start, so it takes RAM but no flash.
static DISTILLER: ConstStaticCell<Distiller<Student, Adam<Student>>> = ConstStaticCell::new(Distiller::ZERO);

/// Learns from the samples that `cargo microdistill board teach` sends, and answers each, until the line is closed.
///
/// The line carries one request at a time, so a polled port loses nothing while the student learns. If a byte is lost all
/// the same, the desktop sends the request again.
pub fn teach(mut port: impl Read + Write) -> Outcome {
    let Some(distiller) = DISTILLER.try_take() else {
        println!("training can run only once: its memory is taken");
        return Outcome::Failed;
    };
    distiller.student = STUDENT;
    let mut pupil = Pupil::<Student, { Request::<Input, Output>::FRAME_BYTES }>::new(distiller);
    let (mut bytes, mut frame) = ([0; 64], [0; Reply::FRAME_BYTES]);
    while let Ok(count @ 1..) = port.read(&mut bytes) {
        for &byte in bytes.iter().take(count) {
            if let Some(answer) = pupil.push(byte, &mut frame)
                && port.write_all(answer).and_then(|()| port.flush()).is_err()
            {
                return Outcome::Failed;
            }
        }
    }
    Outcome::Passed
}
