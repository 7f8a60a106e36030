//! The calls about namespaces as such (spec §3.32).
use std::{sync::Arc, time::Duration};

use abide_proto::temporal::api::{
    enums::v1::NamespaceState,
    namespace::v1::{NamespaceConfig, NamespaceInfo, UpdateNamespaceInfo, namespace_info},
    operatorservice::v1 as op,
    replication::v1::NamespaceReplicationConfig,
    workflowservice::v1 as ws,
};
use tonic::Status;
use uuid::Uuid;

use super::{Call, Frontend};
use crate::{
    namespaces::{CLUSTER_NAME, ChangeError, MetaError, Namespace, RegisterError, SYSTEM_NAMESPACE, retention_of},
    status,
};

const PAGE_SIZE_DEFAULT: usize = 100;
const PAGE_SIZE_MAX: usize = 1000;
/// How much of its id a deleted namespace's new name ends in.
const DELETED_SUFFIX_LENGTH: usize = 5;

pub(super) async fn register(
    frontend: &Frontend,
    _: Call,
    request: ws::RegisterNamespaceRequest,
) -> Result<ws::RegisterNamespaceResponse, Status> {
    if request.is_global_namespace {
        return Err(status::invalid_argument("Cannot register global namespace when not enabled"));
    }
    if frontend.namespaces.by_name(&request.namespace).is_some() {
        return Err(status::namespace_already_exists(&request.namespace));
    }
    let clusters = request.clusters.iter().map(|cluster| cluster.cluster_name.as_str());
    check_clusters(&request.active_cluster_name, clusters)?;
    let retention = retention(frontend, request.workflow_execution_retention_period)?;
    let namespace = Namespace {
        description: request.description,
        owner_email: request.owner_email,
        data: request.data.into_iter().collect(),
        ..Namespace::new(frontend.env.uuid(), request.namespace.clone(), retention)
    };
    frontend.namespaces.register(namespace).await.map_err(|error| match error {
        RegisterError::NameTaken => status::namespace_already_exists(&request.namespace),
        RegisterError::Meta(error) => unavailable(error),
    })?;
    Ok(ws::RegisterNamespaceResponse {})
}

pub(super) async fn describe(
    frontend: &Frontend,
    _: Call,
    request: ws::DescribeNamespaceRequest,
) -> Result<ws::DescribeNamespaceResponse, Status> {
    let namespace = if request.id.is_empty() {
        named(frontend, &request.namespace)?
    } else {
        let id = Uuid::try_parse(&request.id)
            .map_err(|_| status::invalid_argument(format!("Namespace id {:?} is not a valid UUID.", request.id)))?;
        frontend.namespaces.by_id(id.into_bytes()).ok_or_else(|| status::namespace_not_found(request.id))?
    };
    Ok(described(frontend, &namespace))
}

pub(super) async fn list(
    frontend: &Frontend,
    _: Call,
    request: ws::ListNamespacesRequest,
) -> Result<ws::ListNamespacesResponse, Status> {
    let size = usize::try_from(request.page_size).ok().filter(|size| *size > 0).unwrap_or(PAGE_SIZE_DEFAULT);
    let size = size.min(PAGE_SIZE_MAX);
    let mut after = match request.next_page_token.as_ref() {
        [] => None,
        token => Some(token.try_into().map_err(|_| status::invalid_argument("Invalid NextPageToken."))?),
    };
    let deleted_too = request.namespace_filter.is_some_and(|filter| filter.include_deleted);
    let mut namespaces = Vec::new();
    loop {
        let page = frontend.namespaces.page(after, size);
        let last_page = page.len() < size;
        for namespace in page {
            if namespaces.len() == size {
                return Ok(ws::ListNamespacesResponse {
                    namespaces,
                    next_page_token: after.map(|id: [u8; 16]| id.to_vec().into()).unwrap_or_default(),
                });
            }
            after = Some(namespace.id);
            if deleted_too || namespace.state != NamespaceState::Deleted {
                namespaces.push(described(frontend, &namespace));
            }
        }
        if last_page {
            return Ok(ws::ListNamespacesResponse { namespaces, next_page_token: Default::default() });
        }
    }
}

pub(super) async fn update(
    frontend: &Frontend,
    _: Call,
    request: ws::UpdateNamespaceRequest,
) -> Result<ws::UpdateNamespaceResponse, Status> {
    let id = named(frontend, &request.namespace)?.id;
    let namespace = change(frontend, id, |old| updated(frontend, old.clone(), request)).await?;
    let described = described(frontend, &namespace);
    Ok(ws::UpdateNamespaceResponse {
        namespace_info: described.namespace_info,
        config: described.config,
        replication_config: described.replication_config,
        ..Default::default()
    })
}

pub(super) async fn deprecate(
    frontend: &Frontend,
    _: Call,
    request: ws::DeprecateNamespaceRequest,
) -> Result<ws::DeprecateNamespaceResponse, Status> {
    let id = named(frontend, &request.namespace)?.id;
    change(frontend, id, |old| Ok(Namespace { state: NamespaceState::Deprecated, ..old.clone() })).await?;
    Ok(ws::DeprecateNamespaceResponse {})
}

/// Renames the namespace, so that its name is free at once, and marks it deleted.
pub(super) async fn delete(
    frontend: &Frontend,
    _: Call,
    request: op::DeleteNamespaceRequest,
) -> Result<op::DeleteNamespaceResponse, Status> {
    let (name, id) = (request.namespace.as_str(), request.namespace_id.as_str());
    let found = match (name, id) {
        ("", "") => return Err(status::invalid_argument("Namespace not set on request.")),
        (name, "") => named(frontend, name)?,
        ("", id) => Uuid::try_parse(id)
            .ok()
            .and_then(|id| frontend.namespaces.by_id(id.into_bytes()))
            .ok_or_else(|| status::namespace_not_found(id))?,
        _ => return Err(status::invalid_argument("Only one of namespace name or Id should be set on request.")),
    };
    if found.name == SYSTEM_NAMESPACE {
        return Err(status::failed_precondition("unable to delete system namespace"));
    }
    let deleted = change(frontend, found.id, |old| {
        if old.state == NamespaceState::Deleted {
            return Ok(old.clone());
        }
        let name = format!("{}-deleted-{}", old.name, &old.id_text()[..DELETED_SUFFIX_LENGTH]);
        Ok(Namespace { name, state: NamespaceState::Deleted, ..old.clone() })
    });
    Ok(op::DeleteNamespaceResponse { deleted_namespace: deleted.await?.name.clone() })
}

/// The namespace as every call of this module shows it.
fn described(frontend: &Frontend, namespace: &Namespace) -> ws::DescribeNamespaceResponse {
    let config = &frontend.dynamic_config;
    let limit = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
    let mut described = namespace.describe();
    described.namespace_info = described.namespace_info.map(|info| NamespaceInfo {
        // A bit is on only for what is built: each changes what SDKs do.
        capabilities: Some(namespace_info::Capabilities {
            eager_workflow_start: config.eager_workflow_start,
            reported_problems_search_attribute: true,
            poller_autoscaling: true,
            worker_poll_complete_on_shutdown: config.end_polls_on_shutdown,
            ..Default::default()
        }),
        limits: Some(namespace_info::Limits {
            blob_size_limit_error: limit(config.blob_size_limit_error),
            memo_size_limit_error: limit(config.memo_size_limit_error),
            ..Default::default()
        }),
        ..info
    });
    described
}

/// A namespace by a name that was checked before.
fn named(frontend: &Frontend, name: &str) -> Result<Arc<Namespace>, Status> {
    frontend.namespaces.by_name(name).ok_or_else(|| status::namespace_not_found(name))
}

pub(super) async fn change(
    frontend: &Frontend,
    id: [u8; 16],
    change: impl FnOnce(&Namespace) -> Result<Namespace, Status> + Send,
) -> Result<Arc<Namespace>, Status> {
    frontend.namespaces.change(id, change).await.map_err(|error| match error {
        ChangeError::Unknown => status::namespace_not_found(Uuid::from_bytes(id)),
        ChangeError::Meta(error) => unavailable(error),
        ChangeError::Refused(status) => status,
    })
}

fn unavailable(error: MetaError) -> Status {
    status::unavailable(error.to_string())
}

/// The namespace after an update, or why it is refused.
fn updated(
    frontend: &Frontend,
    mut namespace: Namespace,
    request: ws::UpdateNamespaceRequest,
) -> Result<Namespace, Status> {
    if request.promote_namespace {
        return Err(status::invalid_argument(format!(
            "global namespace is not enabled on this cluster, cannot update global namespace or promote local namespace: {}",
            namespace.name
        )));
    }
    if let Some(NamespaceReplicationConfig { active_cluster_name, clusters, .. }) = &request.replication_config {
        check_clusters(active_cluster_name, clusters.iter().map(|cluster| cluster.cluster_name.as_str()))?;
    }
    if let Some(info) = request.update_info {
        update_info(&mut namespace, info)?;
    }
    if let Some(config) = request.config {
        update_config(frontend, &mut namespace, config)?;
    }
    let checksum = request.delete_bad_binary;
    if !checksum.is_empty() && namespace.bad_binaries.remove(&checksum).is_none() {
        return Err(status::invalid_argument(format!("Bad binary checksum {checksum} doesn't exists.")));
    }
    Ok(namespace)
}

/// Empty texts leave what is there; data is merged by key.
fn update_info(namespace: &mut Namespace, info: UpdateNamespaceInfo) -> Result<(), Status> {
    match (namespace.state, NamespaceState::try_from(info.state)) {
        (_, Ok(NamespaceState::Unspecified)) => {}
        (old, Ok(new)) if old == new => {}
        (NamespaceState::Registered, Ok(new)) => namespace.state = new,
        _ => return Err(status::invalid_argument("Invalid namespace state update.")),
    }
    if !info.description.is_empty() {
        namespace.description = info.description;
    }
    if !info.owner_email.is_empty() {
        namespace.owner_email = info.owner_email;
    }
    namespace.data.extend(info.data);
    Ok(())
}

fn update_config(frontend: &Frontend, namespace: &mut Namespace, config: NamespaceConfig) -> Result<(), Status> {
    if config.workflow_execution_retention_ttl.is_some() {
        namespace.retention = retention(frontend, config.workflow_execution_retention_ttl)?;
    }
    let now = frontend.env.timestamp();
    for (checksum, mut binary) in config.bad_binaries.unwrap_or_default().binaries {
        binary.create_time.get_or_insert(now);
        namespace.bad_binaries.insert(checksum, binary);
    }
    // A column is freed before it gets another name.
    let taken = |(column, alias): (&String, &String)| {
        !alias.is_empty() && namespace.search_attribute_aliases.get(column).is_some_and(|old| old != alias)
    };
    if config.custom_search_attribute_aliases.iter().any(taken) {
        return Err(status::invalid_argument("Custom search attribute field name already allocated."));
    }
    namespace.set_aliases(config.custom_search_attribute_aliases);
    Ok(())
}

/// A retention that is long enough.
fn retention(frontend: &Frontend, given: Option<prost_types::Duration>) -> Result<Duration, Status> {
    given
        .and_then(retention_of)
        .filter(|retention| *retention >= frontend.dynamic_config.retention_min)
        .ok_or_else(|| status::invalid_argument("A valid retention period is not set on request."))
}

/// There is one cluster; empty names stand for it.
fn check_clusters<'n>(active: &'n str, clusters: impl Iterator<Item = &'n str>) -> Result<(), Status> {
    match clusters.chain((!active.is_empty()).then_some(active)).find(|name| *name != CLUSTER_NAME) {
        Some(other) => Err(status::invalid_argument(format!("Invalid cluster name: {other}"))),
        None => Ok(()),
    }
}
