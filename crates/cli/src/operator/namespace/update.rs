//! `operator namespace update`

use abide_proto::temporal::api::{
    enums::v1::{ArchivalState, ReplicationState},
    namespace::v1::{NamespaceConfig, UpdateNamespaceInfo},
    replication::v1::NamespaceReplicationConfig,
    workflowservice::v1::{DescribeNamespaceRequest, UpdateNamespaceRequest},
};
use clap::{Args, ValueEnum};

use super::flags::{NamespaceFlags, NamespaceName};
use crate::{connect::Client, context::Context, done::Done, error::CliError, span::Span};

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    name: NamespaceName,
    #[command(flatten)]
    flags: NamespaceFlags,
    /// Make the namespace one that is replicated to other clusters
    #[arg(long)]
    promote_global: bool,
    /// State of the replication
    #[arg(long, value_name = "STATE")]
    replication_state: Option<Replication>,
    /// How long closed runs are kept
    #[arg(long, value_name = "DURATION")]
    retention: Option<Span>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Replication {
    Normal,
    Handover,
}

const DOING: &str = "updating namespace";

impl Update {
    pub(super) async fn run(self, context: &Context) -> Done {
        let namespace = self.name.chosen(context);
        let client = context.connect().await?;
        let request = self.request(&client, namespace.clone()).await?;
        client.workflows().update_namespace(request).await.map_err(CliError::call(DOING))?;
        context.out.say(&format!("Namespace {namespace} is now updated"));
        Ok(())
    }

    /// The server replaces texts as a whole, so what no flag says is taken from the namespace as it is.
    async fn request(self, client: &Client, namespace: String) -> Result<UpdateNamespaceRequest, CliError> {
        let asked = DescribeNamespaceRequest { namespace: namespace.clone(), ..DescribeNamespaceRequest::default() };
        let found = client.workflows().describe_namespace(asked).await.map_err(CliError::call(DOING))?.into_inner();
        let info = found.namespace_info.unwrap_or_default();
        let replication = NamespaceReplicationConfig {
            state: self
                .replication_state
                .map_or(ReplicationState::Unspecified, |state| match state {
                    Replication::Normal => ReplicationState::Normal,
                    Replication::Handover => ReplicationState::Handover,
                })
                .into(),
            ..self.flags.replication()
        };
        let [history_archival_state, visibility_archival_state] = self.flags.archival(ArchivalState::Unspecified);
        let data = self.flags.data()?;
        let or = |given: String, found: String| if given.is_empty() { found } else { given };
        Ok(UpdateNamespaceRequest {
            namespace,
            update_info: Some(UpdateNamespaceInfo {
                description: or(self.flags.description, info.description),
                owner_email: or(self.flags.email, info.owner_email),
                data,
                ..UpdateNamespaceInfo::default()
            }),
            config: Some(NamespaceConfig {
                workflow_execution_retention_ttl: self.retention.map(Into::into),
                history_archival_state,
                history_archival_uri: self.flags.history_uri,
                visibility_archival_state,
                visibility_archival_uri: self.flags.visibility_uri,
                ..NamespaceConfig::default()
            }),
            replication_config: (replication != NamespaceReplicationConfig::default()).then_some(replication),
            promote_namespace: self.promote_global,
            ..UpdateNamespaceRequest::default()
        })
    }
}
