//! `task-queue …`

mod describe;
mod list_partition;

use clap::Subcommand;

use crate::{context::Context, done::Done};

#[derive(Debug, Subcommand)]
pub(crate) enum TaskQueueCommand {
    /// Show the workers and the backlog of a task queue
    Describe(describe::Describe),
    /// List the partitions of a task queue
    ListPartition(list_partition::ListPartition),
}

impl TaskQueueCommand {
    pub(crate) async fn run(self, context: &Context) -> Done {
        match self {
            Self::Describe(command) => command.run(context).await,
            Self::ListPartition(command) => command.run(context).await,
        }
    }
}
