//! `config set`

use clap::Args;

use super::{profile_name, property};
use crate::{
    done::Done,
    error::CliError,
    flags::CommonFlags,
    settings::config_file::{self, ConfigFile},
};

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Property
    #[arg(long, short, value_name = "NAME")]
    prop: String,
    /// Its value
    #[arg(long, short, value_name = "TEXT")]
    value: String,
}

impl Set {
    pub(super) fn run(self, common: &CommonFlags) -> Done {
        let property = property(&self.prop)?;
        let path = config_file::path(common);
        let mut file = ConfigFile::read(&path)?;
        property.set(file.profile_mut(&profile_name(common))?, &self.value).map_err(CliError::Options)?;
        file.write(&path)
    }
}
