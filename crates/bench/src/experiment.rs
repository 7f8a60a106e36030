//! The subcommand `experiment`: the experiments one after another, with what they found.
use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use abide_bench::{
    Load, Server,
    experiments::{Experiment, Sizes, write_findings},
};
use anyhow::Context;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ExperimentArguments {
    /// Experiments to do, with commas between them [default: all].
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The abide program to start in durable mode.
    #[arg(long, value_name = "PATH")]
    server: PathBuf,
    /// Where data directories are made [default: the temporary directory].
    #[arg(long, value_name = "DIR")]
    data_root: Option<PathBuf>,
    /// Also write the findings to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Open runs that are many.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    open_runs: u64,
    /// Open runs that those are compared with.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    few_open_runs: u64,
    /// How often servers with many and with few open runs take turns.
    #[arg(long, value_name = "N", default_value_t = 7)]
    rounds: usize,
    /// Open runs of the server that is killed.
    #[arg(long, value_name = "N", default_value_t = 30_000)]
    crash_open_runs: u64,
    /// Tasks in one queue.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    backlog: u64,
    /// Workflows whose bytes are counted.
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    written: u64,
    /// How long an idle server is watched, in seconds.
    #[arg(long, value_name = "N", default_value_t = 30.0)]
    idle_seconds: f64,
    /// Workflows per second at a steady rate [default: half of the capacity, which is measured first].
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// How long that rate is kept, in minutes.
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    minutes: f64,
    /// How long each stretch of load is measured, in seconds.
    #[arg(long, value_name = "N", default_value_t = 5.0)]
    seconds: f64,
}

impl ExperimentArguments {
    fn sizes(&self) -> Result<Sizes, std::time::TryFromFloatSecsError> {
        Ok(Sizes {
            open_runs: self.open_runs,
            few_open_runs: self.few_open_runs,
            rounds: self.rounds,
            crash_open_runs: self.crash_open_runs,
            backlog: self.backlog,
            written: self.written,
            idle: Duration::try_from_secs_f64(self.idle_seconds)?,
            rate_per_s: self.rate,
            steady: Duration::try_from_secs_f64(self.minutes * 60.0)?,
        })
    }
}

pub(crate) async fn run(arguments: &ExperimentArguments) -> anyhow::Result<()> {
    let sizes = arguments.sizes()?;
    let load = Load { length: Duration::try_from_secs_f64(arguments.seconds)?, ..Load::default() };
    let root = arguments.data_root.clone().unwrap_or_else(std::env::temp_dir);
    let server = Server::Program(arguments.server.clone());
    let mut all = Vec::new();
    for experiment in Experiment::select(&arguments.only)? {
        let findings = experiment.run(&server, &root, &load, &sizes).await;
        let findings = findings.with_context(|| experiment.name())?;
        for line in findings.lines() {
            say(&line)?;
        }
        all.push(findings);
    }
    match &arguments.json {
        Some(path) => Ok(write_findings(&all, path)?),
        None => Ok(()),
    }
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
