//! `workflow …`: one file for each command.

mod batch;
mod cancel;
mod count;
mod delete;
mod describe;
mod execute;
mod fix_history_json;
mod list;
mod pause;
mod progress;
mod query;
mod result;
mod show;
mod signal;
mod signal_with_start;
mod stack;
mod start;
mod terminate;

use clap::Subcommand;

use crate::{context::Context, done::Done};

#[derive(Debug, Subcommand)]
pub(crate) enum WorkflowCommand {
    /// Ask a workflow to cancel itself
    Cancel(cancel::Cancel),
    /// Count workflows
    Count(count::Count),
    /// Remove a run and all that is known of it
    Delete(delete::Delete),
    /// Show what is known of a run
    Describe(describe::Describe),
    /// Start a workflow and wait for its result
    Execute(execute::Execute),
    /// Rewrite the old enum names of a history file
    FixHistoryJson(fix_history_json::FixHistoryJson),
    /// List workflows
    List(list::List),
    /// Keep a run from going on
    Pause(pause::Pause),
    /// Ask a workflow's query handler
    Query(query::Query),
    /// Wait for the result of a workflow
    Result(result::WorkflowResult),
    /// Show the history of a run
    Show(show::Show),
    /// Send a signal to a workflow
    Signal(signal::Signal),
    /// Send a signal to a workflow, which is started if it does not run
    SignalWithStart(Box<signal_with_start::SignalWithStart>),
    /// Show where a workflow's code stands
    Stack(stack::Stack),
    /// Start a workflow
    Start(start::Start),
    /// End a run at once
    Terminate(terminate::Terminate),
    /// Let a paused run go on
    Unpause(pause::Unpause),
}

impl WorkflowCommand {
    pub(crate) async fn run(self, context: &Context) -> Done {
        match self {
            Self::Cancel(command) => command.run(context).await,
            Self::Count(command) => command.run(context).await,
            Self::Delete(command) => command.run(context).await,
            Self::Describe(command) => command.run(context).await,
            Self::Execute(command) => command.run(context).await,
            Self::FixHistoryJson(command) => command.run(context),
            Self::List(command) => command.run(context).await,
            Self::Pause(command) => command.run(context).await,
            Self::Query(command) => command.run(context).await,
            Self::Result(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Signal(command) => command.run(context).await,
            Self::SignalWithStart(command) => command.run(context).await,
            Self::Stack(command) => command.run(context).await,
            Self::Start(command) => command.run(context).await,
            Self::Terminate(command) => command.run(context).await,
            Self::Unpause(command) => command.run(context).await,
        }
    }
}
