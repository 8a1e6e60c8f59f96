//! Files that are whole or absent: a crash or a full disk never leaves half a model behind.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes `bytes` beside `path`, then renames: a reader sees the old file or the new one.
pub fn write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    // Through a link to what it names; a device or a pipe is written to, not replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        return std::fs::write(path, bytes).map_err(Error::io(path));
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::metadata(folder).map_err(Error::io(folder))?;
    let mut builder = tempfile::Builder::new();
    // A temporary file is private by default; what it becomes is an ordinary file under the user's umask.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(Error::io(path))?;
    file.write_all(bytes).map_err(Error::io(path))?;
    file.as_file().sync_all().map_err(Error::io(path))?;
    file.persist(&target).map_err(|error| Error::io(path)(error.error))?;
    Ok(())
}

/// [`write()`], unless the file holds these bytes already: its time tells when it changed.
pub fn update(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    match std::fs::read(path.as_ref()) {
        Ok(old) if old == bytes => Ok(()),
        _ => write(path, bytes),
    }
}

/// The clone of the repository that holds the current folder: boards and bundled data are there.
///
/// # Errors
/// There is none.
pub fn repository() -> Result<PathBuf> {
    let here = std::env::current_dir().map_err(Error::io("."))?;
    let mut folders = here.ancestors().filter(|folder| folder.join("examples/firmware/Cargo.toml").is_file());
    let outside = "no examples/firmware here or above: run this in a clone of microdistill's repository";
    folders.next().map(Path::to_owned).ok_or_else(|| Error::Invalid(outside.into()))
}
