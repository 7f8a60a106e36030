//! A start that uses the existing run may leave its request id and links on it (`on_conflict_options`).
use crate::{
    api::{Attributes, common::Link, enums::EventType, history::WorkflowExecutionOptionsUpdatedEventAttributes},
    workflow::{records::RequestIdInfo, transition::Transition},
};

/// Writes the event; no workflow task comes of it.
pub fn attach(tx: &mut Transition<'_, '_>, request_id: Option<String>, links: Vec<Link>) {
    let attached = request_id.unwrap_or_default();
    if !attached.is_empty() {
        let info = RequestIdInfo { event_type: EventType::WorkflowExecutionOptionsUpdated as i32, event_id: 0 };
        tx.run.request_ids.insert(attached.clone(), info);
    }
    let attributes =
        WorkflowExecutionOptionsUpdatedEventAttributes { attached_request_id: attached, ..Default::default() };
    let event = tx.buffer(Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(attributes));
    event.worker_may_ignore = true;
    event.links = links;
}
