//! Why a directory cannot be opened.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("data directory {} is in use by another process", .directory.display())]
    InUse { directory: PathBuf },
    /// Written by a version of the server with another layout.
    #[error("data directory {} has format {found:?}; this version reads {expected:?}", .directory.display())]
    Format { directory: PathBuf, found: String, expected: &'static str },
    /// The contents are not what was acknowledged.
    #[error("{} is corrupt: {reason}", .path.display())]
    Corrupt { path: PathBuf, reason: String },
    #[error("cannot open data directory: {}: {source}", .path.display())]
    Io { path: PathBuf, source: std::io::Error },
}
