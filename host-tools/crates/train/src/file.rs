//! Atomic writing of files: a crash or a full disk never leaves half a model behind.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes `bytes` atomically: to a temporary file next to `path`, which is then renamed over it, so readers see
/// either the old or the new contents. Devices and pipes are written directly; symbolic links are followed.
///
/// # Errors
/// Fails if `path` is a folder, if its folder is missing, and on any error of the file system.
pub fn write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let place = place(path)?;
    if place.exists() && !place.is_file() {
        return std::fs::write(place, bytes).map_err(Error::io(path));
    }
    let mut file = beside(&place, path)?;
    file.write_all(bytes).map_err(Error::io(path))?;
    file.as_file().sync_all().map_err(Error::io(path))?;
    file.persist(place).map_err(|error| Error::io(path)(error.error))?;
    Ok(())
}

/// Checks that [`write()`] can start. Call it before long work, whose result might otherwise have no place to go.
///
/// # Errors
/// Fails if the folder is missing or not writable, or if `path` is itself a folder.
pub fn probe(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let place = place(path)?;
    if !place.exists() || place.is_file() {
        beside(&place, path)?;
    }
    Ok(())
}

/// Checks as [`probe`] does, and that writing to `path` would replace none of `sources`, the files that the result is
/// made from.
///
/// # Errors
/// Fails as [`probe`] does, and if `path` leads to one of the sources.
pub fn probe_apart<'a>(path: impl AsRef<Path>, sources: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let path = path.as_ref();
    probe(path)?;
    let file = |path: &Path| std::fs::canonicalize(path).ok().filter(|path| path.is_file());
    match file(path) {
        Some(old) if sources.into_iter().any(|source| file(source).is_some_and(|source| source == old)) => {
            let path = path.display();
            Err(Error::Invalid(format!("{path}: the result is made from this file: write it to another one")))
        }
        _ => Ok(()),
    }
}

/// Creates the folder `path` and its parents where they are missing.
///
/// # Errors
/// Fails if `path` is a file, or if a folder cannot be created.
pub fn make_folder(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    if path.is_file() {
        return Err(Error::Invalid(format!("{}: this is a file: name a folder", path.display())));
    }
    std::fs::create_dir_all(path).map_err(Error::io(path))
}

/// Returns the path that the bytes for `path` are written to, with symbolic links resolved.
fn place(path: &Path) -> Result<PathBuf> {
    if path.is_dir() {
        return Err(Error::Invalid(format!("{}: this is a folder: name a file in it", path.display())));
    }
    let place = if path.is_symlink() { std::fs::canonicalize(path) } else { Ok(path.to_owned()) };
    place.map_err(Error::io(path))
}

/// Creates a temporary file in the folder of `place`. It is deleted when dropped.
fn beside(place: &Path, path: &Path) -> Result<tempfile::NamedTempFile> {
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.exists() {
        let (path, folder) = (path.display(), folder.display());
        return Err(Error::Invalid(format!(
            "{path}: there is no folder {folder}: make it, or name another one"
        )));
    }
    let mut builder = tempfile::Builder::new();
    // A temporary file is private by default, but the result must be an ordinary file under the user's umask.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder).map_err(|error| {
        // The message names the temporary file, which means nothing to the user.
        let message = error.to_string();
        let message = message.split(" at path ").next().unwrap_or_default();
        Error::io(path)(std::io::Error::new(error.kind(), message))
    })
}

/// Writes `bytes` as [`write()`] does, unless the file already holds them. Its modification time then tells when it
/// last changed.
///
/// # Errors
/// Fails as [`write()`] does.
pub fn update(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    match std::fs::read(path.as_ref()) {
        Ok(old) if old == bytes => Ok(()),
        _ => write(path, bytes),
    }
}

/// Returns the clone of the repository that holds the current folder. Boards and bundled data are in it.
///
/// # Errors
/// Fails if the current folder is not in a clone.
pub fn repository() -> Result<PathBuf> {
    let here = std::env::current_dir().map_err(Error::io("."))?;
    let mut folders = here.ancestors().filter(|folder| folder.join("examples/firmware/Cargo.toml").is_file());
    let outside = "no examples/firmware here or above: run this in a clone of microdistill's repository";
    folders.next().map(Path::to_owned).ok_or_else(|| Error::Invalid(outside.into()))
}
