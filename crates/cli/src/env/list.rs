//! `env list`

use clap::Args;
use serde_json::json;

use crate::{
    done::Done,
    flags::CommonFlags,
    print::Table,
    settings::env_file::{self, EnvFile},
};

#[derive(Debug, Args)]
pub(crate) struct List {}

impl List {
    pub(super) fn run(self, common: &CommonFlags) -> Done {
        let (path, _) = env_file::chosen(common.env_file.as_deref(), common.env.as_deref());
        let file = EnvFile::read(&path)?;
        let out = common.printer();
        let mut table = Table::new(&["Name"]);
        file.environments.keys().for_each(|name| table.row([name.clone()]));
        out.table(&table);
        out.documents(file.environments.keys().map(|name| json!({"name": name})).collect());
        Ok(())
    }
}
