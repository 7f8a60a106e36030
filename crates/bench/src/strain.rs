//! The commands that bring a server to its limits: too much load, and very many calls that wait.
use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use abide_bench::{Server, idle_calls, overload};
use anyhow::Context;
use clap::Args;
use serde::Serialize;

#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// The abide program to start in durable mode.
    #[arg(long, value_name = "PATH")]
    server: PathBuf,
    /// Where data directories are made [default: the temporary directory].
    #[arg(long, value_name = "DIR")]
    data_root: Option<PathBuf>,
    /// Also write the figures to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct OverloadArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// HTTP/2 connections of the load.
    #[arg(long, value_name = "N", default_value_t = 4)]
    connections: usize,
    /// Workflows at a time while the most that the server gets done is found.
    #[arg(long, value_name = "N", default_value_t = 256)]
    concurrency: usize,
    /// How long too much is offered, in seconds. At its onset a burst is let in; a minute tells what comes after.
    #[arg(long, value_name = "N", default_value_t = 60.0)]
    seconds: f64,
    /// How long the most is looked for, and half of it is offered before and after, in seconds.
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    calm_seconds: f64,
    /// The multiple of the most that is offered.
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    factor: f64,
}

#[derive(Debug, Args)]
pub(crate) struct IdleCallsArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Calls that wait at a time.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    calls: usize,
    /// Connections that are opened for one poll each.
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    connections: usize,
}

pub(crate) async fn overload(arguments: &OverloadArguments) -> anyhow::Result<()> {
    let plan = overload::Plan {
        connections: arguments.connections,
        concurrency: arguments.concurrency,
        calm: Duration::try_from_secs_f64(arguments.calm_seconds)?,
        overload: Duration::try_from_secs_f64(arguments.seconds)?,
        recovery: Duration::try_from_secs_f64(arguments.calm_seconds)?,
        factor: arguments.factor,
        lost_after: Duration::from_secs(30),
    };
    let server = &arguments.server;
    let mut target = server.target().await?;
    let figures = overload::run(&target, &plan).await;
    server.tell(&figures.map_err(|error| target.ended().unwrap_or(error))?)
}

pub(crate) async fn idle_calls(arguments: &IdleCallsArguments) -> anyhow::Result<()> {
    let server = &arguments.server;
    let mut target = server.target().await?;
    let figures = idle_calls::run(&target, arguments.calls, arguments.connections).await;
    server.tell(&figures.map_err(|error| target.ended().unwrap_or(error))?)
}

impl ServerArguments {
    async fn target(&self) -> anyhow::Result<abide_bench::Target> {
        let data_root = self.data_root.clone().unwrap_or_else(std::env::temp_dir);
        Ok(Server::Program(self.server.clone()).target(&data_root).await?)
    }

    fn tell(&self, figures: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(figures)?;
        if let Some(path) = &self.json {
            std::fs::write(path, &text).with_context(|| format!("{} cannot be written", path.display()))?;
        }
        Ok(writeln!(io::stdout(), "{text}")?)
    }
}
