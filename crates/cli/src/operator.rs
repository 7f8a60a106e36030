//! `operator …`: one folder for each kind of thing.

mod cluster;
mod namespace;
mod search_attribute;

use clap::Subcommand;

use crate::{context::Context, done::Done};

#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// Look at the cluster
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Manage namespaces
    #[command(subcommand)]
    Namespace(namespace::NamespaceCommand),
    /// Manage search attributes
    #[command(subcommand)]
    SearchAttribute(search_attribute::SearchAttributeCommand),
}

impl OperatorCommand {
    pub(crate) async fn run(self, context: &Context) -> Done {
        match self {
            Self::Cluster(command) => command.run(context).await,
            Self::Namespace(command) => command.run(context).await,
            Self::SearchAttribute(command) => command.run(context).await,
        }
    }
}
