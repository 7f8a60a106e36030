//! Log lines, on standard error.
use std::io::{IsTerminal, stderr};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogFormat, LogLevel};

mod json;

/// Sets up logging for the process. A second call changes nothing.
///
/// The environment variable `ABIDE_LOG`, a tracing filter such as `info,abide_server::grpc=debug`, overrides the level.
pub fn init(format: LogFormat, level: LogLevel) {
    let filter =
        EnvFilter::builder().with_default_directive(filter(level).into()).with_env_var("ABIDE_LOG").from_env_lossy();
    let lines = fmt().with_env_filter(filter).with_writer(stderr);
    let initialised = match format {
        LogFormat::Pretty => lines.with_ansi(stderr().is_terminal()).with_target(false).try_init(),
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.event_format(json::Lines).try_init(),
    };
    if initialised.is_err() {
        tracing::debug!("logging was set up before");
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Never => LevelFilter::OFF,
    }
}
