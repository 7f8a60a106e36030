//! Why a command ends with exit code 1. The text goes to stderr after `Error: `.

use std::{io, path::PathBuf};

use tonic::Status;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Options that do not go together, or a value that cannot be used.
    #[error("{0}")]
    Options(String),
    #[error("failed reaching server at {address}: {reason}")]
    Unreachable { address: String, reason: String },
    /// The server refused a call; `doing` is what the command was at.
    #[error("failed {doing}: {}", text_of(.status))]
    Call { doing: &'static str, status: Box<Status> },
    /// The run did not complete; its outcome stands on stdout.
    #[error("workflow {0}")]
    Run(&'static str),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{0} not found")]
    NotFound(String),
    #[error("command timed out")]
    TimedOut,
    #[error("command interrupted")]
    Interrupted,
}

impl CliError {
    pub(crate) fn options(text: impl Into<String>) -> Self {
        Self::Options(text.into())
    }

    /// For `map_err` of a call: what the command was at.
    pub(crate) fn call(doing: &'static str) -> impl Fn(Status) -> Self {
        move |status| Self::Call { doing, status: Box::new(status) }
    }
}

/// The server's own words; a status without any is named by its code.
fn text_of(status: &Status) -> String {
    match status.message() {
        "" => status.code().description().to_lowercase(),
        text => text.to_owned(),
    }
}
