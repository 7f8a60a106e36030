//! `operator namespace create`

use abide_proto::temporal::api::{enums::v1::ArchivalState, workflowservice::v1::RegisterNamespaceRequest};
use clap::Args;

use super::flags::{NamespaceFlags, NamespaceName};
use crate::{context::Context, done::Done, error::CliError, span::Span};

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    name: NamespaceName,
    #[command(flatten)]
    flags: NamespaceFlags,
    /// Replicate the namespace to other clusters
    #[arg(long)]
    global: bool,
    /// How long closed runs are kept
    #[arg(long, value_name = "DURATION", default_value = "72h")]
    retention: Span,
}

impl Create {
    pub(super) async fn run(self, context: &Context) -> Done {
        let namespace = self.name.chosen(context);
        let [history_archival_state, visibility_archival_state] = self.flags.archival(ArchivalState::Disabled);
        let replication = self.flags.replication();
        let request = RegisterNamespaceRequest {
            namespace: namespace.clone(),
            data: self.flags.data()?,
            description: self.flags.description,
            owner_email: self.flags.email,
            workflow_execution_retention_period: Some(self.retention.into()),
            clusters: replication.clusters,
            active_cluster_name: replication.active_cluster_name,
            is_global_namespace: self.global,
            history_archival_state,
            history_archival_uri: self.flags.history_uri,
            visibility_archival_state,
            visibility_archival_uri: self.flags.visibility_uri,
            ..RegisterNamespaceRequest::default()
        };
        let client = context.connect().await?;
        client.workflows().register_namespace(request).await.map_err(CliError::call("creating namespace"))?;
        context.out.say(&format!("Namespace {namespace} is now registered"));
        Ok(())
    }
}
