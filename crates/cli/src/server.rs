//! `server …`: flags to a configuration, and the life of the process.

mod flags;
mod start;
mod start_dev;

use abide_server::{
    Env, RunningServer, ServerConfig,
    config::{LogFormat as ServerLogFormat, LogLevel as ServerLogLevel},
    logging, signals,
};
use clap::Subcommand;

use crate::{
    done::Done,
    error::CliError,
    flags::{CommonFlags, LogFormat, LogLevel},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ServerCommand {
    /// Run a server that keeps everything on disk
    Start(start::Start),
    /// Run a server for development, in memory unless told otherwise
    StartDev(start_dev::StartDev),
}

impl ServerCommand {
    pub(crate) fn run(self, common: &CommonFlags) -> Done {
        match self {
            Self::Start(command) => command.run(common),
            Self::StartDev(command) => command.run(common),
        }
    }
}

/// Runs a server until a signal ends it; `ready` is called once it answers.
fn serve(
    config: ServerConfig,
    common: &CommonFlags,
    default_level: LogLevel,
    ready: impl FnOnce(&RunningServer),
) -> Done {
    logging::init(log_format(common.log_format), log_level(common.log_level.unwrap_or(default_level)));
    let failed = |error: &dyn std::error::Error| CliError::options(error.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| failed(&error))?;
    runtime.block_on(async {
        let env = Env::real();
        let ended = signals::termination(&env).map_err(|error| failed(&error))?;
        let server = RunningServer::start(config, env).await.map_err(|error| failed(&error))?;
        tracing::info!(address = %server.grpc_address, "serving");
        ready(&server);
        server.serve_until(ended).await.map_err(|error| failed(&error))
    })
}

/// Logs settings that have no effect; a server starts all the same.
fn complain(complaints: &[String]) {
    complaints.iter().for_each(|text| tracing::warn!("{text}"));
}

fn log_format(format: LogFormat) -> ServerLogFormat {
    match format {
        LogFormat::Text => ServerLogFormat::Text,
        LogFormat::Json => ServerLogFormat::Json,
        LogFormat::Pretty => ServerLogFormat::Pretty,
    }
}

fn log_level(level: LogLevel) -> ServerLogLevel {
    match level {
        LogLevel::Debug => ServerLogLevel::Debug,
        LogLevel::Info => ServerLogLevel::Info,
        LogLevel::Warn => ServerLogLevel::Warn,
        LogLevel::Error => ServerLogLevel::Error,
        LogLevel::Never => ServerLogLevel::Never,
    }
}
