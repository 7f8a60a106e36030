//! `operator namespace …`: one file for each command.

mod create;
mod delete;
mod describe;
mod flags;
mod list;
mod update;

use clap::Subcommand;

use crate::{context::Context, done::Done};

#[derive(Debug, Subcommand)]
pub(crate) enum NamespaceCommand {
    /// Make a namespace
    Create(create::Create),
    /// Delete a namespace and all that is in it
    Delete(delete::Delete),
    /// Show a namespace
    Describe(describe::Describe),
    /// List namespaces
    List(list::List),
    /// Change a namespace
    Update(update::Update),
}

impl NamespaceCommand {
    pub(super) async fn run(self, context: &Context) -> Done {
        match self {
            Self::Create(command) => command.run(context).await,
            Self::Delete(command) => command.run(context).await,
            Self::Describe(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Update(command) => command.run(context).await,
        }
    }
}
