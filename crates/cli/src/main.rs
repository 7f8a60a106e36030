//! The `abide` binary: the server, and a client for it. Called by another name it answers the same.

mod activity;
mod clock;
mod command;
mod config;
mod connect;
mod context;
mod done;
mod env;
mod error;
mod flags;
mod history;
mod ids;
mod operator;
mod outcome;
mod pairs;
mod planned;
mod print;
mod server;
mod settings;
mod span;
mod task_queue;
mod usage;
mod workflow;

use std::{
    env::args_os,
    io::{self, Write},
    process::ExitCode,
};

use clap::error::ErrorKind;

/// A server makes and drops many small buffers on several threads; this allocator halves what that costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
use usage::Parsed;

fn main() -> ExitCode {
    let arguments: Vec<_> = args_os().collect();
    match usage::parse(&arguments).and_then(Parsed::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Shown(text)) => {
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(Stop::Failed(text)) => {
            let _ = writeln!(io::stderr(), "Error: {text}");
            ExitCode::FAILURE
        }
    }
}

/// Why the program ends before or without a command's success.
#[derive(Debug)]
enum Stop {
    /// Help or the version, which the user asked for.
    Shown(String),
    /// A bad command line, or a command that failed.
    Failed(String),
}

impl From<error::CliError> for Stop {
    fn from(error: error::CliError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Stop {
    fn is_shown(kind: ErrorKind) -> bool {
        matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
    }
}
