//! The data directory: who holds it, what it contains, how it comes to be.
//!
//! ```text
//! LOCK             held while a process has the directory open
//! data/FORMAT      the layout of what is beside it
//! data/watermark   the last acknowledged group
//! data/engine/     the engine's own files
//! ```
//!
//! `data` is prepared as `data.new` and renamed when it is complete, so a crash during creation leaves nothing behind
//! that could be taken for a store.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::error::{OpenError, io_error};
use super::manifest;
use super::watermark::Watermark;
use crate::store::Error;

const FORMAT: &str = "abide-store 2\n";

/// A locked data directory.
pub(super) struct Directory {
    path: PathBuf,
    /// The lock lasts as long as the file is open.
    _lock: File,
}

impl Directory {
    /// Creates the directory if need be, and locks it.
    pub(super) fn lock(path: &Path) -> Result<Directory, OpenError> {
        fs::create_dir_all(path).map_err(io_error(path))?;
        let lock_path = path.join("LOCK");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let file = file.map_err(io_error(&lock_path))?;
        match file.try_lock() {
            Ok(()) => Ok(Directory { path: path.to_owned(), _lock: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { directory: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(OpenError::Io { path: lock_path, source }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn data_path(&self) -> PathBuf {
        self.path.join("data")
    }

    pub(super) fn engine_path(&self) -> PathBuf {
        self.data_path().join("engine")
    }

    pub(super) fn watermark_path(&self) -> PathBuf {
        self.data_path().join("watermark")
    }

    pub(super) fn exists(&self) -> Result<bool, OpenError> {
        let data = self.data_path();
        data.try_exists().map_err(io_error(&data))
    }

    /// Fills a directory that has no store yet; `create_engine` makes the engine's files at the path it gets.
    pub(super) fn create(&self, create_engine: impl Fn(&Path) -> Result<(), OpenError>) -> Result<(), OpenError> {
        let new = self.path.join("data.new");
        remove_folder(&new)?;
        fs::create_dir(&new).map_err(io_error(&new))?;
        make_engine(&new.join("engine"), create_engine)?;
        let format = new.join("FORMAT");
        fs::write(&format, FORMAT).map_err(io_error(&format))?;
        Watermark::create(&new.join("watermark"))?;
        sync_all(&new).map_err(io_error(&new))?;
        fs::rename(&new, self.data_path()).map_err(io_error(&new))?;
        sync(&self.path).map_err(io_error(&self.path))
    }

    /// Refuses what this version cannot read.
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let format = self.data_path().join("FORMAT");
        let found = match fs::read(&format) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::Corrupt { path: format, reason: "file is missing".to_owned() });
            }
            found => found.map_err(io_error(&format))?,
        };
        if found != FORMAT.as_bytes() {
            let found = String::from_utf8_lossy(&found).trim().to_owned();
            return Err(OpenError::Format { path: format, found, expected: FORMAT.trim() });
        }
        Ok(())
    }

    pub(super) fn corrupt(&self, reason: String) -> OpenError {
        OpenError::Corrupt { path: self.path.clone(), reason }
    }

    /// An error that names the damaged table rather than a folder, if a table is damaged.
    pub(super) fn with_place(&self, error: OpenError) -> OpenError {
        match error {
            OpenError::Corrupt { path, reason } => {
                let path = manifest::damaged_table(&self.engine_path()).unwrap_or(path);
                OpenError::Corrupt { path, reason }
            }
            error => error,
        }
    }

    pub(super) fn failed(&self, error: &io::Error) -> Error {
        Error::Unavailable(format!("{}: {error}", self.path.display()))
    }

    /// Bytes taken on the disk. What cannot be read counts as nothing: files come and go meanwhile.
    pub(super) fn size_bytes(&self) -> u64 {
        size_bytes(&self.path)
    }
}

fn size_bytes(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_bytes(&entry.path()),
        Ok(metadata) => allocated_bytes(&metadata),
        Err(_) => 0,
    });
    sizes.sum()
}

/// Log files are extended in advance, so their length says little.
#[cfg(unix)]
fn allocated_bytes(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(metadata) * 512
}

#[cfg(not(unix))]
fn allocated_bytes(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}

fn remove_folder(path: &Path) -> Result<(), OpenError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(io_error(path)),
    }
}

/// Makes the engine's files in memory first, which is much quicker, or at once where they belong if that cannot be.
#[cfg(target_os = "linux")]
fn make_engine(path: &Path, create: impl Fn(&Path) -> Result<(), OpenError>) -> Result<(), OpenError> {
    if super::scratch::make(path, &create).is_ok() {
        return Ok(());
    }
    remove_folder(path)?;
    create(path)
}

#[cfg(not(target_os = "linux"))]
fn make_engine(path: &Path, create: impl Fn(&Path) -> Result<(), OpenError>) -> Result<(), OpenError> {
    create(path)
}

/// Makes a file, or the names in a directory, durable.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes all that is in a directory durable.
#[cfg(target_os = "linux")]
fn sync_all(directory: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(directory)?)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_all(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { sync_all(&entry.path())? } else { sync(&entry.path())? }
    }
    sync(directory)
}
