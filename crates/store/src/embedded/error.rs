//! Why a directory cannot be opened.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("data directory {} is in use by another process", .directory.display())]
    InUse { directory: PathBuf },
    /// Written by a version of the server with another layout.
    #[error("{} names the format {found:?}; this version reads {expected:?}", .path.display())]
    Format { path: PathBuf, found: String, expected: &'static str },
    /// The contents are not what was acknowledged.
    #[error("{} is corrupt: {reason}", .path.display())]
    Corrupt { path: PathBuf, reason: String },
    #[error("cannot open data directory: the working directory is gone ({0}); start from one that exists")]
    WorkingDirectory(io::Error),
    #[error("cannot open data directory {}: no thread for it: {source}", .directory.display())]
    Thread { directory: PathBuf, source: io::Error },
    #[error("cannot open data directory: {}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// Says at which path something failed.
pub(super) fn io_error(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { path, source }
}
