//! Keras: an archive, a legacy file, or the configuration and the weights of an archive that is made around them.
#![no_main]

mod caught;
mod model;

use std::io::{Cursor, Write as _};

use libfuzzer_sys::fuzz_target;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fuzz_target!(init: caught::catch(), |bytes: &[u8]| {
    model::check(bytes);
    // The configuration is a text, and weights begin with the signature of HDF5.
    let Some(at) = bytes.windows(4).position(|window| window == b"\x89HDF") else { return };
    if at > 0 {
        model::check(&archive(&bytes[..at], &bytes[at..]));
    }
});

fn archive(config: &[u8], weights: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, contents) in [("config.json", config), ("model.weights.h5", weights)] {
        archive.start_file(name, SimpleFileOptions::default()).expect("a name");
        archive.write_all(contents).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}
