//! The command line.
use std::{path::PathBuf, time::Duration};

use abide_bench::{Load, Running, Server};
use clap::{Args, Parser, Subcommand};

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
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// Workloads to run: names or how they begin, with commas between them [default: all].
    #[arg(long, value_delimiter = ',')]
    workloads: Vec<String>,
    /// The abide program to start in durable mode for each workload.
    #[arg(long, value_name = "PATH", conflicts_with = "address")]
    server: Option<PathBuf>,
    /// Another abide program: both run alternately, and their figures are compared.
    #[arg(long, value_name = "PATH", requires = "server")]
    against: Option<PathBuf>,
    /// How many times each workload runs against each server [default: 1, with --against 3].
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
        let usual = if self.against.is_some() { 3 } else { 1 };
        self.rounds.unwrap_or(usual).max(1)
    }

    pub(crate) fn data_root(&self) -> PathBuf {
        self.data_root.clone().unwrap_or_else(std::env::temp_dir)
    }

    /// The servers in the order in which they take turns; the second, if any, is compared with the first.
    pub(crate) fn servers(&self) -> Vec<Server> {
        let mut servers = Vec::new();
        servers.extend(self.server.clone().map(Server::Program));
        servers.extend(self.against.clone().map(Server::Program));
        servers.extend(self.address.clone().map(|address| {
            let (pid, metrics_address, data_dir) = (self.pid, self.metrics_address.clone(), self.data_dir.clone());
            Server::Running(Running { address, pid, metrics_address, data_dir })
        }));
        if servers.is_empty() || !(self.no_ceiling || self.against.is_some()) {
            servers.push(Server::Ceiling);
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
