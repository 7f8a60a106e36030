//! The command line.
use std::{path::PathBuf, time::Duration};

use abide_bench::{Load, Running, Server, report::page::Sources};
use clap::{Args, Parser, Subcommand};

use crate::strain::{IdleCallsArguments, OverloadArguments};
use crate::{against_restate::RestateArguments, experiment::ExperimentArguments};

/// Loads a server with workflows and measures what they cost.
///
/// Without --server and --address only the ceiling is measured.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Be the server that answers the calls of the load and does nothing else.
    Ceiling {
        /// Port to listen on, at 127.0.0.1.
        #[arg(long)]
        port: u16,
    },
    /// Measure a server under the load of a program that uses an official SDK.
    Sdk(SdkArguments),
    /// Offer a server ten times what it gets done, and see who is let in and how long that takes.
    Overload(OverloadArguments),
    /// Measure the memory of connections, polls and long polls of histories that wait.
    IdleCalls(IdleCallsArguments),
    /// Put figures that were written as JSON into the report page, with their plots.
    Page(PageArguments),
    /// Measure a Restate server and this one by turns, with the same work.
    Restate(RestateArguments),
    /// Try what takes more than one load: a million open runs, kills, a full queue, a steady rate.
    Experiment(ExperimentArguments),
}

#[derive(Debug, Args)]
pub(crate) struct PageArguments {
    /// The page, which says where each part goes.
    #[arg(long, value_name = "FILE")]
    pub(crate) page: PathBuf,
    /// Figures of one server and the ceiling.
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Figures under an SDK.
    #[arg(long, value_name = "FILE")]
    sdk: Option<PathBuf>,
    /// Figures of two servers.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Figures of Restate and Abide.
    #[arg(long, value_name = "FILE")]
    restate: Option<PathBuf>,
    /// Findings of experiments.
    #[arg(long, value_name = "FILE")]
    experiments: Option<PathBuf>,
}

impl PageArguments {
    pub(crate) fn sources(self) -> Sources {
        Sources {
            load: self.load,
            sdk: self.sdk,
            against: self.against,
            restate: self.restate,
            experiments: self.experiments,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SdkArguments {
    /// The program that loads: it is told address, workload and process of the server, and prints figures as JSON.
    #[arg(long, value_name = "PATH")]
    pub(crate) program: PathBuf,
    /// The abide program to start in durable mode for each workload.
    #[arg(long, value_name = "PATH")]
    pub(crate) server: PathBuf,
    /// What that is called in reports [default: its path].
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// Leave the ceiling out.
    #[arg(long)]
    pub(crate) no_ceiling: bool,
    /// Where data directories are made [default: the temporary directory].
    #[arg(long, value_name = "DIR")]
    data_root: Option<PathBuf>,
    /// Workflows at a time.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) concurrency: usize,
    /// How long each workload is measured, in seconds.
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// How long it runs before, in seconds.
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    pub(crate) warm_up_seconds: f64,
    /// Also write the figures to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl SdkArguments {
    pub(crate) fn server_name(&self) -> String {
        self.server_name.clone().unwrap_or_else(|| self.server.display().to_string())
    }

    pub(crate) fn data_root(&self) -> PathBuf {
        self.data_root.clone().unwrap_or_else(std::env::temp_dir)
    }
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// Workloads to run: names or how they begin, with commas between them [default: all].
    #[arg(long, value_delimiter = ',')]
    workloads: Vec<String>,
    /// The abide program to start in durable mode for each workload.
    #[arg(long, value_name = "PATH", conflicts_with = "address")]
    server: Option<PathBuf>,
    /// What that program is called in reports [default: its path].
    #[arg(long, value_name = "NAME", requires = "server")]
    server_name: Option<String>,
    /// Another abide program: both run alternately, and the first one's figures are given as multiples of this one's.
    #[arg(long, value_name = "PATH", requires = "server")]
    against: Option<PathBuf>,
    /// What that program is called in reports [default: its path].
    #[arg(long, value_name = "NAME", requires = "against")]
    against_name: Option<String>,
    /// How many times each workload runs against each server [default: 1, with --against 5].
    #[arg(long)]
    rounds: Option<usize>,
    /// A server that runs already.
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    /// The process of that server.
    #[arg(long, requires = "address")]
    pid: Option<u32>,
    /// Where that server shows its metrics.
    #[arg(long, value_name = "HOST:PORT", requires = "address")]
    metrics_address: Option<String>,
    /// Where that server stores.
    #[arg(long, value_name = "DIR", requires = "address")]
    data_dir: Option<PathBuf>,
    /// Where data directories are made and the time of a sync is measured [default: the temporary directory].
    #[arg(long, value_name = "DIR")]
    data_root: Option<PathBuf>,
    /// Leave the ceiling out.
    #[arg(long)]
    no_ceiling: bool,
    /// Also write the figures to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// How long each workload is measured, in seconds.
    #[arg(long, value_name = "N", default_value_t = 5.0)]
    seconds: f64,
    /// How long it runs before, in seconds.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    warm_up_seconds: f64,
    /// How long a server is left alone before the memory of idle runs is read, in seconds.
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    settle_seconds: f64,
    /// A run without a result after so many seconds is lost.
    #[arg(long, value_name = "N", default_value_t = 60.0)]
    lost_after_seconds: f64,
    /// Open runs of the workload idle_runs.
    #[arg(long, value_name = "N", default_value_t = 30_000)]
    idle_runs: u64,
    /// Pollers on each queue of the worker.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pollers: usize,
    /// HTTP/2 connections of the worker, and as many again of the clients.
    #[arg(long, value_name = "N", default_value_t = 2)]
    connections: usize,
    /// Threads of the load generator.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) threads: usize,
}

impl RunArguments {
    pub(crate) fn workloads(&self) -> Result<Vec<abide_bench::Workload>, abide_bench::Error> {
        abide_bench::Workload::select(&self.workloads, self.idle_runs)
    }

    pub(crate) fn rounds(&self) -> usize {
        let usual = if self.against.is_some() { 5 } else { 1 };
        self.rounds.unwrap_or(usual).max(1)
    }

    pub(crate) fn data_root(&self) -> PathBuf {
        self.data_root.clone().unwrap_or_else(std::env::temp_dir)
    }

    /// The servers and what they are called. The first one's figures are related to those of the second, if there is one.
    pub(crate) fn servers(&self) -> Vec<(String, Server)> {
        let mut servers = Vec::new();
        let mut add = |name: &Option<String>, server: Server| {
            servers.push((name.clone().unwrap_or_else(|| server.name()), server));
        };
        if let Some(program) = &self.server {
            add(&self.server_name, Server::Program(program.clone()));
        }
        if let Some(program) = &self.against {
            add(&self.against_name, Server::Program(program.clone()));
        }
        if let Some(address) = self.address.clone() {
            let (pid, metrics_address, data_dir) = (self.pid, self.metrics_address.clone(), self.data_dir.clone());
            add(&None, Server::Running(Running { address, pid, metrics_address, data_dir }));
        }
        if servers.is_empty() || !(self.no_ceiling || self.against.is_some()) {
            servers.push((Server::Ceiling.name(), Server::Ceiling));
        }
        servers
    }

    pub(crate) fn load(&self) -> Result<Load, std::time::TryFromFloatSecsError> {
        Ok(Load {
            length: Duration::try_from_secs_f64(self.seconds)?,
            warm_up: Duration::try_from_secs_f64(self.warm_up_seconds)?,
            pollers: self.pollers,
            connections: self.connections,
            lost_after: Duration::try_from_secs_f64(self.lost_after_seconds)?,
            settle: Duration::try_from_secs_f64(self.settle_seconds)?,
        })
    }
}
