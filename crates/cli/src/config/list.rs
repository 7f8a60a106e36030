//! `config list`

use clap::Args;
use serde_json::json;

use crate::{
    done::Done,
    flags::CommonFlags,
    print::Table,
    settings::config_file::{self, ConfigFile},
};

#[derive(Debug, Args)]
pub(crate) struct List {}

impl List {
    pub(super) fn run(self, common: &CommonFlags) -> Done {
        let file = ConfigFile::read(&config_file::path(common))?;
        let out = common.printer();
        let mut table = Table::new(&["Name"]);
        file.profiles().for_each(|name| table.row([name.to_owned()]));
        out.table(&table);
        out.documents(file.profiles().map(|name| json!({"name": name})).collect());
        Ok(())
    }
}
