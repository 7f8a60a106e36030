//! Search attributes of a run: what they may be, how upserts merge, and the ones that the server sets (spec §3.23).
use bytes::Bytes;
use serde_json::Value;

mod value;

use super::{run::Run, transition::Transition};
use crate::{
    Settings,
    api::{
        common::{Payload, SearchAttributes},
        enums::IndexedValueType as Type,
        workflow::ResetPointInfo,
    },
    payload,
};

const BUILD_IDS: &str = "BuildIds";
/// At most this many reset points are kept; the oldest go.
const RESET_POINTS_MAX: usize = 20;

/// Attributes that the server alone sets.
const SYSTEM: [&str; 22] = [
    "WorkflowId",
    "RunId",
    "WorkflowType",
    "StartTime",
    "ExecutionTime",
    "CloseTime",
    "ExecutionStatus",
    "TaskQueue",
    "HistoryLength",
    "HistorySizeBytes",
    "ExecutionDuration",
    "StateTransitionCount",
    "ParentWorkflowId",
    "ParentRunId",
    "RootWorkflowId",
    "RootRunId",
    "TemporalWorkerDeploymentVersion",
    "TemporalWorkflowVersioningBehavior",
    "TemporalWorkerDeployment",
    "TemporalUsedWorkerDeploymentVersions",
    "TemporalExternalPayloadCount",
    "TemporalExternalPayloadSizeBytes",
];

/// Attributes that are there without having been added, and that users may set.
fn predefined(name: &str) -> Option<Type> {
    Some(match name {
        "TemporalChangeVersion" | "BinaryChecksums" | "BuildIds" | "TemporalPauseInfo" | "TemporalReportedProblems" => {
            Type::KeywordList
        }
        "BatcherNamespace" | "BatcherUser" | "TemporalScheduledById" | "TemporalNamespaceDivision" => Type::Keyword,
        "TemporalScheduledStartTime" => Type::Datetime,
        "TemporalSchedulePaused" => Type::Bool,
        _ => return None,
    })
}

fn type_of(settings: &Settings, name: &str) -> Option<Type> {
    settings.search_attributes.get(name).copied().or_else(|| predefined(name))
}

fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Text => "Text",
        Type::Keyword => "Keyword",
        Type::Int => "Int",
        Type::Double => "Double",
        Type::Bool => "Bool",
        Type::Datetime => "Datetime",
        Type::KeywordList => "KeywordList",
        Type::Unspecified => "Unspecified",
    }
}

/// Why attributes cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A name that is not the user's to set, or a value that does not fit its type.
    #[error("{0}")]
    Attribute(String),
    /// A value, or all together, over the limit. An upsert of such ends the run.
    #[error("{0}")]
    TooLarge(String),
}

impl From<Invalid> for String {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::Attribute(text) | Invalid::TooLarge(text) => text,
        }
    }
}

/// Checks what a user wants to set. `namespace` is the name used in texts.
pub fn validate(settings: &Settings, namespace: &str, wanted: Option<&SearchAttributes>) -> Result<(), Invalid> {
    let Some(wanted) = wanted else { return Ok(()) };
    let limit = settings.search_attribute_keys;
    if wanted.indexed_fields.len() > limit {
        let count = wanted.indexed_fields.len();
        return Err(Invalid::Attribute(format!("number of search attributes {count} exceeds limit {limit}")));
    }
    let mut names: Vec<&String> = wanted.indexed_fields.keys().collect();
    names.sort();
    for name in &names {
        validate_attribute(settings, namespace, wanted, name).map_err(Invalid::Attribute)?;
    }
    let (limit, total_limit) = (settings.search_attribute_value_bytes, settings.search_attributes_bytes);
    let mut total = 0;
    for name in names {
        let size = wanted.indexed_fields[name].data.len();
        if size > limit {
            let text = format!("search attribute {name} value size {size} exceeds size limit {limit}");
            return Err(Invalid::TooLarge(text));
        }
        total += name.len() + size;
    }
    if total > total_limit {
        let text = format!("total size of search attributes {total} exceeds size limit {total_limit}");
        return Err(Invalid::TooLarge(text));
    }
    Ok(())
}

fn validate_attribute(
    settings: &Settings,
    namespace: &str,
    wanted: &SearchAttributes,
    name: &str,
) -> Result<(), String> {
    if SYSTEM.contains(&name) {
        return Err(format!("{name} attribute can't be set in SearchAttributes"));
    }
    let Some(kind) = type_of(settings, name) else {
        return Err(format!("Namespace {namespace} has no mapping defined for search attribute {name}"));
    };
    let payload = &wanted.indexed_fields[name];
    let value = value::decoded(payload);
    if value.as_ref().is_some_and(|value| value::is_unset(value) || value::fits(value, kind)) {
        return Ok(());
    }
    let (kind, shown) = (type_name(kind), value::shown(payload, value.as_ref()));
    Err(format!("invalid value for search attribute {name} of type {kind}: {shown}"))
}

/// Whether a value takes its attribute away.
fn is_unset(payload: &Payload) -> bool {
    value::decoded(payload).is_some_and(|value| value::is_unset(&value))
}

/// Adds the type to the metadata of each value that is set, as readers see it.
pub(crate) fn typed(settings: &Settings, mut attributes: SearchAttributes) -> SearchAttributes {
    attributes.indexed_fields.retain(|_, value| !is_unset(value));
    typed_event(settings, attributes)
}

/// Adds the type to the metadata of each value, as events show them.
pub(crate) fn typed_event(settings: &Settings, mut attributes: SearchAttributes) -> SearchAttributes {
    for (name, value) in &mut attributes.indexed_fields {
        if let Some(kind) = type_of(settings, name) {
            value.metadata.insert("type".into(), Bytes::from_static(type_name(kind).as_bytes()));
        }
    }
    attributes
}

/// Merges an upsert: a null or empty value takes the attribute away.
pub(crate) fn merge(tx: &mut Transition<'_, '_>, upsert: &SearchAttributes) {
    let typed = typed(tx.cx.settings, upsert.clone());
    let fields = &mut tx.run.profile.get_mut().search_attributes.get_or_insert_default().indexed_fields;
    for (name, value) in &upsert.indexed_fields {
        if is_unset(value) {
            fields.remove(name);
        }
    }
    fields.extend(typed.indexed_fields);
}

pub(crate) fn set_keyword_list(run: &mut Run, name: &str, words: &[String]) {
    let mut value = payload::json(&Value::from(words.to_vec()));
    value.metadata.insert("type".into(), Bytes::from_static(b"KeywordList"));
    let fields = &mut run.profile.get_mut().search_attributes.get_or_insert_default().indexed_fields;
    fields.insert(name.to_owned(), value);
}

pub(crate) fn remove(run: &mut Run, name: &str) {
    if let Some(attributes) = &mut run.profile.get_mut().search_attributes {
        attributes.indexed_fields.remove(name);
    }
}

/// After a completed workflow task: `BuildIds` and the reset points know every build that worked on the run.
pub(crate) fn note_build(tx: &mut Transition<'_, '_>, completed_event_id: i64, stamp: Option<&str>, checksum: &str) {
    let (build_id, checksum) = if let Some(stamp) = stamp { (stamp, "") } else { ("", checksum) };
    let points = tx.run.profile.reset_points.as_ref();
    let known = |p: &ResetPointInfo| p.build_id == build_id && p.binary_checksum == checksum;
    if !points.is_some_and(|points| points.points.iter().any(known)) {
        let point = ResetPointInfo {
            build_id: build_id.to_owned(),
            binary_checksum: checksum.to_owned(),
            run_id: tx.run.run_id(),
            first_workflow_task_completed_id: completed_event_id,
            create_time: Some(tx.now().timestamp()),
            resettable: true,
            ..Default::default()
        };
        let points = &mut tx.run.profile.get_mut().reset_points.get_or_insert_default().points;
        points.push(point);
        if points.len() > RESET_POINTS_MAX {
            points.remove(0);
        }
    }
    let mut builds = keyword_list(tx.run, BUILD_IDS);
    let before = builds.len();
    let named = (!build_id.is_empty()).then(|| format!("unversioned:{build_id}"));
    for build in std::iter::once("unversioned".to_owned()).chain(named) {
        if !builds.contains(&build) {
            builds.push(build);
        }
    }
    if builds.len() != before {
        set_keyword_list(tx.run, BUILD_IDS, &builds);
    }
}

fn keyword_list(run: &Run, name: &str) -> Vec<String> {
    let value = run.profile.search_attributes.as_ref().and_then(|found| found.indexed_fields.get(name));
    value.and_then(|value| serde_json::from_slice(&value.data).ok()).unwrap_or_default()
}
