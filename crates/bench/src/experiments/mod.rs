//! Experiments: what takes more than one server under one load, such as a million open runs, a kill, or a queue that is full.
use std::{path::Path, time::Duration};

use crate::{error::Error, options::Load, target::Server};

mod backlog;
mod crash;
mod findings;
mod idle;
mod open_runs;
mod steady;
mod written;

pub use findings::{Findings, write_findings};

/// Pollers on each queue where very much waits in one.
const POLLERS_OF_MANY: usize = 64;

/// How large the experiments are.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// Open runs that are many.
    pub open_runs: u64,
    /// Open runs that those are compared with.
    pub few_open_runs: u64,
    /// How often the two take turns.
    pub rounds: usize,
    /// Open runs of a server that is killed.
    pub crash_open_runs: u64,
    /// Tasks in a queue.
    pub backlog: u64,
    /// Workflows whose bytes are counted.
    pub written: u64,
    /// How long an idle server is watched.
    pub idle: Duration,
    /// Workflows per second at a steady rate; half of the capacity if None.
    pub rate_per_s: Option<f64>,
    /// How long that rate is kept.
    pub steady: Duration,
}

/// What can be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Experiment {
    /// Nothing to do, and starts with nothing on disk.
    Idle,
    /// Bytes written.
    Written,
    /// Many open runs.
    OpenRuns,
    /// Kills under load.
    Crash,
    /// A queue that is full.
    Backlog,
    /// A steady rate.
    Steady,
}

impl Experiment {
    /// All, the longest last.
    pub const ALL: [Self; 6] = [Self::Idle, Self::Written, Self::Crash, Self::Backlog, Self::OpenRuns, Self::Steady];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Written => "written",
            Self::OpenRuns => "open_runs",
            Self::Crash => "crash",
            Self::Backlog => "backlog",
            Self::Steady => "steady",
        }
    }

    /// Those that are named; all when none is.
    ///
    /// # Errors
    /// When there is none of a name.
    pub fn select(names: &[String]) -> Result<Vec<Self>, Error> {
        if let Some(unknown) = names.iter().find(|name| !Self::ALL.iter().any(|e| e.name() == name.as_str())) {
            let known = Self::ALL.map(Self::name).join(", ");
            return Err(Error::NoSuchWorkload(unknown.clone(), known));
        }
        let is_meant = |e: &Self| names.is_empty() || names.iter().any(|name| name == e.name());
        Ok(Self::ALL.into_iter().filter(is_meant).collect())
    }

    /// Does it on servers of its own, whose data is under `root`.
    ///
    /// # Errors
    /// When a server does not start or errs: a task lost, doubled or wrong leaves no figures.
    pub async fn run(self, server: &Server, root: &Path, load: &Load, sizes: &Sizes) -> Result<Findings, Error> {
        // A queue that is full is worked off by many, so that not their polls' round trips are what is measured.
        let many = &Load { pollers: load.pollers.max(POLLERS_OF_MANY), ..load.clone() };
        match self {
            Self::Idle => idle::run(server, root, load, sizes.idle).await,
            Self::Written => written::run(server, root, load, sizes.written).await,
            Self::OpenRuns => {
                let runs = (sizes.few_open_runs, sizes.open_runs);
                open_runs::run(server, root, many, runs, sizes.rounds).await
            }
            Self::Crash => crash::run(server, root, load, sizes.crash_open_runs).await,
            Self::Backlog => backlog::run(server, root, many, sizes.backlog).await,
            Self::Steady => steady::run(server, root, load, sizes.rate_per_s, sizes.steady).await,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Experiment;

    #[test]
    fn names_select() {
        assert_eq!(Experiment::select(&[]).unwrap().len(), 6);
        assert_eq!(Experiment::select(&["crash".to_owned()]).unwrap(), [Experiment::Crash]);
        assert!(Experiment::select(&["nonsense".to_owned()]).unwrap_err().to_string().contains("open_runs"));
    }
}
