//! `config …`: the profiles of the config file.

mod delete;
mod get;
mod list;
mod set;

use clap::Subcommand;

use crate::{
    done::Done,
    error::CliError,
    flags::CommonFlags,
    settings::{DEFAULT, Property, config_file},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Remove a property from a profile
    Delete(delete::Delete),
    /// Remove a profile
    DeleteProfile(delete::DeleteProfile),
    /// Show the properties of a profile
    Get(get::Get),
    /// List the profiles
    List(list::List),
    /// Set a property of a profile
    Set(set::Set),
}

impl ConfigCommand {
    pub(crate) fn run(self, common: &CommonFlags) -> Done {
        match self {
            Self::Delete(command) => command.run(common),
            Self::DeleteProfile(command) => command.run(common),
            Self::Get(command) => command.run(common),
            Self::List(command) => command.run(common),
            Self::Set(command) => command.run(common),
        }
    }
}

/// The profile that a command works on.
fn profile_name(common: &CommonFlags) -> String {
    config_file::named_profile(common).unwrap_or_else(|| DEFAULT.to_owned())
}

fn property(name: &str) -> Result<Property, CliError> {
    Property::named(name).map_err(|error| CliError::options(error.to_string()))
}
