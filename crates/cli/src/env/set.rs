//! `env set`

use clap::Args;

use super::Target;
use crate::{done::Done, error::CliError, flags::CommonFlags, settings::env_file::EnvFile};

#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    target: Target,
    /// Its value
    #[arg(long, short, value_name = "TEXT")]
    value: Option<String>,
    /// Use --value instead
    #[arg(value_name = "VALUE", hide = true)]
    bare_value: Option<String>,
}

impl Set {
    pub(super) fn run(self, common: &CommonFlags) -> Done {
        let (path, name, key) = self.target.chosen(common);
        let key = key.ok_or_else(|| CliError::options("the property must be given by --key"))?;
        let value = self.value.or(self.bare_value);
        let value = value.ok_or_else(|| CliError::options("the value must be given by --value"))?;
        let mut file = EnvFile::read(&path)?;
        file.environments.entry(name).or_default().insert(key, value);
        file.write(&path)
    }
}
