//! `config get`

use clap::Args;
use serde_json::{Value, json};

use super::{profile_name, property};
use crate::{
    done::Done,
    error::CliError,
    flags::CommonFlags,
    print::Table,
    settings::config_file::{self, ConfigFile},
};

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// Property; every one if not given
    #[arg(long, short, value_name = "NAME")]
    prop: Option<String>,
}

impl Get {
    pub(super) fn run(self, common: &CommonFlags) -> Done {
        let name = profile_name(common);
        let file = ConfigFile::read(&config_file::path(common))?;
        let profile = file.profile(&name).ok_or_else(|| config_file::not_found(&name))?;
        let out = common.printer();
        let mut table = Table::new(&["Property", "Value"]);
        match &self.prop {
            Some(name) => {
                let value = property(name)?.get(profile).unwrap_or_default();
                out.document(&json!({"property": name, "value": value}));
                table.row([name.clone(), value]);
            }
            None => {
                out.document(&document(profile)?);
                config_file::present(profile).into_iter().for_each(|(name, value)| table.row([name, value]));
            }
        }
        out.table(&table);
        Ok(())
    }
}

fn document(profile: &toml::Table) -> Result<Value, CliError> {
    serde_json::to_value(profile).map_err(|error| CliError::options(format!("the profile is no valid JSON: {error}")))
}
