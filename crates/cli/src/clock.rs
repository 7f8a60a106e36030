//! The clock of a command: what "5 seconds ago" is counted from, and how long a run took.
#![allow(clippy::disallowed_methods, reason = "a command runs beside its user, not in the simulator")]

use std::time::{Instant, SystemTime};

use prost_types::Timestamp;

use crate::span::Span;

pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

/// Measures from its start.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Span {
        Span(i64::try_from(self.0.elapsed().as_nanos()).unwrap_or(i64::MAX))
    }
}
