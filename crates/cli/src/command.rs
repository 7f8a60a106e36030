//! The tree of commands.

use clap::{Args, FromArgMatches, Parser, Subcommand};

use crate::{
    Stop,
    activity::ActivityCommand,
    config::ConfigCommand,
    context::Context,
    env::EnvCommand,
    flags::{ClientFlags, CommonFlags},
    operator::OperatorCommand,
    server::ServerCommand,
    task_queue::TaskQueueCommand,
    workflow::WorkflowCommand,
};

/// Durable execution: the server, and a client for it
#[derive(Debug, Parser)]
#[command(name = "abide", version = concat!("version ", env!("CARGO_PKG_VERSION")), disable_version_flag = true, subcommand_required = true)]
pub(crate) struct Root {
    #[command(flatten)]
    pub(crate) common: CommonFlags,
    /// Print the version
    #[arg(long, short, action = clap::ArgAction::Version)]
    version: (),
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a server
    #[command(subcommand)]
    Server(ServerCommand),
    /// Answer for activities
    Activity(ClientGroup<ActivityCommand>),
    /// Start and steer workflows
    Workflow(ClientGroup<WorkflowCommand>),
    /// Manage the server
    Operator(ClientGroup<OperatorCommand>),
    /// Look into task queues
    TaskQueue(ClientGroup<TaskQueueCommand>),
    /// Manage the config file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Manage environments of the old env file
    #[command(subcommand)]
    Env(EnvCommand),
}

/// Commands that talk to a server.
#[derive(Debug, Args)]
pub(crate) struct ClientGroup<C: Subcommand + FromArgMatches> {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    command: C,
}

pub(crate) fn run(root: Root) -> Result<(), Stop> {
    match root.command {
        Command::Server(command) => command.run(&root.common)?,
        Command::Config(command) => command.run(&root.common)?,
        Command::Env(command) => command.run(&root.common)?,
        Command::Activity(ClientGroup { client, command }) => {
            Context::new(&client, &root.common)?.run(async |context| command.run(context).await)?;
        }
        Command::Workflow(ClientGroup { client, command }) => {
            Context::new(&client, &root.common)?.run(async |context| command.run(context).await)?;
        }
        Command::Operator(ClientGroup { client, command }) => {
            Context::new(&client, &root.common)?.run(async |context| command.run(context).await)?;
        }
        Command::TaskQueue(ClientGroup { client, command }) => {
            Context::new(&client, &root.common)?.run(async |context| command.run(context).await)?;
        }
    }
    Ok(())
}
