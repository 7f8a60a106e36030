//! What is wrong with a server: any of these fails the run, because figures of a server that errs mean nothing.
use std::fmt::Display;

use tonic::{Code, Status};

/// An answer that a correct server does not give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A call that must succeed was refused.
    #[error("{call} was refused with {code:?}: {message}")]
    Refused {
        /// The RPC's name.
        call: &'static str,
        /// Its status code.
        code: Code,
        /// Its status message.
        message: String,
    },
    /// A task was handed out a second time.
    #[error("{what} was handed out twice")]
    Duplicated {
        /// The task, with its workflow id.
        what: String,
    },
    /// Something that must come did not come in time.
    #[error("{what} did not come within {waited_s} s")]
    Lost {
        /// The thing awaited.
        what: String,
        /// How long it was awaited, in seconds.
        waited_s: u64,
    },
    /// A field or an event differs from what the run so far implies.
    #[error("{what} is {got}, expected {expected}")]
    Wrong {
        /// The field, with its workflow id.
        what: String,
        /// The one right value.
        expected: String,
        /// The value found.
        got: String,
    },
}

impl Fault {
    pub(crate) fn refused(call: &'static str, status: &Status) -> Self {
        Fault::Refused { call, code: status.code(), message: status.message().to_owned() }
    }

    pub(crate) fn wrong(what: impl Into<String>, expected: impl Display, got: impl Display) -> Self {
        Fault::Wrong { what: what.into(), expected: expected.to_string(), got: got.to_string() }
    }
}

/// Fails unless both are equal; `what` is only written out when they are not.
pub(crate) fn same<T: PartialEq + Display>(expected: T, got: T, what: impl FnOnce() -> String) -> Result<(), Fault> {
    if expected == got { Ok(()) } else { Err(Fault::wrong(what(), expected, got)) }
}
