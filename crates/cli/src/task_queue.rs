//! `task-queue …`

mod describe;

use clap::Subcommand;

use crate::{context::Context, done::Done};

#[derive(Debug, Subcommand)]
pub(crate) enum TaskQueueCommand {
    /// Show the workers and the backlog of a task queue
    Describe(describe::Describe),
}

impl TaskQueueCommand {
    pub(crate) async fn run(self, context: &Context) -> Done {
        match self {
            Self::Describe(command) => command.run(context).await,
        }
    }
}
