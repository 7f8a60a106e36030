//! The subcommand `restate`: Restate and Abide by turns, with the same work, on the same machine, in the same run.
use std::{
    io::{self, Write},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use abide_bench::{
    Load, Server,
    report::{RestateReport, SdkFigures},
    restate::{self, PAIRS, Pair, RestateServer},
};
use anyhow::{Context, ensure};
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct RestateArguments {
    /// The abide program.
    #[arg(long, value_name = "PATH")]
    server: PathBuf,
    /// What that is called in reports.
    #[arg(long, value_name = "NAME", default_value = "abide")]
    server_name: String,
    /// The Restate server's program.
    #[arg(long, value_name = "PATH")]
    restate: PathBuf,
    /// The program that serves steps to Restate and calls them; it prints figures as JSON.
    #[arg(long, value_name = "PATH")]
    program: PathBuf,
    /// Where data directories are made [default: the temporary directory].
    #[arg(long, value_name = "DIR")]
    data_root: Option<PathBuf>,
    /// How many times each workload runs on each server.
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
    /// How long each workload is measured, in seconds.
    #[arg(long, value_name = "N", default_value_t = 8.0)]
    seconds: f64,
    /// How long it runs before, in seconds.
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    warm_up_seconds: f64,
    /// How long a server is watched that has nothing to do, in seconds.
    #[arg(long, value_name = "N", default_value_t = 30.0)]
    idle_seconds: f64,
    /// Also write the figures to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &RestateArguments) -> anyhow::Result<()> {
    let mut report = RestateReport::default();
    say(&SdkFigures::header())?;
    for pair in &PAIRS {
        for round in 0..arguments.rounds.max(1) {
            let is_first = report.figures.is_empty();
            if round % 2 == 0 {
                on_restate(pair, arguments, is_first, &mut report).await?;
                on_abide(pair, arguments, is_first, &mut report).await?;
            } else {
                on_abide(pair, arguments, false, &mut report).await?;
                on_restate(pair, arguments, false, &mut report).await?;
            }
        }
    }
    report.bars = restate::bars(&report.figures);
    for line in std::iter::once(String::new()).chain(report.lines()) {
        say(&line)?;
    }
    match &arguments.json {
        Some(path) => Ok(report.write(path)?),
        None => Ok(()),
    }
}

async fn on_restate(
    pair: &Pair,
    arguments: &RestateArguments,
    watch: bool,
    report: &mut RestateReport,
) -> anyhow::Result<()> {
    let data_root = arguments.data_root.clone().unwrap_or_else(std::env::temp_dir);
    let mut server = RestateServer::start(&arguments.restate, &data_root).await?;
    if watch {
        report.idle.push(server.idle(Duration::try_from_secs_f64(arguments.idle_seconds)?).await);
    }
    let outcome = load(&server, pair, arguments);
    // If the server has ended, that is why the load failed.
    let mut figures = outcome.map_err(|error| server.ended().map_or(error, anyhow::Error::from))?;
    "restate".clone_into(&mut figures.server);
    say(&figures.row())?;
    report.figures.push(figures);
    Ok(())
}

fn load(server: &RestateServer, pair: &Pair, arguments: &RestateArguments) -> anyhow::Result<SdkFigures> {
    let mut command = Command::new(&arguments.program);
    command.args(["--ingress", &server.ingress, "--admin", &server.admin, "--workload", pair.steps]);
    command.args(["--concurrency", &pair.concurrency.to_string(), "--server-pid", &server.pid().to_string()]);
    command.args(["--seconds", &arguments.seconds.to_string()]);
    command.args(["--warm-up-seconds", &arguments.warm_up_seconds.to_string()]);
    let program = arguments.program.display();
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("{program} cannot be run"))?;
    ensure!(output.status.success(), "{program} ended with {}", output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("{program} prints no figures"))
}

async fn on_abide(
    pair: &Pair,
    arguments: &RestateArguments,
    watch: bool,
    report: &mut RestateReport,
) -> anyhow::Result<()> {
    let data_root = arguments.data_root.clone().unwrap_or_else(std::env::temp_dir);
    let server = Server::Program(arguments.server.clone());
    let load = Load {
        length: Duration::try_from_secs_f64(arguments.seconds)?,
        warm_up: Duration::try_from_secs_f64(arguments.warm_up_seconds)?,
        ..Load::default()
    };
    for (number, workload) in pair.abide.iter().enumerate() {
        let idle =
            (watch && number == 0).then_some(arguments.idle_seconds).map(Duration::try_from_secs_f64).transpose()?;
        let measured = restate::abide(&server, &arguments.server_name, *workload, &data_root, &load, idle).await;
        let (figures, idle) = measured.with_context(|| workload.name())?;
        say(&figures.row())?;
        report.figures.push(figures);
        report.idle.extend(idle);
    }
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
