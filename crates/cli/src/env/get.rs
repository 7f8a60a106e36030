//! `env get`

use clap::Args;
use serde_json::json;

use super::{Target, not_found};
use crate::{done::Done, flags::CommonFlags, print::Table, settings::env_file::EnvFile};

#[derive(Debug, Args)]
pub(crate) struct Get {
    #[command(flatten)]
    target: Target,
}

impl Get {
    pub(super) fn run(self, common: &CommonFlags) -> Done {
        let (path, name, key) = self.target.chosen(common);
        let mut file = EnvFile::read(&path)?;
        let environment = file.environments.remove(&name).ok_or_else(|| not_found(&name))?;
        let properties = match key {
            Some(key) => vec![(key.clone(), environment.get(&key).cloned().unwrap_or_default())],
            None => environment.into_iter().collect(),
        };
        let out = common.printer();
        out.documents(properties.iter().map(|(key, value)| json!({"property": key, "value": value})).collect());
        let mut table = Table::new(&["Property", "Value"]);
        properties.into_iter().for_each(|(key, value)| table.row([key, value]));
        out.table(&table);
        Ok(())
    }
}
