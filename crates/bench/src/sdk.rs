//! Load from a program that uses an official SDK: what the server costs under the workers that users have.
use std::{
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
};

use abide_bench::{
    Server,
    report::{SdkFigures, SdkReport, bars},
};
use anyhow::{Context, ensure};

use crate::arguments::SdkArguments;

/// The workloads that the program knows.
const WORKLOADS: [&str; 3] = ["activities_3", "local_activities_3", "activities_0"];

pub(crate) async fn run(arguments: &SdkArguments) -> anyhow::Result<()> {
    let mut servers = vec![(arguments.server_name(), Server::Program(arguments.server.clone()))];
    if !arguments.no_ceiling {
        servers.push((Server::Ceiling.name(), Server::Ceiling));
    }
    let mut report = SdkReport::default();
    say(&SdkFigures::header())?;
    for workload in WORKLOADS {
        let mut round = Vec::new();
        for (name, server) in &servers {
            let failed = || format!("{workload} on {name}");
            let mut figures = measure(workload, server, arguments).await.with_context(failed)?;
            figures.server.clone_from(name);
            say(&figures.row())?;
            round.push(figures);
        }
        report.bars.extend(bars::of_sdk(&round));
        report.figures.append(&mut round);
    }
    for bar in &report.bars {
        say(&bar.to_string())?;
    }
    match &arguments.json {
        Some(path) => Ok(report.write(path)?),
        None => Ok(()),
    }
}

/// A fresh server for each workload, loaded until the program ends.
async fn measure(workload: &str, server: &Server, arguments: &SdkArguments) -> anyhow::Result<SdkFigures> {
    let mut target = server.target(&arguments.data_root()).await?;
    let outcome = load(&arguments.program, workload, target.address(), target.pid(), arguments);
    // If the server has ended, that is why the load failed.
    outcome.map_err(|error| target.ended().map_or(error, anyhow::Error::from))
}

fn load(
    program: &Path,
    workload: &str,
    address: &str,
    pid: Option<u32>,
    arguments: &SdkArguments,
) -> anyhow::Result<SdkFigures> {
    let mut command = Command::new(program);
    command.args(["--address", address, "--workload", workload]);
    command.args(["--concurrency", &arguments.concurrency.to_string()]);
    command.args(["--seconds", &arguments.seconds.to_string()]);
    command.args(["--warm-up-seconds", &arguments.warm_up_seconds.to_string()]);
    command.args(pid.map(|pid| format!("--server-pid={pid}")));
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("{} cannot be run", program.display()))?;
    ensure!(output.status.success(), "{} ended with {}", program.display(), output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("{} prints no figures", program.display()))
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
