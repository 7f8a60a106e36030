//! `workflow fix-history-json`

use std::{fs, path::PathBuf};

use abide_proto::{
    json::{self, Style, UnknownFields},
    temporal::api::history::v1::History,
};
use clap::Args;

use crate::{context::Context, done::Done, error::CliError};

#[derive(Debug, Args)]
pub(crate) struct FixHistoryJson {
    /// The history file
    #[arg(long, short, value_name = "PATH")]
    source: PathBuf,
    /// Where the new file goes; stdout if not given
    #[arg(long, short, value_name = "PATH")]
    target: Option<PathBuf>,
}

impl FixHistoryJson {
    pub(super) fn run(self, context: &Context) -> Done {
        let file = |path: &PathBuf| {
            let path = path.clone();
            move |source| CliError::File { path, source }
        };
        let text = fs::read_to_string(&self.source).map_err(file(&self.source))?;
        let bad = |error: String| CliError::options(format!("{}: not a valid history: {error}", self.source.display()));
        let value = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        let history: History = json::decode(value, UnknownFields::Ignore).map_err(|error| bad(error.to_string()))?;
        let fixed = format!("{:#}\n", json::encode(&history, Style::Canonical));
        match &self.target {
            Some(target) => fs::write(target, fixed).map_err(file(target)),
            None => {
                context.out.raw(&fixed);
                Ok(())
            }
        }
    }
}
