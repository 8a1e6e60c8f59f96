//! A file that stands in for flash on the desktop. A power cut ends the process and starts another one.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

use microdistill_programs::PlayedFlash;

/// Path of the file. Without it, the program uses a temporary file.
const VARIABLE: &str = "MICRODISTILL_FLASH";
const BYTES: usize = 13 * 1024;

/// Contents of the flash, written to the file when the process ends.
#[derive(Debug)]
pub struct Image {
    bytes: Vec<u8>,
    path: PathBuf,
    /// True if the file is temporary and is deleted at the end.
    temporary: bool,
}

/// Opens the desktop's flash.
///
/// # Errors
/// If the file cannot be read.
pub fn flash() -> std::io::Result<PlayedFlash<Image>> {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let temporary = named.is_none();
    let unnamed = || std::env::temp_dir().join(format!("microdistill-flash-{}", std::process::id()));
    let path = named.unwrap_or_else(unnamed);
    let mut bytes = match std::fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        bytes => bytes?,
    };
    bytes.resize(BYTES, 0xff);
    Ok(PlayedFlash::new(Image { bytes, path, temporary }, restart))
}

fn restart(image: &mut Image) -> ! {
    let run = || {
        std::fs::write(&image.path, &image.bytes)?;
        Command::new(std::env::current_exe()?).env(VARIABLE, &image.path).status()
    };
    let code = match run() {
        Ok(status) => status.code().unwrap_or(1),
        Err(error) => {
            eprintln!("{}: {error}", image.path.display());
            1
        }
    };
    if image.temporary {
        // Deleting fails only if the file was never written.
        let _ = std::fs::remove_file(&image.path);
    }
    std::process::exit(code)
}

impl AsRef<[u8]> for Image {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Image {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if !self.temporary
            && let Err(error) = std::fs::write(&self.path, &self.bytes)
        {
            eprintln!("{}: {error}", self.path.display());
        }
    }
}
