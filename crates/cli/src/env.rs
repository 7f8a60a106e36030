//! `env …`: the environments of the old env file.

mod delete;
mod get;
mod list;
mod set;

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::{Args, Subcommand};

use crate::{
    done::Done,
    error::CliError,
    flags::CommonFlags,
    settings::{DEFAULT, env_file},
};

#[derive(Debug, Subcommand)]
pub(crate) enum EnvCommand {
    /// Remove an environment, or one of its properties
    Delete(delete::Delete),
    /// Show the properties of an environment
    Get(get::Get),
    /// List the environments
    List(list::List),
    /// Set a property of an environment
    Set(set::Set),
}

impl EnvCommand {
    pub(crate) fn run(self, common: &CommonFlags) -> Done {
        match self {
            Self::Delete(command) => command.run(common),
            Self::Get(command) => command.run(common),
            Self::List(command) => command.run(common),
            Self::Set(command) => command.run(common),
        }
    }
}

/// What a command works on: an environment by `--env`, and a property of it.
#[derive(Debug, Args)]
struct Target {
    /// Property: the name of a flag
    #[arg(long, short, value_name = "NAME")]
    key: Option<String>,
    /// Use --env and --key instead
    #[arg(value_name = "ENV[.KEY]", hide = true)]
    dotted: Option<String>,
}

impl Target {
    /// The file's path, the environment's name and the property.
    fn chosen(&self, common: &CommonFlags) -> (PathBuf, String, Option<String>) {
        let (path, name) = env_file::chosen(common.env_file.as_deref(), common.env.as_deref());
        let Some(dotted) = &self.dotted else {
            return (path, name.unwrap_or_else(|| DEFAULT.to_owned()), self.key.clone());
        };
        let _ =
            writeln!(io::stderr(), "Warning: naming things by an argument is deprecated, use --env and --key instead");
        let (name, key) = dotted.split_once('.').map_or((dotted.as_str(), None), |(name, key)| (name, Some(key)));
        (path, name.to_owned(), key.map(str::to_owned).or_else(|| self.key.clone()))
    }
}

fn not_found(name: &str) -> CliError {
    CliError::NotFound(format!("environment {name:?}"))
}
