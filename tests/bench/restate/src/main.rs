//! Runs the service and its clients against a Restate server that runs already, and prints as JSON what they took.
use std::process::ExitCode;

use clap::Parser;

mod client;
mod cpu;
mod load;
mod service;

use load::Options;

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("restate-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let figures = runtime.block_on(load::run(options))?;
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}
