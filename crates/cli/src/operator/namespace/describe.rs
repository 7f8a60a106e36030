//! `operator namespace describe`

use std::collections::BTreeMap;

use abide_proto::{
    json::{self, Style, enum_short_name},
    temporal::api::workflowservice::v1::{DescribeNamespaceRequest, DescribeNamespaceResponse},
};
use clap::Args;
use serde_json::Value;

use super::flags::NamespaceName;
use crate::{context::Context, done::Done, error::CliError, print::Card, span::Span};

#[derive(Debug, Args)]
pub(crate) struct Describe {
    #[command(flatten)]
    name: NamespaceName,
    /// Namespace id, in place of the name
    #[arg(long, value_name = "ID")]
    namespace_id: Option<String>,
}

impl Describe {
    pub(super) async fn run(self, context: &Context) -> Done {
        let request = match self.namespace_id {
            Some(id) => DescribeNamespaceRequest { id, ..DescribeNamespaceRequest::default() },
            None => {
                DescribeNamespaceRequest { namespace: self.name.chosen(context), ..DescribeNamespaceRequest::default() }
            }
        };
        let client = context.connect().await?;
        let reply = client.workflows().describe_namespace(request).await;
        let reply = reply.map_err(CliError::call("describing namespace"))?.into_inner();
        context.out.card(&card(&reply));
        context.out.document(&json::encode(&reply, context.out.payloads()));
        Ok(())
    }
}

/// The keys, and the forms of their values, that scripts over the text output know.
pub(super) fn card(reply: &DescribeNamespaceResponse) -> Card {
    let info = reply.namespace_info.clone().unwrap_or_default();
    let config = reply.config.clone().unwrap_or_default();
    let replication = reply.replication_config.clone().unwrap_or_default();
    let retention = config.workflow_execution_retention_ttl.as_ref().map(Span::from).unwrap_or_default();
    let list = |items: Vec<Value>| Value::Array(items).to_string();
    let clusters = replication.clusters.iter().map(|cluster| json::encode(cluster, Style::Canonical)).collect();
    let failovers = reply.failover_history.iter().map(|status| json::encode(status, Style::Canonical)).collect();
    let archival = |state| enum_short_name("temporal.api.enums.v1.ArchivalState", state);
    Card::new()
        .field("NamespaceInfo.Name", info.name)
        .field("NamespaceInfo.Id", info.id)
        .field("NamespaceInfo.Description", info.description)
        .field("NamespaceInfo.OwnerEmail", info.owner_email)
        .field("NamespaceInfo.State", enum_short_name("temporal.api.enums.v1.NamespaceState", info.state))
        .field("NamespaceInfo.Data", map_text(&info.data))
        .field("Config.WorkflowExecutionRetentionTtl", retention.to_string())
        .field("ReplicationConfig.ActiveClusterName", replication.active_cluster_name)
        .field("ReplicationConfig.Clusters", list(clusters))
        .field("ReplicationConfig.State", enum_short_name("temporal.api.enums.v1.ReplicationState", replication.state))
        .field("Config.HistoryArchivalState", archival(config.history_archival_state))
        .field("Config.VisibilityArchivalState", archival(config.visibility_archival_state))
        .field("IsGlobalNamespace", reply.is_global_namespace.to_string())
        .field("FailoverVersion", reply.failover_version.to_string())
        .field("FailoverHistory", list(failovers))
        .field("Config.HistoryArchivalUri", config.history_archival_uri)
        .field("Config.VisibilityArchivalUri", config.visibility_archival_uri)
        .field("Config.CustomSearchAttributeAliases", map_text(&config.custom_search_attribute_aliases))
}

/// `map[k:v k2:v2]`, in the order of the keys.
fn map_text<'a>(map: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let sorted: BTreeMap<_, _> = map.into_iter().collect();
    let pairs: Vec<_> = sorted.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    format!("map[{}]", pairs.join(" "))
}
