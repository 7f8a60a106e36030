//! `env delete`

use clap::Args;

use super::{Target, not_found};
use crate::{done::Done, flags::CommonFlags, settings::env_file::EnvFile};

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    target: Target,
}

impl Delete {
    pub(super) fn run(self, common: &CommonFlags) -> Done {
        let (path, name, key) = self.target.chosen(common);
        let mut file = EnvFile::read(&path)?;
        let environment = file.environments.get_mut(&name).ok_or_else(|| not_found(&name))?;
        match key {
            Some(key) => drop(environment.remove(&key)),
            None => drop(file.environments.remove(&name)),
        }
        file.write(&path)
    }
}
