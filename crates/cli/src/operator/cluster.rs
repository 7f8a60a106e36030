//! `operator cluster describe`, `health`, `list`, `remove` and `system`

use std::fmt::Debug;

use abide_proto::{
    json,
    temporal::api::{
        operatorservice::v1::{ClusterMetadata, ListClustersRequest, RemoveRemoteClusterRequest},
        workflowservice::v1::{GetClusterInfoRequest, GetSystemInfoRequest},
    },
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};

use crate::{
    context::Context,
    done::Done,
    error::CliError,
    print::{Card, Table},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Show the cluster's names and stores
    Describe(Describe),
    /// Ask whether the server serves
    Health,
    /// List the clusters that the server knows
    List(List),
    /// Remove a remote cluster
    Remove(Remove),
    /// Show what the server is able to do
    System,
}

#[derive(Debug, Args)]
pub(crate) struct Describe {
    /// Show shards and version too
    #[arg(long)]
    detail: bool,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// How many at most
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Name of the cluster
    #[arg(long)]
    name: String,
}

const SERVICE: &str = "temporal.api.workflowservice.v1.WorkflowService";

impl ClusterCommand {
    pub(super) async fn run(self, context: &Context) -> Done {
        match self {
            Self::Describe(command) => command.run(context).await,
            Self::Health => health(context).await,
            Self::List(command) => command.run(context).await,
            Self::Remove(command) => command.run(context).await,
            Self::System => system(context).await,
        }
    }
}

async fn health(context: &Context) -> Done {
    let client = context.connect().await?;
    let reply = client.health().check(HealthCheckRequest { service: SERVICE.to_owned() }).await;
    let status = reply.map_err(CliError::call("checking health"))?.into_inner().status();
    context.out.say(status.as_str_name());
    context.out.document(&json!({"status": status.as_str_name()}));
    if status == ServingStatus::Serving { Ok(()) } else { Err(CliError::options("the server does not serve")) }
}

async fn system(context: &Context) -> Done {
    let client = context.connect().await?;
    let reply = client.workflows().get_system_info(GetSystemInfoRequest::default()).await;
    let reply = reply.map_err(CliError::call("getting system information"))?.into_inner();
    let mut card = Card::new().field("ServerVersion", &reply.server_version);
    let able = json::encode(&reply, context.out.payloads());
    for name in able["capabilities"].as_object().into_iter().flat_map(|able| able.keys()) {
        card = card.field(capitalised(name), "true");
    }
    context.out.card(&card);
    context.out.document(&able);
    Ok(())
}

fn capitalised(name: &str) -> String {
    let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

impl Describe {
    async fn run(self, context: &Context) -> Done {
        let client = context.connect().await?;
        let reply = client.workflows().get_cluster_info(GetClusterInfoRequest {}).await;
        let reply = reply.map_err(CliError::call("getting cluster information"))?.into_inner();
        context.out.document(&json::encode(&reply, context.out.payloads()));
        let mut heads = vec!["ClusterName", "PersistenceStore", "VisibilityStore"];
        let mut cells = vec![reply.cluster_name, reply.persistence_store, reply.visibility_store];
        if self.detail {
            heads.extend(["HistoryShardCount", "VersionInfo"]);
            let version = reply.version_info.and_then(|info| info.current).map(|current| current.version);
            let version = version.unwrap_or(reply.server_version);
            cells.extend([reply.history_shard_count.to_string(), version]);
        }
        let mut table = Table::new(&heads);
        table.row(cells);
        context.out.table(&table);
        Ok(())
    }
}

impl List {
    async fn run(self, context: &Context) -> Done {
        let client = context.connect().await?;
        let limit = self.limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let mut clusters = Vec::new();
        let mut request = ListClustersRequest::default();
        loop {
            let reply = client.operator().list_clusters(request).await;
            let reply = reply.map_err(CliError::call("listing clusters"))?.into_inner();
            clusters.extend(reply.clusters);
            if reply.next_page_token.is_empty() || clusters.len() >= limit {
                break;
            }
            request = ListClustersRequest { next_page_token: reply.next_page_token, ..ListClustersRequest::default() };
        }
        clusters.truncate(limit);
        context.out.documents(clusters.iter().map(document).collect());
        let mut table = Table::new(&[
            "Name",
            "ClusterId",
            "Address",
            "HistoryShardCount",
            "InitialFailoverVersion",
            "IsConnectionEnabled",
            "IsReplicationEnabled",
        ]);
        for cluster in clusters {
            table.row([
                cluster.cluster_name,
                cluster.cluster_id,
                cluster.address,
                cluster.history_shard_count.to_string(),
                cluster.initial_failover_version.to_string(),
                cluster.is_connection_enabled.to_string(),
                cluster.is_replication_enabled.to_string(),
            ]);
        }
        context.out.table(&table);
        Ok(())
    }
}

/// As in proto JSON: what is empty is left out, and 64-bit numbers are texts.
fn document(cluster: &ClusterMetadata) -> Value {
    let mut fields = json!({
        "clusterName": cluster.cluster_name,
        "clusterId": cluster.cluster_id,
        "address": cluster.address,
        "httpAddress": cluster.http_address,
        "initialFailoverVersion": cluster.initial_failover_version.to_string(),
        "historyShardCount": cluster.history_shard_count,
        "isConnectionEnabled": cluster.is_connection_enabled,
        "isReplicationEnabled": cluster.is_replication_enabled,
    });
    let empty = [json!(""), json!("0"), json!(0), json!(false)];
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|_, value| !empty.contains(value));
    }
    fields
}

impl Remove {
    async fn run(self, context: &Context) -> Done {
        let client = context.connect().await?;
        let request = RemoveRemoteClusterRequest { cluster_name: self.name.clone() };
        client.operator().remove_remote_cluster(request).await.map_err(CliError::call("removing cluster"))?;
        context.out.say(&format!("Cluster {} is now removed", self.name));
        Ok(())
    }
}
