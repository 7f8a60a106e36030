//! Why a run of the load generator ends without figures.
use std::{io, path::PathBuf};

use crate::fault::Fault;

/// Everything that can end a run early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server under load erred.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A connection could not be opened.
    #[error("no connection to the server")]
    Connect(#[from] tonic::transport::Error),
    /// A server program could not be started.
    #[error("{program} does not start")]
    Spawn {
        /// The program's path.
        program: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The server program ended by itself.
    #[error("{program} ended with {status}; its output is {output}")]
    Ended {
        /// The program's path.
        program: PathBuf,
        /// Its exit status.
        status: String,
        /// The last of what it wrote.
        output: String,
    },
    /// No workload has a name that begins like this.
    #[error("no workload is called {0}; there are: {1}")]
    NoSuchWorkload(String, String),
    /// A file or /proc could not be read or written.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system answered.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Error::Io { what, source }
    }
}
