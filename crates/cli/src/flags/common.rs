//! Flags of every command.

use std::path::PathBuf;

use abide_proto::json::Style;
use clap::{Args, ValueEnum};

use crate::{
    print::{Colour, OutputForm, Printer, TimeFormat},
    span::Span,
};

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct CommonFlags {
    /// Environment of the env file that supplies flags [env: TEMPORAL_ENV] [default: default]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Env file [env: TEMPORAL_ENV_FILE] [default: ~/.config/temporalio/temporal.yaml]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) env_file: Option<PathBuf>,
    /// Config file [env: TEMPORAL_CONFIG_FILE] [default: ~/.config/temporalio/temporal.toml]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) config_file: Option<PathBuf>,
    /// Profile of the config file [env: TEMPORAL_PROFILE] [default: default]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Do not read the config file
    #[arg(long, global = true)]
    pub(crate) disable_config_file: bool,
    /// Do not read the environment variables of the profile's options
    #[arg(long, global = true)]
    pub(crate) disable_config_env: bool,
    /// What is logged to stderr: never, but warn for servers
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log_level: Option<LogLevel>,
    /// Form of the log lines
    #[arg(long, global = true, value_name = "FORM", default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// Form of what is printed
    #[arg(long, short, global = true, value_name = "FORM", default_value = "text")]
    pub(crate) output: OutputForm,
    /// Form of times in text
    #[arg(long, global = true, value_name = "FORM", default_value = "relative")]
    pub(crate) time_format: TimeFormat,
    /// Colour of text
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Colour,
    /// Show payloads in JSON as they are, not by their value
    #[arg(long, global = true)]
    pub(crate) no_json_shorthand_payloads: bool,
    /// Give up after this time
    #[arg(long, global = true, value_name = "DURATION")]
    pub(crate) command_timeout: Option<Span>,
    /// Give up connecting after this time
    #[arg(long, global = true, value_name = "DURATION")]
    pub(crate) client_connect_timeout: Option<Span>,
}

impl CommonFlags {
    pub(crate) fn printer(&self) -> Printer {
        let payloads = if self.no_json_shorthand_payloads { Style::Canonical } else { Style::Shorthand };
        Printer::new(self.output, self.time_format, self.color, payloads)
    }
}

/// `--log-level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
    Never,
}

/// `--log-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
    Pretty,
}
