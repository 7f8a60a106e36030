//! `activity …`: one file for each command.

mod complete;
mod fail;

use clap::{Args, Subcommand};

use crate::{context::Context, done::Done};

#[derive(Debug, Subcommand)]
pub(crate) enum ActivityCommand {
    /// Complete an activity in place of its worker
    Complete(complete::Complete),
    /// Fail an activity in place of its worker
    Fail(fail::Fail),
}

impl ActivityCommand {
    pub(crate) async fn run(self, context: &Context) -> Done {
        match self {
            Self::Complete(command) => command.run(context).await,
            Self::Fail(command) => command.run(context).await,
        }
    }
}

/// An activity of a workflow.
#[derive(Debug, Args)]
struct ActivityReference {
    /// Activity id
    #[arg(long, short)]
    activity_id: String,
    /// Id of the workflow that the activity belongs to
    #[arg(long, short, default_value = "", hide_default_value = true)]
    workflow_id: String,
    /// Run id; the latest run if not given
    #[arg(long, short, default_value = "", hide_default_value = true)]
    run_id: String,
}
