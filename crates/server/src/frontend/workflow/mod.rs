//! Calls about a run: start, signal, cancel, terminate, describe, read its history.
pub(super) mod cancel;
pub(super) mod describe;
pub(super) mod history;
mod history_token;
pub(super) mod signal;
pub(super) mod start;
pub(super) mod target;
pub(super) mod terminate;

pub(super) use history_token::HistoryToken;

use abide_proto::temporal::api::{
    common::v1::{
        Link,
        link::{
            Variant, WorkflowEvent,
            workflow_event::{EventReference, Reference, RequestIdReference},
        },
    },
    enums::v1::EventType,
};

use abide_engine::workflow::RunKey;

/// A link to an event of a run.
fn link(namespace: &str, key: &RunKey, reference: Reference) -> Link {
    Link {
        variant: Some(Variant::WorkflowEvent(WorkflowEvent {
            namespace: namespace.to_owned(),
            workflow_id: key.workflow_id.clone(),
            run_id: key.run_id.to_string(),
            reference: Some(reference),
        })),
    }
}

/// A link to an event by its id.
fn event_link(namespace: &str, key: &RunKey, event_id: i64, kind: EventType) -> Link {
    link(namespace, key, Reference::EventRef(EventReference { event_id, event_type: kind as i32 }))
}

/// A link to an event that may not have an id yet, by the request that led to it.
fn request_link(namespace: &str, key: &RunKey, request_id: String, kind: EventType) -> Link {
    link(namespace, key, Reference::RequestIdRef(RequestIdReference { request_id, event_type: kind as i32 }))
}
