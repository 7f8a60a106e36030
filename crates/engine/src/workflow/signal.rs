//! SignalWorkflowExecution (spec §3.18).
use super::{transition::Transition, workflow_task};
use crate::{
    Refusal,
    api::{Attributes, common::Link, history::WorkflowExecutionSignaledEventAttributes},
};

/// Records a signal. A request id that was seen before changes nothing, even on a closed run.
pub fn signal(
    tx: &mut Transition<'_, '_>,
    attributes: WorkflowExecutionSignaledEventAttributes,
    links: Vec<Link>,
) -> Result<(), Refusal> {
    let header = tx.run.header.get();
    let request_id = attributes.request_id.clone();
    #[cfg(feature = "planted")]
    let request_id =
        if abide_planted::is(abide_planted::Fault::SignalDedupForgotten) { String::new() } else { request_id };
    if !request_id.is_empty() && tx.run.signal_request_ids.contains(&request_id) {
        return Ok(());
    }
    if !header.is_running() {
        return Err(Refusal::already_completed());
    }
    if header.signal_count >= tx.cx.settings.signals_per_run {
        return Err(Refusal::invalid("exceeded workflow execution limit for signal events"));
    }
    if header.close_attempted && header.workflow_task.as_ref().is_some_and(|t| t.is_started()) {
        return Err(Refusal::closing());
    }
    if !request_id.is_empty() {
        tx.run.signal_request_ids.insert(request_id, ());
    }
    tx.run.header.get_mut().signal_count += 1;
    tx.buffer(Attributes::WorkflowExecutionSignaledEventAttributes(attributes)).links = links;
    // A run that still waits for its first task is not woken.
    if tx.run.header.first_task_at == 0 {
        workflow_task::ensure_scheduled(tx);
    }
    Ok(())
}
