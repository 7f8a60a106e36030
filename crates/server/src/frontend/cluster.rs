//! What the server says of itself: the first calls of every client (spec §3.32).
use std::net::SocketAddr;

use abide_proto::temporal::api::{operatorservice::v1 as op, workflowservice::v1 as ws};
use tonic::Status;

use super::{
    Call, Frontend,
    client_version::{SERVER_VERSION, SUPPORTED_CLIENTS},
};
use crate::{config::Storage, namespaces::CLUSTER_NAME, status};

/// Versions of replicated events start here and go up by this much; there is one cluster, so they mean nothing more.
const INITIAL_FAILOVER_VERSION: i64 = 1;
const FAILOVER_VERSION_INCREMENT: i64 = 10;

pub(super) async fn get_system_info(
    frontend: &Frontend,
    _: Call,
    _: ws::GetSystemInfoRequest,
) -> Result<ws::GetSystemInfoResponse, Status> {
    Ok(ws::GetSystemInfoResponse {
        server_version: SERVER_VERSION.to_string(),
        // A bit is on only for what is built: each changes what SDKs do.
        capabilities: Some(ws::get_system_info_response::Capabilities {
            signal_and_query_header: true,
            internal_error_differentiation: true,
            activity_failure_include_heartbeat: true,
            encoded_failure_attributes: true,
            upsert_memo: true,
            eager_workflow_start: frontend.dynamic_config.eager_workflow_start,
            sdk_metadata: true,
            ..Default::default()
        }),
    })
}

pub(super) async fn get_cluster_info(
    frontend: &Frontend,
    _: Call,
    _: ws::GetClusterInfoRequest,
) -> Result<ws::GetClusterInfoResponse, Status> {
    let store = match frontend.config.storage {
        Storage::Memory => "memory",
        Storage::Directory(_) => "embedded",
    };
    Ok(ws::GetClusterInfoResponse {
        supported_clients: SUPPORTED_CLIENTS.iter().map(|(name, range, _)| ((*name).into(), (*range).into())).collect(),
        server_version: SERVER_VERSION.to_string(),
        cluster_id: frontend.system_namespace.id_text(),
        // It is about newer releases; nobody is asked whether there are any.
        version_info: None,
        cluster_name: CLUSTER_NAME.into(),
        history_shard_count: frontend.config.shard_count.into(),
        persistence_store: store.into(),
        visibility_store: store.into(),
        initial_failover_version: INITIAL_FAILOVER_VERSION,
        failover_version_increment: FAILOVER_VERSION_INCREMENT,
    })
}

/// The one cluster.
pub(super) async fn list_clusters(
    frontend: &Frontend,
    _: Call,
    _: op::ListClustersRequest,
) -> Result<op::ListClustersResponse, Status> {
    let (ip, port) = (frontend.config.ip, frontend.config.grpc_port);
    let own = op::ClusterMetadata {
        cluster_name: CLUSTER_NAME.into(),
        cluster_id: frontend.system_namespace.id_text(),
        // A port that the system chose is not known here.
        address: if port == 0 { String::new() } else { SocketAddr::new(ip, port).to_string() },
        initial_failover_version: INITIAL_FAILOVER_VERSION,
        history_shard_count: frontend.config.shard_count.into(),
        is_connection_enabled: true,
        ..Default::default()
    };
    Ok(op::ListClustersResponse { clusters: vec![own], ..Default::default() })
}

/// There is none that could be removed.
pub(super) async fn remove_remote_cluster(
    _: &Frontend,
    _: Call,
    _: op::RemoveRemoteClusterRequest,
) -> Result<op::RemoveRemoteClusterResponse, Status> {
    Err(status::not_found("The cluster to be deleted cannot be found in clusters cache."))
}
