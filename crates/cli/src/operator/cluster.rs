//! `operator cluster health`, `describe` and `system`

use std::fmt::Debug;

use abide_proto::{
    json,
    temporal::api::workflowservice::v1::{GetClusterInfoRequest, GetSystemInfoRequest},
};
use clap::{Args, Subcommand};
use serde_json::json;
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
    /// Show what the server is able to do
    System,
}

#[derive(Debug, Args)]
pub(crate) struct Describe {
    /// Show shards and version too
    #[arg(long)]
    detail: bool,
}

const SERVICE: &str = "temporal.api.workflowservice.v1.WorkflowService";

impl ClusterCommand {
    pub(super) async fn run(self, context: &Context) -> Done {
        match self {
            Self::Describe(command) => command.run(context).await,
            Self::Health => health(context).await,
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
            let version = reply.version_info.and_then(|info| info.current).unwrap_or_default().version;
            cells.extend([reply.history_shard_count.to_string(), version]);
        }
        let mut table = Table::new(&heads);
        table.row(cells);
        context.out.table(&table);
        Ok(())
    }
}
