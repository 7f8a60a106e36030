//! The registry of search attributes: a namespace's own, and those of the system (spec §3.23).
use abide_proto::temporal::api::{
    enums::v1::IndexedValueType::{self, Bool, Datetime, Int, Keyword, KeywordList},
    operatorservice::v1 as op,
    workflowservice::v1 as ws,
};
use tonic::Status;

use super::{Call, Frontend, namespace::change};
use crate::{namespaces::Namespace, status};

/// Names that the system gives values to, or that SDKs know, with their types. Sorted by name.
pub const SYSTEM_SEARCH_ATTRIBUTES: [(&str, IndexedValueType); 33] = [
    ("BatcherNamespace", Keyword),
    ("BatcherUser", Keyword),
    ("BinaryChecksums", KeywordList),
    ("BuildIds", KeywordList),
    ("CloseTime", Datetime),
    ("ExecutionDuration", Int),
    ("ExecutionStatus", Keyword),
    ("ExecutionTime", Datetime),
    ("HistoryLength", Int),
    ("HistorySizeBytes", Int),
    ("ParentRunId", Keyword),
    ("ParentWorkflowId", Keyword),
    ("RootRunId", Keyword),
    ("RootWorkflowId", Keyword),
    ("RunId", Keyword),
    ("StartTime", Datetime),
    ("StateTransitionCount", Int),
    ("TaskQueue", Keyword),
    ("TemporalChangeVersion", KeywordList),
    ("TemporalExternalPayloadCount", Int),
    ("TemporalExternalPayloadSizeBytes", Int),
    ("TemporalNamespaceDivision", Keyword),
    ("TemporalPauseInfo", KeywordList),
    ("TemporalReportedProblems", KeywordList),
    ("TemporalSchedulePaused", Bool),
    ("TemporalScheduledById", Keyword),
    ("TemporalScheduledStartTime", Datetime),
    ("TemporalUsedWorkerDeploymentVersions", KeywordList),
    ("TemporalWorkerDeployment", Keyword),
    ("TemporalWorkerDeploymentVersion", Keyword),
    ("TemporalWorkflowVersioningBehavior", Keyword),
    ("WorkflowId", Keyword),
    ("WorkflowType", Keyword),
];

/// Every name that starts like this is the system's.
const RESERVED_PREFIX: &str = "Temporal";

fn is_system(name: &str) -> bool {
    SYSTEM_SEARCH_ATTRIBUTES.binary_search_by_key(&name, |(system, _)| system).is_ok()
}

/// Gives each attribute a column, or none of them.
pub(super) async fn add(
    frontend: &Frontend,
    _: Call,
    request: op::AddSearchAttributesRequest,
) -> Result<op::AddSearchAttributesResponse, Status> {
    if request.search_attributes.is_empty() {
        return Err(status::invalid_argument("SearchAttributes are not set on request."));
    }
    let id = named(frontend, &request.namespace)?;
    // The request's map has no order; the columns are given out in that of the names.
    let mut wanted: Vec<_> = request.search_attributes.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    wanted.sort_unstable();
    change(frontend, id, |old| with(old.clone(), &wanted)).await?;
    Ok(op::AddSearchAttributesResponse {})
}

fn with(mut namespace: Namespace, wanted: &[(&str, i32)]) -> Result<Namespace, Status> {
    for (name, kind) in wanted {
        if is_system(name) || name.starts_with(RESERVED_PREFIX) {
            return Err(status::invalid_argument(format!("Search attribute {name} is reserved by system.")));
        }
        let kind = IndexedValueType::try_from(*kind)
            .map_err(|_| status::invalid_argument(format!("Unknown search attribute type: {kind}.")))?;
        namespace
            .add_search_attribute(name, kind)
            .map_err(|full| status::invalid_argument(format!("Unable to create search attributes: {full}")))?;
    }
    Ok(namespace)
}

/// Frees the columns of the attributes. Names that are unknown are passed over.
pub(super) async fn remove(
    frontend: &Frontend,
    _: Call,
    request: op::RemoveSearchAttributesRequest,
) -> Result<op::RemoveSearchAttributesResponse, Status> {
    if request.search_attributes.is_empty() {
        return Err(status::invalid_argument("SearchAttributes are not set on request."));
    }
    let id = named(frontend, &request.namespace)?;
    if let Some(system) = request.search_attributes.iter().find(|name| is_system(name)) {
        let text = format!("Unable to remove non-custom search attributes: {system}.");
        return Err(status::invalid_argument(text));
    }
    let without = |old: &Namespace| {
        let aliases = old.search_attribute_aliases.iter();
        let gone = aliases.filter(|(_, alias)| request.search_attributes.contains(alias));
        let freed: Vec<_> = gone.map(|(column, _)| (column.clone(), String::new())).collect();
        let mut new = old.clone();
        new.set_aliases(freed);
        Ok(new)
    };
    change(frontend, id, without).await?;
    Ok(op::RemoveSearchAttributesResponse {})
}

pub(super) async fn list(
    frontend: &Frontend,
    _: Call,
    request: op::ListSearchAttributesRequest,
) -> Result<op::ListSearchAttributesResponse, Status> {
    let id = named(frontend, &request.namespace)?;
    let namespace = frontend.namespaces.by_id(id).ok_or_else(|| status::namespace_not_found(request.namespace))?;
    let custom = namespace.search_attributes().iter().map(|(name, kind)| (name.clone(), (*kind).into()));
    Ok(op::ListSearchAttributesResponse {
        custom_attributes: custom.collect(),
        system_attributes: system(),
        ..Default::default()
    })
}

/// The attributes of the cluster: all but the namespaces' own.
pub(super) async fn get(
    _: &Frontend,
    _: Call,
    _: ws::GetSearchAttributesRequest,
) -> Result<ws::GetSearchAttributesResponse, Status> {
    Ok(ws::GetSearchAttributesResponse { keys: system() })
}

fn system<M: FromIterator<(String, i32)>>() -> M {
    SYSTEM_SEARCH_ATTRIBUTES.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).into())).collect()
}

/// The id of the namespace that a request of these names.
fn named(frontend: &Frontend, name: &str) -> Result<[u8; 16], Status> {
    if name.is_empty() {
        return Err(status::invalid_argument("Namespace is not set on request."));
    }
    frontend.namespace(name).map(|namespace| namespace.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_names_are_found_by_search() {
        assert!(SYSTEM_SEARCH_ATTRIBUTES.is_sorted());
        assert!(is_system("WorkflowId") && !is_system("workflowid"));
    }
}
