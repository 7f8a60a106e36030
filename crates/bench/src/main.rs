//! `abide-bench`: loads servers and prints what they show.
use std::{
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
};

use clap::Parser;
use tokio::net::TcpListener;

mod against_restate;
mod arguments;
mod experiment;
mod sdk;
mod session;
mod strain;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unheard = writeln!(io::stderr(), "abide-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Some(Command::Ceiling { port }) => {
            tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
                let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
                Ok(abide_bench::ceiling::serve(listener, None).await?)
            })
        }
        Some(Command::Sdk(sdk)) => {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(sdk::run(&sdk))
        }
        Some(Command::Experiment(experiment)) => {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(experiment::run(&experiment))
        }
        Some(Command::Restate(restate)) => {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(against_restate::run(&restate))
        }
        Some(Command::Overload(overload)) => {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(strain::overload(&overload))
        }
        Some(Command::IdleCalls(calls)) => {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(strain::idle_calls(&calls))
        }
        Some(Command::Page(page)) => {
            let path = page.page.clone();
            Ok(abide_bench::report::page::refresh(&path, &page.sources())?)
        }
        None => {
            let mut runtime = match arguments.run.threads {
                0 | 1 => tokio::runtime::Builder::new_current_thread(),
                _ => tokio::runtime::Builder::new_multi_thread(),
            };
            let runtime = runtime.worker_threads(arguments.run.threads.max(1)).enable_all().build()?;
            runtime.block_on(session::run(&arguments.run))
        }
    }
}
