//! `config delete` and `config delete-profile`

use clap::Args;

use super::{profile_name, property};
use crate::{
    done::Done,
    error::CliError,
    flags::CommonFlags,
    settings::config_file::{self, ConfigFile},
};

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Property
    #[arg(long, short, value_name = "NAME")]
    prop: String,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteProfile {}

impl Delete {
    pub(super) fn run(self, common: &CommonFlags) -> Done {
        let property = property(&self.prop)?;
        let (path, name) = (config_file::path(common), profile_name(common));
        let mut file = ConfigFile::read(&path)?;
        if file.profile(&name).is_none() {
            return Err(config_file::not_found(&name));
        }
        property.remove(file.profile_mut(&name)?);
        file.write(&path)
    }
}

impl DeleteProfile {
    pub(super) fn run(self, common: &CommonFlags) -> Done {
        let Some(name) = config_file::named_profile(common) else {
            return Err(CliError::options("the profile must be given by --profile"));
        };
        let path = config_file::path(common);
        let mut file = ConfigFile::read(&path)?;
        if !file.remove_profile(&name) {
            return Err(config_file::not_found(&name));
        }
        file.write(&path)
    }
}
